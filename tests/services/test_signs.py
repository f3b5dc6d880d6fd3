"""Signs worth a look: what stands out in a week of the log, and what does not."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from nrm.audit.actions import Action, Outcome
from nrm.db import acting_at, db, unit_of_work
from nrm.domain.errors import Subject
from nrm.models import Case
from nrm.services import signs
from nrm.services.audit import record
from tests import world as worlds
from tests.guards.test_statements import explained
from tests.services.test_log_search import noted

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
    assert found() == signs.Signs([], [], [], [])


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


def searches(found):
    week = found()
    return week.only_read, week.unused_searches


@pytest.mark.parametrize("work", [Action.REFERRAL_SEND, Action.CASE_FLAG, Action.CONSENT_RECORD])
@pytest.mark.parametrize("read_first", [True, False])
def test_a_search_that_led_to_work_is_none(act, found, work, read_first):
    act(Action.PERSON_SEARCH)
    if read_first:
        act(Action.CASE_OPEN, timedelta(minutes=1))
    act(work, timedelta(hours=23))
    assert searches(found) == ([], [])


@pytest.mark.parametrize("look", [Action.CASE_OPEN, Action.FIELD_REVEAL, Action.GLASS_BREAK])
def test_a_search_after_which_files_were_only_read_is_a_sign_of_its_own(act, found, world, look):
    act(Action.PERSON_SEARCH)
    act(Action.PERSON_SEARCH, timedelta(minutes=5))
    act(look, timedelta(hours=1))
    # Somebody else's work says nothing about it, and neither does one's own a day later.
    act(Action.REFERRAL_SEND, timedelta(hours=2), by="second_coordinator")
    act(Action.REFERRAL_SEND, timedelta(days=1, minutes=6))
    (sign,), unused = searches(found)
    assert (sign.account_id, sign.number) == (world.actor("coordinator").id, 2)
    assert (sign.moment, bool(sign.who), unused) == (MONDAY, True, [])


def test_what_was_tried_in_vain_is_neither_read_nor_done(act, found):
    act(Action.PERSON_SEARCH)
    act(Action.CASE_OPEN, timedelta(minutes=1), outcome=Outcome.NOT_FOUND)
    act(Action.REFERRAL_SEND, timedelta(minutes=2), outcome=Outcome.REFUSED)
    only_read, unused = searches(found)
    assert (only_read, len(unused)) == ([], 1)


def test_the_last_search_of_a_week_is_held_against_the_day_after_it(act, found):
    last = timedelta(days=6, hours=13, minutes=59)
    act(Action.PERSON_SEARCH, last)
    act(Action.CASE_OPEN, last + timedelta(minutes=2))
    assert [len(some) for some in searches(found)] == [1, 0]
    act(Action.NEEDS_RECORD, last + timedelta(days=1))
    assert searches(found) == ([], [])


def test_a_sign_tells_nothing_of_a_case_that_its_reader_is_kept_out_of(act, found, world):
    reference = worlds.flag(world)
    case_id = db.session.scalars(select(Case.id)).one()
    db.session.rollback()
    act(Action.PERSON_SEARCH)
    act(Action.CASE_OPEN, timedelta(hours=1), case_id=case_id)
    assert [len(some) for some in searches(found)] == [1, 0]
    worlds.kept_out(world, reference, "auditor")
    assert [len(some) for some in searches(found)] == [0, 1]


def test_a_search_of_today_may_still_lead_to_work(world, found):
    today = datetime.now(UTC)
    with unit_of_work() as unit:
        record(unit, world.actor("coordinator"), Action.PERSON_SEARCH)
    monday = today.astimezone(ZONE).date() - timedelta(days=today.astimezone(ZONE).weekday())
    assert searches(lambda: found(monday)) == ([], [])


def test_no_question_walks_the_whole_log(act, found, world):
    act(Action.PERSON_SEARCH)
    with noted() as asked:
        found()
    of_the_log = [one for one in asked if one[0].startswith("SELECT") and "audit_entry" in one[0]]
    assert len(of_the_log) >= 2
    for statement, parameters in of_the_log:
        plan = explained(world, statement, parameters)
        assert "SCAN audit_entry" not in plan, plan
        assert "Seq Scan on audit_entry" not in plan, plan


def test_another_week_has_signs_of_its_own(act, found):
    act(Action.CASE_OPEN, timedelta(days=5))
    assert len(found().unusual_hours) == 1
    assert found(WEEK + timedelta(days=7)).unusual_hours == []
    assert found(WEEK - timedelta(days=7)).unusual_hours == []
