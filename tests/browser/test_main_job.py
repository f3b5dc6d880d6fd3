"""The main job as people do it: from a flag to help that is given, each at a screen of their own.

The whole of it is done twice, on a browser with script and on a phone without.
"""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from nrm.security.second_factor import code_at, step_of
from tests import world as worlds
from tests.browser.people import misheard, reference_on
from tests.world import CANARIES

NAMES = [CANARIES[name] for name in ("given_name", "family_name", "other_names")]
IDENTITY = [*NAMES, CANARIES["id_number"]]
CONTACT = [CANARIES[name] for name in ("contact_phone", "code_word")]
STORY = [CANARIES[name] for name in ("account", "place_words")]
HEALTH = [CANARIES["health_words"]]
EVERYTHING = [*IDENTITY, *CONTACT, CANARIES["contact_words"], *STORY, *HEALTH]

SHELTER = worlds.ORGANISATIONS["lakes"][0]
NEW_SHELTER = "Practice Shelter of the Valley"
NEWCOMER = "newcomer@practice.example"
FIRST_PASSWORD = "nineteen-quiet-herons"


@pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without script"])
def test_main_job(world, enter, sit_down, traces, javascript):
    def sits_down(name):
        return enter(name, javascript=javascript)

    investigator = sits_down("first_responder")
    the_investigator_flags_a_person(investigator, world)
    reference = the_investigator_sends_the_flag(investigator)
    another_person_was_found_there(investigator, reference)

    coordinator = sits_down("coordinator")
    the_coordinator_finds_the_case(coordinator, reference)
    the_coordinator_opens_closed_fields(coordinator)
    colleague = sits_down("second_coordinator")
    a_colleague_opens_the_needs_too(colleague, reference)
    the_coordinator_presumes(coordinator)
    the_coordinator_asks_for_consent(coordinator)
    the_coordinator_records_needs(coordinator)
    the_colleague_comes_second(colleague)
    the_coordinator_chooses_a_provider(coordinator)
    sent = the_coordinator_sends_the_referral(coordinator)

    worker = sits_down("provider")
    the_worker_reads_the_sealed_envelope(worker, sent)
    late = sits_down("colleague")
    late.opens(f"/referrals/{sent}")
    the_worker_accepts(worker, sent)
    the_late_colleague_is_told(late)
    the_worker_records_a_service(worker, sent)
    another_shelter_finds_nothing(sits_down("other_provider"), sent)

    administrator = sits_down("administrator")
    the_administrator_adds_a_shelter(administrator)
    link = the_administrator_invites_somebody(administrator)
    newcomer = sit_down(javascript=javascript)
    the_newcomer_chooses_a_password_and_begins(newcomer, link)
    newcomer.arrives_at("Inbox", picture=False)
    the_administrator_shuts_the_account(administrator)
    the_newcomer_is_out(newcomer)
    the_directory_is_kept_by_two(sits_down("directory_manager"), sits_down("second_manager"), world)
    a_suspended_provider_is_not_offered(coordinator, reference)

    the_auditor_finds_who_read_what(sits_down("auditor"), reference)
    the_analyst_reaches_no_case(sits_down("analyst"), reference)
    nothing_about_the_person_is_left_behind(traces)


# Identification


