"""An emergency at night, its review in the morning, and a bar: each at a screen of their own."""

import re

from playwright.sync_api import expect

from tests import world as worlds
from tests.web.test_confirm import let_time_pass
from tests.world import CANARIES

IDENTITY = [CANARIES[name] for name in ("given_name", "family_name", "id_number")]
CONTACT = [CANARIES[name] for name in ("contact_phone", "contact_words", "code_word")]
CLOSED = [CANARIES[name] for name in ("account", "health_words")]
TYPED = {
    "person": {name: CANARIES[name] for name in ("given_name", "family_name", "id_number")},
    "signs": {"account": CANARIES["account"]},
    "risk": {"health_words": CANARIES["health_words"]},
    "contact": {
        "phone": CANARIES["contact_phone"],
        "words": CANARIES["contact_words"],
        "code_word": CANARIES["code_word"],
    },
}
BROKEN = "A case was opened in an emergency"
REVIEWED = "Your emergency access was reviewed"


def test_an_emergency_and_a_bar(world, enter, traces):
    reference = worlds.presumed(world, **TYPED)
    responder, coordinator = enter("first_responder"), enter("coordinator")
    has_nothing_to_know(coordinator)

    the_responder_confirms_and_opens_the_flag(world, responder, reference)
    the_responder_reads_beneath_the_watermark(world, responder)
    the_coordinator_is_told(coordinator, reference)
    the_auditor_reviews_it(world, enter("auditor"), reference)
    the_responder_is_told_of_the_review(responder, reference)

    the_coordinator_keeps_the_responder_out(world, coordinator, reference)
    for_the_responder_it_is_not_there(responder, reference)
    the_coordinator_lifts_the_bar(coordinator)
    for_the_responder_it_is_there_again(responder, reference)
    shown = [secret for secret in CANARIES.values() for trace in traces if secret in trace]
    assert not shown


# The emergency


def the_responder_confirms_and_opens_the_flag(world, responder, reference):
    let_time_pass(world)
    responder.follows(reference)
    responder.arrives_at(f"Flag {reference}", picture=False)
    responder.has_nothing_of(*IDENTITY, *CONTACT)
    responder.follows("In an emergency: open who the person is")
    responder.confirms_who_it_is(world.email("first_responder"))

    responder.arrives_at("Open in an emergency", picture=False)
    responder.sees("Name and identity", "Safe contact")
    responder.presses("Open for one hour")
    responder.is_asked_again_at(
        "Open in an emergency", "Choose what the emergency is", "Write what happened"
    )
    responder.ticks("The person is in danger now", under="What is the emergency?")
    responder.writes("What happened?", CANARIES["glass_words"])
    responder.presses("Open for one hour")


def the_responder_reads_beneath_the_watermark(world, responder):
    responder.arrives_at("Open in an emergency")
    responder.sees(
        "It is open to you for an hour. Those who look after the case were told.",
        re.compile("Emergency access until"),
        re.compile(f"Opened by {world.person_name('first_responder')}"),
        *IDENTITY,
        *CONTACT,
    )
    ground = responder.tab.locator(".nrm-watermark__ground")
    expect(ground).to_contain_text(world.person_name("first_responder"))
    responder.has_nothing_of(*CLOSED)


# Who is told, and who judges


def has_nothing_to_know(person):
    expect(person.tab.get_by_role("link", name="To know")).to_have_count(0)


def the_coordinator_is_told(coordinator, reference):
    coordinator.follows("My work")
    coordinator.follows("To know")
    coordinator.arrives_at("To know")
    coordinator.sees(BROKEN, reference)
    coordinator.presses(re.compile("^Mark as seen"))
    coordinator.sees("Marked as seen.", "There is nothing new.")
    has_nothing_to_know(coordinator)


def the_auditor_reviews_it(world, auditor, reference):
    auditor.follows("To know")
    auditor.arrives_at("To know", picture=False)
    auditor.sees(BROKEN, reference)
    auditor.follows(re.compile("^Look at it"))
    auditor.arrives_at("Emergency access")
    auditor.sees(
        reference,
        re.compile(world.person_name("first_responder")),
        "The person is in danger now",
        CANARIES["glass_words"],
        re.compile("Safe contact, Name and identity"),
    )
    # Whoever judges reads why it was opened, and not the file.
    auditor.has_nothing_of(*IDENTITY, *CONTACT, *CLOSED)
    auditor.ticks("Not justified", under="What did you find?")
    auditor.writes("Why, and what happens next", CANARIES["review_words"])
    auditor.presses("Record the review")
    auditor.arrives_at("Emergency access")
    auditor.sees("Not justified", CANARIES["review_words"], "Reviewed by")


def the_responder_is_told_of_the_review(responder, reference):
    responder.follows("My work")
    responder.follows("To know")
    responder.arrives_at("To know", picture=False)
    responder.sees(REVIEWED, reference)


# The bar


def the_coordinator_keeps_the_responder_out(world, coordinator, reference):
    coordinator.opens(f"/cases/{reference}")
    coordinator.follows("Access")
    coordinator.arrives_at("Access")
    coordinator.follows("Who is kept out")
    coordinator.arrives_at("Who is kept out", picture=False)
    coordinator.sees("Nobody is kept out.")
    name, place = world.person_name("first_responder"), world.organisation_name("police")
    coordinator.chooses("Who is kept out?", f"{name}, {place}")
    coordinator.ticks("Suspected part in the trafficking", under="Why?")
    coordinator.writes("What makes you think so?", CANARIES["bar_words"])
    coordinator.presses("Keep them out")
    coordinator.arrives_at("Who is kept out")
    coordinator.sees(
        "They are kept out from now on. They were not told.", name, CANARIES["bar_words"]
    )


def for_the_responder_it_is_not_there(responder, reference):
    """The address that was right a minute ago answers like one that never was; no page says why."""
    for path in (f"/flags/{reference}", f"/flags/{reference}/emergency"):
        assert responder.opens(path).status == 404
        responder.arrives_at("Not found", picture=path.endswith("emergency"))
        says_nothing_of_a_bar(responder)
    responder.opens("/flags")
    responder.arrives_at("My work")
    says_nothing_of_a_bar(responder, reference)
    # What they had to know of the case is not there any more either.
    has_nothing_to_know(responder)
    responder.opens("/notices")
    responder.arrives_at("To know", picture=False)
    says_nothing_of_a_bar(responder, reference, REVIEWED)


def says_nothing_of_a_bar(person, *more):
    person.has_nothing_of("kept out", "Kept out", CANARIES["bar_words"], *IDENTITY, *more)


def the_coordinator_lifts_the_bar(coordinator):
    coordinator.follows(re.compile("^Let them know of the case again"))
    coordinator.arrives_at("Let them know of the case again")
    coordinator.ticks("It was looked into and cleared", under="Why?")
    coordinator.writes("What has changed?", CANARIES["lift_words"])
    coordinator.presses("Let them know of it again")
    coordinator.arrives_at("Who is kept out", picture=False)
    coordinator.sees(
        "They can know of the case again, as far as their role does.",
        "Lifted",
        CANARIES["lift_words"],
    )


def for_the_responder_it_is_there_again(responder, reference):
    responder.follows("My work")
    responder.follows(reference)
    responder.arrives_at(f"Flag {reference}")
    says_nothing_of_a_bar(responder)
