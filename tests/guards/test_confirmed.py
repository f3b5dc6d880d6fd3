"""Whatever is sensitive asks once more who it is: each such route, after ten minutes, for real."""

import pytest

from nrm.domain.roles import GRANTS, HUMAN_ROLES, Permission
from nrm.web.access import asks_once_more
from tests.guards.routes import address, all_routes, token
from tests.guards.seeded import unchanged
from tests.web.test_confirm import let_time_pass
from tests.world import ONE_PER_ROLE

# All that ask; of a case's closed parts, health and the police part alone.
ASKS = {
    "approvals.confirm": "what two people do cannot be undone",
    "audit.export": "entries of the log leave the system",
    "casefile.open_fields": "health and the police part of a file",
    "erasure.carry_out": "nobody can undo it",
    "federation.connect": "another way in",
    "federation.remove": "the same",
    "glass.case": "an emergency opens what is closed",
    "glass.flag": "the same",
    "glass.referral": "the same",
    "people.invite": "an account can be anybody",
    "people.renew": "a link lets somebody in as somebody else",
    "people.reset_factors": "whoever has the password is in then",
    "printing.case": "paper leaves the building",
    "printing.referral": "the same",
    "provision.health": "the notes on health that consent opened",
    "role_changes.change": "a role decides what is seen",
    "ways.app": "another way in",
    "ways.new_codes": "the same",
    "ways.passkey": "the same",
    "ways.remove": "the same",
}
# Where it hangs on the record: these ask in the midst of what they do (tests/web/test_confirm.py).
ASKS_INSIDE = {"documents.download", "provision.read"}


def asking(mechanism):
    views = mechanism.app.view_functions
    return [route for route in all_routes(mechanism.app) if asks_once_more(views[route.endpoint])]


@pytest.mark.databases("sqlite")
def test_what_is_sensitive_is_written_down(mechanism):
    assert {route.endpoint for route in asking(mechanism)} == set(ASKS)
    assert set(mechanism.app.view_functions) - set(ASKS) >= ASKS_INSIDE


@pytest.mark.databases("sqlite")
def test_whatever_is_sensitive_asks_once_more(mechanism, browser, counted):
    """With the right role, the right record and the right token, and an old confirmation."""
    pages = {role: browser(ONE_PER_ROLE[role]) for role in HUMAN_ROLES}
    tokens = {role: token(page) for role, page in pages.items()}
    let_time_pass(mechanism.world)
    asked = 0
    with unchanged(mechanism.app):
        for route in asking(mechanism):
            where = sensitive_address(mechanism, route)
            for role in (role for role in HUMAN_ROLES if may(role, route)):
                for method in sorted(route.methods):
                    fields = {"csrf_token": tokens[role]}
                    answer = pages[role].client.open(where, method=method, data=fields)
                    assert answer.status_code == 303, f"{role} {method} {where}"
                    assert answer.headers["Location"] == "/confirm"
                    asked += 1
    assert asked > len(ASKS)
    counted(f"{asked} requests to {len(ASKS)} sensitive addresses, each asked once more")


def may(role, route):
    assert isinstance(route.declares, Permission)
    return route.declares in GRANTS[role]


def sensitive_address(mechanism, route):
    if route.endpoint == "casefile.open_fields":
        return route.at(reference=mechanism.cases["sent"], group="health")
    return address(mechanism, route)
