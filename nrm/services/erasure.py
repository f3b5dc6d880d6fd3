"""Erasure: one person asks for it, another carries it out, and nobody reads the file again."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import Select, select, update
from sqlalchemy.orm import aliased

from nrm.audit.actions import Action
from nrm.db import Unit, db, empty_write_ahead_log, unit_of_work
from nrm.domain.errors import (
    ConflictError,
    IllegalStepError,
    InvalidInputError,
    NotFoundError,
    Subject,
)
from nrm.domain.lifecycle import (
    ASK_ERASURE,
    ERASE,
    REFUSE_ERASURE,
    TAKE_BACK_ERASURE,
    Assistance,
    ErasureState,
    Step,
)
from nrm.domain.policy import require
from nrm.domain.reference import ReferenceTypo, parse_case_reference
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import ERASURE_REASON
from nrm.models import Account, Case, Erasure
from nrm.services import casefile, document_files, erasure_list, shredding, visibility
from nrm.services.audit import record
from nrm.services.shredding import Kept

PAGE = 25
# How much of what was done with a file its page of erasure tells.
HISTORY_LENGTH = 50
# Where a page of the list ends: the moment and the id of its last row.
Place: TypeAlias = tuple[datetime, UUID]


@dataclass(frozen=True)
class Request:
    """A request to erase, the case by its reference, and who asked and answered."""

    erasure: Erasure
    case: Case
    asked_by: str
    answered_by: str


@dataclass(frozen=True)
class Requests:
    """A page of requests in one state, newest first; `more` is the next page's key."""

    rows: Sequence[Request]
    more: Place | None


@dataclass(frozen=True)
class Opened:
    """One request, and what was done with the file, from the log: nothing of the file opens."""

    request: Request
    history: Sequence[casefile.Event]


def ask(actor: Actor, reference: str, reason: str, *, form_id: UUID | None = None) -> UUID:
    """Ask for the erasure of a closed case; another person decides."""
    if reason not in ERASURE_REASON:
        raise InvalidInputError("reason", N_("Choose the reason."))
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        require(actor, ASK_ERASURE.needs, visibility.case_standing(case))
        if case.assistance is not Assistance.CLOSED:
            raise IllegalStepError(ASK_ERASURE.name, case.assistance.value)
        if casefile.erasure_asked(case) is not None:
            raise ConflictError(N_("The erasure of this file was asked for already."))
        erasure = Erasure(
            id=uuid4(),
            case_id=case.id,
            state=ASK_ERASURE.enters,
            reason=reason,
            asked_by_id=actor.id,
            asked_at=unit.now,
        )
        db.session.add(erasure)
        subject = visibility.erasure_standing(erasure).subject
        record(unit, actor, Action.ERASURE_ASK, subject, purpose=reason)
        unit.outcome = str(erasure.id)
        return erasure.id


def requests(actor: Actor, state: ErasureState, after: Place | None = None) -> Requests:
    """List the requests in one state, newest first, by reference alone."""
    require(actor, Permission.ERASURE_VIEW)
    query = _requests(actor).where(Erasure.state == state)
    if after is not None:
        moment, last = after
        query = query.where(
            (Erasure.asked_at < moment) | ((Erasure.asked_at == moment) & (Erasure.id < last))
        )
    query = query.order_by(Erasure.asked_at.desc(), Erasure.id.desc()).limit(PAGE + 1)
    with unit_of_work() as unit:
        found = [_request(*row) for row in db.session.execute(query).all()]
        shown = found[:PAGE]
        record(
            unit,
            actor,
            Action.ERASURE_LIST,
            purpose=state.value,
            counts={"erasures": len(shown)},
        )
    last_shown = shown[-1].erasure if len(found) > PAGE else None
    return Requests(shown, (last_shown.asked_at, last_shown.id) if last_shown else None)


def read(actor: Actor, erasure_id: UUID) -> Opened:
    """Read one request and the acts on its case; no word of the file itself is opened."""
    with unit_of_work() as unit:
        request = _find(actor, erasure_id)
        history = casefile.timeline(request.case.id, HISTORY_LENGTH)
        subject = visibility.erasure_standing(request.erasure).subject
        record(unit, actor, Action.ERASURE_LIST, subject)
        return Opened(request, history)


def answering(actor: Actor, erasure_id: UUID) -> Request:
    """Fetch a request that is about to be carried out; opens nothing of its case."""
    with unit_of_work():
        request = _find(actor, erasure_id)
        require(actor, ERASE.needs, visibility.erasure_standing(request.erasure))
        return request


