"""When the database cannot write, or gives back what it should not hold, nothing is half done."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, func, make_url, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from nrm.application import root
from nrm.db import db
from nrm.domain.errors import DamagedError, LockedError, UnloggedError
from nrm.domain.lifecycle import ReferralState
from nrm.models import AuthSession, Base
from nrm.security.keyfile import Holder, KeyFileError, create_key_file, read_key_file
from nrm.services import casefile, identification, keys, provision
from nrm.services import sign_in as signing_in
from tests import ledger as ledgers
from tests import world as worlds
from tests.databases import ROOT

sqlite_alone = pytest.mark.databases("sqlite")
HERE = "192.0.2.1"
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
    keys.unlock(root(settings))
    assert casefile.overview(world.actor("coordinator"), reference, {}).file.facts


def test_the_key_file_of_another_holder_opens_no_case(world, settings):
    reference = worlds.flag(world)
    keys.unlock(read_key_file(settings.key_file.with_name("statistics.key")))
    with ledgers.nothing_changes(), pytest.raises(LockedError):
        casefile.overview(world.actor("coordinator"), reference, {})


@contextmanager
def without_the_log():
    """Take the table of the log away, so that the database itself refuses every entry."""
    db.session.rollback()
    behind_the_guard("ALTER TABLE audit_entry RENAME TO audit_entry_away")
    try:
        yield
    finally:
        db.session.rollback()
        behind_the_guard("ALTER TABLE audit_entry_away RENAME TO audit_entry")


def behind_the_guard(statement, **values):
    """Do what an intruder with the database's own password could do: it leaves no entry."""
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        return connection.execute(text(statement), values).rowcount


def test_without_its_log_the_program_neither_acts_nor_shows(world):
    flagged, draft = worlds.flag(world), worlds.draft(world)
    case, sent = worlds.referred(world)
    coordinator, provider = world.actor("coordinator"), world.actor("provider")
    responder = world.actor("first_responder")
    attempts = (
        lambda: presume(world, coordinator, flagged),
        lambda: casefile.overview(coordinator, case, {"identity": "safety"}),
        lambda: casefile.worklist(coordinator, casefile.Queue.ALL),
        lambda: provision.accept(provider, sent, world.pack),
        lambda: provision.inbox(provider, ReferralState.SENT),
        lambda: identification.save_page(responder, draft, "signs", {"account": "Practice."}),
        lambda: identification.send_flag(responder, draft, world.pack),
        lambda: signing_in.password(world.email("coordinator"), worlds.PASSWORD, HERE, None),
        lambda: signing_in.password(world.email("coordinator"), "wrong", HERE, None),
    )
    sittings = select(func.count()).select_from(AuthSession)
    shown = []
    with ledgers.nothing_changes(), without_the_log():
        for attempt in attempts:
            with pytest.raises((DBAPIError, UnloggedError)):
                shown.append(attempt())
        assert db.session.scalar(sittings) == 0
    assert shown == []
    presume(world, coordinator, flagged)


@sqlite_alone
def test_wherever_the_disk_becomes_full_in_an_act_nothing_of_it_stays(world, database_url):
    """The disk ends after one page more each time, until the act has all the room it needs."""
    draft = worlds.draft(world, signs={"account": "Practice. " * 1500})
    actor = world.actor("first_responder")
    file = make_url(database_url).database
    with closing(sqlite3.connect(file)) as other:
        pages = other.execute("PRAGMA page_count").fetchone()[0]
    refused, sent = 0, None
    while sent is None:
        with every_connection(f"PRAGMA max_page_count = {pages + refused}"):
            before = ledgers.state()
            try:
                sent = identification.send_flag(actor, draft, world.pack)
            except (OperationalError, UnloggedError):
                refused += 1
                assert ledgers.state() == before
    assert refused > 0
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert other.execute("PRAGMA foreign_key_check").fetchall() == []


# The child has room for ten pages in memory, so that what it writes reaches the disk before its
# end, and dies by a signal that no program can catch.
DIES = """
import os, signal, sys
from uuid import UUID
from sqlalchemy import event
from config import Environment, Settings
from nrm import country
from nrm.application import create_app
from nrm.db import db
from nrm.domain.roles import Actor, Role
from nrm.services import identification

url, key_file, instance, when, account, organisation, draft = sys.argv[1:]
from pathlib import Path
app = create_app(Settings(Environment.TEST, Path(instance), url, Path(key_file)))

def die(connection):
    os.kill(os.getpid(), signal.SIGKILL)

with app.app_context():
    event.listen(db.engine, "connect", lambda c, _: c.execute("PRAGMA cache_size = 10"))
    if when == "before its commit":
        event.listen(db.engine, "commit", die)
    actor = Actor(UUID(account), UUID(organisation), Role.FIRST_RESPONDER)
    identification.send_flag(actor, UUID(draft), country.load("rw"))
    die(None)
"""


@sqlite_alone
@pytest.mark.parametrize("when", ["before its commit", "after its commit"])
def test_a_process_that_is_killed_in_an_act_leaves_all_of_it_or_nothing(world, settings, when):
    draft = worlds.draft(world, signs={"account": "Practice. " * 20_000})
    actor = world.actor("first_responder")
    file = make_url(settings.database_url).database
    db.session.remove()
    before, entries = ledgers.state(), ledgers.Ledger()
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            DIES,
            settings.database_url,
            settings.key_file,
            settings.instance,
            when,
            str(actor.id),
            str(actor.organisation_id),
            str(draft),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    # It died with a part of its work on the disk.
    assert Path(f"{file}-wal").stat().st_size > 0
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    if when == "before its commit":
        assert (ledgers.state(), entries.actions()) == (before, [])
        identification.send_flag(actor, draft, world.pack)
    assert entries.actions() == ["case:flag"]
    (flagged,) = identification.my_flags(actor).flags
    assert casefile.overview(world.actor("coordinator"), flagged.reference, {}).file.facts


