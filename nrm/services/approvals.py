"""Approvals: what cannot be undone is asked for by one person and done by another's word.

An act that takes two people asks here, and is written into `APPROVED`. It happens when somebody
else confirms it, in the same transaction; until then nothing has changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import aliased

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.approval import RULES, ApprovalKind, Rule, lapses_at
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError, Subject
from nrm.domain.lifecycle import (
    CANCEL,
    CONFIRM,
    LAPSE,
    REJECT,
    REQUEST_APPROVAL,
    ApprovalState,
    Step,
)
from nrm.domain.policy import holds, may, require
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import APPROVAL_REFUSAL
from nrm.models import Account, Approval, Bar, Case
from nrm.security.keyring import Purpose
from nrm.security.sealing import Place, seal, sealed_key_id, unseal
from nrm.services import keys, visibility
from nrm.services.audit import record

PAGE = 25
# How many requests one round of housekeeping lets lapse.
LAPSE_BATCH = 100
_WANTED = "wanted approval"

# What is asked for, as codes and ids; `cases` are the ids of every case that it touches.
Wanted: TypeAlias = dict[str, Any]
# What is done once a second person has said yes: a line for each kind, written by the act itself.
# It changes things and records nothing: the entry is the approval's. Where what it is about has
# changed since it was asked for, it raises `changed_meanwhile()`.
APPROVED: dict[ApprovalKind, Callable[[Unit, Actor, Approval, Wanted], None]] = {}
# How an act tells whoever decides what is asked for, as rows of (label, value), each translated.
TOLD: dict[ApprovalKind, Callable[[Actor, Approval, Wanted], Sequence[tuple[str, str]]]] = {}

# Where a page of the list ends: the moment and the id of its last row.
PageEnd: TypeAlias = tuple[datetime, UUID]


@dataclass(frozen=True)
class Request:
    """One request, with who asked and who answered."""

    approval: Approval
    asked_by: str
    answered_by: str

    @property
    def rule(self) -> Rule:
        """Give the rule of its kind."""
        return RULES[self.approval.kind]

    @property
    def lapses_at(self) -> datetime:
        """Say until when it can be answered."""
        return lapses_at(self.approval.kind, self.approval.asked_at)


@dataclass(frozen=True)
class Requests:
    """A page of requests in one state, newest first; `more` is the next page's key."""

    rows: Sequence[Request]
    more: PageEnd | None


@dataclass(frozen=True)
class Opened:
    """One request whole, and what the reader may do with it."""

    request: Request
    told: Sequence[tuple[str, str]]
    # The references of the cases that it would touch.
    cases: Sequence[str]
    may_answer: bool
    may_cancel: bool


def ask(
    unit: Unit,
    actor: Actor,
    kind: ApprovalKind,
    subject_id: UUID,
    wanted: Wanted,
    case_id: UUID | None = None,
) -> UUID:
    """Ask for an act that takes two people, within the caller's unit; records the act itself.

    The caller has found what it is about, and asked the policy whether this actor may ask.
    """
    if kind not in APPROVED:
        raise LookupError(f"nobody could carry out {kind}")
    require(actor, REQUEST_APPROVAL.needs)
    needed = RULES[kind].asks
    if actor.id is None or not holds(actor, needed):
        raise RefusedError(N_("Your role cannot do this."), needed.value)
    asked = select(Approval.id).where(
        Approval.kind == kind,
        Approval.subject_id == subject_id,
        Approval.state == ApprovalState.REQUESTED,
    )
    if db.session.scalar(asked) is not None:
        raise ConflictError(N_("This was asked for already, and waits for a second person."))
    approval = Approval(
        id=uuid4(),
        kind=kind,
        subject_id=subject_id,
        case_id=case_id,
        state=REQUEST_APPROVAL.enters,
        asked_by_id=actor.id,
        asked_at=unit.now,
        refused_because="",
    )
    approval.wanted = _sealed(approval.id, wanted)
    db.session.add(approval)
    subject = visibility.approval_standing(approval).subject
    record(unit, actor, Action.APPROVAL_ASK, subject, purpose=kind.value, fields=wanted)
    return approval.id


def changed_meanwhile() -> ConflictError:
    """Say that what was asked for does not fit any more: nothing is done, and it can be refused."""
    return ConflictError(
        N_("This has changed since it was asked for. Do not approve it; it can be asked for anew.")
    )


