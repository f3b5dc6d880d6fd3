"""What an act left behind: its entries in the log, and every row of every other table."""

import hashlib
import json
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import event, func, select, text

from nrm.audit.entry import Entry, leaf_hash
from nrm.db import db
from nrm.models import AuditEntry, Base
from nrm.security.keyring import Purpose
from nrm.security.sealing import Place, sealed_key_id, unseal
from nrm.services import keys

# The log grows by reading, a sitting's clock moves by clicking, and every try to sign in is
# counted; none of it is a change of state.
NOT_STATE = {"audit_entry", "auth_session", "sign_in_delay"}

# The database refuses the entry by itself, as it does when a table has no room left.
_REFUSE = "CREATE TRIGGER full_log BEFORE INSERT ON audit_entry "
_FUNCTION = """
CREATE FUNCTION full_log() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$
"""
_FULL = {
    "sqlite": (f"{_REFUSE} BEGIN SELECT RAISE(ABORT, 'no room'); END",),
    "postgresql": (_FUNCTION, f"{_REFUSE} FOR EACH ROW EXECUTE FUNCTION full_log()"),
}
_EMPTIED = {
    "sqlite": ("DROP TRIGGER full_log",),
    "postgresql": ("DROP TRIGGER full_log ON audit_entry", "DROP FUNCTION full_log()"),
}

# Every table whose rows are sealed, by what a row of the log calls them: their own id.
SEALED_TABLES = [table for table in Base.metadata.sorted_tables if "sealed" in table.columns]


class Ledger:
    """The entries that were written since it was opened."""

    def __init__(self):
        with db.engine.connect() as connection:
            self.last = connection.scalar(select(func.max(AuditEntry.seq))) or 0

    def entries(self):
        with db.engine.connect() as connection:
            return connection.execute(
                select(AuditEntry.__table__)
                .where(AuditEntry.seq > self.last)
                .order_by(AuditEntry.seq)
            ).all()

    def actions(self):
        return [entry.action for entry in self.entries()]

    def only(self):
        """Give the one entry there is."""
        entries = self.entries()
        assert len(entries) == 1, f"entries instead of one: {self.actions()}"
        return entries[0]


def detail(entry):
    """Unseal what an entry says of its fields and counts."""
    if entry.detail is None:
        return {}
    assert hashlib.sha256(entry.detail).hexdigest() == entry.detail_sha256
    ring_id = sealed_key_id(entry.detail)
    key = keys.keyring().derived_from(ring_id, Purpose.LOG, "entry detail")
    return unseal(key, Place("audit_entry", entry.id, "detail", 1, ring_id), entry.detail)


def true_leaf(entry):
    """Compute what the entry's leaf must be."""
    said = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    return leaf_hash(Entry(**said))


def rows_touched(entry):
    """List the sealed rows that an entry names: (id, revision) to hash, None where it was read."""
    return {
        (UUID(row_id), revision): hashed[0] if hashed else None
        for row_id, revision, *hashed in json.loads(entry.rows)
    }


def sealed_rows():
    """List every sealed row that is stored: (id, revision) to the hash of its ciphertext."""
    found = {}
    with db.engine.connect() as connection:
        for table in SEALED_TABLES:
            if "row_id" in table.columns:
                query = select(table.c.row_id, table.c.revision, table.c.sealed)
                for row_id, revision, sealed in connection.execute(query):
                    found[row_id, revision] = hashlib.sha256(sealed).hexdigest()
    return found


def state():
    """Give every row of every table but the log and the sittings, to compare with later."""
    with db.engine.connect() as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for table in Base.metadata.sorted_tables
            if table.name not in NOT_STATE
        }


@contextmanager
def nothing_changes():
    """Assert that no row of the mechanism changes, whatever happens inside."""
    before = state()
    yield
    after = state()
    changed = [name for name, rows in before.items() if rows != after[name]]
    assert not changed, f"changed: {', '.join(changed)}"


@contextmanager
def full_log():
    """Let the database itself refuse every new entry of the log, while this lasts."""
    fill_log()
    try:
        yield
    finally:
        empty_log()


def fill_log():
    _as_the_owner(_FULL)


def empty_log():
    _as_the_owner(_EMPTIED)


def _as_the_owner(statements):
    db.session.remove()
    for statement in statements[db.engine.dialect.name]:
        with db.engine.begin() as connection:
            connection.execute(text(statement))


@contextmanager
def broken_log():
    """Let something fail where an entry of the log is about to be written."""

    def refuse(connection, cursor, statement, parameters, context, executemany):
        del connection, cursor, parameters, context, executemany
        if "INSERT INTO audit_entry" in statement:
            raise LogRefusedError

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


class LogRefusedError(Exception):
    """Stands for whatever keeps an entry from being written."""
