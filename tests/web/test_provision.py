from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.consent import Answer
from nrm.domain.lifecycle import ReferralState
from nrm.domain.reference import new_referral_reference
from nrm.models import Referral
from nrm.services import follow_up, provision, referral, vault
from nrm.services.audit import record
from nrm.services.visibility import referral_subject
from tests import world as worlds
from tests.page_checks import words

# What the person said and wrote, by the compartment in which it is kept, as a page would show it.
HELD = {
    "identity": ("Kanariyambere", "Kanariyakabiri", "1987, day hidden", "ends in 623"),
    "contact": ("ends in 516", "ring twice before kanarisix"),
    "narrative": ("a door bolted by kanarieight",),
    "health": ("a wound like kanariten",),
    "enforcement": ("OB-kanarieleven",),
}
# What is masked until it is asked for by itself.
MASKED = (
    *("19 March 1987", "1987-03-19", "1198770048151623", "788481516"),
    *("kanariseven", "behind the mill of kanarinine"),
)
ANSWERS = {
    "report": {"station_reference": worlds.CANARIES["station_reference"]},
    "place": {"place_words": worlds.CANARIES["place_words"]},
    "person": {
        name: worlds.CANARIES[name]
        for name in ("given_name", "family_name", "birth_date", "id_number")
    },
    "signs": {"account": worlds.CANARIES["account"]},
    "risk": {"health_words": worlds.CANARIES["health_words"]},
    "contact": {
        "phone": worlds.CANARIES["contact_phone"],
        "words": worlds.CANARIES["contact_words"],
        "code_word": worlds.CANARIES["code_word"],
    },
}
WORDS = {"safety": worlds.CANARIES["safety"], "arrangements": worlds.CANARIES["arrangements"]}


@pytest.fixture
def sent(world):
    """Send a referral of a person of whom everything is known: (case, referral)."""
    case = worlds.consented(world, "lakes", ("identity", "contact"), **ANSWERS)
    return case, worlds.refer(world, case, **WORDS)


def shown(html):
    """Name the compartments of which the page tells anything at all."""
    text = str(html)
    assert not any(value in text for value in MASKED)
    return {name for name, values in HELD.items() if any(value in text for value in values)}


def accepted(page, reference):
    """Accept as a person would, and give the page to which that leads."""
    page.get(f"/referrals/{reference}")
    page.post(f"/referrals/{reference}/accept")
    return page.follow()


def test_before_the_answer_only_the_envelope_is_told(signed_in, sent):
    page = signed_in("provider")
    html = page.get(f"/referrals/{sent[1]}")
    assert words(html.h1) == "Can you help?"
    assert shown(html) == set()
    text = words(html.main)
    for fact in (
        *WORDS.values(),
        "Emergency shelter",
        "Normal",
        "Adult, female",
        "Kirundi, Swahili",
    ):
        assert fact in text
    assert len(html.select(".nrm-envelope .govuk-summary-list__row")) <= 6
    keeps = [words(keep) for keep in html.select(".nrm-keep")]
    assert keeps[0] == "Name and identity Safe contact"
    assert "Health" in keeps[1]
    assert "What happened" in keeps[1]
    assert "Police and prosecution" in keeps[1]


def test_after_acceptance_exactly_what_consent_covers_is_told(signed_in, sent):
    page = signed_in("provider")
    html = accepted(page, sent[1])
    assert "You have accepted this referral." in words(html.main)
    assert shown(html) == {"identity", "contact"}
    assert all(value in str(html) for value in HELD["identity"] + HELD["contact"])
    assert "By phone" in words(html.main)
    assert "What happened" in words(html.select_one(".nrm-keep"))
    assert "Kanari" not in words(html.title) + words(html.h1)


@pytest.mark.parametrize("compartment", ["identity", "contact", "narrative", "health"])
def test_each_compartment_opens_alone(world, signed_in, compartment):
    case = worlds.consented(world, "lakes", (compartment,), **ANSWERS)
    reference = worlds.refer(world, case, service=worlds.service_for("lakes", (compartment,)))
    page = signed_in("provider")
    html = accepted(page, reference)
    assert shown(html) == {compartment}
    assert all(value in str(html) for value in HELD[compartment])


