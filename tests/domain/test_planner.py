"""The rule for how many bits a name's token keeps."""

import pytest

from nrm.domain import planner

# How many people, and the fewest and the most bits that the rule allows.
TABLE = [
    (1_000, 5, 8),
    (10_000, 7, 12),
    (100_000, 9, 15),
    (1_000_000, 10, 18),
]


@pytest.mark.parametrize(("people", "fewest", "most"), TABLE)
def test_the_rule_allows_exactly_these_bits(people, fewest, most):
    assert [bits for bits in range(1, 40) if planner.allowed(people, bits)] == list(
        range(fewest, most + 1)
    )


def test_ten_bits_serve_from_two_thousand_to_a_million():
    fits = [
        people for people in (2_047, 2_048, 1_048_576, 1_048_577) if planner.allowed(people, 10)
    ]
    assert fits == [2_048, 1_048_576]


def test_of_fewer_than_sixteen_people_nothing_is_hidden():
    assert not any(planner.allowed(people, bits) for people in range(16) for bits in range(20))
    assert planner.allowed(16, 3)


@pytest.mark.parametrize("people", [64, 65, 127, 128, 1_000, 10_000, 65_536, 999_999, 5_000_000])
def test_the_bits_that_are_chosen_are_allowed_and_the_most(people):
    bits = planner.bits_for(people)
    assert planner.allowed(people, bits)
    assert not planner.allowed(people, bits + 1)


@pytest.mark.parametrize(("people", "bits"), [(0, 5), (1, 5), (63, 5), (64, 5), (128, 6)])
def test_the_first_version_is_made_for_the_people_to_come(people, bits):
    assert planner.bits_for(people) == bits


@pytest.mark.parametrize(
    ("people", "bits", "wanted"),
    [
        (0, 5, False),
        (15, 5, False),
        (200, 5, False),
        (255, 5, False),
        (256, 5, True),  # four times as many as the first bits serve well
        (1_024, 5, True),  # at the bound of the rule itself
        (1_048_577, 10, True),
        (10_000, 12, False),
        (10_000, 10, True),
        (100, 12, False),  # too many bits heal by themselves as people come
    ],
)
def test_a_larger_population_asks_for_new_bits(people, bits, wanted):
    assert planner.wants_new_bits(people, bits) is wanted
