"""Hand-over: a case is offered to a coordinator of another organisation, who accepts or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import Select, select, update
from sqlalchemy.orm import aliased

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import ConflictError, NotFoundError, RefusedError, Subject
from nrm.domain.lifecycle import (
    NOT_TAKE_OVER,
    OFFER,
    RETRACT_OFFER,
    TAKE_OVER,
    HandOverState,
    Step,
)
from nrm.domain.policy import HandOverStanding, require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.models import Account, Case, HandOver, Organisation
from nrm.services import keeping, notices, vault, visibility
from nrm.services.audit import record

# An offer is answered soon or taken back; a first page shows no more than these.
MOST_OFFERS = 25


@dataclass(frozen=True)
class Offer:
    """An offer with its case, and who offered it to whom."""

    hand_over: HandOver
    case: Case
    offered_by: str
    offered_by_organisation: str
    offered_to: str
    offered_to_organisation: str


@dataclass(frozen=True)
class OpenedOffer:
    """One offer with the words that came with it."""

    offer: Offer
    words: str


def offer(
    actor: Actor, reference: str, to: UUID | None, words: str, *, form_id: UUID | None = None
) -> UUID:
    """Offer a case to another organisation's coordinator; until then its owner looks after it."""
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        require(actor, OFFER.needs, visibility.case_standing(case))
        keeping.refuse_closed(case)
        _refuse_others_case(actor, case)
        others = keeping.candidates(case, actor.organisation_id, colleagues=False)
        offered_to = keeping.chosen(others, to)
        if waiting(case) is not None:
            raise ConflictError(N_("This case is offered to somebody already."))
        hand_over = HandOver(
            id=uuid4(),
            case_id=case.id,
            state=OFFER.enters,
            offered_by_id=actor.id,
            offered_at=unit.now,
            to_account_id=offered_to.id,
        )
        db.session.add(hand_over)
        vault.seal_note(
            unit,
            actor,
            case.id,
            {"words": words},
            kind="hand_over",
            compartment="narrative",
            subject_id=hand_over.id,
        )
        notices.tell(unit, [offered_to.id], "hand_over_offered", hand_over.id, case.id)
        record(unit, actor, Action.HANDOVER_OFFER, _subject(hand_over), fields=["words"])
        unit.outcome = case.reference
        return hand_over.id


def read(actor: Actor, hand_over_id: UUID) -> OpenedOffer:
    """Read an offer that one made or was made, with its words."""
    with unit_of_work() as unit:
        found = _find(actor, hand_over_id)
        standing = visibility.case_standing(found.case)
        notes = vault.open_notes(
            unit, actor, found.case.id, ["hand_over"], standing, [hand_over_id]
        )
        record(unit, actor, Action.HANDOVER_LIST, _subject(found.hand_over))
        return OpenedOffer(found, next((note["words"] for _row, note in notes), ""))


def take_over(actor: Actor, hand_over_id: UUID, *, form_id: UUID | None = None) -> str:
    """Accept an offer: the case is the actor's to look after from now on."""
    with unit_of_work(actor, form_id) as unit:
        found = _find(actor, hand_over_id, lock=True)
        require(actor, TAKE_OVER.needs, standing_of(found))
        _answer(unit, found, TAKE_OVER)
        case, before = found.case, visibility.case_standing(found.case).owners
        keeping.give(case, found.hand_over.to_account_id, instead_of=case.owner_id)
        _tell_the_offering(unit, actor, found, "hand_over_taken", before)
        record(unit, actor, Action.HANDOVER_TAKE, _subject(found.hand_over))
        unit.outcome = case.reference
        return case.reference


def not_take_over(actor: Actor, hand_over_id: UUID, *, form_id: UUID | None = None) -> None:
    """Decline an offer: the case stays with whoever looks after it."""
    with unit_of_work(actor, form_id) as unit:
        found = _find(actor, hand_over_id, lock=True)
        require(actor, NOT_TAKE_OVER.needs, standing_of(found))
        _answer(unit, found, NOT_TAKE_OVER)
        owners = visibility.case_standing(found.case).owners
        _tell_the_offering(unit, actor, found, "hand_over_not_taken", owners)
        record(unit, actor, Action.HANDOVER_DECLINE, _subject(found.hand_over))
        unit.outcome = found.case.reference


def retract(actor: Actor, hand_over_id: UUID, *, form_id: UUID | None = None) -> None:
    """Take an offer back before it is answered."""
    with unit_of_work(actor, form_id) as unit:
        found = _find(actor, hand_over_id, lock=True)
        require(actor, RETRACT_OFFER.needs, standing_of(found))
        _answer(unit, found, RETRACT_OFFER)
        told = found.hand_over.to_account_id
        notices.tell(unit, [told], "hand_over_retracted", found.hand_over.id, found.case.id)
        record(unit, actor, Action.HANDOVER_RETRACT, _subject(found.hand_over))
        unit.outcome = found.case.reference


