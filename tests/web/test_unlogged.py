"""When the log does not take an entry, nothing is shown and nothing is done (503)."""

from contextlib import contextmanager

import pytest
from sqlalchemy import func, select

from nrm.db import db
from nrm.models import AuditEntry, AuthSession
from tests import ledger as ledgers
from tests import world as worlds
from tests.page import PageClient
from tests.page_checks import words
from tests.world import CANARIES, PASSWORD, in_world

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@contextmanager
def full_log(world):
    """Let the database itself refuse every entry, and hold that nothing else changes either."""
    before = stored(world)
    with world.entered():
        ledgers.fill_log()
    try:
        yield
    finally:
        with world.entered():
            ledgers.empty_log()
    assert stored(world) == before


@in_world
def stored(world):
    """Give every row of the mechanism, and how many entries and sittings there are."""
    del world
    with db.engine.connect() as connection:
        counts = [
            connection.scalar(select(func.count()).select_from(table))
            for table in (AuditEntry, AuthSession)
        ]
    return ledgers.state(), counts


def shows_nothing(html):
    assert "The system cannot save or read just now" in words(html)
    return not [canary for canary in CANARIES.values() if canary in str(html)]


def test_no_page_of_anybody_shows_what_cannot_be_logged(world, signed_in, counted):
    case, sent = worlds.served(world)
    draft = worlds.draft(world)
    pages = {
        "coordinator": [f"/cases{tail}" for tail in ("", f"/{case}", f"/{case}/consent")],
        "provider": ["/inbox", f"/referrals/{sent}"],
        "first_responder": ["/flags", f"/flags/drafts/{draft}"],
        "administrator": ["/people"],
        "auditor": ["/audit"],
    }
    browsers = {name: signed_in(name) for name in pages}
    for name, paths in pages.items():
        for path in paths:
            browsers[name].get(path)
    with full_log(world):
        for name, paths in pages.items():
            for path in paths:
                assert shows_nothing(browsers[name].get(path, status=503)), path
    browsers["coordinator"].get(f"/cases/{case}")
    asked = sum(map(len, pages.values()))
    counted(f"row 16: {asked} pages of {len(pages)} people while the log takes nothing: 0 shown")


def test_nothing_is_saved_that_cannot_be_logged(world, signed_in):
    case = worlds.flag(world)
    coordinator, auditor = signed_in("coordinator"), signed_in("auditor")
    presumption = coordinator.get(f"/cases/{case}/presume")
    auditor.get("/audit")
    answers = {"basis": ["indicators"], "words": CANARIES["presumption_words"]}
    with full_log(world):
        assert shows_nothing(coordinator.post(f"/cases/{case}/presume", answers, status=503))
        # A table of entries does not even begin to leave.
        assert shows_nothing(auditor.post("/audit/export", status=503))
    # The same form, once there is room again.
    coordinator.html = presumption
    coordinator.post(f"/cases/{case}/presume", answers)


def test_a_refusal_that_cannot_be_logged_says_no_more(world, signed_in):
    provider = signed_in("provider")
    provider.get("/inbox")
    with full_log(world):
        assert shows_nothing(provider.get("/cases", status=503))
        assert shows_nothing(provider.get("/referrals/R-52K-KH3-A", status=503))


def test_nobody_signs_in_unlogged_and_no_slip_stays_unlogged(world, client):
    page = PageClient(client)
    door = page.get("/sign-in")
    tries = (
        (world.email("coordinator"), PASSWORD),
        (world.email("coordinator"), "a wrong password"),
        ("nobody@practice.example", "a wrong password"),
    )
    with full_log(world):
        for email, password in tries:
            page.html = door
            typed = {"email": email, "password": password}
            assert shows_nothing(page.post("/sign-in", typed, status=503))
    page.html = door
    worlds.sign_in(page, world.email("coordinator"))
