"""Every route is closed until it says otherwise, and looking changes nothing."""

import pytest

from nrm.domain.roles import HUMAN_ROLES, Permission
from tests.guards.routes import all_routes, records
from tests.guards.seeded import unchanged
from tests.world import ONE_PER_ROLE

PUBLIC = {
    "account.code": "nobody is known before they have shown a second factor",
    "account.passkey": "nobody is known before they have shown a second factor",
    "account.recovery": "nobody is known before they have shown a second factor",
    "account.set_up": "nobody is known before they have a second factor",
    "account.sign_in": "nobody is known before they have signed in",
    "federation.back": "nobody is known before the other institution has said who it is",
    "federation.begin": "nobody is known before they have signed in",
    "health.healthz": "whoever watches over the process has no account; it says nothing of cases",
    "health.readyz": "the same, for whoever sends requests to it",
    "pages.accessibility": "a statement for everybody, as the law asks",
    "pages.help": "whoever cannot sign in needs help too",
    "pages.privacy": "a statement for everybody, as the law asks",
    "welcome.activate": "whoever was invited has no password yet: the link is what they have",
}
SENT_TWICE_WITHOUT_HARM = {
    "account.code": "whoever is signed in already is led on; a code works once",
    "account.passkey": "whoever is signed in already is led on; a question is answered once",
    "account.recovery": "whoever is signed in already is led on; a code works once",
    "account.set_up": "whoever is signed in already is led on; the first code works once",
    "account.sign_in": "signing in again opens another sitting, and ends the one it was sent in",
    "account.sign_out": "whoever is signed out already is asked to sign in",
}
# What stands behind a question mark chooses what is shown.
QUESTIONS = {
    "casefile.worklist": ("?queue=incoming", "?queue=assisted", "?after=nonsense"),
    "provision.inbox": ("?state=accepted", "?state=closed", "?after=nonsense"),
    "identification.my_work": ("?after=nonsense",),
    "audit.search": ("?page=2", "?before=3", "?person=nonsense"),
    "sightings.account": (
        "?since=20260101T0000Z&until=20270101T0000Z",
        "?since=nonsense&until=20270101T0000Z",
        "?since=20260101T0000Z",
    ),
    "questionnaires.answered": ("?release=nonsense",),
    "questionnaires.file": ("?release=nonsense",),
    "questionnaires.release_file": ("?table=R3",),
    "sightings.history": ("?before=nonsense",),
    "sittings.sign_ins": ("?before=nonsense",),
    "sittings.sign_ins_of_person": ("?before=nonsense",),
    "log_state.worth_a_look": ("?week=2026-11-18", "?week=nonsense", "?week=0001-01-01"),
    "consent.share": ("?to=nonsense",),
    "consent.withdraw": ("?recipient=nonsense",),
    "directory.entries": ("?after=nonsense",),
    "people.index": ("?after=nonsense",),
}


@pytest.mark.databases("sqlite")
def test_every_route_says_who_may_reach_it(app):
    undeclared = [route.endpoint for route in all_routes(app) if route.declares is None]
    assert undeclared == []
    assert all(
        route.declares == "public" or isinstance(route.declares, Permission)
        for route in all_routes(app)
    )


@pytest.mark.databases("sqlite")
def test_only_these_routes_are_for_everybody(app):
    found = {route.endpoint for route in all_routes(app) if route.declares == "public"}
    assert found == set(PUBLIC)


@pytest.mark.databases("sqlite")
def test_every_form_says_where_it_leads_when_it_is_sent_twice(app):
    silent = {
        route.endpoint
        for route in all_routes(app)
        if "POST" in route.methods and not hasattr(app.view_functions[route.endpoint], "nrm_again")
    }
    assert silent == set(SENT_TWICE_WITHOUT_HARM)


@pytest.mark.databases("sqlite")
def test_no_route_takes_other_methods(app):
    taken = set().union(*(rule.methods for rule in app.url_map.iter_rules()))
    assert taken <= {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_looking_changes_nothing_but_the_log_and_the_sitting(mechanism, browser, role, counted):
    client = browser(ONE_PER_ROLE[role]).client
    answers = []
    with unchanged(mechanism.app):
        for route in all_routes(mechanism.app):
            if "GET" in route.methods:
                asked = addresses(mechanism, route)
                answers += [client.get(address).status_code for address in asked]
    assert 200 in answers
    assert max(answers) < 500
    counted(f"row 29: {role}: {len(answers)} times GET, 0 changes of state")


def addresses(mechanism, route):
    """List addresses of a route: for some of its records, and with what it can be asked."""
    found = [route.at(**values) for values in records(mechanism, route)[:2]]
    asked = [found[0] + question for question in QUESTIONS.get(route.endpoint, ())]
    return found + asked
