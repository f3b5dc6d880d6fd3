"""The coordinator's worklist and the case file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased, selectinload

from nrm.audit.actions import TIMELINE, Action, Outcome
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError
from nrm.domain.lifecycle import Assistance, ErasureState, Identification
from nrm.domain.masking import masked
from nrm.domain.policy import CaseStanding, may, require
from nrm.domain.reference import parse_case_reference
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import REVEAL_REASON
from nrm.models import Account, AuditEntry, Case, Erasure, HandOver, Organisation, Referral
from nrm.services import comparison, hand_over, left_drafts, vault, visibility
from nrm.services.audit import record
from nrm.services.consent import Recorded, answers, explained_answers, newest

PAGE = 25
TIMELINE_LENGTH = 6

# What is told by the pages of the file without opening: the worklist and the overview show these.
SAFE_CONTACT = "contact"


class Queue(StrEnum):
    """The tabs of the worklist."""

    ALL = "all"
    MINE = "mine"
    NOBODYS = "nobodys"
    INCOMING = "incoming"
    NEEDS = "needs"
    REFERRED = "referred"
    ASSISTED = "assisted"


@dataclass(frozen=True)
class Place:
    """Where a page of the worklist ends: the key of its last row."""

    urgency: int
    due_at: datetime
    id: UUID


@dataclass(frozen=True)
class WorkRow:
    """One row of the worklist: the case and its coded facts."""

    case: Case
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Worklist:
    """A page of open cases, most urgent first, then what is due first."""

    rows: Sequence[WorkRow]
    more: Place | None
    # What is offered to this coordinator, and whether drafts of leavers wait for somebody.
    offers: Sequence[hand_over.Offer] = ()
    drafts_left: int = 0


@dataclass(frozen=True)
class Event:
    """One act on the timeline."""

    seq: int
    action: Action
    at: datetime
    who: str
    organisation: str
    # The account that it is about, where a case changes hands, and the coded reason.
    about: str = ""
    purpose: str = ""


@dataclass(frozen=True)
class SentReferral:
    """A referral of the case, with the provider's name and what became of it."""

    referral: Referral
    provider: str
    envelope: Mapping[str, Any]
    decline: Mapping[str, Any]
    services: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class CaseFile:
    """What every page of a case shows: the identity bar's facts and the rule of safe contact."""

    case: Case
    facts: Mapping[str, Any]
    contact: Mapping[str, Any]
    closed_to_actor: tuple[str, ...]
    # Until when the actor has it open in an emergency: then every page of it says so.
    emergency_until: datetime | None = None


@dataclass(frozen=True)
class Overview:
    """The first page of a case; what is open of the file has its masked fields masked."""

    file: CaseFile
    opened: Mapping[str, Mapping[str, Any]]
    timeline: Sequence[Event]
    consents: Sequence[Recorded]
    referrals: Sequence[tuple[Referral, str]]
    # The references of people who were found at the same place, as far as they are visible.
    same_incident: Sequence[str]
    # Which other files may be the same person's; None where nobody has looked yet.
    known_already: comparison.Result | None
    # The request to erase that waits for another person's answer.
    erasure_id: UUID | None


def worklist(actor: Actor, queue: Queue, after: Place | None = None) -> Worklist:
    """List open cases; the facts open for the rows shown and no others, under one entry."""
    require_role = Permission.CASE_VIEW
    query = _in_queue(visibility.visible_cases(actor, require_role), queue)
    # Cases without an owner stand together in their index, in this very order.
    order = (Case.owner_id,) if queue is Queue.NOBODYS else ()
    query = query.order_by(*order, Case.urgency, Case.due_at, Case.id).limit(PAGE + 1)
    if after is not None:
        # Spelled out, because SQLite uses its index for the first column of a row comparison only.
        query = query.where(
            (Case.urgency > after.urgency)
            | (
                (Case.urgency == after.urgency)
                & (
                    (Case.due_at > after.due_at)
                    | ((Case.due_at == after.due_at) & (Case.id > after.id))
                )
            )
        )
    with unit_of_work() as unit:
        cases = _mine(actor, query) if queue is Queue.MINE else _with_owners(query)
        shown = cases[:PAGE]
        standings = {case.id: visibility.case_standing(case) for case in shown}
        facts = vault.open_facts(unit, actor, standings)
        offers = hand_over.offered_to(actor)
        counts = {"cases": len(shown), "offers": len(offers)}
        record(unit, actor, Action.CASE_LIST, purpose=queue.value, counts=counts)
        left = left_drafts.how_many(actor)
    last = shown[-1] if len(cases) > PAGE else None
    more = Place(last.urgency, last.due_at, last.id) if last is not None else None
    return Worklist([WorkRow(case, facts[case.id]) for case in shown], more, offers, left)


