"""Writing the log, in the act's own transaction."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import fields as parts_of
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import RowMapping, insert
from sqlalchemy.exc import DBAPIError

from nrm.audit.actions import Action, Outcome
from nrm.audit.entry import Entry, leaf_hash, rows_text
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import NOTHING, Subject, UnloggedError
from nrm.domain.roles import Actor
from nrm.models import AuditEntry
from nrm.security.keyring import HELD_BY, Purpose
from nrm.security.sealing import Place, seal, sealed_key_id, unseal
from nrm.services import keys

_DETAIL = "entry detail"
# Nothing is asked back of an entry, and past the session: every act of everybody waits for this.
_WRITE = insert(AuditEntry.__table__).inline()  # type: ignore[arg-type] # a mapped class has a table


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
) -> UUID:
    """Write one entry for the act, with every sealed row that it touched; returns its id.

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
    # What the act itself changed comes first: if that is refused, it is not for want of a log.
    db.session.flush()
    row = {**vars(entry), "detail": detail, "leaf_hash": leaf_hash(entry)}
    try:
        db.session.connection().execute(_WRITE, row)
    except DBAPIError as error:
        raise UnloggedError("the entry could not be written") from error
    unit.rows.clear()
    unit.compartments.clear()
    return entry_id


def record_alone(
    actor: Actor, action: Action, subject: Subject, outcome: Outcome, *, purpose: str = ""
) -> None:
    """Write an entry in a transaction of its own: a refusal or a failure changed nothing else."""
    with unit_of_work() as unit:
        record(unit, actor, action, subject, purpose=purpose, outcome=outcome)


def _sealed_detail(entry_id: UUID, fields: list[str], counts: dict[str, int]) -> bytes | None:
    if not fields and not counts:
        return None
    keyring = keys.keyring()
    # The signer's process holds no key of the log: its entries say no counts.
    if keyring.holder not in HELD_BY[Purpose.LOG]:
        return None
    ring_id, key = keyring.derived(Purpose.LOG, _DETAIL)
    return seal(key, _place(entry_id, ring_id), {"fields": fields, "counts": counts})


def detail_of(kept: AuditEntry) -> dict[str, Any]:
    """Open the names of fields and the counts that an entry keeps sealed."""
    if kept.detail is None:
        return {}
    ring_id = sealed_key_id(kept.detail)
    key = keys.derived_from(ring_id, Purpose.LOG, _DETAIL)
    return unseal(key, _place(kept.id, ring_id), kept.detail)


def _place(entry_id: UUID, ring_id: int) -> Place:
    return Place(AuditEntry.__tablename__, entry_id, "detail", 1, ring_id)


def entry_of(kept: Mapping[str, Any] | RowMapping) -> Entry:
    """Read what a stored row says, as the entry that its hash covers."""
    return Entry(**{part.name: kept[part.name] for part in parts_of(Entry)})
