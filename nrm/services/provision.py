"""Provision: an organisation's inbox, its answer, and the services that it gives."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain.consent import disclosed_to
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError
from nrm.domain.lifecycle import (
    ACCEPT,
    ASSIST,
    DECLINE,
    END,
    EXPIRE,
    LIVE_REFERRALS,
    ReferralState,
    Step,
    advance,
    allows,
)
from nrm.domain.masking import masked
from nrm.domain.policy import may, require
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import DECLINE_REASON, NEED, SERVICE_OUTCOME
from nrm.models import Account, Case, Referral, ServiceRecord
from nrm.services import vault, visibility
from nrm.services.audit import record
from nrm.services.consent import consents
from nrm.services.facts import counted_referral
from nrm.services.referral import settle_after_loss

PAGE = 25
# In these states a referral shows no more than that it was one.
CLOSED = (
    ReferralState.DECLINED,
    ReferralState.EXPIRED,
    ReferralState.WITHDRAWN,
    ReferralState.ENDED,
)
# Where a page of the inbox ends: the deadline and the id of its last row.
Place: TypeAlias = tuple[datetime, UUID]
# How many unanswered referrals one round of housekeeping takes back.
EXPIRY_BATCH = 100


@dataclass(frozen=True)
class Waiting:
    """One row of the inbox: the referral and what stands on the outside of its envelope."""

    referral: Referral
    envelope: dict[str, Any]


@dataclass(frozen=True)
class Inbox:
    """What an organisation has to answer, and whom it is helping; `more` is the next page's key."""

    rows: Sequence[Waiting]
    more: Place | None


@dataclass(frozen=True)
class ServiceGiven:
    """One service that was recorded, as its provider reads it back."""

    recorded_at: datetime
    service: str
    outcome: str
    given_on: str
    words: str


@dataclass(frozen=True)
class Received:
    """A referral as its receiver may see it now."""

    referral: Referral
    envelope: dict[str, Any]
    # What consent opens to this organisation, and, once it has accepted, what it says: masked.
    discloses: frozenset[str]
    opened: Mapping[str, dict[str, Any]]
    services: Sequence[ServiceGiven]
    # What consent covers, and stays sealed until the reader has shown a second factor.
    closed: frozenset[str] = frozenset()


def inbox(actor: Actor, state: ReferralState, after: Place | None = None) -> Inbox:
    """List the organisation's referrals in one state, the earliest deadline first.

    Envelopes open for the rows shown and no others, and only while the referral is live.
    """
    query = (
        visibility.visible_referrals(actor, Permission.REFERRAL_VIEW)
        .where(Referral.state == state)
        .order_by(Referral.answer_due_at, Referral.id)
        .limit(PAGE + 1)
    )
    if after is not None:
        due, last = after
        query = query.where(
            (Referral.answer_due_at > due)
            | ((Referral.answer_due_at == due) & (Referral.id > last))
        )
    with unit_of_work() as unit:
        referrals = db.session.scalars(query).all()
        shown = referrals[:PAGE]
        standings = {
            referral.id: visibility.referral_standing(referral)
            for referral in shown
            if referral.state in LIVE_REFERRALS
        }
        envelopes = vault.open_envelopes(unit, actor, standings)
        record(unit, actor, Action.REFERRAL_LIST, counts={"referrals": len(shown)})
    rows = [Waiting(referral, envelopes.get(referral.id, {})) for referral in shown]
    return Inbox(rows, _more(referrals))


def closed(actor: Actor, after: Place | None = None) -> Inbox:
    """List what the organisation has no part in any more, the latest first; nothing opens."""
    query = visibility.visible_referrals(actor, Permission.REFERRAL_VIEW)
    if after is not None:
        due, last = after
        query = query.where(
            (Referral.answer_due_at < due)
            | ((Referral.answer_due_at == due) & (Referral.id < last))
        )
    query = query.order_by(Referral.answer_due_at.desc(), Referral.id.desc()).limit(PAGE + 1)
    with unit_of_work() as unit:
        # One limited branch per state: each walks the index of the inbox from its end.
        branches = [
            db.session.scalars(query.where(Referral.state == state)).all() for state in CLOSED
        ]
        latest = sorted(chain.from_iterable(branches), key=_place, reverse=True)[: PAGE + 1]
        shown = latest[:PAGE]
        record(unit, actor, Action.REFERRAL_LIST, counts={"referrals": len(shown)})
    return Inbox([Waiting(referral, {}) for referral in shown], _more(latest))


