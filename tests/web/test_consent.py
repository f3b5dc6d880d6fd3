from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.domain.consent import Answer
from nrm.models import AuditEntry, Case, ConsentAnswer
from tests import world as worlds
from tests.page_checks import words

HOW = {"method": "oral", "language": "run", "given_by": "person"}
GUARDIAN = HOW | {"given_by": "guardian"}
CHILD = {"age_band": "12_15"}


@pytest.fixture
def coordinator(signed_in):
    return signed_in("coordinator")


def recorded(world, reference):
    """List the stored answers of a case, oldest first, without the one from the flag."""
    with world.app.app_context():
        query = (
            select(ConsentAnswer)
            .join(Case, Case.id == ConsentAnswer.case_id)
            .where(Case.reference == reference, ConsentAnswer.purpose != "refer_nrm")
            .order_by(ConsentAnswer.recorded_at, ConsentAnswer.id)
        )
        return db.session.scalars(query).all()


def said(world, reference):
    return [(row.purpose, row.answer) for row in recorded(world, reference)]


def errors(html):
    """Map each error of the summary to the field that it leads to."""
    return {link["href"]: link.text for link in html.select(".govuk-error-summary a")}


def send(coordinator, path, answers, **options):
    coordinator.get(path)
    return coordinator.post(path, answers, **options)


# What holds


def test_the_page_shows_what_holds_and_every_answer(world, coordinator):
    reference = worlds.consented(world)
    worlds.agree(world, reference, answer=Answer.WITHDRAWN, compartments=())
    html = coordinator.get(f"/cases/{reference}/consent")
    holds = [words(row) for row in html.select(".govuk-summary-list__row")]
    assert holds[0].startswith("Be referred to the national mechanism Yes")
    assert holds[1].startswith("Share with Practice Shelter of the Lakes Taken back")
    history = [words(row) for row in html.select("aside li")]
    assert [row.split(",")[0] for row in history] == ["Taken back", "Yes", "Yes"]
    assert "Practice Coordinator" in history[0]


def test_how_it_was_given_is_the_proof(world, coordinator):
    reference = worlds.flag(world)
    send(
        coordinator,
        f"/cases/{reference}/consent/record",
        GUARDIAN
        | {
            "purpose_interview": "yes",
            "interpreter": "Practice Interpreter",
            "explained": ["purpose", "withdrawal"],
        },
    )
    text = coordinator.follow().get_text()
    assert (
        "By voice · Kirundi · interpreter: Practice Interpreter · parent or guardian, and the "
        "child agrees · 2 of 7 points explained" in text
    )
    assert "The answers are recorded." in text


# Recording answers


def test_only_what_was_asked_is_recorded(world, coordinator):
    reference = worlds.flag(world)
    send(
        coordinator,
        f"/cases/{reference}/consent/record",
        HOW | {"purpose_interview": "yes", "purpose_share_with_law_enforcement": "no"},
    )
    assert sorted(said(world, reference)) == [
        ("interview", Answer.GRANTED),
        ("share_with_law_enforcement", Answer.REFUSED),
    ]


def test_a_no_after_a_yes_takes_it_back(world, coordinator):
    reference = worlds.flag(world)
    path = f"/cases/{reference}/consent/record"
    for answer in ("yes", "no", "no"):
        send(coordinator, path, HOW | {"purpose_statistics": answer})
    assert [answer for _, answer in said(world, reference)] == [
        Answer.GRANTED,
        Answer.WITHDRAWN,
        Answer.REFUSED,
    ]


def test_nobody_is_asked_about_the_media_or_here_about_a_provider(world, coordinator):
    reference = worlds.flag(world)
    html = coordinator.get(f"/cases/{reference}/consent/record")
    names = {field["name"] for field in html.select("input[type=radio]")}
    assert "purpose_interview" in names
    assert not names & {"purpose_media", "purpose_share_with_provider"}
    assert len(html.select("input[name=explained]")) == 7
    assert html.select_one("option[selected]")["value"] == "run"


