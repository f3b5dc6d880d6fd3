"""Sensitive acts ask once more who it is, and one goes on where one was."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from nrm.db import db, unit_of_work
from nrm.models import AuditEntry, AuthSession
from nrm.services import erasure
from tests import world as worlds
from tests.page_checks import words
from tests.world import fresh_code

NOTE = "A practice note."


def let_time_pass(world):
    """Let the last confirmation be ten minutes old."""
    earlier = datetime.now(UTC) - timedelta(minutes=10)
    with world.entered(), unit_of_work():
        db.session.execute(update(AuthSession).values(confirmed_at=earlier))


def confirm(world, page, name):
    page.follow()
    assert words(page.html.h1) == "Confirm that it is you"
    page.post("/confirm", {"code": fresh_code(world.app, world.email(name))})


def entries(world, action):
    with world.entered():
        return db.session.query(AuditEntry).filter_by(action=action).all()


def test_opening_health_waits_for_a_confirmation_and_keeps_the_reason(world, signed_in):
    reference = worlds.presumed(world)
    page = signed_in("coordinator")
    let_time_pass(world)
    page.get(f"/cases/{reference}")
    before = page.client.get_cookie("nrm").value
    address = f"/cases/{reference}/open/health"
    page.post(address, {"health-reason": "safety"})
    assert page.response.headers["Location"] == "/confirm"
    assert not entries(world, "compartment:open")
    confirm(world, page, "coordinator")
    assert page.client.get_cookie("nrm").value != before
    html = page.follow()
    assert words(html.h1) == "Thank you, it is you"
    assert reference not in words(html.main)
    page.post(address)
    assert page.response.headers["Location"].startswith(f"/cases/{reference}")
    assert "A practice note." in words(page.follow().main)
    # And for ten minutes nobody asks again; the form that was kept is gone.
    page.get("/confirm/go-on", status=303)


@pytest.mark.parametrize("group", ["identity", "contact", "narrative"])
def test_opening_the_rest_asks_for_nothing_more(world, signed_in, group):
    reference = worlds.presumed(world)
    page = signed_in("coordinator")
    let_time_pass(world)
    page.get(f"/cases/{reference}")
    page.post(f"/cases/{reference}/open/{group}", {f"{group}-reason": "safety"})
    assert page.response.headers["Location"].startswith(f"/cases/{reference}")


def test_erasing_asks_and_leads_back_to_its_page(world, signed_in):
    reference, _ = worlds.closed(world)
    with world.entered():
        asked = erasure.ask(world.actor("coordinator"), reference, "duplicate")
    page = signed_in("second_coordinator")
    let_time_pass(world)
    address = f"/erasures/{asked}/erase"
    page.get(address, status=303)
    confirm(world, page, "second_coordinator")
    assert page.response.headers["Location"] == address
    page.follow()


def test_taking_the_log_out_asks_and_goes_on(world, signed_in):
    page = signed_in("auditor")
    let_time_pass(world)
    page.get("/audit?act=session%3Asign-in")
    export = page.html.find("form", action=lambda to: to and to.startswith("/audit/export"))
    page.post(export["action"])
    assert page.response.headers["Location"] == "/confirm"
    confirm(world, page, "auditor")
    form = page.follow().find("main").find("form")
    assert form["action"] == export["action"]
    fields = {one["name"]: one.get("value", "") for one in form.find_all("input")}
    answer = page.client.post(form["action"], data=fields)
    assert answer.mimetype == "text/csv"


def test_a_wrong_code_confirms_nothing_and_is_logged(world, signed_in):
    page = signed_in("auditor")
    let_time_pass(world)
    page.get("/account/ways/codes", status=303)
    page.follow()
    page.post("/confirm", {"code": "000000"}, status=422)
    page.get("/account/ways/codes", status=303)
    failed = entries(world, "session:confirm")
    assert [(one.outcome, one.purpose) for one in failed] == [("failed", "code")]


def test_nothing_in_the_address_says_where_it_leads(world, signed_in):
    page = signed_in("auditor")
    let_time_pass(world)
    page.get("/account/ways/codes?next=//elsewhere.example", status=303)
    assert page.response.headers["Location"] == "/confirm"
    page.get("/confirm?next=https://elsewhere.example&back=//elsewhere.example")
    page.post(
        "/confirm?next=https://elsewhere.example",
        {"code": fresh_code(world.app, world.email("auditor")), "back": "//elsewhere.example"},
    )
    assert page.response.headers["Location"].startswith("/account/ways/codes")


def test_confirming_without_a_page_to_go_back_to_leads_home(world, signed_in):
    page = signed_in("auditor")
    page.get("/confirm")
    page.post("/confirm", {"code": fresh_code(world.app, world.email("auditor"))})
    assert page.response.headers["Location"] == "/"


def test_a_paper_code_confirms_too_and_says_how_many_are_left(world, signed_in):
    page = signed_in("auditor")
    page.get("/account/ways/codes")
    page.post("/account/ways/codes")
    papers = [one.get_text() for one in page.follow().select(".nrm-codes li")]
    let_time_pass(world)
    page.get("/account/ways/app", status=303)
    page.follow()
    page.click("Use a recovery code from your paper")
    page.post("/confirm/recovery", {"code": papers[0]})
    assert page.response.headers["Location"] == "/account/ways/app"
    assert "You have 9 left." in words(page.follow().main)


def test_who_confirms_in_vain_too_often_goes_on_at_that_step(signed_in):
    page = signed_in("coordinator")
    page.get("/confirm")
    for _ in range(5):
        page.post("/confirm", {"code": "letters"}, status=422)
    html = page.post("/confirm", {"code": "letters"}, status=429)
    assert html.main.find("a", string="Try again")["href"] == "/confirm"


def test_a_clinic_reads_the_notes_on_health_after_showing_that_it_is_them(world, signed_in):
    _, sent = worlds.accepted(world, "clinician", ("identity", "contact", "health"))
    page = signed_in("clinician")
    html = page.get(f"/referrals/{sent}")
    assert NOTE in words(html.main)
    let_time_pass(world)
    before = len(entries(world, "referral:open"))
    html = page.get(f"/referrals/{sent}")
    assert NOTE not in str(html)
    assert "Family name" in words(html.main)
    opened = entries(world, "referral:open")[before:]
    assert [one.compartments for one in opened] == ["contact envelope identity"]
    page.get(f"/referrals/{sent}")
    page.get(html.find("a", string=re.compile("notes on health"))["href"], status=303)
    confirm(world, page, "clinician")
    page.follow(status=303)
    assert page.response.headers["Location"].endswith("#health")
    assert NOTE in words(page.follow().main)


def test_a_document_on_health_leaves_after_showing_that_it_is_them(world, signed_in):
    reference = worlds.presumed(world)
    kept = worlds.attach(world, reference, "health")
    page = signed_in("coordinator")
    where = f"/cases/{reference}/documents/{kept}/file"
    page.client.get(where).close()
    let_time_pass(world)
    done = len(entries(world, "document:open"))
    page.get(where, status=303)
    assert len(entries(world, "document:open")) == done
    confirm(world, page, "coordinator")
    assert words(page.follow().h1) == "Documents"
    answer = page.client.get(where)
    assert answer.status_code == 200
    answer.close()


def test_a_document_on_anything_else_asks_for_nothing_more(world, signed_in):
    reference = worlds.presumed(world)
    kept = worlds.attach(world, reference, "narrative")
    page = signed_in("coordinator")
    let_time_pass(world)
    answer = page.client.get(f"/cases/{reference}/documents/{kept}/file")
    assert answer.status_code == 200
    answer.close()
