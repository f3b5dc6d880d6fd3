"""Shares and rates of published figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.statistics.shares import rate, share
from nrm.statistics.tables import ANSWERED, UNKNOWN, Counting, Dimension, Table
from tests.statistics.generated import RawPublisher

FORM = Dimension("form", ("labour", "sexual", "other", UNKNOWN, ANSWERED), several=True)


def test_shares_are_of_those_of_whom_anything_is_known():
    """The example of the CTDC codebook: five persons, and nothing is known of the fourth."""
    persons = [["labour"], ["sexual"], ["other"], [], ["labour", "sexual"]]
    counting = Counting([Table("forms", (FORM,))], RawPublisher())
    for place, forms in enumerate(persons, start=1):
        counting.add(f"P{place}", {"form": forms})
    figures = counting.published()
    answered = figures[frozenset({("form", ANSWERED)})]
    assert answered == 4
    shares = [share(figures[frozenset({("form", form)})], answered) for form in FORM.codes[:3]]
    assert shares == [50, 50, 25]


@pytest.mark.parametrize(
    ("figure", "of", "percent"),
    [
        (None, 100, None),
        (10, None, None),
        (None, None, None),
        (0, 0, None),
        (10, 40, 25),
        (15, 45, 33),
        (10, 15, 67),
        # The noise can lift a part over its whole.
        (45, 40, 100),
    ],
)
def test_there_is_no_share_of_what_is_hidden_and_none_of_more_than_all(figure, of, percent):
    assert share(figure, of) == percent


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_share_is_a_whole_percentage(figure, of):
    percent = share(figure, of)
    assert isinstance(percent, int)
    assert 0 <= percent <= 100


@pytest.mark.parametrize(
    ("figure", "population", "per_hundred_thousand"),
    [(None, 14_000_000, None), (140, 14_000_000, 1.0), (265, 13_246_394, 2.0), (10, 3, 333_333.33)],
)
def test_a_rate_is_of_a_hundred_thousand_residents(figure, population, per_hundred_thousand):
    assert rate(figure, population) == per_hundred_thousand


@pytest.mark.parametrize("population", [0, -1])
@pytest.mark.parametrize("figure", [None, 10])
def test_a_rate_of_nobody_is_refused(figure, population):
    with pytest.raises(ValueError, match="a population of more than nobody"):
        rate(figure, population)
