"""Signing in as a person does it, and everything that is tried at the door."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Account
from nrm.security import second_factor as codes
from nrm.services import delays, people, second_factor
from nrm.services.audit import record
from tests import world as worlds
from tests.authenticator import Authenticator
from tests.page import PageClient
from tests.page_checks import words
from tests.world import PASSWORD, SEED, fresh_code

TO_CODE = "/sign-in/code"


@pytest.fixture
def visitor(world):
    """Give a browser at the address to which passkeys are bound."""
    return PageClient(world.app.test_client())


def give_password(page, email, password=PASSWORD, status=None):
    page.get("/sign-in")
    return page.post("/sign-in", {"email": email, "password": password}, status=status)


def cookie(page):
    return page.client.get_cookie("nrm").value


def without_factor(world, name):
    with world.entered(), unit_of_work() as unit:
        second_factor.reset(unit, HOUSEKEEPING, world.accounts[name])


def never_activated(world, name):
    with unit_of_work() as unit:
        db.session.get_one(Account, world.accounts[name]).password_hash = ""
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


def wrong_for(world, email):
    right = int(fresh_code(world.app, email))
    return f"{(right + 1) % 1_000_000:06}"


def with_passkey(page, **bent):
    """Add a passkey on the pages of whoever is signed in."""
    device = Authenticator(**bent)
    form = page.get("/account/ways/passkey").find("form", attrs={"data-passkey": "make"})
    page.post("/account/ways/passkey", {"answer": device.make(form["data-question"])})
    return device


def test_every_step_changes_the_token_and_only_the_last_signs_in(world, visitor):
    email = world.email("analyst")
    visitor.get("/sign-in")
    seen = [cookie(visitor)]
    give_password(visitor, email)
    seen.append(cookie(visitor))
    visitor.get("/statistics", status=303)
    assert visitor.response.headers["Location"] == "/sign-in"
    visitor.get("/account/ways", status=303)
    field = visitor.get(TO_CODE).find(id="code")
    assert (field["inputmode"], field["autocomplete"]) == ("numeric", "one-time-code")
    assert field.has_attr("autofocus")
    visitor.post(TO_CODE, {"code": fresh_code(world.app, email)})
    seen.append(cookie(visitor))
    visitor.get("/statistics")
    assert len(set(seen)) == 3
    for old in seen[:2]:
        thief = world.app.test_client()
        thief.set_cookie("nrm", old)
        assert thief.get("/statistics").status_code == 303
        assert thief.get(TO_CODE).headers["Location"] == "/sign-in"


@pytest.mark.parametrize("who", ["wrong password", "unknown", "disabled", "never activated"])
def test_the_door_looks_the_same_from_outside(world, visitor, who):
    emails = {"disabled": world.email("analyst"), "unknown": "nobody@practice.example"}
    email = emails.get(who, world.email("coordinator"))
    password = "a wrong password" if who == "wrong password" else PASSWORD
    with world.entered():
        if who == "disabled":
            people.disable(world.actor("administrator"), world.accounts["analyst"])
        if who == "never activated":
            never_activated(world, "coordinator")
    html = give_password(visitor, email, password, status=422)
    assert words(html.find(class_="govuk-error-summary")) == (
        "There is a problem The e-mail address and the password do not belong together."
    )
    assert visitor.get(TO_CODE, status=303).headers["Location"] == "/sign-in"


def test_a_wrong_code_says_what_to_do_and_never_why(world, visitor):
    email = world.email("coordinator")
    give_password(visitor, email)
    said = set()
    step = codes.step_of(datetime.now(UTC))
    # Merely wrong, of a telephone whose clock is wrong, and no code at all.
    for typed in (wrong_for(world, email), codes.code_at(SEED, step + 7), "letters"):
        html = visitor.post(TO_CODE, {"code": typed}, status=422)
        said.add(words(html.find(class_="govuk-error-message")))
    assert len(said) == 1
    assert "look whether your telephone sets its clock by itself" in said.pop()
    visitor.post(TO_CODE, {"code": ""}, status=422)


def test_a_code_that_was_used_is_refused(world, visitor):
    email = world.email("coordinator")
    give_password(visitor, email)
    code = fresh_code(world.app, email)
    visitor.post(TO_CODE, {"code": code})
    other = PageClient(world.app.test_client())
    give_password(other, email)
    html = other.post(TO_CODE, {"code": code}, status=422)
    assert "or it was used already" in words(html.main)


def test_whoever_takes_too_long_starts_again(world, visitor):
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        give_password(visitor, world.email("coordinator"))
        visitor.get(TO_CODE)
        clock.shift(timedelta(minutes=10))
        visitor.post(TO_CODE, {"code": codes.code_at(SEED, codes.step_of(datetime.now(UTC)))})
        assert visitor.response.headers["Location"] == "/sign-in"
        told = visitor.follow().find(role="status")
        assert "That took too long" in words(told)
        # Nothing was done, so nothing says so.
        assert told["class"] == ["nrm-callout"]


@pytest.mark.parametrize("path", [TO_CODE, "/sign-in/recovery", "/sign-in/set-up"])
def test_the_second_step_alone_leads_to_the_first(visitor, path):
    assert visitor.get(path, status=303).headers["Location"] == "/sign-in"
    assert "Start again here." in words(visitor.follow().main)


@pytest.mark.parametrize("path", [TO_CODE, "/sign-in/recovery", "/sign-in/set-up"])
def test_whoever_goes_back_to_a_step_that_is_done_is_in_and_told_nothing(world, visitor, path):
    worlds.sign_in(visitor, world.email("analyst"))
    assert visitor.get(path, status=303).headers["Location"] == "/"
    visitor.follow(status=302)
    assert "Start again" not in words(visitor.follow().main)


def test_too_many_tries_get_a_page_that_says_how_long(world, visitor):
    emails = world.email("coordinator"), "nobody@practice.example"
    said = []
    for number, email in enumerate(emails):
        here = {"REMOTE_ADDR": f"203.0.{number}.9"}
        for _ in range(5):
            visitor.get("/sign-in")
            typed = {"email": email, "password": "wrong"}
            visitor.post("/sign-in", typed, status=422, environ_overrides=here)
        html = visitor.post("/sign-in", typed, status=429, environ_overrides=here)
        assert 1 <= int(visitor.response.headers["Retry-After"]) <= 5
        said.append(re.sub(r"Wait (one second|\d seconds)", "Wait 5 seconds", words(html.main)))
    assert said[0] == said[1]
    assert "Wait 5 seconds, then try again. Nobody is locked out" in said[0]


@pytest.mark.parametrize("path", [TO_CODE, "/sign-in/recovery"])
def test_who_tried_a_code_too_often_goes_on_at_that_step(world, visitor, path):
    give_password(visitor, world.email("coordinator"))
    visitor.get(path)
    for _ in range(5):
        visitor.post(path, {"code": "letters"}, status=422)
    html = visitor.post(path, {"code": "letters"}, status=429)
    assert html.main.find("a", string="Try again")["href"] == path
    assert words(visitor.get(path).h1) in {"Second step", "Use a recovery code"}


def test_no_parameter_leads_anywhere_else(world):
    for name in ("next", "url", "continue", "return_to", "redirect"):
        elsewhere = f"?{name}=https://elsewhere.example/&{name}=//elsewhere.example"
        page = PageClient(world.app.test_client())
        page.get(f"/sign-in{elsewhere}")
        typed = {"email": world.email("analyst"), "password": PASSWORD, name: "//elsewhere.example"}
        page.post(f"/sign-in{elsewhere}", typed)
        assert page.response.headers["Location"] == TO_CODE
        page.get(f"{TO_CODE}{elsewhere}")
        code = {"code": fresh_code(world.app, world.email("analyst")), name: "//elsewhere.example"}
        page.post(f"{TO_CODE}{elsewhere}", code)
        assert page.response.headers["Location"] == "/"


def test_a_cookie_of_an_ended_sitting_leads_to_the_door(world, visitor):
    worlds.sign_in(visitor, world.email("analyst"))
    old = cookie(visitor)
    visitor.get("/help")
    visitor.post("/sign-out")
    thief = PageClient(world.app.test_client())
    thief.client.set_cookie("nrm", old)
    assert thief.get("/statistics", status=303).headers["Location"] == "/sign-in"
    assert "You were signed out." in words(thief.follow().main)


# Setting up, and codes on paper


def test_the_first_sign_in_sets_a_telephone_up_before_anything_else(world, visitor):
    without_factor(world, "analyst")
    email = world.email("analyst")
    give_password(visitor, email)
    visitor.follow(status=303)
    html = visitor.follow()
    assert words(html.h1) == "Set up your telephone"
    square = html.find("svg")
    # Without a view box a style sheet that fits it to the page would cut it off.
    assert re.fullmatch(r"0 0 (\d+) \1", square["viewbox"])
    visitor.get("/statistics", status=303)
    seed = html.find(id="seed").get_text().replace(" ", "")
    # For whoever reads the page on the telephone itself, whose camera cannot see the square.
    link = html.main.find("a", string="Add the account to the app here")["href"]
    assert link.startswith("otpauth://totp/")
    assert f"secret={seed}&" in link
    visitor.get("/sign-in/set-up")
    html = visitor.post("/sign-in/set-up", {"code": "000000"}, status=422)
    # The same key as before: whoever mistyped has not to scan again.
    assert html.find(id="seed").get_text().replace(" ", "") == seed
    code = codes.code_at(seed, codes.step_of(datetime.now(UTC)))
    visitor.post("/sign-in/set-up", {"code": code})
    shown = visitor.follow()
    papers = [one.get_text() for one in shown.select(".nrm-codes li")]
    assert len(set(papers)) == 10
    # Shown once, and the sitting that set it up is over.
    assert not visitor.get("/account/ways/codes/shown").select(".nrm-codes li")
    visitor.get("/statistics")
    other = PageClient(world.app.test_client())
    give_password(other, email)
    other.post(TO_CODE, {"code": code}, status=422)
    other.get("/sign-in/recovery")
    other.post("/sign-in/recovery", {"code": papers[0].lower()})
    other.follow(status=302)
    assert "You used a recovery code. You have 9 left." in words(other.follow().main)


def test_a_wrong_paper_code_is_refused_in_plain_words(world, visitor):
    give_password(visitor, world.email("coordinator"))
    visitor.get("/sign-in/recovery")
    html = visitor.post("/sign-in/recovery", {"code": "AAAA-AAAA-AAAA"}, status=422)
    assert "This is not one of your recovery codes" in words(html.main)


# Passkeys


def test_a_passkey_signs_in_and_its_answer_counts_once(world, visitor):
    worlds.sign_in(visitor, world.email("coordinator"))
    device = with_passkey(visitor)
    give = PageClient(world.app.test_client())
    give_password(give, world.email("coordinator"))
    form = give.get(TO_CODE).find("form", attrs={"data-passkey": "show"})
    answer = device.show(form["data-question"])
    sent = {"answer": answer, "csrf_token": form.find("input")["value"]}
    give.post_raw("/sign-in/passkey", sent, status=303)
    assert give.response.headers["Location"] == "/"
    give.get("/cases")
    replaying = PageClient(world.app.test_client())
    give_password(replaying, world.email("coordinator"))
    replaying.get(TO_CODE)
    sent["csrf_token"] = replaying.html.find("input", attrs={"name": "csrf_token"})["value"]
    replaying.post_raw("/sign-in/passkey", sent, status=303)
    assert replaying.response.headers["Location"] == TO_CODE
    assert "The passkey was not accepted." in words(replaying.follow().main)
    replaying.get("/cases", status=303)


def test_a_passkey_of_another_site_is_refused(world, visitor):
    worlds.sign_in(visitor, world.email("coordinator"))
    device = with_passkey(visitor)
    bad = Authenticator("https://elsewhere.example")
    bad.id, bad.key = device.id, device.key
    give = PageClient(world.app.test_client())
    give_password(give, world.email("coordinator"))
    form = give.get(TO_CODE).find("form", attrs={"data-passkey": "show"})
    answer = bad.show(form["data-question"])
    give.post("/sign-in/passkey", {"answer": answer})
    assert give.response.headers["Location"] == TO_CODE
    assert "The passkey was not accepted." in words(give.follow().main)


def test_without_a_passkey_no_script_is_asked_for(world, visitor):
    give_password(visitor, world.email("coordinator"))
    assert not visitor.get(TO_CODE).find(attrs={"data-passkey": True})


def test_where_nobody_said_the_address_no_passkeys_are_offered(world, visitor):
    worlds.sign_in(visitor, world.email("coordinator"))
    with_passkey(visitor)
    other = {"base_url": "http://127.0.0.1"}
    assert "Add a passkey" in words(visitor.get("/account/ways").main)
    elsewhere = PageClient(world.app.test_client())
    elsewhere.get("/sign-in", **other)
    elsewhere.post("/sign-in", {"email": world.email("coordinator"), "password": PASSWORD}, **other)
    assert not elsewhere.get(TO_CODE, **other).find(attrs={"data-passkey": True})


# Where a request comes from


@pytest.mark.parametrize(
    ("proxies", "told", "network"),
    [
        (0, "203.0.113.5", "127.0.0.0/24"),
        (1, "203.0.113.5", "203.0.113.0/24"),
        (1, "198.51.100.1, 203.0.113.5", "203.0.113.0/24"),
        (2, "198.51.100.1, 203.0.113.5", "198.51.100.0/24"),
    ],
)
def test_the_address_is_believed_from_our_own_proxies_alone(
    settings, world, proxies, told, network
):
    app = create_app(replace(settings, proxies=proxies))
    page = PageClient(app.test_client())
    page.get("/sign-in")
    typed = {"email": world.email("coordinator"), "password": "wrong"}
    page.post("/sign-in", typed, status=422, headers={"X-Forwarded-For": told})
    with app.app_context():
        counted = delays._pair(delays.Step.PASSWORD, world.email("coordinator"), network)
        assert db.session.get(delays.SignInDelay, counted) is not None
        db.session.remove()
        db.engine.dispose()