def test_answers_without_how_are_refused_and_kept(world, coordinator):
    reference = worlds.flag(world)
    html = send(
        coordinator,
        f"/cases/{reference}/consent/record",
        {"purpose_interview": "no", "language": "", "interpreter": "Typed with care"},
        status=422,
    )
    assert errors(html) == {
        "#method": "Choose how the answer was given",
        "#language": "Choose the language that was spoken",
        "#given_by": "Choose who answered",
    }
    assert html.find("input", {"name": "interpreter"})["value"] == "Typed with care"
    chosen = html.find("input", {"name": "purpose_interview", "checked": True})
    assert chosen["value"] == "no"
    assert not recorded(world, reference)


def test_a_form_without_any_answer_is_refused(world, coordinator):
    reference = worlds.flag(world)
    html = send(coordinator, f"/cases/{reference}/consent/record", HOW, status=422)
    assert errors(html) == {"#purpose_interview": "Record at least one answer."}


@pytest.mark.parametrize("forged", [{"method": "telepathy"}, {"purpose_interview": "perhaps"}])
def test_an_answer_that_is_not_offered_is_refused(world, coordinator, forged):
    reference = worlds.flag(world)
    answers = HOW | {"purpose_interview": "yes"} | forged
    html = send(coordinator, f"/cases/{reference}/consent/record", answers, status=422)
    assert list(errors(html).values()) == ["Choose an answer from the list"]


def test_a_child_under_16_cannot_agree_alone_but_may_say_no(world, coordinator):
    reference = worlds.flag(world, person=CHILD)
    path = f"/cases/{reference}/consent/record"
    html = send(coordinator, path, HOW | {"purpose_interview": "yes"}, status=422)
    assert "A child under 16 cannot agree alone" in errors(html)["#given_by"]
    send(coordinator, path, HOW | {"purpose_interview": "no"})
    send(coordinator, path, GUARDIAN | {"purpose_return": "yes"})
    assert said(world, reference) == [
        ("interview", Answer.REFUSED),
        ("return", Answer.GRANTED),
    ]


def test_a_guardian_who_may_be_involved_cannot_answer(world, coordinator):
    reference = worlds.flag(world, person=CHILD)
    html = send(
        coordinator,
        f"/cases/{reference}/consent/record",
        GUARDIAN | {"purpose_interview": "yes", "guardian_conflict": "y"},
        status=422,
    )
    assert "Ask child protection" in errors(html)["#guardian_conflict"]
    assert not recorded(world, reference)


def test_answers_sent_twice_are_recorded_once(world, coordinator):
    reference = worlds.flag(world)
    path = f"/cases/{reference}/consent/record"
    html = coordinator.get(path)
    hidden = {
        name: html.find("input", {"name": name})["value"] for name in ("csrf_token", "form_id")
    }
    for _ in range(2):
        response = coordinator.post_raw(
            path, HOW | hidden | {"purpose_interview": "yes"}, status=303
        )
        assert response.headers["Location"] == f"/cases/{reference}/consent"
    assert len(recorded(world, reference)) == 1


# Sharing with a provider


def test_a_provider_may_be_told_what_the_person_ticked(world, coordinator):
    reference = worlds.flag(world)
    response = send(
        coordinator,
        f"/cases/{reference}/consent/share?provider={world.organisations['lakes']}",
        HOW
        | {
            "compartments": ["identity", "health"],
            "basis": "consent",
        },
    )
    assert response.headers["Location"] == f"/cases/{reference}/consent"
    row = recorded(world, reference)[0]
    assert row.recipient_id == world.organisations["lakes"]
    assert (row.compartments, row.basis, row.answer) == (
        "health identity",
        "consent",
        Answer.GRANTED,
    )
    assert "Yes Name and identity, Health" in words(coordinator.follow())