def test_a_referral_to_a_shelter_opens_no_health_whatever_else_the_shelter_gives(world, signed_in):
    """The yes names health, for the counselling that this organisation also gives."""
    every_part = ("identity", "contact", "narrative", "health")
    case = worlds.consented(world, "lakes", every_part, **ANSWERS)
    html = accepted(signed_in("provider"), worlds.refer(world, case, service="emergency_shelter"))
    assert shown(html) == {"identity", "contact", "narrative"}
    assert "Health" in words(html.select_one("aside"))


def test_consent_taken_back_closes_what_it_had_opened(world, signed_in, sent):
    page = signed_in("provider")
    assert shown(accepted(page, sent[1])) == {"identity", "contact"}
    worlds.agree(world, sent[0], compartments=(), answer=Answer.WITHDRAWN)
    html = page.get(f"/referrals/{sent[1]}")
    assert shown(html) == set()
    assert "agreed to share nothing more" in words(html.main)


def withdraw(world, case, reference):
    referral.withdraw(world.actor("coordinator"), case, reference, pack=world.pack)


def close(world, case, reference):
    del reference
    version = worlds.version(world, case)
    coordinator = world.actor("coordinator")
    follow_up.close(coordinator, case, "other", "", version=version, pack=world.pack)


def end(world, case, reference):
    del case
    provision.end(world.actor("colleague"), reference, world.pack)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (withdraw, "The coordinator withdrew it."),
        (close, "Your organisation’s part has ended."),
        (end, "Your organisation’s part has ended."),
    ],
)
def test_after_the_end_nothing_is_told_but_ones_own_services(world, signed_in, sent, act, said):
    page = signed_in("provider")
    accepted(page, sent[1])
    note = worlds.CANARIES["service_words"]
    page.post(f"/referrals/{sent[1]}/service", {"outcome": "given", "words": note})
    with world.entered():
        act(world, *sent)
    html = page.get(f"/referrals/{sent[1]}")
    assert shown(html) == set()
    assert not any(value in str(html) for value in WORDS.values())
    assert said in words(html.main)
    assert note in words(html.main)
    assert page.get(f"/referrals/{sent[1]}/service", status=403)
    assert page.get(f"/referrals/{sent[1]}/end", status=409)
    assert shown(page.get("/inbox?state=closed")) == set()


def test_a_decline_has_a_reason_and_closes_the_envelope(signed_in, sent):
    page = signed_in("provider")
    path = f"/referrals/{sent[1]}"
    page.get(path)
    html = page.post(f"{path}/decline", {"words": "from Monday"}, status=422)
    assert words(html.select_one(".govuk-error-summary a")) == "Choose why you decline"
    assert html.select_one(".govuk-error-summary a")["href"] == "#reason"
    assert html.find(id="reason")
    assert words(html.title).startswith("Error: ")
    assert "from Monday" in html.find(id="words").text
    page.post(f"{path}/decline", {"reason": "no_capacity", "words": "from Monday"})
    html = page.follow()
    assert "Your organisation declined it." in words(html.main)
    assert not any(value in str(html) for value in WORDS.values())


def test_a_reason_of_ones_own_is_refused_in_our_words(signed_in, sent):
    page = signed_in("provider")
    path = f"/referrals/{sent[1]}"
    page.get(path)
    html = page.post(f"{path}/decline", {"reason": "<b>no</b>", "words": "x" * 20_001}, status=422)
    errors = [words(link) for link in html.select(".govuk-error-summary a")]
    assert errors == ["Choose why you decline", "What you write must be 20,000 characters or fewer"]


def test_of_two_answers_the_slower_one_is_told_who_answered(world, signed_in, sent):
    path = f"/referrals/{sent[1]}"
    fast, slow = signed_in("colleague"), signed_in("provider")
    for page in (fast, slow):
        page.get(path)
    fast.post(f"{path}/accept")
    html = slow.post(f"{path}/accept", status=409)
    assert f"This referral was accepted, by {world.person_name('colleague')}" in words(html.main)
    html = slow.get(path)
    assert shown(html) == {"identity", "contact"}


