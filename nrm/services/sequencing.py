"""Giving each entry of the log its place in the tree: in batches, by one process at a time.

Nobody who writes an entry waits for this. It takes the entries that have no place yet, and never
those "after the last one": numbers are given before the commit, so that an entry with a lower
number can appear after one with a higher.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from nrm.audit.actions import across_files
from nrm.audit.tree import Tree, grown, sound
from nrm.audit.verify import HASH_BYTES, NotAsSignedError
from nrm.db import IMMEDIATE, db
from nrm.models import AuditEntry, AuditSight, AuditTile

BATCH = 1_000
# Whoever holds this lock of PostgreSQL is the sequencer; on SQLite it is whoever may write.
_LOCK = 6_962

_PLACE = (
    update(AuditEntry.__table__)  # type: ignore[arg-type] # a mapped class has a table
    .where(AuditEntry.seq.between(bindparam("first"), bindparam("last")))
    .values(leaf_index=AuditEntry.seq + bindparam("ahead"))
)


def sequence(progress: Callable[[int], None] = lambda _: None) -> int:
    """Put into the tree whatever waits; returns how many entries, none if another is at it.

    Each batch is one transaction, so that a kill leaves the tree and the places as they were
    before it or after it. No entry of the log tells of it: it would never come to an end.
    """
    total = 0
    while done := _batch():
        total += done
        progress(total)
    return total


# Made once: a proof reads a handful of tiles, and making a statement takes as long as its answer.
_TILE = select(AuditTile.hashes).where(
    AuditTile.level == bindparam("level"), AuditTile.position == bindparam("position")
)
_NEWEST_TILE = (
    select(AuditTile.position, func.length(AuditTile.hashes))
    .where(AuditTile.level == 0)
    .order_by(AuditTile.position.desc())
    .limit(1)
)


@contextmanager
def only_sequencer() -> Iterator[Connection | None]:
    """Begin a transaction in which nobody else changes the tree; none if another is at it."""
    begun = db.engine.connect().execution_options(**{IMMEDIATE: True})
    with begun as connection, connection.begin():
        alone = connection.dialect.name == "sqlite" or connection.scalar(
            select(func.pg_try_advisory_xact_lock(_LOCK))
        )
        yield connection if alone else None


def tree(connection: Connection) -> Tree:
    """Return the tree as it stands, to be read tile by tile."""

    def read(level: int, position: int) -> bytes:
        return connection.scalar(_TILE, {"level": level, "position": position}) or b""

    newest = connection.execute(_NEWEST_TILE).one_or_none()
    size = 0 if newest is None else (newest[0] << 8) + newest[1] // HASH_BYTES
    return Tree(size, read)


def _batch() -> int:
    with only_sequencer() as connection:
        if connection is None:
            return 0
        waiting = connection.execute(
            select(
                AuditEntry.seq,
                AuditEntry.leaf_hash,
                AuditEntry.case_id,
                AuditEntry.action,
                AuditEntry.purpose,
                AuditEntry.rows,
            )
            .where(AuditEntry.leaf_index.is_(None))
            .order_by(AuditEntry.seq)
            .limit(BATCH)
        ).all()
        if waiting:
            _put(connection, waiting)
        return len(waiting)


def _put(connection: Connection, waiting: Sequence[Any]) -> None:
    before = tree(connection)
    leaves = [sound(entry.leaf_hash) for entry in waiting]
    for (level, position), hashes in grown(before.size, leaves, before.read).items():
        _keep(connection, level, position, hashes)
    try:
        connection.execute(_PLACE, _runs([entry.seq for entry in waiting], before.size))
    except IntegrityError:
        raise NotAsSignedError(
            f"an entry stands already where others belong, after the first {before.size} of the "
            "log: run nrm audit verify"
        ) from None
    sights = [
        {"row_id": row_id, "seq": entry.seq}
        for entry in waiting
        if entry.case_id is None or across_files(entry.action, entry.purpose)
        for row_id in touched_rows(entry.rows)
    ]
    if sights:
        connection.execute(insert(AuditSight), sights)


def _runs(numbers: Sequence[int], place: int) -> list[dict[str, int]]:
    """Say how far the places of entries are ahead of their numbers, as long as none is left out.

    One statement places a whole run, for few numbers are missing: those of acts that were undone,
    and of acts that are not done yet.
    """
    runs: list[dict[str, int]] = []
    for number in numbers:
        if not runs or number != runs[-1]["last"] + 1:
            runs.append({"first": number, "ahead": place - number})
        runs[-1]["last"] = number
        place += 1
    return runs


def _keep(connection: Connection, level: int, position: int, hashes: bytes) -> None:
    """Write a tile, or what it has grown to."""
    this = (AuditTile.level == level, AuditTile.position == position)
    if not connection.execute(update(AuditTile).where(*this).values(hashes=hashes)).rowcount:
        new = {"level": level, "position": position, "hashes": hashes}
        connection.execute(insert(AuditTile), new)


def touched_rows(rows: str) -> set[UUID]:
    """Read which sealed rows an entry touched; of a damaged one nothing is known."""
    try:
        return {UUID(row[0]) for row in json.loads(rows)}
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError):
        return set()
