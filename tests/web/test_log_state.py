"""How the log stands, and signs worth a look, as the auditor sees them."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, make_url

from nrm.audit.actions import Action
from nrm.db import acting_at, db, unit_of_work
from nrm.domain.errors import Subject
from nrm.security.keyfile import read_key_file
from nrm.services import keys, log_keeping
from nrm.services.audit import record
from nrm.web import log_state
from tests.page_checks import words
from tests.world import in_world

MOST_STATEMENTS = 16


@pytest.fixture
def page(signed_in):
    return signed_in("auditor")


@in_world
def sign(world, folder):
    files = Path(world.app.config["NRM"].key_file).parent
    keys.unlock(read_key_file(files / "signer.key"))
    try:
        return log_keeping.keep(folder, "", "").checkpoint
    finally:
        keys.unlock(read_key_file(files / "web.key"))


@in_world
def act(world, action, moment, case_id=None):
    with acting_at(moment), unit_of_work() as unit:
        record(unit, world.actor("coordinator"), action, Subject("case", case_id, case_id))


def test_a_log_that_was_never_signed_says_so(page, monkeypatch):
    # However long ago the world of this run was made.
    monkeypatch.setattr(log_state, "_SIGNED_IN", timedelta(days=1))
    page.get("/audit/state")
    assert "The log was never signed." in words(page.html)


def test_a_signed_log_shows_what_its_checkpoint_covers(world, page, tmp_path):
    checkpoint = sign(world, tmp_path)
    page.get("/audit/state")
    text = words(page.html)
    assert f"the first {checkpoint.size} entries" in text
    assert checkpoint.origin in text
    assert checkpoint.root.hex() in text.replace(" ", "")
    assert f"verify.py log.bundle --root {checkpoint.size} {checkpoint.root.hex()[:4]} " in text
    assert "Every entry of the log is signed." in text
    assert "No other institution cosigns the log yet." in text
    # That it was read is an entry as well.
    page.get("/audit/state")
    assert "The newest entries wait for the next round" in words(page.html)


@pytest.mark.parametrize("column", ["note", "verifier_key"])
def test_a_damaged_checkpoint_is_said_and_the_page_is_there(world, page, tmp_path, column):
    sign(world, tmp_path)
    with sqlite3.connect(make_url(world.app.config["NRM"].database_url).database) as connection:
        connection.execute("DROP TRIGGER audit_checkpoint_no_update")
        connection.execute(f"UPDATE audit_checkpoint SET {column} = 'x'")
    connection.close()
    page.get("/audit/state")
    text = words(page.html)
    assert "The newest checkpoint is damaged." in text
    assert "The log is signed." not in text
    assert "wait to be signed" not in text
    assert "--root" not in text


def test_a_log_that_nobody_signs_any_more_says_since_when(world, page, tmp_path):
    sign(world, tmp_path)
    act(world, Action.CASE_LIST, datetime(2026, 1, 12, 8, tzinfo=UTC))
    page.get("/audit/state")
    assert "Since 12 Jan 2026, 10:00 nothing was signed." in words(page.html)


def test_signs_lead_to_what_the_account_did_that_day(world, page):
    moment = datetime(2026, 1, 17, 8, tzinfo=UTC)
    act(world, Action.CASE_OPEN, moment, world.actor("coordinator").id)
    page.get("/audit/signs?week=2026-01-14")
    assert "12 January 2026 to 18 January 2026" in words(page.html)
    (link,) = page.html.select("tbody a")
    page.get(link["href"])
    assert "Case file opened" in words(page.html)


def test_a_search_after_which_somebody_only_read_is_told_and_not_blamed(world, page):
    searched = datetime(2026, 1, 14, 8, tzinfo=UTC)
    act(world, Action.PERSON_SEARCH, searched)
    act(world, Action.CASE_OPEN, searched + timedelta(hours=1))
    page.get("/audit/signs?week=2026-01-14")
    (table,) = page.html.select("table:has(a[href*='since=14'])")
    assert "after which files were only read" in words(table)
    assert "a case that a colleague goes on with, looks like this too." in words(page.html)


def test_weeks_lead_to_the_weeks_beside_them(page):
    page.get("/audit/signs?week=2026-01-14")
    earlier = page.html.select_one("a[rel=next]")["href"]
    assert earlier == "/audit/signs?week=2026-01-05"
    assert page.html.select_one("a[rel=prev]")["href"] == "/audit/signs?week=2026-01-19"
    page.get("/audit/signs")
    assert page.html.select_one("a[rel=prev]") is None


@pytest.mark.parametrize("week", ["nonsense", "0001-01-01", "9999-12-31", ""])
def test_a_week_that_is_none_is_this_one_or_the_first(page, week):
    page.get(f"/audit/signs?week={week}")
    assert "Signs worth a look" in words(page.html)


@pytest.mark.parametrize("path", ["/audit/state", "/audit/signs"])
def test_the_pages_ask_the_database_few_questions(world, page, path, tmp_path):
    sign(world, tmp_path)
    asked = []
    with world.entered():
        engine = db.engine

    def count(connection, cursor, statement, *_):
        del connection, cursor
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    page.get(path)
    event.remove(engine, "before_cursor_execute", count)
    assert 0 < len(asked) <= MOST_STATEMENTS


@pytest.mark.parametrize("path", ["/audit/state", "/audit/signs"])
def test_they_are_the_auditors_alone(signed_in, path):
    signed_in("coordinator").get(path, status=403)
