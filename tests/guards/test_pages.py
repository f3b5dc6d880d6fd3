"""Every page that anybody can open, in every state of what it shows, is as a page must be."""

import pytest

from nrm.domain.roles import HUMAN_ROLES
from nrm.web.casefile import GROUPS
from tests.guards.routes import all_routes, records
from tests.guards.test_matrix import EVERYBODY, MAY_REACH
from tests.guards.test_routes import QUESTIONS
from tests.page import check
from tests.world import ONE_PER_ROLE, SERVICE

pytestmark = pytest.mark.databases("sqlite")

# No page of its own: it asks once more who it is, and leads back to the referral.
LEADS_ON = {"provision.health"}
# What pages answer for some of the records, beside opening; and why.
MOVED_ON = {
    "approvals.read": {404: "what is neither one's own nor one's to answer is not shown"},
    "audit.search": {422: "an address that names no account says so"},
    "bulletin.pdf": {403: "nothing of a draft leaves as a file"},
    "consent.withdraw": {404: "towards no provider named there is no answer to take back"},
    "provision.end": {409: "only a part that one has can end"},
    "provision.record_service": {403: "services are recorded while one is helping"},
    "referral.withdraw": {409: "only a referral that is not over can be taken back"},
    "sightings.account": {404: "what an account saw is asked between two moments"},
}


def looked_at(made, page, endpoints):
    """Open every page of these endpoints, for every record; give the status of each."""
    answers = {}
    for route in all_routes(made.app):
        if "GET" in route.methods and route.endpoint in endpoints:
            for where in addresses(made, route):
                answer = page.client.get(where)
                answers.setdefault(route.endpoint, set()).add(answer.status_code)
                if answer.mimetype == "text/html":
                    check(answer.get_data(as_text=True), f"{where} ({answer.status_code})")
    return answers


def addresses(made, route):
    found = [route.at(**values) for values in records(made, route)]
    if route.endpoint == "consent.withdraw":
        found.append(found[0] + f"?recipient={made.world.organisations['lakes']}")
    return [*found, *(found[0] + question for question in QUESTIONS.get(route.endpoint, ()))]


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_every_page_of_a_role_is_as_a_page_must_be(mechanism, browser, role):
    page = browser(ONE_PER_ROLE[role])
    if "casefile.open_fields" in MAY_REACH[role]:
        open_everything(mechanism, page)
    answers = looked_at(mechanism, page, MAY_REACH[role])
    about_accounts = {
        route.endpoint for route in all_routes(mechanism.app) if "account_id" in route.parameters
    }
    for endpoint, statuses in answers.items():
        if endpoint in about_accounts:
            # Nobody keeps their own account, and of one elsewhere nothing is known.
            assert 200 in statuses <= {200, 403, 404}, endpoint
        elif endpoint in LEADS_ON:
            assert statuses == {303}, endpoint
        else:
            assert statuses == {200, *MOVED_ON.get(endpoint, ())}, endpoint


def open_everything(made, page):
    """Open every closed part of one file, and look for a provider in every case."""
    case = made.cases["served"]
    for group in GROUPS:
        page.get(f"/cases/{case}")
        page.post(f"/cases/{case}/open/{group}", {f"{group}-reason": "safety"})
    for reference in made.cases.values():
        page.post(f"/cases/{reference}/providers", {"service": SERVICE})


def test_the_pages_of_somebody_signed_out_are_as_pages_must_be(mechanism, browser):
    answers = looked_at(mechanism, browser(), EVERYBODY)
    assert set(answers) == EVERYBODY
    assert all(statuses == {200} for statuses in answers.values())
