"""The periods of releases."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.flag import quarter
from nrm.statistics.periods import Period, PeriodError, after, read

DAYS = st.dates(date(1000, 1, 1), date(2999, 12, 31))


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2026Q3", Period("2026Q3", "2026Q3")),
        (" 2026q3\n", Period("2026Q3", "2026Q3")),
        ("2026", Period("2026Q1", "2026Q4", annual=True)),
    ],
)
def test_a_quarter_or_a_year_is_read(text, period):
    assert read(text) == period


@pytest.mark.parametrize(
    "text",
    [
        *("", "Q3", "2026Q0", "2026Q5", "2026-Q3", "2026 Q3", "26Q3", "20261", "0026", "3026Q1"),
        *("2026Q3-2026Q4", "2026Q3\n2026Q4", "2026Q33", "this year"),
        # Digits of another script would make another name for the same quarter.
        *("\u0662\u0660\u0662\u0666", "2\u066026Q3", "2026Q\u0663", "\uff12\uff10\uff12\uff16"),
    ],
)
def test_nothing_else_is_a_period(text):
    with pytest.raises(PeriodError, match="write a quarter like 2026Q3, or a year like 2026"):
        read(text)


@given(DAYS)
def test_what_is_written_is_read_again(day):
    for text in (quarter(day), str(day.year)):
        assert read(text).name == text
        assert read(read(text).name) == read(text)


@given(DAYS)
def test_a_quarter_holds_its_own_days_and_no_others(day):
    period = read(quarter(day))
    assert period.holds(quarter(day))
    assert not period.holds(after(quarter(day)))
    assert not period.is_over(day)
    assert period.is_over(day + timedelta(days=92))


@given(DAYS)
def test_quarters_follow_each_other_without_a_gap(day):
    days = [day + timedelta(days=number) for number in range(100)]
    for one, next_one in pairwise(quarter(each) for each in days):
        assert next_one in (one, after(one))


@pytest.mark.parametrize(
    ("period", "name", "quarters"),
    [
        (read("2026Q3"), "2026Q3", ["2026Q3"]),
        (Period("2025Q4", "2026Q2"), "2025Q4-2026Q2", ["2025Q4", "2026Q1", "2026Q2"]),
        (read("2026"), "2026", ["2026Q1", "2026Q2", "2026Q3", "2026Q4"]),
        # A whole year of quarters that were put together is no annual release.
        (
            Period("2026Q1", "2026Q4"),
            "2026Q1-2026Q4",
            ["2026Q1", "2026Q2", "2026Q3", "2026Q4"],
        ),
    ],
)
def test_a_period_names_itself_and_its_quarters(period, name, quarters):
    assert period.name == name
    assert list(period.quarters()) == quarters
    assert all(period.holds(one) for one in quarters)


@pytest.mark.parametrize(
    ("text", "today", "over"),
    [
        ("2026Q3", date(2026, 9, 30), False),
        ("2026Q3", date(2026, 10, 1), True),
        ("2026Q4", date(2026, 12, 31), False),
        ("2026Q4", date(2027, 1, 1), True),
        ("2026", date(2026, 12, 31), False),
        ("2026", date(2027, 1, 1), True),
        ("2027", date(2026, 12, 31), False),
    ],
)
def test_a_period_is_over_when_its_last_day_is(text, today, over):
    assert read(text).is_over(today) is over
