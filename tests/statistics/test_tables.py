"""Counting records into cells, and what a catalogue may not hold."""

import pytest

from nrm.statistics.tables import ANSWERED, UNKNOWN, Counting, Dimension, Table
from tests.statistics.generated import RawPublisher

PLACE = Dimension("place", ("north", "south", UNKNOWN))
KIND = Dimension("kind", ("a", "b"))
FORM = Dimension("form", ("labour", "sexual", UNKNOWN, ANSWERED), several=True)


def cell(**codes):
    return frozenset(codes.items())


def counted(dimensions, *records):
    counting = Counting([Table("the table", dimensions)], RawPublisher())
    for place, record in enumerate(records):
        counting.add(str(place), record)
    return counting.published()


@pytest.mark.parametrize("said", [{}, {"place": None}, {"place": ""}, {"place": "the moon"}])
def test_what_is_not_said_or_in_no_list_is_counted_as_not_known(said):
    """Else somebody would be in the total and in none of its parts."""
    figures = counted((PLACE,), said, {"place": "north"})
    assert figures[cell(place=UNKNOWN)] == figures[cell(place="north")] == 1
    assert figures[cell()] == 2


@pytest.mark.parametrize("said", [{}, {"kind": "c"}])
def test_a_record_with_no_code_where_not_known_is_none_stops_the_counting(said):
    with pytest.raises(ValueError, match="no code for kind"):
        counted((KIND,), said)


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        (None, []),
        ([], []),
        (["labour"], ["labour", ANSWERED]),
        (["sexual", "labour"], ["labour", "sexual", ANSWERED]),
        ([UNKNOWN], [UNKNOWN]),
        (["nothing we know"], []),
    ],
)
def test_of_several_codes_each_is_counted_and_once_that_there_are_any(said, codes):
    assert FORM.of({"form": said}) == codes


def test_every_cell_of_every_margin_is_published_once():
    figures = counted((KIND, PLACE), {"kind": "a", "place": "north"})
    assert len(figures) == 6 + 2 + 3 + 1
    assert figures[cell(kind="a", place="north")] == figures[cell()] == 1
    assert figures[cell(kind="b", place="north")] == 0


def test_a_margin_that_two_tables_share_is_counted_once():
    counting = Counting([Table("one", (KIND, PLACE)), Table("two", (KIND,))], RawPublisher())
    counting.add("1", {"kind": "a", "place": "north"})
    assert counting.published()[cell(kind="a")] == 1
