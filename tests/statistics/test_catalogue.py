"""The catalogue: closed, narrow, and open to one more line."""

import re
from dataclasses import replace
from itertools import cycle

import pytest

from nrm.domain.facts import FACTS, Fact
from nrm.statistics.catalogue import (
    AGE,
    COUNTS_LABEL,
    FORM,
    SEX,
    SOURCE,
    Country,
    Counts,
    Listed,
    catalogue,
    of_fact,
    tables,
)
from nrm.statistics.layout import grids
from nrm.statistics.protection import Protection
from nrm.statistics.reading import ANY_LABOUR, LABOUR_FORMS
from nrm.statistics.release import make
from nrm.statistics.tables import ANSWERED, UNKNOWN, CatalogueError, Dimension, Table, check
from tests.statistics.cases import (
    CATALOGUE,
    KEY,
    LATER_FACT,
    PACK,
    QUARTER,
    RETURN,
    RWANDA,
    YEAR,
    cases,
    later_table,
)

PERSONS = Counts.PERSONS
# What cases are counted by; referrals and steps have a code of their own always.
OF_CASES = {
    each.name: each for one in CATALOGUE if one.counts is PERSONS for each in one.dimensions
}


def cell(**codes):
    return frozenset(codes.items())


def test_the_tables_have_the_numbers_by_which_the_ministry_knows_them():
    numbers = {re.match(r"R\d+", one.number).group() for one in CATALOGUE}
    # What is missing waits for the stage that brings its facts.
    assert numbers >= {*(f"R{number}" for number in range(1, 14)), "R17"}
    assert {one.counts for one in CATALOGUE} == set(Counts) == set(COUNTS_LABEL)


def test_a_district_is_counted_by_itself_and_of_a_whole_year_alone():
    of_districts = [one for one in CATALOGUE if "district" in one.names]
    assert [(len(one.dimensions), one.annual) for one in of_districts] == [(1, True)]


def test_every_code_of_every_table_has_words():
    for listed in CATALOGUE:
        assert listed.title
        for dimension in listed.dimensions:
            assert dimension.label
            without = set(dimension.codes) - set(dimension.words)
            assert without <= {ANSWERED}


@pytest.mark.parametrize("name", sorted(OF_CASES))
def test_whatever_a_case_says_is_in_a_row_of_every_table(name):
    """Where a record has one code of a list, nobody is in a total and in none of its parts."""
    dimension = OF_CASES[name]
    for said in ({}, {name: "in no list"}, {"district": "in no list", "age_band": UNKNOWN}):
        codes = dimension.of({"events": [], **said})
        assert set(codes) <= set(dimension.codes)
        assert dimension.several or len(codes) == 1


def test_what_lies_in_what_is_true_of_every_case():
    seen = set()
    for _, facts, events in cases(300, YEAR):
        record = {**facts, "events": events}
        for dimension in OF_CASES.values():
            wider = dimension.wider()
            for name, code in (wider[one] for one in dimension.of(record) if one in wider):
                assert code in OF_CASES[name].of(record)
                seen.add((dimension.name, name))
    assert seen >= {
        ("district", "province"),
        ("citizenship", "nationality"),
        ("exploitation", "exploitation"),
        ("means", "means"),
        ("reached", "reached"),
    }


def test_every_district_lies_in_a_province_and_every_citizenship_in_a_nationality():
    """Of one code of a list, all are parts of the coarser list, so that they add up to it."""
    for name, coarser in (("district", "province"), ("citizenship", "nationality")):
        within = OF_CASES[name].wider()
        assert set(within) == set(OF_CASES[name].codes)
        assert set(within.values()) == {(coarser, code) for code in OF_CASES[coarser].codes}


def test_a_province_of_two_words_is_counted():
    country = Country("xx", {"Far North": ["1"], "South": ["2"]}, {"1": "Ice Bay", "2": "Sands"})
    listed = catalogue(country)
    province = next(one for one in listed if one.number == "R8").dimensions[0]
    assert province.codes == ("Far_North", "South", UNKNOWN)
    assert province.words["Far_North"] == "Far North"
    assert province.of({"district": "1"}) == ("Far_North",)
    assert tables(listed, PERSONS, annual=True)


# What a catalogue may not hold.


def wide(number):
    return [
        Table(f"W{place}", (SEX, AGE, Dimension(f"thing_{place}", ("a", UNKNOWN))))
        for place in range(number)
    ]


def refused(listed):
    with pytest.raises(CatalogueError) as caught:
        check(listed)
    return str(caught.value)


def test_five_tables_may_count_by_three_things_and_a_sixth_is_refused():
    check(wide(5))
    assert refused(wide(6)) == (
        "at most 5 tables may have three dimensions, and these have: W0, W1, W2, W3, W4, W5"
    )


def test_no_table_counts_by_four_things():
    four = tuple(Dimension(f"thing_{place}", ("a",)) for place in range(4))
    assert refused([Table("W", four)]) == "W has more than three dimensions"


def test_two_tables_of_one_name_are_refused():
    twice = [Table("R1", (SEX,)), Table("R2", (AGE,)), Table("R1", (AGE,))]
    assert refused(twice) == "two tables have one name: R1"


@pytest.mark.parametrize("code", ["two words", "a=b"])
def test_a_code_of_two_words_is_refused(code):
    assert refused([Table("R1", (Dimension("thing", ("a", code)),))]) == (
        f"a code is one word: {code}"
    )
    assert refused([Table("R1", (Dimension(code, ("a",)),))]) == f"a code is one word: {code}"


