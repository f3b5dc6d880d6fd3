from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from nrm.db import acting_at, db
from nrm.models import AuditEntry, Case
from nrm.services import erasure, erasure_list
from tests import world as worlds
from tests.page_checks import words
from tests.world import CANARIES, in_world


@in_world
def ask(world, reference, by="coordinator", reason="asked_by_person"):
    return erasure.ask(world.actor(by), reference, reason)


@in_world
def erase(world, by="auditor", days_ago=0):
    """Erase a case with a referral in it: (case reference, referral reference, request)."""
    reference, sent = worlds.closed(world, person={"given_name": CANARIES["given_name"]})
    erasure_id = erasure.ask(world.actor("coordinator"), reference, "asked_by_person")
    with acting_at(datetime.now(UTC) - timedelta(days=days_ago)):
        erasure.carry_out(world.actor(by), erasure_id, reference, world.app.config["NRM"])
    return reference, sent, erasure_id


@in_world
def entries(world, action):  # noqa: ARG001 - `in_world` enters it
    query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
    return db.session.scalars(query).all()


def errors(html):
    """Give each message of the summary by the id of the field that it leads to."""
    links = html.select(".govuk-error-summary__list a")
    assert all(html.find(id=link["href"][1:]) for link in links)
    return {link["href"][1:]: words(link) for link in links}


def rows(html):
    """Give the summary list by its keys."""
    return {
        words(row.dt): words(row.dd) for row in html.select(".govuk-summary-list__row") if row.dt
    }


def test_one_asks_on_the_closed_file_and_another_erases_it(world, signed_in):
    reference, _ = worlds.closed(world)
    coordinator = signed_in("coordinator")
    coordinator.get(f"/cases/{reference}")
    html = coordinator.click("Ask for the erasure of this file")
    assert words(html.h1) == "Ask for the erasure"
    coordinator.post(f"/cases/{reference}/erase", {"reason": "court_order"})
    html = coordinator.follow()
    assert "Another person carries it out" in words(html)
    assert rows(html)["Why"] == "A court ordered it"
    # Whoever asked may take it back, and no more.
    assert html.find("a", string="Carry out the erasure") is None
    assert html.find("button", string="Take the request back")
    html = coordinator.get(f"/cases/{reference}")
    assert "The erasure of this file was asked for." in words(html)

    auditor = signed_in("auditor")
    html = auditor.get("/erasures")
    assert [words(cell) for cell in html.select("tbody tr")[0].select("th, td")][:3] == [
        reference,
        "A court ordered it",
        world.person_name("coordinator"),
    ]
    html = auditor.click(reference)
    assert html.find("a", string="Open the file") is None
    html = auditor.click("Carry out the erasure")
    assert "Nobody can undo this" in words(html)
    auditor.post(auditor.path, {"reference": reference.lower()})
    html = auditor.follow()
    assert words(html.h1) == "This file was erased"
    told = rows(html)
    assert told["Asked by"].startswith(world.person_name("coordinator"))
    assert told["Carried out by"].startswith(world.person_name("auditor"))
    assert "Case erased" in words(html.aside)
    assert [entry.case_id for entry in entries(world, "case:erase")] != [None]
    assert "No erasure waits for an answer." in words(auditor.get("/erasures"))
    assert reference in words(auditor.get("/erasures?state=done"))


def test_the_auditor_reaches_no_page_of_the_file(world, signed_in):
    reference, _ = worlds.closed(world)
    erasure_id = ask(world, reference)
    auditor = signed_in("auditor")
    html = auditor.get(f"/erasures/{erasure_id}")
    assert html.select(f'a[href*="{reference}"]') == []
    for path in ("", "/erase", "/consent", "/help"):
        auditor.get(f"/cases/{reference}{path}", status=403)


def test_without_a_reason_nothing_is_asked_for(world, signed_in):
    reference, _ = worlds.closed(world)
    page = signed_in("coordinator")
    html = page.post(f"/cases/{reference}/erase", status=422)
    assert errors(html) == {"reason": "Choose why the file should be erased"}
    assert entries(world, "erasure:ask") == []


def test_an_open_file_is_not_offered_for_erasure_and_refuses_it(world, signed_in):
    reference = worlds.flag(world)
    page = signed_in("coordinator")
    html = page.get(f"/cases/{reference}")
    assert html.select('a[href$="/erase"]') == []
    html = page.get(f"/cases/{reference}/erase")
    assert "Close the case first." in words(html)
    assert html.find("input", attrs={"name": "reason"}) is None
    token = html.find("input", attrs={"name": "csrf_token"})["value"]
    fields = {"csrf_token": token, "reason": "court_order"}
    page.post_raw(f"/cases/{reference}/erase", fields, status=409)
    assert entries(world, "erasure:ask") == []