def the_investigator_flags_a_person(investigator, world):
    investigator.arrives_at("My work")
    investigator.presses("Flag a person")
    investigator.arrives_at("Flag a person")
    investigator.presses("Begin")

    investigator.arrives_at("Who told you, and in which district?")
    investigator.chooses("How did you learn about this person?", "Police")
    investigator.chooses("District", "Nyarugenge")
    investigator.presses("Save and continue")

    investigator.arrives_at("Where and when was the person found?")
    investigator.chooses("Kind of place", "Private home")
    investigator.chooses("Sector", "Gitega")
    investigator.enters_day(world.today - timedelta(days=1), under="On which day")
    investigator.writes("The place in your own words", CANARIES["place_words"])
    investigator.presses("Save and continue")

    investigator.arrives_at("What do you know about the person?")
    investigator.writes("Given name", CANARIES["given_name"])
    investigator.writes("Family name", CANARIES["family_name"])
    investigator.writes("Other names", CANARIES["other_names"])
    investigator.chooses("About how old?", "18 to 24")
    investigator.ticks("Female", under="Sex")
    investigator.chooses("Citizenship", "Burundi")
    investigator.ticks("Kirundi", "Swahili", under="Languages")
    investigator.writes("Number of an identity paper", CANARIES["id_number"])
    investigator.presses("Save and continue")

    investigator.arrives_at("What did you see or hear?")
    investigator.ticks(
        "Cannot leave, or is watched or locked in",
        "Someone else keeps their identity papers",
        under="Signs",
    )
    investigator.writes("In your own words", CANARIES["account"])
    investigator.presses("Save and continue")

    is_called_away_in_the_middle(investigator)

    investigator.arrives_at("How can the person be reached safely?")
    investigator.ticks("By phone", under="How may we reach the person?")
    investigator.writes("Phone number", CANARIES["contact_phone"])
    investigator.writes("Who, when and how", CANARIES["contact_words"])
    investigator.writes("A word that proves it is us", CANARIES["code_word"])
    investigator.presses("Save and continue")

    investigator.arrives_at("What does the person agree to?")
    investigator.ticks("Yes", under="Did you ask the person?")
    investigator.ticks(
        "Yes", under="If you asked: do they agree to be referred to the national mechanism?"
    )
    investigator.presses("Save and continue")


def is_called_away_in_the_middle(investigator):
    investigator.arrives_at("Is the person safe?")
    safe = "Where they are now, is the person safe?"
    investigator.ticks("No, someone could reach them tonight", under=safe)
    investigator.writes("About their health", CANARIES["health_words"])
    investigator.presses("Save and leave")

    investigator.arrives_at("My work")
    investigator.sees("Your draft is saved. You can go on with it here.")
    investigator.has_nothing_of(*EVERYTHING)
    investigator.follows(re.compile("^Continue"))
    investigator.arrives_at("Flag a person")
    investigator.presses("Go on")

    investigator.arrives_at("Is the person safe?", picture=False)
    investigator.finds_ticked("No, someone could reach them tonight", under=safe)
    investigator.finds_written("About their health", CANARIES["health_words"])
    investigator.ticks(
        "Emergency shelter", "Emergency medical care", under="What does the person need first?"
    )
    investigator.presses("Save and continue")


def the_investigator_sends_the_flag(investigator):
    investigator.arrives_at("Check your answers")
    investigator.sees(*EVERYTHING, "Gitega", "Kirundi", "Cannot leave, or is watched or locked in")
    investigator.presses("Send the flag")
    investigator.arrives_at("The flag was sent")
    investigator.has_nothing_of(*EVERYTHING)
    return reference_on(investigator)


def another_person_was_found_there(investigator, reference):
    investigator.presses("Add another person found at the same place")
    investigator.arrives_at("Flag a person")
    investigator.sees(f"This flag is linked to {reference}: found at the same place.")
    investigator.follows("My work")
    investigator.arrives_at("My work")
    investigator.sees_row(reference, "Needs not recorded", "Flagged")
    investigator.follows(reference)
    investigator.arrives_at(f"Flag {reference}")
    investigator.has_nothing_of(*EVERYTHING)


# The case file


def the_coordinator_finds_the_case(coordinator, reference):
    coordinator.arrives_at("My work")
    coordinator.sees_row(reference, "Read the new flag", "Immediate")
    coordinator.has_nothing_of(*EVERYTHING)
    coordinator.follows("Find a case")
    coordinator.arrives_at("Find a case")
    coordinator.writes("Case reference", misheard(reference))
    coordinator.presses("Find the case")
    coordinator.is_asked_again_at(
        "Find a case", re.compile("One character is wrong or two are swapped|Look first at")
    )
    coordinator.finds_written("Case reference", misheard(reference))
    coordinator.writes("Case reference", reference.lower().replace("-", " "))
    coordinator.presses("Find the case")
    coordinator.arrives_at("Overview")
    coordinator.sees(reference, "closed", CANARIES["contact_words"])
    coordinator.has_nothing_of(*IDENTITY, *CONTACT, *STORY, *HEALTH)


