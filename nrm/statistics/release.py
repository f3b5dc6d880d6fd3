"""Making a release: cases in, protected cells out, and nothing between them is kept."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nrm.statistics import catalogue, reading
from nrm.statistics.attack import NOTHING_MORE, AtLeast, Proved, allowed, attack
from nrm.statistics.catalogue import REACHED, STEP, Counts, Listed
from nrm.statistics.periods import Period
from nrm.statistics.protection import FEWEST_OF_A_MEDIAN, Protection
from nrm.statistics.reading import Document
from nrm.statistics.tables import Cell, Counting, Dimension, Record, Table, cells, cells_of

# A release of fewer new cases than this would tell too much about each of them.
FEWEST_CASES = 30

Figures: TypeAlias = Mapping[Cell, int | None]
# A case as the statistics' process reads it: its id, its coded facts, and what was counted of it.
CaseFacts: TypeAlias = tuple[str, Document, Sequence[Document]]


class TooFewError(ValueError):
    """The period has too few new cases for a release."""


@dataclass(frozen=True)
class Made:
    """What is published: figures by what they count, and which tables had to be left out."""

    figures: Mapping[Counts, Figures]
    left_out: Sequence[str]

    @property
    def shown(self) -> int:
        """How many counts are shown."""
        return sum(figure is not None for figure in self._counts())

    @property
    def hidden(self) -> int:
        """How many counts are hidden."""
        return sum(figure is None for figure in self._counts())

    def _counts(self) -> Iterable[int | None]:
        for counts, figures in self.figures.items():
            if counts is not Counts.DAYS:
                yield from figures.values()


def make(
    cases: Iterable[CaseFacts],
    period: Period,
    protection: Protection,
    listed: Sequence[Listed],
) -> Made:
    """Count the cases flagged and the referrals sent in a period, and protect every figure.

    Raises TooFewError. A person who does not agree to be counted is not.
    """
    counting = {
        counts: Counting(catalogue.tables(listed, counts, annual=period.annual), protection)
        for counts in (Counts.PERSONS, Counts.REFERRALS)
    }
    days = _Durations(catalogue.tables(listed, Counts.DAYS, annual=period.annual), protection)
    new_cases = 0
    for case_id, facts, events in cases:
        if not reading.counted(events, facts):
            continue
        for referral, (sent, record) in reading.referrals(facts, events).items():
            if period.holds(sent):
                counting[Counts.REFERRALS].add(referral, record)
        if period.holds(facts["quarter"]):
            new_cases += 1
            person = reading.person(facts, events)
            counting[Counts.PERSONS].add(case_id, person)
            days.note(case_id, person)
    if new_cases < FEWEST_CASES:
        raise TooFewError(period.name)
    return _published(listed, counting, days)


class _Durations:
    """How long each first step took, in every cell of the tables of days."""

    def __init__(self, tables: Iterable[Table], protection: Protection) -> None:
        self._protection = protection
        margins = [margin for table in tables for margin in table.margins() if STEP in margin]
        self._margins = list(dict.fromkeys(margins))
        # Cells of nobody are here as well: that one is missing would tell that it is of nobody.
        self._taken = {cell: array("i") for margin in self._margins for cell in cells(margin)}
        # Of the people in each cell, the sum of the record keys, as of any other count.
        self._keys = dict.fromkeys(self._taken, 0)

    def note(self, case_id: str, person: Record) -> None:
        key = self._protection.record_key(case_id)
        for step, number in reading.first_days(person["events"]).items():
            for margin in self._margins:
                for cell in cells_of({**person, STEP.name: step}, margin):
                    self._taken[cell].append(number)
                    self._keys[cell] += key

    def medians(self) -> Figures:
        return {
            cell: self._protection.median(taken, self._keys[cell])
            for cell, taken in self._taken.items()
        }


def _published(
    listed: Iterable[Listed], counting: Mapping[Counts, Counting], days: _Durations
) -> Made:
    figures: dict[Counts, Figures] = {Counts.DAYS: days.medians()}
    known = {Counts.PERSONS: people_of(figures[Counts.DAYS])}
    left_out: list[str] = []
    for counts, counted in counting.items():
        of_these = [one for one in listed if one.counts is counts]
        figures[counts], lost = proof_against(
            counted.published(), of_these, known.get(counts, NOTHING_MORE)
        )
        left_out += lost
    return Made(figures, left_out)


def people_of(days: Figures) -> AtLeast:
    """Say how many people at least there are in cells of persons, where days are shown.

    Whoever took a step of help came so far, and is among those of the same kind. Days that are not
    shown tell nothing: their people are counted with the same noise wherever they are.
    """
    known: dict[Cell, int] = {}
    for cell, figure in days.items():
        if figure is not None:
            [taken] = [one for one in cell if one[0] == STEP.name]
            others = cell - {taken}
            known[others] = FEWEST_OF_A_MEDIAN
            if taken[1] in REACHED.codes:
                known[others | {(REACHED.name, taken[1])}] = FEWEST_OF_A_MEDIAN
    return known


def proof_against(
    figures: Figures, listed: Iterable[Listed], at_least: AtLeast = NOTHING_MORE
) -> tuple[Figures, list[str]]:
    """Leave out every table of which the attack proves a cell; noise is never drawn again."""
    remaining, left_out = {one.number: one for one in listed}, []
    while proved := attacked(figures, remaining.values(), at_least):
        wrong = {
            number
            for number, one in remaining.items()
            if any(_names(cell) <= one.names for cell in proved.cells)
        }
        left_out += sorted(wrong)
        remaining = {number: one for number, one in remaining.items() if number not in wrong}
        figures = {
            cell: figure
            for cell, figure in figures.items()
            if any(_names(cell) <= one.names for one in remaining.values())
        }
    return figures, left_out


def attacked(
    figures: Figures, listed: Iterable[Listed], at_least: AtLeast = NOTHING_MORE
) -> Proved:
    """Attack the figures of one kind with themselves, and with what others tell."""
    dimensions: dict[str, Dimension] = {
        each.name: each for one in listed for each in one.dimensions
    }
    return attack(figures, dimensions.values(), allowed, at_least)


def _names(cell: Cell) -> set[str]:
    """Name what a cell is counted by; the attack writes one answer of several as form=labour."""
    return {name.partition("=")[0] for name, _ in cell}
