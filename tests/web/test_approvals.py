"""Waiting for a second person, as those two people see it."""

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.domain.approval import ApprovalKind
from nrm.models import Account, Case
from tests.page_checks import words
from tests.services.two_people import ABOUT, asked


def roles(world):
    """Give the role of the account that the request is about, and that before and after it."""
    with world.entered():
        account_id, wanted, _case = ABOUT[ApprovalKind.ROLE_CHANGE](world)
        found = db.session.get_one(Account, account_id).role
        db.session.remove()
        return found, wanted["from"], wanted["to"]


def has_changed(world):
    now, _before, after = roles(world)
    return now == after


def is_as_before(world):
    now, before, _after = roles(world)
    return now == before


def test_the_second_person_finds_reads_and_approves_it(world, signed_in):
    request = asked(world)
    page = signed_in("auditor")
    html = page.get("/approvals")
    assert words(html.h1) == "Waiting for a second person"
    [row] = html.select("tbody tr")
    assert "Give somebody a role" in words(row)
    assert "Practice Administrator" in words(row)
    html = page.click("Give somebody a role")
    assert "Nobody can undo this." in words(html.main)
    page.post(f"/approvals/{request}/confirm", form="confirm")
    html = page.follow()
    assert "You have approved it, and it is done." in words(html.main)
    assert "Approved by Practice Auditor" in words(html.main)
    assert has_changed(world)
    assert html.select("main form") == []


def test_whoever_asked_waits_and_can_take_it_back(world, signed_in):
    request = asked(world)
    page = signed_in("administrator")
    html = page.get(f"/approvals/{request}")
    assert "another person approves it or not" in words(html.main)
    assert [form["id"] for form in html.select("main form")] == ["cancel"]
    page.post(f"/approvals/{request}/cancel")
    assert "The request was taken back. Nothing was changed." in words(page.follow().main)
    assert is_as_before(world)
    assert "Give somebody a role" in words(page.get("/approvals?state=cancelled").main)


def test_not_approving_needs_a_reason_which_the_first_person_reads(world, signed_in):
    request = asked(world)
    page = signed_in("auditor")
    page.get(f"/approvals/{request}")
    html = page.post(f"/approvals/{request}/reject", form="reject", status=422)
    assert "Choose why you do not approve it" in words(html.select_one(".govuk-error-summary"))
    page.post(f"/approvals/{request}/reject", {"reason": "too_wide"}, form="reject")
    assert "Nothing was changed." in words(page.follow().main)
    html = signed_in("administrator").get(f"/approvals/{request}")
    assert "Why not It goes further than it has to" in words(html.main)
    assert is_as_before(world)


def test_two_files_are_named_so_that_the_second_person_can_look(world, signed_in):
    request = asked(world, ApprovalKind.CASE_MERGE)
    html = signed_in("second_coordinator").get(f"/approvals/{request}")
    with world.entered():
        references = db.session.scalars(select(Case.reference)).all()
    links = [link["href"] for link in html.select("main dl a")]
    assert sorted(links) == sorted(f"/cases/{reference}" for reference in references)


@pytest.mark.parametrize("name", ["coordinator", "first_responder", "provider", "analyst"])
def test_others_find_nothing_or_nobody(world, signed_in, name):
    request = asked(world)
    page = signed_in(name)
    if name == "coordinator":
        assert "Nothing waits for a second person." in words(page.get("/approvals").main)
        page.get(f"/approvals/{request}", status=404)
    else:
        page.get("/approvals", status=403)
        page.get(f"/approvals/{request}", status=403)


def test_an_answer_to_what_was_answered_says_by_whom_and_when(world, signed_in):
    request = asked(world)
    late, page = signed_in("auditor"), signed_in("auditor")
    late.get(f"/approvals/{request}")
    page.get(f"/approvals/{request}")
    page.post(f"/approvals/{request}/reject", {"reason": "not_needed"}, form="reject")
    html = late.post(f"/approvals/{request}/confirm", form="confirm", status=409)
    assert "This was not approved, by Practice Auditor" in words(html.main)
    assert is_as_before(world)


@pytest.mark.parametrize("word", ["nonsense", "x", "\N{GRINNING FACE}"])
def test_a_made_up_place_in_the_list_shows_its_first_page(world, signed_in, word):
    asked(world)
    page = signed_in("auditor")
    assert page.get(f"/approvals?state={word}&after={word}").select("tbody tr")
