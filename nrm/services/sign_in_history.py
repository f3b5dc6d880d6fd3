"""When somebody signed in, and who tried to in their name: read out of the log, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, literal_column, select, text, tuple_

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.models import Account, AuditEntry, AuthSession
from nrm.services import sessions
from nrm.services.audit import record
from nrm.services.log_search import Point
from nrm.services.sittings import kept_account

PAGE = 25

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
# Written into the statement, since an index over some rows is used for those words alone.
_ACCOUNT: ColumnElement[str] = literal_column("'account'")
_COLUMNS = (AuditEntry.subject_id, AuditEntry.occurred_at, AuditEntry.seq)
# Whatever a sitting begins and ends with; who read a list like this one is no sign-in.
_READS = (Action.SESSION_HISTORY, Action.SESSION_LIST)
_TOLD = [
    action.value
    for action in Action
    if action.value.startswith("session:") and action not in _READS
]


@dataclass(frozen=True)
class Event:
    """One sign-in, one attempt, or one end of a sitting."""

    at: datetime
    action: str
    outcome: str
    # Known as long as the sitting lasts; the log names no browser.
    device: str
    # Whether somebody else did it: an administrator who ended a sitting.
    by_another: bool


@dataclass(frozen=True)
class History:
    """A page of it; `older` is where the next one begins."""

    events: Sequence[Event]
    older: Point | None
    account: Account


@dataclass(frozen=True)
class Attempts:
    """How often somebody failed to sign in, since one last did."""

    times: int
    # None where one has never signed in before.
    since: datetime | None


def own(actor: Actor, before: Point | None = None) -> History:
    """Read when one signed in oneself."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work() as unit:
        history = _history(db.session.get_one(Account, actor.id), before)
        counts = {"entries": len(history.events)}
        record(unit, actor, Action.SESSION_HISTORY, Subject("account", actor.id), counts=counts)
        return history


def of_person(actor: Actor, account_id: UUID, before: Point | None = None) -> History:
    """Read when somebody signed in whose account one keeps."""
    with unit_of_work() as unit:
        history = _history(kept_account(actor, account_id), before)
        counts = {"entries": len(history.events)}
        record(unit, actor, Action.SESSION_HISTORY, Subject("account", account_id), counts=counts)
        return history


def failed_since_last(actor: Actor) -> Attempts:
    """Count the failed attempts on one's account since the sign-in before this one."""
    require(actor, Permission.WORK_VIEW)
    if not readable():
        return Attempts(0, None)
    sign_ins = _entries(actor.id, None, _alone(AuditEntry.action) == Action.SESSION_SIGN_IN.value)
    last = db.session.execute(sign_ins.limit(2)).all()
    since = last[1].occurred_at if len(last) > 1 else None
    failed = _alone(AuditEntry.action) == Action.SESSION_FAIL.value
    after = _place() > _value((actor.id, since or _BEGINNING, 0))
    counted = select(func.count()).select_from(
        _entries(actor.id, None, failed).where(after).order_by(None).subquery()
    )
    return Attempts(db.session.scalar(counted) or 0, since)


def readable() -> bool:
    """Say whether this process may read the log: one that serves analysts alone may not."""
    if db.engine.dialect.name == "sqlite":
        return True
    asked = text("SELECT has_column_privilege('audit_entry', 'action', 'SELECT')")
    return bool(db.session.scalar(asked))


def _history(account: Account, before: Point | None) -> History:
    told = _alone(AuditEntry.action).in_(_TOLD)
    rows = db.session.execute(_entries(account.id, before, told).limit(PAGE + 1)).all()
    sittings = select(AuthSession.id, AuthSession.device).where(
        AuthSession.account_id == account.id
    )
    devices = {sessions.reference(one): device for one, device in db.session.execute(sittings)}
    events = [
        Event(
            row.occurred_at,
            row.action,
            row.outcome,
            devices.get(row.session_ref, ""),
            by_another=row.actor_id not in {None, account.id},
        )
        for row in rows[:PAGE]
    ]
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    older = (last.occurred_at, last.seq) if last is not None else None
    return History(events, older, account)


def _entries(account_id: UUID | None, before: Point | None, told: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a select of six columns
    """Choose the entries about an account by the index that begins with it, newest first."""
    return (
        select(
            AuditEntry.occurred_at,
            AuditEntry.seq,
            AuditEntry.action,
            AuditEntry.outcome,
            AuditEntry.session_ref,
            AuditEntry.actor_id,
        )
        .where(AuditEntry.subject_type == _ACCOUNT, told)
        .where(_place() >= _value((account_id, _BEGINNING, 0)))
        .where(_place() < _value((account_id, *(before or (_END, 0)))))
        .order_by(*(column.desc() for column in _COLUMNS))
    )


def _place() -> Any:  # noqa: ANN401 - three columns as one value
    return tuple_(*_COLUMNS)


def _value(parts: Sequence[Any]) -> Any:  # noqa: ANN401 - three values as one
    return tuple_(
        *(literal(part, column.type) for column, part in zip(_COLUMNS, parts, strict=True))
    )


def _alone(column: Any) -> Any:  # noqa: ANN401 - a column of the log
    """Compare a column without its own index, which would tempt SQLite away from the chosen one."""
    return func.coalesce(column, column) if db.engine.dialect.name == "sqlite" else column
