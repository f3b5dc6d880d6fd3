from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.consent import (
    BASIS_CONSENT,
    SHARE_WITH_PROVIDER,
    SHAREABLE,
    Answer,
    Consent,
    GivenBy,
    check_giver,
    disclosed_to,
    in_force,
    may_receive,
    said_no,
)
from nrm.domain.errors import InvalidInputError
from nrm.domain.vocabulary import COMPARTMENT, CONSENT_EXCEPTION, CONSENT_PURPOSE, NEED

SHELTER, CLINIC = UUID(int=1), UUID(int=2)
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NOW = MONDAY + timedelta(days=7)
GRANTED, REFUSED, WITHDRAWN = Answer.GRANTED, Answer.REFUSED, Answer.WITHDRAWN


def said(answer, days=0, *, of=("identity", "contact"), to=SHELTER, **other):
    return Consent(
        purpose=other.pop("purpose", SHARE_WITH_PROVIDER),
        recipient_id=to,
        answer=answer,
        compartments=frozenset(of),
        recorded_at=MONDAY + timedelta(days=days),
        **other,
    )


# A service that may be told of every part that can be shared: what is shared is up to the person.
EVERY_PART = ("psychosocial_counselling",)


def opens(answers, recipient=SHELTER, services=EVERY_PART, at=NOW):
    return disclosed_to(answers, recipient, services, at)


# What was said, in the order in which it is stored, and what the shelter may open afterwards.
CASES = {
    "nothing was asked": ([], ""),
    "agreed": ([said(GRANTED)], "contact identity"),
    "agreed to one part only": ([said(GRANTED, of=("identity",))], "identity"),
    "agreed to the referral, and to showing nothing": ([said(GRANTED, of=())], ""),
    "refused": ([said(REFUSED)], ""),
    "refused, but parts were ticked": ([said(REFUSED, of=("identity",))], ""),
    "agreed, then withdrew": ([said(GRANTED), said(WITHDRAWN, 1)], ""),
    "agreed, then refused": ([said(GRANTED), said(REFUSED, 1)], ""),
    "withdrew, then agreed again": (
        [said(GRANTED), said(WITHDRAWN, 1), said(GRANTED, 2)],
        "contact identity",
    ),
    "narrowed": ([said(GRANTED), said(GRANTED, 1, of=("contact",))], "contact"),
    "widened": (
        [said(GRANTED, of=("contact",)), said(GRANTED, 1, of=("contact", "health"))],
        "contact health",
    ),
    # The newest answer counts, in whatever order the rows come.
    "withdrew, and the rows come the other way round": ([said(WITHDRAWN, 1), said(GRANTED)], ""),
    # Two answers of one moment: the one that was stored last.
    "withdrew in the same moment": ([said(GRANTED), said(WITHDRAWN)], ""),
    # An end date is the first moment at which it no longer counts.
    "agreed until tomorrow": (
        [said(GRANTED, expires_at=NOW + timedelta(days=1))],
        "contact identity",
    ),
    "agreed until this moment": ([said(GRANTED, expires_at=NOW)], ""),
    "agreed until yesterday": ([said(GRANTED, expires_at=NOW - timedelta(days=1))], ""),
    # An older consent without an end does not come back when a newer one runs out.
    "the newer one ran out": ([said(GRANTED), said(GRANTED, 1, expires_at=NOW)], ""),
    # Consent is towards one organisation and for one purpose.
    "agreed towards the clinic": ([said(GRANTED, to=CLINIC)], ""),
    "withdrew from the clinic only": (
        [said(GRANTED), said(WITHDRAWN, 1, to=CLINIC)],
        "contact identity",
    ),
    "agreed towards nobody in particular": ([said(GRANTED, to=None)], ""),
    "agreed to a medical examination there": ([said(GRANTED, purpose="medical_examination")], ""),
    "refused the interview": (
        [said(GRANTED), said(REFUSED, 1, purpose="interview")],
        "contact identity",
    ),
    # Facts feed the statistics, and the police part is for prosecution: neither is ever shared.
    "agreed to everything there is": (
        [said(GRANTED, of=tuple(COMPARTMENT))],
        "contact health identity narrative",
    ),
    "agreed to what is never shared": ([said(GRANTED, of=("facts", "enforcement"))], ""),
    "agreed to what does not exist": ([said(GRANTED, of=("diary",))], ""),
    # An exception of the law stands in for the answer, and can be withdrawn like one.
    "an exception of the law": ([said(GRANTED, basis="vital_interests")], "contact identity"),
    "refused, then an exception of the law": (
        [said(REFUSED), said(GRANTED, 1, of=("contact",), basis="court_order")],
        "contact",
    ),
    "an exception that was taken back": (
        [said(GRANTED, basis="vital_interests"), said(WITHDRAWN, 1)],
        "",
    ),
    "an exception that ran out": ([said(GRANTED, basis="court_order", expires_at=NOW)], ""),
}


