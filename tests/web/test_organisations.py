import pytest
from sqlalchemy import func, select

from nrm.db import db
from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.models import Organisation
from tests.page_checks import words
from tests.web.people_pages import entries, errors, rows
from tests.world import ONE_PER_ROLE


@pytest.fixture
def page(signed_in):
    return signed_in("administrator")


@pytest.mark.parametrize("role", [role for role in HUMAN_ROLES if role is not Role.ADMINISTRATOR])
def test_other_roles_are_refused_and_the_log_knows(world, signed_in, role):
    page = signed_in(ONE_PER_ROLE[role])
    asked = (
        "/organisations",
        "/organisations/new",
        f"/organisations/{world.organisations['lakes']}",
    )
    for path in asked:
        page.get(path, status=403)
    refused = entries(world, "access:refused")
    assert [entry.purpose for entry in refused] == ["organisation:manage"] * len(asked)


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


def test_an_organisation_is_corrected(world, page):
    page.get("/organisations")
    html = page.click("Practice Police Unit")
    assert html.find("input", id="name")["value"] == "Practice Police Unit"
    path = f"/organisations/{world.organisations['police']}"
    page.post(path, {"name": "Practice Border Unit", "kind": "border", "district": "55"})
    assert any(row[0] == "Practice Border Unit" for row in rows(page.follow()))
    [entry] = entries(world, "organisation:change")
    assert entry.subject_id == world.organisations["police"]


def test_a_wrong_organisation_is_refused_field_by_field(world, page):
    html = page.post("/organisations/new", {"name": "", "kind": "circus"}, status=422)
    assert errors(html) == {
        "name": "Enter the name of the organisation",
        "kind": "Choose an answer from the list",
        "district": "Choose a district",
    }
    typed = {"name": "Practice Police Unit", "kind": "police", "district": "11"}
    for path in ("/organisations/new", f"/organisations/{world.organisations['lakes']}"):
        html = page.post(path, typed, status=422)
        assert errors(html) == {"name": "An organisation with this name exists already."}
    with world.entered():
        count = select(func.count()).select_from(Organisation)
        assert db.session.scalar(count) == len(world.organisations)
