import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.envelope import coarse_age, fill
from nrm.domain.vocabulary import AGE_BAND, NEED

# All that a provider learns before it answers.
KEYS = {
    "service",
    "urgency",
    "age",
    "sex",
    "languages",
    "district",
    "safety",
    "arrangements",
}
FACTS = {
    "source": "police",
    "district": "11",
    "place": "street",
    "sex": "female",
    "citizenship": "BI",
    "languages": ["run", "fra"],
    "indicators": ["hurt"],
    "immediate_risk": "reachable_tonight",
    "needs": ["emergency_shelter", "mental_health"],
    "consent_asked": "yes",
    "age_band": "16_17",
    "quarter": "2026Q4",
}


def envelope(facts, service="emergency_shelter"):
    return fill(facts, service=service, urgency=1, safety="Ask at the gate.", arrangements="By car")


def test_an_envelope():
    assert envelope(FACTS) == {
        "service": "emergency_shelter",
        "urgency": 1,
        "age": "12_17",
        "sex": "female",
        "languages": ["run", "fra"],
        "district": "11",
        "safety": "Ask at the gate.",
        "arrangements": "By car",
    }


def test_nothing_else_of_the_facts_is_told():
    # Where the person was found, by whom, from which country and with which signs stays inside.
    told = json.dumps(envelope(FACTS))
    for kept in ("police", "street", "BI", "hurt", "reachable", "mental_health", "2026Q4", "16_17"):
        assert kept not in told


@given(
    st.dictionaries(
        st.sampled_from(
            ["given_name", "phone", "account", "id_number", "health_words", "birth_date"]
        ),
        st.text(min_size=4).map(lambda text: f"canary-{text}"),
    ),
    st.sampled_from(NEED.codes),
)
def test_what_has_no_business_in_facts_does_not_reach_the_envelope(strays, service):
    filled = envelope({**FACTS, **strays}, service)
    assert set(filled) == KEYS
    assert "canary-" not in json.dumps(filled)


def test_an_envelope_without_facts_still_has_every_part():
    filled = envelope({})
    assert set(filled) == KEYS
    assert (filled["age"], filled["sex"], filled["languages"]) == ("unknown", "unknown", [])


@pytest.mark.parametrize("service", NEED.codes)
def test_sex_is_told_only_where_it_decides_who_can_help(service):
    told = service in {
        # Where somebody sleeps,
        "emergency_shelter",
        "longer_term_accommodation",
        "alternative_care",
        # and who examines them.
        "medical_examination",
        "sexual_health",
    }
    assert envelope(FACTS, service)["sex"] == ("female" if told else "")


@pytest.mark.parametrize(
    ("band", "told"),
    [
        ("under_12", "under_12"),
        ("12_15", "12_17"),
        ("16_17", "12_17"),
        ("18_24", "adult"),
        ("25_34", "adult"),
        ("35_44", "adult"),
        ("45_plus", "adult"),
        ("unknown", "unknown"),
    ],
)
def test_an_age_is_told_coarsely(band, told):
    assert coarse_age(band) == told


def test_every_age_band_has_a_coarse_one():
    assert {coarse_age(band) for band in AGE_BAND} == {"under_12", "12_17", "adult", "unknown"}
