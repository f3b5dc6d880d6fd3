"""When the database cannot write, or gives back what it should not hold, nothing is half done."""

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from nrm.db import db
from nrm.domain.errors import DamagedError, LockedError
from nrm.services import casefile, identification, keys, provision
from tests import ledger as ledgers
from tests import world as worlds

sqlite_alone = pytest.mark.databases("sqlite")
postgresql_alone = pytest.mark.databases("postgresql")


@contextmanager
def every_connection(*statements):
    """Run statements on each connection that the program takes from its pool."""

    def prepare(connection, record, proxy):
        del record, proxy
        for statement in statements:
            connection.execute(statement)

    event.listen(db.engine, "checkout", prepare)
    try:
        yield
    finally:
        event.remove(db.engine, "checkout", prepare)


@sqlite_alone
def test_while_another_process_holds_the_database_an_act_is_refused(world, database_url):
    reference = worlds.flag(world)
    actor = world.actor("coordinator")
    file = make_url(database_url).database
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            ledgers.nothing_changes(),
            every_connection("PRAGMA busy_timeout = 50"),
            pytest.raises(OperationalError, match="locked"),
        ):
            presume(world, actor, reference)
        other.execute("ROLLBACK")
    presume(world, actor, reference)


@postgresql_alone
def test_while_another_holds_the_case_too_long_an_act_is_refused(world):
    reference = worlds.flag(world)
    actor = world.actor("coordinator")
    with db.engine.connect() as other:
        other.execute(
            text("SELECT id FROM case_file WHERE reference = :reference FOR UPDATE"),
            {"reference": reference},
        )
        with (
            ledgers.nothing_changes(),
            every_connection("SET lock_timeout = '50ms'"),
            pytest.raises(OperationalError, match="lock timeout"),
        ):
            presume(world, actor, reference)
        other.rollback()
    presume(world, actor, reference)


def presume(world, actor, reference):
    return identification.presume(
        actor, reference, basis=["indicators"], words="Practice.", version=1, pack=world.pack
    )


@sqlite_alone
def test_on_a_full_disk_an_act_is_refused_and_nothing_is_half_written(world, database_url):
    draft = worlds.draft(world, signs={"account": "Practice. " * 1500})
    actor = world.actor("first_responder")
    with closing(sqlite3.connect(make_url(database_url).database)) as other:
        pages = other.execute("PRAGMA page_count").fetchone()[0]
    with (
        ledgers.nothing_changes(),
        every_connection(f"PRAGMA max_page_count = {pages}"),
        pytest.raises(OperationalError, match="full"),
    ):
        for _ in range(50):
            identification.save_page(actor, draft, "signs", {"account": "Practice. " * 1500})
    with every_connection("PRAGMA max_page_count = 1000000"):
        identification.send_flag(actor, draft, world.pack)


def test_a_constraint_of_the_database_leaves_nothing_behind(world):
    reference = worlds.flag(world)
    with (
        ledgers.nothing_changes(),
        refused_by_the_database("INSERT INTO sealed_note"),
        pytest.raises(DBAPIError),
    ):
        presume(world, world.actor("coordinator"), reference)


@contextmanager
def refused_by_the_database(statement):
    """Let the database itself fail at one statement in the midst of an act."""

    def break_it(connection, cursor, sql, parameters, context, executemany):
        del connection, cursor, context, executemany
        return (
            sql.replace("sealed_note", "no_such_table") if statement in sql else sql
        ), parameters

    event.listen(db.engine, "before_cursor_execute", break_it, retval=True)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", break_it)


SEALED = {
    "sealed_compartment": "coordinator",
    "sealed_facts": "coordinator",
    "sealed_envelope": "provider",
    "sealed_note": "provider",
}


@pytest.mark.parametrize("table", SEALED)
@pytest.mark.parametrize("harm", ["flipped", "shortened", "emptied"])
def test_a_sealed_row_that_was_tampered_with_shows_nothing(world, table, harm):
    case, sent = worlds.served(world)
    tamper(table, harm)
    shown = None
    with ledgers.nothing_changes(), pytest.raises(DamagedError):
        shown = (
            casefile.overview(world.actor("coordinator"), case, {"identity": "safety"})
            if SEALED[table] == "coordinator"
            else provision.read(world.actor("provider"), sent)
        )
    assert shown is None


def tamper(table, harm):
    with db.engine.begin() as connection:
        # What an intruder does leaves no entry, and so is done past the guard.
        connection.info["nrm_recorded"] = True
        rows = connection.execute(text(f"SELECT row_id, revision, sealed FROM {table}")).all()
        for row_id, revision, sealed in rows:
            body = bytes(sealed)
            changed = {
                "flipped": body[:-1] + bytes([body[-1] ^ 1]),
                "shortened": body[: len(body) // 2],
                "emptied": b"",
            }[harm]
            connection.execute(
                text(
                    f"UPDATE {table} SET sealed = :sealed WHERE row_id = :row_id"
                    " AND revision = :revision"
                ),
                {"sealed": changed, "row_id": row_id, "revision": revision},
            )


def test_a_sealed_row_that_was_moved_to_another_case_does_not_open(world):
    first, second = worlds.flag(world), worlds.flag(world)
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        rows = connection.execute(
            text("SELECT row_id, sealed FROM sealed_compartment WHERE compartment = 'identity'")
        ).all()
        (one, sealed_one), (two, sealed_two) = rows
        for row_id, sealed in ((one, sealed_two), (two, sealed_one)):
            connection.execute(
                text("UPDATE sealed_compartment SET sealed = :sealed WHERE row_id = :row_id"),
                {"sealed": sealed, "row_id": row_id},
            )
    for reference in (first, second):
        with pytest.raises(DamagedError):
            casefile.overview(world.actor("coordinator"), reference, {"identity": "safety"})


def test_without_its_keys_the_program_shows_nothing(world, settings):
    reference = worlds.flag(world)
    keys.forget()
    with ledgers.nothing_changes(), pytest.raises(LockedError):
        casefile.overview(world.actor("coordinator"), reference, {})
    keys.unlock(settings.key_file)
    assert casefile.overview(world.actor("coordinator"), reference, {}).file.facts


def test_the_key_file_of_another_holder_opens_no_case(world, settings):
    reference = worlds.flag(world)
    keys.unlock(Path(settings.key_file).with_name("statistics.key"))
    with ledgers.nothing_changes(), pytest.raises(LockedError):
        casefile.overview(world.actor("coordinator"), reference, {})