def the_coordinator_opens_closed_fields(coordinator):
    coordinator.opens_fields(
        "Why do you need the name and date of birth?", "To check for a duplicate"
    )
    coordinator.arrives_at("Overview")
    coordinator.sees(*NAMES, "ends in 623")
    coordinator.has_nothing_of(CANARIES["id_number"], *CONTACT, *STORY, *HEALTH)
    coordinator.presses("Show Identity number")
    coordinator.arrives_at("Overview", picture=False)
    coordinator.sees(CANARIES["id_number"], "Shown once.")
    coordinator.opens_fields("Why do you need to read what happened?", "To assess needs")
    coordinator.arrives_at("Overview", picture=False)
    coordinator.sees(CANARIES["account"])
    coordinator.has_nothing_of(CANARIES["place_words"], *CONTACT, *HEALTH)


def the_coordinator_presumes(coordinator):
    coordinator.presses("Record the presumption")
    coordinator.arrives_at("Record the presumption")
    coordinator.ticks("Signs that were seen or heard", under="What does it rest on?")
    coordinator.writes("Your reason", CANARIES["presumption_words"])
    coordinator.presses("Record the presumption")
    coordinator.arrives_at("Overview")
    coordinator.sees("The person is now a presumed victim.")


def the_coordinator_asks_for_consent(coordinator):
    coordinator.follows("Consent")
    coordinator.arrives_at("Consent")
    coordinator.presses("Record answers")
    coordinator.arrives_at("Record answers")
    coordinator.ticks("Yes", under="Record and keep what they tell us")
    coordinator.ticks("No", under="Share with law enforcement")
    says_how_it_was_asked(coordinator)
    coordinator.presses("Record the answers")
    coordinator.arrives_at("Consent")
    coordinator.sees("The answers are recorded.", "Share with law enforcement")


def says_how_it_was_asked(coordinator):
    coordinator.ticks("The person", under="Who answered?")
    coordinator.ticks("By voice", under="How was the answer given?")
    coordinator.chooses("In which language?", "Kirundi")


def the_coordinator_records_needs(coordinator):
    coordinator.follows("Help and referrals")
    coordinator.arrives_at("Help and referrals")
    coordinator.presses("Record needs")
    coordinator.arrives_at("What does the person need?")
    coordinator.finds_ticked("Emergency shelter", under="Tonight and the first days")
    coordinator.ticks("Psychosocial counselling", under="Health and mind")
    coordinator.presses("Save the needs")
    coordinator.arrives_at("Help and referrals")
    coordinator.sees("The needs are recorded.", "Psychosocial counselling")


# Two coordinators on one case


def a_colleague_opens_the_needs_too(colleague, reference):
    colleague.opens(f"/cases/{reference}")
    colleague.arrives_at("Overview", picture=False)
    # What one opens for a reason opens for no one else.
    colleague.has_nothing_of(*IDENTITY, *CONTACT, *STORY, *HEALTH)
    colleague.follows("Record needs")
    colleague.arrives_at("What does the person need?", picture=False)
    colleague.ticks("Interpretation or translation", under="Tonight and the first days")


def the_colleague_comes_second(colleague):
    colleague.presses("Save the needs")
    colleague.is_asked_again_at(
        "What does the person need?", re.compile("Someone else changed this case")
    )
    colleague.finds_ticked("Interpretation or translation", under="Tonight and the first days")
    colleague.sees(re.compile("Recorded now: .*Psychosocial counselling"))


# Referral


def the_coordinator_chooses_a_provider(coordinator):
    coordinator.presses("Find a provider")
    coordinator.arrives_at("Choose a provider")
    coordinator.presses(re.compile(f"Choose.*{SHELTER}"))
    coordinator.arrives_at("What will be disclosed")
    coordinator.sees("Ask the person first")
    coordinator.presses("Record what the person says")
    coordinator.arrives_at("Agree to share with a provider")
    shared = "What may this provider open once it accepts?"
    coordinator.ticks("Name and identity", "Safe contact", under=shared)
    coordinator.ticks("The person agrees", under="On what ground?")
    says_how_it_was_asked(coordinator)
    coordinator.presses("Record")
    coordinator.arrives_at("What will be disclosed")
    coordinator.sees("It is recorded what this provider may be told.")
    opens, stays_closed = coordinator.tab.locator("aside ul").all_inner_texts()
    assert opens.split("\n") == ["Name and identity", "Safe contact"]
    assert stays_closed.split("\n") == ["Health", "What happened", "Police and prosecution"]


