"""What PostgreSQL itself refuses to each process, tried out as each of them."""

import contextlib
import re

import pytest
from psycopg.errors import InsufficientPrivilege, RaiseException
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import RefusedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry, Base
from nrm.services import database_roles, log_check, log_rows
from nrm.services.audit import record
from nrm.services.database_roles import (
    APP,
    BACKUP,
    GRANTS,
    OWNER,
    READER,
    ROLES,
    SEQUENCER,
    STATISTICS,
)
from tests import databases, ledger, roles

pytestmark = pytest.mark.databases("postgresql")

ENTRY = AuditEntry.__table__
NARROW = [role for role in ROLES if role != OWNER]
SEALED = sorted(name for name in Base.metadata.tables if name.startswith("sealed_"))
# What opens sealed rows, together with a key file.
WRAPPED = ["case_key", "facts_key"]
HARM = (
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "DROP TABLE audit_entry",
    "DROP FUNCTION audit_entry_append_only",
    "UPDATE audit_checkpoint SET note = ''",
    "DELETE FROM audit_checkpoint",
    "DELETE FROM audit_tile",
    "DELETE FROM audit_cosignature",
    "DELETE FROM audit_sight",
    "DELETE FROM departure",
)


@pytest.fixture
def applied(app, world):
    """Give the database its roles, with a world in it and an entry that has its place."""
    del world
    roles.give(app)


@contextlib.contextmanager
def be(role):
    """Be another process for one transaction, with no way back to who opened the connection."""
    engine = create_engine(db.engine.url)
    try:
        with engine.connect() as connection:
            connection.execute(text(f"SET SESSION AUTHORIZATION {role}"))
            yield connection
    finally:
        engine.dispose()


def denied(role, statement):
    """Assert that the grants refuse a statement, before any trigger has to."""
    with be(role) as connection, pytest.raises(DBAPIError) as refusal:
        connection.execute(text(statement))
    assert isinstance(refusal.value.orig, InsufficientPrivilege), f"{role}: {statement}"
    return 1


def readable(role, tables):
    return [table for table in tables if allows(role, f"SELECT * FROM {table}")]


def allows(role, statement):
    try:
        with be(role) as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            return False
        raise
    return True


def granted():
    """Read from the database who may do what with which column; all of a table's is `*`."""
    found = text(
        "SELECT relname, '*', pg_get_userbyid(grantee), privilege_type"
        " FROM pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner)))"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " UNION ALL SELECT relname, attname, pg_get_userbyid(grantee), privilege_type"
        " FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)"
        " WHERE relnamespace = 'public'::regnamespace"
    )
    with db.engine.connect() as connection:
        return {tuple(row) for row in connection.execute(found) if row[2] != OWNER}


def wanted():
    """Read the same from the table of the program."""
    rights = {(table, "*", BACKUP, "SELECT") for table in GRANTS}
    for table, by_role in GRANTS.items():
        for role, words in by_role.items():
            for word, columns in re.findall(r"(\w+)(?: \(([^)]*)\))?(?:, |$)", words):
                named = columns.split(", ") if columns else ["*"]
                rights |= {(table, column, role, word) for column in named}
    return rights


def test_every_table_has_its_line():
    """A new table is nobody's until somebody decides whose it is."""
    assert set(GRANTS) == {*Base.metadata.tables, "alembic_version"}
    assert all(set(by_role) <= {*NARROW} - {BACKUP} for by_role in GRANTS.values())


def test_each_role_has_what_the_table_says_and_nothing_else(app, applied):
    del applied
    assert granted() == wanted()
    # Whatever somebody has added or taken away meanwhile is as before after the next run.
    with db.engine.begin() as connection:
        for statement in (
            "GRANT DELETE, TRUNCATE, TRIGGER ON audit_entry TO nrm_app",
            "GRANT UPDATE (detail) ON audit_entry TO nrm_app WITH GRANT OPTION",
            "GRANT SELECT ON sealed_note TO PUBLIC",
            "GRANT CREATE ON SCHEMA public TO PUBLIC",
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO nrm_reader",
            "REVOKE INSERT ON audit_entry FROM nrm_app",
            "ALTER TABLE referral OWNER TO CURRENT_USER",
        ):
            connection.execute(text(statement))
    assert granted() != wanted()
    roles.give(app)
    assert granted() == wanted()
    assert owners() == {OWNER}
    assert numbers_given_to(READER) == {"audit_entry_seq_seq"}
    assert numbers_given_to(APP) == {"audit_entry_seq_seq", "case_key_id_seq", "facts_key_id_seq"}


