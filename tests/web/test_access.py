"""Bars, emergencies and notices as people meet them; and what closes while a page is open."""

import pytest
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.consent import Answer
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.models import BrokenGlass, Case
from nrm.services.audit import record
from tests import world as worlds
from tests.guards.routes import all_routes, token
from tests.guards.test_matrix import MAY_REACH
from tests.guards.test_relations import COMPLETE
from tests.page_checks import words

REASON = {"reason": "danger_to_life", "words": "Practice words."}
NAMES = ("Kanariyambere", "Kanariyakabiri", "+250788481516")


def known_person(world):
    """Flag somebody whose name and telephone are known, and let a provider accept them."""
    return worlds.accepted(
        world,
        person={name: worlds.CANARIES[name] for name in ("given_name", "family_name")},
        contact={"phone": worlds.CANARIES["contact_phone"]},
    )


def look_after(world, reference, who):
    with world.entered(), unit_of_work() as unit:
        case = db.session.scalars(select(Case).where(Case.reference == reference)).one()
        case.owner_id = world.accounts[who]
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)


# Emergencies.


@pytest.mark.parametrize(
    ("who", "where"),
    [
        ("coordinator", "/cases/{0}"),
        ("first_responder", "/flags/{0}"),
        ("provider", "/referrals/{1}"),
    ],
)
def test_an_emergency_names_its_reason_and_says_until_when(world, signed_in, who, where):
    made = known_person(world)
    page, path = signed_in(who), where.format(*made) + "/emergency"
    page.get(path)
    html = page.post(path, {"words": ""}, status=422)
    said = [link["href"] for link in html.select(".govuk-error-summary a")]
    assert said == ["#reason", "#words"]
    page.post(path, REASON)
    html = page.follow()
    mark = words(html.select_one(".nrm-watermark"))
    assert "Emergency access until" in mark
    assert world.person_name(who) in mark
    # Sent twice, it is opened once.
    assert page.get(path).select_one(".nrm-watermark")


def test_what_a_provider_opens_when_the_referral_is_over(world, signed_in):
    _case, sent = known_person(world)
    page = signed_in("provider")
    page.get(f"/referrals/{sent}/end")
    page.post(f"/referrals/{sent}/end")
    assert not any(name in str(page.get(f"/referrals/{sent}")) for name in NAMES)
    path = f"/referrals/{sent}/emergency"
    page.get(path)
    page.post(path, REASON)
    opened = str(page.follow())
    assert all(name in opened for name in NAMES)
    assert not any(name in str(page.get(f"/referrals/{sent}")) for name in NAMES)
    with world.entered(), unit_of_work() as unit:
        glass = db.session.scalars(select(BrokenGlass)).one()
        glass.expires_at = unit.now
        record(unit, HOUSEKEEPING, Action.GLASS_BREAK)
    assert not any(name in str(page.get(path)) for name in NAMES)


def test_every_page_of_the_case_carries_the_watermark_meanwhile(world, signed_in):
    reference, _ = known_person(world)
    page = signed_in("coordinator")
    inner = ("", "/consent", "/help", "/documents", "/access", "/kept-out", "/emergency")
    assert not any(page.get(f"/cases/{reference}{one}").select(".nrm-watermark") for one in inner)
    worlds.opened_in_emergency(world, reference)
    assert all(page.get(f"/cases/{reference}{one}").select(".nrm-watermark") for one in inner)
    other = signed_in("second_coordinator")
    assert not any(other.get(f"/cases/{reference}{one}").select(".nrm-watermark") for one in inner)


def test_the_reviewer_reads_why_and_nothing_of_the_file(world, signed_in):
    reference, _ = known_person(world)
    glass_id = worlds.opened_in_emergency(world, reference, "first_responder")
    responder = signed_in("first_responder")
    responder.get(f"/flags/{reference}/emergency")
    page = signed_in("auditor")
    html = page.get(f"/emergency/{glass_id}")
    assert worlds.CANARIES["glass_words"] in str(html)
    assert not any(name in str(html) for name in NAMES)
    path = f"/emergency/{glass_id}"
    html = page.post(path, {"verdict": "not_justified"}, status=422)
    assert html.select_one(".govuk-error-summary a")["href"] == "#words"
    page.post(path, {"verdict": "justified"})
    assert "Justified" in words(page.follow())


def test_an_overdue_review_says_so(world, signed_in):
    worlds.opened_in_emergency(world, worlds.flag(world))
    with world.entered(), unit_of_work() as unit:
        glass = db.session.scalars(select(BrokenGlass)).one()
        glass.review_due_at = unit.now
        record(unit, HOUSEKEEPING, Action.GLASS_BREAK)
    assert "Overdue" in words(signed_in("auditor").get("/emergency"))


# Bars.


