"""A table of which anything is proved is left out and named, and the others stay."""

import pytest

from nrm.statistics.attack import attack
from nrm.statistics.catalogue import Counts, Listed, tables
from nrm.statistics.protection import Protection
from nrm.statistics.release import attacked, make, proof_against
from nrm.statistics.tables import Dimension, cells
from tests.statistics.cases import CATALOGUE, KEY, QUARTER

KIND = Dimension("kind", ("a", "b", "c", "d"))
PLACE = Dimension("place", ("north", "south"))
SEX = Dimension("sex", ("female", "male"))
FLAGS = Dimension("flags", ("f", "g"), several=True)
PERSONS = Counts.PERSONS


def cell(**codes):
    return frozenset(codes.items())


def listed(number, *dimensions):
    return Listed(number, number, PERSONS, dimensions)


# In the north there are thirteen at most, where nothing is shown. Figures of 10, 10, 10 and 15 are
# of two, two, two and seven persons at least: it can be no others. It takes the worst of all noise.
SHOWN = dict(zip(KIND.codes, (10, 10, 10, 15), strict=True))
NORTH = {cell(place="north", kind=kind): figure for kind, figure in SHOWN.items()}
SOUTH = {cell(place="south", kind=kind): 60 for kind in KIND.codes}
FIGURES = {
    cell(): 250,
    cell(place="north"): None,
    cell(place="south"): 240,
    **{cell(kind=kind): 60 for kind in KIND.codes},
    **NORTH,
    **SOUTH,
    **{cell(sex=sex): 125 for sex in SEX.codes},
    **{cell(place="north", sex=sex): None for sex in SEX.codes},
    **{cell(place="south", sex=sex): 120 for sex in SEX.codes},
}
TABLES = [listed("T1", PLACE, KIND), listed("T2", PLACE, SEX), listed("T3", KIND)]


def test_a_table_of_which_a_cell_is_proved_is_left_out_and_the_others_stay():
    proved = attacked(FIGURES, TABLES)
    assert proved.cells == set(NORTH)
    figures, left_out = proof_against(FIGURES, TABLES)
    assert left_out == ["T1"]
    # The margins that other tables have as well are still there.
    assert set(figures) == set(FIGURES) - set(NORTH) - set(SOUTH)
    assert all(figures[one] == FIGURES[one] for one in figures)
    assert not attacked(figures, TABLES[1:])


def test_a_margin_that_is_in_no_other_table_goes_with_its_table():
    figures, left_out = proof_against(FIGURES, TABLES[:2])
    assert left_out == ["T1"]
    assert not any(name == "kind" for one in figures for name, _ in one)


def test_whatever_contains_what_is_proved_is_left_out_too():
    wider = [*TABLES, listed("T4", PLACE, KIND, SEX)]
    figures, left_out = proof_against(FIGURES, wider)
    assert left_out == ["T1", "T4"]
    assert set(figures) == set(FIGURES) - set(NORTH) - set(SOUTH)


def test_where_nothing_is_proved_nothing_is_left_out():
    figures = {one: figure for one, figure in FIGURES.items() if one not in NORTH}
    assert proof_against(figures, TABLES[1:]) == (figures, [])
    assert proof_against({}, []) == ({}, [])


def test_of_a_thing_of_which_people_have_several_the_table_is_found():
    """The attack asks of each code for itself, and names what it proves in that way."""
    figures = {
        cell(): 40,
        cell(flags="f"): None,
        cell(flags="g"): 30,
        **{cell(kind=kind): figure for kind, figure in SHOWN.items()},
        **{cell(kind=kind, flags="f"): figure for kind, figure in SHOWN.items()},
        **{cell(kind=kind, flags="g"): None for kind in KIND.codes},
    }
    of_these = [listed("T1", FLAGS, KIND), listed("T2", FLAGS), listed("T3", KIND)]
    names = {name for one in attack(figures, [FLAGS, KIND]).cells for name, _ in one}
    assert names == {"flags=f", "kind"}
    remaining, left_out = proof_against(figures, of_these)
    assert left_out == ["T1"]
    assert set(remaining) == {one for one in figures if len(one) < 2}


class Unlucky(Protection):
    """Draws the worst noise there is for some small counts, and none at all for the others."""

    def published(self, count, record_keys):
        del record_keys
        return {2: 10, 7: 15, 13: None}.get(count, 5 * round(count / 5) if count >= 10 else None)


def test_a_release_leaves_out_the_table_that_the_noise_did_not_protect():
    """Who was moved through the country is split by sex into two, two, two and seven."""
    through = ["female"] * 2 + ["male"] * 2 + ["other"] * 2 + ["unknown"] * 7
    said = {"quarter": "2026Q3", "source": "police"}
    cases = [
        *(
            (f"t{place}", {**said, "flow": "transit", "sex": sex}, [])
            for place, sex in enumerate(through)
        ),
        *(
            (f"i{sex}{place}", {**said, "flow": "internal", "sex": sex}, [])
            for sex in ("female", "male", "other", "unknown")
            for place in range(40)
        ),
    ]
    release = make(cases, QUARTER, Unlucky(KEY, "1"), CATALOGUE)
    assert release.left_out == ["R7"]
    figures = release.figures[PERSONS]
    assert cell(flow="transit", sex="female") not in figures
    assert figures[cell(flow="internal")] == 160
    assert figures[cell(sex="female")] == 40
    remaining = tables([one for one in CATALOGUE if one.number != "R7"], PERSONS, annual=False)
    assert set(figures) == {
        one for table in remaining for margin in table.margins() for one in cells(margin)
    }


@pytest.mark.parametrize("missing", ["T1", "T2", "T3"])
def test_the_noise_is_never_drawn_again(missing):
    figures, _ = proof_against(FIGURES, [one for one in TABLES if one.number != missing])
    assert all(FIGURES[one] == figure for one, figure in figures.items())
