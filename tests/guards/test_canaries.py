"""Forty distinct values go through every sensitive field; none may ever lie anywhere in clear."""

import json
import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import (
    AuditEntry,
    CaseKey,
    FactsKey,
    Organisation,
    SealedCompartment,
    SealedDraft,
    SealedEnvelope,
    SealedFacts,
    SealedFactsEvent,
    SealedNote,
)
from nrm.security.keyring import Purpose
from nrm.services import identification, log_keeping, mail, vault
from nrm.services.audit import record
from nrm.web.logs import LOGGER
from tests import log
from tests.guards import haystacks
from tests.journeys.people import (
    Coordinator,
    Investigator,
    Person,
    Traces,
    Worker,
    answers_about,
)
from tests.ledger import detail
from tests.services.mail_server import serving
from tests.web import people_pages
from tests.world import CANARIES, SERVICE

VALUES = list(CANARIES.values())
# Typed where a phone number is asked for, and refused: the only one that may not even be kept.
REFUSED = CANARIES["mistyped_phone"]
# Kept for whoever decides later; nobody need be shown them again on the way.
WRITTEN_FOR_LATER = {
    CANARIES[prefix + name]
    for prefix in ("", "second_")
    for name in ("presumption_words", "closure_words")
}
OUTSIDERS = {
    "auditor": ["/audit", "/audit/seen", "/audit/state", "/audit/signs", "/emergency", "/notices"],
    "administrator": ["/people", "/organisations"],
    "analyst": ["/statistics"],
    "decision_maker": ["/decisions"],
    "directory_manager": ["/directory"],
    "other_responder": ["/flags"],
    "clinician": ["/inbox", "/inbox?state=accepted", "/inbox?state=closed"],
}


def test_nothing_about_a_person_lies_anywhere_in_clear(
    world, settings, tmp_path, capfd, monkeypatch, counted
):
    traces, checkpoints = Traces(), tmp_path / "second place"
    with serving() as server, haystacks.listening() as (own, others):
        monkeypatch.setitem(world.app.config, "NRM", replace(settings, mail=server.address))
        two_people_go_the_whole_way(world, traces)
        an_act_fails_in_the_middle(world, monkeypatch)
        the_program_sends_its_messages(world, traces, settings, checkpoints, server)
    printed = capfd.readouterr()
    places = {
        **haystacks.of_the_database(world, tmp_path),
        **haystacks.of_sessions(world),
        **haystacks.of_details(world),
        **haystacks.of_traces(traces),
        **haystacks.of_messages(server),
        "checkpoint": b"".join(path.read_bytes() for path in checkpoints.iterdir()),
        "log": own.getvalue().encode(),
        "other logs": others.getvalue().encode(),
        "printed": (printed.out + printed.err).encode(),
    }
    assert haystacks.found(VALUES, places) == []
    assert own.getvalue().count('"event": "request"') > 100
    the_details_name_fields_alone(world)
    every_value_was_shown_and_is_kept_sealed(world, traces)
    outsiders_are_shown_none(world)
    size = sum(map(len, places.values()))
    sent = len(server.messages)
    counted(
        f"row 37: {len(VALUES)} values, {len(places)} places, {sent} of them e-mails, "
        f"{size} bytes: none found"
    )


def two_people_go_the_whole_way(world, traces):
    investigator = Investigator(world, "first_responder", traces)
    coordinator = Coordinator(world, "coordinator", traces)
    worker = Worker(world, "provider", traces)
    other = Worker(world, "other_provider", traces)
    first, second = the_investigator_writes_three_flags(investigator)

    the_coordinator_begins(coordinator, first, "")
    for group in ("identity", "contact", "narrative", "health"):
        coordinator.opens_fields(group, "safety")
    coordinator.records_consent(record="yes")
    every_part = ("identity", "contact", "narrative", "health")
    sent = coordinator.refers_to("lakes", *every_part, **outside(""))
    a_provider_helps(worker, sent, CANARIES["service_words"])
    the_coordinator_ends(coordinator, CANARIES["closure_words"])

    the_coordinator_begins(coordinator, second, "second_")
    somebody_is_kept_out_and_somebody_let_in(world, coordinator, traces)
    coordinator.chooses("lakes")
    coordinator.records_that_the_law_allows("lakes", "contact")
    the_case_is_offered_elsewhere(world, coordinator, traces)
    coordinator.shows_on_the_envelope("lakes", **outside("second_"))
    sent = coordinator.sends_the_referral("lakes", **outside("second_"))
    worker.declines(sent, "no_capacity", CANARIES["decline_words"])
    # A shelter that gives nothing else is never told of health.
    sent = coordinator.refers_to("hills", *every_part[:3], **outside("second_"))
    a_provider_helps(other, sent, CANARIES["second_service_words"])
    the_coordinator_ends(coordinator, CANARIES["second_closure_words"])


