"""Masked fields: the same in files, lists, prints and error pages; shown one by one, and logged."""

import re

import pytest
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.consent import Answer
from nrm.domain.masking import FIELD_LABEL
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry, Bar, Case
from nrm.services import comparison, follow_up, provision
from nrm.services.audit import record
from tests import ledger as ledgers
from tests import world as worlds
from tests.guards.routes import all_routes, token
from tests.page import filled_in, find_form
from tests.page_checks import words
from tests.world import CANARIES

# Every masked field, as it was typed and as a page would show it when it is asked for.
FIELDS = {
    ("identity", "birth_date"): ("1987-03-19", "19 March 1987"),
    ("identity", "id_number"): ("1198770048151623", "1198770048151623"),
    ("contact", "phone"): ("+250788481516", "+250788481516"),
    ("contact", "code_word"): ("kanariseven", "kanariseven"),
    ("narrative", "place_words"): (
        "behind the mill of kanarinine",
        "behind the mill of kanarinine",
    ),
}
NAMES = ("Kanariyambere", "Kanariyakabiri")
TYPED = {
    "person": {
        "given_name": NAMES[0],
        "family_name": NAMES[1],
        "birth_date": CANARIES["birth_date"],
        "id_number": CANARIES["id_number"],
    },
    "contact": {"phone": CANARIES["contact_phone"], "code_word": CANARIES["code_word"]},
    "place": {"place_words": CANARIES["place_words"]},
}
SHARED = ("identity", "contact", "narrative")
EACH = pytest.mark.parametrize(("compartment", "field"), FIELDS)


def test_every_masked_field_is_tried():
    assert set(FIELDS) == set(FIELD_LABEL)


@pytest.fixture
def person(world):
    """Take one person of whom everything is known to an accepting provider: (case, referral)."""
    case = worlds.consented(world, "lakes", SHARED, **TYPED)
    sent = worlds.refer(world, case)
    with world.entered():
        provision.accept(world.actor("provider"), sent, world.pack)
    return case, sent


def told(html):
    """Name the masked fields of which a page holds the value, in any writing."""
    text = str(html)
    return {key for key, writings in FIELDS.items() if any(writing in text for writing in writings)}


def open_all(page, case):
    page.get(f"/cases/{case}")
    for group in SHARED:
        page.post(f"/cases/{case}/open/{group}", {f"{group}-reason": "safety"})
    return page.get(f"/cases/{case}")


def reveals(world):
    with world.entered():
        query = select(AuditEntry).where(AuditEntry.action == Action.FIELD_REVEAL)
        return [
            (entry, ledgers.detail(entry)) for entry in db.session.scalars(query.order_by("seq"))
        ]


def test_an_open_file_masks_what_is_masked_and_keeps_what_is_needed_for_safety(signed_in, person):
    html = open_all(signed_in("coordinator"), person[0])
    assert told(html) == set()
    assert all(name in str(html) for name in NAMES)
    assert {words(one) for one in html.select(".nrm-mask")} == {
        "1987, day hidden", "ends in 623", "ends in 516", "hidden",
    }  # fmt: skip
    assert "In the morning." in words(html.select_one(".nrm-identity__safety"))


def test_what_consent_opened_to_a_provider_is_masked_too(signed_in, person):
    html = signed_in("provider").get(f"/referrals/{person[1]}")
    assert told(html) == set()
    assert len(html.select(".nrm-mask")) == len(FIELDS)


@EACH
def test_a_field_of_a_file_is_shown_once_and_the_log_has_its_name(
    world, signed_in, person, compartment, field
):
    page = signed_in("coordinator")
    open_all(page, person[0])
    path = f"/cases/{person[0]}/show/{compartment}/{field}"
    html = page.post(path, status=200)
    assert told(html) == {(compartment, field)}
    assert "no-store" in page.response.headers["Cache-Control"]
    [(entry, detail)] = reveals(world)
    assert (entry.purpose, entry.compartments, entry.outcome) == ("safety", compartment, "done")
    assert detail == {"fields": [field], "counts": {}}
    assert FIELDS[compartment, field][0] not in repr(entry.__dict__)
    # The next page does not have it any more.
    assert told(page.get(f"/cases/{person[0]}")) == set()


