from uuid import uuid4

import pytest
from sqlalchemy import func, select

from nrm.db import db
from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.models import Account, AuditEntry, Organisation
from nrm.services import accounts, people
from tests import world as worlds
from tests.page import PageClient
from tests.page_checks import words
from tests.world import ONE_PER_ROLE

NEW = {
    "name": "Practice Newcomer",
    "email": " New.Comer@Practice.example ",
    "role": "first_responder",
    "password": "eleven-quiet-herons",
}


@pytest.fixture
def page(signed_in):
    return signed_in("administrator")


def entries(world, action):
    with world.entered():
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
        return db.session.scalars(query).all()


def account(world, email):
    with world.entered():
        return db.session.scalars(select(Account).where(Account.email == email)).one_or_none()


def new(world, **changed):
    return {**NEW, "organisation": str(world.organisations["police"]), **changed}


def errors(html):
    links = html.select(".govuk-error-summary__list a")
    assert all(html.find(id=link["href"][1:]) for link in links)
    return {link["href"][1:]: words(link) for link in links}


def rows(html):
    """Give each row of the table as the words of its cells."""
    return [[words(cell) for cell in row.find_all(["th", "td"])] for row in html.select("tbody tr")]


def addresses(world):
    someone = world.accounts["analyst"]
    return (
        "/people",
        "/people/new",
        f"/people/{someone}",
        f"/people/{someone}/disable",
        f"/people/{someone}/enable",
        "/organisations",
        "/organisations/new",
    )


@pytest.mark.parametrize("role", [role for role in HUMAN_ROLES if role is not Role.ADMINISTRATOR])
def test_other_roles_are_refused_and_the_log_knows(world, signed_in, role):
    page = signed_in(ONE_PER_ROLE[role])
    for address in addresses(world):
        page.get(address, status=403)
    refused = entries(world, "access:refused")
    assert len(refused) == len(addresses(world))
    assert {entry.purpose for entry in refused} == {"account:manage"}


def test_the_administrator_reaches_no_case(world, page):
    reference = worlds.flag(world)
    for address in ("/cases", f"/cases/{reference}", "/flags", "/inbox", "/audit", "/directory"):
        page.get(address, status=403)
    for address in ("/people", "/organisations"):
        assert reference not in str(page.get(address))


def test_the_list_shows_each_account_with_its_role_and_is_itself_logged(world, page):
    with world.entered():
        people.disable(world.actor("administrator"), world.accounts["analyst"])
    html = page.get("/people")
    analyst = next(row for row in rows(html) if row[0] == "Practice Analyst")
    office = world.organisation_name("ministry")
    assert analyst[1:] == ["analyst@practice.example", office, "Analyst", "Disabled"]
    assert sum(row[4] == "Active" for row in rows(html)) == len(world.accounts) - 1
    assert len(entries(world, "account:list")) == 1


def test_a_long_list_goes_on_without_an_address_of_a_person_in_ours(world, page, monkeypatch):
    monkeypatch.setattr(accounts, "PAGE", 10)
    first = page.get("/people").select("tbody tr")
    second = page.click("More people").select("tbody tr")
    assert len(first) == 10
    assert len(first) + len(second) == len(world.accounts)
    assert "@" not in page.path
    assert "%40" not in page.path


def test_a_new_account_can_sign_in_in_its_role(world, page):
    page.get("/people")
    page.click("Create an account")
    page.post("/people/new", new(world))
    html = page.follow()
    assert words(html.h1) == "Account"
    assert "Practice Newcomer" not in html.title.get_text()
    assert "Practice Newcomer" in words(html.main)
    (created,) = [e for e in entries(world, "account:create") if e.subject_id]
    assert created.actor_id == world.accounts["administrator"]
    newcomer = PageClient(world.app.test_client())
    worlds.sign_in_first(newcomer, "new.comer@practice.example", NEW["password"])
    newcomer.get("/flags")
    newcomer.get("/people", status=403)