def the_coordinator_sends_the_referral(coordinator):
    coordinator.writes("How to keep everyone safe", CANARIES["safety"])
    coordinator.presses("Show it on the envelope first")
    coordinator.arrives_at("What will be disclosed", picture=False)
    envelope = coordinator.tab.get_by_role("article", name="Sealed referral")
    expect(envelope).to_contain_text(CANARIES["safety"])
    coordinator.presses("Send the referral")
    coordinator.arrives_at("Help and referrals")
    coordinator.sees("The referral was sent.", SHELTER, "Waiting for an answer")
    return reference_on(coordinator, r"R-[1-9A-Z]{3}-[1-9A-Z]{3}-[1-9A-Z]")


# Provision


def the_worker_reads_the_sealed_envelope(worker, sent):
    worker.arrives_at("Inbox")
    worker.sees_row(sent, "Emergency shelter", "Adult, female", "Immediate")
    worker.follows(sent)
    worker.arrives_at("Can you help?")
    worker.sees("Emergency shelter", "Adult, female", "Kirundi", "Nyarugenge", CANARIES["safety"])
    worker.has_nothing_of(*EVERYTHING, CANARIES["presumption_words"])


def the_worker_accepts(worker, sent):
    worker.presses("Accept and open")
    worker.arrives_at(f"Referral {sent}")
    worker.sees("You have accepted this referral.", *NAMES, CANARIES["contact_words"])
    worker.has_nothing_of(CANARIES["id_number"], *CONTACT)
    worker.has_nothing_of(*STORY, *HEALTH, CANARIES["presumption_words"])


def the_late_colleague_is_told(late):
    late.presses("Accept and open")
    late.arrives_at("This has already been done")
    late.sees(re.compile("by Practice Provider"))


def the_worker_records_a_service(worker, sent):
    worker.presses("Record a service")
    worker.arrives_at("Record a service")
    worker.ticks("Given", under="Was it given?")
    worker.writes("What was done (optional)", CANARIES["service_words"])
    worker.presses("Record the service")
    worker.arrives_at(f"Referral {sent}")
    worker.sees_row("Emergency shelter", "Given", CANARIES["service_words"])


def another_shelter_finds_nothing(stranger, sent):
    stranger.arrives_at("Inbox", picture=False)
    stranger.sees("No referral waits for your answer.")
    assert stranger.opens(f"/referrals/{sent}").status == 404
    stranger.arrives_at("Not found")


# Those who keep the mechanism


def the_administrator_adds_a_shelter(administrator):
    administrator.arrives_at("People")
    administrator.follows("Organisations")
    administrator.arrives_at("Organisations")
    administrator.presses("Create an organisation")
    administrator.arrives_at("Create an organisation")
    administrator.writes("Name", NEW_SHELTER)
    administrator.chooses("What kind of organisation is it?", "Shelter")
    administrator.chooses("District", "Huye")
    administrator.field("It gives services to people in the mechanism").check()
    administrator.presses("Create the organisation")
    administrator.arrives_at("Organisations", picture=False)
    administrator.sees_row(NEW_SHELTER, "Huye", "Yes")


def the_administrator_invites_somebody(administrator):
    administrator.follows("People")
    administrator.presses("Invite somebody")
    administrator.arrives_at("Invite somebody")
    administrator.writes("Name", "Practice Newcomer")
    administrator.writes("Work e-mail", NEWCOMER)
    administrator.chooses("Organisation", NEW_SHELTER)
    administrator.chooses("Role", "Service provider")
    administrator.presses("Make the account and a link")
    administrator.arrives_at("Hand over this link")
    link = administrator.tab.locator("main .nrm-typed").inner_text()
    administrator.presses("To the account")
    administrator.arrives_at("Account")
    administrator.sees("Invited")
    return urlsplit(link).path