def _mine(actor: Actor, query: Select[Case]) -> Sequence[Case]:
    """List what the actor looks after, by one limited branch for each owner.

    Each branch walks the index of its owner's open cases and reads nothing but keys; whoever stands
    in for nobody has one. The rows themselves come in one statement, however many there are.
    """
    owners = db.session.scalars(visibility.looks_after(actor)).all()
    keys = query.with_only_columns(Case.urgency, Case.due_at, Case.id)
    found = sorted(
        (urgency, due_at, case_id)
        for owner_id in owners
        for urgency, due_at, case_id in db.session.execute(keys.where(Case.owner_id == owner_id))
    )
    wanted = [case_id for _urgency, _due_at, case_id in found[: PAGE + 1]]
    cases = {one.id: one for one in _with_owners(select(Case).where(Case.id.in_(wanted)))}
    return [cases[case_id] for case_id in wanted]


def _with_owners(query: Select[Case]) -> Sequence[Case]:
    """Read cases and who looks after them: so many statements, however many the cases are."""
    owner = selectinload(Case.owner).selectinload(Account.stand_in)
    return db.session.scalars(query.options(owner, selectinload(Case.left_by))).all()


def listed(actor: Actor, case_ids: Sequence[UUID]) -> Worklist:
    """List the cases that a search found, in its order, with their coded facts."""
    query = visibility.visible_cases(actor, Permission.CASE_VIEW).where(
        Case.id.in_(case_ids), Case.erased_at.is_(None)
    )
    with unit_of_work() as unit:
        cases = {case.id: case for case in _with_owners(query)}
        standings = {case_id: visibility.case_standing(case) for case_id, case in cases.items()}
        facts = vault.open_facts(unit, actor, standings)
        record(unit, actor, Action.CASE_LIST, purpose="search", counts={"cases": len(cases)})
    shown = [case_id for case_id in case_ids if case_id in cases]
    return Worklist([WorkRow(cases[case_id], facts[case_id]) for case_id in shown], None)


def _in_queue(query: Select[Case], queue: Queue) -> Select[Case]:
    """Narrow the worklist to one tab; each has an index in its own order."""
    query = query.where(Case.closed_at.is_(None))
    if queue is Queue.NOBODYS:
        return query.where(Case.owner_id.is_(None))
    if queue is Queue.INCOMING:
        return query.where(Case.identification == Identification.FLAGGED)
    assistance = {
        Queue.NEEDS: Assistance.NEEDS_RECORDED,
        Queue.REFERRED: Assistance.REFERRED,
        Queue.ASSISTED: Assistance.ASSISTED,
    }.get(queue)
    return query if assistance is None else query.where(Case.assistance == assistance)


def find(actor: Actor, typed: str) -> str:
    """Find a case by the reference that was read out; raises ReferenceTypo or NotFoundError."""
    reference = parse_case_reference(typed)
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        record(unit, actor, Action.CASE_LIST, visibility.case_subject(case), purpose="find")
        return case.reference


def overview(actor: Actor, reference: str, opened: Mapping[str, str]) -> Overview:
    """Open a case file. `opened` names the compartments that were given a reason just now.

    What has closed meanwhile, because the case is somebody else's now, stays closed.
    """
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        page = read(unit, actor, case, opened)
        purpose = " ".join(sorted(set(opened.values())))
        record(unit, actor, Action.CASE_OPEN, visibility.case_subject(case), purpose=purpose)
        return page


