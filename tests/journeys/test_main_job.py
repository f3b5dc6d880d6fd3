"""The main job as the mechanism tells it: from a flag to help that is given, and to the closing.

Each journey ends at the log: who did what, and who read what, one entry for each act.
"""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Case, CompartmentHead, FactsHead, Listing, Referral
from nrm.services import directory, housekeeping, organisations, sessions
from nrm.services.audit import record
from tests.journeys.log import acts_on, readers_of, reads_of
from tests.journeys.people import Coordinator, Investigator, Manager, Worker, answers_about
from tests.page_checks import words
from tests.world import CANARIES, SERVICE

LIMITS = sessions.Limits(timedelta(minutes=30), timedelta(hours=10))
NAMES = [CANARIES[name] for name in ("given_name", "family_name", "other_names")]
# Masked also where the part that they stand in is open.
NUMBERS = [CANARIES["id_number"], "19 March 1987"]
IDENTITY = [*NAMES, *NUMBERS]
CONTACT = [CANARIES[name] for name in ("contact_phone", "contact_words", "code_word")]
# Safe contact tells everyone on the file when and how to call; whom and where stays closed.
SECRET_CONTACT = [CANARIES[name] for name in ("contact_phone", "code_word")]
STORY = [CANARIES[name] for name in ("account", "place_words")]
HEALTH = [CANARIES["health_words"]]
STATION = [CANARIES["station_reference"]]
CLOSED_TO_LISTS = [*IDENTITY, *CONTACT, *STORY, *HEALTH, *STATION]
OUTSIDE = [CANARIES["safety"], CANARIES["arrangements"]]


@pytest.fixture
def investigator(world):
    return Investigator(world, "first_responder")


@pytest.fixture
def coordinator(world):
    return Coordinator(world, "coordinator")


@pytest.fixture
def worker(world):
    return Worker(world, "provider")


def test_from_a_flag_to_help_and_to_the_closing(world, investigator, coordinator, worker):
    reference = a_person_is_flagged_with_an_interruption(investigator)
    another = another_person_of_the_same_place_is_flagged(investigator)
    only_one_shelter_may_receive_anything(world)

    the_coordinator_reads_the_flag(coordinator, reference, another)
    the_coordinator_presumes_and_asks(coordinator)
    only_the_approved_provider_is_offered(world, coordinator)
    sent = the_person_is_asked_before_anything_is_sent(coordinator)

    the_provider_sees_the_envelope_alone(worker, sent)
    the_provider_accepts_and_sees_what_was_agreed(worker, sent)
    consent_is_taken_back_and_access_ends_at_once(coordinator, worker, sent)
    the_case_is_closed(coordinator, worker, sent)

    the_log_tells_the_whole_of_it(world, reference)
    assert acts_on(world, another) == ["first_responder case:flag"]
    assert reads_of(world, another) == {("first_responder", "nothing sealed")}


def a_person_is_flagged_with_an_interruption(investigator):
    typed = answers_about()
    investigator.begins_a_flag()
    investigator.answers(typed, "report", "place", "person", "signs")
    investigator.leaves_in_the_middle_of("risk", {"health_words": CANARIES["health_words"]})
    investigator.has_nothing_of(*CLOSED_TO_LISTS)
    investigator.comes_back_later()
    investigator.sees("Is the person safe?", *HEALTH)
    investigator.answers(typed, "risk", "contact", "consent")
    investigator.checks_the_answers()
    investigator.sees(*CLOSED_TO_LISTS, "Gitega", "Kirundi")
    reference = investigator.sends_the_flag()
    investigator.has_nothing_of(*CLOSED_TO_LISTS)
    return reference


def another_person_of_the_same_place_is_flagged(investigator):
    investigator.begins_another_at_the_same_place()
    investigator.sees("found at the same place")
    investigator.answers(answers_about("second_"))
    reference = investigator.sends_the_flag()
    investigator.opens("/flags")
    assert len(investigator.page.html.select("tbody tr")) == 2
    investigator.has_nothing_of(*CANARIES.values())
    return reference


def only_one_shelter_may_receive_anything(world):
    """Suspend one shelter, let the approval of another run out, and leave a third unapproved."""
    Manager(world, "directory_manager").suspends("hills", "Its licence is looked at again.")
    with world.entered():
        add_shelter(world, "unapproved", "Practice Shelter of the Valley")
        add_shelter(world, "lapsed", "Practice Shelter of the Plain")
        second, listing = world.actor("second_manager"), world.listings["lapsed"]
        later, yesterday = (world.today + timedelta(days=days) for days in (30, -1))
        directory.approve(second, listing, later, version=1, pack=world.pack)
        time_passed(update(Listing).where(Listing.id == listing).values(approved_until=yesterday))


def add_shelter(world, name, title):
    world.organisations[name] = organisations.create(
        world.actor("administrator"), title, "shelter", "11", is_provider=True
    )
    new = directory.NewListing(
        world.organisations[name], (SERVICE,), ("female", "35_44"), ("run",), "11"
    )
    world.listings[name] = directory.submit(world.actor("directory_manager"), new, world.pack)


