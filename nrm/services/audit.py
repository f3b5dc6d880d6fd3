"""Writing the log, in the act's own transaction, and searching it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, select

from nrm.audit.actions import Action, Outcome
from nrm.audit.entry import Entry, leaf_hash, rows_text
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import NOTHING, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.models import Account, AuditEntry, Case, Organisation
from nrm.security.keyring import Purpose
from nrm.security.sealing import Place, seal
from nrm.services import keys

PAGE = 50


def record(
    unit: Unit,
    actor: Actor,
    action: Action,
    subject: Subject = NOTHING,
    *,
    purpose: str = "",
    outcome: Outcome = Outcome.DONE,
    fields: Iterable[str] = (),
    counts: Mapping[str, int] | None = None,
) -> None:
    """Write one entry for the act, with every sealed row that it touched.

    `fields` are names of fields, never their values; they and the counts are sealed.
    """
    entry_id = uuid4()
    detail = _sealed_detail(entry_id, sorted(fields), dict(counts or {}))
    entry = Entry(
        id=entry_id,
        occurred_at=unit.now,
        actor_id=actor.id,
        actor_organisation_id=actor.organisation_id,
        actor_role=actor.role.value,
        session_ref=actor.session_ref,
        action=action.value,
        subject_type=subject.kind,
        subject_id=subject.id,
        case_id=subject.case_id,
        compartments=" ".join(sorted(unit.compartments)),
        purpose=purpose,
        outcome=outcome.value,
        rows=rows_text(unit.rows),
        detail_sha256=hashlib.sha256(detail).hexdigest() if detail else "",
    )
    db.session.add(AuditEntry(**vars(entry), detail=detail, leaf_hash=leaf_hash(entry)))
    db.session.flush()
    unit.rows.clear()
    unit.compartments.clear()


def _sealed_detail(entry_id: UUID, fields: list[str], counts: dict[str, int]) -> bytes | None:
    if not fields and not counts:
        return None
    ring_id, key = keys.keyring().derived(Purpose.LOG, "entry detail")
    place = Place(AuditEntry.__tablename__, entry_id, "detail", 1, ring_id)
    return seal(key, place, {"fields": fields, "counts": counts})


def record_alone(
    actor: Actor, action: Action, subject: Subject, outcome: Outcome, *, purpose: str = ""
) -> None:
    """Write an entry in a transaction of its own: a refusal or a failure changed nothing else."""
    with unit_of_work() as unit:
        record(unit, actor, action, subject, purpose=purpose, outcome=outcome)


@dataclass(frozen=True)
class Search:
    """What the auditor asks for; an empty field asks nothing."""

    case_reference: str = ""
    account_id: UUID | None = None
    organisation_id: UUID | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True)
class Line:
    """One entry as the auditor reads it."""

    entry: AuditEntry
    who: str
    organisation: str
    case_reference: str


@dataclass(frozen=True)
class Found:
    """A page of the log, newest first; `older` is where the next page begins."""

    lines: Sequence[Line]
    older: int | None


def search(actor: Actor, asked: Search) -> Found:
    """Read the log; asking is an act too, and leaves its own entry."""
    require(actor, Permission.AUDIT_SEARCH)
    with unit_of_work() as unit:
        rows = db.session.execute(_query(asked).limit(PAGE + 1)).all()
        lines = [Line(row[0], row[1] or "", row[2] or "", row[3] or "") for row in rows[:PAGE]]
        record(
            unit,
            actor,
            Action.AUDIT_SEARCH,
            fields=[name for name, value in vars(asked).items() if value],
            counts={"entries": len(lines)},
        )
    older = lines[-1].entry.seq if len(rows) > PAGE else None
    return Found(lines, older)


def _query(asked: Search) -> Select[AuditEntry, str, str, str]:
    query = (
        select(AuditEntry, Account.name, Organisation.name, Case.reference)
        .outerjoin(Account, Account.id == AuditEntry.actor_id)
        .outerjoin(Organisation, Organisation.id == AuditEntry.actor_organisation_id)
        .outerjoin(Case, Case.id == AuditEntry.case_id)
        .order_by(AuditEntry.seq.desc())
    )
    # The case is found first and asked for by its id, so that the index on (case, seq) serves.
    if asked.case_reference:
        case_id = select(Case.id).where(Case.reference == asked.case_reference).scalar_subquery()
        query = query.where(AuditEntry.case_id == case_id)
    for column, wanted in (
        (AuditEntry.actor_id, asked.account_id),
        (AuditEntry.actor_organisation_id, asked.organisation_id),
        (AuditEntry.action, asked.action),
        (AuditEntry.outcome, asked.outcome),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if asked.since is not None:
        query = query.where(AuditEntry.occurred_at >= asked.since)
    if asked.until is not None:
        query = query.where(AuditEntry.occurred_at < asked.until)
    if asked.before is not None:
        query = query.where(AuditEntry.seq < asked.before)
    return query
