"""What simple arithmetic proves of a release: nothing of ours, much of a careless one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nrm.statistics.attack import allowed, attack, narrowed, proved_by
from nrm.statistics.protection import Protection
from nrm.statistics.tables import ANSWERED, UNKNOWN, Counting, Dimension, Table
from tests.statistics import generated, wide
from tests.statistics.generated import NaivePublisher, RawPublisher

KEY = bytes(range(32))
SIZES = (120, 300, 1_000, 5_000)


def in_words(size, figures, proved):
    return (
        f"{size} cases, {len(figures)} cells: {proved.isolated} isolated, "
        f"{proved.small_exact} small numbers exact, {proved.group} groups"
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("made_up", [generated, wide], ids=["coarse", "wide"])
def test_nothing_is_proved_of_anybody(made_up, size, counted):
    figures = made_up.counted(size, Protection(KEY, f"attacked {size}"))
    proved = attack(figures, made_up.DIMENSIONS)
    counted(in_words(size, figures, proved))
    assert (proved.isolated, proved.small_exact, proved.group) == (0, 0, 0)


def test_a_careless_publisher_is_taken_apart(counted):
    """The control: if this proves nothing, the attack has no teeth."""
    figures = wide.counted(5_000, NaivePublisher())
    ranges, sums = narrowed(figures, wide.DIMENSIONS, NaivePublisher.allowed)
    proved = proved_by(ranges, sums)
    persons = wide.alone(5_000, ranges)
    counted(
        f"hides under five, exact totals: {persons} persons of 5,000 are isolated; "
        f"{in_words(5_000, figures, proved)}",
    )
    assert persons > 1_000
    assert proved.isolated >= persons
    assert proved.small_exact > proved.isolated
    assert proved.group > 1_000


@pytest.mark.parametrize("size", [300, 5_000])
def test_the_attack_knows_no_more_than_the_truth(size):
    """Every range that it ends with holds the true count: it proves nothing that is wrong."""
    ranges, _ = narrowed(generated.counted(size, Protection(KEY, "true")), generated.DIMENSIONS)
    truth, _ = narrowed(generated.counted(size, RawPublisher()), generated.DIMENSIONS, exactly)
    for one, (low, high) in ranges.items():
        # What nobody published, such as who did not answer yes, follows from what is true.
        true, same = truth[one]
        assert true == same
        assert low <= true <= high


TWO = Dimension("two", ("a", "b"))
THREE = Dimension("three", ("x", "y", "z"))
FLAGS = Dimension("flags", ("f", "g"), several=True)


def cell(**codes):
    return frozenset(codes.items())


def exactly(figure):
    return (0, 10_000) if figure is None else (figure, figure)


@pytest.mark.parametrize(("figure", "range_"), [(None, (0, 13)), (10, (2, 18)), (35, (27, 43))])
def test_a_figure_allows_what_noise_and_rounding_can_make_of_it(figure, range_):
    assert allowed(figure) == range_


@pytest.mark.parametrize("count", range(60))
def test_no_count_leads_to_a_figure_that_does_not_allow_it(count):
    protection = Protection(KEY, "allowed")
    for cell_key in range(0, 2**32, 2**24):
        low, high = allowed(protection.published(count, cell_key))
        assert low <= count <= high


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


def test_that_there_are_so_many_at_least_narrows_what_it_adds_up_with():
    figures = {cell(): 10, cell(two="a"): None, cell(two="b"): None, cell(flags="f"): None}
    told = {cell(two="a"): 12, cell(flags="f"): 11, cell(two="a", flags="f"): 10, cell(x="y"): 10}
    ranges, _ = narrowed(figures, [TWO, FLAGS], at_least=told)
    assert ranges[cell()] == (12, 18)
    assert ranges[cell(two="a")] == (12, 13)
    assert ranges[cell(two="b")] == (0, 6)
    assert ranges[frozenset({("flags=f", "yes")})] == (11, 13)
    # What is not in the figures is of no use.
    assert cell(x="y") not in ranges
    assert frozenset({("two", "a"), ("flags=f", "yes")}) not in ranges


REGION = Dimension("region", ("east", "west"))
TOWN = Dimension(
    "town",
    ("x", "y", "z"),
    within={"x": ("region", "east"), "y": ("region", "east"), "z": ("region", "west")},
)


def test_a_part_falls_out_of_the_coarser_part_in_which_it_lies():
    figures = {
        cell(): 61,
        cell(region="east"): 31,
        cell(region="west"): 30,
        cell(town="x"): 30,
        cell(town="y"): None,
        cell(town="z"): None,
    }
    proved = attack(figures, [REGION, TOWN], exactly)
    assert proved.isolated == 1
    assert cell(town="y") in proved.cells
    ranges, _ = narrowed(figures, [REGION, TOWN], exactly)
    assert ranges[cell(town="z")] == (30, 30)


def test_a_cell_of_a_part_and_a_coarser_part_is_no_part_of_it():
    figures = {
        cell(region="east"): 20,
        cell(region="west"): 30,
        **{cell(town=town): figure for town, figure in (("x", 15), ("y", 5), ("z", 30))},
        **{cell(region=region, town=town): None for region in REGION.codes for town in TOWN.codes},
    }
    ranges, _ = narrowed(figures, [REGION, TOWN], exactly)
    assert ranges[cell(region="east", town="x")] == (0, 15)


STEPS = Dimension("steps", ("first", "second"), several=True, within={"second": ("steps", "first")})
FORMS = Dimension("forms", ("f", "g", UNKNOWN, ANSWERED), several=True)


@pytest.mark.parametrize(
    ("dimension", "wider", "narrower"), [(STEPS, "first", "second"), (FORMS, ANSWERED, "f")]
)
def test_who_went_no_further_falls_out_of_who_went_so_far(dimension, wider, narrower):
    name = dimension.name
    figures = {cell(**{name: wider}): 40, cell(**{name: narrower}): 39}
    proved = attack(figures, [dimension], exactly)
    assert proved.isolated == 1
    assert proved.cells == {frozenset({(f"{name}={wider}", "yes"), (f"{name}={narrower}", "no")})}


def test_whom_nothing_is_known_of_did_not_answer():
    figures = {cell(forms=ANSWERED): 40, cell(forms=UNKNOWN): 39}
    assert not attack(figures, [FORMS], exactly)


SEVERAL = Dimension("several", ("f", "g", UNKNOWN, ANSWERED), several=True)
TABLES = [
    Table("one", (TOWN, STEPS)),
    Table("two", (REGION, SEVERAL)),
    Table("three", (TWO, SEVERAL, STEPS)),
]
EVERYTHING = (TOWN, STEPS, REGION, SEVERAL, TWO)


@st.composite
def people(draw):
    town = draw(st.sampled_from(TOWN.codes))
    return {
        "town": town,
        "region": TOWN.within[town][1],
        "two": draw(st.sampled_from(TWO.codes)),
        "steps": STEPS.codes[: draw(st.integers(0, 2))],
        "several": draw(st.sets(st.sampled_from(SEVERAL.codes[:3]))),
    }


@given(st.lists(people(), max_size=80), st.binary(min_size=32, max_size=32))
@settings(max_examples=60)
def test_whatever_is_counted_lies_in_the_range_that_the_attack_ends_with(crowd, key):
    truth, ranges = (
        narrowed(_counted(crowd, protection), EVERYTHING, read)[0]
        for protection, read in ((RawPublisher(), exactly), (Protection(key, "any"), allowed))
    )
    for one, (low, high) in ranges.items():
        true, same = truth[one]
        assert low <= true == same <= high


def _counted(crowd, protection):
    counting = Counting(TABLES, protection)
    for place, person in enumerate(crowd):
        counting.add(str(place), person)
    return counting.published()
