"""What two releases tell of a person who was added between them."""

import os
import sys
from itertools import combinations, islice

import pytest

from nrm.statistics.differencing import CERTAIN, TRUSTS, guesses
from nrm.statistics.protection import Protection
from nrm.statistics.tables import Counting, Table
from tests.statistics.generated import DIMENSIONS, records

SINGLE = [dimension for dimension in DIMENSIONS if not dimension.several]
TABLES = [Table(f"{one.name} {two.name}", (one, two)) for one, two in combinations(SINGLE, 2)]
CASES = 300
TARGETS = 1_000 if os.environ.get("NRM_PROOF") else 300


def release(people, key, name):
    counting = Counting(TABLES, Protection(key, name))
    for record_id, record in people:
        counting.add(record_id, record)
    return counting.published()


def attacked(targets, batch, releases, trusts=TRUSTS):
    """Attack one target after the other, each with noise of its own; gives the gain in points."""
    people = list(islice(records(CASES + targets + batch, seed=11), CASES + targets + batch))
    known, right, majority = people[:CASES], dict.fromkeys(trusts, 0), 0
    commonest = guesses({}, {}, SINGLE, 0)
    for dimension in SINGLE:
        values = [record[dimension.name] for _, record in known]
        commonest[dimension.name] = max(dimension.codes, key=values.count)
    for turn in range(targets):
        added = people[CASES + turn : CASES + turn + batch]
        before = release(known, turn.to_bytes(32, "big"), releases[0])
        after = release([*known, *added], turn.to_bytes(32, "big"), releases[1])
        truth = added[0][1]
        for trust in trusts:
            guessed = guesses(before, after, SINGLE, trust)
            right[trust] += sum(truth[name] == code for name, code in guessed.items())
        majority += sum(truth[name] == code for name, code in commonest.items())
    return (max(right.values()) - majority) / targets / len(SINGLE) * 100


@pytest.mark.parametrize(("batch", "most"), [(1, 5), (30, 3)])
def test_comparing_two_releases_is_worth_little_more_than_guessing(batch, most, capsys):
    gain = attacked(TARGETS, batch, ("first", "second"))
    with capsys.disabled():
        sys.stdout.write(f"\n{TARGETS} targets, {batch} added at once: {gain:+.1f} points\n")
    assert gain <= most


def test_with_the_keys_of_the_release_before_it_would_tell_nearly_all(capsys):
    """The control: the same keys twice, and the noise moves only where the new person is."""
    gain = attacked(60, 1, ("same", "same"), [CERTAIN])
    with capsys.disabled():
        sys.stdout.write(f"\nkeys used twice: {gain:+.1f} points\n")
    assert gain > 30