@pytest.mark.parametrize(("answers", "opened"), CASES.values(), ids=CASES)
def test_what_the_shelter_may_open(answers, opened):
    assert opens(answers) == set(opened.split())


def test_what_is_in_force_is_the_answer_itself():
    first, second = said(GRANTED), said(GRANTED, 1, basis="court_order")
    assert in_force([first, second], SHARE_WITH_PROVIDER, SHELTER, NOW) is second
    assert in_force([first], SHARE_WITH_PROVIDER, CLINIC, NOW) is None


def test_a_purpose_without_a_recipient_has_one_answer():
    interview = said(GRANTED, to=None, purpose="interview")
    assert in_force([interview], "interview", None, NOW) is interview
    refused = said(REFUSED, 1, to=None, purpose="interview")
    assert in_force([interview, refused], "interview", None, NOW) is None


def test_what_can_be_shared_is_a_known_compartment_and_never_facts_or_police():
    assert set(SHAREABLE) == set(COMPARTMENT) - {"facts", "enforcement"}


def test_the_purpose_of_sharing_is_in_the_code_list():
    assert SHARE_WITH_PROVIDER in CONSENT_PURPOSE
    assert BASIS_CONSENT not in CONSENT_EXCEPTION


# No answer, however it came about, gives more than the last word allows.

answers_given = st.builds(
    said,
    st.sampled_from(Answer),
    st.integers(-30, 6),
    of=st.sets(st.sampled_from([*COMPARTMENT, "diary"])),
    to=st.sampled_from([SHELTER, CLINIC, None]),
    purpose=st.sampled_from(CONSENT_PURPOSE.codes),
    expires_at=st.none() | st.integers(-30, 30).map(lambda days: NOW + timedelta(days=days)),
    basis=st.sampled_from([BASIS_CONSENT, *CONSENT_EXCEPTION]),
)
histories = st.lists(answers_given, max_size=12)


@given(histories, st.sampled_from([REFUSED, WITHDRAWN]), st.sampled_from([*COMPARTMENT]))
def test_after_a_refusal_or_a_withdrawal_nothing_is_disclosed(earlier, last, part):
    history = [*earlier, said(last, 7, of=(part,))]
    assert opens(history) == frozenset()


@given(histories)
def test_only_an_answer_towards_this_recipient_and_purpose_discloses(history):
    for recipient in (SHELTER, CLINIC):
        allowed = opens(history, recipient)
        agreed = [
            one.compartments
            for one in history
            if (one.purpose, one.recipient_id, one.answer)
            == (SHARE_WITH_PROVIDER, recipient, GRANTED)
        ]
        assert allowed <= frozenset().union(*agreed)
        assert allowed <= set(SHAREABLE)


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(history, random):
    # Moments are made different first: of two answers of one moment the stored order decides.
    spread = [
        replace(one, recorded_at=one.recorded_at + timedelta(seconds=place))
        for place, one in enumerate(history)
    ]
    shuffled = random.sample(spread, len(spread))
    assert opens(shuffled) == opens(spread)


@given(histories, st.integers(0, 60))
def test_time_alone_never_opens_anything(history, days):
    later = NOW + timedelta(days=days)
    assert opens(history, at=later) <= opens(history)


# Compartment by compartment: what each service may be told of at all, whatever was agreed to.

# Beside who comes and how they are reached, which every service is told of.
ALSO = """
    immediate_needs           |
    emergency_shelter         | narrative
    longer_term_accommodation | narrative
    medical_emergency         | narrative health
    medical_examination       | narrative health
    sexual_health             | narrative health
    psychosocial_counselling  | narrative health
    mental_health             | narrative health
    legal_information         | narrative
    legal_representation      | narrative
    interpretation            |
    protection                | narrative
    safety_planning           | narrative
    documents                 | narrative
    family_tracing            | narrative
    family_reunification      | narrative
    guardian_appointment      | narrative
    alternative_care          | narrative
    education                 |
    vocational_training       |
    livelihood                |
    job_placement             |
    financial_assistance      |
    disability_support        | health
    childcare                 |
    transport                 |
    voluntary_return          |
    reintegration             |
    compensation_claim        | narrative
    follow_up                 | narrative
    other                     |
"""


