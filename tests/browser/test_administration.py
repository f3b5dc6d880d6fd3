"""Who works here: given a role by two, helped back in, sent off; and where their cases go."""

import re
from datetime import timedelta

import pytest

from nrm.services import ownership
from tests import world as worlds
from tests.world import CANARIES

NAMES = [CANARIES["given_name"], CANARIES["family_name"]]
TYPED = {
    "person": {name: CANARIES[name] for name in ("given_name", "family_name", "id_number")},
    "risk": {"health_words": CANARIES["health_words"]},
}


@pytest.fixture
def left_behind(world):
    """Let somebody who is about to leave look after a case: its reference."""
    with world.entered():
        reference = worlds.flag(world, **TYPED)
        ownership.take(world.actor("second_coordinator"), reference)
    return reference


def test_accounts_are_looked_after(world, enter):
    administrator = enter("administrator")
    the_administrator_narrows_people(world, administrator)
    the_administrator_reads_what_a_role_can_see(administrator)
    the_administrator_asks_for_another_role(world, administrator)
    the_auditor_approves_it(world, enter("auditor"))
    the_role_has_changed(world, administrator)
    the_administrator_resets_a_second_factor(world, administrator)


def test_the_case_of_a_leaver_finds_somebody_else(world, enter, left_behind):
    the_administrator_sends_somebody_off(world, enter("administrator"))
    coordinator = enter("coordinator")
    the_coordinator_takes_what_is_nobodys(world, coordinator, left_behind)
    one_masked_field_is_shown_and_masked_again(coordinator)
    the_coordinator_offers_the_case(world, coordinator)
    other = enter("other_coordinator")
    the_other_takes_it_over(world, other, left_behind)
    the_other_is_away(world, other)
    the_coordinator_stands_in(world, coordinator, left_behind)


# People


def the_administrator_narrows_people(world, administrator):
    administrator.arrives_at("People")
    administrator.sees_row(world.person_name("provider"), "Service provider", "Active")
    administrator.writes("Name or e-mail", "practice second")
    administrator.chooses("Organisation", world.organisation_name("ministry"))
    administrator.chooses("Role", "Analyst")
    administrator.chooses("State", "Active")
    administrator.presses("Show")
    administrator.arrives_at("People")
    administrator.sees("People who fit")
    administrator.sees_row(world.person_name("second_analyst"), "Analyst", "Never")
    # Somebody of that name in another role, and somebody in that role of another name.
    for name in ("second_manager", "analyst"):
        administrator.has_nothing_of(world.person_name(name))


def the_administrator_reads_what_a_role_can_see(administrator):
    administrator.follows("Roles")
    administrator.arrives_at("Roles")
    administrator.follows("What it can see and do Decision maker")
    administrator.arrives_at("What this role can see: Decision maker")


def the_administrator_finds(administrator, name):
    """Ask for everyone first: what was asked for before is still in the form."""
    administrator.follows("People")
    if administrator.button("Show everyone").count():
        administrator.presses("Show everyone")
    administrator.writes("Name or e-mail", name)
    administrator.presses("Show")
    administrator.follows(name)
    administrator.arrives_at("Account", picture=False)
    administrator.sees(name)


def the_administrator_asks_for_another_role(world, administrator):
    the_administrator_finds(administrator, world.person_name("second_analyst"))
    administrator.presses("Change the role")
    administrator.arrives_at("Change the role")
    administrator.ticks("Decision maker", under="The new role")
    administrator.presses("Change the role")
    administrator.arrives_at("Account")
    administrator.sees("Nothing has changed yet: a second person has to approve it.")
    administrator.follows("See the request")
    administrator.arrives_at("Give somebody a role", picture=False)
    administrator.sees(re.compile("^You asked for this, so another person approves it or not."))


def the_auditor_approves_it(world, auditor):
    auditor.follows("Second person")
    auditor.arrives_at("Waiting for a second person")
    auditor.sees_row("Give somebody a role", world.person_name("administrator"))
    auditor.follows("Give somebody a role")
    auditor.arrives_at("Give somebody a role")
    auditor.sees(world.person_name("second_analyst"), "Analyst", "Decision maker")
    auditor.presses("Approve: it is done at once")
    auditor.arrives_at("Give somebody a role", picture=False)
    auditor.sees("You have approved it, and it is done.", "Approved by a second person")