def read(unit: Unit, actor: Actor, case: Case, opened: Mapping[str, str]) -> Overview:
    """Read what the first page of a case shows, as part of an act that records it."""
    standing = visibility.case_standing(case)
    # What was opened a moment ago may have become somebody else's to look after.
    opened = {
        name: why
        for name, why in opened.items()
        if may(actor, vault.PERMISSION[name], standing).allowed
    }
    wanted = {SAFE_CONTACT, *opened}
    documents = vault.open_compartments(
        unit, actor, case.id, dict.fromkeys(sorted(wanted), standing)
    )
    return Overview(
        _file(unit, actor, case, documents[SAFE_CONTACT]),
        {name: masked(name, documents[name]) for name in opened},
        timeline(case.id, TIMELINE_LENGTH),
        newest(answers(case.id)),
        _referrals(case.id),
        _same_incident(actor, case),
        comparison.result(unit, actor, case),
        erasure_asked(case),
    )


def page(actor: Actor, reference: str, permission: Permission = Permission.CASE_VIEW) -> CaseFile:
    """Open a case file for one of its inner pages."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        standing = visibility.case_standing(case)
        require(actor, permission, standing)
        contact = vault.open_compartments(unit, actor, case.id, {SAFE_CONTACT: standing})
        file = _file(unit, actor, case, contact[SAFE_CONTACT])
        record(unit, actor, Action.CASE_OPEN, visibility.case_subject(case))
        return file


def consent_page(actor: Actor, reference: str) -> tuple[CaseFile, Sequence[Recorded]]:
    """Open the page of what the person agreed to."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        standing = visibility.case_standing(case)
        contact = vault.open_compartments(unit, actor, case.id, {SAFE_CONTACT: standing})
        file = _file(unit, actor, case, contact[SAFE_CONTACT])
        given = explained_answers(unit, actor, case.id, standing)
        record(unit, actor, Action.CASE_OPEN, visibility.case_subject(case), purpose="consent")
        return file, given


def referrals_page(actor: Actor, reference: str) -> tuple[CaseFile, Sequence[SentReferral]]:
    """Open the page of help and referrals, with envelopes, declines and services given."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        standing = visibility.case_standing(case)
        contact = vault.open_compartments(unit, actor, case.id, {SAFE_CONTACT: standing})
        file = _file(unit, actor, case, contact[SAFE_CONTACT])
        sent = _sent(unit, actor, case, standing)
        record(unit, actor, Action.CASE_OPEN, visibility.case_subject(case), purpose="referrals")
        return file, sent


def comparison_page(
    actor: Actor, reference: str
) -> tuple[CaseFile, comparison.Result | None, Mapping[UUID, Mapping[str, Any]]]:
    """Open the page of who is known already, with the coded facts of the files that are alike."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        file = opened(unit, actor, case)
        result = comparison.result(unit, actor, case)
        others = [alike.case for alike in result.alike] if result is not None else []
        standings = {other.id: visibility.case_standing(other) for other in others}
        facts = vault.open_facts(unit, actor, standings)
        record(unit, actor, Action.CASE_OPEN, visibility.case_subject(case), purpose="comparison")
        return file, result, facts


def reveal(
    actor: Actor,
    reference: str,
    compartment: str,
    reason: str,
    *,
    form_id: UUID | None = None,
) -> None:
    """Give the reason for opening closed fields: the log has it before anything is shown."""
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        standing = visibility.case_standing(case)
        if compartment not in vault.CASE_COMPARTMENTS:
            raise NotFoundError(standing.subject)
        require(actor, vault.PERMISSION[compartment], standing)
        if reason not in REVEAL_REASON:
            raise InvalidInputError("reason", N_("Choose a reason first."))
        unit.compartments.add(compartment)
        record(
            unit,
            actor,
            Action.COMPARTMENT_OPEN,
            standing.subject,
            purpose=reason,
        )
        unit.outcome = case.reference


