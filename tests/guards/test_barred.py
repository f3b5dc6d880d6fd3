"""Whoever is kept out of a case finds neither its reference nor its id on any page they reach.

Every role is walked through every page that it reaches, with the address of every record of the
case, over a world where the case is flagged, referred, helped, documented, opened in an emergency
and asked to be erased. What names the case answers exactly as what never was.
"""

import re

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.models import AuditEntry, Case, Referral
from nrm.services import erasure
from tests import world as worlds
from tests.guards.routes import all_routes, token
from tests.guards.test_matrix import MAY_REACH, SIGNED_IN
from tests.guards.test_relations import COMPLETE
from tests.page import PageClient
from tests.world import ONE_PER_ROLE

NOBODYS = {"case": "7K4M-29QX-C", "referral": "R-7K4-M29-Q"}
# What a page that answers twice may differ in: the tokens of its forms, and their numbers.
TOKENS = re.compile(r'(name="(?:csrf_token|form_id)" )?value="[^"]{36,}"')


@pytest.fixture
def barred(world):
    """Keep one account of each role out of two cases, which have all that a case can have."""
    case, sent = worlds.served(world)
    document = worlds.attach(world, case)
    for who, what in (("first_responder", case), ("coordinator", case), ("provider", sent)):
        worlds.opened_in_emergency(world, what, who)
    closed, closed_sent = worlds.closed(world)
    with world.entered():
        asked = erasure.ask(world.actor("second_coordinator"), closed, "duplicate")
    # Others stay, so that no page is empty.
    worlds.flag(world)
    worlds.accepted(world)
    for reference in (case, closed):
        for role in HUMAN_ROLES:
            worlds.kept_out(world, reference, ONE_PER_ROLE[role], by="second_coordinator")
    return {
        "cases": (case, closed),
        "referrals": (sent, closed_sent),
        "document_id": document,
        "erasure_id": asked,
    }


def secrets_of(world, barred):
    """Name everything by which the cases could be known."""
    with world.entered():
        cases = db.session.scalars(select(Case).where(Case.reference.in_(barred["cases"]))).all()
        ids = [case.id for case in cases]
        referrals = db.session.scalars(select(Referral).where(Referral.case_id.in_(ids))).all()
        entries = db.session.scalars(select(AuditEntry.id).where(AuditEntry.case_id.in_(ids))).all()
        known = {one.reference for one in (*cases, *referrals)}
        known |= {str(one.id) for one in (*cases, *referrals)} | {str(one) for one in entries}
        known |= {str(barred["document_id"]), str(barred["erasure_id"])}
        db.session.rollback()
    return known, entries


def test_no_page_of_anybody_who_is_kept_out_names_the_case(world, barred, counted):
    known, entries = secrets_of(world, barred)
    walked = 0
    # The log first, while what is newest in it is about the cases.
    for role in sorted(HUMAN_ROLES, key=lambda one: one is not Role.AUDITOR):
        page = signed_in(world, ONE_PER_ROLE[role])
        for route in all_routes(world.app):
            if route.endpoint not in MAY_REACH[role] | SIGNED_IN or "GET" not in route.methods:
                continue
            if not route.parameters:
                for query in ("", "?state=accepted", "?state=closed", "?state=asked", "?queue=all"):
                    answer = page.client.get(route.address + query)
                    nothing_of(known, answer, route.address + query)
                    walked += 1
            for values in of_the_cases(route, barred, entries):
                answer = page.client.get(route.at(**values))
                assert answer.status_code == 404, f"{role} {route.at(**values)}"
                nothing_of(known - {str(value) for value in values.values()}, answer, route.address)
                walked += 1
    counted(f"{walked} pages of {len(HUMAN_ROLES)} roles: none names the case")
    assert walked > 200


def test_what_is_barred_answers_like_what_never_was(world, barred, counted):
    pairs = 0
    case, sent = barred["cases"][0], barred["referrals"][0]
    for role in HUMAN_ROLES:
        page = signed_in(world, ONE_PER_ROLE[role])
        csrf = {"csrf_token": token(page)}
        for route in all_routes(world.app):
            if route.endpoint not in MAY_REACH[role] or route.parameters != ("reference",):
                continue
            receives = route.endpoint.startswith(("provision.", "glass.referral"))
            real, none = (sent, NOBODYS["referral"]) if receives else (case, NOBODYS["case"])
            for method in sorted(route.methods):
                fields = csrf | COMPLETE.get(route.endpoint, {})
                asked = [
                    page.client.open(route.at(reference=one), method=method, data=fields)
                    for one in (real, none)
                ]
                assert asked[0].status_code == asked[1].status_code, f"{method} {route.address}"
                bodies = [
                    TOKENS.sub("", one.get_data(as_text=True)).replace(real, none) for one in asked
                ]
                assert bodies[0] == bodies[1], f"{method} {route.address}"
                pairs += 1
        pairs += typed_alike(page, role, csrf, case)
    counted(f"{pairs} pairs of a barred record and none: the same answer")
    assert pairs > 40


def typed_alike(page, role, csrf, case):
    """Type the reference where a reference can be typed: what is said back is the same."""
    forms = {
        "coordinator": [("/cases/find", "reference")],
        "auditor": [("/audit/seen/file", "reference"), ("/audit", "reference")],
        "first_responder": [("/flags/start", "same_place_as")],
    }
    for where, name in forms.get(role.value, []):
        asked = [
            page.client.post(where, data=csrf | {name: one}, follow_redirects=True)
            for one in (case, NOBODYS["case"])
        ]
        bodies = [
            TOKENS.sub("", one.get_data(as_text=True)).replace(case, NOBODYS["case"])
            for one in asked
        ]
        assert bodies[0] == bodies[1], where
    return len(forms.get(role.value, []))


def of_the_cases(route, barred, entries):
    """Give the addresses that name something of the barred cases."""
    if route.parameters == ("reference",):
        return [{"reference": one} for one in (*barred["cases"], *barred["referrals"])]
    if route.parameters == ("reference", "document_id"):
        return [{"reference": barred["cases"][0], "document_id": barred["document_id"]}]
    if route.parameters == ("reference", "sent"):
        return [{"reference": barred["cases"][0], "sent": barred["referrals"][0]}]
    if route.parameters == ("erasure_id",):
        return [{"erasure_id": barred["erasure_id"]}]
    if route.parameters == ("entry_id",):
        return [{"entry_id": one} for one in entries]
    return []


def nothing_of(known, answer, where):
    text = answer.get_data(as_text=True)
    found = [one for one in known if one in text]
    assert found == [], f"{where} names {found}"


def signed_in(world, name):
    page = PageClient(world.app.test_client())
    return worlds.sign_in(page, world.email(name))