def _place(referral: Referral) -> Place:
    return referral.answer_due_at, referral.id


def _more(found: Sequence[Referral]) -> Place | None:
    """Say where the next page begins, if one row more than a page was found."""
    return _place(found[PAGE - 1]) if len(found) > PAGE else None


def read(actor: Actor, reference: str, closed: Collection[str] = ()) -> Received:
    """Open a referral: the envelope while it is live, and after acceptance what consent covers.

    Parts that are named in `closed` stay sealed, though consent covers them.
    """
    with unit_of_work() as unit:
        referral = visibility.referral(actor, reference)
        page = received(unit, actor, referral, closed)
        record(unit, actor, Action.REFERRAL_OPEN, visibility.referral_subject(referral))
        return page


def received(
    unit: Unit, actor: Actor, referral: Referral, closed: Collection[str] = ()
) -> Received:
    """Read what a referral's receiver may see of it now, as part of an act that records it."""
    standing = visibility.referral_standing(referral)
    envelope: dict[str, Any] = {}
    discloses: frozenset[str] = frozenset()
    opened: dict[str, dict[str, Any]] = {}
    if referral.state in LIVE_REFERRALS:
        envelope = vault.open_envelopes(unit, actor, {referral.id: standing})[referral.id]
        discloses = disclosed(unit, referral, envelope)
    if referral.state is ReferralState.ACCEPTED and discloses:
        consented = visibility.referral_standing(referral, consented=True)
        parts = dict.fromkeys(sorted(discloses.difference(closed)), consented)
        documents = vault.open_compartments(unit, actor, referral.case_id, parts)
        opened = {name: masked(name, document) for name, document in documents.items()}
    services = _services(unit, actor, referral)
    kept_closed = discloses.intersection(closed)
    return Received(referral, envelope, discloses, opened, services, kept_closed)


def disclosed(unit: Unit, referral: Referral, envelope: Mapping[str, Any]) -> frozenset[str]:
    """Say what consent opens to a referral's receiver, for the one service that was asked of it."""
    given = consents(referral.case_id)
    return disclosed_to(given, referral.organisation_id, [envelope["service"]], unit.now)


def working_on(actor: Actor, reference: str) -> tuple[Referral, dict[str, Any]]:
    """Open no more than the envelope of an accepted referral, to record a service under it."""
    with unit_of_work() as unit:
        referral = visibility.referral(actor, reference)
        standing = visibility.referral_standing(referral)
        require(actor, Permission.SERVICE_RECORD, standing)
        envelope = vault.open_envelopes(unit, actor, {referral.id: standing})[referral.id]
        record(unit, actor, Action.REFERRAL_OPEN, visibility.referral_subject(referral))
        return referral, envelope


def ending(actor: Actor, reference: str) -> Referral:
    """Fetch a referral whose part is about to be ended; opens nothing of it."""
    with unit_of_work():
        referral = visibility.referral(actor, reference)
        require(actor, END.needs, visibility.referral_standing(referral))
        advance(referral.state, END)
        return referral


def _services(unit: Unit, actor: Actor, referral: Referral) -> list[ServiceGiven]:
    """Read back what the organisation itself recorded; that stays its own after the end."""
    notes = vault.open_notes(
        unit,
        actor,
        referral.case_id,
        ["service"],
        visibility.referral_standing(referral),
        subject_ids=[referral.id],
    )
    return [
        ServiceGiven(
            note.written_at,
            document["service"],
            document["outcome"],
            document["given_on"],
            document["words"],
        )
        for note, document in notes
    ]


