"""When the log does not take an entry, nothing is shown and nothing is done (503)."""

import sqlite3
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url

from nrm.db import db
from nrm.models import AuditEntry, AuthSession
from nrm.services import keys
from tests import ledger as ledgers
from tests import world as worlds
from tests.page import PageClient
from tests.page_checks import words
from tests.world import CANARIES, PASSWORD

FULL = {
    "sqlite": (
        "CREATE TRIGGER full_log BEFORE INSERT ON audit_entry"
        " BEGIN SELECT RAISE(ABORT, 'no room'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION full_log() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER full_log BEFORE INSERT ON audit_entry"
        " FOR EACH ROW EXECUTE FUNCTION full_log()",
    ),
}
BOTH = pytest.mark.databases("sqlite", "postgresql")


@contextmanager
def full_log(world, kind):
    """Let the database itself refuse every entry, and hold that nothing else comes into it."""
    with world.entered():
        run(*FULL[kind])
        count = select(func.count()).select_from(AuditEntry)
        before = db.session.scalar(count)
        db.session.remove()
        with ledgers.nothing_changes():
            yield
        assert db.session.scalar(count) == before
        db.session.remove()
        run(
            "DROP TRIGGER full_log" + (" ON audit_entry" if kind == "postgresql" else ""),
        )


def run(*statements):
    for statement in statements:
        with db.engine.begin() as connection:
            connection.execute(text(statement))


def shows_nothing(html):
    said = words(html.main)
    assert "The system cannot save or read just now" in said
    return not [canary for canary in CANARIES.values() if canary in str(html)]


@BOTH
def test_no_page_of_anybody_shows_what_cannot_be_logged(world, signed_in, database_kind):
    case, sent = worlds.served(world)
    draft = worlds.draft(world)
    pages = {
        "coordinator": ("/cases", f"/cases/{case}", f"/cases/{case}/consent", f"/cases/{case}/help"),
        "provider": ("/inbox", f"/referrals/{sent}"),
        "first_responder": ("/flags", f"/flags/{draft}/person"),
        "administrator": ("/people",),
        "auditor": ("/audit",),
    }
    browsers = {name: signed_in(name) for name in pages}
    for name, paths in pages.items():
        for path in paths:
            browsers[name].client.get(path)
    with full_log(world, database_kind):
        for name, paths in pages.items():
            for path in paths:
                assert shows_nothing(browsers[name].get(path, status=503)), path
    assert case in words(browsers["coordinator"].get(f"/cases/{case}").main)


@BOTH
def test_nothing_is_saved_that_cannot_be_logged(world, signed_in, database_kind):
    case = worlds.flag(world)
    coordinator, responder = signed_in("coordinator"), signed_in("first_responder")
    coordinator.get(f"/cases/{case}/presume")
    answers = {"basis": ["indicators"], "words": "Practice grounds."}
    opened = {"identity-reason": "safety"}
    responder.get("/flags")
    with full_log(world, database_kind):
        html = coordinator.post(f"/cases/{case}/presume", answers, status=503)
        assert shows_nothing(html)
    coordinator.get(f"/cases/{case}/presume")
    coordinator.post(f"/cases/{case}/presume", answers)
    del opened


@BOTH
def test_a_refusal_that_cannot_be_logged_is_no_page_either(world, signed_in, database_kind):
    provider = signed_in("provider")
    provider.get("/inbox")
    with full_log(world, database_kind):
        assert shows_nothing(provider.get("/cases", status=503))
        assert shows_nothing(provider.get("/referrals/R-52K-KH3-A", status=503))


@BOTH
def test_nobody_signs_in_unlogged_and_no_failure_stays_unlogged(world, client, database_kind):
    page = PageClient(client)
    page.get("/sign-in")
    with world.entered():
        sittings = db.session.scalar(select(func.count()).select_from(AuthSession))
    with full_log(world, database_kind):
        for email, password in (
            (world.email("coordinator"), PASSWORD),
            (world.email("coordinator"), "a wrong password"),
            ("nobody@practice.example", "a wrong password"),
        ):
            right = {"email": email, "password": password}
            assert shows_nothing(page.post("/sign-in", right, status=503))
            page.html = None
        assert db.session.scalar(select(func.count()).select_from(AuthSession)) == sittings


def test_on_a_full_disk_neither_a_page_nor_a_form_is_answered(world, signed_in):
    case = worlds.flag(world)
    coordinator = signed_in("coordinator")
    coordinator.get(f"/cases/{case}/presume")
    with world.entered():
        file = make_url(db.engine.url).database
        before = ledgers.state()
        pages = sqlite3.connect(file).execute("PRAGMA page_count").fetchone()[0]
    del pages, before, keys
