"""Somebody has the table of tokens, and a list of how common each name is, and no key.

They sort the tokens by how often they occur and the names by how common they are, take the first
token for the first name, and name everybody by their most frequent token. Where they trust a token
too little they say the commonest name of all; how far to trust is set in hindsight, at its best
for them. Against whole hashes of single names this works. Against a few bits of a hash of two
names together it must be hardly better than to say the commonest name of everybody.
"""

import os
from collections import Counter
from random import Random

import pytest

from bench.people import Names
from nrm.domain import names, planner
from nrm.security.search_tokens import SearchTokens

PEOPLE = 10_000
KEYS = 20 if os.environ.get("NRM_PROOF") else 2
WHOLE = 64
MOST_GAIN = 0.05


@pytest.fixture(scope="module")
def people():
    """Ten thousand people: the parts of each name, as they sound."""
    made = Names().people(PEOPLE)
    return [[names.folded(part) for part in names.parts(" ".join(one.names))] for one in made]


def single(parts):
    return [(part, "") for part in dict.fromkeys(parts)]


def paired(parts):
    # What is folded already stays as it is when it is folded again, so the real function serves.
    return names.pairs(parts)


def stolen(people, known_by, bits, key):
    """Make the table: for each person, the tokens of what they are known by."""
    tokens = SearchTokens(bits, key, key)
    return [{tokens.name(known) for known in known_by(parts)} for parts in people]


def ranked(counts, chance):
    """Sort by how often, the most frequent first; what is equally frequent falls by chance."""
    listed = sorted(counts)
    chance.shuffle(listed)
    return sorted(listed, key=lambda one: -counts[one])


def recovered(people, known_by, table, chance):
    """Attack: how many people are named rightly, and how many by saying one name of everybody."""
    frequency = Counter(part for parts in people for part in set(parts))
    commonest = max(frequency, key=frequency.__getitem__)
    known = Counter(one for parts in people for one in set(known_by(parts)))
    seen = Counter(token for tokens in table for token in tokens)
    guess = dict(zip(ranked(seen, chance), ranked(known, chance), strict=False))
    place = {token: at for at, token in enumerate(guess)}
    right_by_place = Counter()
    lost_by_place = Counter()
    for parts, tokens in zip(people, table, strict=True):
        best = min(tokens, key=lambda token: place.get(token, len(place)))
        if best in guess:
            said = max((part for part in guess[best] if part), key=frequency.__getitem__)
            right_by_place[place[best]] += said in parts
            lost_by_place[place[best]] += commonest in parts
    baseline = frequency[commonest]
    most = running = baseline
    for at in range(len(place)):
        running += right_by_place[at] - lost_by_place[at]
        most = max(most, running)
    return most / len(people), baseline / len(people)


def gain(people, known_by, bits):
    """Attack under several keys; returns the most that was gained over guessing."""
    gains = []
    for number in range(KEYS):
        table = stolen(people, known_by, bits, bytes([number]) * 32)
        share, baseline = recovered(people, known_by, table, Random(number))
        gains.append(share - baseline)
    return max(gains), baseline


def test_the_stolen_table_tells_hardly_more_than_a_guess(people, counted):
    bits = planner.bits_for(PEOPLE)
    ours, baseline = gain(people, paired, bits)
    ten, _ = gain(people, paired, 10)
    whole_pairs, _ = gain(people, paired, WHOLE)
    whole_names, _ = gain(people, single, WHOLE)
    counted(
        f"{PEOPLE:,} people, {KEYS} keys; the commonest name of everybody: {baseline:.1%}."
        " Gained over it by the attack, at most:"
        f" pairs, {bits} bits (ours) {ours:+.1%}; pairs, 10 bits {ten:+.1%};"
        f" pairs, whole hashes {whole_pairs:+.1%}; single names, whole {whole_names:+.1%}"
    )
    assert ours <= MOST_GAIN
    assert ten <= MOST_GAIN
    # The attack is a real one: it works where it should.
    assert whole_names > 4 * MOST_GAIN
    assert whole_pairs > ours


def test_a_token_is_shared_by_many_people(people):
    """Behind no token stands one known pair of names alone, as a rule."""
    bits = planner.bits_for(PEOPLE)
    table = stolen(people, paired, bits, bytes(32))
    tokens = SearchTokens(bits, bytes(32), bytes(32))
    behind = {}
    for parts in people:
        for pair in paired(parts):
            behind.setdefault(tokens.name(pair), set()).add(pair)
    shared = sum(len(behind[token]) > 1 for row in table for token in row)
    assert shared / sum(map(len, table)) > 0.8