@pytest.mark.parametrize("typed", ["", "7K4M-29QX-C", "the wrong one", "x" * 201])
def test_a_wrong_reference_is_told_kept_and_erases_nothing(world, signed_in, typed):
    reference, _ = worlds.closed(world)
    erasure_id = ask(world, reference)
    page = signed_in("auditor")
    html = page.post(f"/erasures/{erasure_id}/erase", {"reference": typed}, status=422)
    assert list(errors(html)) == ["reference"]
    assert html.find(id="reference").get("value", "") == typed
    assert entries(world, "case:erase") == []


def test_whoever_asked_is_refused_through_every_window(world, signed_in):
    reference, _ = worlds.closed(world)
    erasure_id = ask(world, reference)
    first, second = signed_in("coordinator"), signed_in("coordinator")
    for page in (first, second):
        html = page.get(f"/erasures/{erasure_id}/erase", status=403)
        assert "Someone other than the person who asked" in words(html)
        token = html.find("input", attrs={"name": "csrf_token"})["value"]
        fields = {"csrf_token": token, "reference": reference}
        page.post_raw(f"/erasures/{erasure_id}/erase", fields, status=403)
        page.post_raw(f"/erasures/{erasure_id}/refuse", fields, status=403)
    # Nor does asking a second time, or another's wish to take it back, open a way.
    page = signed_in("second_coordinator")
    html = page.post(f"/cases/{reference}/erase", {"reason": "duplicate"}, status=409)
    assert "was asked for already" in words(html)
    fields["csrf_token"] = html.find("input", attrs={"name": "csrf_token"})["value"]
    page.post_raw(f"/erasures/{erasure_id}/take-back", fields, status=403)
    assert entries(world, "case:erase") == []


def test_sent_twice_it_is_erased_once(world, signed_in):
    reference, _ = worlds.closed(world)
    erasure_id = ask(world, reference)
    page = signed_in("auditor")
    html = page.get(f"/erasures/{erasure_id}/erase")
    fields = {
        field["name"]: field["value"] for field in html.select("main form input[type=hidden]")
    }
    for _ in range(2):
        page.post_raw(
            f"/erasures/{erasure_id}/erase", {**fields, "reference": reference}, status=303
        )
        assert page.response.headers["Location"] == f"/erasures/{erasure_id}"
    assert len(entries(world, "case:erase")) == 1


def test_the_slower_of_two_is_told_who_was_faster(world, signed_in):
    reference, _ = worlds.closed(world)
    erasure_id = ask(world, reference)
    slow = signed_in("second_coordinator")
    slow.get(f"/erasures/{erasure_id}/erase")
    signed_in("auditor").post(f"/erasures/{erasure_id}/erase", {"reference": reference})
    html = slow.post(f"/erasures/{erasure_id}/erase", {"reference": reference}, status=409)
    assert f"The file was erased, by {world.person_name('auditor')}" in words(html)
    html = slow.get(f"/erasures/{erasure_id}/erase")
    assert "This request was answered" in words(html)


def test_a_request_is_taken_back_or_refused_and_the_file_stays(world, signed_in):
    reference, _ = worlds.closed(world)
    page, auditor = signed_in("coordinator"), signed_in("auditor")
    erasure_id = ask(world, reference)
    page.get(f"/erasures/{erasure_id}")
    page.post(f"/erasures/{erasure_id}/take-back")
    html = page.follow()
    assert "Nothing was erased." in words(html)
    assert rows(html)["Taken back by"].startswith(world.person_name("coordinator"))
    erasure_id = ask(world, reference)
    auditor.get(f"/erasures/{erasure_id}")
    auditor.post(f"/erasures/{erasure_id}/refuse")
    assert rows(auditor.follow())["Refused by"].startswith(world.person_name("auditor"))
    html = page.get(f"/erasures/{erasure_id}")
    assert page.click("Open the file").h1
    assert html.find("button", string="Take the request back") is None
    assert ask(world, reference)


