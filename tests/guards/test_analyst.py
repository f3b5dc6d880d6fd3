"""No page of the analyst asks for anything that belongs to a case, whatever release there is."""

import re

from nrm.domain.roles import Role
from nrm.models import Base
from nrm.services.database_roles import GRANTS, READER
from tests.guards.routes import all_routes, asked, records
from tests.guards.test_matrix import MAY_REACH, SIGNED_IN
from tests.guards.test_statements import noted as statements

# The process for readers has no right to these: what belongs to cases is among them.
CLOSED = {
    name
    for name in Base.metadata.tables
    if not re.search(r"\bSELECT\b", GRANTS[name].get(READER, ""))
}


def touched(asked_for):
    """Name the closed tables that statements name."""
    return {
        name
        for statement, _ in asked_for
        for name in CLOSED
        if re.search(rf'(FROM|JOIN|INTO|UPDATE|,)\s+"?{name}\b', statement)
    }


def pages_of(made):
    """Give every page and file of the analyst, for every release and every table."""
    for route in all_routes(made.app):
        if "GET" in route.methods and route.endpoint in SIGNED_IN | MAY_REACH[Role.ANALYST]:
            for found in records(made, route):
                yield route, route.at(**found) + asked(made, route)


def test_what_is_closed_to_readers_is_what_belongs_to_cases():
    assert {"case_file", "case_key", "facts_key", "referral", "identifier_token"} <= CLOSED
    assert {name for name in Base.metadata.tables if name.startswith("sealed_")} - CLOSED == {
        "sealed_master_key"
    }
    assert not any(name.startswith("release") for name in CLOSED)


def test_no_page_of_the_analyst_touches_a_table_of_cases(mechanism, browser, counted):
    page, opened, reached = browser("analyst"), 0, set()
    for route, address in pages_of(mechanism):
        with statements(mechanism.world) as asked_for, page.client.get(address) as answer:
            assert answer.status_code < 500, address
            assert touched(asked_for) == set(), address
            if answer.status_code == 200:
                assert answer.data
                opened += 1
                reached.add(route.endpoint)
    of_statistics = {
        route.endpoint
        for route, _ in pages_of(mechanism)
        if route.address.startswith("/statistics")
    }
    assert len(of_statistics) > 10
    assert of_statistics <= reached
    counted(f"{opened} pages and files of the analyst, 0 statements on {len(CLOSED)} closed tables")


def test_whoever_works_with_cases_is_seen_to_touch_them(mechanism, browser):
    """The control: with nothing to find, the test above would pass as well."""
    page, reference = browser("coordinator"), mechanism.cases["sent"]
    with statements(mechanism.world) as asked_for:
        page.get(f"/cases/{reference}")
    assert {"case_file", "case_key", "referral", "sealed_compartment"} <= touched(asked_for)
