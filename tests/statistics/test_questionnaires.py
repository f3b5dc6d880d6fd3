"""Questionnaires as data: every row has its cell, and a file that has none says which row it is."""

from dataclasses import replace

import pytest

from nrm import country
from nrm.domain.vocabulary import CITIZENSHIP, EXPLOITATION, ORGANISATION_TYPE, SEX
from nrm.statistics import questionnaires
from nrm.statistics.catalogue import Country, Counts, catalogue
from nrm.statistics.questionnaires import QuestionnaireError, State
from nrm.statistics.tables import Cell

PACK = country.load("rw")
LISTED = catalogue(Country(PACK.code, PACK.provinces, PACK.districts))
HEAD = """
title = "What is asked"
asked_by = "Somebody"
period = "A year"
edition = "The first"
source = "This test"
note = "Nothing."
verified = true
"""


def load(name):
    return questionnaires.load(name, LISTED, PACK.population)


def read(rows, population=PACK.population, head=HEAD):
    return questionnaires.read("asked", head + rows, LISTED, population)


def row(text, label="Women"):
    return f'[[section]]\ntitle = "All"\n[[section.row]]\nlabel = "{label}"\n{text}\n'


def cell(**codes):
    return Cell(codes.items())


def rows_of(questionnaire):
    return [one for section in questionnaire.sections for one in section.rows]


def published(**changed):
    """Give every cell of the catalogue the figure 50, but those that are named."""
    figures = {Counts.PERSONS: {}, Counts.REFERRALS: {}}
    for name in questionnaires.names():
        for one in rows_of(load(name)):
            if not one.answered_by:
                figures[one.counts][one.cell] = 50
                if one.share_of is not None:
                    figures[one.counts][one.share_of] = 200
    figures[Counts.PERSONS].update({cell(): 1_000, **changed.get("persons", {})})
    return figures


def answered(questionnaire, figures, population=PACK.population):
    filled = questionnaires.fill(questionnaire, figures, population)
    return {one.row.label: one for section in filled for one in section.answers}


# What is shipped.


def test_the_bodies_that_ask_every_year_have_their_templates():
    assert questionnaires.names() == ["ctdc", "sdg-16-2-2", "unodc-glotip", "us-tip"]


@pytest.mark.parametrize("name", questionnaires.names())
def test_every_row_is_answered_from_the_catalogue_or_by_another_office(name):
    questionnaire = load(name)
    labels = [one.label for one in rows_of(questionnaire)]
    assert labels
    for section in questionnaire.sections:
        assert section.rows
        within = [one.label for one in section.rows]
        assert len(set(within)) == len(within)
    filled = questionnaires.fill(questionnaire, published(), PACK.population)
    for section in filled:
        for one in section.answers:
            assert one.state in {State.ANSWERED, State.NO_POPULATION, State.ELSEWHERE}
            assert (one.figure is None) == (one.state is State.ELSEWHERE)
            assert not one.row.answered_by or one.row.answered_by in ORGANISATION_TYPE


def test_only_what_was_compared_says_that_its_wording_is_verified():
    verified = {name for name in questionnaires.names() if load(name).verified}
    assert verified == {"sdg-16-2-2"}


def test_what_the_prosecution_and_the_courts_know_is_never_a_zero_of_ours():
    for name in ("unodc-glotip", "us-tip"):
        elsewhere = [one for one in rows_of(load(name)) if one.answered_by]
        assert {"investigation", "prosecution", "court"} <= {one.answered_by for one in elsewhere}
        given = answered(load(name), published())
        for one in elsewhere:
            answer = given[one.label]
            assert (answer.state, answer.figure, answer.share) == (State.ELSEWHERE, None, None)


def test_the_codes_of_ctdc_are_those_of_the_code_lists():
    named = {(name, code): one.named for one in rows_of(load("ctdc")) for name, code in one.cell}
    for name, codes in (("sex", SEX), ("citizenship", CITIZENSHIP), ("exploitation", EXPLOITATION)):
        assert {code: named[name, code] for code in codes if codes[code].ctdc} == {
            code: codes[code].ctdc for code in codes if codes[code].ctdc
        }
        assert not any((name, code) in named for code in codes if not codes[code].ctdc)
    assert named["means", "meansThreats"] == "meansThreats"


def test_a_percentage_of_ctdc_is_of_those_who_answered_anything():
    figures = published(
        persons={
            cell(exploitation="answered"): 40,
            cell(exploitation="forced_labour"): 20,
            cell(exploitation="sexual_exploitation"): 20,
            cell(exploitation="other"): 10,
        }
    )
    given = answered(load("ctdc"), figures)
    shares = {one.row.cell: one.share for one in given.values()}
    assert shares[cell(exploitation="forced_labour")] == 50
    assert shares[cell(exploitation="sexual_exploitation")] == 50
    assert shares[cell(exploitation="other")] == 25


def test_the_rate_is_of_100_000_residents_of_the_same_sex():
    given = answered(load("sdg-16-2-2"), published(persons={cell(sex="female"): 65}))
    assert given["Victims detected"].rate == 7.55
    assert given["Female"].rate == 0.95
    assert given["Female"].residents.count == 6_817_068
    assert given["Form: Forced labour"].residents.of == cell()


# What a release does not say.


