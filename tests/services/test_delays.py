"""Whoever fails waits longer and longer; nobody can make a colleague wait from elsewhere."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from nrm.db import db, unit_of_work
from nrm.domain.errors import TooManyTriesError
from nrm.models import SignInDelay
from nrm.services import delays
from nrm.services.delays import Step
from tests.crash import PROOF

SOMEBODY = "somebody@practice.example"
HERE, BESIDE, ELSEWHERE = "192.0.2.1", "192.0.2.200", "198.51.100.7"
sqlite_alone = pytest.mark.databases("sqlite")


@pytest.fixture(autouse=True)
def still(database_kind):
    """Let the clock stand still, that no slow machine sits its delays out; PostgreSQL's goes on."""
    if database_kind == "postgresql":
        yield
    else:
        with time_machine.travel(datetime.now(UTC), tick=False):
            yield


def fail(step=Step.PASSWORD, who=SOMEBODY, address=HERE):
    """Try once and fail; says how long one would have to wait instead, if so."""
    try:
        delays.begin(step, who, address)
    except TooManyTriesError as error:
        return error.wait
    return None


def come_in(who=SOMEBODY, address=HERE):
    delays.begin(Step.PASSWORD, who, address)
    with unit_of_work() as unit:
        delays.right(unit, Step.PASSWORD, who, address)
        delays.came_in(unit, who, address)


def keep_failing(number, **where):
    """Fail so often, waiting each time exactly as long as one is told."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        began = datetime.now(UTC)
        for _ in range(number):
            while (wait := fail(**where)) is not None:
                clock.shift(wait)
        return datetime.now(UTC) - began


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "nowhere"),
        ("unix:", "nowhere"),
    ],
)
@sqlite_alone
def test_a_network_is_a_street_and_not_a_house(address, network):
    assert delays.network_of(address) == network


@sqlite_alone
def test_the_delay_grows_up_to_its_most():
    waits = [delays.FROM_ONE_NETWORK.wait(number).total_seconds() for number in range(1, 18)]
    assert waits[:8] == [0, 0, 0, 0, 5, 10, 20, 40]
    assert waits[-1] == 900
    assert waits == sorted(waits)
    assert delays.FROM_ONE_NETWORK.wait(10**6) == timedelta(minutes=15)


def test_a_few_slips_cost_nothing_and_then_one_waits(world):
    del world
    assert [fail() for _ in range(5)] == [None] * 5
    wait = fail()
    assert timedelta(0) < wait <= timedelta(seconds=5)


def test_of_two_at_once_neither_waits_for_the_other(world):
    """Whoever began a moment earlier may come a moment later, and finds that nobody waits."""
    del world
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        assert fail() is None
        clock.shift(-timedelta(milliseconds=5))
        assert fail() is None


def test_an_account_that_does_not_exist_waits_alike(world):
    for who in (world.email("coordinator"), "nobody@practice.example"):
        waited = [fail(who=who, address=f"203.0.{len(who)}.1") is not None for _ in range(6)]
        assert waited == [False] * 5 + [True]


def test_coming_in_begins_afresh(world):
    del world
    for _ in range(3):
        assert [fail() for _ in range(4)] == [None] * 4
        come_in()


@sqlite_alone
def test_nobody_locks_out_a_colleague_from_elsewhere(world):
    del world
    come_in()
    keep_failing(40, address=ELSEWHERE)
    assert fail(address=ELSEWHERE) is not None
    # The colleague, where they always are, and at another desk of the same house.
    assert fail(address=HERE) is None
    assert fail(address=BESIDE) is None


@sqlite_alone
def test_guessing_from_many_networks_is_slowed_where_the_account_never_came_in(world):
    """Each network has its own free tries; the account as a whole has not."""
    del world
    tried = [
        fail(address=f"198.51.{network}.1") is None for network in range(100) for _ in range(4)
    ]
    # The tenth is the last free one, and whoever does not wait counts no further.
    assert sum(tried) == 11
    assert fail(who="another@practice.example", address="198.51.99.1") is None


@sqlite_alone
def test_a_familiar_network_is_forgotten_after_thirty_days(world):
    del world
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        come_in()
        clock.shift(delays.FAMILIAR - timedelta(minutes=1))
        for network in range(20):
            fail(address=f"198.51.{network}.1")
        assert fail() is None
        clock.shift(timedelta(minutes=2))
        for network in range(20):
            fail(address=f"198.51.{network}.1")
        assert fail() is not None


@sqlite_alone
def test_a_network_that_fails_with_many_accounts_is_slowed_gently(world):
    del world
    waits = [fail(who=f"guess{number}@practice.example") for number in range(60)]
    assert waits[:31] == [None] * 31
    longest = max(wait for wait in waits if wait is not None)
    assert longest <= timedelta(seconds=30)


@sqlite_alone
def test_ten_thousand_codes_are_hopeless(world, counted):
    """Somebody with the right password who guesses codes and waits no longer than they must."""
    del world
    tries = 10_000 if PROOF else 1_000
    took = keep_failing(tries, step=Step.CODE)
    each = delays.FROM_ONE_NETWORK.most
    whole = took + (10_000 - tries) * each
    # Three steps are good at any moment: of a million codes, three.
    chance = 10_000 * 3 / 1_000_000
    counted(
        f"{tries} codes took {took.days} days of a patient guesser; ten thousand take"
        f" {whole.days} days, and are right with a chance of {chance:.0%}"
    )
    assert whole > timedelta(days=90)


@sqlite_alone
def test_what_delays_nobody_any_more_is_forgotten(world):
    del world

    def kept():
        db.session.rollback()
        return db.session.scalar(select(func.count()).select_from(SignInDelay))

    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        come_in()
        fail(who="nobody@practice.example")
        assert kept() > 3
        clock.shift(timedelta(hours=25))
        delays.sweep()
        # Where an account came in from is remembered longer.
        assert kept() == 1
        clock.shift(delays.FAMILIAR)
        assert delays.sweep() == 1
        assert kept() == 0


def test_the_table_names_nobody(world):
    del world
    fail()
    with db.engine.connect() as connection:
        stored = repr(connection.execute(select(SignInDelay.__table__)).all())
    assert "somebody" not in stored
    assert "192.0.2" not in stored
