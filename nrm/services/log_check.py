"""Checking the whole log against its tree and its checkpoints; needs no key, and no more memory.

What is read is the stored entries, not the tiles: the tree is grown anew from what they say.
"""

from binascii import unhexlify
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Select,
    String,
    cast,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.types import NullType

from nrm.audit.tree import sound
from nrm.audit.verify import (
    FIELDS,
    IDS,
    Checkpoint,
    Growing,
    NotAsSignedError,
    Root,
    UnreadableError,
    VerifierKey,
    altered,
    check,
    leaf_of,
    read_checkpoint,
    read_key,
    refuse_another,
)
from nrm.db import db
from nrm.models import AuditCheckpoint, AuditEntry
from nrm.services.sequencing import tree

# How many entries are in memory at once while all of them are checked.
BATCH = 1_000
_MOST_FINDINGS = 100
_OCCURRED_AT, _DETAIL_SHA256 = FIELDS.index("occurred_at"), FIELDS.index("detail_sha256")


# Written into the statement: SQLite would fetch each parameter anew for every entry.
_T, _SPACE, _Z = (literal_column(f"'{letter}'", String) for letter in "T Z")
_FIRST_TEXT, _FIRST_BYTES = literal_column("''", String), literal_column("x''", LargeBinary)
_NO_TIME = literal_column("'?'", String)


@dataclass
class Verdict:
    """What checking the log found, each finding in one plain line."""

    # Entries that stand in the tree, and those that are too new for it.
    placed: int = 0
    waiting: int = 0
    # From which entry on the check went.
    since: int = 0
    # Whether the database has any checkpoint at all, and how many of them were held.
    any_checkpoint: bool = False
    checkpoints: int = 0
    # The newest checkpoint up to which nothing was found, and the key that signed it.
    signed: Checkpoint | None = None
    key: VerifierKey | None = None
    # The last checkpoint that fits the hashes of the entries, whatever became of an entry itself.
    fitting: Checkpoint | None = None
    # Whether a root hash without a signature did not fit: it may be that which is wrong.
    doubted: bool = False
    findings: list[str] = field(default_factory=list)


def verify(
    progress: Callable[[int], None],
    *kept: Checkpoint | Root,
    key: VerifierKey | None = None,
    only_since: bool = False,
) -> Verdict:
    """Check every entry, its place in the tree, and every checkpoint.

    `kept` are checkpoints and roots from outside: the log is held against them too, and with
    `only_since` nothing before the first of them is read again. `key` is the log's key from
    outside. Missing numbers are no finding, for an act that was rolled back has used one up;
    missing places are.
    """
    verdict = Verdict()
    grown = Growing()
    if kept and only_since:
        grown = _beginning(verdict, min(kept, key=_size))
    checkpoints = _Checkpoints(verdict, grown.size, kept, key)
    checkpoints.hold(grown)
    to_its_end = True
    for seq, place, leaf, good in _entries(grown.size, progress):
        if not good:
            _find(verdict, f"entry {seq} is not as it was written")
        if place != grown.size:
            between = f"between place {grown.size} and place {place} entries are missing"
            _find(verdict, f"{between}, and nothing after them was checked")
            to_its_end = False
            break
        grown.append(leaf)
        checkpoints.hold(grown)
    checkpoints.finish(grown.size, to_its_end=to_its_end)
    verdict.placed = grown.size
    _hold_tiles(verdict, grown)
    for seq, _, _, good in _waiting():
        verdict.waiting += 1
        if not good:
            _find(verdict, f"entry {seq}, which is not in the tree yet, is not as it was written")
    return verdict


