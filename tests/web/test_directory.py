from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from nrm.db import db, unit_of_work
from nrm.domain.lifecycle import ListingState
from nrm.domain.roles import HOUSEKEEPING, HUMAN_ROLES, Role
from nrm.models import AuditEntry, Listing
from nrm.services import audit, directory, organisations
from tests.page_checks import words
from tests.world import ONE_PER_ROLE, SERVICE, in_world

READERS = {Role.COORDINATOR, Role.DIRECTORY_MANAGER}


@in_world
def provider(world, name="Practice Rest House"):
    """Create a provider that has no listing."""
    return organisations.create(
        world.actor("administrator"), name, "shelter", "24", is_provider=True
    )


@in_world
def submitted(world):
    """Submit a listing as the directory manager."""
    new = directory.NewListing(
        provider(world), ("emergency_shelter",), ("female", "12_15"), ("kin",), "24", 8
    )
    return directory.submit(world.actor("directory_manager"), new, world.pack)


def listing(world, listing_id):
    with world.entered():
        return db.session.get(Listing, listing_id)


@in_world
def lapse(world, name):
    """Let an approval have run out three days ago."""
    with unit_of_work() as unit:
        found = db.session.get(Listing, world.listings[name])
        found.approved_until = world.today - timedelta(days=3)
        audit.record(unit, HOUSEKEEPING, audit.Action.LISTING_APPROVE)


def entries(world, action):
    with world.entered():
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
        return db.session.scalars(query).all()


def parts(day):
    return {"until": [str(day.day), str(day.month), str(day.year)]}


def row(html, name):
    return next(words(row) for row in html.select("tbody tr") if name in words(row))


def errors(html):
    """Give each message of the summary by the id of the field that it leads to."""
    links = html.select(".govuk-error-summary__list a")
    assert all(html.find(id=link["href"][1:]) for link in links)
    return {link["href"][1:]: words(link) for link in links}


def test_the_list_says_where_each_provider_stands(world, signed_in):
    submitted(world)
    lapse(world, "clinic")
    html = signed_in("directory_manager").get("/directory")
    assert "Waiting for approval" in row(html, "Practice Rest House")
    clinic = row(html, "Practice Hill Clinic")
    assert "Approval lapsed on" in clinic
    assert "Emergency medical care" in clinic
    assert "Approved" in row(html, "Practice Shelter of the Lakes")
    names = [words(cell) for cell in html.select("tbody th")]
    assert names == sorted(names)


def test_a_coordinator_reads_and_can_do_nothing_else(world, signed_in):
    page = signed_in("coordinator")
    assert "Submit a listing" not in words(page.get("/directory"))
    html = page.click("Practice Hill Clinic")
    assert "Practice Second Manager" in words(html.main)
    assert not html.main.find("form")
    address = f"/directory/{world.listings['clinic']}/approve"
    page.get("/directory/submit", status=403)
    page.post_raw(address, {"csrf_token": html.find("input", {"name": "csrf_token"})["value"]}, 403)


@pytest.mark.parametrize("role", [role for role in HUMAN_ROLES if role not in READERS])
def test_other_roles_are_refused_and_the_log_knows(world, signed_in, role):
    page = signed_in(ONE_PER_ROLE[role])
    addresses = ("/directory", "/directory/submit", f"/directory/{world.listings['clinic']}")
    for address in addresses:
        page.get(address, status=403)
    refused = entries(world, "access:refused")
    assert len(refused) == len(addresses)
    assert {entry.actor_role for entry in refused} == {role}


def test_a_list_that_is_long_goes_on_after_the_last_name(signed_in, monkeypatch):
    monkeypatch.setattr(directory, "PAGE", 2)
    page = signed_in("coordinator")
    first = [words(cell) for cell in page.get("/directory").select("tbody th")]
    second = [words(cell) for cell in page.click("More providers").select("tbody th")]
    assert first == ["Practice Hill Clinic", "Practice Shelter of the Hills"]
    assert second == ["Practice Shelter of the Lakes"]
    assert "Practice" not in page.path


def test_what_one_submits_another_approves_until_a_day(world, signed_in):
    organisation = provider(world)
    page = signed_in("directory_manager")
    page.get("/directory")
    page.click("Submit a listing")
    page.post(
        "/directory/submit",
        {
            "organisation": str(organisation),
            "services": ["emergency_shelter", "education"],
            "sexes": ["female"],
            "ages": ["12_15", "16_17"],
            "languages": ["kin", "fra"],
            "district": "24",
            "places": " 8 ",
        },
    )
    html = page.follow()
    listing_id = UUID(page.path.rpartition("/")[2])
    assert words(html.h1) == "Practice Rest House"
    said = words(html.main)
    for fact in ("Emergency shelter", "School or education", "Female", "12 to 15, 16 or 17"):
        assert fact in said
    for fact in ("French, Kinyarwanda", "Huye", "Practice Directory Manager"):
        assert fact in said
    assert listing(world, listing_id).places == 8

    until = world.today + timedelta(days=200)
    page = signed_in("second_manager")
    address = f"/directory/{listing_id}"
    page.get(address)
    page.post(f"{address}/approve", parts(until))
    assert "The listing is approved." in words(page.follow().main)
    kept = listing(world, listing_id)
    assert (kept.state, kept.approved_until) == (ListingState.APPROVED, until)
    assert kept.approved_by_id == world.accounts["second_manager"]