def done_for(case_id: UUID | None) -> UUID | None:
    """Name the erasure by which a case was erased."""
    done = select(Erasure.id).where(Erasure.case_id == case_id, Erasure.state == ErasureState.DONE)
    return db.session.scalar(done)


def take_back(actor: Actor, erasure_id: UUID, *, form_id: UUID | None = None) -> None:
    """Take one's own request back; the file stays."""
    _leave(actor, erasure_id, TAKE_BACK_ERASURE, Action.ERASURE_TAKE_BACK, form_id)


def refuse(actor: Actor, erasure_id: UUID, *, form_id: UUID | None = None) -> None:
    """Refuse another's request; the file stays."""
    _leave(actor, erasure_id, REFUSE_ERASURE, Action.ERASURE_REFUSE, form_id)


def carry_out(
    actor: Actor, erasure_id: UUID, typed: str, kept: Kept, *, form_id: UUID | None = None
) -> None:
    """Erase a file that another person asked to erase; typing its reference confirms it."""
    with document_files.moving(kept.documents) as files, unit_of_work(actor, form_id) as unit:
        request = _find(actor, erasure_id)
        case = request.case
        require(actor, ERASE.needs, visibility.erasure_standing(request.erasure))
        _confirm(typed, case)
        _answer(unit, actor, request, ERASE)
        shredding.destroy(unit, case.id, files)
        case.erased_at = unit.now
        # Housekeeping need not look any more whether the person is known.
        case.compared_at = case.compared_at or unit.now
        purpose = request.erasure.reason
        record(unit, actor, Action.CASE_ERASE, visibility.case_subject(case), purpose=purpose)
        unit.outcome = str(erasure_id)
        line = shredding.listed(case.id, unit.now)
    # The file is erased, whatever the disk says now: housekeeping completes the list.
    with suppress(OSError):
        erasure_list.append(kept.erasures, [line])
    empty_write_ahead_log()


def _leave(
    actor: Actor,
    erasure_id: UUID,
    step: Step[ErasureState],
    action: Action,
    form_id: UUID | None,
) -> None:
    with unit_of_work(actor, form_id) as unit:
        request = _find(actor, erasure_id)
        standing = visibility.erasure_standing(request.erasure)
        require(actor, step.needs, standing)
        _answer(unit, actor, request, step)
        record(unit, actor, action, standing.subject)
        unit.outcome = str(erasure_id)


def _confirm(typed: str, case: Case) -> None:
    """Take the reference as it is read or heard; anything else was not meant for this file."""
    try:
        meant = parse_case_reference(typed)
    except ReferenceTypo:
        meant = ""
    if meant != case.reference:
        raise InvalidInputError("reference", N_("Type the reference of this file."))


def _answer(unit: Unit, actor: Actor, request: Request, step: Step[ErasureState]) -> None:
    """Move a request by one conditional update: of two answers at once, exactly one wins."""
    won = db.session.execute(
        update(Erasure)
        .where(Erasure.id == request.erasure.id, Erasure.state.in_(step.leaves))
        .values(state=step.enters, answered_by_id=actor.id, answered_at=unit.now)
        .execution_options(synchronize_session=False)
        .returning(Erasure.id)
    ).scalar_one_or_none()
    db.session.refresh(request.erasure)
    if won is None:
        raise _answered_already(request.erasure)


def _answered_already(erasure: Erasure) -> ConflictError:
    who = db.session.scalar(select(Account.name).where(Account.id == erasure.answered_by_id))
    return ConflictError(_WHAT_BECAME[erasure.state], who or "", erasure.answered_at)


_WHAT_BECAME = {
    ErasureState.TAKEN_BACK: N_("The request was taken back"),
    ErasureState.REFUSED: N_("The erasure was refused"),
    ErasureState.DONE: N_("The file was erased"),
}


def _find(actor: Actor, erasure_id: UUID) -> Request:
    require(actor, Permission.ERASURE_VIEW)
    row = db.session.execute(_requests(actor).where(Erasure.id == erasure_id)).one_or_none()
    if row is None:
        raise NotFoundError(Subject("erasure"))
    return _request(*row)


def _request(erasure: Erasure, case: Case, asked: str | None, answered: str | None) -> Request:
    return Request(erasure, case, asked or "", answered or "")


def _requests(actor: Actor) -> Select[Erasure, Case, str, str]:
    asker, answerer = aliased(Account), aliased(Account)
    return (
        select(Erasure, Case, asker.name, answerer.name)
        .join(Case, Case.id == Erasure.case_id)
        .outerjoin(asker, asker.id == Erasure.asked_by_id)
        .outerjoin(answerer, answerer.id == Erasure.answered_by_id)
        .where(~visibility.is_barred(actor, Case.id))
    )
