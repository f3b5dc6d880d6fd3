"""How many bits of a name's token are kept: enough to find by, too few to tell a person by.

With N people and L bits, C = N / 2^L people share a token by chance. C below 2 would single
people out; C above the root of N would open too many files at every search.
"""

from math import floor, log2, sqrt

# With fewer people than these, no number of bits both finds and hides.
FEWEST_PEOPLE = 16
# The first version is made for the people to come: from 64 to about 1,000 of them.
FIRST_BITS = 5
_LEAST_SHARED = 2
# A population four times as large as the bits were chosen for asks for new ones.
_GROWTH_BITS = 2


def allowed(people: int, bits: int) -> bool:
    """Say whether the rule allows so many bits for so many people."""
    if people < FEWEST_PEOPLE:
        return False
    shared = people / (1 << bits)
    return _LEAST_SHARED <= shared <= sqrt(people)


def bits_for(people: int) -> int:
    """Choose the bits for a population: the most that the rule allows, and never below the first.

    The most, because every search opens what shares its tokens.
    """
    return max(FIRST_BITS, floor(log2(max(people, 1))) - 1)


def wants_new_bits(people: int, bits: int) -> bool:
    """Say whether the population has outgrown the bits of its tokens."""
    if people < FEWEST_PEOPLE:
        return False
    return people / (1 << bits) > sqrt(people) or bits_for(people) >= bits + _GROWTH_BITS