def the_newcomer_chooses_a_password_and_begins(newcomer, link):
    newcomer.opens(link)
    newcomer.arrives_at("Choose your password", picture=False)
    newcomer.writes("New password", FIRST_PASSWORD)
    newcomer.writes("The same password again", FIRST_PASSWORD)
    newcomer.presses("Set this password")
    newcomer.arrives_at("Sign in", picture=False)
    newcomer.gives_password(NEWCOMER, FIRST_PASSWORD)
    newcomer.arrives_at("Set up your telephone", picture=False)
    seed = newcomer.tab.locator("#seed").inner_text().replace(" ", "")
    newcomer.writes("Code from your app", code_at(seed, step_of(datetime.now(UTC))))
    newcomer.presses("Confirm and go on")
    newcomer.arrives_at("Your recovery codes", picture=False)
    newcomer.presses("I have kept them")


def the_administrator_shuts_the_account(administrator):
    administrator.presses("Disable this account")
    administrator.arrives_at("Disable this account?")
    administrator.ticks("The person no longer works here", under="Why?")
    administrator.presses("Disable")
    administrator.arrives_at("Account", picture=False)
    administrator.sees("The person was signed out everywhere.", "Disabled since")


def the_newcomer_is_out(newcomer):
    newcomer.follows("Accepted")
    newcomer.arrives_at("Sign in")
    newcomer.gives_password(NEWCOMER, FIRST_PASSWORD)
    newcomer.is_asked_again_at(
        "Sign in", "The e-mail address and the password do not belong together."
    )


def the_directory_is_kept_by_two(manager, second, world):
    manager.arrives_at("Directory")
    manager.presses("Submit a listing")
    manager.arrives_at("Submit a listing")
    manager.chooses("Which organisation?", NEW_SHELTER)
    manager.chooses("In which district?", "Huye")
    manager.ticks("Emergency shelter", under="What does it offer?")
    manager.ticks("Female", under="Whom does it serve?")
    manager.ticks("18 to 24", under="Of what age?")
    manager.ticks("Kirundi", under="In which languages?")
    manager.presses("Submit for approval")
    manager.arrives_at(NEW_SHELTER)
    manager.sees("You submitted this listing, so someone else approves it.")
    expect(manager.button("Approve")).to_have_count(0)

    second.follows("Directory")
    second.sees_row(NEW_SHELTER, "Waiting for approval")
    second.follows(NEW_SHELTER)
    second.arrives_at(NEW_SHELTER)
    second.enters_day(world.today + timedelta(days=180), under="Approved until")
    second.presses("Approve")
    second.arrives_at(NEW_SHELTER, picture=False)
    second.sees("The listing is approved.")

    manager.follows("Directory")
    manager.follows(SHELTER)
    manager.arrives_at(SHELTER, picture=False)
    manager.writes("Why is it suspended?", "Its licence is being looked at again.")
    manager.presses("Suspend this provider")
    manager.arrives_at(SHELTER)
    manager.sees("The listing is suspended. It receives nothing new.")


def a_suspended_provider_is_not_offered(coordinator, reference):
    coordinator.opens(f"/cases/{reference}/providers")
    coordinator.arrives_at("Choose a provider")
    coordinator.sees(NEW_SHELTER)
    coordinator.has_nothing_of(SHELTER)


def the_auditor_finds_who_read_what(auditor, reference):
    auditor.arrives_at("Audit log")
    auditor.writes("Case or referral", reference)
    auditor.presses("Search")
    auditor.arrives_at("Audit log")
    auditor.sees_row("Person flagged", "Practice First Responder", reference)
    auditor.sees_row("Closed fields opened", "Practice Coordinator", "Name and identity")
    auditor.sees_row("Closed fields opened", "To check for a duplicate")
    auditor.sees_row("Referral opened", "Practice Provider", "Safe contact")
    auditor.sees_row("Service recorded", "Practice Provider")
    auditor.has_nothing_of(*EVERYTHING, *map(str, CANARIES.values()))
    auditor.follows(re.compile("^Entry "))
    auditor.arrives_at(re.compile("^Entry "))
    auditor.sees("This entry is as it was written.")