def test_two_things_of_one_name_are_refused():
    """Their cells would be the same, and the codes of the one would hide those of the other."""
    other = replace(SEX, codes=("female", "male"))
    assert refused([Table("R1", (SEX,)), Table("R2", (other,))]) == (
        "two things to count by are called sex"
    )


def test_what_is_refused_is_never_made():
    wider = [
        Listed(f"X{place}", "Too wide", PERSONS, each.dimensions)
        for place, each in enumerate(wide(5))
    ]
    with pytest.raises(CatalogueError, match=re.escape("R5a, X0, X1, X2, X3, X4")):
        make(cases(40, QUARTER), QUARTER, Protection(KEY, "1"), [*CATALOGUE, *wider])


# What a later stage brings.


def test_a_table_of_a_later_stage_is_one_line_of_facts_and_one_of_the_catalogue():
    facts = {**FACTS, **LATER_FACT}
    listed = [*CATALOGUE, later_table(facts)]
    people = [
        (
            case_id,
            {**said, "assisted_return": RETURN.codes[place % 2]} if place % 4 else said,
            events,
        )
        for place, (case_id, said, events) in enumerate(cases(400, QUARTER))
    ]
    release = make(people, QUARTER, Protection(KEY, "1"), listed)
    before = make(people, QUARTER, Protection(KEY, "1"), CATALOGUE)
    figures = release.figures[PERSONS]
    assert figures[cell(assisted_return="stays")] == pytest.approx(200, abs=30)
    assert figures[cell(assisted_return="returned_home", sex="female")] is not None
    assert figures[cell(assisted_return=UNKNOWN)] is not None
    assert figures[cell(assisted_return="undecided")] is None
    assert release.left_out == []
    # Every other figure is as it was.
    new = {one for one in figures if any(name == "assisted_return" for name, _ in one)}
    assert len(new) == (len(RETURN) + 1) * (len(SEX.codes) + 1)
    assert {one: figure for one, figure in figures.items() if one not in new} == (
        before.figures[PERSONS]
    )


def test_a_thing_of_which_people_have_several_counts_who_answered():
    facts = {"plans": Fact("Plans", RETURN, several=True)}
    plans = of_fact("plans", facts)
    assert plans.codes == (*RETURN.codes, ANSWERED)
    assert plans.of({"plans": ["stays", "undecided"]}) == ["stays", "undecided", ANSWERED]
    assert set(plans.wider()) == set(RETURN.codes)


LABOUR = ("forced_labour", "child_labour", "servitude", "forced_begging")


def test_all_forced_labour_is_one_figure_that_counts_nobody_twice():
    people = [
        (case_id, {**said, "exploitation": list(forms)}, events)
        for (case_id, said, events), forms in zip(
            cases(400, QUARTER),
            cycle([LABOUR[:2], LABOUR[1:3], LABOUR[3:], ("sexual_exploitation",)]),
            strict=False,
        )
    ]
    release = make(people, QUARTER, Protection(KEY, "1"), CATALOGUE)
    figures = release.figures[PERSONS]
    new_cases = figures[cell()]
    assert figures[cell(exploitation="any_labour")] == pytest.approx(new_cases * 3 / 4, abs=30)
    assert figures[cell(exploitation="child_labour")] == pytest.approx(new_cases / 2, abs=30)
    assert cell(exploitation="any_labour", sex="female", age="child") in figures
    assert release.left_out == []


def test_all_forced_labour_is_the_forms_that_ctdc_calls_so():
    assert set(LABOUR) == LABOUR_FORMS
    assert FORM.of({"exploitation": ["servitude"]}) == ["servitude", ANY_LABOUR, ANSWERED]
    assert FORM.of({"exploitation": ["organ_removal"]}) == ["organ_removal", ANSWERED]
    assert FORM.of({}) == []
    wider = FORM.wider()
    assert {wider[code] for code in LABOUR} == {(FORM.name, ANY_LABOUR)}
    # All of it lies in whatever is known, as every other form does.
    assert wider[ANY_LABOUR] == wider["organ_removal"] == (FORM.name, ANSWERED)


def test_a_sum_of_forms_is_no_form_beside_them():
    assert ANY_LABOUR in FORM.codes
    assert {ANY_LABOUR, ANSWERED}.isdisjoint(FORM.single)


def test_a_release_from_before_there_was_a_sum_says_nothing_of_it():
    """What was never counted is not under ten."""
    table = next(one for one in CATALOGUE if one.number == "R4")
    counted = make(cases(200, QUARTER), QUARTER, Protection(KEY, "1"), CATALOGUE).figures[PERSONS]
    earlier = {one: counted[one] for one in counted if (FORM.name, ANY_LABOUR) not in one}
    words = FORM.words[ANY_LABOUR]
    for figures, said in ((counted, True), (earlier, False)):
        [grid] = grids(table, figures, str)
        assert (words in {*(line.label for line in grid.lines), *grid.hidden}) == said
        by_columns = Listed("R0", "Practice", PERSONS, (SEX, FORM))
        [grid] = grids(by_columns, figures, str)
        assert (words in grid.heads) == said


def test_a_list_that_knows_not_known_has_it_once():
    assert of_fact("sex").codes.count(UNKNOWN) == 1
    assert SOURCE.codes[-1] == UNKNOWN
    assert SOURCE.words[UNKNOWN]


def test_the_districts_are_those_of_the_country():
    district = next(one for one in CATALOGUE if one.number == "R8a").dimensions[0]
    assert district.codes == (*PACK.districts, UNKNOWN)
    assert len(PACK.districts) == 30
    assert catalogue(RWANDA) == CATALOGUE
