"""How alike two names are, in whatever order, and which reason is given."""

import pytest

from nrm.domain import names
from nrm.domain.likeness import ALIKE, Reason, asked, likeness

TABLE = [
    ("Marie Uwase", "Marie Uwase", Reason.SAME_SPELLING),
    ("marie uwase", "MARIE UWASÉ", Reason.SAME_SPELLING),
    ("Uwase Marie", "Marie Uwase", Reason.OTHER_ORDER),
    ("Marie Uwase", "Marie Claire Uwase", Reason.SAME_SPELLING),
    ("Marie Claire Uwase", "Marie Uwase", Reason.SAME_SPELLING),
    ("Marie Uwasse", "Marie Uwase", Reason.ONE_LETTER),
    ("Uwaes Marie", "Marie Uwase", Reason.ONE_LETTER),
    ("Mari Cyusa", "Marie Kyusa", Reason.SOUNDS_ALIKE),
    ("Yozefu Kalisa", "Joseph Karisa", Reason.SOUNDS_ALIKE),
    ("Emmanuel Habimana", "Emanuel Habyimana", Reason.SOUNDS_ALIKE),
    ("Claudine Mukamama", "Claudia Mukamana", Reason.ALIKE),
    ("Uwase", "Uwase", Reason.SAME_SPELLING),
    ("مريم علي", "علي مريم", Reason.OTHER_ORDER),
    ("Marie Uwase", "Marie Ntwali", None),
    ("Marie Uwase", "Jean Bosco Habimana", None),
    ("Uwase", "Ntwali", None),
    ("Uwase", "Marie Uwase", None),
    ("Marie", "", None),
    ("", "Marie", None),
]


def compare(one, other):
    return likeness(asked(names.parts(one)), names.parts(other))


@pytest.mark.parametrize(("one", "other", "reason"), TABLE)
def test_the_reason_is_the_strongest_that_holds(one, other, reason):
    found = compare(one, other)
    assert (found and found.reason) == reason
    assert found is None or ALIKE <= found.score <= 1


def test_the_same_names_are_most_alike_and_a_name_too_many_a_little_less():
    same = compare("Marie Uwase", "Uwase Marie")
    longer = compare("Marie Uwase", "Uwase Marie Claire")
    assert same.score == 1
    assert ALIKE < longer.score < 1


def test_no_part_is_set_against_two():
    assert compare("Marie Marie", "Marie Ntwali") is None
