from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from nrm.db import db
from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.models import Account
from nrm.services import people
from tests import world as worlds
from tests.page_checks import words
from tests.web.people_pages import EMAIL, account, entries, errors, invited, link_on, new, rows
from tests.world import ONE_PER_ROLE

ADMINISTRATORS = {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR}
PARTS = ("", "/disable", "/enable", "/invite", "/link", "/reset", "/role")


@pytest.fixture
def page(signed_in):
    return signed_in("administrator")


@pytest.fixture
def own(signed_in):
    """Sign in whoever looks after the accounts of one organisation."""
    return signed_in("organisation_administrator")


def address(world, name, part=""):
    return f"/people/{world.accounts[name]}{part}"


@pytest.mark.parametrize("role", sorted(set(HUMAN_ROLES) - ADMINISTRATORS))
def test_other_roles_are_refused_and_the_log_knows(world, signed_in, role):
    page = signed_in(ONE_PER_ROLE[role])
    asked = ["/people", "/people/new", *(address(world, "analyst", part) for part in PARTS)]
    for path in asked:
        page.get(path, status=403)
    refused = entries(world, "access:refused")
    assert [entry.purpose for entry in refused] == ["account:manage"] * len(asked)


def test_whoever_looks_after_accounts_reaches_no_case(world, page, own):
    reference = worlds.flag(world)
    for browser in (page, own):
        for path in ("/cases", f"/cases/{reference}", "/flags", "/inbox", "/audit", "/directory"):
            browser.get(path, status=403)
        assert reference not in str(browser.get("/people"))


def test_the_list_shows_each_account_with_its_role_and_is_itself_logged(world, page):
    with world.entered():
        people.disable(world.actor("administrator"), world.accounts["analyst"])
    html = page.get("/people")
    office = world.organisation_name("ministry")
    analyst = next(row for row in rows(html) if row[0].startswith("Practice Analyst"))
    assert analyst == [
        "Practice Analyst analyst@practice.example",
        f"Analyst {office}",
        "Disabled",
        "Never",
    ]
    assert sum(row[2] == "Active" for row in rows(html)) == len(world.accounts) - 1
    assert len(entries(world, "account:list")) == 1


def test_a_long_list_goes_on_without_an_address_of_a_person_in_ours(world, page, monkeypatch):
    monkeypatch.setattr(people, "PAGE", 10)
    first = page.get("/people").select("tbody tr")
    second = page.click("More people").select("tbody tr")
    assert len(first) == 10
    assert len(first) + len(second) == len(world.accounts)
    assert "@" not in page.path
    assert "%40" not in page.path


def test_somebody_is_found_and_the_address_says_nothing(world, page):
    page.get("/people")
    page.post("/people", {"text": "CLIN"})
    assert page.response.headers["Location"] == "/people"
    html = page.follow()
    assert [row[0] for row in rows(html)] == ["Practice Clinician clinician@practice.example"]
    assert html.find("input", id="text")["value"] == "CLIN"
    # It is remembered in this sitting, until everyone is asked for.
    page.get(address(world, "clinician"))
    assert len(rows(page.click("People"))) == 1
    page.post("/people", {"everyone": "1"})
    assert len(rows(page.follow())) == len(world.accounts)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"role": "auditor"}, ["Practice Auditor"]),
        ({"state": "invited"}, []),
        ({"state": "disabled"}, []),
        ({"state": "unseen"}, []),
        ({"seen": "longer"}, []),
        ({"seen": "30", "role": "administrator"}, ["Practice Administrator"]),
        ({"seen": "never", "role": "auditor"}, ["Practice Auditor"]),
        ({"text": "nobody"}, []),
        ({"role": "coordinator", "text": "second"}, ["Practice Second Coordinator"]),
    ],
)
def test_a_list_is_narrowed(page, asked, found):
    page.get("/people")
    page.post("/people", asked)
    html = page.follow()
    assert [row[0].rpartition(" ")[0] for row in rows(html)] == found
    assert ("Nobody fits." in words(html.main)) == (not found)


def test_a_wrong_search_is_named(page):
    page.get("/people")
    html = page.post("/people", {"text": "x" * 300, "state": "gold"}, status=422)
    assert set(errors(html)) == {"text", "state"}


