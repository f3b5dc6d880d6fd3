"""How a case is read before it is counted."""

import pytest

from nrm.domain.vocabulary import INDICATOR
from nrm.statistics import reading
from nrm.statistics.reading import MEANS_LABEL, REACHED_LABEL
from nrm.statistics.tables import UNKNOWN


def event(name, **coded):
    return {"event": name, "quarter": "2026Q3", "days": 0, **coded}


def person(*events, **facts):
    return reading.person(facts, list(events))


@pytest.mark.parametrize(
    ("band", "age"),
    [
        ("under_12", "child"),
        ("12_15", "child"),
        ("16_17", "child"),
        ("18_24", "adult"),
        ("25_34", "adult"),
        ("35_44", "adult"),
        ("45_plus", "adult"),
        (UNKNOWN, None),
    ],
)
def test_children_are_told_from_adults(band, age):
    assert reading.age({"age_band": band}) == age


def test_an_age_that_nobody_recorded_is_not_known():
    assert reading.age({}) is None


@pytest.mark.parametrize(
    ("citizenship", "nationality"),
    [
        ({"citizenship": "RW"}, "national"),
        ({"citizenship": "BI"}, "foreign"),
        ({"citizenship": "other"}, "foreign"),
        ({"citizenship": UNKNOWN}, None),
        ({"citizenship": "a country in no list"}, None),
        ({}, None),
    ],
)
def test_citizens_are_told_from_others(citizenship, nationality):
    assert reading.nationality(citizenship, "rw") == nationality


def test_the_means_of_control_are_read_from_the_signs():
    signs = ["papers_kept", "hurt", "sexual_acts", "others_speak", "no sign of ours"]
    assert set(reading.means({"indicators": signs})) - {None} == {
        "meansWithholdDocs",
        "meansAbusePsyPhySex",
    }
    assert reading.means({}) == []


def test_every_means_that_a_sign_speaks_of_is_counted():
    assert {sign.ctdc for sign in INDICATOR.values() if sign.ctdc} <= set(MEANS_LABEL)


@pytest.mark.parametrize(
    ("events", "decision"),
    [
        ([], "waiting"),
        ([event("flagged")], "waiting"),
        ([event("presumed")], "presumed"),
        ([event("closed", reason="contact_lost")], "closed"),
        ([event("presumed"), event("closed", reason="plan_completed")], "presumed"),
        ([event("closed", reason="not_a_victim")], "not_a_victim"),
        # The closing is the later word.
        ([event("presumed"), event("closed", reason="not_a_victim")], "not_a_victim"),
    ],
)
def test_what_became_of_the_question_whether_somebody_is_a_victim(events, decision):
    assert reading.decision(person(*events)) == decision


@pytest.mark.parametrize(
    ("events", "farthest"),
    [
        ([], "identified"),
        ([event("flagged"), event("presumed")], "identified"),
        ([event("consented")], "consented"),
        ([event("consented"), event("sent")], "sent"),
        # Where a law allowed it without consent, or nobody wrote that down.
        ([event("accepted")], "accepted"),
        ([event("served", outcome="given")], "served"),
        ([event("served", outcome="partly_given")], "served"),
        ([event("accepted"), event("served", outcome="not_given")], "accepted"),
        ([event("sent"), event("declined"), event("closed", reason="contact_lost")], "sent"),
    ],
)
def test_whoever_came_far_went_through_all_that_lies_before(events, farthest):
    steps = list(REACHED_LABEL)
    assert reading.reached(person(*events)) == steps[: steps.index(farthest) + 1]


@pytest.mark.parametrize(
    ("answers", "answer"),
    [
        ([], "waiting"),
        (["accepted"], "accepted"),
        (["declined"], "declined"),
        (["expired"], "expired"),
        (["withdrawn"], "withdrawn"),
        # An accepted referral can end; what was answered stays answered.
        (["withdrawn", "accepted"], "accepted"),
    ],
)
def test_a_referral_has_the_answer_that_it_was_given(answers, answer):
    events = [
        event("sent", referral="one", service="education"),
        event("sent", referral="two", service="transport"),
        *(event(given, referral="one") for given in answers),
        event("served", referral="one", service="education", outcome="given"),
    ]
    found = reading.referrals({"sex": "male"}, events)
    assert found["one"] == (
        "2026Q3",
        {"sex": "male", "service": "education", "answer": answer},
    )
    assert found["two"][1]["answer"] == "waiting"


def test_an_answer_to_a_referral_that_was_never_sent_is_none():
    assert reading.referrals({}, [event("accepted", referral="three")]) == {}


def test_of_each_step_the_first_time_counts():
    events = [
        event("sent", days=9),
        event("sent", days=4),
        event("accepted", days=2),
        event("flagged", days=0),
        event("declined", days=1),
        event("served", days=1, outcome="not_given"),
        event("served", days=3, outcome="given"),
    ]
    expected = {"sent": 4, "accepted": 2, "served": 3}
    assert reading.first_days(events) == expected
    for event_ in events:
        event_.pop("outcome", None)
    assert reading.first_days(events) == {**expected, "served": 1}


@pytest.mark.parametrize(
    ("facts", "events", "counted"),
    [
        ({}, [], True),
        ({"statistics": "denied"}, [], False),
        ({}, [event("closed", reason="contact_lost")], True),
        ({}, [event("closed", reason="duplicate")], False),
        ({}, [event("declined", reason="no_capacity", referral="one")], True),
    ],
)
def test_who_said_no_is_not_counted_nor_a_second_file_of_one_person(facts, events, counted):
    assert reading.counted(events, facts) is counted
