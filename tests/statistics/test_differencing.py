"""What two releases tell of a person who was added between them."""

import os
from itertools import combinations, islice
from statistics import fmean

import pytest

from nrm.statistics.differencing import CERTAIN, TRUSTS, guesses
from nrm.statistics.protection import Protection
from nrm.statistics.tables import Counting, Table
from tests.statistics.generated import DIMENSIONS, records

TABLES = [Table(f"{one.name} {two.name}", (one, two)) for one, two in combinations(DIMENSIONS, 2)]
CASES = 300
TARGETS = 2_000 if os.environ.get("NRM_PROOF") else 300
# What is asked of each target: a code of each list, and each of several codes by a yes or a no.
LISTS = [dimension for dimension in DIMENSIONS if not dimension.several]
FLAGS = [
    (dimension.name, code)
    for dimension in DIMENSIONS
    if dimension.several
    for code in dimension.codes
]


def release(people, key, name):
    counting = Counting(TABLES, Protection(key, name))
    for record_id, record in people:
        counting.add(record_id, record)
    return counting.published()


def answers(record):
    flags = {f"{name}={code}": "yes" if code in record[name] else "no" for name, code in FLAGS}
    return {dimension.name: record[dimension.name] for dimension in LISTS} | flags


def commonest(people):
    """Give the answers of somebody who always guesses what most have."""
    known = [answers(record) for _, record in people]
    guessed = {}
    for question in known[0]:
        given = [each[question] for each in known]
        guessed[question] = max(sorted(set(given)), key=given.count)
    return guessed


def attacked(targets, batch, releases, trusts=TRUSTS):
    """Attack one target after the other, each with noise of its own.

    Gives by how many points of a hundred the attacker guesses better than by what is commonest:
    codes of lists, and yes or no, each with the trust that would have been best for them.
    """
    people = list(islice(records(CASES + targets + batch, seed=11), CASES + targets + batch))
    known = people[:CASES]
    usual = commonest(known)
    gains = {question: dict.fromkeys(trusts, 0) for question in usual}
    for turn in range(targets):
        added = people[CASES + turn : CASES + turn + batch]
        key = turn.to_bytes(32, "big")
        before = release(known, key, releases[0])
        after = release([*known, *added], key, releases[1])
        truth = answers(added[0][1])
        for trust in trusts:
            guessed = guesses(before, after, DIMENSIONS, trust, batch)
            for question, true in truth.items():
                right = (guessed[question] == true) - (usual[question] == true)
                gains[question][trust] += right
    return [
        max(
            100 * fmean(gains[one][trust] for one in gains if ("=" in one) is flags)
            for trust in trusts
        )
        / targets
        for flags in (False, True)
    ]


@pytest.mark.parametrize(("batch", "most"), [(1, 5), (30, 3)])
def test_comparing_two_releases_is_worth_little_more_than_guessing(batch, most, counted):
    lists, flags = attacked(TARGETS, batch, ("first", "second"))
    counted(
        f"{TARGETS} targets, {batch} added at once: {lists:+.1f} points of one code of a list, "
        f"{flags:+.1f} of a yes or no",
    )
    assert lists <= most
    assert flags <= most


def test_with_the_keys_of_the_release_before_it_would_tell_nearly_all(counted):
    """The control: the same keys twice, and the noise moves only where the new person is."""
    lists, flags = attacked(60, 1, ("same", "same"), [CERTAIN])
    counted(
        f"keys used twice: {lists:+.1f} points of one code of a list, {flags:+.1f} of a yes or no",
    )
    assert lists > 30
    assert flags > 10
