"""Taking the log home: all of it as a bundle, or one entry with its proof; checked by `verify`.

Neither needs a key, and both leave the database, so the log says so before and after.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from uuid import UUID

from sqlalchemy import Row, select

from nrm.audit.actions import Action, Outcome
from nrm.audit.entry import texts_of
from nrm.audit.verify import (
    FIELDS,
    Checkpoint,
    NotAsSignedError,
    UnreadableError,
    bundle_head,
    includes,
    write_entry,
    write_proof,
)
from nrm.db import db, unit_of_work
from nrm.domain.errors import NOTHING, RefusedError, Subject
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry
from nrm.models.spoilt import readable
from nrm.services import checkpoints, departures, witnesses
from nrm.services.audit import entry_of
from nrm.services.sequencing import tree

# How many entries are in memory at once.
BATCH = 1_000
_NUMBER_DIGITS = 18
_VALUES = [AuditEntry.__table__.c[name] for name in (*FIELDS, "leaf_index", "leaf_hash")]


def export(path: Path, progress: Callable[[int, int], None]) -> Checkpoint:
    """Write the log up to its newest checkpoint into a new file; returns that checkpoint.

    The file is there whole or not at all. `progress` is told how many entries of how many are
    written.
    """
    if path.exists():
        raise RefusedError(f"{path.name} is there already, and is not overwritten")
    checkpoint, key = _signed()
    head = bundle_head(witnesses.with_cosignatures(checkpoint), key)
    with _leaving(), _whole_or_nothing(path) as file:
        file.write(head)
        for place, line in enumerate(_lines(checkpoint.size), start=1):
            file.write(line + "\n")
            if place % BATCH == 0:
                progress(place, checkpoint.size)
    return checkpoint


def prove(entry: str) -> str:
    """Return the proof that an entry, named by its number or its id, is in the signed log."""
    kept = _find(entry)
    if kept is None:
        raise RefusedError(f"there is no entry {entry}")
    checkpoint, key = _signed()
    place, size = kept.leaf_index, checkpoint.size
    if place is None:
        raise RefusedError(f"entry {kept.seq} is not in the tree yet: the next nrm tick puts it in")
    if place >= size:
        raise RefusedError(f"no checkpoint covers entry {kept.seq} yet: the next one will")
    with _leaving(Subject("entry", kept.id)):
        with db.engine.connect() as connection:
            path = tree(connection).inclusion(place, size)
        if not includes(kept.leaf_hash, place, size, path, checkpoint.root):
            raise NotAsSignedError(f"entry {kept.seq} is not what was signed: run nrm audit verify")
        (line,) = _lines(place + 1, place)
        return write_proof(line, place, path, key, witnesses.with_cosignatures(checkpoint))


def _signed() -> tuple[Checkpoint, str]:
    """Return the newest checkpoint, and the key that the database names for it."""
    checkpoint, key = checkpoints.newest(), checkpoints.signing_key()
    if checkpoint is None or key is None:
        raise RefusedError(checkpoints.NOTHING_SIGNED)
    return checkpoint, str(key)


def _find(entry: str) -> Row[int, UUID, int | None, bytes] | None:
    if entry.isascii() and entry.isdigit() and len(entry) <= _NUMBER_DIGITS:
        named = AuditEntry.seq == int(entry)
    else:
        try:
            named = AuditEntry.id == UUID(entry)
        except ValueError:
            return None
    columns = (AuditEntry.seq, AuditEntry.id, AuditEntry.leaf_index, AuditEntry.leaf_hash)
    with db.engine.connect() as connection:
        return connection.execute(select(*columns).where(named)).one_or_none()


def _lines(end: int, place: int = 0) -> Iterator[str]:
    """Read the entries from one place in the tree to before another, as a bundle has them."""
    index = AuditEntry.leaf_index
    while place < end:
        query = select(*_VALUES).where(index >= place, index < end).order_by(index)
        # Nothing is held between two batches, so that a long export hinders nobody's work.
        with db.engine.connect() as connection:
            rows = connection.execute(query.limit(BATCH)).mappings().all()
        if not all(readable(*(row[name] for name in FIELDS)) for row in rows):
            raise UnreadableError(_damaged(place))
        if [row["leaf_index"] for row in rows] != list(range(place, min(place + BATCH, end))):
            raise UnreadableError(_damaged(place))
        for row in rows:
            yield write_entry(texts_of(entry_of(row)), row["leaf_hash"])
        place += BATCH


def _damaged(place: int) -> str:
    return f"after place {place} an entry is missing or cannot be read: run nrm audit verify"


@contextmanager
def _leaving(subject: Subject = NOTHING) -> Iterator[None]:
    """Say in the log that something leaves, before it does, and how it ended."""
    with unit_of_work() as unit:
        entry_id = departures.begin(unit, HOUSEKEEPING, Action.AUDIT_EXPORT, subject)
    outcome = Outcome.FAILED
    try:
        yield
        outcome = Outcome.DONE
    finally:
        departures.finish(entry_id, HOUSEKEEPING, outcome)


@contextmanager
def _whole_or_nothing(path: Path) -> Iterator[TextIO]:
    """Open a file beside the one that is wanted, for its owner alone, and rename it at the end."""
    part = path.with_name(f"{path.name}.part")
    try:
        # Left behind by a run that was killed.
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        # Of the file that was asked for: nobody knows of the other.
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
