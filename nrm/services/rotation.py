"""New master keys while everybody goes on working, and the end of the old ones.

A new key is the primary one at once. What was wrapped under older ones is wrapped anew in batches,
each of them an act of its own, so that whoever stops in the middle has lost nothing.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import String, Table, bindparam, delete, func, select, type_coerce, update

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import RefusedError, Subject
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import (
    AuditCheckpoint,
    Base,
    CaseKey,
    FactsKey,
    MasterKey,
    NameIndex,
    SealedMasterKey,
)
from nrm.security.keyring import Purpose
from nrm.services import key_use, keys, search_index, second_factor
from nrm.services.audit import record

BATCH = 2_000
# Every process reads its ring anew well within this time, and then writes under the new key.
_SETTLED_AFTER = timedelta(minutes=1)

# The purposes for which only a process that opens the old key makes a new one.
_OPENED = (Purpose.CASE, Purpose.FACTOR, Purpose.FACTS, Purpose.INDEX, Purpose.SIGNING)
# The tables of wrapped keys, and the column that says whose key it is.
WRAPPED: dict[Purpose, tuple[Table, str]] = {
    Purpose.CASE: (Base.metadata.tables[CaseKey.__tablename__], "owner_id"),
    Purpose.FACTS: (Base.metadata.tables[FactsKey.__tablename__], "case_id"),
}


# What is written of a key: its new master key, how it is wrapped, its id, its old master key.
_Change: TypeAlias = tuple[int, bytes, int, int]


@dataclass(frozen=True)
class Batch:
    """What one batch did; a damaged key opens under no master key and stays as it is."""

    done: int
    damaged: int


def rotate(purpose: Purpose) -> int:
    """Make a new master key the primary one; returns its id. `go_on` does what is left to do."""
    _require_opened(purpose)
    with unit_of_work() as unit:
        ring = keys.new_master(unit, purpose)
        record(unit, HOUSEKEEPING, Action.KEY_ROTATE, Subject("key"), purpose=_named(ring))
    keys.look_again()
    resume(purpose)
    return ring.id


def resume(purpose: Purpose) -> None:
    """Make ready to go on with a rotation, also where it stopped before its first batch."""
    _require_opened(purpose)
    if purpose is Purpose.INDEX:
        newest = select(NameIndex.ring_id).order_by(NameIndex.version.desc()).limit(1)
        if db.session.scalar(newest) != keys.keyring().current_id(purpose):
            with unit_of_work() as unit:
                search_index.begin_version(unit)


def _require_opened(purpose: Purpose) -> None:
    """Refuse where this process could not wrap anew what is under the old key, or not sign."""
    if purpose in _OPENED:
        keys.keyring().current_id(purpose)


def left(purpose: Purpose) -> int:
    """Count what is still to do: keys under an older master key, or cases without new tokens."""
    if purpose is Purpose.INDEX:
        return search_index.missing()
    if purpose is Purpose.FACTOR:
        primary_id = keys.primary_id(purpose)
        return sum(many for of, many in key_use.users(purpose).items() if of != primary_id)
    if purpose not in WRAPPED:
        return 0
    table, _ = WRAPPED[purpose]
    primary = select(MasterKey.id).where(
        MasterKey.purpose == purpose, MasterKey.state == keys.PRIMARY
    )
    older = select(func.count()).where(table.c.ring_id != primary.scalar_subquery())
    return db.session.execute(older).scalar_one()


def unfinished(purpose: Purpose) -> bool:
    """Say whether a rotation stopped before its end; also where only the last step is missing."""
    if purpose is not Purpose.INDEX:
        return left(purpose) > 0
    newest = select(NameIndex.state, MasterKey.state)
    newest = newest.join(MasterKey, MasterKey.id == NameIndex.ring_id)
    row = db.session.execute(newest.order_by(NameIndex.version.desc()).limit(1)).one_or_none()
    return row is not None and set(row) != {keys.PRIMARY}


def go_on(purpose: Purpose) -> Iterator[Batch]:
    """Do batch by batch what a new key leaves to do; says of each batch how much it did."""
    if purpose is Purpose.INDEX:
        yield from (Batch(cases, 0) for cases in search_index.build())
    if purpose is Purpose.FACTOR:
        yield _seal_factors_anew()
    if purpose in WRAPPED:
        yield from _rewrap(purpose)


def _seal_factors_anew() -> Batch:
    """Seal what people sign in with under the new key: a few rows for each account, in one act."""
    with unit_of_work() as unit:
        done, damaged = second_factor.seal_anew()
        if done:
            counts = {"keys": done}
            purpose = Purpose.FACTOR
            subject = Subject("key")
            record(unit, HOUSEKEEPING, Action.KEY_REWRAP, subject, purpose=purpose, counts=counts)
    return Batch(done, damaged)


def _rewrap(purpose: Purpose) -> Iterator[Batch]:
    last, began = 0, time.monotonic()
    while True:
        last, done = _batch(purpose, last)
        if not last:
            return
        yield done
        if db.engine.dialect.name == "sqlite":
            # It has one lock for all who write, and gives it to whoever happens to ask: others get
            # as long a turn as the batch had.
            time.sleep(time.monotonic() - began)
        began = time.monotonic()


def _batch(purpose: Purpose, after: int) -> tuple[int, Batch]:
    """Wrap the next keys anew; returns the last one's id, none where there was none, and how many.

    A key that was destroyed meanwhile is not there any more, and stays so.
    """
    table, owner = WRAPPED[purpose]
    # As the driver has it: `_id` makes an id of it in a quarter of the time.
    whose = type_coerce(table.c[owner], String)
    with unit_of_work() as unit:
        ring = keys.ring_to_wrap(purpose)
        older = (
            select(table.c.id, whose, table.c.ring_id, table.c.wrapped)
            .where(table.c.id > after, table.c.ring_id != ring.current_id(purpose))
            .order_by(table.c.id)
            .limit(BATCH)
        )
        rows = [(row[0], (_id(row[1]), *row[2:])) for row in db.session.execute(older)]
        new_id, anew = ring.current_id(purpose), ring.wrap_anew(purpose, [row for _, row in rows])
        changes = [
            (new_id, wrapped, key_id, old_id)
            for (key_id, (_, old_id, _)), wrapped in zip(rows, anew, strict=True)
            if wrapped is not None
        ]
        if changes:
            _write(table, changes)
            counts = {"keys": len(changes)}
            subject = Subject("key")
            record(unit, HOUSEKEEPING, Action.KEY_REWRAP, subject, purpose=purpose, counts=counts)
    return (rows[-1][0] if rows else 0), Batch(len(changes), len(rows) - len(changes))


def _id(kept: UUID | str) -> UUID:
    """Read an id as the driver has it: SQLite keeps the hexadecimal number that it is."""
    return UUID(int=int(kept, 16)) if isinstance(kept, str) else kept


def _write(table: Table, changes: list[_Change]) -> None:
    statement = (
        update(table)
        .where(table.c.id == bindparam("id"), table.c.ring_id == bindparam("under"))
        .values(ring_id=bindparam("ring"), wrapped=bindparam("anew"))
    )
    # The driver takes numbers and bytes as they are: asking SQLAlchemy what to make of each of a
    # hundred thousand rows would take longer than all the rest.
    connection = db.session.connection()
    compiled = statement.compile(dialect=connection.dialect)
    names = ["ring", "anew", "id", "under"]
    if compiled.positiontup == names:
        connection.exec_driver_sql(str(compiled), changes)
    else:
        rows = [dict(zip(names, change, strict=True)) for change in changes]
        connection.exec_driver_sql(str(compiled), rows)


def retire(ring_id: int) -> None:
    """Destroy a master key that nothing needs any more; raises RefusedError while something does.

    The row is held meanwhile: what is being wrapped or indexed under the key is waited for, and
    counted.
    """
    with unit_of_work() as unit:
        ring = db.session.get(MasterKey, ring_id, with_for_update=True)
        if ring is None or ring.state == key_use.RETIRED:
            raise RefusedError(f"there is no key {ring_id} that could be retired")
        _refuse_needed(unit, ring)
        db.session.execute(delete(SealedMasterKey).where(SealedMasterKey.ring_id == ring_id))
        ring.state = key_use.RETIRED
        record(unit, HOUSEKEEPING, Action.KEY_RETIRE, Subject("key"), purpose=_named(ring))
    keys.look_again()


def _refuse_needed(unit: Unit, ring: MasterKey) -> None:
    purpose = Purpose(ring.purpose)
    if ring.state == keys.PRIMARY:
        raise RefusedError(f"key {ring.id} is the {purpose} key in use: rotate it first")
    needed = key_use.users(purpose).get(ring.id, 0) if purpose in key_use.USERS else 0
    if needed:
        raise RefusedError(f"key {ring.id} is still needed by {key_use.words(purpose, needed)}")
    successor = select(MasterKey.created_at).where(
        MasterKey.purpose == purpose, MasterKey.state == keys.PRIMARY
    )
    # Of the keys that wrap keys, `ring_to_wrap` knows better than any clock.
    since = db.session.execute(successor).scalar_one()
    if purpose is Purpose.SIGNING and not _signed_since(since):
        raise RefusedError(f"key {ring.id} is still needed: nothing was signed with the new one")
    if unit.now - since < _SETTLED_AFTER and purpose not in WRAPPED:
        raise RefusedError(f"key {ring.id} was in use a moment ago: try again in a minute")


def _signed_since(moment: datetime) -> bool:
    """Say whether a checkpoint with both signatures leads from the old key to the new."""
    newest = select(AuditCheckpoint.signed_at).order_by(AuditCheckpoint.size.desc()).limit(1)
    signed_at = db.session.scalar(newest)
    return signed_at is not None and signed_at > moment


def _named(ring: MasterKey) -> str:
    """Name a key by its number; of the key itself nothing can be said."""
    return f"{ring.purpose} {ring.id}"
