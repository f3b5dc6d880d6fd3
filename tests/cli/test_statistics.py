"""`nrm statistics` and `nrm tick` with the statistics' key file, as at a console."""

import json
import sqlite3

import pytest

from config import Settings
from nrm import country
from nrm.application import create_app
from nrm.db import db
from nrm.domain.roles import HOUSEKEEPING
from nrm.services import counting, releases
from tests.cli.conftest import environment
from tests.releases import QUARTER, flagged


@pytest.fixture
def counted_people(nrm, instance, monkeypatch):
    """Make an installation with the facts of sixty people of one quarter."""
    assert nrm("init").returncode == 0
    for name, value in environment(instance).items():
        monkeypatch.setenv(name, value)
    with create_app(Settings.from_environment()).app_context():
        flagged(60)
        db.session.remove()
        db.engine.dispose()
    return {"NRM_KEY_FILE": str(instance / "keys" / "statistics.key")}


def sign_by_two(instance):
    with sqlite3.connect(instance / "nrm.sqlite3") as database:
        database.execute("UPDATE release SET state = 'signed'")


def test_a_quarter_is_prepared_listed_frozen_and_attacked(nrm, refusal, instance, counted_people):
    prepared = nrm("statistics", "prepare", QUARTER, **counted_people)
    assert prepared.returncode == 0, prepared.stderr
    assert f"{QUARTER}          provisional draft since" in prepared.stdout
    told = refusal("statistics", "freeze", QUARTER, **counted_people)
    assert "two people have to sign" in told
    sign_by_two(instance)
    assert "frozen since" in nrm("statistics", "freeze", QUARTER, **counted_people).stdout
    told = refusal("statistics", "freeze", QUARTER, **counted_people)
    assert told == f"nrm: the release of {QUARTER} is frozen already\n"
    assert "frozen since" in nrm("statistics", "list").stdout
    attacked = nrm("statistics", "attack", "--json")
    assert attacked.returncode == 0
    assert json.loads(attacked.stdout) == {
        "period": QUARTER,
        "edition": "provisional",
        "isolated": 0,
        "small_exact": 0,
        "group": 0,
    }
    assert "nothing is proved of anybody" in nrm("statistics", "attack", QUARTER).stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("prepare", "2025Q2"), "2025Q2 has fewer than 30 new cases"),
        (("prepare", "2099Q1"), "This period is not over yet"),
        (("prepare", "soon"), "Write a quarter like 2026Q3"),
        (("freeze", "2025Q1"), "there is no counted provisional release of 2025Q1"),
        (("attack",), "there is no counted release"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(refusal, counted_people, arguments, why):
    assert why in refusal("statistics", *arguments, **counted_people)


def test_without_the_key_of_the_statistics_nothing_is_asked_for(nrm, refusal, counted_people):
    del counted_people
    assert "web does not hold the statistics key" in refusal("statistics", "prepare", QUARTER)
    assert nrm("statistics", "list").stdout == ""


def test_tick_counts_what_was_asked_for_with_the_key_file_of_the_statistics_alone(
    nrm, instance, counted_people
):
    with create_app(Settings.from_environment()).app_context():
        releases.ask(HOUSEKEEPING, QUARTER, "provisional", country.load("rw"))
        db.session.remove()
        db.engine.dispose()
    for name in ("web.key", "signer.key"):
        (instance / "keys" / name).unlink()
    asked_for = nrm("statistics", "list", **counted_people)
    assert f"{QUARTER}          provisional waiting to be counted since" in asked_for.stdout
    done = nrm("tick", **counted_people)
    assert done.stdout == (
        "Statistics: 1 releases counted, 0 put off for want of cases, 0 frozen.\n"
    )
    sign_by_two(instance)
    done = nrm("tick", **counted_people)
    assert done.stdout == (
        "Statistics: 0 releases counted, 0 put off for want of cases, 1 frozen.\n"
    )
    assert "frozen since" in nrm("statistics", "list", **counted_people).stdout


def test_counting_holds_no_more_in_memory_than_a_batch(counted_people, monkeypatch):
    """Whatever is read is read in batches: with one case in each, all are still counted."""
    del counted_people
    monkeypatch.setattr(counting, "BATCH", 7)
    with create_app(Settings.from_environment()).app_context():
        opened = counting.Opened()
        ids = [case_id for case_id, _facts, _events in counting.facts_of_everybody(opened)]
        assert (len(ids), opened.cases, opened.closed) == (60, 60, 0)
        assert ids == sorted(ids)
        assert len(set(ids)) == 60
        whole = opened.digest
        again = counting.Opened()
        list(counting.facts_of_everybody(again))
        assert again.digest == whole
        db.session.remove()
        db.engine.dispose()