def owners():
    """Say whose the tables, their numbers and what their triggers call are."""
    found = text(
        "SELECT relowner::regrole::text FROM pg_class"
        " WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace"
        " UNION SELECT proowner::regrole::text FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace"
        " UNION SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
    )
    with db.engine.connect() as connection:
        return set(connection.scalars(found))


def numbers_given_to(role):
    found = text(
        "SELECT sequencename FROM pg_sequences"
        " WHERE has_sequence_privilege(:role, quote_ident(sequencename), 'USAGE')"
    )
    with db.engine.connect() as connection:
        return set(connection.scalars(found, {"role": role}))


def test_a_role_has_no_way_around_its_grants(app, applied):
    """Roles belong to the whole server, so nobody else's test looks at them meanwhile."""
    del applied
    at_once = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with roles.alone(), at_once.connect() as connection:
        connection.execute(text("ALTER ROLE nrm_statistics BYPASSRLS CREATEDB CREATEROLE"))
        connection.execute(text("GRANT nrm_app, pg_read_all_data TO nrm_statistics"))
        with app.app_context():
            database_roles.apply()
        strong = connection.execute(
            text(
                "SELECT rolname FROM pg_roles WHERE rolname LIKE 'nrm%' AND (NOT rolcanlogin OR"
                " rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)"
            )
        ).all()
        member = "SELECT pg_has_role('nrm_statistics', 'nrm_app', 'MEMBER')"
        assert (strong, connection.scalar(text(member))) == ([], False)
    for role in NARROW:
        assert denied(role, f"SET ROLE {OWNER}")
        assert denied(role, "CREATE TABLE mine (id INTEGER)")
        assert denied(role, "CREATE TEMPORARY TABLE mine (id INTEGER)")
        assert denied(role, "CREATE SCHEMA mine")
        assert denied(role, "SET session_replication_role = replica")


def test_no_process_alters_the_log(applied, counted):
    """Row 17 of the table of attacks: every column, every role, three ways."""
    del applied
    before = all_entries()
    attempts = 0
    for role in NARROW:
        for column in ENTRY.columns:
            if (role, column.name) != (SEQUENCER, "leaf_index"):
                attempts += denied(role, f'UPDATE audit_entry SET "{column.name}" = NULL')
        attempts += sum(denied(role, statement) for statement in HARM)
    assert all_entries() == before
    assert log_check.verify(lambda _: None).findings == []
    counted(f"row 17: {attempts} attempts to alter the log as {len(NARROW)} roles, all denied")


def all_entries():
    with db.engine.connect() as connection:
        return connection.execute(ENTRY.select().order_by(ENTRY.c.seq)).all()


def test_the_owner_itself_meets_the_triggers(applied):
    del applied
    for statement in (
        "UPDATE audit_entry SET purpose = 'other'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
    ):
        with be(OWNER) as connection, pytest.raises(DBAPIError, match="append-only") as refusal:
            connection.execute(text(statement))
        assert isinstance(refusal.value.orig, RaiseException)


def test_the_signer_gives_an_entry_its_place_once_and_that_is_all(applied):
    del applied
    place = "UPDATE audit_entry SET leaf_index = {} WHERE seq = (SELECT min(seq) FROM audit_entry)"
    with be(SEQUENCER) as connection:
        connection.execute(text(place.format(0)))
        with pytest.raises(DBAPIError, match="keeps its place"):
            connection.execute(text(place.format(1)))
    others = sorted({*Base.metadata.tables} - {"audit_entry"})
    assert readable(SEQUENCER, others) == [
        *("audit_checkpoint", "audit_tile", "departure"),
        *("key_holder", "key_ring", "sealed_master_key"),
    ]


