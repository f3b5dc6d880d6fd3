"""What goes onto paper: masked, logged, and with who printed it and when on every sheet."""

import pytest
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db
from nrm.domain.consent import Answer
from nrm.models import AuditEntry
from nrm.services import provision
from tests import world as worlds
from tests.page_checks import words
from tests.web.test_masking import FIELDS, NAMES, SHARED, TYPED, told


@pytest.fixture
def person(world):
    case = worlds.consented(world, "lakes", SHARED, **TYPED)
    sent = worlds.refer(world, case)
    with world.entered():
        provision.accept(world.actor("provider"), sent, world.pack)
    return case, sent


def printed(world):
    with world.entered():
        query = select(AuditEntry).where(AuditEntry.action == Action.CASE_PRINT)
        return db.session.scalars(query.order_by(AuditEntry.seq)).all()


def open_group(page, case, group):
    page.get(f"/cases/{case}")
    page.post(f"/cases/{case}/open/{group}", {f"{group}-reason": "safety"})


def test_a_case_on_paper_shows_what_is_open_and_masks_it(world, signed_in, person):
    page = signed_in("coordinator")
    html = page.get(f"/cases/{person[0]}/print")
    assert told(html) == set()
    assert not any(name in str(html) for name in NAMES)
    open_group(page, person[0], "identity")
    page.get(f"/cases/{person[0]}")
    html = page.click("Print")
    assert page.path == f"/cases/{person[0]}/print"
    assert told(html) == set()
    assert all(name in str(html) for name in NAMES)
    assert {"ends in 623", "1987, day hidden"} == {words(one) for one in html.select(".nrm-mask")}
    first, second = printed(world)
    assert (first.compartments, first.purpose) == ("contact facts", "")
    assert (second.compartments, second.purpose) == ("contact facts identity", "safety")
    assert (second.subject_type, second.outcome) == ("case", "done")


def test_a_referral_on_paper_shows_what_consent_covers(world, signed_in, person):
    page = signed_in("provider")
    page.get(f"/referrals/{person[1]}")
    html = page.click("Print")
    assert told(html) == set()
    assert len(html.select(".nrm-mask")) == len(FIELDS)
    [entry] = printed(world)
    assert (entry.subject_type, entry.compartments) == (
        "referral",
        "contact envelope identity narrative",
    )
    worlds.agree(world, person[0], compartments=(), answer=Answer.WITHDRAWN)
    html = page.get(f"/referrals/{person[1]}/print")
    assert not any(name in str(html) for name in NAMES)


@pytest.mark.parametrize("name", ["coordinator", "provider"])
def test_a_page_for_paper_has_nothing_to_press_and_says_whose_it_is(world, signed_in, person, name):
    case, sent = person
    path = {"coordinator": f"/cases/{case}/print", "provider": f"/referrals/{sent}/print"}[name]
    html = signed_in(name).get(path)
    sheet = html.select_one(".nrm-sheet")
    assert sheet.select("form, button, input, select") == []
    who = world.person_name(name)
    marks = [words(mark) for mark in html.select(".nrm-sheet__marks p")]
    assert len(marks) > 1
    assert all(who in mark and "202" in mark and "Practice copy" in mark for mark in marks)
    by = words(html.select_one(".nrm-sheet__by"))
    assert by.startswith(f"Printed by {who}, ")
    assert "Practice copy: everyone here is invented." in by


@pytest.mark.parametrize("path", ["/cases", "/search", "/directory", "/help", "/cases/nothing"])
def test_every_page_that_is_printed_says_who_printed_it_and_when(world, signed_in, path):
    page = signed_in("coordinator")
    html = page.get(path, status=404 if path == "/cases/nothing" else 200)
    line = words(html.select_one(".nrm-printed"))
    assert line.startswith(f"Printed by {world.person_name('coordinator')}, ")
    assert "202" in line
    assert "Practice copy" in line


def test_whoever_is_signed_out_prints_no_name(page):
    assert page.get("/sign-in").select_one(".nrm-printed") is None


def test_a_real_copy_is_not_called_practice(world, signed_in, monkeypatch, person):
    monkeypatch.setattr(type(world.app.config["NRM"]), "practice", False)
    html = signed_in("coordinator").get(f"/cases/{person[0]}/print")
    assert "ractice copy" not in str(html)


@pytest.mark.parametrize("state", ["sent", "ended"])
def test_a_referral_that_is_not_accepted_is_not_printed(world, signed_in, state):
    _, sent = worlds.referred(world) if state == "sent" else worlds.accepted(world)
    if state == "ended":
        with world.entered():
            provision.end(world.actor("provider"), sent, world.pack)
    signed_in("provider").get(f"/referrals/{sent}/print", status=403)
    assert printed(world) == []


@pytest.mark.parametrize("name", ["first_responder", "auditor", "administrator", "provider"])
def test_others_print_no_case(world, signed_in, person, name):
    signed_in(name).get(f"/cases/{person[0]}/print", status=403)
    assert printed(world) == []