def retract_for(unit: Unit, case: Case) -> None:
    """Take back what is still offered of a case that ends, within an act that is recorded."""
    db.session.execute(
        update(HandOver)
        .where(HandOver.case_id == case.id, HandOver.state.in_(RETRACT_OFFER.leaves))
        .values(state=RETRACT_OFFER.enters, answered_at=unit.now)
        .execution_options(synchronize_session=False)
    )


def offered_to(whom: Actor) -> Sequence[Offer]:
    """List what is offered to this coordinator, the oldest first, as part of a recorded reading."""
    query = (
        _offers()
        .where(HandOver.to_account_id == whom.id, HandOver.state == HandOverState.OFFERED)
        .where(~visibility.is_barred(whom, Case.id))
        .order_by(HandOver.offered_at, HandOver.id)
        .limit(MOST_OFFERS)
    )
    return [Offer(*row) for row in db.session.execute(query)]


def waiting(case: Case) -> Offer | None:
    """Return the offer of a case that waits for its answer."""
    query = _offers().where(HandOver.case_id == case.id, HandOver.state == HandOverState.OFFERED)
    row = db.session.execute(query).one_or_none()
    return Offer(*row) if row is not None else None


def standing_of(found: Offer) -> HandOverStanding:
    """Say what the policy needs to know of an offer."""
    case = visibility.case_standing(found.case)
    return HandOverStanding(
        _subject(found.hand_over),
        found.hand_over.offered_by_id,
        found.hand_over.to_account_id,
        case.owners,
        case.barred,
    )


def _subject(hand_over: HandOver) -> Subject:
    return Subject("handover", hand_over.id, hand_over.case_id)


def _refuse_others_case(actor: Actor, case: Case) -> None:
    """Refuse to offer what is not one's organisation's to give."""
    if case.owner is None or case.owner.organisation_id != actor.organisation_id:
        raise RefusedError(
            N_("A case is offered by the organisation that looks after it. Take it first."),
            OFFER.needs.value,
            visibility.case_subject(case),
        )


def _tell_the_offering(
    unit: Unit, actor: Actor, found: Offer, kind: str, owners: frozenset[UUID]
) -> None:
    told = {found.hand_over.offered_by_id, *owners} - {actor.id}
    notices.tell(unit, told, kind, found.hand_over.id, found.case.id)


def _answer(unit: Unit, found: Offer, step: Step[HandOverState]) -> None:
    """Move an offer by one conditional update: of two answers at once, exactly one wins."""
    won = db.session.execute(
        update(HandOver)
        .where(HandOver.id == found.hand_over.id, HandOver.state.in_(step.leaves))
        .values(state=step.enters, answered_at=unit.now)
        .execution_options(synchronize_session=False)
        .returning(HandOver.id)
    ).scalar_one_or_none()
    db.session.refresh(found.hand_over)
    if won is None:
        raise _answered_already(found.hand_over)


def _answered_already(hand_over: HandOver) -> ConflictError:
    who = db.session.scalar(select(Account.name).where(Account.id == hand_over.to_account_id))
    by = "" if hand_over.state is HandOverState.RETRACTED else who or ""
    return ConflictError(_WHAT_BECAME[hand_over.state], by, hand_over.answered_at)


_WHAT_BECAME: Mapping[HandOverState, str] = {
    HandOverState.TAKEN: N_("The case was taken over"),
    HandOverState.NOT_TAKEN: N_("The case was not taken over"),
    HandOverState.RETRACTED: N_("The offer was taken back"),
}


def _find(actor: Actor, hand_over_id: UUID, *, lock: bool = False) -> Offer:
    """Find an offer that the actor made, was made, or whose case they look after."""
    mine = (
        (HandOver.to_account_id == actor.id)
        | (HandOver.offered_by_id == actor.id)
        | Case.owner_id.in_(visibility.looks_after(actor))
    )
    query = _offers().where(HandOver.id == hand_over_id, mine)
    query = query.where(~visibility.is_barred(actor, Case.id), Case.erased_at.is_(None))
    row = db.session.execute(query.with_for_update(of=Case) if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(Subject("handover"))
    require(actor, Permission.CASE_ASSIGN, visibility.case_standing(row[1]))
    return Offer(*row)


def _offers() -> Select[HandOver, Case, str, str, str, str]:
    by, to = aliased(Account), aliased(Account)
    from_organisation, to_organisation = aliased(Organisation), aliased(Organisation)
    return (
        select(HandOver, Case, by.name, from_organisation.name, to.name, to_organisation.name)
        .join(Case, Case.id == HandOver.case_id)
        .join(by, by.id == HandOver.offered_by_id)
        .join(from_organisation, from_organisation.id == by.organisation_id)
        .join(to, to.id == HandOver.to_account_id)
        .join(to_organisation, to_organisation.id == to.organisation_id)
    )