def accept(actor: Actor, reference: str, pack: CountryPack, *, form_id: UUID | None = None) -> str:
    """Accept a referral for one's organisation; what consent covers opens with this act."""
    with unit_of_work(actor, form_id) as unit:
        referral = visibility.referral(actor, reference)
        require(actor, ACCEPT.needs, visibility.referral_standing(referral))
        case = _lock_case(referral, actor)
        answer(unit, actor, referral, ACCEPT)
        case.assistance = advance(case.assistance, ASSIST)
        case.due_at = unit.now + pack.clocks.follow_up.length
        counted_referral(unit, referral, "accepted", pack)
        record(unit, actor, Action.REFERRAL_ACCEPT, visibility.referral_subject(referral))
        unit.outcome = referral.reference
        return referral.reference


def decline(
    actor: Actor,
    reference: str,
    reason: str,
    words: str,
    pack: CountryPack,
    *,
    form_id: UUID | None = None,
) -> str:
    """Decline a referral with a coded reason; the case returns to the coordinator at once."""
    if reason not in DECLINE_REASON:
        raise InvalidInputError("reason", N_("Choose the reason."))
    with unit_of_work(actor, form_id) as unit:
        referral = visibility.referral(actor, reference)
        require(actor, DECLINE.needs, visibility.referral_standing(referral))
        case = _lock_case(referral, actor)
        answer(unit, actor, referral, DECLINE)
        vault.seal_note(
            unit,
            actor,
            referral.case_id,
            {"reason": reason, "words": words},
            kind="decline",
            compartment="service",
            subject_id=referral.id,
        )
        settle_after_loss(unit, case, pack)
        counted_referral(unit, referral, "declined", pack, reason=reason)
        record(
            unit,
            actor,
            Action.REFERRAL_DECLINE,
            visibility.referral_subject(referral),
            fields=["reason", "words"],
        )
        unit.outcome = referral.reference
        return referral.reference


def answer(unit: Unit, actor: Actor, referral: Referral, step: Step[ReferralState]) -> None:
    """Move a referral by one conditional update: of two answers at once, exactly one wins."""
    won = db.session.execute(
        update(Referral)
        .where(Referral.id == referral.id, Referral.state.in_(step.leaves))
        .values(
            state=step.enters,
            answered_by_id=actor.id,
            answered_at=unit.now,
            version=Referral.version + 1,
        )
        .execution_options(synchronize_session=False)
        .returning(Referral.id)
    ).scalar_one_or_none()
    db.session.refresh(referral)
    if won is None:
        raise _answered_already(referral)


def _answered_already(referral: Referral) -> ConflictError:
    """Tell the slower one what became of the referral; of an answer, also by whom and when."""
    words = _WHY_CLOSED[referral.state]
    if referral.state not in (ReferralState.ACCEPTED, ReferralState.DECLINED):
        return ConflictError(words)
    who = db.session.execute(
        select(Account.name).where(Account.id == referral.answered_by_id)
    ).scalar_one_or_none()
    return ConflictError(words, who or "", referral.answered_at)


_WHY_CLOSED = {
    ReferralState.ACCEPTED: N_("This referral was accepted"),
    ReferralState.DECLINED: N_("This referral was declined"),
    ReferralState.EXPIRED: N_("The time to answer ran out, and the referral was taken back"),
    ReferralState.WITHDRAWN: N_("The coordinator withdrew this referral"),
    ReferralState.ENDED: N_("Your organisation’s part in this referral has ended"),
}


@dataclass(frozen=True)
class NewService:
    """A service that was given, or could not be."""

    service: str
    outcome: str
    given_on: date
    words: str = ""


