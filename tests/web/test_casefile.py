from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.lifecycle import Assistance, Identification, NextAction, next_action
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry, Case
from nrm.services import casefile, follow_up, identification
from nrm.services.audit import record
from nrm.web import casefile as screens
from tests import world as worlds
from tests.page_checks import words

MOST_STATEMENTS = 12


@pytest.fixture
def coordinator(signed_in):
    return signed_in("coordinator")


def entries(world, action):
    """List what the log holds of one act, oldest first."""
    with world.app.app_context():
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
        return db.session.scalars(query).all()


def stored(world, reference):
    with world.app.app_context():
        return db.session.scalars(select(Case).where(Case.reference == reference)).one()


def statements(world, act):
    """Count every statement that an act sends to the database, the opening ones too."""
    sent = []

    def count(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return sent


# The worklist


def test_the_worklist_names_cases_by_reference_and_codes_alone(world, coordinator):
    reference = worlds.flag(world, person={"given_name": "Kanariya", "family_name": "Umupractice"})
    html = coordinator.get("/cases")
    row = words(html.find("tbody"))
    assert reference in row
    assert "Read the new flag" in row
    assert "Female · 18 to 24 · Nyarugenge · Kirundi, Swahili" in row
    assert "New flag" in row
    assert "Normal" in row
    assert "Kanariya" not in str(html)
    assert "Umupractice" not in str(html)


def test_the_most_urgent_case_comes_first_and_what_is_late_is_marked(world, coordinator):
    calm = worlds.flag(world)
    urgent = worlds.flag(world, risk={"immediate_risk": "danger_now"})
    with world.app.app_context(), unit_of_work() as unit:
        case = db.session.scalars(select(Case).where(Case.reference == urgent)).one()
        case.due_at = datetime.now(UTC) - timedelta(days=2)
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)
    rows = coordinator.get("/cases").find("tbody").find_all("tr")
    assert [row.find("a").text for row in rows] == [urgent, calm]
    assert "nrm-worklist__row--late" in rows[0]["class"]
    assert "nrm-worklist__row--late" not in rows[1]["class"]


@pytest.mark.parametrize(
    ("queue", "shows"),
    [
        ("all", {"flagged", "needs", "referred", "assisted"}),
        ("incoming", {"flagged"}),
        ("needs", {"needs"}),
        ("referred", {"referred"}),
        ("assisted", {"assisted"}),
        ("nonsense", {"flagged", "needs", "referred", "assisted"}),
    ],
)
def test_each_tab_shows_its_cases(world, coordinator, queue, shows):
    cases = {
        "flagged": worlds.flag(world),
        "needs": worlds.consented(world),
        "referred": worlds.referred(world)[0],
        "assisted": worlds.accepted(world)[0],
    }
    text = coordinator.get(f"/cases?queue={queue}").get_text()
    assert {name for name, reference in cases.items() if reference in text} == shows


def test_a_long_worklist_is_turned_page_by_page(world, coordinator, monkeypatch):
    monkeypatch.setattr(casefile, "PAGE", 2)
    flagged = {worlds.flag(world) for _ in range(5)}
    seen = [link.text for link in coordinator.get("/cases").select("tbody a")]
    for _ in range(2):
        seen += [link.text for link in coordinator.click("Next page").select("tbody a")]
    assert len(seen) == 5
    assert set(seen) == flagged
    assert "Next page" not in coordinator.html.get_text()
    first = [link.text for link in coordinator.click("First page").select("tbody a")]
    assert first == seen[:2]


@pytest.mark.parametrize(
    "after", ["x", "WyIxIl0", "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTkiLCAieCIsICJ4Il0"]
)
def test_a_made_up_place_in_the_worklist_shows_its_first_page(world, coordinator, after):
    reference = worlds.flag(world)
    assert reference in coordinator.get(f"/cases?after={after}").get_text()


@pytest.mark.parametrize("cases", [1, 6])
def test_the_worklist_takes_few_statements_whatever_it_shows(world, coordinator, cases):
    for _ in range(cases):
        worlds.flag(world)
    sent = statements(world, lambda: coordinator.get("/cases"))
    assert len(sent) <= MOST_STATEMENTS, "\n".join(sent)


# Finding a case


def test_a_case_is_found_by_the_reference_that_was_read_out(world, coordinator):
    reference = worlds.flag(world)
    coordinator.get("/cases/find")
    spoken = reference.lower().replace("-", " ")
    response = coordinator.post("/cases/find", {"reference": spoken})
    assert response.headers["Location"] == f"/cases/{reference}"


def test_the_worklist_holds_the_box_too(world, coordinator):
    reference = worlds.flag(world)
    coordinator.get("/cases")
    response = coordinator.post("/cases/find", {"reference": reference})
    assert response.headers["Location"] == f"/cases/{reference}"


