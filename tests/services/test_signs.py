"""Signs worth a look: what stands out in a week of the log, and what does not."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from nrm.audit.actions import Action, Outcome
from nrm.db import acting_at, unit_of_work
from nrm.domain.errors import Subject
from nrm.services import signs
from nrm.services.audit import record

ZONE = ZoneInfo("Africa/Kigali")
# A Monday long past, at ten in the morning in Kigali.
MONDAY = datetime(2026, 1, 12, 8, tzinfo=UTC)
WEEK = date(2026, 1, 12)


@pytest.fixture
def act(world):
    """Write an entry as of a moment, by an account, on a case of its own."""

    def write(action, after=timedelta(), by="coordinator", case_id=None, **chosen):
        with acting_at(MONDAY + after), unit_of_work() as unit:
            subject = Subject("case", case_id or uuid4(), case_id or uuid4())
            record(unit, world.actor(by), action, subject, **chosen)

    return write


@pytest.fixture
def found(world):
    return lambda week=WEEK: signs.of_week(world.actor("auditor"), week, ZONE)


def test_a_quiet_week_has_no_signs(found):
    assert found() == signs.Signs([], [], [])


def test_many_different_files_within_an_hour_are_a_sign(act, found, world):
    for _ in range(signs.MANY_FILES):
        act(Action.CASE_OPEN)
    (sign,) = found().many_files
    assert (sign.account_id, sign.number) == (world.actor("coordinator").id, signs.MANY_FILES)
    assert sign.moment == MONDAY
    assert sign.who
    assert sign.organisation
    assert found().unusual_hours == []


def test_one_file_opened_again_and_again_is_none(act, found):
    case_id = uuid4()
    for _ in range(signs.MANY_FILES + 5):
        act(Action.COMPARTMENT_OPEN, case_id=case_id)
    assert found().many_files == []


def test_many_files_spread_over_two_hours_are_none(act, found):
    for number in range(signs.MANY_FILES):
        act(Action.CASE_OPEN, timedelta(hours=number % 2))
    assert found().many_files == []


def test_what_was_refused_was_not_opened(act, found):
    for _ in range(signs.MANY_FILES):
        act(Action.CASE_OPEN, outcome=Outcome.REFUSED)
    assert found().many_files == []


@pytest.mark.parametrize(
    ("local", "unusual"),
    [
        ("Monday 05:59", True),
        ("Monday 06:00", False),
        ("Monday 19:59", False),
        ("Monday 20:00", True),
        ("Saturday 12:00", True),
        ("Sunday 12:00", True),
    ],
)
def test_hours_are_those_of_the_country(act, found, local, unusual):
    day, clock = local.split()
    days = ["Monday", "Saturday", "Sunday"].index(day)
    moment = datetime(2026, 1, (12, 17, 18)[days], *map(int, clock.split(":")), tzinfo=ZONE)
    act(Action.CASE_OPEN, moment - MONDAY)
    assert bool(found().unusual_hours) == unusual


def test_a_search_that_led_to_nothing_is_a_sign(act, found, world):
    act(Action.PERSON_SEARCH, by="coordinator")
    act(Action.PERSON_SEARCH, timedelta(minutes=5))
    # Somebody else's work says nothing about it, and neither does one's own a day later.
    act(Action.CASE_OPEN, timedelta(hours=1), by="second_coordinator")
    act(Action.CASE_OPEN, timedelta(days=1, minutes=6))
    (sign,) = found().unused_searches
    assert (sign.account_id, sign.number) == (world.actor("coordinator").id, 2)


@pytest.mark.parametrize("use", [Action.CASE_OPEN, Action.REFERRAL_SEND, Action.CASE_FLAG])
def test_a_search_that_led_to_work_is_none(act, found, use):
    act(Action.PERSON_SEARCH)
    act(use, timedelta(hours=23))
    assert found().unused_searches == []


def test_a_search_of_today_may_still_lead_to_work(world, found):
    today = datetime.now(UTC)
    with unit_of_work() as unit:
        record(unit, world.actor("coordinator"), Action.PERSON_SEARCH)
    monday = today.astimezone(ZONE).date() - timedelta(days=today.astimezone(ZONE).weekday())
    assert found(monday).unused_searches == []


def test_another_week_has_signs_of_its_own(act, found):
    act(Action.CASE_OPEN, timedelta(days=5))
    assert len(found().unusual_hours) == 1
    assert found(WEEK + timedelta(days=7)).unusual_hours == []
    assert found(WEEK - timedelta(days=7)).unusual_hours == []
