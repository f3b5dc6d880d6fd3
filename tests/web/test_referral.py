from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from nrm.db import db
from nrm.domain.reference import new_case_reference, new_referral_reference
from nrm.services import casefile, directory, follow_up, provision, referral
from tests import world as worlds
from tests.page_checks import words

SAFETY, ARRANGEMENTS = worlds.CANARIES["safety"], worlds.CANARIES["arrangements"]


def keeps(html):
    return [words(keep) for keep in html.select(".nrm-keep")]


def choose(page, case, service="emergency_shelter", **fields):
    """Look for providers as a person would, and give the list."""
    page.get(f"/cases/{case}/providers")
    page.post(f"/cases/{case}/providers", {"service": service, **fields}, form="filter")
    return page.follow()


def prepare(world, page, case, provider="lakes"):
    """Choose a provider from the list, and give the page of what it will be told."""
    choose(page, case)
    to = str(world.organisations[provider])
    page.post(f"/cases/{case}/providers", {"service": "emergency_shelter", "to": to}, form="filter")
    return page.follow()


def test_needs_are_ticked_with_what_was_noted_before(world, signed_in):
    case = worlds.presumed(world)
    page = signed_in("coordinator")
    html = page.get(f"/cases/{case}/help")
    assert words(html.select_one(".nrm-next h2")) == "Record what the person needs"
    html = page.click("Record needs")
    ticked = [box["value"] for box in html.select("input[type=checkbox][checked]")]
    assert ticked == ["emergency_shelter"]
    data = {"now": ["emergency_shelter", "transport"], "law": ["documents"]}
    page.post(f"/cases/{case}/needs", data)
    html = page.follow()
    assert "The needs are recorded." in words(html.main)
    needs = [words(term) for term in html.select(".govuk-summary-list__key")]
    assert needs == ["Emergency shelter", "Documents, legal stay or consular help", "Transport"]
    assert words(html.select_one(".nrm-next h2")) == "Find a provider for: Emergency shelter"


