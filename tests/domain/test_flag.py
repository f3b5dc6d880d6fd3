import json
from copy import deepcopy
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain import flag
from nrm.domain.lifecycle import Assistance, Identification
from nrm.domain.vocabulary import COMPARTMENT, NEED, Urgency

TODAY = date(2026, 11, 23)
# Every question with an answer, as the pages store it.
PAGES = {
    "report": {"source": "police", "district": "11", "station_reference": "RIB-PRACTICE-1"},
    "place": {
        "place": "hotel_or_bar",
        "sector": "Gitega",
        "found_on": "2026-11-21",
        "place_words": "Behind the practice market",
    },
    "person": {
        "given_name": "Practice",
        "family_name": "Person",
        "other_names": "Rehearsal",
        "birth_date": "2009-03-02",
        "id_number": "0000000000000000",
        "sex": "female",
        "citizenship": "BI",
        "languages": ["run"],
    },
    "signs": {"indicators": ["cannot_leave"], "account": "Told in the practice kitchen"},
    "risk": {
        "immediate_risk": "reachable_tonight",
        "needs": ["emergency_shelter"],
        "health_words": "A practice bruise",
    },
    "contact": {
        "method": "phone",
        "phone": "+250788000000",
        "words": "Only in the mornings",
        "code_word": "umbrella",
    },
    "consent": {"consent_asked": "no", "not_asked_reason": "unwell"},
}