class _Checkpoints:
    """The checkpoints, smallest first, each held against the tree when it has grown so far."""

    def __init__(
        self,
        verdict: Verdict,
        size: int,
        kept: Sequence[Checkpoint | Root],
        key: VerifierKey | None,
    ) -> None:
        self.verdict, self.kept, self.key = verdict, kept, key
        # What is left of it to be held, the largest first.
        self._from_outside = sorted(kept, key=_size, reverse=True)
        self._stored = _stored_checkpoints(size)
        self._next = next(self._stored, None)
        verdict.any_checkpoint = self._next is not None
        # Whether the hashes were others than those that were signed; a later checkpoint that
        # fits them again was signed over what somebody rewrote.
        self._altered = False
        # At which size the tree is to be held against a checkpoint next; asked at every entry.
        self._due = self._next_size()

    def hold(self, grown: Growing) -> None:
        """Hold the tree against what was signed when it had this size, if anything was."""
        if grown.size != self._due:
            return
        root = grown.root()
        while self._from_outside and self._from_outside[-1].size == grown.size:
            self._hold_outside(self._from_outside.pop(), root)
        while self._next and self._next[0] == grown.size:
            self._hold_stored(root)
            self._next = next(self._stored, None)
        self._due = self._next_size()

    def finish(self, size: int, *, to_its_end: bool) -> None:
        """Say which checkpoints cover more than the log still has, if all of it was read."""
        if to_its_end:
            self._find_cut_off(size)
        if self.key is not None and self.verdict.signed is not None:
            # Older ones may be of a key that was renewed since: the newest covers what they do.
            try:
                check(self.verdict.signed, self.key)
            except NotAsSignedError as error:
                _find(self.verdict, f"the newest checkpoint: {error}")

    def _find_cut_off(self, size: int) -> None:
        cut_off = f"entries, and the log has {size}: its end was cut off"
        for one in reversed(self._from_outside):
            mistyped = ", or the number is not as it stood there" if isinstance(one, Root) else ""
            _find(self.verdict, f"{_named(one)} covers {one.size} {cut_off}{mistyped}")
        if self._next:
            _find(self.verdict, f"a checkpoint covers {self._next[0]} {cut_off}")

    def _hold_outside(self, outside: Checkpoint | Root, root: bytes) -> None:
        if outside.root != root:
            self._altered = True
            self.verdict.doubted |= isinstance(outside, Root)
            _find(self.verdict, _altered(_named(outside), outside))
        elif self._next is None or self._next[0] != outside.size:
            _find(
                self.verdict,
                f"{_named(outside)}, at {outside.size} entries, is not in the "
                "database: it was removed, or never signed here",
            )

    def _hold_stored(self, root: bytes) -> None:
        assert self._next is not None  # noqa: S101 - the caller has just asked
        size, note, verifier, kept_root = self._next
        try:
            checkpoint, key = read_checkpoint(note), read_key(verifier)
            check(checkpoint, key)
            for one in self.kept:
                refuse_another(one, checkpoint.origin)
        except (NotAsSignedError, UnreadableError) as error:
            _find(self.verdict, f"the checkpoint at {size} entries: {error}")
            return
        self.verdict.checkpoints += 1
        if (checkpoint.size, checkpoint.root, kept_root) != (size, root, root):
            self._altered = True
            _find(self.verdict, _altered("the signed checkpoint", checkpoint))
            return
        if not self._altered:
            self.verdict.fitting = checkpoint
        if not self.verdict.findings:
            self.verdict.signed, self.verdict.key = checkpoint, key

    def _next_size(self) -> int | None:
        sizes = [self._next[0]] if self._next else []
        if self._from_outside:
            sizes.append(self._from_outside[-1].size)
        return min(sizes, default=None)


def _size(kept: Checkpoint | Root) -> int:
    return kept.size


def _named(kept: Checkpoint | Root) -> str:
    what = "checkpoint" if isinstance(kept, Checkpoint) else "root hash"
    return f"the {what} that you kept"


def _altered(which: str, signed: Checkpoint | Root) -> str:
    when = f" ({signed.time:%Y-%m-%d %H:%M} UTC)" if isinstance(signed, Checkpoint) else ""
    return f"the log is not that of {which}{when}: {altered(signed)}"


def _find(verdict: Verdict, finding: str) -> None:
    """Remember a finding, the first hundred of them: one is enough to know, more help to look."""
    if len(verdict.findings) < _MOST_FINDINGS:
        verdict.findings.append(finding)


def _hold_tiles(verdict: Verdict, grown: Growing) -> None:
    """Hold the stored tree, which proofs are made from, against the one that the entries make."""
    with db.engine.connect() as connection:
        stands = tree(connection)
        try:
            fits = stands.size >= grown.size and stands.root(grown.size) == grown.root()
        except UnreadableError:
            fits = False
    if not fits:
        _find(verdict, "the stored tree is not that of its entries: no proof can be made from it")


def _beginning(verdict: Verdict, kept: Checkpoint | Root) -> Growing:
    """Return the tree as it was when it had a kept root, out of the tiles, if they fit it."""
    with db.engine.connect() as connection:
        stands = tree(connection)
        try:
            if stands.size < kept.size or stands.root(kept.size) != kept.root:
                # The whole log is read instead, which says what is wrong.
                return Growing()
            verdict.since = kept.size
            return stands.beginning(kept.size)
        except UnreadableError:
            return Growing()


def _stored_checkpoints(size: int) -> Iterator[tuple[int, str, str, bytes]]:
    """Read the checkpoints from a size on, up to what is now the newest.

    Those that are signed while the check goes on cover entries that it may not have seen.
    """
    table = AuditCheckpoint
    columns = select(table.size, table.note, table.verifier_key, table.root)
    with db.engine.connect() as connection:
        newest = connection.scalar(select(func.max(table.size))) or 0
    last = size - 1
    while last < newest:
        with db.engine.connect() as connection:
            query = columns.where(table.size > last, table.size <= newest)
            batch = connection.execute(query.order_by(table.size).limit(BATCH)).all()
        if not batch:
            return
        for row in batch:
            yield row.size, row.note, row.verifier_key, row.root
        last = batch[-1].size


