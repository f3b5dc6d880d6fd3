"""Another institution's sign-in in a real browser, which keeps our cookie from other sites."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from nrm.security import openid
from tests import openid_provider
from tests.browser.test_sign_in import at_the_door
from tests.openid_provider import NAME
from tests.web.test_confirm import let_time_pass
from tests.world import fresh_code


@pytest.fixture
def provider(world, live_server):
    """Run a provider that is another site than ours: this machine by its number."""
    openid._descriptions.forget()
    ours = live_server.replace("127.0.0.1", "localhost")
    with openid_provider.running() as running:
        running.issuer = running.issuer.replace("localhost", "127.0.0.1")
        settings = world.app.config["NRM"]
        world.app.config["NRM"] = replace(settings, openid=running.settings(), origin=ours)
        yield running


@pytest.mark.usefixtures("provider")
def test_somebody_connects_and_signs_in_by_another_institution(world, sit_down):
    ours, email = world.app.config["NRM"].origin, world.email("coordinator")
    person = sit_down()
    at_the_door(person, email, ours)
    person.writes("Code from your app", fresh_code(world.app, email))
    person.presses("Sign in")
    let_time_pass(world)
    person.opens(f"{ours}/account/ways")
    person.tab.get_by_role("button", name=f"Connect with {NAME}").click()
    person.arrives_at("Confirm that it is you", picture=False)
    person.writes("Code from your app", fresh_code(world.app, email))
    # A form that may lead nowhere else: what it leads to is a page of ours, which goes on.
    person.button("Confirm").click()
    person.follows("It is me")
    person.arrives_at("Ways to sign in")
    person.sees(f"You can sign in with {NAME} from now on.")
    person.presses("Sign out")

    person.opens(f"{ours}/sign-in")
    person.arrives_at("Sign in")
    person.tab.get_by_role("button", name=f"Sign in with {NAME}").click()
    person.follows("It is me")
    person.arrives_at("Second step")
    person.writes("Code from your app", fresh_code(world.app, email))
    person.presses("Sign in")
    expect(person.tab.get_by_role("heading", level=1)).to_have_text("My work")
