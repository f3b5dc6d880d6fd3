"""Checkpoints of the log: signing what the tree has become, and keeping it in a second place.

Only the process with the signer's key file signs. It remembers in the second place what it signed
last, and signs nothing that does not follow from it: whoever rewrites the whole database, tree and
checkpoints included, gets no signature for it.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from nrm.audit.checkpoint import origin_of, signed, verifier_key
from nrm.audit.tree import Tree
from nrm.audit.verify import (
    Checkpoint,
    NotAsSignedError,
    UnreadableError,
    VerifierKey,
    read_checkpoint,
    read_checkpoint_file,
    read_key,
)
from nrm.db import db
from nrm.models import AuditCheckpoint
from nrm.security.keyring import Purpose
from nrm.services import keys
from nrm.services.sequencing import only_sequencer, tree

NOTHING_SIGNED = "nothing was signed yet: run nrm tick with the signer's key file"
_USE = "checkpoint"
_ENDING = ".checkpoint"


def sign(folder: Path) -> Checkpoint | None:
    """Sign what the tree has become since the last checkpoint, and write it to the second place.

    Returns the new checkpoint, or nothing where nothing is new. Raises NotAsSignedError, and signs
    nothing, where the log is not the one that was signed before.
    """
    remembered = newest_in(folder)
    with only_sequencer() as connection:
        new = None if connection is None else _sign_new(connection, remembered)
    last = new or newest()
    if last is not None and (remembered is None or remembered.size < last.size):
        _write(folder, last)
    return new


def newest() -> Checkpoint | None:
    """Return the newest checkpoint of the database; raises UnreadableError if it is damaged."""
    with db.engine.connect() as connection:
        return _newest(connection)


def signing_key(size: int | None = None) -> VerifierKey | None:
    """Return the key that the database names for its newest checkpoint, or for the one of a size.

    It is published as well, elsewhere: whoever checks compares.
    """
    key_line = select(AuditCheckpoint.verifier_key).order_by(AuditCheckpoint.size.desc()).limit(1)
    if size is not None:
        key_line = key_line.where(AuditCheckpoint.size == size)
    with db.engine.connect() as connection:
        key = connection.scalar(key_line)
    return None if key is None else read_key(key)


def newest_in(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint of the second place; raises UnreadableError if it is damaged."""
    files = files_in(folder)
    if not files:
        return None
    try:
        return read_checkpoint_file(files[-1])
    except UnreadableError as error:
        words = f"{files[-1].name} in the second place is damaged: {error}"
        raise UnreadableError(words) from None


def files_in(folder: Path) -> list[Path]:
    """Return the checkpoints of the second place, oldest first: one file for each day."""
    return sorted(folder.glob(f"*{_ENDING}"))


def _sign_new(connection: Connection, remembered: Checkpoint | None) -> Checkpoint | None:
    seeds = _seeds()
    grown, last = tree(connection), _newest(connection)
    if last is not None and remembered is not None and last.origin != remembered.origin:
        raise NotAsSignedError(
            f"the second place holds checkpoints of another log, {remembered.origin}: "
            "nothing is signed"
        )
    for before in (last, remembered):
        if before is not None:
            _refuse_another(grown, before)
    if grown.size == (0 if last is None else last.size):
        return None
    known = last or remembered
    origin = origin_of(seeds[0]) if known is None else known.origin
    moment, root = datetime.now(UTC), grown.root()
    note = signed(origin, grown.size, root, moment, *seeds)
    row = {
        "size": grown.size,
        "root": root,
        "signed_at": moment,
        "verifier_key": str(verifier_key(origin, seeds[0])),
        "note": note,
    }
    connection.execute(insert(AuditCheckpoint), row)
    return read_checkpoint(note)


def _seeds() -> list[bytes]:
    """Return the seeds to sign with: of the primary key, then of one that is being renewed."""
    ring = keys.keyring()
    primary = ring.current_id(Purpose.SIGNING)
    held = [one for one, (purpose, _) in ring.masters.items() if purpose is Purpose.SIGNING]
    held.sort(key=lambda ring_id: (ring_id != primary, ring_id))
    return [ring.derived_from(ring_id, Purpose.SIGNING, _USE) for ring_id in held]


def _refuse_another(grown: Tree, before: Checkpoint) -> None:
    if grown.size < before.size:
        raise NotAsSignedError(
            f"the log has {grown.size} entries in its tree, and {before.size} were signed on "
            f"{before.time:%Y-%m-%d at %H:%M} UTC: nothing is signed"
        )
    if grown.root(before.size) != before.root:
        raise NotAsSignedError(
            f"the log is not the one that was signed on {before.time:%Y-%m-%d at %H:%M} UTC: "
            "nothing is signed"
        )


def _newest(connection: Connection) -> Checkpoint | None:
    newest_note = select(AuditCheckpoint.note).order_by(AuditCheckpoint.size.desc()).limit(1)
    note = connection.scalar(newest_note)
    if note is None:
        return None
    try:
        return read_checkpoint(note)
    except UnreadableError as error:
        words = f"the newest checkpoint in the database is damaged: {error}"
        raise UnreadableError(words) from None


def _write(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the newest checkpoint of a day over the one before, whole or not at all.

    Two signers may write at once, so each has a file of its own until it is whole. Where the
    later of them writes the earlier checkpoint, the next round writes the newer one again.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    path = folder / f"{checkpoint.time:%Y-%m-%d}{_ENDING}"
    new = folder / f"{path.stem}-{uuid4().hex}.new"
    try:
        with new.open("w", encoding="utf-8", newline="\n") as file:
            file.write(str(checkpoint))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
