"""Answering a questionnaire from the figures of a release, and saying why a row stays empty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nrm.country import Residents
from nrm.domain.text import N_
from nrm.statistics.catalogue import Counts
from nrm.statistics.questionnaires.template import Questionnaire, Row, Section
from nrm.statistics.release import Figures
from nrm.statistics.shares import rate, share
from nrm.statistics.tables import Cell


class State(StrEnum):
    """How a row was answered."""

    ANSWERED = "answered"
    HIDDEN = "hidden"
    NOT_PUBLISHED = "not_published"
    NO_POPULATION = "no_population"
    ELSEWHERE = "elsewhere"


# What stands beside an answer; `office` is a kind of organisation.
NOTE: Mapping[State, str] = {
    State.ANSWERED: "",
    State.HIDDEN: N_("Under 10, or nobody: not shown"),
    State.NOT_PUBLISHED: N_("Not part of this release"),
    State.NO_POPULATION: N_("No rate: the number of these residents is not known here"),
    State.ELSEWHERE: N_("Not recorded in this system. To be answered by: %(office)s"),
}


@dataclass(frozen=True)
class Answer:
    """What answers a row: a figure, perhaps with its share or its rate; or why there is none."""

    row: Row
    state: State
    figure: int | None = None
    # Of a hundred.
    share: int | None = None
    # Of 100,000 of these residents.
    rate: float | None = None
    residents: Residents | None = None


@dataclass(frozen=True)
class Answered:
    """A section with an answer to each of its rows."""

    section: Section
    answers: Sequence[Answer]


def fill(
    questionnaire: Questionnaire,
    figures: Mapping[Counts, Figures],
    population: Sequence[Residents],
) -> list[Answered]:
    """Answer every row of a questionnaire from published figures alone."""
    groups = {group.of: group for group in population}
    return [
        Answered(
            section, [_answer(row, figures.get(row.counts, {}), groups) for row in section.rows]
        )
        for section in questionnaire.sections
    ]


def _answer(row: Row, figures: Figures, groups: Mapping[Cell, Residents]) -> Answer:
    if row.answered_by:
        return Answer(row, State.ELSEWHERE)
    if row.cell not in figures:
        return Answer(row, State.NOT_PUBLISHED)
    figure = figures[row.cell]
    if figure is None:
        return Answer(row, State.HIDDEN)
    if row.per_100_000 is not None:
        return _rate(row, figure, groups.get(row.per_100_000))
    of = None if row.share_of is None else figures.get(row.share_of)
    return Answer(row, State.ANSWERED, figure, share(figure, of))


def _rate(row: Row, figure: int, residents: Residents | None) -> Answer:
    if residents is None or residents.count is None:
        return Answer(row, State.NO_POPULATION, figure)
    return Answer(
        row,
        State.ANSWERED,
        figure,
        rate=rate(figure, residents.count),
        residents=residents,
    )
