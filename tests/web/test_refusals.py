"""Whoever is refused what belongs to a case stands in that case's history, however it is named."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.domain.approval import ApprovalKind
from nrm.models import Approval, AuditEntry, Case, Notice
from nrm.services import erasure, sightings
from nrm.services.named import BY_ID
from tests import world as worlds
from tests.guards.routes import all_routes
from tests.services.two_people import asked
from tests.world import in_world

# What an address names by its id, and what belongs to no case.
OF_NO_CASE = {
    "account_id": "an account",
    "draft_id": "a draft is no case before it is sent",
    "factor_id": "one's own way to sign in",
    "listing_id": "an entry of the directory",
    "organisation_id": "an organisation",
    "other_id": "a release",
    "release_id": "a release",
    "sitting_id": "a sitting",
}


@in_world
def case_of(world, reference):  # noqa: ARG001 - `in_world` enters it
    found = db.session.scalar(select(Case.id).where(Case.reference == reference))
    db.session.rollback()
    return found


@in_world
def newest(world, column, *conditions):  # noqa: ARG001 - the same
    query = select(column).where(*conditions).limit(1)
    found = db.session.scalar(query)
    db.session.rollback()
    return found


@in_world
def refusals(world):  # noqa: ARG001 - the same
    query = select(AuditEntry).where(AuditEntry.action == "access:refused")
    found = db.session.scalars(query.order_by(AuditEntry.seq)).all()
    return [(one.subject_type, one.subject_id, one.case_id, one.outcome) for one in found]


@in_world
def refused_to(world, reference, name):
    """Say how often the file's own history tells that somebody was refused."""
    seen = sightings.of_file(world.actor("auditor"), reference)
    return sum(one.sight.refused for one in seen if one.account_id == world.accounts[name])


@in_world
def an_erasure(world):
    reference, _ = worlds.closed(world)
    asked_for = erasure.ask(world.actor("coordinator"), reference, "asked_by_person")
    return case_of(world, reference), asked_for


def a_hand_over(world):
    reference, offer = worlds.offered(world)
    return case_of(world, reference), offer


def an_emergency(world):
    reference = worlds.presumed(world)
    opened = worlds.opened_in_emergency(world, reference, "second_coordinator")
    return case_of(world, reference), opened


def an_approval(world):
    request = asked(world, ApprovalKind.CASE_MERGE)
    return newest(world, Approval.case_id, Approval.id == request), request


def an_entry(world):
    case_id = case_of(world, worlds.flag(world))
    return case_id, newest(world, AuditEntry.id, AuditEntry.case_id == case_id)


def a_notice(world):
    case_id, _ = an_emergency(world)
    return case_id, newest(world, Notice.id, Notice.case_id == case_id)


# Where it is asked for, a record of a case, and whether its page is hidden or not for this role.
ASKED = {
    "approval_id": ("/approvals/{0}", an_approval, 403),
    "entry_id": ("/audit/{0}", an_entry, 403),
    "erasure_id": ("/erasures/{0}", an_erasure, 403),
    "glass_id": ("/emergency/{0}", an_emergency, 403),
    "hand_over_id": ("/hand-overs/{0}", a_hand_over, 403),
    "notice_id": ("/notices/{0}/seen", a_notice, 404),
}


@pytest.mark.parametrize("name", BY_ID)
def test_a_refusal_names_the_case_of_what_was_asked_for(world, signed_in, name):
    address, made, status = ASKED[name]
    case_id, record_id = made(world)
    page = signed_in("clinician")
    page.get("/inbox")
    token = page.html.find("input", attrs={"name": "csrf_token"})["value"]
    ask = page.get if status == 403 else page.post_raw
    said = {"data": {"csrf_token": token}} if status != 403 else {}
    ask(address.format(record_id), status=status, **said)
    outcome = {403: "refused", 404: "not_found"}[status]
    assert refusals(world) == [(BY_ID[name][0], record_id, case_id, outcome)]
    # What is not there is about nothing, and looks the same to whoever asks.
    ask(address.format(uuid4()), status=status, **said)
    assert refusals(world)[1][1:3] == (None, None)


@pytest.mark.parametrize("rest", ["", "/erase", "/refuse", "/take-back"])
def test_whoever_tried_to_see_an_erasure_stands_in_the_history_of_the_file(world, signed_in, rest):
    reference, _ = worlds.closed(world)
    with world.entered():
        wanted = erasure.ask(world.actor("coordinator"), reference, "asked_by_person")
    page = signed_in("provider")
    page.get("/inbox")
    token = page.html.find("input", attrs={"name": "csrf_token"})["value"]
    before = refused_to(world, reference, "provider")
    if not rest:
        page.get(f"/erasures/{wanted}", status=403)
    else:
        page.post_raw(f"/erasures/{wanted}{rest}", {"csrf_token": token}, status=403)
    assert refused_to(world, reference, "provider") == before + 1


def test_a_case_that_is_hidden_by_a_bar_is_named_to_the_log_alone(world, signed_in):
    reference, _ = worlds.closed(world)
    with world.entered():
        wanted = erasure.ask(world.actor("coordinator"), reference, "asked_by_person")
    worlds.kept_out(world, reference, "second_coordinator")
    page = signed_in("second_coordinator")
    html = page.get(f"/erasures/{wanted}", status=404)
    assert reference not in str(html)
    case_id = case_of(world, reference)
    assert refusals(world) == [("erasure", wanted, case_id, "not_found")]
    assert refused_to(world, reference, "second_coordinator") == 1


def test_whatever_an_address_names_by_its_id_is_known_to_belong_to_a_case_or_not(app):
    """A new kind of record stands in one of the two tables, or this fails."""
    named = {
        name
        for route in all_routes(app)
        if "reference" not in route.parameters
        for name in route.parameters
        if name.endswith("_id")
    }
    assert named == {*BY_ID, *OF_NO_CASE}
    assert set(ASKED) == set(BY_ID)