def somebody_is_kept_out_and_somebody_let_in(world, coordinator, traces):
    """Write every reason that keeps somebody out of a case, or lets them in, in words."""
    kept_out = coordinator.at("/kept-out")
    whom = f"organisation:{world.organisations['clinic']}"
    reasons = {"reason": "other", "words": CANARIES["bar_words"]}
    coordinator.sends(kept_out, {"whom": whom, **reasons})
    lifting = coordinator.opens(kept_out).select_one("a[href$='/lift']")["href"]
    coordinator.sends(lifting, {"reason": "other", "words": CANARIES["lift_words"]})
    coordinator.opens(kept_out)
    emergency = {"reason": "danger_to_life", "words": CANARIES["glass_words"]}
    coordinator.sends(coordinator.at("/emergency"), emergency)
    auditor = Person(world, "auditor", traces)
    review = auditor.opens("/emergency").select_one("main tbody a")["href"]
    found = {"verdict": "needs_follow_up", "words": CANARIES["review_words"]}
    auditor.sends(review, found)
    auditor.opens(review)


def the_case_is_offered_elsewhere(world, coordinator, traces):
    """Write to another organisation what it should know, and let it read that and decline."""
    to = str(world.accounts["other_coordinator"])
    words = CANARIES["hand_over_words"]
    coordinator.sends(coordinator.at("/offer"), {"to": to, "words": words})
    elsewhere = Person(world, "other_coordinator", traces)
    offer = elsewhere.opens("/cases").select_one("main a[href^='/hand-overs/']")["href"]
    elsewhere.opens(offer)
    elsewhere.sends(f"{offer}/decline")


def the_investigator_writes_three_flags(investigator):
    first = answers_about()
    investigator.begins_a_flag()
    investigator.answers(first, "report", "place", "person", "signs", "risk")
    wrong = {**first["contact"], "phone": REFUSED}
    page = investigator.sends(f"{investigator.draft}/contact", wrong, status=422)
    assert page.find(attrs={"name": "phone"})["value"] == REFUSED
    investigator.answers(first, "contact", "consent")
    investigator.checks_the_answers()
    reference = investigator.sends_the_flag()
    investigator.begins_another_at_the_same_place()
    investigator.answers(answers_about("second_"))
    investigator.checks_the_answers()
    another = investigator.sends_the_flag()
    investigator.begins_a_flag()
    draft = answers_about("draft_")
    investigator.answers(draft, "person")
    investigator.leaves_in_the_middle_of("signs", {"account": draft["signs"]["account"]})
    investigator.comes_back_later()
    for page in ("person", "signs"):
        investigator.opens(f"{investigator.draft}/{page}")
    return reference, another


def the_coordinator_begins(coordinator, reference, prefix):
    coordinator.opens("/cases")
    coordinator.finds(reference)
    coordinator.presumes(CANARIES[f"{prefix}presumption_words"])
    coordinator.records_needs(SERVICE)


def outside(prefix):
    return {name: CANARIES[prefix + name] for name in ("safety", "arrangements")}


def a_provider_helps(worker, sent, words):
    worker.reads_the_inbox()
    worker.accepts(sent)
    worker.records_a_service(sent, words)
    worker.reads_the_inbox("accepted")


def the_coordinator_ends(coordinator, words):
    for inner in ("", "/consent", "/help"):
        coordinator.opens(coordinator.at(inner))
    coordinator.closes(words)


def an_act_fails_in_the_middle(world, monkeypatch):
    """Let an error carry what was typed, as a driver's error would."""

    def fails(*_args, **_options):
        raise RuntimeError(" ".join(VALUES))

    investigator = Investigator(world, "first_responder")
    investigator.begins_a_flag()
    with monkeypatch.context() as patch:
        patch.setattr(identification, "save_page", fails)
        typed = answers_about()["signs"]
        page = investigator.sends(f"{investigator.draft}/signs", typed, status=500)
    assert haystacks.found(VALUES, {"error page": str(page).encode()}) == []


def the_program_sends_its_messages(world, traces, settings, folder, server):
    """Let it send all that it ever sends: the link of an invitation, and the log's checkpoint."""
    administrator = Person(world, "administrator", traces)
    administrator.opens("/people/new")
    administrator.sends("/people/new", people_pages.new(world))
    administrator.sees("The link was sent by e-mail as well.")
    with world.entered(), log.signer_of(settings):
        assert log_keeping.keep(folder, server.address, "keeper@practice.example").sent
    assert len(server.messages) == 2