Checked = tuple[int, int, bytes, bool]


def _entries(place: int, progress: Callable[[int], None]) -> Iterator[Checked]:
    """Read what stands in the tree, in its order, as (number, place, leaf, is as written)."""
    upto = AuditEntry.leaf_index
    while True:
        batch = _batch(_columns().where(upto >= place).order_by(upto).limit(BATCH))
        yield from batch
        if len(batch) < BATCH:
            return
        place = batch[-1][1] + 1
        progress(place)


def _waiting() -> Iterator[Checked]:
    """Read what has no place in the tree yet."""
    last = 0
    while True:
        query = _columns().where(AuditEntry.leaf_index.is_(None), AuditEntry.seq > last)
        batch = _batch(query.order_by(AuditEntry.seq).limit(BATCH))
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1][0]


def _columns() -> Select[Any]:
    """Select entries as the very bytes that their leaves cover, made by the database itself.

    A value that somebody spoilt is then read as it is, and the check of a million entries does
    not make ten million objects only to take them apart again.
    """
    sqlite = db.engine.dialect.name == "sqlite"
    made, kinds = (_on_sqlite, _kinds_on_sqlite()) if sqlite else (_on_postgresql, true())
    entry = AuditEntry
    columns = [
        *(entry.seq, entry.leaf_index, entry.leaf_hash, entry.detail, kinds),
        *(made(at, getattr(entry, name)) for at, name in enumerate(FIELDS)),
    ]
    # Without the types of the results, which would look at each value once more.
    untyped: list[Any] = [type_coerce(column, NullType()) for column in columns]
    return select(*untyped)


def _on_sqlite(at: int, column: ColumnElement[Any]) -> ColumnElement[Any]:
    value: ColumnElement[Any] = type_coerce(column, String)
    if at == _OCCURRED_AT:
        # A moment is kept with a space, which its leaf covers as a T.
        written = func.replace(func.replace(value, _T, _NO_TIME), _SPACE, _T, type_=String)
        value = written.concat(_Z)
    return cast(value, LargeBinary)


def _kinds_on_sqlite() -> ColumnElement[bool]:
    """Say whether each value is a text: no search finds the same bytes as one of another kind.

    SQLite sorts bytes after every text.
    """
    columns = {name: type_coerce(getattr(AuditEntry, name), String) for name in FIELDS}
    ids = [func.ifnull(columns[FIELDS[at]], _FIRST_TEXT, type_=String) for at in IDS]
    others = [column for at, column in enumerate(columns.values()) if at not in IDS]
    return func.max(*ids, *others) < _FIRST_BYTES


def _on_postgresql(at: int, column: ColumnElement[Any]) -> ColumnElement[Any]:
    if at in IDS:
        return func.uuid_send(column)
    if at == _OCCURRED_AT:
        moment = func.timezone("UTC", column)
        column = func.to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    return func.convert_to(column, "UTF8")


def _batch(query: Select[Any]) -> list[Checked]:
    # Nothing is held between two batches, so that a long check hinders nobody's work.
    with db.engine.connect() as connection:
        read = _read_ids if connection.dialect.name == "sqlite" else _take_ids
        # From the driver itself: of a million rows none is wrapped only to be taken apart.
        rows: Sequence[Sequence[Any]] = connection.execute(query).cursor.fetchall()
        return [_checked(row, read) for row in rows]


def _checked(row: Sequence[Any], read: Callable[[list[Any]], bool]) -> Checked:
    seq, place, leaf, detail, good, *parts = row
    try:
        good = bool(read(parts) and good) and leaf_of(parts) == leaf
        if detail is not None and good:
            good = sha256(detail).hexdigest().encode() == parts[_DETAIL_SHA256]
    except (TypeError, ValueError):
        # What is no id any more was none of ours, nor was a value that is not there at all.
        good = False
    return seq, place, leaf if good else sound(leaf), good


def _take_ids(parts: list[Any]) -> bool:
    """Take the ids of an entry as PostgreSQL keeps them: it knows one spelling."""
    for at in IDS:
        parts[at] = bytes(parts[at] or b"")
    return True


def _read_ids(parts: list[Any]) -> bool:
    """Read the ids of an entry out of texts; says whether a search finds them in this spelling."""
    found = True
    for at in IDS:
        text = parts[at]
        if not text:
            # Where there is no id there is nothing, and no empty text either.
            found = found and text is None
            parts[at] = b""
            continue
        # The first is quick, and wrong of an id without a letter.
        if not text.islower() and text != text.lower():
            found = False
        parts[at] = unhexlify(text)
    return found