def test_nobody_approves_what_they_submitted_whatever_they_send(world, signed_in):
    listing_id = submitted(world)
    page = signed_in("directory_manager")
    html = page.get(f"/directory/{listing_id}")
    assert "You submitted this listing, so someone else approves it." in words(html)
    address = f"/directory/{listing_id}/approve"
    assert not html.find("form", action=address)
    token = html.find("input", {"name": "csrf_token"})["value"]
    forged = {"csrf_token": token, "version": "1", **parts(world.today + timedelta(days=9))}
    page.post_raw(address, forged, status=403)
    assert listing(world, listing_id).state is ListingState.SUBMITTED
    (refused,) = entries(world, "access:refused")
    assert (refused.purpose, refused.subject_id) == ("listing:approve", listing_id)
    assert refused.outcome == "refused"


def test_an_empty_listing_is_refused_field_by_field(world, signed_in):
    organisation = provider(world)
    page = signed_in("directory_manager")
    typed = {"organisation": str(organisation), "languages": ["kin"], "places": "twelve"}
    html = page.post("/directory/submit", typed, status=422)
    assert errors(html) == {
        "services": "Choose at least one service",
        "sexes": "Choose whom it serves",
        "ages": "Choose at least one age group",
        "district": "Choose a district",
        "places": "Enter a whole number, like 12",
    }
    assert html.find("input", {"name": "places"})["value"] == "twelve"
    assert html.find("input", {"name": "languages", "value": "kin"}).has_attr("checked")
    assert html.find("option", {"value": str(organisation)}).has_attr("selected")
    assert html.title.get_text().startswith("Error: ")


def test_an_answer_that_was_not_offered_is_refused_in_our_words(world, signed_in):
    page = signed_in("directory_manager")
    typed = {"organisation": str(world.organisations["police"]), "services": ["nrm"]}
    provider(world)
    html = page.post("/directory/submit", {**typed, "district": "99"}, status=422)
    said = errors(html)
    for field in ("organisation", "services", "district"):
        assert said[field] == "Choose an answer from the list"


@pytest.mark.parametrize(
    ("until", "message"),
    [
        (["31", "2", "2030"], "Enter a real date, like 27 3 2001"),
        (["1", "1", "99999999999999999999"], "Enter a real date, like 27 3 2001"),
        (["1", "1", "2020"], "The date must be in the future."),
        (["", "", ""], "Enter the day on which the approval ends"),
    ],
)
def test_an_impossible_end_of_an_approval_is_refused(world, signed_in, until, message):
    listing_id = submitted(world)
    page = signed_in("second_manager")
    page.get(f"/directory/{listing_id}")
    html = page.post(f"/directory/{listing_id}/approve", {"until": until}, status=422)
    assert errors(html) == {"until": message}
    assert [field["value"] for field in html.find_all("input", {"name": "until"}) if until[0]] == [
        part for part in until if part
    ]
    assert listing(world, listing_id).state is ListingState.SUBMITTED


def test_a_suspended_provider_can_receive_nothing_new(world, signed_in):
    page = signed_in("directory_manager")
    address = f"/directory/{world.listings['lakes']}"
    page.get(address)
    page.post(f"{address}/suspend", {"reason": "  "}, status=422)
    assert errors(page.html) == {"reason": "Write why it is suspended"}
    page.post(f"{address}/suspend", {"reason": "x" * 501}, status=422)
    assert errors(page.html) == {"reason": "The reason must be 500 characters or fewer"}
    page.post(f"{address}/suspend", {"reason": "The roof is being mended."})
    html = page.follow()
    assert "The roof is being mended." in words(html.main)
    assert not html.find("form", action=f"{address}/suspend")
    with world.entered():
        offered = [found.name for found in directory.approved_for(SERVICE, world.today)]
    assert offered == ["Practice Shelter of the Hills"]


def test_a_page_that_was_overtaken_says_so_and_keeps_what_was_typed(world, signed_in):
    slow, fast = signed_in("directory_manager"), signed_in("second_manager")
    address = f"/directory/{world.listings['lakes']}"
    slow.get(address)
    fast.get(address)
    fast.post(f"{address}/suspend", {"reason": "The roof is being mended."})
    fast.get(address)
    until = world.today + timedelta(days=30)
    fast.post(f"{address}/approve", parts(until))
    html = slow.post(f"{address}/suspend", {"reason": "Too few staff."}, status=409)
    assert "Someone else changed this listing" in words(html.main)
    assert html.find("textarea").get_text().strip() == "Too few staff."
    assert listing(world, world.listings["lakes"]).state is ListingState.APPROVED
    slow.post(f"{address}/suspend", {"reason": "Too few staff."})
    assert listing(world, world.listings["lakes"]).suspended_reason == "Too few staff."


def test_a_form_that_is_sent_twice_has_one_result(world, signed_in):
    listing_id = submitted(world)
    page = signed_in("second_manager")
    html = page.get(f"/directory/{listing_id}")
    form = html.find("form", action=f"/directory/{listing_id}/approve")
    hidden = {field["name"]: field["value"] for field in form.find_all("input", type="hidden")}
    sent = {**hidden, **parts(world.today + timedelta(days=9))}
    for _ in range(2):
        page.post_raw(f"/directory/{listing_id}/approve", sent, status=303)
        assert page.response.headers["Location"] == f"/directory/{listing_id}"
    approved = [e for e in entries(world, "listing:approve") if e.subject_id == listing_id]
    assert len(approved) == 1


def test_a_listing_that_is_not_there_is_not_found(signed_in):
    page = signed_in("directory_manager")
    page.get(f"/directory/{uuid4()}", status=404)
    page.get("/directory/nonsense", status=404)


def test_without_a_provider_to_list_the_page_says_what_to_do(signed_in):
    html = signed_in("directory_manager").get("/directory/submit")
    assert "has a listing already" in words(html.main)
    assert not html.main.find("form")
