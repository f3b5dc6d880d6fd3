"""Signing in at a screen: a code, a telephone that is set up, a paper code, a passkey, a delay."""

import re
import time
from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from nrm.db import unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.security.second_factor import code_at, step_of
from nrm.services import second_factor
from tests import world as worlds
from tests.browser.people import SYSTEM
from tests.web.test_confirm import let_time_pass
from tests.world import PASSWORD, fresh_code

# What a person takes for it is mostly reading six digits off the telephone; this is our part.
MOST_SECONDS = 15


@pytest.fixture
def by_name(live_server):
    """Give the server's address by its name: no passkey is bound to a number."""
    return live_server.replace("127.0.0.1", "localhost")


def at_the_door(person, email, base=""):
    person.opens(f"{base}/sign-in")
    person.writes("Work e-mail", email)
    person.tab.get_by_label("Password", exact=True).fill(PASSWORD)
    person.presses("Sign in")


def add_device(person):
    """Give the browser a device that knows its owner."""
    session = person.tab.context.new_cdp_session(person.tab)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def cornered(square):
    """Say whether three corners hold the mark that a camera looks for, and the fourth does not."""
    shot = Image.open(BytesIO(square.screenshot())).convert("1")
    modules = int(square.get_attribute("viewBox").split()[2])
    size = shot.width / modules

    def black(x, y):
        return not shot.getpixel((int((x + 0.5) * size), int((y + 0.5) * size)))

    def marked(x, y):
        centre = all(black(x + dx, y + dy) for dx in (2, 3, 4) for dy in (2, 3, 4))
        frame = all(black(x + at, y) and black(x, y + at) for at in range(7))
        return centre and frame and not black(x + 1, y + 1)

    far = modules - 4 - 7
    return [marked(*corner) for corner in ((4, 4), (far, 4), (4, far), (far, far))] == [
        True, True, True, False,
    ]  # fmt: skip


def slow_down(person):
    """Make it a cheap telephone on a poor line: 400 kbit/s, 400 ms, a quarter of the processor."""
    session = person.tab.context.new_cdp_session(person.tab)
    session.send("Network.enable")
    line = {"offline": False, "latency": 400}
    line |= dict.fromkeys(("downloadThroughput", "uploadThroughput"), 400_000 / 8)
    session.send("Network.emulateNetworkConditions", line)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})


def test_a_code_is_typed_at_once_and_signing_in_is_quick(world, sit_down, counted):
    person, email = sit_down(), world.email("coordinator")
    person.tab.set_viewport_size({"width": 360, "height": 740})
    slow_down(person)
    began = time.monotonic()
    at_the_door(person, email)
    expect(person.field("Code from your app")).to_be_focused()
    person.tab.keyboard.type(fresh_code(world.app, email))
    person.goes_on_with("Enter")
    took = time.monotonic() - began
    expect(person.tab.get_by_role("heading", level=1)).to_have_text("My work")
    counted(f"{took:.1f} seconds to sign in with two steps on a telephone with a poor line")
    assert took < MOST_SECONDS


def test_a_wrong_code_is_said_and_the_right_one_works(world, sit_down):
    person, email = sit_down(), world.email("analyst")
    at_the_door(person, email)
    person.arrives_at("Second step")
    person.writes("Code from your app", "letters")
    person.presses("Sign in")
    person.is_asked_again_at("Second step", re.compile("This code is wrong, or it was used"))
    person.writes("Code from your app", fresh_code(world.app, email))
    person.presses("Sign in")
    expect(person.tab.get_by_role("link", name="Practice Analyst")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without script"])
def test_a_telephone_is_set_up_from_nothing(world, sit_down, javascript):
    with world.entered(), unit_of_work() as unit:
        second_factor.reset(unit, HOUSEKEEPING, world.accounts["analyst"])
    person, email = sit_down(javascript=javascript), world.email("analyst")
    at_the_door(person, email)
    person.arrives_at("Set up your telephone")
    square = person.tab.locator(".nrm-square svg")
    expect(square).to_be_visible()
    assert square.bounding_box()["width"] > 150
    assert cornered(square)
    seed = person.tab.locator("#seed").inner_text().replace(" ", "")
    person.writes("Code from your app", code_at(seed, step_of(datetime.now(UTC))))
    person.presses("Confirm and go on")
    person.arrives_at("Your recovery codes")
    papers = person.tab.locator(".nrm-codes li").all_inner_texts()
    assert len(papers) == 10
    person.tab.get_by_role("button", name="I have kept them").click()
    expect(person.tab.get_by_role("link", name="Practice Analyst")).to_be_visible()
    person.presses("Sign out")
    at_the_door(person, email)
    person.follows("Use a recovery code from your paper")
    person.arrives_at("Use a recovery code")
    person.writes("Recovery code", papers[0].lower())
    person.presses("Go on")
    person.sees("You used a recovery code. You have 9 left.")


def test_a_passkey_is_made_signs_in_and_confirms(world, sit_down, by_name):
    person, email = sit_down(), world.email("coordinator")
    at_the_door(person, email, by_name)
    person.writes("Code from your app", fresh_code(world.app, email))
    person.presses("Sign in")
    session, device = add_device(person)
    person.follows(re.compile("Practice Coordinator"))
    person.arrives_at("Where I am signed in")
    person.follows("Ways to sign in")
    person.arrives_at("Ways to sign in")
    person.tab.get_by_role("button", name="Add a passkey").click()
    person.arrives_at("Add a passkey")
    person.presses("Make a passkey on this device")
    person.sees("The passkey is added.")
    person.presses("Sign out")

    at_the_door(person, email, by_name)
    person.arrives_at("Second step")
    person.presses("Use a passkey")
    expect(person.tab.get_by_role("heading", level=1)).to_have_text("My work")

    let_time_pass(world)
    person.opens(f"{by_name}/account/ways/codes")
    person.arrives_at("Confirm that it is you")
    person.presses("Use a passkey")
    person.arrives_at("Make new recovery codes?")
    person.presses("Make new codes")
    person.arrives_at("Your recovery codes", picture=False)
    person.presses("Sign out")

    # Whoever has the device at hand and is not its owner gets no further, and is told what else.
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    at_the_door(person, email, by_name)
    person.button("Use a passkey").click()
    expect(person.tab.get_by_text("No passkey was shown.")).to_be_visible()


def test_an_interrupted_form_goes_on_with_one_press(world, enter):
    reference = worlds.presumed(world)
    person = enter("coordinator")
    person.opens(f"/cases/{reference}")
    let_time_pass(world)
    person.opens_fields("Why do you need the notes on health?", "To keep the person safe")
    person.arrives_at("Confirm that it is you")
    person.writes("Code from your app", fresh_code(world.app, world.email("coordinator")))
    person.presses("Confirm")
    person.arrives_at("Thank you, it is you")
    person.presses("Go on with it")
    person.sees("A practice note.")


def test_too_many_tries_get_a_page_that_says_how_long(world, sit_down):
    person = sit_down()
    at_the_door(person, world.email("analyst"))
    for _ in range(5):
        person.writes("Code from your app", "letters")
        person.presses("Sign in")
    person.writes("Code from your app", "letters")
    person.presses("Sign in")
    person.arrives_at("Too many tries")
    person.sees("then try again. Nobody is locked out")
    assert SYSTEM in person.tab.title()
