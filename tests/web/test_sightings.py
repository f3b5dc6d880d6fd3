"""The pages of who has seen what: two questions of the auditor, and a case's own history."""

from datetime import UTC, datetime, timedelta

import pytest

from nrm.services import casefile
from tests import world as worlds
from tests.page_checks import words


@pytest.fixture
def page(signed_in):
    return signed_in("auditor")


def day(moment):
    return [str(moment.day), str(moment.month), str(moment.year)]


def cells(html):
    return [[words(cell) for cell in row.select("td, th")] for row in html.select("tbody tr")]


def test_the_auditor_asks_who_has_seen_a_file(world, page):
    reference, _ = worlds.accepted(world)
    page.get("/audit/seen")
    page.post("/audit/seen/file", {"reference": reference.replace("-", " ").lower()})
    page.follow()
    assert page.path == f"/audit/seen/file/{reference}"
    people = {row[0] for row in cells(page.html)}
    assert people == {
        world.person_name(name) + world.organisation_name(worlds.ACCOUNTS[name][0])
        for name in ("coordinator", "first_responder", "provider")
    }
    [entries] = [
        link["href"]
        for link in page.html.select("main td a")
        if world.person_name("provider") in words(link)
    ]
    assert world.person_name("provider") in words(page.get(entries))


def test_a_reference_that_is_nobody_s_is_said_and_kept(page):
    html = page.get("/audit/seen/file/7K4M-29QX-C", status=404)
    assert "No case has this reference" in words(html.select_one(".govuk-error-summary"))
    assert html.find(id="reference")["value"] == "7K4M-29QX-C"


def test_the_auditor_asks_what_an_account_saw(world, page):
    reference = worlds.flag(world)
    with world.entered():
        casefile.reveal(world.actor("coordinator"), reference, "health", "safety")
    today = datetime.now(UTC).astimezone(world.pack.zone)
    page.get("/audit/seen")
    asked = {
        "email": world.email("coordinator").upper(),
        "since": day(today),
        "until": day(today),
    }
    page.post("/audit/seen/account", asked)
    page.follow()
    assert world.email("coordinator") not in page.path
    assert "1 file" in words(page.html)
    [[file, parts, *_]] = cells(page.html)
    assert file == reference
    assert "Health" in parts


def test_an_account_that_saw_nothing_has_no_list(world, page):
    worlds.flag(world)
    begin, end = (
        f"{datetime.now(UTC) + timedelta(days=days):%Y%m%dT%H%MZ}" for days in (-800, -799)
    )
    span = f"?since={begin}&until={end}"
    html = page.get(f"/audit/seen/account/{world.accounts['coordinator']}{span}")
    assert "The account saw no file in this time." in words(html)


def test_nobody_is_asked_about_by_a_page_without_a_time(world, page):
    page.get(f"/audit/seen/account/{world.accounts['coordinator']}", status=404)


def test_the_coordinator_reads_the_access_history_of_a_case(world, signed_in):
    reference, _ = worlds.accepted(world)
    coordinator = signed_in("second_coordinator")
    html = coordinator.get(f"/cases/{reference}")
    assert html.find("a", href=f"/cases/{reference}/access")
    html = coordinator.get(f"/cases/{reference}/access")
    seen, done = html.select("table")
    assert world.person_name("provider") in words(seen)
    assert "Police" in words(done)
    # Reading the history is in it, the next time.
    html = coordinator.get(f"/cases/{reference}/access")
    assert world.person_name("second_coordinator") in words(html.select("table")[0])


def test_who_may_not_see_a_case_may_not_know_its_history(world, signed_in):
    reference = worlds.flag(world)
    signed_in("provider").get(f"/cases/{reference}/access", status=403)
    signed_in("auditor").get(f"/cases/{reference}/access", status=403)
    signed_in("coordinator").get("/cases/ZZZZ-ZZZZ-Z/access", status=404)


@pytest.mark.parametrize("name", ["analyst", "provider", "auditor", "administrator"])
def test_whoever_is_refused_by_their_role_stands_in_the_history_of_the_case(world, signed_in, name):
    reference = worlds.flag(world)
    page = signed_in(name)
    refused = page.get(f"/cases/{reference}", status=403)
    # Whether there is such a case is not told to them.
    assert words(page.get("/cases/7K4M-29QX-C", status=403)) == words(refused)
    assert words(page.get("/cases/anything", status=403)) == words(refused)
    html = signed_in("coordinator").get(f"/cases/{reference}/access")
    [[_who, times, *_]] = [row for row in cells(html) if world.person_name(name) in row[0]][:1]
    assert times == "0 1 refused"


def test_a_refused_referral_stands_in_the_history_of_its_case(world, signed_in):
    reference, sent = worlds.referred(world)
    signed_in("analyst").get(f"/referrals/{sent}", status=403)
    html = signed_in("coordinator").get(f"/cases/{reference}/access")
    assert any(world.person_name("analyst") in row[0] for row in cells(html))