def time_passed(statement):
    """Move a day of the database into the past, which no act can."""
    with unit_of_work() as unit:
        db.session.execute(statement)
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


def the_coordinator_reads_the_flag(coordinator, reference, another):
    coordinator.opens("/cases?queue=incoming")
    coordinator.sees(reference, another, "New flag", "Immediate")
    coordinator.has_nothing_of(*CLOSED_TO_LISTS)
    coordinator.finds(reference)
    coordinator.sees(reference, "Found at the same place", another, CANARIES["contact_words"])
    coordinator.has_nothing_of(*IDENTITY, *SECRET_CONTACT, *STORY, *HEALTH, *STATION)
    coordinator.opens_fields("identity", "check_duplicate")
    coordinator.sees(*NAMES, "1987, day hidden")
    coordinator.has_nothing_of(*NUMBERS)
    coordinator.has_nothing_of(*SECRET_CONTACT, *STORY, *HEALTH, *STATION)


def the_coordinator_presumes_and_asks(coordinator):
    coordinator.presumes(CANARIES["presumption_words"])
    coordinator.records_consent(record="yes", share_with_law_enforcement="no")
    coordinator.records_needs(SERVICE)


def only_the_approved_provider_is_offered(world, coordinator):
    assert coordinator.looks_for_a_provider() == [world.organisation_name("lakes")]
    for name in ("hills", "lapsed", "unapproved"):
        coordinator.opens(coordinator.at(f"/providers/{coordinator.organisation(name)}"), 409)
        coordinator.sees("This provider is not approved for the service now")


def the_person_is_asked_before_anything_is_sent(coordinator):
    coordinator.chooses("lakes")
    coordinator.sees("What will be disclosed", "Ask the person first")
    assert not coordinator.page.html.find(attrs={"name": "safety"})
    coordinator.records_that_the_person_agrees("lakes", "identity", "contact")
    said = {name: CANARIES[name] for name in ("safety", "arrangements")}
    coordinator.shows_on_the_envelope("lakes", **said)
    [envelope] = coordinator.page.html.select(".nrm-envelope")
    shown = words(envelope)
    assert all(text in shown for text in ("Emergency shelter", "Adult, female", *OUTSIDE))
    opens, stays = (words(keep) for keep in coordinator.page.html.select(".nrm-keep"))
    assert opens == "Name and identity Safe contact"
    assert all(part in stays for part in ("What happened", "Health", "Police and prosecution"))
    return coordinator.sends_the_referral("lakes", **said)


def the_provider_sees_the_envelope_alone(worker, sent):
    worker.reads_the_inbox()
    worker.sees(sent, "Emergency shelter", "Adult, female", "Nyarugenge", "Immediate")
    worker.has_nothing_of(*CLOSED_TO_LISTS, *OUTSIDE)
    worker.reads(sent)
    worker.sees("Can you help?", "Kirundi, Swahili", *OUTSIDE)
    worker.has_nothing_of(*CLOSED_TO_LISTS, CANARIES["presumption_words"], CANARIES["interpreter"])


def the_provider_accepts_and_sees_what_was_agreed(worker, sent):
    worker.accepts(sent)
    worker.sees(*NAMES, "ends in 516", CANARIES["contact_words"], *OUTSIDE)
    worker.has_nothing_of(*NUMBERS, *SECRET_CONTACT)
    worker.has_nothing_of(*STORY, *HEALTH, *STATION, CANARIES["presumption_words"])
    worker.records_a_service(sent, CANARIES["service_words"])
    worker.sees("Emergency shelter", "Given", CANARIES["service_words"])


def consent_is_taken_back_and_access_ends_at_once(coordinator, worker, sent):
    coordinator.takes_consent_back("lakes")
    worker.reads(sent)
    worker.sees("The person has agreed to share nothing more with you.")
    worker.has_nothing_of(*CLOSED_TO_LISTS)


def the_case_is_closed(coordinator, worker, sent):
    coordinator.closes(CANARIES["closure_words"])
    worker.reads(sent)
    worker.sees("This referral is closed", CANARIES["service_words"])
    worker.has_nothing_of(*CLOSED_TO_LISTS, *OUTSIDE, CANARIES["closure_words"])