def test_a_hidden_figure_has_neither_a_share_nor_a_rate():
    hidden = {cell(sex="male"): None, cell(exploitation="forced_labour"): None}
    for name, label in (("sdg-16-2-2", "Male"), ("sdg-16-2-2", "Form: Forced labour")):
        one = answered(load(name), published(persons=hidden))[label]
        assert (one.state, one.figure, one.rate, one.share) == (State.HIDDEN, None, None, None)


def test_a_table_that_was_left_out_is_not_said_to_be_small():
    figures = published()
    del figures[Counts.PERSONS][cell(sex="male")]
    one = answered(load("sdg-16-2-2"), figures)["Male"]
    assert (one.state, one.figure) == (State.NOT_PUBLISHED, None)


def test_without_its_residents_a_group_has_a_figure_and_no_rate():
    one = answered(load("sdg-16-2-2"), published())["Under 18"]
    assert (one.state, one.figure, one.rate) == (State.NO_POPULATION, 50, None)
    nobody_known = answered(load("sdg-16-2-2"), published(), population=())
    assert nobody_known["Victims detected"].state is State.NO_POPULATION


def test_where_the_whole_is_hidden_there_is_no_share():
    figures = published(persons={cell(exploitation="answered"): None})
    one = next(
        one
        for one in answered(load("ctdc"), figures).values()
        if one.row.cell == cell(exploitation="forced_labour")
    )
    assert (one.figure, one.share) == (50, None)


# What is refused when the file is read.


COUNTED = 'counts = "persons"\n'
REFUSED = {
    "codes = { shoe = 'large' }": "no table counts persons by shoe",
    "codes = { sex = 'girl' }": "sex has no code girl",
    "codes = { sex = ['female'] }": "sex has no code ['female']",
    "codes = { service = 'transport' }": "no table counts persons by service",
    "codes = { district = '11', sex = 'female' }": "no table counts persons by district and sex",
    "codes = 'female'": "codes are written as",
    "": "codes is missing",
    "codes = {}\nweight = 1": "weight means nothing here",
    "codes = {}\nper_100_000 = { sex = 'girl' }": "sex has no code girl",
    "codes = {}\nper_100_000 = {}\nshare_of = {}": "a rate or for a share",
    "codes = {}\nshare_of = { sex = 'girl' }": "sex has no code girl",
    "codes = {}\neach = 'shoe'": "no table counts persons by shoe",
    "codes = { district = '11' }\neach = 'sex'": "by district and sex together",
    "codes = { sex = 'female' }\neach = 'sex'": "sex has a code already",
    "codes = {}\neach = 'sex'\nnamed_by = 'htcds'": "named by ctdc",
    "codes = {}\neach = 'age'\nnamed_by = 'ctdc'": "ctdc has no name for a code of age",
    "codes = {}\nnamed_by = 'ctdc'": "nothing without each",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_row_that_nothing_can_answer_is_named_with_its_file(text):
    with pytest.raises(QuestionnaireError) as refused:
        read(row(COUNTED + "codes = {}", "First") + row(COUNTED + text))
    assert str(refused.value).startswith("asked.toml, row 2 (Women): ")
    assert REFUSED[text] in str(refused.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("codes = {}", "counts is missing"),
        ('counts = "money"\ncodes = {}', "counts has to be persons or referrals"),
        ('counts = "days"\ncodes = {}', "counts has to be persons or referrals"),
        ('answered_by = "somebody else"', "somebody else is no kind of organisation"),
        ('answered_by = "court"\ncounts = "persons"', "counts means nothing here"),
    ],
)
def test_what_is_counted_is_said(text, why):
    with pytest.raises(QuestionnaireError, match="row 1") as refused:
        read(row(text))
    assert why in str(refused.value)


def test_a_population_of_nobody_divides_nothing():
    empty = [replace(group, count=0) for group in PACK.population]
    text = row(COUNTED + "codes = {}\nper_100_000 = {}", "Rate")
    with pytest.raises(QuestionnaireError, match="nothing can be divided by them") as refused:
        read(text, empty)
    assert str(refused.value).startswith("asked.toml, row 1 (Rate): there are 0 such residents")


@pytest.mark.parametrize("key", ["title", "asked_by", "period", "edition", "source", "note"])
def test_a_template_says_who_asks_for_what(key):
    without = "\n".join(line for line in HEAD.splitlines() if not line.startswith(f"{key} "))
    with pytest.raises(QuestionnaireError, match=f"asked.toml: {key} is missing"):
        read(row(COUNTED + "codes = {}"), head=without + "\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "section is missing"),
        ("section = 1", "section is missing"),
        ('[[section]]\ntitle = "All"', "row is missing"),
        ('[[section]]\n[[section.row]]\nlabel = "A"\nanswered_by = "court"', "title is missing"),
        ("[[section]\n", "asked.toml: "),
        ("colour = 'red'\n", "colour means nothing here"),
    ],
)
def test_a_file_that_is_no_template_says_so(text, why):
    with pytest.raises(QuestionnaireError) as refused:
        read(text)
    assert str(refused.value).startswith("asked.toml: ")
    assert why in str(refused.value)


def test_whether_the_wording_is_verified_is_always_said():
    with pytest.raises(QuestionnaireError, match="verified has to be true or false"):
        read(row(COUNTED + "codes = {}"), head=HEAD.replace("verified = true", 'verified = "yes"'))