def test_ticking_nothing_shares_the_envelope_alone(world, coordinator):
    reference = worlds.flag(world)
    send(
        coordinator,
        f"/cases/{reference}/consent/share?provider={world.organisations['lakes']}",
        HOW | {"basis": "consent"},
    )
    assert recorded(world, reference)[0].compartments == ""
    assert "Yes Only the envelope" in words(coordinator.follow())


def test_only_providers_that_are_approved_today_are_offered(world, coordinator):
    reference = worlds.flag(world)
    html = coordinator.get(f"/cases/{reference}/consent/share")
    offered = [words(row) for row in html.select("main li")]
    everyone = "Can receive: Name and identity, Safe contact, What happened"
    assert offered == [
        f"Practice Hill Clinic {everyone}, Health",
        f"Practice Shelter of the Hills {everyone}",
        # It gives counselling too.
        f"Practice Shelter of the Lakes {everyone}, Health",
    ]
    # Whoever is no approved provider is not asked about, whatever the form says.
    police = world.organisations["police"]
    token = html.find("input", {"name": "csrf_token"})["value"]
    fields = HOW | {"csrf_token": token, "recipient": str(police), "basis": "consent"}
    html = coordinator.post_raw(f"/cases/{reference}/consent/share", fields, status=422)
    assert words(html.h1) == "With which provider?"
    assert recorded(world, reference) == []


def test_a_shelter_is_offered_no_health_and_the_page_says_why(world, coordinator):
    reference = worlds.flag(world)
    hills = world.organisations["hills"]
    path = f"/cases/{reference}/consent/share?provider={hills}"
    html = coordinator.get(path)
    offered = [box["value"] for box in html.select("input[name=compartments]")]
    assert offered == ["identity", "contact", "narrative"]
    never = [words(one) for one in html.select("aside li")]
    assert never == [
        "Health: only who treats or counsels the person",
        "Police and prosecution: only the police and the prosecution",
        "what other providers write",
    ]
    html = coordinator.post(
        path, HOW | {"basis": "consent", "compartments": ["health"]}, status=422
    )
    assert set(errors(html)) == {"#compartments"}
    assert recorded(world, reference) == []


def test_the_referral_that_waited_goes_on(world, coordinator):
    reference = worlds.flag(world)
    lakes = world.organisations["lakes"]
    path = f"/cases/{reference}/consent/share?to={lakes}"
    html = coordinator.get(path)
    assert html.select_one("input[name=recipient]")["value"] == str(lakes)
    form = html.select_one("main form")
    hidden = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
    answers = HOW | hidden | {"recipient": str(lakes), "basis": "consent"}
    for _ in range(2):
        response = coordinator.post_raw(path, answers, status=303)
        assert response.headers["Location"] == f"/cases/{reference}/providers/{lakes}"
    assert len(recorded(world, reference)) == 1


def test_an_exception_of_the_law_needs_a_written_reason(world, coordinator):
    reference = worlds.flag(world)
    path = f"/cases/{reference}/consent/share?provider={world.organisations['clinic']}"
    answers = {
        "compartments": "health",
        "basis": "vital_interests",
    }
    html = send(coordinator, path, answers, status=422)
    assert errors(html) == {"#reason": "Write why the law allows this without consent."}
    coordinator.post(path, answers | {"reason": "She cannot speak now."})
    text = coordinator.follow().get_text()
    assert "Allowed by law" in text
    assert "Danger to life or wellbeing: She cannot speak now." in text
    with world.app.app_context():
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "consent:exception")
        ).one()
    assert entry.purpose == "vital_interests"


