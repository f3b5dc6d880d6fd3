"""Acts that leave the database: in the log before anything leaves, and again when it is over."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from nrm.audit.actions import Action, Outcome
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import NOTHING, Subject
from nrm.domain.roles import HOUSEKEEPING, Actor
from nrm.models import Departure
from nrm.services.audit import record

# After so long, whoever was at it has died or lost the line.
PATIENCE = timedelta(minutes=15)
# Why an act is closed that nobody finished: the file or the message may have left, or not.
UNKNOWN = "unknown"


def begin(
    unit: Unit,
    actor: Actor,
    action: Action,
    subject: Subject = NOTHING,
    *,
    purpose: str = "",
    fields: Iterable[str] = (),
    counts: Mapping[str, int] | None = None,
) -> UUID:
    """Write that something is about to leave; only after this is committed may it do so."""
    entry_id = record(
        unit,
        actor,
        action,
        subject,
        purpose=purpose,
        outcome=Outcome.BEGUN,
        fields=fields,
        counts=counts,
    )
    db.session.add(Departure(entry_id=entry_id, action=action.value, begun_at=unit.now))
    return entry_id


def finish(
    entry_id: UUID, actor: Actor, outcome: Outcome, *, counts: Mapping[str, int] | None = None
) -> None:
    """Write how it ended, in a transaction of its own.

    One that took so long that housekeeping gave it up says so too: the log then holds both.
    """
    with unit_of_work() as unit:
        departure = db.session.get_one(Departure, entry_id, with_for_update=True)
        _close(unit, actor, departure, outcome, counts=counts)


def sweep() -> int:
    """Close what was begun long ago and never finished; returns how many there were."""
    with unit_of_work() as unit:
        forgotten = db.session.scalars(
            select(Departure)
            .where(Departure.finished_at.is_(None), Departure.begun_at < unit.now - PATIENCE)
            .order_by(Departure.begun_at)
            # Two rounds of housekeeping at once close each of them once.
            .with_for_update(skip_locked=True)
        ).all()
        for departure in forgotten:
            _close(unit, HOUSEKEEPING, departure, Outcome.FAILED, purpose=UNKNOWN)
    return len(forgotten)


def _close(
    unit: Unit,
    actor: Actor,
    departure: Departure,
    outcome: Outcome,
    *,
    purpose: str = "",
    counts: Mapping[str, int] | None = None,
) -> None:
    departure.finished_at = departure.finished_at or unit.now
    record(
        unit,
        actor,
        Action(departure.action),
        Subject("entry", departure.entry_id),
        purpose=purpose,
        outcome=outcome,
        counts=counts,
    )