def table():
    rows = [line.split("|") for line in ALSO.strip().splitlines()]
    return {service.strip(): set(parts.split()) for service, parts in rows}


def test_the_table_names_every_service():
    assert set(table()) == set(NEED)


@pytest.mark.parametrize(("service", "also"), table().items(), ids=table())
def test_what_a_service_may_be_told_of(service, also):
    assert may_receive([service]) == {"identity", "contact", *also}


def test_who_gives_no_service_is_told_nothing():
    assert may_receive([]) == frozenset()
    assert opens([said(GRANTED, of=SHAREABLE)], services=()) == frozenset()


def test_a_shelter_does_not_see_health_and_nobody_sees_the_investigation():
    everything = [said(GRANTED, of=COMPARTMENT)]
    assert "health" not in opens(everything, services=["emergency_shelter"])
    assert "health" in opens(everything, services=["medical_examination"])
    assert "enforcement" not in opens(everything, services=list(NEED))


@given(histories, st.sets(st.sampled_from(NEED.codes)))
def test_no_yes_opens_more_than_the_services_need(history, services):
    opened = opens(history, services=services)
    assert opened <= may_receive(services)
    assert opened <= opens(history, services=NEED.codes)
    assert may_receive(services) <= set(SHAREABLE)


# Who can agree (law 058/2021, articles 6 to 9).


@pytest.mark.parametrize(
    ("given_by", "under_16", "conflict", "basis", "refused_at"),
    [
        # An adult, or a child of 16 or 17, speaks for themselves.
        ("person", False, False, "consent", None),
        # A guardian's conflict is no matter where the person speaks.
        ("person", False, True, "consent", None),
        # A child under 16 cannot agree alone.
        ("person", True, False, "consent", "given_by"),
        ("person", True, True, "consent", "given_by"),
        # The guardian agrees for the child, unless the guardian may be involved.
        ("guardian", True, False, "consent", None),
        ("guardian", True, True, "consent", "guardian_conflict"),
        ("guardian", False, False, "consent", None),
        ("guardian", False, True, "consent", "guardian_conflict"),
        # A coded exception of the law carries the act, whoever could or could not agree.
        ("person", True, False, "child_best_interest", None),
        ("guardian", True, True, "vital_interests", None),
        ("guardian", True, True, "court_order", None),
    ],
)
def test_who_can_agree(given_by, under_16, conflict, basis, refused_at):
    def check():
        check_giver(GivenBy(given_by), under_16=under_16, guardian_conflict=conflict, basis=basis)

    if refused_at is None:
        assert check() is None
        return
    with pytest.raises(InvalidInputError) as refused:
        check()
    assert refused.value.field == refused_at
    assert refused.value.message


@pytest.mark.parametrize(
    ("given_by", "conflict", "refused"),
    [
        # A child may always say no, alone.
        ("person", False, False),
        ("person", True, False),
        # A guardian who may be involved does not speak for the child, not even to refuse.
        ("guardian", False, False),
        ("guardian", True, True),
    ],
)
def test_who_can_say_no_for_a_child(given_by, conflict, refused):
    def check():
        check_giver(GivenBy(given_by), under_16=True, guardian_conflict=conflict, grants=False)

    if refused:
        with pytest.raises(InvalidInputError):
            check()
    else:
        assert check() is None


@pytest.mark.parametrize(
    ("earlier", "named"),
    [
        ([], "refused"),
        ([said(GRANTED)], "withdrawn"),
        ([said(GRANTED), said(WITHDRAWN, 1)], "refused"),
        ([said(REFUSED)], "refused"),
        # What has run out, or was said to somebody else, can no longer be taken back.
        ([said(GRANTED, expires_at=NOW)], "refused"),
        ([said(GRANTED, to=CLINIC)], "refused"),
        ([said(GRANTED, basis="court_order")], "withdrawn"),
    ],
)
def test_a_no_is_a_refusal_or_takes_a_yes_back(earlier, named):
    assert said_no(earlier, SHARE_WITH_PROVIDER, SHELTER, NOW) == named


@given(histories)
def test_a_no_of_either_name_closes_everything(history):
    no = said(said_no(history, SHARE_WITH_PROVIDER, SHELTER, NOW), 7)
    assert opens([*history, no]) == frozenset()