def test_an_erased_file_leads_to_who_erased_it_and_why(world, signed_in):
    reference, _, erasure_id = erase(world)
    page = signed_in("coordinator")
    for path in (
        "",
        "/consent",
        "/help",
        "/presume",
        "/close",
        "/erase",
        "/needs",
        "/exploitation",
    ):
        page.client.get("/")
        page._read(path, page.client.get(f"/cases/{reference}{path}"), None)
        assert page.response.headers["Location"] == f"/erasures/{erasure_id}"
    html = page.follow()
    assert words(html.h1) == "This file was erased"
    assert html.find("a", string="Open the file") is None
    # What is sent to it is refused in plain words, and the log knows.
    for path, fields in (
        ("/close", {"reason": "other", "version": "1"}),
        ("/open/identity", {"identity-reason": "safety"}),
        ("/erase", {"reason": "court_order"}),
    ):
        fields["csrf_token"] = html.find("input", attrs={"name": "csrf_token"})["value"]
        gone = page.post_raw(f"/cases/{reference}{path}", fields, status=410)
        assert words(gone.h1) == "This file was erased"
        assert gone.find("a", href=f"/erasures/{erasure_id}")
    assert [entry.outcome for entry in entries(world, "access:refused")] == ["not_found"] * 3


def test_whoever_flagged_and_whoever_helped_are_told_that_it_is_gone(world, signed_in):
    reference, sent, _ = erase(world)
    responder, provider = signed_in("first_responder"), signed_in("provider")
    html = responder.get("/flags")
    assert "Erased" in words(html.select("tbody tr")[0])
    html = responder.get(f"/flags/{reference}", status=410)
    assert reference in words(html.main)
    assert "Nobody can read it any more" in words(html.main)
    assert html.main.select('a[href^="/erasures"]') == []
    html = provider.get("/inbox?state=closed")
    assert sent in words(html.main)
    html = provider.get(f"/referrals/{sent}", status=410)
    # The provider knows the referral alone, and is told of no case.
    assert sent in words(html.main)
    assert reference not in str(html)


def test_others_do_not_learn_that_it_was_there(world, signed_in):
    reference, sent, erasure_id = erase(world)
    signed_in("other_responder").get(f"/flags/{reference}", status=404)
    signed_in("other_provider").get(f"/referrals/{sent}", status=404)
    for name in ("first_responder", "provider", "analyst", "administrator"):
        signed_in(name).get(f"/erasures/{erasure_id}", status=403)


def test_finding_it_by_reference_says_that_it_is_gone(world, signed_in):
    reference, _, erasure_id = erase(world)
    page = signed_in("coordinator")
    html = page.post("/cases/find", {"reference": reference}, status=410)
    assert html.find("a", href=f"/erasures/{erasure_id}")
    assert reference not in words(page.get("/cases").main)


def test_until_copies_are_gone_the_page_says_so(world, signed_in):
    *_, long_ago = erase(world, days_ago=36)
    *_, today = erase(world)
    page = signed_in("auditor")
    said = "whoever has such a copy and the key file too could still open it"
    assert said in words(page.get(f"/erasures/{today}"))
    assert said not in words(page.get(f"/erasures/{long_ago}"))


def test_the_list_is_paged(world, signed_in, monkeypatch):
    monkeypatch.setattr(erasure, "PAGE", 1)
    references = [worlds.closed(world)[0] for _ in range(2)]
    for reference in references:
        ask(world, reference)
    page = signed_in("coordinator")
    html = page.get("/erasures")
    assert [words(cell) for cell in html.select("tbody th")] == [references[1]]
    html = page.click("Older requests")
    assert [words(cell) for cell in html.select("tbody th")] == [references[0]]
    page.click("First page")


def test_nothing_of_the_person_stands_on_any_page_of_an_erasure(world, signed_in):
    reference, _ = worlds.closed(
        world,
        words=CANARIES["service_words"],
        person={"given_name": CANARIES["given_name"], "id_number": CANARIES["id_number"]},
        signs={"account": CANARIES["account"]},
    )
    erasure_id = ask(world, reference)
    page = signed_in("auditor")
    texts = [
        str(page.get(path))
        for path in ("/erasures", f"/erasures/{erasure_id}", f"/erasures/{erasure_id}/erase")
    ]
    page.post(f"/erasures/{erasure_id}/erase", {"reference": reference})
    texts += [str(page.follow()), world.app.config["NRM"].erasures.read_text(encoding="utf-8")]
    shown = [name for name, value in CANARIES.items() if any(value in text for text in texts)]
    assert shown == []


def test_a_full_disk_is_not_the_readers_trouble(world, signed_in, monkeypatch):
    reference, _ = worlds.closed(world)
    erasure_id = ask(world, reference)

    def full(_path, _lines):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(erasure_list, "append", full)
    signed_in("auditor").post(f"/erasures/{erasure_id}/erase", {"reference": reference})
    with world.entered():
        case = db.session.scalars(select(Case).where(Case.reference == reference)).one()
        assert case.erased_at is not None