# Where each answer is kept: page, question, compartment.
KEPT = """
    report   | source            | facts
    report   | district          | facts
    report   | station_reference | enforcement
    place    | place             | facts
    place    | sector            | narrative
    place    | found_on          | narrative
    place    | place_words       | narrative
    person   | given_name        | identity
    person   | family_name       | identity
    person   | other_names       | identity
    person   | birth_date        | identity
    person   | id_number         | identity
    person   | sex               | facts
    person   | citizenship       | facts
    person   | languages         | facts
    signs    | indicators        | facts
    signs    | account           | narrative
    risk     | immediate_risk    | facts
    risk     | needs             | facts
    risk     | health_words      | health
    contact  | method            | contact
    contact  | phone             | contact
    contact  | words             | contact
    contact  | code_word         | contact
    consent  | consent_asked     | facts
    consent  | not_asked_reason  | facts
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in KEPT.strip().splitlines()]
# What is worked out rather than asked, and coarse enough for the statistics.
WORKED_OUT = {"age_band", "quarter"}
# Whatever is typed freely, or is finer than a code, a district or a quarter.
FREE = [(page, name) for page, name, compartment in ROWS if compartment != "facts"]


def holding(documents, text):
    return [
        name
        for name, document in documents.items()
        if text in json.dumps(document, ensure_ascii=False)
    ]


@pytest.mark.parametrize(("page", "name", "compartment"), ROWS)
def test_each_answer_is_kept_in_one_compartment(page, name, compartment):
    documents = flag.documents(PAGES, TODAY)
    assert documents[compartment][name] == PAGES[page][name]
    assert [kept for kept, document in documents.items() if name in document] == [compartment]


def test_every_question_has_its_place_and_every_compartment_is_there():
    asked = [(page, name) for page, answers in PAGES.items() for name in answers]
    assert sorted(asked) == sorted((page, name) for page, name, _ in ROWS)
    documents = flag.documents(PAGES, TODAY)
    assert set(documents) == set(COMPARTMENT)
    kept = {name for document in documents.values() for name in document}
    assert kept == {name for _, name, _ in ROWS} | WORKED_OUT


def test_facts_hold_codes_alone():
    assert flag.documents(PAGES, TODAY)["facts"] == {
        "source": "police",
        "district": "11",
        "place": "hotel_or_bar",
        "sex": "female",
        "citizenship": "BI",
        "languages": ["run"],
        "indicators": ["cannot_leave"],
        "immediate_risk": "reachable_tonight",
        "needs": ["emergency_shelter"],
        "consent_asked": "no",
        "not_asked_reason": "unwell",
        "age_band": "16_17",
        "quarter": "2026Q4",
    }


def test_no_day_and_no_part_of_a_birth_date_is_in_facts():
    facts = json.dumps(flag.documents(PAGES, TODAY)["facts"])
    for finer in ("2026-11", "11-21", "11-23", "2009", "03-02", "Gitega"):
        assert finer not in facts


@given(
    st.fixed_dictionaries(
        {
            question: st.text().map(lambda text: f"canary {text}")
            for question in FREE
            # A birth date is a date or nothing; its own test is above.
            if question != ("person", "birth_date")
        }
    )
)
def test_nothing_typed_reaches_facts(typed):
    pages = deepcopy(PAGES)
    for (page, name), text in typed.items():
        pages[page][name] = text
    documents = flag.documents(pages, TODAY)
    assert holding(documents, "canary") == [name for name in documents if name != "facts"]
    for (page, name), text in typed.items():
        compartment = next(row[2] for row in ROWS if row[:2] == (page, name))
        assert documents[compartment][name] == text


@given(
    st.dictionaries(
        st.sampled_from(list(PAGES)),
        st.dictionaries(
            st.text(min_size=1).map(lambda text: f"unasked {text}"),
            st.just("canary"),
            min_size=1,
        ),
    )
)
def test_an_answer_to_a_question_that_was_not_asked_is_kept_nowhere(strays):
    pages = deepcopy(PAGES)
    for page, answers in strays.items():
        pages[page].update(answers)
    assert holding(flag.documents(pages, TODAY), "canary") == []


def test_what_was_not_answered_is_left_out():
    pages = deepcopy(PAGES)
    pages["person"] = {"given_name": "", "family_name": None, "languages": []}
    pages["risk"] = {"immediate_risk": "unsure", "needs": []}
    documents = flag.documents(pages, TODAY)
    assert documents["identity"] == {}
    assert documents["health"] == {}
    assert not {"sex", "languages", "needs"} & set(documents["facts"])
    assert documents["facts"]["age_band"] == "unknown"


@pytest.mark.parametrize(
    ("person", "band"),
    [
        ({}, "unknown"),
        ({"age_band": ""}, "unknown"),
        ({"age_band": "18_24"}, "18_24"),
        ({"birth_date": "2009-03-02"}, "16_17"),
        # A known date is better than an estimate.
        ({"birth_date": "2009-03-02", "age_band": "25_34"}, "16_17"),
        ({"birth_date": "2008-11-23"}, "18_24"),  # eighteen today
        ({"birth_date": "2008-11-24"}, "16_17"),  # eighteen tomorrow
        ({"birth_date": "2010-11-24"}, "12_15"),  # sixteen tomorrow
    ],
)
def test_the_age_band_of_a_person(person, band):
    assert flag.person_age_band(person, TODAY) == band


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-01-01", "2026Q1"),
        ("2026-03-31", "2026Q1"),
        ("2026-04-01", "2026Q2"),
        ("2026-06-30", "2026Q2"),
        ("2026-07-01", "2026Q3"),
        ("2026-09-30", "2026Q3"),
        ("2026-10-01", "2026Q4"),
        ("2026-12-31", "2026Q4"),
    ],
)
def test_a_quarter(day, name):
    assert flag.quarter(date.fromisoformat(day)) == name


@pytest.mark.parametrize(
    ("risk", "needs", "person", "expected"),
    [
        # Nothing presses.
        ("none", [], {}, Urgency.NORMAL),
        # A child is never last in the queue, whichever way the age is known.
        ("none", [], {"age_band": "12_15"}, Urgency.HIGH),
        ("none", [], {"birth_date": "2015-01-01"}, Urgency.HIGH),
        # Doubt counts as danger, danger goes first.
        ("unsure", [], {}, Urgency.HIGH),
        ("reachable_tonight", [], {}, Urgency.IMMEDIATE),
        ("danger_now", [], {}, Urgency.IMMEDIATE),
        # A medical emergency goes first in a safe place too.
        ("none", ["medical_emergency"], {}, Urgency.IMMEDIATE),
        ("none", ["legal_information"], {}, Urgency.NORMAL),
    ],
)
def test_how_urgent_a_flag_is(risk, needs, person, expected):
    pages = {"risk": {"immediate_risk": risk, "needs": needs}, "person": person}
    assert flag.flag_urgency(pages, TODAY) is expected


def test_a_flag_can_be_sent_when_every_page_is_answered():
    assert flag.open_pages({}) == list(flag.PAGES)
    assert flag.open_pages(PAGES) == []
    assert flag.open_pages({page: {} for page in PAGES if page != "contact"}) == ["contact"]
    assert list(flag.PAGES) == list(PAGES)


# A draft, page by page.


def test_a_page_that_was_begun_and_left_is_kept_and_stays_open():
    draft = flag.with_page({"pages": {}}, "person", {"given_name": "Pra"}, finished=False)
    assert draft == {"pages": {}, "begun": {"person": {"given_name": "Pra"}}}
    assert "person" in flag.open_pages(draft["pages"])


def test_a_page_that_is_finished_is_no_longer_begun():
    begun = flag.with_page({"pages": {}}, "person", {"given_name": "Pra"}, finished=False)
    draft = flag.with_page(begun, "person", {"given_name": "Practice"}, finished=True)
    assert draft == {"pages": {"person": {"given_name": "Practice"}}, "begun": {}}


def test_an_answered_page_that_is_opened_and_left_half_is_open_again():
    draft = {"pages": deepcopy(PAGES)}
    changed = flag.with_page(draft, "contact", {"method": "phone"}, finished=False)
    assert flag.open_pages(changed["pages"]) == ["contact"]
    assert changed["begun"] == {"contact": {"method": "phone"}}


@pytest.mark.parametrize("page", PAGES)
def test_saving_one_page_leaves_the_others_and_the_draft_as_they_were(page):
    draft = {"pages": deepcopy(PAGES), "begun": {}}
    for finished in (True, False):
        changed = flag.with_page(draft, page, PAGES[page], finished=finished)
        assert {**changed["pages"], **changed["begun"]} == PAGES
    assert draft == {"pages": PAGES, "begun": {}}


def test_another_district_takes_the_sector_of_the_old_one_away():
    draft = {"pages": deepcopy(PAGES)}
    moved = {**PAGES["report"], "district": "12"}
    place = flag.with_page(draft, "report", moved, finished=True)["pages"]["place"]
    assert place == {name: held for name, held in PAGES["place"].items() if name != "sector"}


@pytest.mark.parametrize(
    ("pages", "district", "lost"),
    [
        (PAGES, "12", True),
        (PAGES, "11", False),
        (PAGES, None, True),
        # No sector was chosen yet, or no page was answered at all.
        ({**PAGES, "place": {"place": "street"}}, "12", False),
        ({}, "12", False),
    ],
)
def test_when_a_sector_is_lost(pages, district, lost):
    assert flag.loses_sector(pages, {"district": district}) is lost


# What the first responder is asked and told.


def test_the_first_needs_are_needs():
    assert set(flag.FIRST_NEEDS) <= set(NEED)
    assert len(set(flag.FIRST_NEEDS)) == len(flag.FIRST_NEEDS)


def test_every_state_of_a_case_can_be_told_to_whoever_flagged_it():
    assert set(flag.WHERE_IT_STANDS) == {*Identification, *Assistance}
