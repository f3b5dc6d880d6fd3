"""What the log says of sealed rows, held against the rows themselves; needs no key.

Every entry names the rows that its act sealed, each with the hash of what was stored. Whoever sets
a row back, exchanges, adds or removes one behind the program leaves the log saying something else.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Row, Table, literal, select, tuple_, type_coerce
from sqlalchemy.types import NullType

from nrm.audit.actions import Action, Outcome
from nrm.db import db
from nrm.models import (
    AuditEntry,
    Base,
    CaseKey,
    CompartmentHead,
    FactsHead,
    FactsKey,
    FlagDraft,
    SealedCompartment,
    SealedDocument,
    SealedDraft,
    SealedEnvelope,
    SealedFacts,
    SealedFactsEvent,
    SealedNote,
)

# How many rows of one table are in memory at once.
BATCH = 250

_TABLES = Base.metadata.tables
SEALED = [
    _TABLES[model.__tablename__]
    for model in (
        SealedCompartment,
        SealedDocument,
        SealedDraft,
        SealedEnvelope,
        SealedFacts,
        SealedFactsEvent,
        SealedNote,
    )
]
# Where a row has several revisions, the table that says which of them is current.
HEADS = {
    SealedCompartment.__tablename__: _TABLES[CompartmentHead.__tablename__],
    SealedDraft.__tablename__: _TABLES[FlagDraft.__tablename__],
    SealedFacts.__tablename__: _TABLES[FactsHead.__tablename__],
}
# What goes with a case or a draft, by the column that names it.
_KEYS = {
    "owner_id": _TABLES[CaseKey.__tablename__],
    "case_id": _TABLES[FactsKey.__tablename__],
}

# An entry that has no place in the tree yet is newer than all that have one.
_NO_PLACE = 2**62
# An entry names a row that it sealed by id, revision and hash, and one that it opened without.
_SEALED_PARTS = 3
# In an entry's text, only the hash of a row that was sealed ends like this.
_SEALS = '"]'
_DONE = Outcome.DONE.value
# The entries after which the thing that each is about is gone.
_REMOVES = (Action.DRAFT_DELETE.value, Action.DOCUMENT_REMOVE.value)
_ERASES = (Action.CASE_ERASE.value, Action.ERASURE_REPLAY.value)


class Finding(StrEnum):
    """What can be wrong between the log and the rows; one and many read alike."""

    CHANGED = "not what the log says was sealed"
    SET_BACK = "not at the revision that the log says is the newest"
    UNLOGGED = "sealed by no entry of the log"
    GONE = "gone, and no entry of the log says so"
    BACK = "destroyed as the log says, and there again"


@dataclass(frozen=True)
class RowsVerdict:
    """What holding the rows against the log found; nothing in `findings` is a good answer."""

    rows_checked: int
    findings: Mapping[Finding, int]
    # The first finding of each kind in plain words: table, row, revision, number of the entry.
    first: Mapping[Finding, str]


class _Said(NamedTuple):
    """What one entry says of one revision of a row."""

    row_id: str
    revision: int
    sha256: str
    seq: int


class _Ended(NamedTuple):
    """After which entry a row, or a case with its keys, must not be there any more."""

    row_id: str
    seq: int


class _Row(NamedTuple):
    """A sealed row that is stored."""

    row_id: str
    table: str
    revision: int
    sha256: str


class _Head(NamedTuple):
    """Which revision is stored as the current one."""

    row_id: str
    table: str
    revision: int


class _Key(NamedTuple):
    """A wrapped key that is stored for a case or a draft."""

    row_id: str
    table: str


_Stored: TypeAlias = Row[*tuple[Any, ...]]
_Item: TypeAlias = _Said | _Ended | _Row | _Head | _Key
_Judged: TypeAlias = Iterator[tuple[Finding, str]]


@dataclass
class _Group:
    """All that the log and the database have under one id."""

    row_id: str
    said: dict[int, _Said] = field(default_factory=dict)
    ended: _Ended | None = None
    rows: list[_Row] = field(default_factory=list)
    heads: list[_Head] = field(default_factory=list)
    keys: list[_Key] = field(default_factory=list)

    def add(self, item: _Item) -> None:
        match item:
            # They come in the order of the log: what was said last holds.
            case _Said():
                self.said[item.revision] = item
            case _Ended():
                self.ended = item
            case _Row():
                self.rows.append(item)
            case _Head():
                self.heads.append(item)
            case _Key():
                self.keys.append(item)


def check(progress: Callable[[int], None]) -> RowsVerdict:
    """Hold every sealed row against what the log says of it, in no more memory for more rows.

    `progress` is told now and then how many rows were checked. The log itself is believed here:
    checking it is the work of the tree.
    """
    checked, told = 0, 0
    number: Counter[Finding] = Counter()
    first: dict[Finding, str] = {}
    with _snapshot() as connection, closing(_log_in_order(connection)) as log:
        for group in _groups(connection, log):
            checked += len(group.rows)
            for finding, words in _judged(group):
                number[finding] += 1
                first.setdefault(finding, words)
            if checked - told >= BATCH:
                progress(checked)
                told = checked
    progress(checked)
    return RowsVerdict(checked, dict(number), first)


@contextmanager
def _snapshot() -> Iterator[Connection]:
    """Read log and rows as of one moment, or an act in between would look like an attack.

    It keeps nobody from writing, on neither database.
    """
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


# What the log says, in the order of the rows.


def _log_in_order(connection: Connection) -> sqlite3.Connection:
    """Write what the log says of rows into a database of its own, which sorts it on the disk.

    It has no name, holds ids and hashes alone, and is gone when it is closed.
    """
    log = sqlite3.connect("", isolation_level=None)
    log.execute("CREATE TABLE said (row_id, revision, sha256, seq, place)")
    log.execute("CREATE TABLE ended (row_id, seq)")
    log.execute("CREATE TABLE document (row_id, case_id)")
    log.execute("BEGIN")
    for entry in _entries(connection):
        rows = _touched(entry.rows)
        place = entry.leaf_index if isinstance(entry.leaf_index, int) else _NO_PLACE + entry.seq
        log.executemany(
            "INSERT INTO said VALUES (?, ?, ?, ?, ?)",
            [(*row, entry.seq, place) for row in rows if len(row) == _SEALED_PARTS],
        )
        log.executemany("INSERT INTO ended VALUES (?, ?)", _endings(entry, rows))
        if entry.action == Action.DOCUMENT_ADD.value:
            document = _hex(entry.subject_id), _hex(entry.case_id)
            log.execute("INSERT INTO document VALUES (?, ?)", document)
    # Erasing a case takes the rows of its documents; its other rows stay, without their keys.
    log.execute(
        "INSERT INTO ended SELECT document.row_id, ended.seq"
        " FROM document JOIN ended ON ended.row_id = document.case_id"
    )
    log.execute("COMMIT")
    return log


def _entries(connection: Connection) -> Iterator[_Stored]:
    """Read the entries that sealed or ended something, in the order of their numbers."""
    names = ("leaf_index", "action", "outcome", "subject_id", "case_id", "rows")
    speaking = AuditEntry.rows.contains(_SEALS) | AuditEntry.action.in_((*_REMOVES, *_ERASES))
    return _read(connection, _TABLES[AuditEntry.__tablename__], ("seq",), names, speaking)


def _touched(text: str) -> list[list[Any]]:
    """Read the rows that an entry names; of one that was altered, none.

    The check of the log finds the entry, and here its rows stand as sealed by no entry.
    """
    try:
        # Nothing that the log writes here is escaped, and what is may be no text at all.
        rows = json.loads(text) if "\\" not in text else ()
        said: list[list[Any]] = [
            [_hex(row_id), int(revision), *map(str, sha)] for row_id, revision, *sha in rows
        ]
    except (TypeError, ValueError, OverflowError, RecursionError):
        return []
    return said if all(abs(row[1]) < _NO_PLACE for row in said) else []


def _endings(entry: _Stored, rows: list[list[Any]]) -> Iterable[tuple[str, int]]:
    """Name what is gone after this entry."""
    if entry.outcome != _DONE:
        return
    if entry.action in _REMOVES:
        yield _hex(entry.subject_id), entry.seq
    elif entry.action in _ERASES:
        yield _hex(entry.case_id), entry.seq
    elif entry.action == Action.CASE_FLAG.value:
        # Sending a flag opens the draft, and nothing else, and destroys it.
        opened = [row_id for row_id, _, *sha in rows if not sha]
        yield from ((row_id, entry.seq) for row_id in opened)


# What is stored, and both side by side.


def _groups(connection: Connection, log: sqlite3.Connection) -> Iterator[_Group]:
    """Bring together, id by id, what the log says and what is stored."""
    said = log.execute(
        "SELECT row_id, revision, sha256, seq FROM said ORDER BY row_id, revision, place"
    )
    ended = log.execute("SELECT row_id, seq FROM ended ORDER BY row_id, seq")
    streams: list[Iterable[_Item]] = [
        (_Said(*row) for row in said),
        (_Ended(*row) for row in ended),
        *(_rows(connection, table) for table in SEALED),
        *(_heads(connection, table) for table in HEADS.values()),
        *(_keys(connection, table, owner) for owner, table in _KEYS.items()),
    ]
    by_id: Callable[[_Item], str] = itemgetter(0)
    for row_id, items in groupby(merge(*streams, key=by_id), by_id):
        group = _Group(row_id)
        for item in items:
            group.add(item)
        yield group


def _rows(connection: Connection, table: Table) -> Iterator[_Row]:
    for row in _read(connection, table, ("row_id", "revision"), ("sealed",)):
        yield _Row(_hex(row.row_id), table.name, row.revision, _sha256(row.sealed))


def _heads(connection: Connection, table: Table) -> Iterator[_Head]:
    (key,) = table.primary_key
    for row_id, revision in _read(connection, table, (key.name,), ("current_revision",)):
        yield _Head(_hex(row_id), table.name, revision)


def _keys(connection: Connection, table: Table, owner: str) -> Iterator[_Key]:
    for owner_id, _ in _read(connection, table, (owner, "id")):
        yield _Key(_hex(owner_id), table.name)


def _read(
    connection: Connection,
    table: Table,
    key: tuple[str, ...],
    names: tuple[str, ...] = (),
    *where: Any,
) -> Iterator[_Stored]:
    """Read a table in the order of a key, a batch at a time.

    The values come as the driver gives them: one that somebody made unreadable is no exception
    but a row that differs.
    """
    columns = [type_coerce(table.c[name], NullType()).label(name) for name in (*key, *names)]
    place = tuple_(*columns[: len(key)])
    query = select(*columns).where(*where).order_by(*(table.c[name] for name in key)).limit(BATCH)
    rows: Sequence[_Stored] = connection.execute(query).all()
    while rows:
        yield from rows
        last = tuple_(*(literal(value, NullType()) for value in rows[-1][: len(key)]))
        rows = connection.execute(query.where(place > last)).all()


def _hex(value: object) -> str:
    """Write an id as both databases and the log sort it."""
    return str(value).replace("-", "")


def _sha256(sealed: object) -> str:
    return hashlib.sha256(sealed).hexdigest() if isinstance(sealed, bytes) else ""


# What is wrong.


def _judged(group: _Group) -> _Judged:
    if group.ended:
        seq = group.ended.seq
        stored: list[_Row | _Head | _Key] = [*group.rows, *group.heads, *group.keys]
        for thing in stored:
            words = f"{thing.table} {group.row_id} is there, and entry {seq} destroyed it"
            yield Finding.BACK, words
        return
    yield from _judged_rows(group)
    yield from _judged_heads(group)


def _judged_rows(group: _Group) -> _Judged:
    missing = dict(group.said)
    for row in group.rows:
        # What is there twice, in two tables, was sealed once.
        said = missing.pop(row.revision, None)
        words = f"{row.table} {group.row_id} revision {row.revision}"
        if said is None:
            yield Finding.UNLOGGED, f"{words} is named by no entry that sealed it"
        elif said.sha256 != row.sha256:
            yield Finding.CHANGED, f"{words} is not what entry {said.seq} sealed"
    table = group.rows[0].table if group.rows else "sealed row"
    for said in missing.values():
        words = f"{table} {group.row_id} revision {said.revision}, sealed by entry {said.seq},"
        yield Finding.GONE, f"{words} is gone"


def _judged_heads(group: _Group) -> _Judged:
    if not group.said:
        for head in group.heads:
            yield Finding.UNLOGGED, f"{head.table} {group.row_id} is named by no entry"
        return
    newest = max(group.said.values(), key=itemgetter(1))
    for head in group.heads:
        if head.revision != newest.revision:
            words = f"{head.table} {group.row_id} is at revision {head.revision}"
            words += f", and entry {newest.seq} sealed revision {newest.revision}"
            yield Finding.SET_BACK, words
    due = {HEADS[row.table].name for row in group.rows if row.table in HEADS}
    for table in sorted(due - {head.table for head in group.heads}):
        words = f"{table} {group.row_id}, written with entry {newest.seq}, is gone"
        yield Finding.GONE, words
