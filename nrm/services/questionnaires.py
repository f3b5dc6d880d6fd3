"""Answering those who ask the country for figures: from frozen releases, and from nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from nrm import country
from nrm.audit.actions import Action
from nrm.db import unit_of_work
from nrm.domain.errors import NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.services import figures, frozen
from nrm.services.audit import record
from nrm.services.frozen import Frozen
from nrm.statistics import questionnaires
from nrm.statistics.questionnaires import Answered, Questionnaire


@dataclass(frozen=True)
class Filled:
    """A questionnaire with its answers; without any while no release is frozen."""

    questionnaire: Questionnaire
    frozen: Frozen | None
    sections: Sequence[Answered]


@cache
def templates(code: str) -> Mapping[str, Questionnaire]:
    """Load the templates for a country by their names; raises QuestionnaireError."""
    listed = list(figures.listed(code).values())
    population = country.load(code).population
    return {name: questionnaires.load(name, listed, population) for name in questionnaires.names()}


def every(actor: Actor, code: str) -> list[Questionnaire]:
    """List what can be answered; it says nothing of anybody."""
    require(actor, Permission.STATISTICS_VIEW)
    return list(templates(code).values())


def fill(actor: Actor, name: str, release_id: UUID | None, code: str) -> Filled:
    """Answer a questionnaire from a frozen release, or from the newest one.

    Raises NotFoundError for a questionnaire or a release that there is not, and RefusedError for
    a release that is not frozen.
    """
    require(actor, Permission.STATISTICS_VIEW)
    with unit_of_work() as unit:
        filled = answered(name, release_id, code)
        subject = frozen.subject(filled.frozen)
        record(unit, actor, Action.STATISTICS_VIEW, subject, purpose=name)
        return filled


def answered(name: str, release_id: UUID | None, code: str) -> Filled:
    """Answer a questionnaire within the caller's act."""
    questionnaire = templates(code).get(name)
    if questionnaire is None:
        raise NotFoundError(Subject("questionnaire"))
    found = frozen.whole(release_id)
    if found is None:
        return Filled(questionnaire, None, ())
    population = country.load(code).population
    sections = questionnaires.fill(questionnaire, found.kept.figures, population)
    return Filled(questionnaire, found, sections)