def the_log_tells_the_whole_of_it(world, reference):
    assert acts_on(world, reference) == [
        "first_responder case:flag",
        "coordinator compartment:open",
        "coordinator case:presume",
        "coordinator consent:record",
        "coordinator needs:record",
        "coordinator consent:record",
        "coordinator referral:send",
        "provider referral:accept",
        "provider service:record",
        "coordinator consent:record",
        "coordinator case:close",
    ]
    # Nobody ever opened what happened, the health or the station's reference.
    assert reads_of(world, reference) == {
        ("first_responder", "nothing sealed"),
        *(("coordinator", part) for part in ("contact", "envelope", "facts", "identity")),
        ("coordinator", "consent"),
        ("coordinator", "nothing sealed"),
        *(("provider", part) for part in ("envelope", "identity", "contact", "service")),
    }
    for name in ("narrative", "health", "enforcement"):
        assert readers_of(world, compartment(world, reference, name)) == []
    identity = readers_of(world, compartment(world, reference, "identity"))
    assert list(dict.fromkeys(identity)) == ["coordinator case:open", "provider referral:open"]
    lists = readers_of(world, facts(world, reference))
    assert "coordinator case:list" in lists
    assert not any(reader.startswith("provider") for reader in lists)


def compartment(world, reference, name):
    with world.entered():
        query = (
            select(CompartmentHead.row_id)
            .join(Case, Case.id == CompartmentHead.case_id)
            .where(Case.reference == reference, CompartmentHead.compartment == name)
        )
        return db.session.scalars(query).one()


def facts(world, reference):
    with world.entered():
        query = (
            select(FactsHead.row_id)
            .join(Case, Case.id == FactsHead.case_id)
            .where(Case.reference == reference)
        )
        return db.session.scalars(query).one()


def test_a_decline_brings_the_case_back_and_another_provider_accepts(
    world, investigator, coordinator, worker
):
    reference = investigator.flags(answers_about())
    first = the_coordinator_refers(coordinator, reference)
    worker.declines(first, "no_capacity", CANARIES["decline_words"])
    worker.has_nothing_of(*CLOSED_TO_LISTS, *OUTSIDE)

    the_case_is_back_in_the_queue(coordinator, reference)
    coordinator.opens(coordinator.at("/help"))
    coordinator.sees("Declined", "No room or no capacity", CANARIES["decline_words"])

    second = coordinator.refers_to("hills", "identity")
    other = Worker(world, "other_provider")
    other.accepts(second)
    other.sees(*NAMES)
    other.has_nothing_of(*CONTACT, *STORY, *HEALTH, *STATION, CANARIES["decline_words"])
    the_first_provider_learns_nothing_of_the_second(worker, first, second)

    assert acts_on(world, reference) == [
        *UNTIL_SENT,
        "provider referral:decline",
        "coordinator consent:record",
        "coordinator referral:send",
        "other_provider referral:accept",
        # The first provider tried the address of the second referral.
        "provider access:refused",
    ]
    identity = readers_of(world, compartment(world, reference, "identity"))
    assert set(identity) == {"other_provider referral:open"}


def test_a_referral_that_nobody_answers_is_taken_back(world, investigator, coordinator, worker):
    reference = investigator.flags(answers_about())
    sent = the_coordinator_refers(coordinator, reference)
    worker.reads(sent)
    with world.entered():
        assert housekeeping.tick(world.pack, LIMITS, world.app.config["NRM"]).referrals_expired == 0
        an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
        late = update(Referral).where(Referral.reference == sent)
        time_passed(late.values(answer_due_at=an_hour_ago))
        assert housekeeping.tick(world.pack, LIMITS, world.app.config["NRM"]).referrals_expired == 1
        assert housekeeping.tick(world.pack, LIMITS, world.app.config["NRM"]).referrals_expired == 0

    worker.comes_too_late_to_accept(sent)
    worker.sees("The time to answer ran out, and the referral was taken back.")
    worker.reads(sent)
    worker.has_nothing_of(*CLOSED_TO_LISTS, *OUTSIDE)
    the_case_is_back_in_the_queue(coordinator, reference)
    coordinator.reads_the_file()
    coordinator.sees("Not answered in time")

    assert acts_on(world, reference) == [
        *UNTIL_SENT,
        "housekeeping case:compare",
        "housekeeping referral:expire",
    ]
    # Housekeeping alone opened the name: to look whether the person is known already.
    name = compartment(world, reference, "identity")
    assert readers_of(world, name) == ["housekeeping case:compare"]


def the_coordinator_refers(coordinator, reference):
    coordinator.finds(reference)
    coordinator.records_needs(SERVICE)
    said = {name: CANARIES[name] for name in ("safety", "arrangements")}
    return coordinator.refers_to("lakes", "identity", "contact", **said)


UNTIL_SENT = [
    "first_responder case:flag",
    "coordinator needs:record",
    "coordinator consent:record",
    "coordinator referral:send",
]


def the_case_is_back_in_the_queue(coordinator, reference):
    coordinator.opens("/cases?queue=needs")
    coordinator.sees(reference, "Find a provider")
    coordinator.opens("/cases?queue=referred")
    coordinator.has_nothing_of(reference)


def the_first_provider_learns_nothing_of_the_second(worker, first, second):
    worker.reads(second, status=404)
    worker.reads(first)
    worker.sees("Your organisation declined it.")
    worker.has_nothing_of(second, "Practice Shelter of the Hills", *CLOSED_TO_LISTS)