def the_file(world, case, sent):
    del sent
    return casefile.overview(world.actor("coordinator"), case, {"identity": "safety"})


def the_worklist(world, case, sent):
    del case, sent
    return casefile.worklist(world.actor("coordinator"), casefile.Queue.ALL)


def the_referral(world, case, sent):
    del case
    return provision.read(world.actor("provider"), sent)


def the_inbox(world, case, sent):
    del case, sent
    return provision.inbox(world.actor("provider"), ReferralState.ACCEPTED)


# What an intruder does to the rows of a case, how the program sees it, and who is shown nothing.
AN_EARLIER_REVISION = """
UPDATE sealed_facts SET sealed = (
    SELECT earlier.sealed FROM sealed_facts AS earlier
    WHERE earlier.row_id = sealed_facts.row_id AND earlier.revision = 1
) WHERE revision = 2
"""
ANOTHER_COMPARTMENT = """
UPDATE sealed_compartment SET sealed = (
    SELECT other.sealed FROM sealed_compartment AS other
    WHERE other.case_id = sealed_compartment.case_id AND other.compartment = 'health'
) WHERE compartment = 'contact'
"""
NEVER_WRITTEN = "UPDATE compartment_head SET current_revision = 2"
ROW_GONE = "DELETE FROM sealed_compartment WHERE compartment = 'contact'"
FACTS_GONE = "DELETE FROM sealed_facts"
ENVELOPE_GONE = "DELETE FROM sealed_envelope"
CASE_KEY_GONE = "DELETE FROM case_key"
FACTS_KEY_GONE = "DELETE FROM facts_key"
OTHER_KEY = "UPDATE case_key SET wrapped = (SELECT wrapped FROM facts_key LIMIT 1)"
OTHER_PURPOSE = "UPDATE case_key SET ring_id = (SELECT ring_id FROM facts_key LIMIT 1)"
HARM = (
    (AN_EARLIER_REVISION, DamagedError, (the_file, the_worklist)),
    (ANOTHER_COMPARTMENT, DamagedError, (the_file, the_referral)),
    (NEVER_WRITTEN, DamagedError, (the_file, the_referral)),
    (ROW_GONE, DamagedError, (the_file, the_referral)),
    (FACTS_GONE, DamagedError, (the_file, the_worklist)),
    (ENVELOPE_GONE, DamagedError, (the_referral, the_inbox)),
    (CASE_KEY_GONE, LockedError, (the_file, the_referral, the_inbox)),
    (FACTS_KEY_GONE, LockedError, (the_file, the_worklist)),
    (OTHER_KEY, LockedError, (the_file, the_referral, the_inbox)),
    (OTHER_PURPOSE, LockedError, (the_file, the_referral, the_inbox)),
)


def test_what_was_exchanged_or_taken_away_in_the_database_shows_nothing(world):
    case, sent = worlds.accepted(world)
    db.session.remove()
    for statement, error, looks in HARM:
        with harmed(statement), ledgers.nothing_changes():
            for look in looks:
                shown = None
                with pytest.raises(error):
                    shown = look(world, case, sent)
                assert shown is None
    for look in (the_file, the_worklist, the_referral, the_inbox):
        assert look(world, case, sent)


@contextmanager
def harmed(statement):
    """Change the database behind the guard, and put it back as it was."""
    tables = [table for table in Base.metadata.sorted_tables if f" {table.name}" in statement]
    with db.engine.connect() as connection:
        kept = {table: connection.execute(select(table)).all() for table in tables}
    assert behind_the_guard(statement)
    try:
        yield
    finally:
        db.session.remove()
        with db.engine.begin() as connection:
            connection.info["nrm_recorded"] = True
            for table, rows in kept.items():
                connection.execute(table.delete())
                connection.execute(table.insert(), [row._asdict() for row in rows])


def test_a_draft_that_was_put_back_to_what_it_held_before_does_not_open(world):
    draft = worlds.draft(world)
    assert behind_the_guard(
        "UPDATE sealed_draft SET sealed = (SELECT earlier.sealed FROM sealed_draft AS earlier"
        " WHERE earlier.revision = 3) WHERE revision > 3"
    )
    with ledgers.nothing_changes(), pytest.raises(DamagedError):
        identification.read_draft(world.actor("first_responder"), draft)


def test_a_draft_whose_newest_words_were_taken_away_is_damaged(world):
    draft = worlds.draft(world)
    assert behind_the_guard(
        "DELETE FROM sealed_draft WHERE revision = (SELECT max(revision) FROM sealed_draft)"
    )
    with ledgers.nothing_changes(), pytest.raises(DamagedError):
        identification.read_draft(world.actor("first_responder"), draft)


def test_no_key_file_but_its_own_unlocks_a_database(world, settings, tmp_path):
    """The keys of another installation, or none at all, leave everything closed."""
    reference = worlds.flag(world)
    create_key_file(tmp_path / "other" / "web.key", Holder.WEB)
    keys.forget()
    for name in ("other/web.key", "missing.key"):
        with pytest.raises(KeyFileError):
            keys.unlock(read_key_file(tmp_path / name))
        with ledgers.nothing_changes(), pytest.raises(LockedError):
            casefile.overview(world.actor("coordinator"), reference, {})
        with ledgers.nothing_changes(), pytest.raises(LockedError):
            worlds.draft(world)
    keys.unlock(root(settings))
    assert casefile.overview(world.actor("coordinator"), reference, {}).file.facts
