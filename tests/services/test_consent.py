"""What the person agreed to, and that nothing opens beyond it."""

from datetime import UTC, datetime, timedelta

import pytest

from nrm.domain.consent import Answer, GivenBy
from nrm.domain.errors import InvalidInputError, NoConsentError
from nrm.services import casefile, consent, provision
from tests import vault
from tests import world as worlds


def how(**changed):
    return consent.How(
        **{"method": "oral", "language": "run", "given_by": GivenBy.PERSON} | changed
    )


def sharing(world, to="lakes", answer=Answer.GRANTED, **changed):
    return consent.NewAnswer(
        "share_with_provider",
        answer,
        world.organisations[to],
        frozenset(changed.pop("compartments", {"identity"})),
        **changed,
    )


def record(world, reference, *new, **given):
    consent.record(world.actor("coordinator"), reference, new, how(**given), pack=world.pack)


def facts(world, reference):
    return casefile.page(world.actor("coordinator"), reference).facts


def events():
    """Open every counted act."""
    return [held for place, held in vault.contents().items() if "facts_event" in place[0]]


@pytest.mark.parametrize(
    "agreed",
    [(), ("identity",), ("contact", "health"), ("contact", "health", "identity", "narrative")],
)
def test_an_accepting_provider_opens_what_consent_covers_and_nothing_else(world, agreed):
    _, sent = worlds.accepted(world, compartments=agreed)
    received = provision.read(world.actor("provider"), sent)
    assert tuple(sorted(received.opened)) == agreed


def test_an_older_yes_that_names_more_than_the_service_needs_opens_no_more(world):
    """What was recorded before the rule, or for another service of the organisation, stays shut."""
    reference = worlds.consented(world, compartments=("health", "identity", "narrative"))
    sent = worlds.refer(world, reference, service="emergency_shelter")
    provision.accept(world.actor("provider"), sent, world.pack)
    received = provision.read(world.actor("provider"), sent)
    assert received.discloses == set(received.opened) == {"identity", "narrative"}


def test_nobody_is_asked_to_agree_to_what_the_services_do_not_need(world, ledger):
    reference = worlds.flag(world)
    ledger.entries()
    for compartments in ({"health"}, {"identity", "health"}, {"enforcement"}):
        with pytest.raises(InvalidInputError) as refused:
            record(world, reference, sharing(world, "hills", compartments=compartments))
        assert refused.value.field == "compartments"
    record(world, reference, sharing(world, "clinic", compartments={"health"}))


def test_nothing_opens_before_acceptance(world):
    _, sent = worlds.referred(world)
    received = provision.read(world.actor("provider"), sent)
    assert received.opened == {}
    assert received.discloses == {"contact", "identity"}


def test_a_withdrawal_closes_what_it_covered_with_the_next_read(world, ledger):
    reference, sent = worlds.accepted(world)
    assert provision.read(world.actor("provider"), sent).opened
    record(world, reference, sharing(world, answer=Answer.WITHDRAWN, compartments=()))
    received = provision.read(world.actor("provider"), sent)
    assert (received.opened, received.discloses) == ({}, frozenset())
    assert ledger.entries()[-1].compartments == "envelope"


def test_a_new_answer_replaces_the_earlier_one(world):
    reference, sent = worlds.accepted(world, compartments=("identity", "health"))
    record(world, reference, sharing(world, compartments={"contact"}))
    assert set(provision.read(world.actor("provider"), sent).opened) == {"contact"}


def test_consent_that_ran_out_opens_nothing(world):
    reference, sent = worlds.accepted(world)
    past = datetime.now(UTC) - timedelta(seconds=1)
    record(world, reference, sharing(world, expires_at=past))
    assert provision.read(world.actor("provider"), sent).opened == {}


def test_consent_towards_one_provider_opens_nothing_to_another(world):
    reference = worlds.consented(world, to="lakes")
    with pytest.raises(NoConsentError):
        worlds.refer(world, reference, to="hills")


def test_nobody_agrees_for_a_child_under_sixteen_alone(world):
    reference = worlds.presumed(world, person={"age_band": "12_15"})
    with pytest.raises(InvalidInputError) as refused:
        record(world, reference, sharing(world))
    assert refused.value.field == "given_by"
    record(world, reference, sharing(world), given_by=GivenBy.GUARDIAN)
    # A child may always say no.
    record(world, reference, sharing(world, answer=Answer.REFUSED, compartments=()))


