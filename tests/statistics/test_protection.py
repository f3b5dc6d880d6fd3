from itertools import pairwise
from random import Random
from statistics import fmean
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.statistics.protection import (
    CERTAIN,
    FEWEST_OF_A_MEDIAN,
    LARGEST_NOISE,
    NOISE,
    Protection,
    median_days,
)

KEY = bytes(range(32))
RELEASE = Protection(KEY, "2026-Q3")
COUNTS = st.integers(0, 10_000)
CELL_KEYS = st.integers(0, 2**40)


def records(number, seed=1):
    chance = Random(seed)
    return [str(UUID(int=chance.getrandbits(128))) for _ in range(number)]


@pytest.mark.parametrize("count", range(1, len(NOISE) + 1))
def test_the_noise_changes_nothing_on_average_and_spares_small_counts(count):
    row = NOISE[count - 1]
    assert sum(row.values()) == pytest.approx(1, abs=3e-6)
    assert sum(change * chance for change, chance in row.items()) == pytest.approx(0, abs=2e-5)
    variance = sum(change**2 * chance for change, chance in row.items())
    assert variance == pytest.approx(2.5, abs=1e-4)
    assert all(abs(change) <= LARGEST_NOISE for change in row)
    assert all(count + change >= 0 for change in row)
    # Whoever sees a one or a two would see one or two persons.
    assert all(count + change not in {1, 2} for change in row)
    assert list(row) == sorted(row)


@given(COUNTS, CELL_KEYS)
def test_what_is_published_is_a_multiple_of_five_from_ten_near_the_count(count, cell_key):
    figure = RELEASE.published(count, cell_key)
    assert figure is None or (figure >= 10 and figure % 5 == 0)
    if figure is not None:
        assert abs(figure - count) <= LARGEST_NOISE + 4
    else:
        assert count <= 9 + LARGEST_NOISE


@given(CELL_KEYS)
def test_nothing_looks_like_few(cell_key):
    assert RELEASE.published(0, cell_key) is None


def test_the_same_records_give_the_same_figure_and_others_another():
    own = [RELEASE.record_key(record) for record in records(40)]
    others = [RELEASE.record_key(record) for record in records(40, seed=2)]
    assert RELEASE.rounded(40, sum(own)) == RELEASE.rounded(40, sum(reversed(own)))
    figures = {RELEASE.rounded(40, sum(others[:place]) + sum(own[place:])) for place in range(40)}
    assert len(figures) > 1


def test_a_new_release_draws_new_noise():
    later = Protection(KEY, "2026-Q4")
    pairs = [(RELEASE.record_key(one), later.record_key(one)) for one in records(1_000)]
    assert all(first != second for first, second in pairs)
    # And the old keys say nothing of the new ones: their differences are as good as random.
    differences = [(second - first) % 2**32 / 2**32 for first, second in pairs]
    assert fmean(differences) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 10, 23, 100])
def test_the_figures_are_right_on_average_before_small_ones_are_hidden(count):
    chance = Random(count)
    figures = [RELEASE.rounded(count, chance.getrandbits(32)) for _ in range(20_000)]
    assert fmean(figures) - count == pytest.approx(0, abs=0.1)
    assert fmean(abs(figure - count) for figure in figures) <= 2.5


def test_the_two_uses_of_the_key_never_meet():
    """A record key is made from text, a rounding from four bytes: no text is four bytes long."""
    assert len(b"2026-Q3/") > 4
    assert RELEASE.record_key("") != int(RELEASE._chance(0) * 2**32)


@pytest.mark.parametrize(
    ("days", "median"),
    [
        ([3] * 9, None),
        ([], None),
        (range(1, 11), 6),
        ([3] * 10, 3),
        ([31] * 10, 30),
        ([33] * 10, 35),
        ([30] * 10, 30),
        ([92] * 11, 90),
    ],
)
def test_a_median_is_of_ten_persons_or_more_and_coarse_where_it_is_long(days, median):
    assert median_days(days) == median


@given(st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_whether_a_median_is_shown_hangs_on_the_protected_figure_alone(count, record_keys):
    figure = RELEASE.published(count, record_keys)
    shown = RELEASE.median([3] * count, record_keys)
    assert shown == (3 if figure is not None and figure >= CERTAIN else None)


@pytest.mark.parametrize("count", range(FEWEST_OF_A_MEDIAN + 20))
def test_a_line_through_the_count_itself_is_never_drawn(count):
    """Of fewer than twelve nothing is shown, from 24 on all, and between them the noise decides."""
    shown = {
        RELEASE.median([3] * count, cell_key) is not None for cell_key in range(0, 2**32, 2**20)
    }
    if count < FEWEST_OF_A_MEDIAN:
        assert shown == {False}
    elif count >= 24:
        assert shown == {True}
    else:
        assert shown == {False, True}


def test_medians_grow_with_what_they_are_of():
    medians = [median_days([days] * 10) for days in range(200)]
    assert all(before <= after for before, after in pairwise(medians))