def test_somebody_is_kept_out_and_let_in_again(world, signed_in):
    reference = worlds.flag(world)
    page, path = signed_in("coordinator"), f"/cases/{reference}/kept-out"
    other = signed_in("second_coordinator")
    other.get(f"/cases/{reference}")
    html = page.post(path, {"words": ""}, status=422)
    assert len(html.select(".govuk-error-summary a")) == 3
    whom = f"account:{world.accounts['second_coordinator']}"
    page.post(path, {"whom": whom, "reason": "related_to_person", "words": "Practice words."})
    html = page.follow()
    assert world.person_name("second_coordinator") in words(html)
    other.get(f"/cases/{reference}", status=404)
    other.get(path, status=404)
    lifting = html.select_one("main a[href$='/lift']")["href"]
    page.get(lifting)
    page.post(lifting, {"reason": "suspicion_cleared", "words": "Practice words."})
    assert "Lifted" in words(page.follow())
    other.get(f"/cases/{reference}")


def test_nobody_can_choose_themselves(world, signed_in):
    reference = worlds.flag(world)
    page, path = signed_in("coordinator"), f"/cases/{reference}/kept-out"
    html = page.get(path)
    offered = {option["value"] for option in html.select("select[name=whom] option")}
    assert f"account:{world.accounts['coordinator']}" not in offered
    own = f"organisation:{world.organisations['coordination']}"
    for whom in (own, f"account:{world.accounts['coordinator']}", "nonsense", "account:nonsense"):
        html = page.post(path, {"whom": whom, "reason": "other", "words": "Practice."}, status=422)
        assert html.select_one(".govuk-error-summary a")["href"] == "#whom"


def test_a_form_that_was_open_when_the_bar_was_placed_finds_nothing(world, signed_in):
    case, sent = worlds.referred(world)
    page = signed_in("provider")
    page.get(f"/referrals/{sent}")
    worlds.kept_out(world, case, "lakes")
    page.post(f"/referrals/{sent}/accept", status=404)


# Notices.


def test_every_page_of_whoever_is_told_says_so_and_nobody_elses(world, signed_in):
    """The notice of one is not hidden by a bar on another."""
    reference = worlds.flag(world)
    worlds.kept_out(world, reference, "auditor")
    worlds.opened_in_emergency(world, reference, "first_responder")
    paths = {"coordinator": "/cases", "auditor": "/audit", "first_responder": "/flags"}
    says = {
        name: bool(signed_in(name).get(path).select("header a[href='/notices']"))
        for name, path in paths.items()
    }
    assert says == {"coordinator": True, "auditor": False, "first_responder": False}
    page = signed_in("coordinator")
    html = page.get("/notices")
    assert reference in words(html)
    page.post(html.select_one("main form")["action"])
    assert not page.follow().select("header a[href='/notices']")


# Row 24 of the attack table: what closes while a page is open.

# Whoever has accepted goes on helping: its pages are there, without anything of the person; what
# shows a field is refused, and nothing can be answered a second time.
AFTER_CONSENT = {
    "GET glass.referral": 200,
    "GET printing.referral": 200,
    "GET provision.end": 409,
    # Back to the referral, where nothing of health stands any more.
    "GET provision.health": 303,
    "GET provision.read": 200,
    "GET provision.record_service": 200,
    "POST provision.accept": 409,
    "POST provision.decline": 409,
    "POST provision.end": 303,
    "POST provision.record_service": 422,
    "POST provision.show_field": 403,
}


def test_consent_taken_back_while_the_page_is_open_closes_everything_at_once(
    world, signed_in, counted
):
    case, sent = known_person(world)
    page = signed_in("provider")
    assert NAMES[0] in str(page.get(f"/referrals/{sent}"))
    worlds.agree(world, case, "lakes", (), answer=Answer.WITHDRAWN)
    csrf, answers = {"csrf_token": token(page)}, {}
    values = {"reference": sent, "compartment": "contact", "field": "phone"}
    # Ending comes last, because it closes all the rest by itself.
    for route in sorted(all_routes(world.app), key=lambda one: one.endpoint == "provision.end"):
        if route.endpoint not in MAY_REACH[Role.PROVIDER] or "reference" not in route.parameters:
            continue
        for method in sorted(route.methods, reverse=True):
            # An emergency is another door, with a reason of its own.
            if route.endpoint == "glass.referral" and method == "POST":
                continue
            fields = csrf | COMPLETE.get(route.endpoint, {})
            answer = page.client.open(
                route.at(**values), method=method, data=fields, follow_redirects=True
            )
            text = answer.get_data(as_text=True)
            assert not [name for name in NAMES if name in text], f"{method} {route.address}"
            first = answer.history[0] if answer.history else answer
            answers[f"{method} {route.endpoint}"] = first.status_code
    assert answers == AFTER_CONSENT
    counted(f"row 24: consent taken back, {len(answers)} requests of the open page show nothing")


def test_a_case_that_became_a_colleagues_while_the_page_is_open_keeps_its_health(world, signed_in):
    reference, _ = known_person(world)
    page, path = signed_in("coordinator"), f"/cases/{reference}/open/health"
    page.get(f"/cases/{reference}")
    page.post(path, {"health-reason": "safety"})
    assert "A practice note." in str(page.follow())
    look_after(world, reference, "second_coordinator")
    html = page.get(f"/cases/{reference}")
    assert "A practice note." not in str(html)
    assert html.select_one(f"main a[href='/cases/{reference}/emergency']")
    fields = {"csrf_token": token(page), "health-reason": "safety"}
    assert page.client.post(path, data=fields).status_code == 403
