"""Ownership: a coordinator takes a case, or it is assigned to a colleague, at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import InvalidInputError, RefusedError
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import ASSIGN_REASON
from nrm.models import Case, Organisation
from nrm.services import casefile, hand_over, keeping, notices, visibility
from nrm.services.audit import record
from nrm.services.keeping import Candidate


@dataclass(frozen=True)
class Keeping:
    """Who looks after a case, whom this coordinator could ask, and an offer that waits."""

    file: casefile.CaseFile
    # The owner's organisation; empty where nobody looks after the case.
    organisation: str
    # Whether this coordinator may pass the case on: nobody's, or looked after by a colleague.
    within_reach: bool
    colleagues: Sequence[Candidate]
    others: Sequence[Candidate]
    offer: hand_over.Offer | None


def take(actor: Actor, reference: str, *, form_id: UUID | None = None) -> None:
    """Take a case that nobody looks after."""
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        require(actor, Permission.CASE_ASSIGN, visibility.case_standing(case))
        keeping.give(case, _person(actor), instead_of=None)
        record(unit, actor, Action.CASE_ASSIGN, keeping.owner_subject(actor.id, case))
        unit.outcome = case.reference


def assign(
    actor: Actor,
    reference: str,
    to: UUID | None,
    reason: str,
    *,
    owner: UUID | None,
    form_id: UUID | None = None,
) -> None:
    """Assign a case to a colleague, or take it over from one; who had it and who has it are told.

    `owner` is who looked after it when the page was shown. From an owner, it takes a reason.
    """
    if owner is not None and reason not in ASSIGN_REASON:
        raise InvalidInputError("reason", N_("Choose why the case changes hands."))
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        standing = visibility.case_standing(case)
        require(actor, Permission.CASE_ASSIGN, standing)
        _refuse_elsewhere(actor, case)
        colleagues = keeping.candidates(case, actor.organisation_id, colleagues=True)
        given_to = keeping.chosen(colleagues, to)
        if given_to.id == case.owner_id == owner:
            raise InvalidInputError("to", N_("This person looks after the case already."))
        keeping.give(case, given_to.id, instead_of=owner)
        told = {given_to.id} - {actor.id}
        notices.tell(unit, told, "case_assigned", case.id, case.id)
        lost = {owner} - {None, actor.id}
        notices.tell(unit, (one for one in lost if one), "case_passed_on", case.id, case.id)
        subject = keeping.owner_subject(given_to.id, case)
        record(unit, actor, Action.CASE_ASSIGN, subject, purpose=reason if owner else "")
        unit.outcome = case.reference


def page(actor: Actor, reference: str) -> Keeping:
    """Open the page that says who looks after a case."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        require(actor, Permission.CASE_ASSIGN, visibility.case_standing(case))
        file = casefile.opened(unit, actor, case)
        organisation = ""
        if case.owner is not None:
            organisation = db.session.get_one(Organisation, case.owner.organisation_id).name
        found = Keeping(
            file,
            organisation,
            _within_reach(actor, case),
            keeping.candidates(case, actor.organisation_id, colleagues=True),
            keeping.candidates(case, actor.organisation_id, colleagues=False),
            hand_over.waiting(case),
        )
        subject = visibility.case_subject(case)
        record(unit, actor, Action.CASE_OPEN, subject, purpose="owner")
        return found


def _within_reach(actor: Actor, case: Case) -> bool:
    """Say whether the case is nobody's or a colleague's: from elsewhere it comes by an offer."""
    return case.owner is None or case.owner.organisation_id == actor.organisation_id


def _refuse_elsewhere(actor: Actor, case: Case) -> None:
    if not _within_reach(actor, case):
        raise RefusedError(
            N_("Another organisation looks after this case. Ask them to offer it to you."),
            Permission.CASE_ASSIGN.value,
            visibility.case_subject(case),
        )


def _person(actor: Actor) -> UUID:
    if actor.id is None:
        raise RefusedError(N_("Only a person looks after a case."), Permission.CASE_ASSIGN.value)
    return actor.id