@pytest.mark.parametrize(
    ("typed", "explained"),
    [
        ("", "Enter a reference"),
        ("7K4M", "A reference has 9 characters; you typed 4."),
        ("7K4M-29QX-0", "There is no zero in a reference"),
        ("7K4M-29QX-D", "One character is wrong or two are swapped"),
        ("7" * 500, "too long"),
    ],
)
def test_a_slip_is_explained_and_what_was_typed_is_kept(coordinator, typed, explained):
    coordinator.get("/cases/find")
    html = coordinator.post("/cases/find", {"reference": typed}, status=422)
    box = html.find("input", {"name": "reference"})
    assert box["value"] == typed
    link = html.select_one(".govuk-error-summary a")
    assert explained in link.text
    assert link["href"] == f"#{box['id']}"


def test_a_case_that_is_not_there_is_not_found_and_the_log_knows(world, coordinator):
    coordinator.get("/cases/find")
    html = coordinator.post("/cases/find", {"reference": "7K4M-29QX-C"}, status=404)
    assert "No case with this reference that you may see" in html.get_text()
    assert html.find("input", {"name": "reference"})["value"] == "7K4M-29QX-C"
    refused = entries(world, "access:refused")[-1]
    assert (refused.outcome, refused.purpose) == ("not_found", "casefile.find")


@pytest.mark.parametrize("name", ["first_responder", "provider", "analyst", "administrator"])
def test_others_have_no_part_in_the_worklist(signed_in, name):
    signed_in(name).get("/cases", status=403)


# The case file


def test_the_overview_shows_codes_and_keeps_the_person_closed(world, coordinator):
    person = {
        "given_name": worlds.CANARIES["given_name"],
        "family_name": worlds.CANARIES["family_name"],
        "id_number": worlds.CANARIES["id_number"],
    }
    reference = worlds.flag(
        world,
        person=person,
        signs={"account": worlds.CANARIES["account"]},
        risk={"health_words": worlds.CANARIES["health_words"]},
        report={"station_reference": worlds.CANARIES["station_reference"]},
        contact={"phone": worlds.CANARIES["contact_phone"], "words": "In the morning."},
    )
    html = coordinator.get(f"/cases/{reference}")
    text = html.get_text()
    for field in (
        "given_name",
        "family_name",
        "id_number",
        "account",
        "health_words",
        "station_reference",
        "contact_phone",
    ):
        assert worlds.CANARIES[field] not in str(html), field
    assert "18 to 24" in text
    assert "Burundi" in text
    assert "By phone only." in text
    assert "In the morning." in text
    assert "Police part closed to you" in text
    assert len(html.select(".nrm-masked")) == 12
    assert reference not in html.title.text


def test_there_is_one_next_step_with_one_button(world, coordinator):
    reference = worlds.flag(world)
    html = coordinator.get(f"/cases/{reference}")
    card = html.select(".nrm-next")
    assert len(card) == 1
    assert len(card[0].select(".govuk-button")) == 1
    assert words(card[0].select_one(".govuk-button")) == "Record the presumption"


def test_a_reason_opens_one_group_for_a_while(world, coordinator):
    reference = worlds.flag(world, person={"given_name": "Kanariya"})
    coordinator.get(f"/cases/{reference}")
    response = coordinator.post(
        f"/cases/{reference}/open/identity", {"identity-reason": "arrange_referral"}
    )
    assert response.headers["Location"] == f"/cases/{reference}#identity"
    html = coordinator.follow()
    assert [words(value) for value in html.select(".nrm-opened")] == ["Kanariya Person"]
    assert "Opened by you for “To arrange a referral”. Closes at" in html.get_text()
    assert "A practice account." not in html.get_text()
    opened = entries(world, "compartment:open")[-1]
    assert (opened.compartments, opened.purpose) == ("identity", "arrange_referral")
    read = entries(world, "case:open")[-1]
    assert read.seq > opened.seq
    assert read.compartments == "contact facts identity"
    assert read.purpose == "arrange_referral"


def test_what_was_opened_closes_again_by_itself(world, coordinator, monkeypatch):
    reference = worlds.flag(world, person={"given_name": "Kanariya"})
    monkeypatch.setattr(screens, "OPEN_FOR", timedelta(seconds=-1))
    coordinator.get(f"/cases/{reference}")
    coordinator.post(f"/cases/{reference}/open/identity", {"identity-reason": "safety"})
    assert "Kanariya" not in str(coordinator.follow())