@EACH
def test_a_field_is_shown_to_a_provider_whom_consent_covers(
    world, signed_in, person, compartment, field
):
    page = signed_in("provider")
    page.get(f"/referrals/{person[1]}")
    html = page.post(f"/referrals/{person[1]}/show/{compartment}/{field}", status=200)
    assert told(html) == {(compartment, field)}
    [(entry, detail)] = reveals(world)
    assert (entry.subject_type, entry.compartments) == (
        "referral",
        " ".join(sorted((compartment, "envelope"))),
    )
    assert detail["fields"] == [field]
    assert told(page.get(f"/referrals/{person[1]}")) == set()


def test_a_page_that_is_loaded_anew_shows_nothing_a_second_time(world, signed_in, person):
    page = signed_in("coordinator")
    html = open_all(page, person[0])
    path = f"/cases/{person[0]}/show/contact/phone"
    fields = filled_in(find_form(html, page.path, path))
    page.post_raw(path, fields, status=200)
    page.post_raw(path, fields, status=303)
    assert told(page.follow()) == set()
    assert len(reveals(world)) == 1


def test_a_field_whose_part_has_closed_again_asks_for_a_reason(world, signed_in, person):
    page = signed_in("coordinator")
    page.get(f"/cases/{person[0]}")
    path = f"/cases/{person[0]}/show/contact/phone"
    html = page.post_raw(path, {"csrf_token": token(page)}, status=422)
    assert told(html) == set()
    link = html.select_one(".govuk-error-summary a")
    assert (link.text, link["href"]) == ("Choose a reason first", "#contact-reason")
    assert reveals(world) == []


@pytest.mark.parametrize("field", ["given_name", "words", "health_words", "account", "nothing"])
def test_no_other_field_can_be_asked_for_by_itself(world, signed_in, person, field):
    for who, path in (
        ("coordinator", f"/cases/{person[0]}"),
        ("provider", f"/referrals/{person[1]}"),
    ):
        page = signed_in(who)
        page.get(path)
        for compartment in ("identity", "contact", "narrative", "health", "enforcement", "facts"):
            page.post_raw(
                f"{path}/show/{compartment}/{field}", {"csrf_token": token(page)}, status=404
            )
    assert reveals(world) == []


def withdraw_consent(world, case):
    worlds.agree(world, case, compartments=(), answer=Answer.WITHDRAWN)


def narrow_consent(world, case):
    worlds.agree(world, case, compartments=("identity",))


def end_the_case(world, case):
    with world.entered():
        version = worlds.version(world, case)
        coordinator = world.actor("coordinator")
        follow_up.close(coordinator, case, "plan_completed", "", version=version, pack=world.pack)


def bar_the_provider(world, case):
    with world.entered(), unit_of_work() as unit:
        found = db.session.scalars(select(Case.id).where(Case.reference == case)).one()
        db.session.add(
            Bar(
                case_id=found,
                organisation_id=world.organisations["lakes"],
                reason="practice",
                placed_by_id=world.accounts["coordinator"],
                placed_at=unit.now,
            )
        )
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


@pytest.mark.parametrize(
    ("happens", "status"),
    [
        (withdraw_consent, 403),
        (narrow_consent, 403),
        (end_the_case, 403),
        (bar_the_provider, 404),
    ],
)
def test_what_closes_while_the_page_is_open_is_refused_at_once(
    world, signed_in, person, happens, status
):
    page = signed_in("provider")
    html = page.get(f"/referrals/{person[1]}")
    path = f"/referrals/{person[1]}/show/contact/phone"
    fields = filled_in(find_form(html, page.path, path))
    happens(world, person[0])
    answer = page.post_raw(path, fields, status=status)
    assert told(answer) == set()
    assert reveals(world) == []
    # The page with the rest of what was open says no more either.
    again = page.client.get(f"/referrals/{person[1]}")
    assert "ends in 516" not in again.get_data(as_text=True)


