"""The log in the hands of its signer, and in those of somebody who holds the whole database."""

import contextlib
import hashlib
from datetime import UTC, datetime

from sqlalchemy import insert, text

from nrm.audit.checkpoint import signed, verifier_key
from nrm.audit.entry import leaf_hash
from nrm.audit.tree import Tree, grown
from nrm.db import db
from nrm.models import AuditCheckpoint, AuditEntry, AuditTile
from nrm.security.keyfile import Holder, read_key_file
from nrm.security.keyring import Purpose
from nrm.services import checkpoints, keys, sequencing
from nrm.services.audit import entry_of

ENTRIES = AuditEntry.__table__


@contextlib.contextmanager
def signer_of(settings):
    """Be the process of the signer, and the web process again afterwards."""
    folder = settings.key_file.parent
    keys.unlock(read_key_file(folder / f"{Holder.SIGNER}.key"))
    try:
        yield
    finally:
        keys.unlock(read_key_file(folder / f"{Holder.WEB}.key"))


def sign(settings, folder):
    """Put what waits into the tree and sign it."""
    with signer_of(settings):
        sequencing.sequence()
        return checkpoints.sign(folder)


def signing_seed(settings):
    with signer_of(settings):
        return keys.keyring().derived(Purpose.SIGNING, "checkpoint")[1]


@contextlib.contextmanager
def owner():
    """Hold the database as whoever owns it does: past the triggers."""
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            found = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'"
            for trigger in connection.scalars(text(found)).all():
                connection.execute(text(f"DROP TRIGGER {trigger}"))
        yield connection


def entries():
    """Give every entry in the order of the tree, as plain columns."""
    with db.engine.connect() as connection:
        rows = connection.execute(ENTRIES.select().order_by(ENTRIES.c.leaf_index)).mappings()
        return [dict(row) for row in rows]


def rewrite(rows, forge=None):
    """Put these entries in the place of all, with a tree over them and one forged checkpoint.

    Leaves are what the rows say; `forge` is (origin, seed, size) of the checkpoint.
    """
    tiles = {}
    for place, row in enumerate(rows):
        row["leaf_index"] = place
    leaves = [row["leaf_hash"] for row in rows]
    tiles.update(grown(0, leaves, lambda *_: b""))
    with owner() as connection:
        for table in ("audit_cosignature", "audit_checkpoint", "audit_tile", "audit_entry"):
            connection.execute(text(f"DELETE FROM {table}"))
        if rows:
            connection.execute(insert(ENTRIES), rows)
            connection.execute(
                insert(AuditTile),
                [{"level": at[0], "position": at[1], "hashes": tiles[at]} for at in tiles],
            )
        if forge is not None and rows:
            origin, seed = forge
            root = Tree(len(rows), lambda *at: tiles.get(at, b"")).root()
            moment = datetime.now(UTC)
            connection.execute(
                insert(AuditCheckpoint),
                {
                    "size": len(rows),
                    "root": root,
                    "signed_at": moment,
                    "verifier_key": str(verifier_key(origin, seed)),
                    "note": signed(origin, len(rows), root, moment, seed),
                },
            )


def altered(row, **values):
    """Change an entry and compute its leaf anew, as somebody would who knows how."""
    row = {**row, **values}
    return row | {"leaf_hash": leaf_hash(entry_of(row))}


def tiles_fit():
    """Say whether the stored tiles are those of the tree of the entries."""
    rows = [row for row in entries() if row["leaf_index"] is not None]
    expected = grown(0, [row["leaf_hash"] for row in rows], lambda *_: b"")
    with db.engine.connect() as connection:
        stored = {
            (tile.level, tile.position): tile.hashes
            for tile in connection.execute(AuditTile.__table__.select())
        }
    return stored == expected


def digest(number):
    return hashlib.sha256(str(number).encode()).digest()