def requests(actor: Actor, state: ApprovalState, after: PageEnd | None = None) -> Requests:
    """List the requests in one state that are one's own or one's to answer, newest first."""
    require(actor, Permission.APPROVAL_VIEW)
    query = _requests(visibility.visible_approvals(actor)).where(Approval.state == state)
    if after is not None:
        moment, last = after
        query = query.where(
            (Approval.asked_at < moment) | ((Approval.asked_at == moment) & (Approval.id < last))
        )
    query = query.order_by(Approval.asked_at.desc(), Approval.id.desc()).limit(PAGE + 1)
    with unit_of_work() as unit:
        found = [_request(*row) for row in db.session.execute(query).all()]
        shown = [one for one in found[:PAGE] if not _barred_elsewhere(actor, one.approval)]
        record(
            unit,
            actor,
            Action.APPROVAL_LIST,
            purpose=state.value,
            counts={"approvals": len(shown)},
        )
    end = found[PAGE - 1].approval if len(found) > PAGE else None
    return Requests(shown, (end.asked_at, end.id) if end else None)


def read(actor: Actor, approval_id: UUID) -> Opened:
    """Read one request: what is asked for, and by whom."""
    with unit_of_work() as unit:
        request = _find(actor, approval_id)
        approval = request.approval
        wanted = _opened(approval)
        tell = TOLD.get(approval.kind)
        told = tell(actor, approval, wanted) if tell else ()
        standing = visibility.approval_standing(approval)
        waits = approval.state is ApprovalState.REQUESTED
        record(unit, actor, Action.APPROVAL_LIST, standing.subject, purpose=approval.kind.value)
        return Opened(
            request,
            told,
            _references(wanted),
            waits and may(actor, request.rule.approves, standing).allowed,
            waits and may(actor, CANCEL.needs, standing).allowed,
        )


def confirm(actor: Actor, approval_id: UUID, *, form_id: UUID | None = None) -> None:
    """Approve what another person asked for: it is done in the same breath, or not at all."""
    with unit_of_work(actor, form_id) as unit:
        request = _answerable(actor, approval_id, CONFIRM)
        approval, rule = request.approval, request.rule
        _answer(unit, actor, approval, CONFIRM)
        _refuse_if_asker_may_not(approval)
        APPROVED[approval.kind](unit, actor, approval, _opened(approval))
        subject = Subject(rule.subject, approval.subject_id, approval.case_id)
        record(unit, actor, Action.APPROVAL_CONFIRM, subject, purpose=approval.kind.value)
        unit.outcome = str(approval_id)


def reject(actor: Actor, approval_id: UUID, reason: str, *, form_id: UUID | None = None) -> None:
    """Say no to what another person asked for, and why; nothing changes."""
    if reason not in APPROVAL_REFUSAL:
        raise InvalidInputError("reason", N_("Choose why you do not approve it."))
    with unit_of_work(actor, form_id) as unit:
        approval = _answerable(actor, approval_id, REJECT).approval
        _answer(unit, actor, approval, REJECT, reason)
        subject = visibility.approval_standing(approval).subject
        record(unit, actor, Action.APPROVAL_REJECT, subject, purpose=reason)
        unit.outcome = str(approval_id)


def cancel(actor: Actor, approval_id: UUID, *, form_id: UUID | None = None) -> None:
    """Take one's own request back; nothing changes."""
    with unit_of_work(actor, form_id) as unit:
        approval = _find(actor, approval_id).approval
        standing = visibility.approval_standing(approval)
        require(actor, CANCEL.needs, standing)
        _answer(unit, actor, approval, CANCEL)
        record(unit, actor, Action.APPROVAL_CANCEL, standing.subject, purpose=approval.kind.value)
        unit.outcome = str(approval_id)


def lapse() -> int:
    """Let the requests lapse that nobody answered in time; returns how many.

    Each is an act of its own, so that one that is answered this moment holds up no other.
    """
    with unit_of_work() as unit:
        late = [
            db.session.scalars(
                select(Approval.id)
                .where(Approval.state == ApprovalState.REQUESTED, Approval.kind == kind)
                .where(Approval.asked_at < unit.now - rule.lives)
                .order_by(Approval.asked_at)
                .limit(LAPSE_BATCH)
            ).all()
            for kind, rule in RULES.items()
        ]
    return sum(_lapse_one(approval_id) for some in late for approval_id in some)


def _lapse_one(approval_id: UUID) -> int:
    try:
        with unit_of_work() as unit:
            approval = db.session.get_one(Approval, approval_id)
            standing = visibility.approval_standing(approval)
            require(HOUSEKEEPING, LAPSE.needs, standing)
            _answer(unit, HOUSEKEEPING, approval, LAPSE)
            purpose = approval.kind.value
            record(unit, HOUSEKEEPING, Action.APPROVAL_LAPSE, standing.subject, purpose=purpose)
    except ConflictError:
        return 0
    return 1


