"""A first responder flags a person: every page, what is refused, and what nobody else may see."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from nrm.db import db
from nrm.domain import flag
from nrm.domain.lifecycle import Assistance, Identification
from nrm.models import Case, FlagDraft
from nrm.services import casefile, identification
from tests import world as worlds
from tests.page_checks import words

RIGHT = {
    "report": {"source": "police", "district": "11", "station_reference": "OB-77"},
    "place": {"place": "street", "sector": "Gitega", "place_words": "Behind the practice mill."},
    "person": {
        "given_name": "Practicename",
        "family_name": "Practicefamily",
        "birth_date": ["27", "3", "2001"],
        "sex": "female",
        "citizenship": "BI",
        "languages": ["run", "swa"],
        "id_number": "ID-4711",
    },
    "signs": {"indicators": ["cannot_leave", "debt"], "account": "A practice account."},
    "risk": {"immediate_risk": "reachable_tonight", "needs": ["emergency_shelter", "transport"]},
    "contact": {"method": "phone", "phone": "0788 123 456", "words": "Mornings only."},
    "consent": {"consent_asked": "yes", "agrees": "yes"},
}
# What tells of the person, as it was typed and as it is kept.
PERSONAL = ["Practicename", "Practicefamily", "ID-4711", "practice mill", "0788 123", "+25078812"]
FULL = "x" * 50_000


@pytest.fixture
def responder(signed_in):
    return signed_in("first_responder")


def start(page):
    """Press "Flag a person": the address of the new draft."""
    page.get("/flags")
    page.post("/flags/start")
    draft = page.response.headers["Location"]
    page.follow()
    return draft


def fill(page, draft, *names, **changed):
    for name in names or RIGHT:
        page.post(f"{draft}/{name}", {**RIGHT[name], **changed.get(name, {})})


def leads_to(page):
    return page.response.headers["Location"]


def sent(page, **changed):
    """Write and send a whole flag: its reference."""
    draft = start(page)
    fill(page, draft, **changed)
    page.post(f"{draft}/check")
    return leads_to(page).split("/")[2]


def errors(html):
    """Give the lines of the error summary by the field that they lead to."""
    links = html.select(".govuk-error-summary__list a")
    for link in links:
        assert html.find(id=link["href"][1:]), f"{link['href']} is not on the page"
    return {link["href"][1:]: words(link) for link in links}


def refuse(page, name, typed, before=()):
    """Send one page that must be refused; give its errors and the page."""
    draft = start(page)
    fill(page, draft, *before) if before else None
    html = page.post(f"{draft}/{name}", typed, status=422)
    assert words(html.title).startswith("Error: ")
    return errors(html), html


def field(html, name):
    return html.find(attrs={"name": name})


def ticked(html, name):
    found = html.find_all(attrs={"name": name, "checked": True})
    return [element["value"] for element in found]


def cases(world):
    with world.entered():
        return db.session.scalars(select(Case)).all()


def test_a_flag_goes_from_the_first_page_to_a_reference(world, responder):
    draft = start(responder)
    onward = [*list(flag.PAGES)[1:], "check"]
    for name, following in zip(flag.PAGES, onward, strict=True):
        responder.get(f"{draft}/{name}")
        responder.post(f"{draft}/{name}", RIGHT[name])
        assert leads_to(responder) == f"{draft}/{following}"
    check = words(responder.follow().main)
    for said in ("Nyarugenge", "Gitega", "27 March 2001", "Kirundi", "+250788123456", "Transport"):
        assert said in check
    responder.post(f"{draft}/check")
    html = responder.follow()
    [case] = cases(world)
    assert case.reference in words(html.main)
    assert (case.identification, case.urgency) == (Identification.FLAGGED, 0)


def test_what_was_typed_reaches_the_case_as_it_was_typed(world, responder):
    story = "مرحبا، عالم\nسلم 🙂 “quoted” <b>&amp;</b>"
    reference = sent(responder, signs={"account": story.replace("\n", "\r\n")})
    with world.entered():
        reasons = dict.fromkeys(("identity", "contact", "narrative"), "safety")
        overview = casefile.overview(world.actor("coordinator"), reference, reasons)
    assert overview.opened["narrative"]["account"] == story
    assert overview.opened["identity"]["birth_date"].told == "2001"
    assert overview.opened["contact"]["phone"].told == "456"
    assert overview.file.facts["needs"] == ["emergency_shelter", "transport"]
    assert overview.file.facts["age_band"] == "25_34"


def test_sending_twice_makes_one_case(world, responder):
    draft = start(responder)
    fill(responder, draft)
    html = responder.get(f"{draft}/check")
    typed = {"csrf_token": html.main.find(attrs={"name": "csrf_token"})["value"]}
    leads = set()
    # Another window has a form with a number of its own, and still it is the same flag.
    for form_id in ("", "3f1a2b3c-0000-4000-8000-000000000001"):
        responder.post_raw(f"{draft}/check", {**typed, "form_id": form_id}, status=303)
        leads.add(leads_to(responder))
    assert len(leads) == 1
    assert len(cases(world)) == 1


def test_starting_twice_with_one_form_makes_one_draft(world, responder):
    html = responder.get("/flags")
    typed = {one["name"]: one["value"] for one in html.main.form.find_all("input")}
    leads = set()
    for _time in range(2):
        responder.post_raw("/flags/start", typed, status=303)
        leads.add(leads_to(responder))
    with world.entered():
        assert db.session.scalar(select(func.count()).select_from(FlagDraft)) == 1
    assert len(leads) == 1


def test_saved_answers_come_back(responder):
    draft = start(responder)
    fill(responder, draft)
    assert field(responder.get(f"{draft}/place"), "place_words").text.strip() == (
        "Behind the practice mill."
    )
    person = responder.get(f"{draft}/person")
    assert [part["value"] for part in person.find_all(attrs={"name": "birth_date"})] == [
        "27",
        "03",
        "2001",
    ]
    assert ticked(person, "languages") == ["swa", "run"]
    assert field(responder.get(f"{draft}/contact"), "phone")["value"] == "+250788123456"
    assert ticked(responder.get(f"{draft}/consent"), "agrees") == ["yes"]


def test_the_day_is_today_until_the_writer_says_otherwise(world, responder):
    draft = start(responder)
    fill(responder, draft, "report")
    shown = responder.get(f"{draft}/place").find_all(attrs={"name": "found_on"})
    today = world.today
    assert [int(part["value"]) for part in shown] == [today.day, today.month, today.year]
    responder.post(f"{draft}/place", {"place": "street", "found_on": ["", "", ""]})
    again = responder.get(f"{draft}/place").find_all(attrs={"name": "found_on"})
    assert not any(part.get("value") for part in again)


def test_save_and_leave_keeps_a_page_that_lacks_answers(responder):
    draft = start(responder)
    responder.post(f"{draft}/contact", {"method": "phone", "words": "After dark.", "leave": "1"})
    assert leads_to(responder) == "/flags"
    assert "Your draft is saved" in words(responder.follow().main)
    assert "Safe contact Started" in words(responder.get(draft).main)
    html = responder.get(f"{draft}/contact")
    assert ticked(html, "method") == ["phone"]
    assert field(html, "words").text.strip() == "After dark."
    responder.get(f"{draft}/check")
    assert "Safe contact" in words(responder.html.select_one(".nrm-callout"))


def test_a_page_that_was_left_without_needs_does_not_claim_that_there_are_none(responder):
    draft = start(responder)
    responder.post(f"{draft}/risk", {"immediate_risk": "unsure", "leave": "1"})
    assert ticked(responder.get(f"{draft}/risk"), "needs") == []
    responder.post(f"{draft}/risk", {"immediate_risk": "unsure", "needs": "none"})
    assert ticked(responder.get(f"{draft}/risk"), "needs") == ["none"]


def test_save_and_leave_still_says_what_is_wrong(responder):
    draft = start(responder)
    html = responder.post(
        f"{draft}/contact", {"method": "phone", "phone": "hello", "leave": "1"}, status=422
    )
    assert list(errors(html)) == ["phone"]


def test_a_finished_page_is_left_for_my_work_and_the_next_open_page_is_offered(responder):
    draft = start(responder)
    fill(responder, draft, "report", "place", "signs")
    responder.post(f"{draft}/report", {**RIGHT["report"], "leave": "1"})
    assert leads_to(responder) == "/flags"
    # Place is done already, so the way leads past it.
    responder.post(f"{draft}/report", RIGHT["report"])
    assert leads_to(responder) == f"{draft}/person"


def test_open_pages_are_named_and_nothing_is_sent(world, responder):
    draft = start(responder)
    fill(responder, draft, *[name for name in RIGHT if name not in ("signs", "consent")])
    html = responder.get(f"{draft}/check")
    named = html.select(".nrm-callout a")
    assert [link["href"] for link in named] == [f"{draft}/signs", f"{draft}/consent"]
    assert "Send the flag" not in words(html.main)
    typed = {"csrf_token": html.find(attrs={"name": "csrf_token"})["value"]}
    html = responder.post_raw(f"{draft}/check", typed, status=422)
    assert "Answer the open pages before you send the flag." in words(html.main)
    assert cases(world) == []


def test_a_no_is_said_plainly_and_can_be_sent(world, responder):
    draft = start(responder)
    fill(responder, draft, consent={"agrees": "no"})
    told = words(responder.get(f"{draft}/check").select_one(".nrm-callout--safety"))
    assert "safety help does not depend on the answer" in told
    responder.post(f"{draft}/check")
    assert len(cases(world)) == 1


def test_an_answer_that_another_answer_made_void_is_not_kept(responder):
    draft = start(responder)
    typed = {"consent_asked": "no", "agrees": "yes", "not_asked_reason": "unwell"}
    fill(responder, draft, consent=typed)
    check = words(responder.get(f"{draft}/check").main)
    assert "Too unwell or too distressed" in check
    assert "do they agree" not in check


def test_another_district_takes_the_sector_away_and_says_so(responder):
    draft = start(responder)
    fill(responder, draft, "report", "place")
    responder.post(f"{draft}/report", {**RIGHT["report"], "district": "33"})
    assert "If you know the sector, choose it again" in words(responder.follow().main)
    html = responder.get(f"{draft}/place")
    assert not html.select("#sector option[selected]")
    assert field(html, "place_words").text.strip() == "Behind the practice mill."


WRONG = {
    "nothing said": ("report", {}, {"source": "Choose how", "district": "Choose the district"}),
    "no such source": ("report", {**RIGHT["report"], "source": "bogus"}, {"source": "Choose an"}),
    "a long reference": (
        "report",
        {**RIGHT["report"], "station_reference": "x" * 201},
        {"station_reference": "200 characters or fewer"},
    ),
    "no place": ("place", {}, {"place": "Choose the kind of place"}),
    "a sector elsewhere": (
        "place",
        {"place": "street", "sector": "Nowhere"},
        {"sector": "Choose an answer"},
    ),
    "no such day": (
        "place",
        {"place": "street", "found_on": ["31", "2", "2026"]},
        {"found_on": "Enter a real date"},
    ),
    "words for a day": (
        "place",
        {"place": "street", "found_on": ["last", "week", ""]},
        {"found_on": "Enter a real date"},
    ),
    "an impossible birth date": (
        "person",
        {"birth_date": ["30", "2", "2001"]},
        {"birth_date": "Enter a real date"},
    ),
    "born too early": (
        "person",
        {"birth_date": ["1", "1", "1899"]},
        {"birth_date": "Enter a year from 1900 on"},
    ),
    "no such language": (
        "person",
        {"languages": ["run", "bogus"]},
        {"languages": "Choose an answer"},
    ),
    "no sign at all": ("signs", {"account": "  "}, {"indicators": "Tick a sign, or write"}),
    "too long a story": (
        "signs",
        {"account": FULL},
        {"account": "What you saw or heard must be 20,000 characters or fewer"},
    ),
    "nothing about risk": (
        "risk",
        {},
        {"immediate_risk": "Say whether the person is safe", "needs": "Tick what the person needs"},
    ),
    "needs and none": (
        "risk",
        {"immediate_risk": "none", "needs": ["transport", "none"]},
        {"needs": "but not both"},
    ),
    "no way to reach": ("contact", {}, {"method": "Choose how"}),
    "no number": ("contact", {"method": "phone"}, {"phone": "Enter the phone number"}),
    "no phone number": (
        "contact",
        {"method": "phone", "phone": "0788 nobody"},
        {"phone": "Enter a phone number, like 0720 123 456"},
    ),
    "too short a number": (
        "contact",
        {"method": "phone", "phone": "0788 12"},
        {"phone": "Enter a phone number"},
    ),
    "a number with an extension": (
        "contact",
        {"method": "phone", "phone": "0788 123 456 ext 4"},
        {"phone": "Enter a phone number"},
    ),
    "nobody named": ("contact", {"method": "named_person"}, {"words": "Write who"}),
    "nowhere to meet": ("contact", {"method": "in_person"}, {"words": "Write where and when"}),
    "a number not to be called": (
        "contact",
        {"method": "do_not_contact", "phone": "0788 123 456"},
        {"phone": "they must not be contacted"},
    ),
    "consent not told": ("consent", {}, {"consent_asked": "Say whether you asked"}),
    "no answer told": ("consent", {"consent_asked": "yes"}, {"agrees": "Say what the person"}),
    "no reason told": (
        "consent",
        {"consent_asked": "no"},
        {"not_asked_reason": "Choose why you did not ask"},
    ),
}


@pytest.mark.parametrize("name", flag.PAGES)
def test_wrong_input_is_refused_in_words_and_kept(responder, subtests, name):
    before = ("report",) if name == "place" else ()
    for case, (page, typed, expected) in WRONG.items():
        if page == name:
            with subtests.test(case):
                found, html = refuse(responder, name, typed, before)
                assert list(found) == list(expected)
                assert all(message in found[at] for at, message in expected.items()), found
                assert_kept(html, typed)


def assert_kept(html, typed):
    """Whatever was typed into a line, a text or a date stands there again."""
    for asked in ("station_reference", "phone"):
        if asked in typed:
            assert field(html, asked)["value"] == typed[asked]
    if typed.get("account", "").strip():
        assert field(html, "account").text.removeprefix("\n") == typed["account"]
    for asked in ("birth_date", "found_on"):
        if asked in typed:
            shown = [part.get("value", "") for part in html.find_all(attrs={"name": asked})]
            assert shown == typed[asked]


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [("person", "birth_date", "in the future"), ("place", "found_on", "has not come yet")],
)
def test_a_day_to_come_is_refused(world, responder, name, asked, message):
    ahead = world.today + timedelta(days=1)
    day = [str(ahead.day), str(ahead.month), str(ahead.year)]
    found, html = refuse(responder, name, {"place": "street", asked: day}, ("report",))
    assert message in found[asked]
    assert [part["value"] for part in html.find_all(attrs={"name": asked})] == day


def test_a_character_that_nobody_can_see_is_refused_with_words(responder, subtests):
    for name, asked in (
        ("report", "station_reference"),
        ("place", "place_words"),
        ("person", "given_name"),
        ("person", "id_number"),
        ("signs", "account"),
        ("risk", "health_words"),
        ("contact", "code_word"),
    ):
        with subtests.test(asked):
            typed = {**RIGHT[name], asked: "be\x00fore"}
            found, _html = refuse(responder, name, typed, ("report",))
            assert "cannot be seen" in found[asked]


def test_markup_is_shown_as_text(responder):
    draft = start(responder)
    fill(responder, draft, person={"given_name": "<script>x</script>"})
    html = responder.get(f"{draft}/check")
    assert "<script>x</script>" in words(html.main)


def test_the_next_person_of_the_same_place_shares_the_incident(world, responder):
    first = sent(responder)
    responder.get(f"/flags/{first}/sent")
    responder.post("/flags/start")
    draft = leads_to(responder)
    assert f"linked to {first}" in words(responder.follow().main)
    fill(responder, draft)
    responder.post(f"{draft}/check")
    assert len({case.incident_id for case in cases(world)}) == 1
    assert len(cases(world)) == 2


def test_a_flag_cannot_be_linked_to_what_is_not_ones_own(world, responder):
    foreign = worlds.flag(world, by="other_responder")
    html = responder.get("/flags")
    typed = {one["name"]: one["value"] for one in html.main.form.find_all("input")}
    for reference in (foreign, "7K4M-29QX-C", "nonsense"):
        responder.post_raw("/flags/start", {**typed, "same_place_as": reference}, status=404)
    with world.entered():
        assert db.session.scalars(select(FlagDraft)).all() == []


def test_a_deleted_draft_is_gone_and_a_second_click_changes_nothing(world, responder):
    draft = start(responder)
    html = responder.get(f"{draft}/delete")
    typed = {one["name"]: one["value"] for one in html.main.form.find_all("input")}
    responder.post_raw(f"{draft}/delete", typed, status=303)
    assert "The draft is deleted" in words(responder.follow().main)
    responder.post_raw(f"{draft}/delete", typed, status=303)
    responder.get(draft, status=404)
    with world.entered():
        assert db.session.scalars(select(FlagDraft)).all() == []


def test_my_work_says_what_to_do_when_there_is_nothing(responder):
    html = responder.get("/flags")
    assert "You have flagged nobody yet" in words(html.main)
    assert [words(button) for button in html.main.find_all("button")] == ["Flag a person"]


def test_my_work_lists_drafts_and_flags_and_tells_nothing_of_anyone(responder):
    reference = sent(responder)
    draft = start(responder)
    fill(responder, draft, "person")
    for path in ("/flags", f"/flags/{reference}", f"/flags/{reference}/sent", draft):
        html = responder.get(path)
        for personal in PERSONAL:
            assert personal not in str(html)
    listed = responder.get("/flags")
    assert reference in words(listed.main)
    hrefs = [link["href"] for link in listed.select("section dl a")]
    assert hrefs == [draft, f"{draft}/delete"]


def test_no_title_or_address_tells_of_the_person(responder):
    draft = start(responder)
    fill(responder, draft)
    for path in (draft, f"{draft}/check", *[f"{draft}/{name}" for name in flag.PAGES]):
        html = responder.get(path)
        addresses = [link["href"] for link in html.find_all("a")]
        for personal in PERSONAL:
            assert personal not in words(html.title)
            assert personal not in words(html.h1)
            assert not any(personal in address for address in addresses)


def test_older_flags_are_on_the_next_page(world, responder):
    for _time in range(identification.PAGE + 1):
        worlds.flag(world)
    first = {link["href"] for link in responder.get("/flags").select("table a")}
    second = {link["href"] for link in responder.click("Older flags").select("table a")}
    assert (len(first), len(second), first & second) == (identification.PAGE, 1, set())
    for odd in ("nonsense", "WyIyMDI2LTAxLTAxIiwgIngiXQ", "W10"):
        html = responder.get(f"/flags?after={odd}")
        assert {link["href"] for link in html.select("table a")} == first


def test_a_flag_that_was_sent_shows_how_far_it_has_come(world, responder):
    reference = worlds.presumed(world)
    told = words(responder.get(f"/flags/{reference}").main)
    assert "Presumed victim" in told
    assert "has not recorded yet what the person needs" in told


def test_the_reference_is_spelled_out(responder):
    reference = sent(responder)
    told = words(responder.get(f"/flags/{reference}/sent").main)
    assert reference in told
    assert "The coordinator reads it by" in told
    assert "Over a radio" in told


def test_another_responder_finds_nothing(world, responder, signed_in):
    reference = sent(responder)
    draft = start(responder)
    other = signed_in("other_responder")
    token = other.get("/flags").find(attrs={"name": "csrf_token"})["value"]
    for path in (f"/flags/{reference}", f"/flags/{reference}/sent", draft, f"{draft}/delete"):
        other.get(path, status=404)
    for name in [*flag.PAGES, "check"]:
        other.get(f"{draft}/{name}", status=404)
        other.post_raw(f"{draft}/{name}", {"csrf_token": token, **RIGHT.get(name, {})}, status=404)
    other.post_raw(f"{draft}/delete", {"csrf_token": token}, status=404)
    responder.get(draft)
    assert [case.reference for case in cases(world)] == [reference]


@pytest.mark.parametrize("name", ["coordinator", "provider", "auditor", "administrator"])
def test_other_roles_have_no_part_in_it(signed_in, name):
    signed_in(name).get("/flags", status=403)


def test_what_is_not_there_is_not_found(responder):
    draft = start(responder)
    for path in (
        f"{draft}/bogus",
        f"{draft}/report/more",
        "/flags/drafts/nonsense",
        "/flags/drafts/00000000-0000-4000-8000-000000000000",
        "/flags/drafts/00000000-0000-4000-8000-000000000000/report",
        "/flags/7K4M-29QX-C",
        "/flags/nonsense/sent",
        "/flags/start",
        "/flags/%00",
        "/flags?after=%00",
        "/flags/%00",
        "/flags?after=%00",
        "/flags/%F0%9F%99%82/sent",
    ):
        responder.get(path, status=404)


def test_every_state_has_words_for_the_one_who_flagged():
    assert set(flag.WHERE_IT_STANDS) == {*Identification, *Assistance}