def test_a_wrong_account_is_refused_field_by_field_and_the_password_is_never_shown(world, page):
    typed = new(world, name=" ", email="someone", role="system", organisation="")
    html = page.post("/people/new", typed, status=422)
    assert errors(html) == {
        "name": "Enter the person’s name",
        "email": "Enter an e-mail address, like name@organisation.example",
        "organisation": "Choose an organisation",
        "role": "Choose an answer from the list",
        "password": "Type the first password again. It is never shown back to you.",
    }
    assert html.find("input", id="email")["value"] == "someone"
    assert NEW["password"] not in str(html)


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "Enter a first password"),
        ("short", "The password must have between 12 and 256 characters"),
        ("x" * 257, "The password must have between 12 and 256 characters"),
    ],
)
def test_a_weak_first_password_is_refused(world, page, password, message):
    html = page.post("/people/new", new(world, password=password), status=422)
    assert errors(html) == {"password": message}
    assert account(world, "new.comer@practice.example") is None


def test_an_address_belongs_to_one_account(world, page):
    typed = new(world, email="ANALYST@practice.example")
    html = page.post("/people/new", typed, status=422)
    assert errors(html)["email"] == "An account with this e-mail address exists already."
    assert html.find("input", id="name")["value"] == "Practice Newcomer"


def test_a_form_that_is_sent_twice_makes_one_account(world, page):
    html = page.get("/people/new")
    hidden = {f["name"]: f["value"] for f in html.main.find_all("input", type="hidden")}
    sent = {**hidden, **new(world)}
    places = set()
    for _ in range(2):
        page.post_raw("/people/new", sent, status=303)
        places.add(page.response.headers["Location"])
    assert len(places) == 1
    with world.entered():
        count = select(func.count()).select_from(Account)
        assert db.session.scalar(count) == len(world.accounts) + 1


def test_disabling_asks_first_and_ends_the_sitting_at_once(world, page, signed_in):
    analyst = signed_in("analyst")
    analyst.get("/statistics")
    address = f"/people/{world.accounts['analyst']}"
    page.get(address)
    html = page.click("Disable this account")
    assert "signed out everywhere" in words(html.main)
    analyst.get("/statistics")
    page.post(f"{address}/disable")
    html = page.follow()
    assert "The account is disabled." in words(html.main)
    assert "Practice Analyst" not in words(html.find(role="status"))
    analyst.get("/statistics", status=303)
    assert analyst.response.headers["Location"] == "/sign-in"
    credentials = {"email": world.email("analyst"), "password": worlds.PASSWORD}
    analyst.post("/sign-in", credentials, status=422)

    page.click("Enable this account")
    page.post(f"{address}/enable")
    assert "Active" in words(page.follow().main)
    signed_in("analyst").get("/statistics")
    assert len(entries(world, "account:disable")) == len(entries(world, "account:enable")) == 1


def test_nobody_disables_their_own_account(world, page):
    address = f"/people/{world.accounts['administrator']}"
    html = page.get(address)
    assert "This is your own account." in words(html.main)
    html = page.post(f"{address}/disable", status=422)
    assert "You cannot disable your own account." in words(html.main)
    assert account(world, world.email("administrator")).disabled_at is None


def test_an_account_that_is_not_there_is_not_found(page):
    someone = uuid4()
    for address in (f"/people/{someone}", f"/people/{someone}/disable", "/people/nobody"):
        page.get(address, status=404)


def test_a_new_organisation_can_have_accounts(world, page):
    page.get("/organisations")
    page.click("Create an organisation")
    typed = {"name": " Practice Rest House ", "kind": "shelter", "district": "24"}
    page.post("/organisations/new", {**typed, "is_provider": "y"})
    html = page.follow()
    assert ["Practice Rest House", "Shelter", "Huye", "Yes"] in rows(html)
    assert ["Practice Police Unit", "Police", "Nyarugenge", "No"] in rows(html)
    names = [words(option) for option in page.get("/people/new").select("#organisation option")]
    assert "Practice Rest House" in names
    assert len(entries(world, "organisation:create")) == 1


def test_a_wrong_organisation_is_refused_field_by_field(world, page):
    html = page.post("/organisations/new", {"name": "", "kind": "circus"}, status=422)
    assert errors(html) == {
        "name": "Enter the name of the organisation",
        "kind": "Choose an answer from the list",
        "district": "Choose a district",
    }
    typed = {"name": "Practice Police Unit", "kind": "police", "district": "11"}
    html = page.post("/organisations/new", typed, status=422)
    assert errors(html) == {"name": "An organisation with this name exists already."}
    with world.entered():
        count = select(func.count()).select_from(Organisation)
        assert db.session.scalar(count) == len(world.organisations)