def the_role_has_changed(world, administrator):
    the_administrator_finds(administrator, world.person_name("second_analyst"))
    administrator.sees("Decision maker")


def the_administrator_resets_a_second_factor(world, administrator):
    the_administrator_finds(administrator, world.person_name("provider"))
    administrator.sees("Apps with codes: 1")
    administrator.presses("Reset the second factor")
    administrator.arrives_at("Reset the second factor?")
    administrator.presses("Reset the second factor")
    administrator.arrives_at("Account", picture=False)
    administrator.sees(
        "The second factor is reset. The person sets up a new one at the next sign-in.",
        "Not set up yet",
    )


# A leaver, and the case they leave


def the_administrator_sends_somebody_off(world, administrator):
    the_administrator_finds(administrator, world.person_name("second_coordinator"))
    administrator.presses("Disable this account")
    administrator.arrives_at("Disable this account?", picture=False)
    administrator.ticks("The person no longer works here", under="Why?")
    administrator.presses("Disable")
    administrator.arrives_at("Account")
    administrator.sees("Disabled since", "The person no longer works here")


def the_coordinator_takes_what_is_nobodys(world, coordinator, reference):
    coordinator.follows("Nobody’s")
    coordinator.arrives_at("My work")
    left_by = f"left by {world.person_name('second_coordinator')}"
    coordinator.sees_row(reference, left_by)
    coordinator.follows(reference)
    coordinator.arrives_at("Overview", picture=False)
    coordinator.follows("Nobody looks after this case")
    coordinator.arrives_at("Who looks after this case")
    coordinator.sees(re.compile(f"It was {left_by}"))
    coordinator.presses("Take this case")
    coordinator.arrives_at("Overview")
    coordinator.sees("You look after this case now.", "Looked after by you")


def one_masked_field_is_shown_and_masked_again(coordinator):
    coordinator.opens_fields(
        "Why do you need the name and date of birth?", "To check for a duplicate"
    )
    coordinator.sees(*NAMES, "ends in 623")
    coordinator.has_nothing_of(CANARIES["id_number"])
    coordinator.presses("Show Identity number")
    coordinator.arrives_at("Overview")
    coordinator.sees(CANARIES["id_number"], "Shown once. The log has that you saw it.")
    # Loading the page again sends the same press again, and a press counts once.
    coordinator.tab.reload()
    coordinator.arrives_at("Overview", picture=False)
    coordinator.sees(*NAMES, "ends in 623")
    coordinator.has_nothing_of(CANARIES["id_number"])


def the_coordinator_offers_the_case(world, coordinator):
    coordinator.follows("Looked after by you")
    coordinator.follows("Offer it to another organisation")
    coordinator.arrives_at("Offer this case to another organisation")
    name, place = world.person_name("other_coordinator"), world.organisation_name("northern")
    coordinator.chooses("To whom do you offer the case?", f"{name}, {place}")
    coordinator.writes("What should they know? (optional)", CANARIES["hand_over_words"])
    coordinator.presses("Offer the case")
    coordinator.arrives_at("Who looks after this case")
    coordinator.sees("The case was offered. Until it is taken over, nothing changes.")


def the_other_takes_it_over(world, other, reference):
    other.arrives_at("My work")
    other.sees("Offered to you")
    other.sees_row(reference, world.person_name("coordinator"))
    other.follows(reference)
    other.arrives_at("Offer of a case")
    other.sees(CANARIES["hand_over_words"])
    other.presses("Take the case over")
    other.arrives_at("Offer of a case", picture=False)
    other.sees("You look after this case now.", "Taken over")


def the_other_is_away(world, other):
    other.follows("My work")
    other.follows("When I am away")
    other.arrives_at("When I am away", picture=False)
    other.enters_day(world.today + timedelta(days=7), under="Until which day are you away?")
    name, place = world.person_name("coordinator"), world.organisation_name("coordination")
    other.chooses("Who looks after your cases meanwhile?", f"{name}, {place}")
    other.presses("I am away")
    other.arrives_at("When I am away")
    other.sees(re.compile("^You are away until"), re.compile(f"{name} stands in"))


def the_coordinator_stands_in(world, coordinator, reference):
    coordinator.follows("My work")
    coordinator.follows("Mine")
    coordinator.arrives_at("My work", picture=False)
    coordinator.sees_row(reference, f"You stand in for {world.person_name('other_coordinator')}")
