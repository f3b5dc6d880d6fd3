"""What is shown of a masked field: enough to tell two apart, never the whole."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.flag import documents
from nrm.domain.masking import (
    FIELD_LABEL,
    MASKED,
    NAMES_IN_LISTS,
    Masked,
    Way,
    initials,
    is_masked,
    masked,
    told,
)
from nrm.services import vault
from tests.world import CANARIES, pages

# Field by field, as it was decided.
TABLE = """
    compartment | field       | way
    identity    | birth_date  | year
    identity    | id_number   | last_three
    contact     | phone       | last_three
    contact     | code_word   | hidden
    narrative   | place_words | hidden
"""


def rows():
    _, *lines = [line.split("|") for line in TABLE.strip().splitlines()]
    return [tuple(cell.strip() for cell in line) for line in lines]


def test_the_table_of_masked_fields_is_what_was_decided():
    written = {
        (compartment, field, way)
        for compartment, fields in MASKED.items()
        for field, way in fields.items()
    }
    assert written == set(rows())
    assert set(FIELD_LABEL) == {(compartment, field) for compartment, field, _ in written}
    assert NAMES_IN_LISTS is Way.INITIALS


def test_every_masked_field_is_one_that_a_flag_keeps():
    everything = {
        "person": {"birth_date": "1987-03-19", "id_number": "1"},
        "contact": {"phone": "1", "code_word": "x"},
        "place": {"place_words": "x"},
    }
    kept = documents(pages(**everything), date(2026, 11, 28))
    assert set(MASKED) <= set(vault.CASE_COMPARTMENTS)
    for compartment, fields in MASKED.items():
        assert set(fields) <= set(kept[compartment])


@pytest.mark.parametrize(
    ("way", "value", "expected"),
    [
        (Way.LAST_THREE, "+250788481516", "516"),
        (Way.LAST_THREE, "+250 788 481 516", "516"),
        (Way.LAST_THREE, "1 1987 7 0048151 6 23", "623"),
        (Way.LAST_THREE, "PC-123456", "456"),
        # Of a short number three signs would be half.
        (Way.LAST_THREE, "112", ""),
        (Way.LAST_THREE, "123456", ""),
        (Way.LAST_THREE, "1234567", "567"),
        (Way.LAST_THREE, "", ""),
        (Way.YEAR, "1987-03-19", "1987"),
        (Way.YEAR, "1987", ""),
        (Way.YEAR, "19/3/1987", ""),
        (Way.INITIALS, "Marie Uwamahoro", "M. U."),
        (Way.INITIALS, "  Jean   de Dieu ", "J. d. D."),
        (Way.INITIALS, "A B", "– –"),
        (Way.INITIALS, "", ""),
        (Way.HIDDEN, "kanariseven", ""),
    ],
)
def test_what_is_told_of_a_value(way, value, expected):
    assert told(way, value) == expected


LETTERS = st.characters(categories=("L", "N"))
VALUES = st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1)


@given(st.sampled_from(Way), VALUES.filter(lambda value: any(map(str.isalnum, value))))
def test_nothing_that_is_told_holds_the_value(way, value):
    assert value not in told(way, value)
    plain = "".join(filter(str.isalnum, value))
    assert plain not in told(way, value)


@given(st.text(LETTERS, min_size=7))
def test_no_more_than_three_signs_of_a_number_are_told(value):
    assert len(told(Way.LAST_THREE, value)) == 3


@given(st.dates())
def test_of_a_day_the_year_is_told_and_neither_month_nor_day(day):
    assert told(Way.YEAR, day.isoformat()) == f"{day.year:04}"


@given(st.lists(st.text(LETTERS, min_size=2), min_size=1))
def test_of_names_one_letter_each_is_told(names):
    said = initials(" ".join(names)).split()
    assert len(said) == len(names)
    assert all(len(one) == 2 for one in said)


@given(st.sampled_from(list(MASKED)), st.dictionaries(st.text(LETTERS, min_size=1), VALUES))
def test_a_masked_document_holds_none_of_the_masked_values(compartment, others):
    hidden = {name: f"Kanari{number}zero" for number, name in enumerate(MASKED[compartment])}
    shown = masked(compartment, {**others, **hidden})
    assert all(isinstance(shown[name], Masked) for name in hidden)
    assert not any(value in repr(shown) for value in hidden.values())
    assert {name: shown[name] for name in others if name not in hidden} == {
        name: value for name, value in others.items() if name not in hidden
    }


def test_what_is_not_known_is_not_masked_so_that_the_page_says_nothing_noted():
    document = {"phone": "", "code_word": None, "words": "In the morning."}
    assert masked("contact", document) == document


def test_how_a_person_is_reached_safely_is_never_masked():
    contact = {"method": "phone", "words": CANARIES["contact_words"], "phone": "+250788481516"}
    shown = masked("contact", contact)
    assert (shown["method"], shown["words"]) == ("phone", CANARIES["contact_words"])
    assert not is_masked("contact", "words")
    assert not is_masked("contact", "method")