def test_what_is_open_in_one_case_is_closed_in_another_and_to_a_colleague(
    world, coordinator, signed_in
):
    reference = worlds.flag(world, person={"given_name": "Kanariya"})
    other = worlds.flag(world, person={"given_name": "Kanariyakabiri"})
    coordinator.get(f"/cases/{reference}")
    coordinator.post(f"/cases/{reference}/open/identity", {"identity-reason": "safety"})
    assert "Kanariya" not in str(coordinator.get(f"/cases/{other}"))
    assert "Kanariya" not in str(signed_in("second_coordinator").get(f"/cases/{reference}"))


def test_without_a_reason_nothing_opens(world, coordinator):
    reference = worlds.flag(world, person={"given_name": "Kanariya"})
    coordinator.get(f"/cases/{reference}")
    html = coordinator.post(f"/cases/{reference}/open/identity", status=422)
    assert "Kanariya" not in str(html)
    link = html.select_one(".govuk-error-summary a")
    assert (link.text, link["href"]) == ("Choose a reason first", "#identity-reason")
    assert not entries(world, "compartment:open")


@pytest.mark.parametrize(
    ("group", "status"), [("enforcement", 403), ("facts", 404), ("nothing", 404)]
)
def test_no_reason_opens_what_has_no_door(world, coordinator, group, status):
    reference = worlds.flag(world)
    page = coordinator.get(f"/cases/{reference}")
    token = page.find("input", {"name": "csrf_token"})["value"]
    coordinator.post_raw(
        f"/cases/{reference}/open/{group}",
        {"csrf_token": token, f"{group}-reason": "safety"},
        status=status,
    )
    coordinator.get(f"/cases/{reference}")


def test_a_reason_sent_twice_is_one_entry(world, coordinator):
    reference = worlds.flag(world)
    page = coordinator.get(f"/cases/{reference}")
    form = {
        field["name"]: field["value"]
        for field in page.find("form", action=f"/cases/{reference}/open/health").select("input")
    } | {"health-reason": "safety"}
    for _ in range(2):
        coordinator.post_raw(f"/cases/{reference}/open/health", form, status=303)
    assert len(entries(world, "compartment:open")) == 1


def test_the_overview_shows_consent_referrals_and_what_was_done(world, coordinator):
    reference, sent = worlds.accepted(world)
    html = coordinator.get(f"/cases/{reference}")
    text = words(html)
    assert "Share with Practice Shelter of the Lakes Yes Name and identity, Safe contact" in text
    assert sent in text
    titles = [words(title) for title in html.select(".moj-timeline__title")]
    assert titles == [
        "Referral accepted",
        "Referral sent",
        "Consent recorded",
        "Needs recorded",
        "Presumption recorded",
        "Person flagged",
    ]
    assert "Practice Provider, Practice Shelter of the Lakes" in text


def test_people_from_the_same_place_lead_to_each_other(world, coordinator):
    first = worlds.flag(world)
    second = worlds.flag(world, same_place_as=first)
    worlds.flag(world)
    aside = coordinator.get(f"/cases/{first}").find("aside")
    assert [link.text for link in aside.select("a.nrm-ref")] == [second]


@pytest.mark.parametrize("opened", [False, True])
def test_the_case_file_takes_few_statements(world, coordinator, opened):
    reference, _ = worlds.served(world)
    coordinator.get(f"/cases/{reference}")
    if opened:
        for group in screens.GROUPS:
            coordinator.post(f"/cases/{reference}/open/{group}", {f"{group}-reason": "safety"})
            coordinator.get(f"/cases/{reference}")
    sent = statements(world, lambda: coordinator.get(f"/cases/{reference}"))
    assert len(sent) <= MOST_STATEMENTS, "\n".join(sent)


@pytest.mark.parametrize("path", ["", "/presume", "/close", "/consent", "/consent/record"])
def test_no_page_of_a_case_is_there_for_an_unknown_reference(coordinator, path):
    coordinator.get(f"/cases/7K4M-29QX-C{path}", status=404)


@pytest.mark.parametrize("name", ["first_responder", "provider", "analyst", "administrator"])
def test_others_reach_no_page_of_a_case(world, signed_in, name):
    reference = worlds.flag(world)
    page = signed_in(name)
    for path in ("", "/presume", "/close", "/consent", "/consent/record", "/consent/share"):
        page.get(f"/cases/{reference}{path}", status=403)


# The presumption


def test_a_presumption_is_recorded_with_its_reason(world, coordinator):
    reference = worlds.flag(world)
    coordinator.get(f"/cases/{reference}/presume")
    coordinator.post(
        f"/cases/{reference}/presume",
        {"basis": ["indicators", "self_identified"], "words": "Grounds."},
    )
    html = coordinator.follow()
    assert "The person is now a presumed victim." in html.get_text()
    assert stored(world, reference).identification is Identification.PRESUMED
    assert words(html.select_one(".nrm-next h2")) == "Record what the person needs"