def test_a_form_of_another_site_or_without_its_token_shows_nothing(world, signed_in, person):
    page = signed_in("coordinator")
    open_all(page, person[0])
    path = f"/cases/{person[0]}/show/contact/phone"
    assert told(page.post_raw(path, {}, status=400)) == set()
    headers = {"Sec-Fetch-Site": "cross-site"}
    fields = {"csrf_token": token(page)}
    assert told(page.post_raw(path, fields, status=403, headers=headers)) == set()
    assert reveals(world) == []


def test_lists_tell_names_by_their_first_letters(signed_in, person):
    assert person[0]
    page = signed_in("coordinator")
    html = page.get("/search")
    html = page.post("/search", {"names": "Kanariyambere Kanariyakabiri"}, status=200)
    row = html.select_one("#found tbody tr")
    assert "K. K." in words(row)
    assert "Born 1987" in words(row)
    # What was typed stands in the box in which it was typed, and nowhere else.
    assert not any(name in str(html.select_one("#found")) for name in NAMES)
    assert told(html.select_one("#found")) == set()


def test_the_comparison_of_two_files_and_every_other_list_tell_none(world, signed_in, person):
    second = worlds.flag(world, **TYPED)
    with world.entered():
        assert comparison.compare_new().done
    page = signed_in("coordinator")
    for path in (f"/cases/{second}", f"/cases/{second}/known"):
        html = page.get(path)
        assert person[0] in str(html)
        assert told(html) == set()
        assert not any(name in str(html) for name in NAMES)


def test_a_page_that_tells_of_a_conflict_masks_as_well(world, signed_in, person):
    page = signed_in("coordinator")
    open_all(page, person[0])
    page.get(f"/cases/{person[0]}/close")
    form = filled_in(find_form(page.html, page.path, f"/cases/{person[0]}/close"))
    end_the_case(world, person[0])
    typed = {**form, "reason": "plan_completed", "words": "Typed with care."}
    html = page.post_raw(f"/cases/{person[0]}/close", typed, status=409)
    assert told(html) == set()
    assert not any(name in str(html) for name in NAMES)


# Pages of a referral that stand among those of other things.
REFERRALS = {"glass.referral", "printing.referral"}


def test_no_page_of_the_program_tells_a_masked_field_that_was_not_asked_for(
    world, signed_in, person, counted
):
    """Every page and file that anybody reaches without an id of its own, and every inner page."""
    asked = set()
    for name in (
        "coordinator",
        "provider",
        "auditor",
        "administrator",
        "analyst",
        "other_responder",
    ):
        page = signed_in(name)
        if name == "coordinator":
            open_all(page, person[0])
        for route in all_routes(world.app):
            if "GET" not in route.methods or set(route.parameters) - {"reference"}:
                continue
            mine = person[route.endpoint.startswith("provision.") or route.endpoint in REFERRALS]
            answer = page.client.get(route.at(reference=mine))
            text = answer.get_data(as_text=True)
            assert told(text) == set(), f"{name} {route.endpoint}"
            if answer.status_code == 200:
                asked.add((name, route.endpoint))
    assert {("provider", endpoint) for endpoint in REFERRALS} <= asked
    # The one file that is asked for by a form; the rest are asked for by their addresses.
    page = signed_in("auditor")
    export = page.client.post("/audit/export", data={"csrf_token": token(page)})
    assert export.mimetype == "text/csv"
    assert told(export.get_data(as_text=True)) == set()
    counted(f"{len(asked) + 1} pages and files read, {len(FIELDS)} masked fields: none told")
    assert len(asked) > 50


def test_a_screen_reader_hears_which_field_a_button_shows(signed_in, person):
    html = open_all(signed_in("coordinator"), person[0])
    said = [words(button) for button in html.select(".nrm-show__button")]
    assert sorted(said) == sorted(
        ["Show Date of birth", "Show Identity number", "Show Phone number", "Show Code word",
         "Show Exact place"]
    )  # fmt: skip
    assert all(
        re.search(r"/show/\w+/\w+#\w+$", form["action"]) for form in html.select(".nrm-show")
    )