def record_service(
    actor: Actor,
    reference: str,
    new: NewService,
    pack: CountryPack,
    *,
    form_id: UUID | None = None,
) -> str:
    """Record one service given under an accepted referral."""
    if new.service not in NEED:
        raise InvalidInputError("service", N_("Choose the service."))
    if new.outcome not in SERVICE_OUTCOME:
        raise InvalidInputError("outcome", N_("Say whether the service was given."))
    with unit_of_work(actor, form_id) as unit:
        referral = visibility.referral(actor, reference)
        require(actor, Permission.SERVICE_RECORD, visibility.referral_standing(referral))
        if new.given_on > unit.now.astimezone(pack.zone).date():
            raise InvalidInputError("given_on", N_("The day must not be in the future."))
        _write_service(unit, actor, referral, new)
        counted_referral(unit, referral, "served", pack, service=new.service, outcome=new.outcome)
        record(
            unit,
            actor,
            Action.SERVICE_RECORD,
            visibility.referral_subject(referral),
            fields=["service", "outcome", "given_on", "words"],
        )
        unit.outcome = referral.reference
        return referral.reference


def _write_service(unit: Unit, actor: Actor, referral: Referral, new: NewService) -> None:
    if actor.id is None:
        raise NotFoundError
    note_id = vault.seal_note(
        unit,
        actor,
        referral.case_id,
        {
            "service": new.service,
            "outcome": new.outcome,
            "given_on": new.given_on.isoformat(),
            "words": new.words,
        },
        kind="service",
        compartment="service",
        subject_id=referral.id,
    )
    db.session.add(
        ServiceRecord(
            id=uuid4(),
            referral_id=referral.id,
            recorded_by_id=actor.id,
            recorded_at=unit.now,
            note_id=note_id,
        )
    )


def end(actor: Actor, reference: str, pack: CountryPack, *, form_id: UUID | None = None) -> str:
    """End one's organisation's part; its access to the file ends with this act."""
    with unit_of_work(actor, form_id) as unit:
        referral = visibility.referral(actor, reference)
        require(actor, END.needs, visibility.referral_standing(referral))
        case = _lock_case(referral, actor)
        referral.state = advance(referral.state, END)
        referral.ended_at = unit.now
        settle_after_loss(unit, case, pack)
        record(unit, actor, Action.REFERRAL_END, visibility.referral_subject(referral))
        unit.outcome = referral.reference
        return referral.reference


def expire(pack: CountryPack) -> int:
    """Take back the referrals whose time to answer ran out; returns how many.

    Each is an act of its own, so that one that cannot be moved does not hold up the others.
    """
    with unit_of_work() as unit:
        late = db.session.scalars(
            select(Referral.id)
            .where(Referral.state == ReferralState.SENT, Referral.answer_due_at < unit.now)
            .order_by(Referral.answer_due_at)
            .limit(EXPIRY_BATCH)
        ).all()
    return sum(_expire_one(referral_id, pack) for referral_id in late)


def _expire_one(referral_id: UUID, pack: CountryPack) -> int:
    with unit_of_work() as unit:
        referral = db.session.get_one(Referral, referral_id)
        require(HOUSEKEEPING, EXPIRE.needs, visibility.referral_standing(referral))
        case = _lock_case(referral)
        # Another round of housekeeping, or the provider, may have been faster.
        if not allows(referral.state, EXPIRE):
            return 0
        referral.state = advance(referral.state, EXPIRE)
        referral.ended_at = unit.now
        settle_after_loss(unit, case, pack)
        counted_referral(unit, referral, "expired", pack)
        record(unit, HOUSEKEEPING, Action.REFERRAL_EXPIRE, visibility.referral_subject(referral))
        return 1


def _lock_case(referral: Referral, actor: Actor = HOUSEKEEPING) -> Case:
    """Hold the case, then read the referral afresh: answers to one case follow each other."""
    case = db.session.get_one(Case, referral.case_id, with_for_update=True)
    db.session.refresh(referral)
    # Whoever waited may have been kept out meanwhile, and must not learn that by an error.
    standing = visibility.referral_standing(referral)
    if not may(actor, Permission.REFERRAL_VIEW, standing).allowed and actor.id is not None:
        raise NotFoundError(standing.subject)
    return case