def test_a_decline_that_comes_too_late_changes_nothing(world, signed_in, sent):
    path = f"/referrals/{sent[1]}"
    slow = signed_in("provider")
    slow.get(path)
    with world.entered():
        provision.accept(world.actor("colleague"), sent[1], world.pack)
    html = slow.post(f"{path}/decline", {"reason": "other"}, status=409)
    assert world.person_name("colleague") in words(html.main)
    assert words(slow.get(path).h1) == f"Referral {sent[1]}"


def test_a_form_sent_twice_has_one_result(signed_in, sent):
    path = f"/referrals/{sent[1]}"
    page = signed_in("provider")
    before = page.get(path)
    page.post(f"{path}/accept")
    page.html, page.path = before, path
    page.post(f"{path}/accept")
    assert page.response.headers["Location"].endswith(path)
    form = page.get(f"{path}/service")
    for _ in range(2):
        page.html, page.path = form, f"{path}/service"
        page.post(f"{path}/service", {"outcome": "given"})
    html = page.follow()
    assert len(html.select(".nrm-log--list tbody tr")) == 1


def take_back(world, case, reference):
    withdraw(world, case, reference)
    return "The coordinator withdrew this referral."


def run_out(world, case, reference):
    del case
    with unit_of_work() as unit:
        late = db.session.query(Referral).filter_by(reference=reference).one()
        late.answer_due_at = unit.now - timedelta(minutes=1)
        record(unit, world.actor("coordinator"), Action.REFERRAL_PREPARE, referral_subject(late))
    provision.expire(world.pack)
    return "The time to answer ran out, and the referral was taken back."


@pytest.mark.parametrize("act", [take_back, run_out])
@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_what_was_taken_back_cannot_be_answered(world, signed_in, sent, act, answer):
    page = signed_in("provider")
    page.get(f"/referrals/{sent[1]}")
    with world.entered():
        said = act(world, *sent)
    data = {"reason": "other"} if answer == "decline" else {}
    html = page.post(f"/referrals/{sent[1]}/{answer}", data, status=409)
    assert said in words(html.main)


def test_a_service_is_recorded_in_three_answers(world, signed_in, sent):
    path = f"/referrals/{sent[1]}"
    page = signed_in("provider")
    accepted(page, sent[1])
    html = page.get(f"{path}/service")
    assert html.select_one("#service option[selected]")["value"] == "emergency_shelter"
    assert html.find(id="given_on")["value"] == f"{world.today:%d}"
    assert shown(html) == set()
    page.post(f"{path}/service", {"outcome": "partly_given", "words": "two nights"})
    html = page.follow()
    cells = [words(cell) for cell in html.select(".nrm-log--list tbody tr > *")]
    assert cells[:2] == ["Emergency shelter", "Partly given"]
    assert cells[3] == "two nights"


@pytest.mark.parametrize(
    ("typed", "message", "target"),
    [
        ({}, "Say whether the service was given", "#outcome"),
        ({"outcome": "given", "service": "gold"}, "Choose the service", "#service"),
        (
            {"outcome": "given", "given_on": ["", "", ""]},
            "Enter the day of the service",
            "#given_on",
        ),
        ({"outcome": "given", "given_on": ["31", "2", "2026"]}, "Enter a real date", "#given_on"),
        ({"outcome": "given", "given_on": ["1", "1", "2999"]}, "not be in the future", "#given_on"),
        ({"outcome": "given", "words": "a\0b"}, "cannot be seen", "#words"),
    ],
)
def test_a_wrong_service_keeps_what_was_typed(signed_in, sent, typed, message, target):
    path = f"/referrals/{sent[1]}"
    page = signed_in("provider")
    accepted(page, sent[1])
    html = page.post(f"{path}/service", {"words": "kept words"} | typed, status=422)
    link = html.select_one(".govuk-error-summary a")
    assert message in words(link)
    assert link["href"] == target
    if "words" not in typed:
        assert html.find(id="words").text.strip() == "kept words"


