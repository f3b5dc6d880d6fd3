import re

import pytest

from nrm import country
from nrm.statistics.about import HIDDEN, hidden_percent, missing_percent
from nrm.statistics.catalogue import Country, Counts, catalogue
from nrm.statistics.method import CHANGED, DAYS, UNDER_TEN
from nrm.statistics.protection import BASE, CERTAIN, FARTHEST, LARGEST_NOISE, THRESHOLD
from nrm.statistics.tables import Cell

PACK = country.load("rw")
LISTED = catalogue(Country(PACK.code, PACK.provinces, PACK.districts))


def cell(**codes):
    return Cell(codes.items())


def test_the_method_that_is_told_is_the_method_that_is_used():
    # Rounding changes by less than a step, so a count that is not shown can be this large.
    largest_hidden = THRESHOLD - 1 + LARGEST_NOISE
    told = {
        CHANGED: [BASE, 2, FARTHEST],
        UNDER_TEN: [THRESHOLD, THRESHOLD, largest_hidden],
        DAYS: [CERTAIN, THRESHOLD, 30, BASE],
    }
    for words, numbers in told.items():
        assert [int(number) for number in re.findall(r"\d+", words)] == numbers
    assert {str(THRESHOLD)} == {found for words in HIDDEN.values() for found in words.split()} & {
        str(number) for number in range(100)
    }


def test_how_much_is_hidden_is_of_the_counts_and_not_of_the_days():
    figures = {
        Counts.PERSONS: {cell(): 100, cell(sex="male"): None},
        Counts.REFERRALS: {cell(): 50, cell(answer="accepted"): 20},
        Counts.DAYS: {cell(step="sent"): None},
    }
    assert hidden_percent(figures) == 25
    assert hidden_percent({}) is None


@pytest.mark.parametrize(
    ("figures", "missing"),
    [
        # Of a thing of which a person has one code, who is not known is a figure.
        ({cell(): 200, cell(sex="unknown"): 30}, {"Sex": 15}),
        ({cell(): 200, cell(sex="unknown"): None}, {"Sex": None}),
        ({cell(): None, cell(sex="unknown"): 30}, {"Sex": None}),
        # Of a thing of which a person can have several, who answered anything is one.
        ({cell(): 200, cell(means="answered"): 150}, {"Means of control": 25}),
        ({cell(): 200, cell(means="answered"): None}, {"Means of control": None}),
        ({cell(): 100, cell(means="answered"): 105}, {"Means of control": 0}),
        # A table that was left out tells nothing.
        ({cell(): 200}, {}),
    ],
)
def test_how_many_answers_are_missing_follows_from_published_figures(figures, missing):
    assert missing_percent(LISTED, figures) == missing