@pytest.mark.parametrize("data", [{"now": None}, {"now": ["gold"]}])
def test_at_least_one_need_from_the_list_is_asked_for(world, signed_in, data):
    case = worlds.presumed(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{case}/needs")
    html = page.post(f"/cases/{case}/needs", data, status=422)
    link = html.select_one(".govuk-error-summary a")
    assert words(link) == "Choose at least one need"
    assert link["href"] == "#now"
    assert html.find(id="now")


def test_needs_changed_by_another_are_shown_before_they_are_overwritten(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{case}/needs")
    with world.entered():
        version = worlds.version(world, case)
        other = world.actor("second_coordinator")
        referral.record_needs(other, case, ["education"], version=version, pack=world.pack)
    html = page.post(f"/cases/{case}/needs", {"health": ["mental_health"]}, status=409)
    assert "Someone else changed this case" in words(html.select_one(".govuk-error-summary"))
    assert html.select_one("input[value=mental_health]").has_attr("checked")
    page.post(f"/cases/{case}/needs")
    page.follow()
    with world.entered():
        needs = casefile.page(world.actor("coordinator"), case).facts["needs"]
    assert "mental_health" in needs


def test_only_providers_that_may_receive_something_are_offered(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    names = [words(name) for name in choose(page, case).select(".nrm-candidate__name")]
    assert names == ["Practice Shelter of the Hills", "Practice Shelter of the Lakes"]
    with world.entered():
        manager = world.actor("directory_manager")
        directory.suspend(manager, world.listings["hills"], "Practice reason.", version=2)
    names = [words(name) for name in choose(page, case).select(".nrm-candidate__name")]
    assert names == ["Practice Shelter of the Lakes"]


def test_what_speaks_for_a_provider_is_said_and_no_score(world, signed_in):
    page = signed_in("coordinator")
    html = choose(page, worlds.consented(world))
    first = html.select_one(".nrm-candidate")
    said = [words(reason) for reason in first.select(".nrm-reasons li")]
    assert said == [
        "Offers this service",
        "Takes women and girls",
        "Which ages they take is not stated",
        "Speaks a language of the person: Kirundi",
    ]
    assert "12 places; free ones not known" in words(first)
    assert "%" not in words(first)
    assert "score" not in words(html.main).lower()


def test_it_is_said_where_nobody_fits(world, signed_in):
    page = signed_in("coordinator")
    case = worlds.consented(world, person={"sex": "other"})
    assert "Something speaks against each of them." in words(choose(page, case).main)
    html = choose(page, case, district="22")
    assert "No approved provider offers “Emergency shelter” in Gisagara." in words(html.main)
    assert not html.select(".nrm-candidate")


def test_the_list_is_narrowed_to_a_district(world, signed_in):
    case = worlds.consented(world)
    html = choose(signed_in("coordinator"), case, district="33")
    names = [words(name) for name in html.select(".nrm-candidate__name")]
    assert names == ["Practice Shelter of the Lakes"]
    assert html.select_one("#district option[selected]")["value"] == "33"


def test_what_is_needed_never_stands_in_an_address(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{case}/help")
    page.post(f"/cases/{case}/providers")
    assert page.response.headers["Location"] == f"/cases/{case}/providers"
    page.follow()
    html = prepare(world, page, case)
    lakes = world.organisations["lakes"]
    assert page.path == f"/cases/{case}/providers/{lakes}"
    for link in html.find_all(["a", "form"]):
        assert "shelter" not in str(link.get("href") or link.get("action")).lower()


def test_a_service_that_is_not_on_the_list_is_refused(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{case}/providers")
    path = f"/cases/{case}/providers"
    html = page.post(path, {"service": "gold"}, status=422, form="filter")
    assert words(html.select_one(".govuk-error-summary a")) == "Choose the service"


def test_one_sees_what_the_provider_will_see(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    html = prepare(world, page, case)
    before = html.select_one(".nrm-envelope dl")
    assert keeps(html)[0] == "Name and identity Safe contact"
    path = page.path
    html = page.post(
        path, {"safety": SAFETY, "arrangements": ARRANGEMENTS, "show": "1"}, status=200
    )
    envelope = html.select_one(".nrm-envelope__body")
    assert SAFETY in words(envelope)
    assert html.find(id="safety").text.strip() == SAFETY
    page.post(path)
    html = page.follow()
    reference = words(html.select_one("article .nrm-ref"))
    assert f"The referral was sent. Its reference is {reference}." in words(html.main)
    assert "Waiting for an answer" in words(html.select_one("article"))
    seen = signed_in("provider").get(f"/referrals/{reference}").select_one(".nrm-envelope__body")
    assert words(seen.dl) == words(envelope.dl)
    assert words(seen.select_one(".nrm-callout")) == words(envelope.select_one(".nrm-callout"))
    assert len(before.select("div")) == 5


def test_without_consent_the_next_step_is_to_ask(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    html = prepare(world, page, case, "hills")
    assert words(html.select_one(".nrm-next h2")) == "Ask the person first"
    assert "Send the referral" not in words(html.main)
    assert "Nothing more than the envelope." in words(html.main)
    link = html.select_one(".nrm-next a")["href"]
    assert link == f"/cases/{case}/consent/share?to={world.organisations['hills']}"
    path = page.path
    token = html.select_one("[name=csrf_token]")["value"]
    data = {"csrf_token": token, "service": "emergency_shelter"}
    data["version"] = str(worlds.version(world, case))
    page.post_raw(path, data, status=403)
    assert "No provider has been asked yet." in words(page.get(f"/cases/{case}/help").main)
    worlds.agree(world, case, "hills", ("narrative",))
    html = page.get(path)
    assert keeps(html)[0] == "What happened"
    page.post(path)
    assert "Practice Shelter of the Hills" in words(page.follow().select_one("article"))


def test_a_provider_that_was_asked_is_marked_and_not_asked_twice(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    prepare(world, page, case)
    path = page.path
    worlds.refer(world, case)
    html = page.post(path, {"safety": "kept words"}, status=409)
    assert html.find(id="safety").text.strip() == "kept words"
    html = page.post(path, status=409)
    assert "has a referral of this case already" in words(html.select_one(".govuk-error-summary"))
    html = choose(page, case)
    assert [words(mark) for mark in html.select(".nrm-room .nrm-tag")] == ["Asked already"]
    assert len(html.select(".nrm-room button")) == 1


def test_a_referral_sent_twice_is_one(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    html = prepare(world, page, case)
    path = page.path
    for _ in range(2):
        page.html, page.path = html, path
        page.post(path)
    assert page.response.headers["Location"] == f"/cases/{case}/help"
    assert len(page.follow().select("article.nrm-card")) == 1


def test_words_that_are_too_long_are_refused_and_kept(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    prepare(world, page, case)
    typed = "é" * 20_001
    html = page.post(page.path, {"safety": typed}, status=422)
    error = html.select_one(".govuk-error-summary a")
    assert words(error) == "Safety must be 20,000 characters or fewer"
    assert error["href"] == "#safety"
    assert html.find(id="safety").text.strip() == typed


def test_a_provider_that_was_suspended_meanwhile_receives_nothing(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    prepare(world, page, case)
    with world.entered():
        manager = world.actor("directory_manager")
        directory.suspend(manager, world.listings["lakes"], "Practice reason.", version=2)
    html = page.post(page.path, status=409)
    assert "not approved for the service now" in words(html.main)


def test_without_a_service_one_chooses_first(world, signed_in):
    case = worlds.consented(world)
    page = signed_in("coordinator")
    address = f"/cases/{case}/providers/{world.organisations['lakes']}"
    page.get(address, status=302)
    assert page.response.headers["Location"] == f"/cases/{case}/providers"


def test_help_tells_what_became_of_every_referral(world, signed_in):
    case, sent = worlds.referred(world)
    page = signed_in("coordinator")
    html = page.get(f"/cases/{case}/help")
    assert words(html.select_one(".nrm-next h2")) == "Find a provider for: Emergency medical care"
    card = html.select_one("article")
    assert sent in words(card)
    assert card.select_one(".nrm-due")
    with world.entered():
        no = (sent, "no_capacity", "from Monday on", world.pack)
        provision.decline(world.actor("provider"), *no)
    card = page.get(f"/cases/{case}/help").select_one("article")
    for told in ("Declined", "No room or no capacity", "from Monday on"):
        assert told in words(card)
    assert "Withdraw" not in words(card)


def test_help_tells_of_services_given(world, signed_in):
    case, _ = worlds.served(world, words="three nights")
    html = signed_in("coordinator").get(f"/cases/{case}/help")
    assert "A provider helps" in words(html.select_one(".govuk-summary-list"))
    card = words(html.select_one("article"))
    assert "Emergency shelter: given" in card
    assert "three nights" in card


def test_a_closed_case_asks_for_nothing(world, signed_in):
    case, _ = worlds.accepted(world)
    with world.entered():
        version = worlds.version(world, case)
        coordinator = world.actor("coordinator")
        follow_up.close(coordinator, case, "other", "", version=version, pack=world.pack)
    html = signed_in("coordinator").get(f"/cases/{case}/help")
    assert not html.select(".nrm-next")
    assert "Ended" in words(html.select_one("article"))
    assert "Withdraw" not in words(html.select_one("article"))


def test_withdrawing_is_asked_once_more_and_done_once(world, signed_in):
    case, sent = worlds.accepted(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{case}/help")
    html = page.click("Withdraw the referral to Practice Shelter of the Lakes")
    assert words(html.h1) == "Withdraw this referral?"
    path = page.path
    for _ in range(2):
        page.html, page.path = html, path
        page.post(path)
    html = page.follow()
    assert "The referral was withdrawn." in words(html.main)
    assert "Withdrawn" in words(html.select_one("article"))
    page.get(f"/cases/{case}/referrals/{sent}/withdraw", status=409)


def test_a_foreign_parent_and_child_are_not_there(world, signed_in):
    case, sent = worlds.referred(world)
    other = worlds.consented(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{other}/referrals/{sent}/withdraw", status=404)
    page.get(f"/cases/{case}/referrals/{new_referral_reference()}/withdraw", status=404)
    html = page.get(f"/cases/{case}/referrals/{sent}/withdraw")
    data = {"csrf_token": html.select_one("[name=csrf_token]")["value"]}
    page.post_raw(f"/cases/{other}/referrals/{sent}/withdraw", data, status=404)
    with world.entered():
        read = provision.read(world.actor("provider"), sent)
    assert read.referral.state.value == "sent"


@pytest.mark.parametrize("inner", ["help", "needs", "providers"])
def test_a_case_that_is_not_there(signed_in, inner):
    signed_in("coordinator").get(f"/cases/{new_case_reference()}/{inner}", status=404)


@pytest.mark.parametrize("name", ["provider", "first_responder", "analyst", "administrator"])
@pytest.mark.parametrize("inner", ["help", "needs", "providers"])
def test_no_other_role_reaches_help(world, signed_in, name, inner):
    case = worlds.consented(world)
    signed_in(name).get(f"/cases/{case}/{inner}", status=403)


def test_pages_of_help_name_nobody(world, signed_in):
    named = {name: worlds.CANARIES[name] for name in ("given_name", "family_name", "id_number")}
    case = worlds.consented(world, person=named, signs={"account": worlds.CANARIES["account"]})
    page = signed_in("coordinator")
    for path in ("help", "needs", "providers"):
        assert "anari" not in str(page.get(f"/cases/{case}/{path}"))
    assert "anari" not in str(prepare(world, page, case))


def test_consent_that_has_run_out_sends_nothing(world, signed_in):
    case = worlds.consented(world)
    worlds.agree(world, case, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    html = prepare(world, signed_in("coordinator"), case)
    assert words(html.select_one(".nrm-next h2")) == "Ask the person first"


def test_a_provider_that_declined_may_be_asked_again(world, signed_in):
    case, sent = worlds.referred(world)
    with world.entered():
        provision.decline(world.actor("provider"), sent, "no_capacity", "", world.pack)
    html = choose(signed_in("coordinator"), case)
    room = words(html.select(".nrm-room")[1])
    assert "Asked already Declined" in room
    assert "Choose: Practice Shelter of the Lakes" in room


@contextmanager
def counted(world):
    """Collect the statements that the database is asked meanwhile."""
    asked = []

    def note(connection, cursor, statement, *_):
        del connection, cursor
        asked.append(statement)

    with world.entered():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def test_help_is_read_with_few_statements_however_many_referrals(world, signed_in):
    case = worlds.consented(world)
    for _ in range(3):
        sent = worlds.refer(world, case)
        with world.entered():
            provision.decline(world.actor("provider"), sent, "no_capacity", "", world.pack)
    page = signed_in("coordinator")
    with counted(world) as statements:
        html = page.get(f"/cases/{case}/help")
    assert len(html.select("article")) == 3
    assert len(statements) <= 12