def test_a_presumption_without_ground_or_reason_is_refused_and_kept(world, coordinator):
    reference = worlds.flag(world)
    coordinator.get(f"/cases/{reference}/presume")
    html = coordinator.post(
        f"/cases/{reference}/presume", {"words": "Typed with care."}, status=422
    )
    assert [link.text for link in html.select(".govuk-error-summary a")] == [
        "Tick at least one ground"
    ]
    assert "Typed with care." in html.find("textarea").text
    html = coordinator.post(
        f"/cases/{reference}/presume", {"basis": "indicators", "words": " "}, status=422
    )
    assert "Write your reason" in html.select_one(".govuk-error-summary").text
    assert html.find("input", {"value": "indicators"}).has_attr("checked")
    assert stored(world, reference).identification is Identification.FLAGGED


def test_a_colleague_who_was_faster_costs_nothing_that_was_typed(world, coordinator):
    reference = worlds.flag(world)
    coordinator.get(f"/cases/{reference}/presume")
    with world.app.app_context():
        identification.presume(
            world.actor("second_coordinator"),
            reference,
            basis=["indicators"],
            words="Faster.",
            version=1,
            pack=world.pack,
        )
    html = coordinator.post(
        f"/cases/{reference}/presume",
        {"basis": "indicators", "words": "Typed with care."},
        status=409,
    )
    assert "Someone else changed this case" in html.select_one(".govuk-error-summary").text
    assert "A presumption stands in this file since" in html.get_text()
    assert "Typed with care." in html.find("textarea").text


def test_a_presumption_sent_twice_is_one(world, coordinator):
    reference = worlds.flag(world)
    coordinator.get(f"/cases/{reference}/presume")
    form = {"basis": "indicators", "words": "Grounds."}
    first = coordinator.html.find("input", {"name": "form_id"})["value"]
    token = coordinator.html.find("input", {"name": "csrf_token"})["value"]
    sent = form | {"form_id": first, "csrf_token": token, "version": "1"}
    for _ in range(2):
        response = coordinator.post_raw(f"/cases/{reference}/presume", sent, status=303)
        assert response.headers["Location"] == f"/cases/{reference}"
    assert len(entries(world, "case:presume")) == 1


def test_what_is_presumed_is_not_asked_again(world, coordinator):
    reference = worlds.presumed(world)
    html = coordinator.get(f"/cases/{reference}/presume")
    assert html.find("textarea") is None
    assert "A presumption stands in this file since" in html.get_text()


# Closing


def test_closing_a_case_ends_every_access(world, coordinator):
    reference, sent = worlds.accepted(world)
    html = coordinator.get(f"/cases/{reference}/close")
    assert "Every provider’s access ends at once." in html.get_text()
    coordinator.post(f"/cases/{reference}/close", {"reason": "plan_completed"})
    html = coordinator.follow()
    assert "The case is closed." in html.get_text()
    assert "No provider has access any more." in html.get_text()
    assert not html.select(".nrm-next")
    assert stored(world, reference).assistance is Assistance.CLOSED
    assert reference not in coordinator.get("/cases").get_text()
    assert sent in coordinator.get(f"/cases/{reference}").get_text()


def test_a_case_is_not_closed_without_a_reason(world, coordinator):
    reference = worlds.flag(world)
    coordinator.get(f"/cases/{reference}/close")
    html = coordinator.post(f"/cases/{reference}/close", {"words": "Kept words."}, status=422)
    assert "Choose why the case is closed" in html.select_one(".govuk-error-summary").text
    assert "Kept words." in html.find("textarea").text
    assert stored(world, reference).closed_at is None


def test_a_case_that_a_colleague_closed_says_so(world, coordinator):
    reference = worlds.flag(world)
    coordinator.get(f"/cases/{reference}/close")
    with world.app.app_context():
        follow_up.close(
            world.actor("second_coordinator"),
            reference,
            "contact_lost",
            "",
            version=1,
            pack=world.pack,
        )
    html = coordinator.post(f"/cases/{reference}/close", {"reason": "duplicate"}, status=409)
    assert "This case is closed since" in html.get_text()
    assert html.find("input", {"value": "duplicate"}).has_attr("checked")


# What comes next


def test_every_pair_of_states_has_a_next_action():
    for identified in Identification:
        for helped in Assistance:
            assert next_action(identified, helped) in NextAction


def test_help_goes_before_the_question_of_identification():
    assert next_action(Identification.FLAGGED, Assistance.WAITING) is NextAction.READ_FLAG
    assert next_action(Identification.FLAGGED, Assistance.NEEDS_RECORDED) is (
        NextAction.FIND_PROVIDER
    )