@pytest.mark.parametrize("name", ["other_provider", "clinician"])
@pytest.mark.parametrize("inner", ["", "/service", "/end"])
def test_another_organisations_referral_is_not_there(signed_in, sent, name, inner):
    page = signed_in(name)
    page.get(f"/referrals/{sent[1]}{inner}", status=404)
    page.get(f"/referrals/{new_referral_reference()}{inner}", status=404)


@pytest.mark.parametrize("inner", ["accept", "decline", "service", "end"])
def test_another_organisation_cannot_act_on_it(signed_in, sent, inner):
    page = signed_in("other_provider")
    token = page.get("/inbox").select_one("[name=csrf_token]")["value"]
    data = {"csrf_token": token, "reason": "other", "service": "other", "outcome": "given"}
    data["given_on"] = ["1", "1", "2026"]
    page.post_raw(f"/referrals/{sent[1]}/{inner}", data, status=404)


@pytest.mark.parametrize("name", ["coordinator", "first_responder", "administrator", "auditor"])
def test_no_other_role_has_an_inbox(signed_in, sent, name):
    page = signed_in(name)
    page.get("/inbox", status=403)
    page.get(f"/referrals/{sent[1]}", status=403)


def test_the_inbox_tells_the_outside_of_envelopes_by_tab(world, signed_in, sent):
    page = signed_in("provider")
    html = page.get("/inbox")
    row = words(html.select_one(".nrm-worklist__row"))
    for fact in (sent[1], "Emergency shelter", "Adult, female", "Nyarugenge", "Normal"):
        assert fact in row
    assert shown(html) == set()
    assert not any(value in str(html) for value in WORDS.values())
    assert "helping nobody" in words(page.get("/inbox?state=accepted").main)
    accepted(page, sent[1])
    assert sent[1] in words(page.get("/inbox?state=accepted").main)
    with world.entered():
        withdraw(world, *sent)
    row = words(page.get("/inbox?state=closed").select_one(".nrm-worklist__row"))
    assert sent[1] in row
    assert "Withdrawn" in row
    assert "shelter" not in row
    for strange in ("?state=gold", "?after=zzz", "?after=WyIyMDI2LTAxLTAxIiwieCJd&state=closed"):
        page.get(f"/inbox{strange}")


def fill(world, count, state):
    """Send this many more referrals of a case: rows as the service would write them."""
    with unit_of_work() as unit:
        given = db.session.query(Referral).first()
        for minute in range(count):
            row = Referral(
                reference=new_referral_reference(),
                case_id=given.case_id,
                organisation_id=given.organisation_id,
                state=state,
                urgency=given.urgency,
                sent_by_id=given.sent_by_id,
                sent_at=unit.now,
                answer_due_at=unit.now + timedelta(minutes=minute),
                version=1,
            )
            db.session.add(row)
            db.session.flush()
            vault.seal_envelope(unit, row, {"service": "other", "urgency": 2, "languages": []})
        record(unit, world.actor("coordinator"), Action.REFERRAL_SEND, referral_subject(given))


@pytest.mark.parametrize("tab", ["sent", "accepted", "closed"])
def test_a_long_inbox_is_read_page_by_page_with_few_statements(world, signed_in, sent, tab):
    assert sent
    states = [ReferralState(tab)] if tab != "closed" else list(provision.CLOSED)
    with world.entered():
        for state in states:
            fill(world, 60 // len(states), state)
    page = signed_in("provider")
    address, found = f"/inbox?state={tab}", []
    while address:
        with counted(world) as statements:
            html = page.get(address)
        assert len(statements) <= 12, statements
        found += [words(link) for link in html.select(".nrm-worklist__ref")]
        older = html.select_one(".govuk-pagination__next a")
        address = older["href"] if older else None
    assert len(found) == len(set(found)) == 60 + (tab == "sent")


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


def test_ending_ones_part_is_asked_once_more(signed_in, sent):
    page = signed_in("provider")
    accepted(page, sent[1])
    html = page.click("End our part")
    assert words(html.h1) == "End our part?"
    assert shown(html) == set()
    page.post(f"/referrals/{sent[1]}/end")
    html = page.follow()
    assert "Your part has ended. The file is closed to you." in words(html.main)
    assert shown(html) == set()