def test_an_invited_person_gets_a_link_that_is_shown_once(world, page):
    page.get("/people")
    page.click("Invite somebody")
    link = invited(world, page)
    assert "Practice Newcomer" not in page.html.title.get_text()
    made = account(world, EMAIL)
    assert made.password_hash == ""
    html = page.get(f"/people/{made.id}/link")
    assert words(html.h1) == "The link was shown already"
    assert link not in str(html)
    [created] = [entry for entry in entries(world, "account:create") if entry.subject_id]
    assert created.actor_id == world.accounts["administrator"]
    page.click("To the account")
    assert "Invited" in words(page.html.main)
    assert "Not used yet; it works until" in words(page.html.main)


def test_no_form_asks_an_administrator_for_a_password(world, page):
    for path in ("/people/new", *(address(world, "analyst", part) for part in PARTS)):
        assert page.get(path).select("input[type=password]") == []


def test_a_wrong_account_is_refused_field_by_field(world, page):
    typed = new(world, name=" ", email="someone", role="system", organisation="")
    html = page.post("/people/new", typed, status=422)
    assert errors(html) == {
        "name": "Enter the person’s name",
        "email": "Enter an e-mail address, like name@organisation.example",
        "organisation": "Choose an organisation",
        "role": "Choose an answer from the list",
    }
    assert html.find("input", id="email")["value"] == "someone"


def test_a_role_that_is_not_held_there_is_named_with_those_that_are(world, page):
    html = page.post("/people/new", new(world, role="provider"), status=422)
    assert errors(html) == {
        "role": "People of this organisation can be: First responder, Organisation administrator"
    }


def test_an_address_belongs_to_one_account(world, page):
    html = page.post("/people/new", new(world, email="ANALYST@practice.example"), status=422)
    assert errors(html)["email"] == "An account with this e-mail address exists already."
    assert html.find("input", id="name")["value"] == "Practice Newcomer"


def test_whoever_has_no_password_yet_gets_a_new_link_without_a_question(world, page):
    old = invited(world, page)
    path = f"/people/{account(world, EMAIL).id}/invite"
    html = page.get(path)
    assert not html.select("input[type=radio]")
    page.post(path)
    assert link_on(page.follow()) != old
    html = page.get(f"/people/{world.accounts['provider']}/invite")
    assert len(html.select("input[type=radio]")) == 2


def test_a_form_that_is_sent_twice_makes_one_account_and_shows_its_link(world, page):
    html = page.get("/people/new")
    hidden = {f["name"]: f["value"] for f in html.main.find_all("input", type="hidden")}
    places = set()
    for _ in range(2):
        page.post_raw("/people/new", {**hidden, **new(world)}, status=303)
        places.add(page.response.headers["Location"])
    assert len(places) == 1
    assert words(page.follow().h1) == "Hand over this link"
    with world.entered():
        count = select(func.count()).select_from(Account)
        assert db.session.scalar(count) == len(world.accounts) + 1


def test_a_coordinator_is_invited_by_two_people(world, page, signed_in):
    page.get("/people/new")
    page.post("/people/new", new(world, "coordination", role="coordinator"))
    html = page.follow()
    assert words(html.h1) == "A second person has to agree"
    assert "/welcome/" not in str(html)
    request = html.find("a", string="See the request")["href"]
    auditor = signed_in("auditor")
    html = auditor.get(request)
    assert "It is a new account: nobody has signed in with it" in words(html.main)
    auditor.post(f"{request}/confirm")
    path = f"/people/{account(world, EMAIL).id}/invite"
    page.get(path)
    page.post(path, {"why": "lost"})
    assert words(page.follow().h1) == "Hand over this link"