def test_a_yes_may_end_on_a_day_that_is_still_to_come(world, coordinator):
    reference = worlds.flag(world)
    path = f"/cases/{reference}/consent/share?provider={world.organisations['lakes']}"
    answers = HOW | {"basis": "consent"}
    gone = world.today - timedelta(days=1)
    html = send(
        coordinator, path, answers | {"until": [gone.day, gone.month, gone.year]}, status=422
    )
    assert errors(html) == {"#until": "The last day must be today or later"}
    html = send(coordinator, path, answers | {"until": ["31", "2", "2027"]}, status=422)
    assert errors(html) == {"#until": "Enter a real date, like 27 3 2001"}
    assert [field["value"] for field in html.select("input[name=until]")] == ["31", "2", "2027"]
    last = world.today + timedelta(days=30)
    coordinator.post(path, answers | {"until": [last.day, last.month, last.year]})
    ends = recorded(world, reference)[0].expires_at.astimezone(world.pack.zone)
    assert (ends.date(), ends.hour) == (last + timedelta(days=1), 0)


# Taking a yes back


def test_a_yes_towards_a_provider_is_taken_back(world, coordinator):
    reference = worlds.consented(world)
    coordinator.get(f"/cases/{reference}/consent")
    link = coordinator.html.find("a", string="Take back")
    link = link or coordinator.html.select_one(".govuk-summary-list__actions a")
    html = coordinator.get(link["href"])
    assert "Practice Shelter of the Lakes can open nothing of this file" in html.get_text()
    coordinator.post(link["href"], HOW)
    assert [answer for _, answer in said(world, reference)] == [Answer.GRANTED, Answer.WITHDRAWN]
    html = coordinator.follow()
    assert not html.select(".govuk-summary-list__actions a")


@pytest.mark.parametrize("name", ["given_by", "method", "language"])
def test_a_blank_is_no_answer(world, coordinator, name):
    reference = worlds.consented(world)
    lakes = world.organisations["lakes"]
    path = f"/cases/{reference}/consent/withdraw?recipient={lakes}"
    coordinator.get(path)
    html = coordinator.post(path, HOW | {name: " "}, status=422)
    assert f"#{name}" in errors(html)
    assert [answer for _, answer in said(world, reference)] == [Answer.GRANTED]


def test_a_blank_beside_a_code_lets_no_foreign_code_through(world, coordinator):
    path = f"/cases/{worlds.flag(world)}/consent/record"
    coordinator.get(path)
    typed = HOW | {"purpose_interview": "yes", "explained": [" ", "gold"]}
    html = coordinator.post(path, typed, status=422)
    assert errors(html)["#explained"] == "Choose an answer from the list"


def test_a_child_takes_a_yes_back_alone(world, coordinator):
    reference = worlds.flag(world, person=CHILD)
    lakes = world.organisations["lakes"]
    path = f"/cases/{reference}/consent/share?provider={lakes}"
    send(coordinator, path, GUARDIAN | {"basis": "consent"})
    send(coordinator, f"/cases/{reference}/consent/withdraw?recipient={lakes}", HOW)
    assert [answer for _, answer in said(world, reference)] == [Answer.GRANTED, Answer.WITHDRAWN]


@pytest.mark.parametrize("recipient", ["", "?recipient=x", "?recipient={hills}"])
def test_what_was_never_agreed_cannot_be_taken_back(world, coordinator, recipient):
    reference = worlds.consented(world)
    query = recipient.format(hills=world.organisations["hills"])
    coordinator.get(f"/cases/{reference}/consent/withdraw{query}", status=404)


# What the pages hold


def test_no_page_of_consent_holds_anything_about_the_person(world, coordinator):
    reference = worlds.consented(
        world,
        person={"given_name": worlds.CANARIES["given_name"], "id_number": "1198770048151623"},
        signs={"account": worlds.CANARIES["account"]},
        contact={"phone": worlds.CANARIES["contact_phone"]},
    )
    for path in ("", "/record", "/share"):
        html = str(coordinator.get(f"/cases/{reference}/consent{path}"))
        for field in ("given_name", "account", "id_number", "contact_phone"):
            assert worlds.CANARIES[field] not in html, (path, field)
