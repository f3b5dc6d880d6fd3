"""Our counts and their noise, beside those of the package of the UK's statistics office.

It knows keys from 0 to 255, or to 4,095, and no others. Ours have 32 bits, so here each of our
record keys is one of theirs times 2^24: the sums modulo 2^32 are then those of theirs modulo 256,
times 2^24, and both draw with the same chance. Our rounding is not in the package.
"""

from bisect import bisect_right
from itertools import accumulate, combinations

import pandas as pd
import pytest
from cell_key_perturbation.create_perturbed_table import create_perturbed_table

from nrm.statistics.protection import BASE, NOISE, THRESHOLD, Protection, _noise
from nrm.statistics.tables import Counting, Table
from tests.statistics import wide

KEYS = 256
STEP = 2**32 // KEYS
# The package wants a row for each count up to here, and takes the last 250 for all above.
ROWS = 750
PEOPLE = list(wide.records(5_000))
PLAIN = [dimension for dimension in wide.DIMENSIONS if not dimension.several]
PAIRS = list(combinations(PLAIN, 2))


class Coarse(Protection):
    """Protects with keys that the package can have as well."""

    def record_key(self, record):
        return super().record_key(record) // STEP * STEP


class WithNoise(Coarse):
    """Publishes a count with its noise, neither rounded nor hidden."""

    def published(self, count, record_keys):
        return count + _noise(count, record_keys % 2**32 / 2**32)


def figures(kind):
    counting = Counting([Table(f"{one.name} {two.name}", (one, two)) for one, two in PAIRS], kind)
    for record_id, record in PEOPLE:
        counting.add(record_id, record)
    return counting.published()


@pytest.fixture(scope="module")
def theirs():
    """Give count and noise of every cell, as the package reckons them."""
    keys, chances = Coarse(b"k" * 32, "a release"), _chances()
    data = pd.DataFrame(
        [
            {
                **{one.name: record[one.name] for one in PLAIN},
                "key": keys.record_key(record_id) // STEP,
            }
            for record_id, record in PEOPLE
        ]
    )
    return {
        frozenset({(one.name, row[one.name]), (two.name, row[two.name])}): row
        for one, two in PAIRS
        for row in create_perturbed_table(
            data, chances, [], [one.name, two.name], "key", threshold=0
        ).to_dict("records")
    }


def _chances():
    """Write our noise as the package reads it: for each count and key, one change."""
    rows = []
    for count in range(1, ROWS + 1):
        row = NOISE[min(count, len(NOISE)) - 1]
        upto, changes = list(accumulate(row.values())), list(row)
        rows += [
            (count, key, changes[min(bisect_right(upto, key / KEYS), len(changes) - 1)])
            for key in range(KEYS)
        ]
    return pd.DataFrame(rows, columns=["pcv", "ckey", "pvalue"])


def test_count_and_noise_are_those_of_the_package_in_every_cell(theirs, counted):
    ours = figures(WithNoise(b"k" * 32, "a release"))
    changed = sum(row["pvalue"] != 0 for row in theirs.values())
    large = sum(row["pre_sdc_count"] > ROWS for row in theirs.values())
    counted(
        f"{len(theirs)} cells as the package of the UK's statistics office has them: "
        f"{changed} with noise, {large} of more than {ROWS} persons",
    )
    assert {cell: ours[cell] for cell in theirs} == {
        cell: row["count"] for cell, row in theirs.items()
    }
    assert len(theirs) > 2_500
    assert changed > 1_000
    assert large > 10


def test_what_we_publish_is_their_figure_rounded_up_or_down(theirs):
    ours = figures(Coarse(b"k" * 32, "a release"))
    for cell, row in theirs.items():
        figure, below = ours[cell], int(row["count"]) // BASE * BASE
        if figure is None:
            assert below < THRESHOLD
        else:
            assert figure in {below, below + BASE if row["count"] % BASE else below}