def test_disabling_asks_why_and_ends_the_sitting_at_once(world, page, signed_in):
    analyst = signed_in("analyst")
    analyst.get("/statistics")
    here = address(world, "analyst")
    page.get(here)
    html = page.click("Disable this account")
    assert "signed out everywhere" in words(html.main)
    assert errors(page.post(f"{here}/disable", status=422)) == {
        "reason": "Choose why the account is disabled"
    }
    analyst.get("/statistics")
    page.post(f"{here}/disable", {"reason": "left"})
    html = page.follow()
    assert "The account is disabled." in words(html.main)
    assert "The person no longer works here" in words(html.main)
    assert "Practice Analyst" not in words(html.find(role="status"))
    analyst.get("/statistics", status=303)
    assert "You were signed out." in words(analyst.follow().main)
    credentials = {"email": world.email("analyst"), "password": worlds.PASSWORD}
    analyst.post("/sign-in", credentials, status=422)

    page.get(here)
    page.click("Enable this account")
    page.post(f"{here}/enable")
    assert "Active" in words(page.follow().main)
    signed_in("analyst").get("/statistics")
    [entry] = entries(world, "account:disable")
    assert entry.purpose == "left"


def test_nobody_manages_their_own_account(world, page, own):
    for browser, name in ((page, "administrator"), (own, "organisation_administrator")):
        assert "This is your own account." in words(browser.get(address(world, name)).main)
        for part in ("/disable", "/invite", "/reset", "/role"):
            html = browser.get(address(world, name, part), status=403)
            assert "Nobody manages their own account." in words(html.main)


def test_an_account_that_is_not_there_is_not_found(page):
    for part in PARTS:
        page.get(f"/people/{uuid4()}{part}", status=404)
    page.get("/people/nobody", status=404)


def test_a_role_changes_while_its_page_is_open(world, page, signed_in):
    coordinator = signed_in("second_coordinator")
    coordinator.get("/cases")
    here = address(world, "second_coordinator", "/role")
    page.get(here)
    page.post(here, {"role": "analyst"})
    assert "The role is changed." in words(page.follow().main)
    coordinator.get("/cases", status=303)
    assert "You were signed out." in words(coordinator.follow().main)
    worlds.sign_in(coordinator, world.email("second_coordinator"))
    coordinator.get("/cases", status=403)
    coordinator.get("/statistics")


def test_a_role_that_shows_more_waits_and_is_then_there(world, page, signed_in):
    here = address(world, "analyst", "/role")
    html = page.get(here)
    assert "a second person has to approve it" in words(html.main)
    page.post(here, {"role": "coordinator"})
    html = page.follow()
    assert "Nothing has changed yet" in words(html.main)
    request = html.find("a", string="See the request")["href"]
    auditor = signed_in("auditor")
    told = words(auditor.get(request).main)
    assert "Role now Analyst" in told
    assert "Role asked for Coordinator" in told
    auditor.post(f"{request}/confirm")
    assert account(world, world.email("analyst")).role is Role.COORDINATOR


# One organisation's own administrator


def test_an_organisation_administrator_works_with_their_own_people_alone(world, own):
    html = own.get("/people")
    names = {row[0].rpartition(" ")[0] for row in rows(html)}
    assert names == {
        "Practice Provider",
        "Practice Colleague",
        "Practice Organisation Administrator",
    }
    assert html.find(id="organisation") is None
    for name in ("other_provider", "administrator", "auditor", "analyst"):
        for part in PARTS:
            own.get(address(world, name, part), status=404)
    for path in ("/organisations", "/organisations/new", "/roles"):
        own.get(path, status=403)


def test_an_organisation_administrator_invites_a_colleague_and_nobody_above(world, own):
    html = own.get("/people/new")
    assert html.find(id="organisation") is None
    offered = [words(option) for option in html.select("#role option")]
    assert offered == ["Choose", "Service provider"]
    # Whatever is slipped into the form.
    elsewhere = str(world.organisations["hills"])
    typed = new(world, role="administrator", organisation=elsewhere)
    assert set(errors(own.post("/people/new", typed, status=422))) == {"role"}
    invited(world, own, role="provider", organisation=elsewhere)
    assert account(world, EMAIL).organisation_id == world.organisations["lakes"]


def test_the_e_mail_is_sent_where_it_is_set_up_and_says_no_name(world, page, monkeypatch):
    """Where no server takes it, the link is shown all the same."""
    settings = replace(world.app.config["NRM"], mail="smtp://127.0.0.1:1")
    monkeypatch.setitem(world.app.config, "NRM", settings)
    link = invited(world, page, home="lakes", role="provider")
    assert link
    assert "The e-mail could not be sent." in words(page.html.main)
    sent = entries(world, "invitation:send")
    assert [entry.outcome for entry in sent] == ["begun", "failed"]
