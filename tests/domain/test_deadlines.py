from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.deadlines import (
    Clock,
    Clocks,
    WorkingCalendar,
    add_working_days,
    answer_due,
    due_state,
    flag_review_due,
    reflection_ends,
)
from nrm.domain.vocabulary import Urgency

KIGALI = ZoneInfo("Africa/Kigali")
BRUSSELS = ZoneInfo("Europe/Brussels")
HOLIDAY = date(2026, 12, 25)
CALENDAR = WorkingCalendar(KIGALI, lambda day: day == HOLIDAY)
MONDAY = datetime(2026, 11, 23, 14, 40, tzinfo=UTC)  # 16:40 in Kigali


def hours(number):
    return Clock(timedelta(hours=number), verified=False, source="this test")


CLOCKS = Clocks(
    flag_review={Urgency.IMMEDIATE: hours(1), Urgency.HIGH: hours(24), Urgency.NORMAL: hours(72)},
    answer={Urgency.IMMEDIATE: hours(4), Urgency.HIGH: hours(24), Urgency.NORMAL: hours(72)},
    reflection=hours(30 * 24),
    follow_up=hours(30 * 24),
)


@pytest.mark.parametrize(
    ("due", "urgency", "expected"),
    [
        (flag_review_due, Urgency.IMMEDIATE, timedelta(hours=1)),
        (flag_review_due, Urgency.HIGH, timedelta(hours=24)),
        (flag_review_due, Urgency.NORMAL, timedelta(hours=72)),
        (answer_due, Urgency.IMMEDIATE, timedelta(hours=4)),
        (answer_due, Urgency.HIGH, timedelta(hours=24)),
        (answer_due, Urgency.NORMAL, timedelta(hours=72)),
    ],
)
def test_a_clock_runs_for_its_length(due, urgency, expected):
    assert due(MONDAY, urgency, CLOCKS) == MONDAY + expected


def test_the_reflection_period_ends_after_its_days():
    assert reflection_ends(MONDAY, CLOCKS) == datetime(2026, 12, 23, 14, 40, tzinfo=UTC)


def test_a_clock_answers_in_utc_whatever_the_zone_of_its_start():
    due = flag_review_due(MONDAY.astimezone(KIGALI), Urgency.IMMEDIATE, CLOCKS)
    assert due.tzinfo is UTC
    assert due == MONDAY + timedelta(hours=1)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        flag_review_due(datetime(2026, 11, 23, 14, 40), Urgency.HIGH, CLOCKS)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-11-23 14:40", 0, "2026-11-23 14:40"),
        ("2026-11-23 14:40", 5, "2026-11-30 14:40"),  # over one weekend
        ("2026-11-20 14:40", 1, "2026-11-23 14:40"),  # Friday to Monday
        ("2026-11-21 14:40", 1, "2026-11-23 14:40"),  # Saturday to Monday
        ("2026-11-22 14:40", 1, "2026-11-23 14:40"),  # Sunday to Monday
        ("2026-12-24 14:40", 1, "2026-12-28 14:40"),  # Christmas Day on a Friday
        # 22:30 UTC on Thursday is already Friday in Kigali, so the next working day is Monday.
        ("2026-11-19 22:30", 1, "2026-11-22 22:30"),
    ],
)
def test_working_days_in_kigali(start, days, expected):
    begin = datetime.fromisoformat(f"{start}+00:00")
    assert add_working_days(begin, days, CALENDAR) == datetime.fromisoformat(f"{expected}+00:00")


def test_working_days_keep_the_time_of_day_when_clocks_change():
    calendar = WorkingCalendar(BRUSSELS, lambda _: False)
    friday = datetime(2026, 3, 27, 9, 0, tzinfo=BRUSSELS)  # the clocks go forward on Sunday
    monday = add_working_days(friday, 1, calendar)
    assert monday == datetime(2026, 3, 30, 9, 0, tzinfo=BRUSSELS)
    assert monday - friday.astimezone(UTC) == timedelta(days=3) - timedelta(hours=1)


def test_working_days_are_not_counted_backwards():
    with pytest.raises(ValueError, match="forward"):
        add_working_days(MONDAY, -1, CALENDAR)


@given(
    st.datetimes(
        min_value=datetime.fromisoformat("2020-01-01"),
        timezones=st.just(UTC),
        max_value=datetime.fromisoformat("2040-01-01"),
    ),
    st.integers(1, 40),
)
def test_a_working_deadline_falls_on_a_working_day(start, days):
    due = add_working_days(start, days, CALENDAR)
    assert CALENDAR.is_working_day(due.astimezone(KIGALI).date())
    assert due - start >= timedelta(days=days)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-3 * 24 * 60 - 5, ("late", 3, "days")),
        (-48 * 60, ("late", 2, "days")),
        (-48 * 60 + 1, ("late", 47, "hours")),
        (-2 * 60 - 10, ("late", 2, "hours")),
        (-59, ("late", 59, "minutes")),
        (-1, ("late", 1, "minutes")),
        (0, ("today", 0, "minutes")),
        (55, ("today", 55, "minutes")),
        (60, ("today", 1, "hours")),
        (200, ("today", 3, "hours")),
        (439, ("today", 7, "hours")),  # 23:59
        (440, ("soon", 1, "days")),  # midnight: tomorrow
        (24 * 60, ("soon", 1, "days")),
        (48 * 60, ("soon", 2, "days")),
        (18 * 24 * 60, ("soon", 18, "days")),
    ],
)
def test_a_deadline_in_words(minutes, expected):
    due = due_state(MONDAY + timedelta(minutes=minutes), MONDAY, KIGALI)
    assert (due.kind, due.amount, due.unit) == expected
    assert due.local.tzinfo is KIGALI


def test_a_deadline_after_midnight_still_counts_down_in_the_night():
    now = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)  # 23:30 in Kigali
    due = due_state(now + timedelta(minutes=55), now, KIGALI)
    assert (due.kind, due.amount, due.unit) == ("today", 55, "minutes")


def test_time_that_passes_is_counted_when_clocks_change():
    now = datetime(2026, 3, 29, 1, 30, tzinfo=BRUSSELS)
    due_at = datetime(2026, 3, 29, 3, 30, tzinfo=BRUSSELS)  # two hours by the clock, one in truth
    due = due_state(due_at.astimezone(UTC), now.astimezone(UTC), BRUSSELS)
    assert (due.kind, due.amount, due.unit) == ("today", 1, "hours")
    assert due.local.hour == 3


def test_the_day_is_that_of_the_zone():
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    due_at = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)  # 0:30 on Tuesday in Kigali
    assert due_state(due_at, now, KIGALI).kind == "soon"
    assert due_state(due_at, now, ZoneInfo("UTC")).kind == "today"