def _refuse_if_asker_may_not(approval: Approval) -> None:
    """Do nothing for somebody who left, or has another role, since they asked."""
    asker = db.session.get_one(Account, approval.asked_by_id)
    who = Actor(asker.id, asker.organisation_id, asker.role)
    if asker.disabled_at is not None or not holds(who, RULES[approval.kind].asks):
        raise ConflictError(N_("Whoever asked for this may not ask for it any more."))


def _answerable(actor: Actor, approval_id: UUID, step: Step[ApprovalState]) -> Request:
    """Find a request of another person that the actor may answer, also by its kind."""
    request = _find(actor, approval_id)
    standing = visibility.approval_standing(request.approval)
    require(actor, step.needs, standing)
    require(actor, request.rule.approves, standing)
    return request


def _answer(
    unit: Unit, actor: Actor, approval: Approval, step: Step[ApprovalState], reason: str = ""
) -> None:
    """Move a request by one conditional update: of two answers at once, exactly one wins."""
    overdue = lapses_at(approval.kind, approval.asked_at) < unit.now
    if overdue and step in (CONFIRM, REJECT) and approval.state in step.leaves:
        raise ConflictError(N_("The time to answer ran out. It can be asked for anew."))
    won = db.session.execute(
        update(Approval)
        .where(Approval.id == approval.id, Approval.state.in_(step.leaves))
        .values(
            state=step.enters,
            answered_by_id=actor.id,
            answered_at=unit.now,
            refused_because=reason,
        )
        .execution_options(synchronize_session=False)
        .returning(Approval.id)
    ).scalar_one_or_none()
    db.session.refresh(approval)
    if won is None:
        who = db.session.scalar(select(Account.name).where(Account.id == approval.answered_by_id))
        raise ConflictError(_WHAT_BECAME[approval.state], who or "", approval.answered_at)


_WHAT_BECAME: Mapping[ApprovalState, str] = {
    ApprovalState.CONFIRMED: N_("This was approved and done"),
    ApprovalState.REJECTED: N_("This was not approved"),
    ApprovalState.CANCELLED: N_("This request was taken back"),
    ApprovalState.LAPSED: N_("Nobody answered this request in time"),
}


def _find(actor: Actor, approval_id: UUID) -> Request:
    require(actor, Permission.APPROVAL_VIEW)
    query = _requests(visibility.visible_approvals(actor)).where(Approval.id == approval_id)
    row = db.session.execute(query).one_or_none()
    if row is None or _barred_elsewhere(actor, row[0]):
        raise NotFoundError(Subject("approval"))
    return _request(*row)


def _references(wanted: Wanted) -> Sequence[str]:
    cases = [UUID(case_id) for case_id in wanted.get("cases", ())]
    named = select(Case.reference).where(Case.id.in_(cases)).order_by(Case.flagged_at, Case.id)
    return db.session.scalars(named).all() if cases else ()


def _barred_elsewhere(actor: Actor, approval: Approval) -> bool:
    """Say whether a bar keeps the actor from one of the other cases that the act would touch."""
    cases = [UUID(case_id) for case_id in _opened(approval).get("cases", ())]
    whom = [one for one in (actor.id, actor.organisation_id) if one is not None]
    barred = exists().where(
        Bar.case_id.in_(cases),
        Bar.lifted_at.is_(None),
        Bar.account_id.in_(whom) | Bar.organisation_id.in_(whom),
    )
    return bool(cases) and bool(db.session.scalar(select(barred)))


def _request(approval: Approval, asked: str | None, answered: str | None) -> Request:
    return Request(approval, asked or "", answered or "")


def _requests(visible: Select[Approval]) -> Select[Approval, str, str]:
    asker, answerer = aliased(Account), aliased(Account)
    return (
        visible.outerjoin(asker, asker.id == Approval.asked_by_id)
        .outerjoin(answerer, answerer.id == Approval.answered_by_id)
        .add_columns(asker.name, answerer.name)
    )


def _sealed(approval_id: UUID, wanted: Wanted) -> bytes:
    ring_id, key = keys.keyring().derived(Purpose.FORM, _WANTED)
    return seal(key, _place(approval_id, ring_id), wanted)


def _opened(approval: Approval) -> Wanted:
    ring_id = sealed_key_id(approval.wanted)
    key = keys.derived_from(ring_id, Purpose.FORM, _WANTED)
    return unseal(key, _place(approval.id, ring_id), approval.wanted)


def _place(approval_id: UUID, ring_id: int) -> Place:
    return Place(Approval.__tablename__, approval_id, "wanted", 1, ring_id)