def the_details_name_fields_alone(world):
    """What the log seals about fields are names such as `given_name`, and whole numbers."""
    with world.entered():
        details = [detail(entry) for entry in db.session.scalars(select(AuditEntry))]
    names = {name for said in details for name in said.get("fields", ())}
    assert {"given_name", "account", "phone", "words"} <= names
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    counts = [count for said in details for count in said.get("counts", {}).values()]
    assert all(isinstance(count, int) for count in counts)


def every_value_was_shown_and_is_kept_sealed(world, traces):
    """Without this, a journey that typed nothing would pass."""
    typed = {"pages": "\n".join(traces.pages).encode()}
    shown = {value for value, _ in haystacks.found(VALUES, typed)}
    assert set(VALUES) - shown <= WRITTEN_FOR_LATER
    kept = haystacks.found(VALUES, {"sealed": opened(world)})
    assert {value for value, _ in kept} == set(VALUES) - {REFUSED}
    coded = haystacks.found(VALUES, {"facts": opened_facts(world)})
    assert coded == []


def opened(world):
    """Open everything that belongs to a person, as text."""
    tables = {
        SealedCompartment: lambda row: (row.case_id, row.compartment),
        SealedNote: lambda row: (row.case_id, row.compartment),
        SealedEnvelope: lambda row: (row.case_id, "envelope"),
        SealedDraft: lambda row: (row.draft_id, "draft"),
    }
    return unsealed(world, tables, CaseKey, Purpose.CASE)


def opened_facts(world):
    """Open what the statistics will read: codes alone."""
    tables = {
        SealedFacts: lambda row: (row.case_id, "facts"),
        SealedFactsEvent: lambda row: (row.case_id, "facts_event"),
    }
    return unsealed(world, tables, FactsKey, Purpose.FACTS)


def unsealed(world, tables, key_table, purpose):
    documents = []
    with world.entered(), unit_of_work() as unit:
        for table, place in tables.items():
            rows = select(table, key_table).join(key_table, key_table.id == table.key_id)
            for row, key in db.session.execute(rows):
                owner, compartment = place(row)
                documents.append(vault._open(unit, owner, compartment, row, key, purpose))
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)
    assert documents
    return json.dumps(documents, ensure_ascii=False).encode()


def outsiders_are_shown_none(world):
    """Whoever has no part in a case is shown none of it on any list of theirs."""
    for name, addresses in OUTSIDERS.items():
        traces = Traces()
        person = Person(world, name, traces)
        for address in addresses:
            person.opens(address)
        if name == "auditor":
            for link in person.page.html.select("tbody a[href^='/audit/']"):
                person.opens(link["href"])
        assert haystacks.found(VALUES, {name: "\n".join(traces.pages).encode()}) == []


@pytest.mark.parametrize("column", ["name", "of bytes"])
def test_what_is_not_sealed_is_found(world, tmp_path, column):
    """The search itself is tried on values that do lie in clear."""
    with world.entered(), unit_of_work() as unit:
        for at, value in enumerate(VALUES):
            name = value.upper() if column == "name" else f"Practice organisation {at}"
            made = Organisation(name=name, kind="ngo", district="11", created_at=unit.now)
            db.session.add(made)
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
        if column == "of bytes":
            last = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
            last.detail = "\n".join(VALUES).encode()
    places = haystacks.of_the_database(world, tmp_path)
    assert {value for value, _ in haystacks.found(VALUES, places)} == set(VALUES)


def test_what_is_logged_or_stands_in_an_address_is_found():
    with haystacks.listening() as (own, _):
        for value in VALUES:
            LOGGER.info(value)
    assert len(haystacks.found(VALUES, {"log": own.getvalue().encode()})) == len(VALUES)
    traces = Traces(addresses=[f"/cases?q={haystacks.quote_plus(value)}" for value in VALUES])
    assert len(haystacks.found(VALUES, haystacks.of_traces(traces))) == len(VALUES)


def test_what_stands_in_an_e_mail_is_found():
    with serving() as server:
        for value in VALUES:
            mail.send(server.address, "keeper@practice.example", "Practice", value)
    sent = haystacks.found(VALUES, haystacks.of_messages(server))
    assert {value for value, _ in sent} == set(VALUES)


def test_there_are_so_many_values_each_with_a_word_of_its_own():
    said = {next(haystacks.spellings(value)) for value in VALUES}
    assert len(VALUES) == len(said) == 45
