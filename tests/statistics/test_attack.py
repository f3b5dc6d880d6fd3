"""What simple arithmetic proves of a release: nothing of ours, much of a careless one."""

import sys

import pytest

from nrm.statistics.attack import attack, narrowed
from nrm.statistics.protection import Protection
from nrm.statistics.tables import Dimension
from tests.statistics.generated import (
    DIMENSIONS,
    NaivePublisher,
    RawPublisher,
    counted,
)

KEY = bytes(range(32))
SIZES = (120, 300, 1_000, 5_000)


def tell(capsys, words):
    with capsys.disabled():
        sys.stdout.write(f"\n{words}\n")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_proved_of_anybody(size, capsys):
    figures = counted(size, Protection(KEY, f"attacked {size}"))
    proved = attack(figures, DIMENSIONS)
    tell(capsys, f"{size} cases, {len(figures)} cells: {proved}")
    assert (proved.isolated, proved.small_exact, proved.group) == (0, 0, 0)


@pytest.mark.parametrize("size", [300, 5_000])
def test_the_attack_knows_no_more_than_the_truth(size):
    """Every range that it ends with holds the true count: it proves nothing that is wrong."""
    ranges, _ = narrowed(counted(size, Protection(KEY, "true")), DIMENSIONS)
    truth = counted(size, RawPublisher())
    exactly_known, _ = narrowed(truth, DIMENSIONS, lambda count: (count, count))
    for cell, (low, high) in ranges.items():
        # What nobody published, such as who did not answer yes, follows from what is true.
        true, same = exactly_known[cell]
        assert true == same
        assert low <= true <= high


def test_a_careless_publisher_is_taken_apart(capsys):
    """The control: if this proves nothing, the attack has no teeth."""
    proved = attack(counted(5_000, NaivePublisher()), DIMENSIONS, NaivePublisher.allowed)
    tell(capsys, f"hides under five, exact totals: {proved.isolated} isolated of 5,000")
    assert proved.small_exact > 0


TWO = Dimension("two", ("a", "b"))
THREE = Dimension("three", ("x", "y", "z"))
FLAGS = Dimension("flags", ("f", "g"), several=True)


def cell(**codes):
    return frozenset(codes.items())


def exactly(figure):
    return (0, 1_000) if figure is None else (figure, figure)


def test_a_hidden_cell_falls_out_of_its_total():
    figures = {cell(): 8, cell(two="a"): 7, cell(two="b"): None}
    proved = attack(figures, [TWO], exactly)
    assert (proved.isolated, proved.small_exact) == (1, 3)
    assert cell(two="b") in proved.cells


def test_who_did_not_answer_yes_falls_out_as_well():
    figures = {cell(): 60, cell(flags="f"): 59, cell(flags="g"): 20}
    proved = attack(figures, [FLAGS], exactly)
    assert proved.isolated == 1
    assert frozenset({("flags=f", "no")}) in proved.cells


def test_a_small_group_that_shares_something_is_found():
    figures = {cell(): 12, cell(two="a"): 12, cell(two="b"): 0}
    proved = attack(figures, [TWO], exactly)
    assert proved.group == 1
    assert proved.cells == {cell(two="a")}
    figures = {cell(): 60, cell(two="a"): 60, cell(two="b"): 0}
    assert attack(figures, [TWO], exactly).group == 0


def test_a_cell_is_narrowed_through_two_margins():
    rows = [("a", "x"), ("a", "y"), ("a", "z"), ("b", "x"), ("b", "y"), ("b", "z")]
    counts = dict(zip(rows, (20, 1, 30, 40, 25, 33), strict=True))
    hidden = {("a", "y")}
    figures = {
        cell(two=one, three=other): None if (one, other) in hidden else count
        for (one, other), count in counts.items()
    }
    for code in TWO.codes:
        figures[cell(two=code)] = sum(n for (one, _), n in counts.items() if one == code)
    for code in THREE.codes:
        figures[cell(three=code)] = sum(n for (_, other), n in counts.items() if other == code)
    figures[cell()] = sum(counts.values())
    assert attack(figures, [TWO, THREE], exactly).isolated == 1
