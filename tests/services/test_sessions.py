"""A sitting is known to the browser by a token and to us by its hash, and it ends."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import make_url, select, text, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Account, AuthSession
from nrm.security import passwords
from nrm.services import accounts, housekeeping, sessions
from nrm.services import sign_in as signing_in
from nrm.services.audit import record
from tests import world as worlds
from tests.world import PASSWORD

LIMITS = sessions.Limits(timedelta(minutes=30), timedelta(hours=10))


def sittings():
    db.session.rollback()
    return db.session.scalars(select(AuthSession)).all()


def sign_in(world, name="coordinator", old=None):
    return worlds.sitting(world, name, old)


def knock(email, password):
    """Give an e-mail address and a password at the door."""
    return signing_in.password(email, password, "192.0.2.1", None)


def moved(opened, **values):
    """Let time pass for one sitting."""
    with unit_of_work():
        db.session.execute(update(AuthSession).where(AuthSession.id == opened.id).values(**values))


def ago(**span):
    return datetime.now(UTC) - timedelta(**span)


def test_only_the_hash_of_a_token_is_kept(world):
    opened = sign_in(world)
    (kept,) = sittings()
    assert kept.token_hash == hashlib.sha256(opened.token.encode()).digest()
    assert len(opened.token) >= 43
    everything = repr([tuple(row) for row in db.session.execute(select(AuthSession.__table__))])
    assert opened.token not in everything


def test_signing_in_changes_the_token_and_ends_the_sitting_before(world):
    """A token that somebody planted before the sign-in is worth nothing after it."""
    planted = sessions.open_anonymous({"csrf_token": "practice"}, LIMITS)
    opened = sign_in(world, old=planted.id)
    assert opened.token != planted.token
    assert sessions.resume(planted.token, LIMITS) is None
    assert sessions.resume(opened.token, LIMITS).viewer.actor.role == "coordinator"


def test_nothing_of_the_sitting_before_is_carried_over(world):
    planted = sessions.open_anonymous({"csrf_token": "practice"}, LIMITS)
    opened = sign_in(world, old=planted.id)
    assert sessions.resume(opened.token, LIMITS).data == {}


def test_a_token_is_worth_nothing_after_signing_out(world, ledger):
    opened = sign_in(world)
    sitting = sessions.resume(opened.token, LIMITS)
    signing_in.sign_out(sitting.viewer.actor, sitting.id)
    assert sessions.resume(opened.token, LIMITS) is None
    assert ledger.actions() == ["session:begin", "session:sign-in", "session:sign-out"]


def test_a_sitting_ends_when_nobody_clicks(world):
    opened = sign_in(world)
    moved(opened, seen_at=ago(minutes=29))
    assert sessions.resume(opened.token, LIMITS) is not None
    moved(opened, seen_at=ago(minutes=31))
    assert sessions.resume(opened.token, LIMITS) is None


def test_a_sitting_ends_at_last_however_busy(world):
    opened = sign_in(world)
    moved(opened, created_at=ago(hours=10, seconds=1))
    assert sessions.resume(opened.token, LIMITS) is None


def test_a_sitting_that_ran_out_cannot_be_saved_back_to_life(world):
    opened = sign_in(world)
    sitting = sessions.resume(opened.token, LIMITS)
    moved(opened, created_at=ago(hours=11))
    sessions.save(sitting, {"practice": 1})
    assert sessions.resume(opened.token, LIMITS) is None


def test_a_click_moves_the_idle_clock_but_not_with_every_page(world):
    opened = sign_in(world)
    first = sittings()[0].seen_at
    sessions.save(sessions.resume(opened.token, LIMITS), None)
    assert sittings()[0].seen_at == first
    moved(opened, seen_at=ago(minutes=5))
    sessions.save(sessions.resume(opened.token, LIMITS), None)
    assert sittings()[0].seen_at > ago(minutes=1)


def test_disabling_an_account_ends_its_sittings_at_once(world):
    opened = sign_in(world, "provider")
    accounts.disable(world.actor("administrator"), world.accounts["provider"])
    assert sessions.resume(opened.token, LIMITS) is None
    assert sittings() == []
    assert sign_in(world, "provider") is None
    accounts.enable(world.actor("administrator"), world.accounts["provider"])
    assert sessions.resume(opened.token, LIMITS) is None
    assert sign_in(world, "provider") is not None


def test_a_sitting_of_a_disabled_account_is_not_resumed_even_if_it_was_left(world):
    opened = sign_in(world, "provider")
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        connection.execute(
            text("UPDATE account SET disabled_at = created_at WHERE email = :email"),
            {"email": world.email("provider")},
        )
    assert sessions.resume(opened.token, LIMITS) is None


@pytest.mark.parametrize("token", ["", "practice", "é" * 40, "A" * 43, "x" * 100_000])
def test_a_token_that_nobody_was_given_finds_nothing(world, token):
    sign_in(world)
    assert sessions.resume(token, LIMITS) is None


def test_what_the_pages_remember_is_sealed_to_its_sitting(world):
    first, second = sign_in(world), sign_in(world, "auditor")
    for opened in (first, second):
        sessions.save(sessions.resume(opened.token, LIMITS), {"practice": "remembered words"})
    one, two = sittings()
    assert b"remembered" not in one.data + two.data
    # Data that were moved to another sitting do not open there.
    moved(first, data=two.data if one.id == first.id else one.data)
    assert sessions.resume(first.token, LIMITS) is None


def test_housekeeping_removes_what_nobody_can_resume(world):
    good, idle, old = (sign_in(world) for _ in range(3))
    moved(idle, seen_at=ago(minutes=31))
    moved(old, created_at=ago(hours=11))
    assert housekeeping.tick(world.pack, LIMITS, world.app.config["NRM"]).sessions_removed == 2
    assert [sitting.id for sitting in sittings()] == [good.id]


def test_the_log_tells_two_sittings_apart_without_naming_them(world, ledger):
    first, second = sign_in(world), sign_in(world)
    signed_in = [one for one in ledger.entries() if one.action == "session:sign-in"]
    references = [entry.session_ref for entry in signed_in]
    assert references == [first.reference, second.reference]
    assert len(set(references)) == 2
    for opened in (first, second):
        assert opened.token not in "".join(references)
        assert str(opened.id) not in "".join(references)


def test_a_failed_sign_in_is_recorded_and_says_nothing_of_why(world, ledger):
    accounts.disable(world.actor("administrator"), world.accounts["analyst"])
    assert knock(world.email("coordinator"), "wrong") is None
    assert knock("nobody@practice.example", PASSWORD) is None
    assert knock(world.email("analyst"), PASSWORD) is None
    failed = [entry for entry in ledger.entries() if entry.action == "session:fail"]
    assert [(entry.outcome, entry.actor_id) for entry in failed] == [("failed", None)] * 3
    assert [entry.subject_id for entry in failed] == [
        world.accounts["coordinator"],
        None,
        world.accounts["analyst"],
    ]
    assert sittings() == []


def test_an_address_is_the_same_however_it_is_typed(world):
    assert knock(f"  {world.email('auditor').upper()} ", PASSWORD) is not None


def test_two_people_sit_side_by_side(world):
    first, second = sign_in(world), sign_in(world, "second_coordinator")
    for opened, name in ((first, "coordinator"), (second, "second_coordinator")):
        viewer = sessions.resume(opened.token, LIMITS).viewer
        assert viewer.name == world.person_name(name)
        assert viewer.organisation_name == worlds.ORGANISATIONS["coordination"][0]


class Counting:
    """Stands before the password hasher and remembers what it was asked to verify."""

    def __init__(self, hasher):
        self.hasher, self.verified = hasher, []

    def __getattr__(self, name):
        return getattr(self.hasher, name)

    def verify(self, password_hash, password):
        self.verified.append(password_hash)
        return self.hasher.verify(password_hash, password)


def test_whoever_knocks_costs_exactly_one_verification(world, monkeypatch):
    """Nobody learns from the time it takes whether an account exists, or why it was refused."""
    accounts.disable(world.actor("administrator"), world.accounts["analyst"])
    with unit_of_work() as unit:
        db.session.get_one(Account, world.accounts["auditor"]).password_hash = ""
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    counting = Counting(passwords._HASHER)
    monkeypatch.setattr(passwords, "_HASHER", counting)
    knocks = {
        "right": (world.email("coordinator"), PASSWORD),
        "wrong password": (world.email("coordinator"), "wrong"),
        "unknown": ("nobody@practice.example", PASSWORD),
        "disabled": (world.email("analyst"), PASSWORD),
        "disabled and wrong": (world.email("analyst"), "wrong"),
        "never activated": (world.email("auditor"), PASSWORD),
        "empty": (world.email("auditor"), ""),
    }
    cost = {}
    for name, (email, password) in knocks.items():
        counting.verified.clear()
        assert (knock(email, password) is not None) == (name == "right")
        cost[name] = len(counting.verified)
    assert cost == dict.fromkeys(knocks, 1)


def test_nothing_of_a_sitting_lies_open_in_the_database(world, database_kind, database_url):
    """Neither the token nor what the pages remember is found by whoever copies the database."""
    opened = sign_in(world)
    sessions.save(sessions.resume(opened.token, LIMITS), {"practice": "Kanarisitting"})
    assert sessions.resume(opened.token, LIMITS).data == {"practice": "Kanarisitting"}
    if database_kind == "sqlite":
        file = Path(make_url(database_url).database)
        stored = b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    else:
        with db.engine.connect() as connection:
            rows = connection.execute(select(AuthSession.__table__)).all()
        values = [value for row in rows for value in row]
        stored = b"".join(v if isinstance(v, bytes) else str(v).encode() for v in values)
    assert opened.token.encode() not in stored
    assert b"Kanarisitting" not in stored


@pytest.mark.databases("sqlite")
def test_the_clock_alone_ends_a_sitting(world):
    """Nothing has to run for it: a sitting that is over is over when it is asked for."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        opened = sign_in(world)
        for _ in range(20):
            clock.shift(timedelta(minutes=29))
            sitting = sessions.resume(opened.token, LIMITS)
            assert sitting is not None
            sessions.save(sitting, None)
        # Never idle for half an hour, but ten hours old.
        clock.shift(timedelta(hours=10) - 20 * timedelta(minutes=29) - timedelta(seconds=1))
        assert sessions.resume(opened.token, LIMITS) is not None
        clock.shift(timedelta(seconds=1))
        assert sessions.resume(opened.token, LIMITS) is None

        opened = sign_in(world)
        clock.shift(LIMITS.idle - timedelta(seconds=1))
        assert sessions.resume(opened.token, LIMITS) is not None
        clock.shift(timedelta(seconds=1))
        assert sessions.resume(opened.token, LIMITS) is None


def test_a_sitting_that_ended_is_not_revived_by_a_page_that_was_still_loading(world):
    """A slow page saves after the sign-out: it must not bring the token back."""
    opened = sign_in(world)
    slow = sessions.resume(opened.token, LIMITS)
    signing_in.sign_out(slow.viewer.actor, slow.id)
    sessions.save(slow, {"practice": 1})
    assert sessions.resume(opened.token, LIMITS) is None
    assert sittings() == []