def test_a_guardian_who_may_be_involved_does_not_answer(world):
    reference = worlds.presumed(world, person={"age_band": "under_12"})
    with pytest.raises(InvalidInputError) as refused:
        record(
            world,
            reference,
            sharing(world),
            given_by=GivenBy.GUARDIAN,
            guardian_conflict=True,
        )
    assert refused.value.field == "guardian_conflict"


def test_an_exception_of_the_law_needs_its_reason_and_is_logged_as_one(world, ledger):
    reference = worlds.presumed(world)
    with pytest.raises(InvalidInputError) as refused:
        record(world, reference, sharing(world), basis="vital_interests", reason=" ")
    assert refused.value.field == "reason"
    record(world, reference, sharing(world), basis="vital_interests", reason="Practice danger.")
    assert "consent:exception" in ledger.actions()


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (consent.NewAnswer("media", Answer.GRANTED), "purposes"),
        (consent.NewAnswer("no_such_purpose", Answer.GRANTED), "purposes"),
        (consent.NewAnswer("share_with_provider", Answer.GRANTED), "recipient"),
    ],
)
def test_an_answer_that_nobody_can_give_is_refused(world, answer, field):
    reference = worlds.presumed(world)
    with pytest.raises(InvalidInputError) as refused:
        record(world, reference, answer)
    assert refused.value.field == field


@pytest.mark.parametrize("part", ["enforcement", "facts"])
def test_some_parts_are_never_shared_whatever_is_agreed(world, part):
    reference = worlds.presumed(world)
    with pytest.raises(InvalidInputError) as refused:
        record(world, reference, sharing(world, compartments={part}))
    assert refused.value.field == "compartments"


def test_no_answer_at_all_is_refused(world):
    reference = worlds.presumed(world)
    with pytest.raises(InvalidInputError) as refused:
        record(world, reference)
    assert refused.value.field == "purposes"


@pytest.mark.parametrize("answer", [Answer.REFUSED, Answer.WITHDRAWN])
def test_a_no_to_statistics_stands_in_the_facts_until_a_yes(world, answer):
    reference = worlds.presumed(world)
    before = facts(world, reference)
    record(world, reference, consent.NewAnswer("statistics", answer))
    assert facts(world, reference) == {**before, "statistics": "denied"}
    record(world, reference, consent.NewAnswer("record", Answer.GRANTED))
    assert facts(world, reference) == {**before, "statistics": "denied"}
    record(world, reference, consent.NewAnswer("statistics", Answer.GRANTED))
    assert facts(world, reference) == before


def test_taking_back_a_yes_to_statistics_is_a_no(world):
    reference = worlds.presumed(world)
    record(world, reference, consent.NewAnswer("statistics", Answer.GRANTED))
    assert "statistics" not in facts(world, reference)
    record(world, reference, consent.NewAnswer("statistics", Answer.REFUSED))
    assert facts(world, reference)["statistics"] == "denied"


def test_a_yes_to_sharing_is_counted_by_its_day_and_nothing_else(world):
    reference = worlds.presumed(world)
    before = events()
    record(world, reference, consent.NewAnswer("record", Answer.GRANTED))
    record(world, reference, consent.NewAnswer("statistics", Answer.REFUSED))
    assert events() == before
    record(world, reference, sharing(world))
    [added] = [event for event in events() if event not in before]
    assert added == {"event": "consented", "quarter": before[0]["quarter"], "days": 0}


def test_every_answer_stays_with_who_recorded_it(world):
    reference = worlds.presumed(world)
    record(world, reference, sharing(world))
    record(world, reference, sharing(world, answer=Answer.WITHDRAWN, compartments=()))
    _, given = casefile.consent_page(world.actor("coordinator"), reference)
    said = [(row.answer.purpose, row.answer.answer) for row in given]
    assert said == [
        ("refer_nrm", Answer.GRANTED),
        ("share_with_provider", Answer.GRANTED),
        ("share_with_provider", Answer.WITHDRAWN),
    ]
    assert given[-1].recorded_by == world.person_name("coordinator")