def test_the_statistics_process_reads_the_facts_and_nothing_else_that_is_sealed(applied):
    del applied
    keys = ["facts_key", "key_holder", "key_ring", "sealed_master_key"]
    facts = ["facts_head", "sealed_facts", "sealed_facts_event"]
    made = ["release", "release_cell", "release_progress", "release_signature"]
    assert readable(STATISTICS, Base.metadata.tables) == [
        table for table in Base.metadata.tables if table in {*keys, *facts, *made}
    ]
    assert readable(STATISTICS, [*SEALED, *WRAPPED]) == [
        *("sealed_facts", "sealed_facts_event", "sealed_master_key", "facts_key"),
    ]
    assert denied(STATISTICS, "SELECT purpose FROM audit_entry")
    writes_and_reads_nothing = (
        "INSERT INTO audit_entry (id, occurred_at, actor_role, session_ref, action, subject_type,"
        " compartments, purpose, outcome, rows, detail_sha256, leaf_hash) SELECT gen_random_uuid(),"
        " now(), 'system', '', 'case:list', 'none', '', '', 'done', '[]', '', '' RETURNING seq"
    )
    assert allows(STATISTICS, writes_and_reads_nothing)


def test_the_readers_process_knows_accounts_and_no_case(applied):
    del applied
    assert readable(READER, [*SEALED, *WRAPPED, "case_file", "referral", "name_token"]) == [
        "sealed_master_key"
    ]
    # Nobody becomes somebody else through it.
    for column in ("role", "password_hash", "disabled_at"):
        assert denied(READER, f"UPDATE account SET {column} = {column}")


def test_the_backup_reads_all_and_changes_nothing(app, applied, settings):
    del applied
    tables = [*Base.metadata.tables, "alembic_version"]
    assert readable(BACKUP, tables) == tables
    assert sum(denied(BACKUP, f"DELETE FROM {table}") for table in tables) == len(tables)
    # Whoever checks the log needs no more than the backup has.
    del app
    checker = create_app(roles.settings_of(settings, BACKUP), unlock=False)
    with checker.app_context():
        assert log_check.verify(lambda _: None).findings == []
        assert log_rows.check(lambda *_: None).findings == {}
        db.engine.dispose()


def test_whoever_runs_the_console_is_the_owner(applied, settings):
    """After a migration the owner sets the roles again; it needs no superuser for that."""
    del applied
    owner = create_app(roles.settings_of(settings, OWNER), unlock=False)
    with owner.app_context():
        with db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE of_a_later_migration (id INTEGER)"))
        book = ledger.Ledger()
        assert database_roles.apply() == []
        assert book.only().action == "database:roles"
        db.engine.dispose()
    assert [role for role in NARROW if readable(role, ["of_a_later_migration"])] == [BACKUP]


def test_nobody_else_sets_roles_and_nothing_is_half_done(applied, settings):
    del applied
    before = granted()
    for role in NARROW:
        other = create_app(roles.settings_of(settings, role), unlock=False)
        with other.app_context():
            with pytest.raises(RefusedError, match="it takes a superuser"):
                database_roles.apply()
            db.session.remove()
            db.engine.dispose()
    assert granted() == before


def test_a_role_that_another_database_made_meanwhile_is_taken_as_it_is(applied):
    del applied
    with unit_of_work() as unit:
        database_roles._make(APP)
        record(unit, HOUSEKEEPING, Action.DATABASE_ROLES)


def test_somebody_elses_rights_are_told_and_left(app, applied):
    """A role of the ministry's own, which reads a list: not ours to take, and not to be hidden."""
    del applied
    with db.engine.begin() as connection:
        connection.execute(text("GRANT SELECT ON organisation TO pg_monitor"))
        connection.execute(text("GRANT UPDATE (detail) ON audit_entry TO pg_signal_backend"))
    assert roles.give(app) == ["pg_monitor", "pg_signal_backend"]
    with roles.alone(), db.engine.connect() as connection, connection.begin() as undone:
        connection.execute(text("GRANT nrm_owner TO pg_checkpoint"))
        assert "pg_checkpoint" in connection.scalars(database_roles._OUTSIDERS).all()
        undone.rollback()


def test_the_document_shows_the_same_table():
    shown = (databases.ROOT / "docs/security/database.md").read_text(encoding="utf-8")
    for table, by_role in GRANTS.items():
        for role, words in by_role.items():
            (line,) = [line for line in shown.splitlines() if line.startswith(f"| `{table}` ")]
            assert f"{role.removeprefix('nrm_')}: {words.lower()}" in line, (table, role)
