"""No other site can make a browser act: every form, every role, every way in which it could try."""

import os
from dataclasses import replace

import pytest

from config import Environment
from nrm.domain.policy import holds
from nrm.domain.roles import HUMAN_ROLES, Permission, Role
from tests.guards.routes import address, all_routes, token
from tests.guards.seeded import unchanged
from tests.world import ONE_PER_ROLE, PASSWORD

pytestmark = pytest.mark.databases("sqlite")

PROOF = bool(os.environ.get("NRM_PROOF"))
HERE = "http://localhost"
# What a browser says of a form that it did not find on a page of ours.
FROM_ELSEWHERE = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another site of the same owner": {"Sec-Fetch-Site": "same-site"},
    "another host": {"Origin": "https://elsewhere.example"},
    "another port": {"Origin": f"{HERE}:8080"},
    "a longer name": {"Origin": f"{HERE}.elsewhere.example"},
    "no host": {"Origin": "http://"},
    "no address": {"Origin": "http://["},
    "another host that a browser calls our own": {
        "Origin": "https://elsewhere.example",
        "Sec-Fetch-Site": "same-origin",
    },
    "a frame without an address": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
}
# ... and of one that it found there; older browsers say nothing at all.
FROM_HERE = {
    "nothing": {},
    "our address": {"Origin": HERE},
    "our address behind https": {"Origin": "https://localhost"},
    "no referrer": {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    "no referrer, an older browser": {"Origin": "null"},
}


def forms(made):
    return [route for route in all_routes(made.app) if "POST" in route.methods]


def passes_the_door(made, name, route):
    """Say whether whoever it is would be let in, so that the form's own protection is next."""
    if route.declares == "public":
        return True
    permission = isinstance(route.declares, Permission) and route.declares
    return bool(name and permission and holds(made.world.actor(name), permission))


def everybody():
    return [*ONE_PER_ROLE.values(), None]


def test_no_form_is_taken_without_its_token(mechanism, browser, counted):
    made_up = [{}, {"csrf_token": "made-up"}, {"csrf_token": token(browser())}]
    # Signing in is an act, so everybody has done so before.
    pages = {name: browser(name) for name in everybody()}
    sent = 0
    with unchanged(mechanism.app):
        for name, page in pages.items():
            for route in forms(mechanism):
                # Whoever has no part in a form is refused before its token is looked at.
                passes = passes_the_door(mechanism, name, route)
                for fields in made_up if passes else made_up[:1]:
                    where = address(mechanism, route)
                    status = page.client.post(where, data=fields).status_code
                    assert status in ({400} if passes else {303, 403}), f"{name} {where}"
                    sent += 1
            if name:
                page.get("/help")
                assert page.html.find("form"), "no longer signed in"
    counted(f"{sent} forms sent without the token that belongs to them, 0 taken")


def ways(role):
    """List the ways to try: nobody's role is asked before, so that one role tries all of them."""
    every = list(FROM_ELSEWHERE.items())
    return every if PROOF or role is Role.COORDINATOR else [every[0], every[2]]


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_no_form_is_taken_from_another_site(mechanism, browser, role, counted):
    page = browser(ONE_PER_ROLE[role])
    fields = {"csrf_token": token(page)}
    sent = 0
    with unchanged(mechanism.app):
        for route in forms(mechanism):
            where = address(mechanism, route)
            for how, headers in ways(role):
                answer = page.client.post(where, data=fields, headers=headers)
                assert answer.status_code == 403, f"{where} from {how}"
                sent += 1
    counted(f"{sent} forms sent from elsewhere with the right token, 0 taken")


@pytest.mark.parametrize("how", FROM_HERE)
def test_a_form_of_ours_is_taken_whatever_the_browser_says_of_itself(browser, how):
    page = browser("coordinator")
    fields = {"csrf_token": token(page), "reference": "nonsense"}
    answer = page.client.post("/cases/find", data=fields, headers=FROM_HERE[how])
    assert answer.status_code == 422


def test_in_production_our_own_address_begins_with_https(mechanism, browser, monkeypatch):
    page = browser("coordinator")
    fields = {"csrf_token": token(page), "reference": "nonsense"}
    settings = mechanism.app.config["NRM"]
    strict = replace(settings, environment=Environment.PRODUCTION)
    # The name of the cookie belongs to the environment too.
    cookie = page.client.get_cookie("nrm")
    page.client.set_cookie("__Host-nrm", cookie.value, secure=True)
    monkeypatch.setitem(mechanism.app.config, "NRM", strict)
    for origin, status in (("https://localhost", 422), (HERE, 403)):
        answer = page.client.post(
            "/cases/find",
            data=fields,
            headers={"Origin": origin},
            base_url="https://localhost",
        )
        assert answer.status_code == status, origin


def test_nobody_is_signed_in_by_another_site(mechanism, browser):
    page = browser()
    fields = {"email": mechanism.world.email("analyst"), "password": PASSWORD}
    known = {**fields, "csrf_token": token(page)}
    assert page.client.post("/sign-in", data=fields).status_code == 400
    for headers in FROM_ELSEWHERE.values():
        assert page.client.post("/sign-in", data=known, headers=headers).status_code == 403
    page.get("/", status=303)