def the_analyst_reaches_no_case(analyst, reference):
    analyst.arrives_at("Statistics")
    analyst.sees("No release is published yet.")
    assert analyst.opens(f"/cases/{reference}").status == 403
    analyst.arrives_at("You may not do this")


def nothing_about_the_person_is_left_behind(traces):
    assert len(traces) > 100
    for secret in CANARIES.values():
        assert not [trace for trace in traces if secret in trace]


# What happens beside the straight way


def test_wrong_answers_are_kept_and_explained(world, enter):
    draft = worlds.draft(world)
    investigator = enter("first_responder")
    investigator.opens(f"/flags/drafts/{draft}/place")
    investigator.chooses("Kind of place", "Choose")
    investigator.enters_day(world.today + timedelta(days=1), under="On which day")
    investigator.writes("The place in your own words", CANARIES["place_words"])
    investigator.presses("Save and continue")

    investigator.is_asked_again_at(
        "Where and when was the person found?",
        "Choose the kind of place, or “Not known”",
        "This day has not come yet. Enter today or an earlier day",
    )
    summary = investigator.tab.locator(".govuk-error-summary")
    assert investigator.is_at(summary)
    investigator.finds_written("The place in your own words", CANARIES["place_words"])
    investigator.finds_written("Year", str((world.today + timedelta(days=1)).year))
    for problem, field in (("Choose the kind of place", "Kind of place"), ("This day", "Day")):
        summary.get_by_role("link", name=problem).click()
        expect(investigator.field(field)).to_be_focused()


def test_the_keyboard_is_enough(world, sit_down):
    worlds.draft(world)
    investigator = sit_down()
    tab = investigator.tab
    investigator.opens("/sign-in")
    skip = tab.get_by_role("link", name="Skip to main content")
    investigator.reaches(skip)
    expect(skip).to_be_in_viewport()
    investigator.strikes("Enter")
    expect(tab.locator("main")).to_be_focused()
    investigator.reaches(investigator.field("Work e-mail"))
    tab.keyboard.type(world.email("first_responder"))
    investigator.reaches(investigator.field("Password"))
    tab.keyboard.type(worlds.PASSWORD)
    investigator.reaches(investigator.button("Sign in"))
    investigator.goes_on_with("Enter")
    # The field for the code has the focus already.
    expect(investigator.field("Code from your app")).to_be_focused()
    tab.keyboard.type(worlds.fresh_code(world.app, world.email("first_responder")))
    investigator.goes_on_with("Enter")

    investigator.arrives_at("My work", picture=False)
    investigator.reaches(tab.get_by_role("link", name=re.compile("^Continue")))
    investigator.goes_on_with("Enter")
    investigator.reaches(tab.get_by_role("link", name="Safety and needs"))
    investigator.goes_on_with("Enter")

    investigator.arrives_at("Is the person safe?", picture=False)
    food = investigator.choice(
        "Food, clothes and hygiene items", under="What does the person need first?"
    )
    investigator.reaches(food)
    investigator.strikes("Space")
    investigator.reaches(investigator.button("Save and continue"))
    investigator.goes_on_with("Enter")
    investigator.arrives_at("Check your answers", picture=False)
    investigator.sees("Food, clothes and hygiene items", "Emergency shelter")


def test_whoever_sits_down_next_finds_nothing(world, enter):
    reference = worlds.presumed(world, person={"given_name": CANARIES["given_name"]})
    coordinator = enter("coordinator")
    coordinator.opens(f"/cases/{reference}")
    coordinator.opens_fields(
        "Why do you need the name and date of birth?", "To check for a duplicate"
    )
    coordinator.sees(CANARIES["given_name"])
    coordinator.presses("Sign out")
    coordinator.arrives_at("Sign in", picture=False)
    for _ in range(2):
        coordinator.goes_back()
        coordinator.arrives_at("Sign in", picture=False)
        coordinator.has_nothing_of(CANARIES["given_name"], reference)
