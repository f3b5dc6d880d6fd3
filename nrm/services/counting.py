"""Opening the coded facts of everybody, for counting alone: batch by batch, nothing is kept.

Facts and counted acts lie under a key of their own, which the statistics' process can open, and
it can open nothing else. Whoever opens them has written in the log that it begins, and writes in
the end how many rows it opened, and a hash over which ones they were.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Row, Select, String, and_, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from nrm.db import db
from nrm.domain.errors import DamagedError, LockedError
from nrm.domain.policy import require
from nrm.domain.roles import HOUSEKEEPING, Permission
from nrm.models import FactsHead, FactsKey, SealedFacts, SealedFactsEvent
from nrm.security.keyring import Purpose
from nrm.security.sealing import Document, Place, compartment_key, unseal
from nrm.services import keys
from nrm.statistics.release import CaseFacts

BATCH = 1_000


# Whose a row is comes as the database has it: as an id it is made once for each case.
def _whose(column: InstrumentedAttribute[UUID]) -> Any:  # noqa: ANN401 - of no one type
    return type_coerce(column, String).label("whose")


_FACTS = select(
    _whose(SealedFacts.case_id),
    SealedFacts.row_id,
    SealedFacts.revision,
    SealedFacts.key_id,
    SealedFacts.sealed,
).join(
    FactsHead,
    and_(
        FactsHead.row_id == SealedFacts.row_id, FactsHead.current_revision == SealedFacts.revision
    ),
)
_EVENTS = select(
    _whose(SealedFactsEvent.case_id),
    SealedFactsEvent.row_id,
    SealedFactsEvent.revision,
    SealedFactsEvent.key_id,
    SealedFactsEvent.sealed,
)
_KEYS = select(_whose(FactsKey.case_id), FactsKey.id, FactsKey.ring_id, FactsKey.wrapped)

_Row: TypeAlias = Row[*tuple[Any, ...]]


@dataclass
class Opened:
    """What was opened so far: how many cases and rows, and which rows they were, as one hash."""

    cases: int = 0
    rows: int = 0
    # Cases whose facts do not open: erased, or damaged.
    closed: int = 0
    _which: Any = field(default_factory=hashlib.sha256, repr=False)

    def note(self, row: _Row) -> None:
        """Take a row in."""
        self.rows += 1
        self._which.update(row.row_id.bytes + row.revision.to_bytes(8, "big"))

    @property
    def digest(self) -> str:
        """The SHA-256 over (row id, revision) of every row, in the order of the cases' ids."""
        return str(self._which.hexdigest())


def how_many() -> int:
    """Count the cases that there are facts of."""
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(FactsHead)) or 0


def facts_of_everybody(opened: Opened) -> Iterator[CaseFacts]:
    """Open the facts and the counted acts of each case; `opened` is told of every row."""
    require(HOUSEKEEPING, Permission.STATISTICS_COUNT)
    # A process that does not hold the facts key finds out before it reads anything.
    keys.keyring().current_id(Purpose.FACTS)
    last: UUID | None = None
    while batch := _batch(last):
        last = batch[-1].case_id
        yield from _open(batch, opened)


@dataclass(frozen=True)
class _Case:
    """The sealed rows of one case, and its wrapped keys by their id."""

    case_id: UUID
    facts: _Row
    events: Sequence[_Row]
    keys: dict[int, _Row]


def _batch(after: UUID | None) -> list[_Case]:
    """Read the next cases by their ids; nothing is held between two batches."""
    query = _FACTS.order_by(SealedFacts.case_id).limit(BATCH)
    if after is not None:
        query = query.where(SealedFacts.case_id > after)
    with db.engine.connect() as connection:
        facts = connection.execute(query).all()
        if not facts:
            return []
        begin, end = _id(facts[0].whose), _id(facts[-1].whose)
        events = _by_case(connection, _EVENTS, SealedFactsEvent.case_id, begin, end)
        wrapped = _by_case(connection, _KEYS, FactsKey.case_id, begin, end)
    return [
        _Case(
            _id(row.whose),
            row,
            sorted(events.get(row.whose, ()), key=attrgetter("row_id")),
            {key.id: key for key in wrapped.get(row.whose, ())},
        )
        for row in facts
    ]


def _by_case(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    column: InstrumentedAttribute[UUID],
    begin: UUID,
    end: UUID,
) -> dict[UUID | str, list[_Row]]:
    found: dict[UUID | str, list[_Row]] = {}
    for row in connection.execute(query.where(column >= begin, column <= end)):
        found.setdefault(row.whose, []).append(row)
    return found


def _id(kept: UUID | str) -> UUID:
    """Read an id as the driver has it: SQLite keeps the hexadecimal number that it is."""
    return UUID(int=int(kept, 16)) if isinstance(kept, str) else kept


def _open(batch: Sequence[_Case], opened: Opened) -> Iterator[CaseFacts]:
    for case in batch:
        try:
            data_keys = {key_id: _unwrapped(case.case_id, row) for key_id, row in case.keys.items()}
            facts = _document(case.facts, SealedFacts.__tablename__, "facts", data_keys)
            events = [
                _document(row, SealedFactsEvent.__tablename__, "facts_event", data_keys)
                for row in case.events
            ]
        except (DamagedError, LockedError):
            opened.closed += 1
            continue
        for row in (case.facts, *case.events):
            opened.note(row)
        opened.cases += 1
        yield str(case.case_id), facts, events


def _unwrapped(case_id: UUID, row: _Row) -> bytes:
    ring = keys.keyring()
    if row.ring_id not in ring.masters:
        ring = keys.look_again()
    return ring.unwrap(Purpose.FACTS, case_id, row.ring_id, row.wrapped)


def _document(row: _Row, table: str, compartment: str, data_keys: dict[int, bytes]) -> Document:
    key = data_keys.get(row.key_id)
    if key is None:
        raise LockedError("the key is gone")
    place = Place(table, row.row_id, compartment, row.revision, row.key_id)
    return unseal(compartment_key(key, compartment), place, row.sealed)