def timeline(case_id: UUID, length: int) -> list[Event]:
    """Return the newest acts on a case, from the log itself."""
    about = aliased(Account)
    rows = db.session.execute(
        select(
            AuditEntry.seq,
            AuditEntry.action,
            AuditEntry.occurred_at,
            Account.name,
            Organisation.name,
            about.name,
            AuditEntry.purpose,
        )
        .outerjoin(Account, Account.id == AuditEntry.actor_id)
        .outerjoin(HandOver, HandOver.id == AuditEntry.subject_id)
        .outerjoin(about, about.id == func.coalesce(HandOver.to_account_id, AuditEntry.subject_id))
        .outerjoin(Organisation, Organisation.id == AuditEntry.actor_organisation_id)
        .where(AuditEntry.case_id == case_id, AuditEntry.action.in_(TIMELINE))
        .where(AuditEntry.outcome == Outcome.DONE)
        .order_by(AuditEntry.occurred_at.desc(), AuditEntry.seq.desc())
        .limit(length)
    ).all()
    return [
        Event(seq, Action(action), at, who or "", where or "", whom or "", purpose)
        for seq, action, at, who, where, whom, purpose in rows
    ]


def erasure_asked(case: Case) -> UUID | None:
    """Name the request to erase a closed case that waits for another person's answer."""
    if case.assistance is not Assistance.CLOSED:
        return None
    asked = select(Erasure.id).where(
        Erasure.case_id == case.id, Erasure.state == ErasureState.ASKED
    )
    return db.session.scalar(asked)


def opened(unit: Unit, actor: Actor, case: Case) -> CaseFile:
    """Open what every page of a case shows, as part of an act that records it."""
    standing = visibility.case_standing(case)
    contact = vault.open_compartments(unit, actor, case.id, {SAFE_CONTACT: standing})
    return _file(unit, actor, case, contact[SAFE_CONTACT])


def _file(unit: Unit, actor: Actor, case: Case, contact: Mapping[str, Any]) -> CaseFile:
    standing = visibility.case_standing(case)
    facts = vault.open_facts(unit, actor, {case.id: standing})[case.id]
    until = visibility.emergency_until(actor, standing)
    closed = _closed(actor, standing)
    return CaseFile(case, facts, masked(SAFE_CONTACT, contact), closed, until)


def _closed(actor: Actor, standing: CaseStanding) -> tuple[str, ...]:
    """Name the compartments that stay closed to this actor, so that closed looks closed."""
    return tuple(
        name
        for name in vault.CASE_COMPARTMENTS
        if not may(actor, vault.PERMISSION[name], standing).allowed
    )


def _referrals(case_id: UUID) -> list[tuple[Referral, str]]:
    rows = db.session.execute(
        select(Referral, Organisation.name)
        .join(Organisation, Organisation.id == Referral.organisation_id)
        .where(Referral.case_id == case_id)
        .order_by(Referral.sent_at.desc(), Referral.id)
    ).all()
    return [(referral, name) for referral, name in rows]


def _same_incident(actor: Actor, case: Case) -> Sequence[str]:
    others = (
        visibility.visible_cases(actor, Permission.CASE_VIEW)
        .where(Case.incident_id == case.incident_id, Case.id != case.id)
        .order_by(Case.flagged_at, Case.id)
        .limit(PAGE)
        .with_only_columns(Case.reference)
    )
    return db.session.scalars(others).all()


def _sent(unit: Unit, actor: Actor, case: Case, standing: CaseStanding) -> list[SentReferral]:
    referrals = _referrals(case.id)
    envelopes = vault.open_envelopes(
        unit, actor, {referral.id: standing for referral, _ in referrals}
    )
    notes = vault.open_notes(unit, actor, case.id, ["decline", "service"], standing)
    about: dict[tuple[UUID, str], list[Mapping[str, Any]]] = {}
    for note, document in notes:
        about.setdefault((note.subject_id, note.kind), []).append(document)
    return [
        SentReferral(
            referral,
            provider,
            envelopes.get(referral.id, {}),
            next(iter(about.get((referral.id, "decline"), [])), {}),
            about.get((referral.id, "service"), []),
        )
        for referral, provider in referrals
    ]
