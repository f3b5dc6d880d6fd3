import csv
import io
import re
import sqlite3
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import make_url

from nrm.audit.entry import leaf_hash
from nrm.db import db, unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.roles import HOUSEKEEPING, HUMAN_ROLES, Permission, Role
from nrm.models import AuditEntry
from nrm.models.spoilt import SPOILT_ID
from nrm.services import audit, identification, log_export, log_search
from nrm.web import paging
from nrm.web.log_words import PERMISSION_LABEL
from tests import world as worlds
from tests.page import PageClient, filled_in, find_form
from tests.page_checks import words
from tests.world import CANARIES, ONE_PER_ROLE, in_world

MOST_STATEMENTS = 10


@pytest.fixture
def page(signed_in):
    return signed_in("auditor")


def entries(world, *conditions):
    with world.entered():
        query = select(AuditEntry).where(*conditions).order_by(AuditEntry.seq)
        return db.session.scalars(query).all()


@in_world
def fill(world, number):
    """Write that the list of people was read, again and again."""
    for _ in range(number):
        with unit_of_work() as unit:
            audit.record(unit, world.actor("administrator"), audit.Action.ACCOUNT_LIST)


def tamper(world, assignment, seq):
    """Change an entry behind the program's back, as someone with the file in hand could."""
    with sqlite3.connect(make_url(world.app.config["NRM"].database_url).database) as connection:
        connection.execute("DROP TRIGGER IF EXISTS audit_entry_no_update")
        connection.execute(f"UPDATE audit_entry SET {assignment} WHERE seq = ?", [seq])
    connection.close()


def rows(html):
    """Give each entry shown as the words of its cells: number, time, who, act, detail."""
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.find_all("td")]
        for row in html.select("tbody tr")
    ]


def numbers(html):
    return [int(row[0].removeprefix("Entry ")) for row in rows(html)]


def acts(html):
    return [row[3] for row in rows(html)]


def search(page, **asked):
    page.get("/audit")
    page.post("/audit", asked)
    return page.follow()


def errors(html):
    links = html.select(".govuk-error-summary__list a")
    assert all(html.find(id=link["href"][1:]) for link in links)
    return {link["href"][1:]: words(link) for link in links}


@pytest.mark.parametrize("role", [role for role in HUMAN_ROLES if role is not Role.AUDITOR])
def test_other_roles_are_refused_and_the_log_knows(world, signed_in, role):
    page = signed_in(ONE_PER_ROLE[role])
    entry = entries(world)[0]
    page.get("/audit", status=403)
    page.get(f"/audit/{entry.id}", status=403)
    refused = entries(world, AuditEntry.action == "access:refused")
    assert [(entry.purpose, entry.outcome) for entry in refused] == [
        ("audit:search", "refused")
    ] * 2


def test_a_case_shows_who_acted_and_who_read(world, page, signed_in):
    case, sent = worlds.accepted(world)
    worlds.flag(world)
    coordinator = signed_in("second_coordinator")
    coordinator.get(f"/cases/{case}")
    html = search(page, reference=case.lower().replace("-", " "))
    told = rows(html)
    assert {"Person flagged", "Case file opened", "Referral accepted"} <= set(acts(html))
    newest = told[0]
    assert newest[3] == "Case file opened"
    assert "Practice Second Coordinator" in newest[2]
    assert "Practice Coordination Unit, Coordinator" in newest[2]
    assert all(case in row[4] for row in told)
    accepted = next(row for row in told if row[3] == "Referral accepted")
    assert sent in accepted[4]
    assert "Practice Shelter of the Lakes, Service provider" in accepted[2]


def test_a_referral_shows_only_its_own_entries(world, page):
    case, sent = worlds.accepted(world)
    html = search(page, reference=sent)
    assert {"Referral sent", "Referral accepted"} <= set(acts(html))
    assert "Person flagged" not in acts(html)
    assert all(sent in row[4] and case in row[4] for row in rows(html))


def test_a_case_reference_that_begins_with_r_is_no_referral(world, page, monkeypatch):
    monkeypatch.setattr(identification, "new_case_reference", lambda: "R111-1111-J")
    assert worlds.flag(world) == "R111-1111-J"
    assert "Person flagged" in acts(search(page, reference="R111-1111-J"))


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("7K4M-29QX-O", "There is no letter O in a reference."),
        ("7K4M-29QX-D", "One character is wrong or two are swapped."),
        ("R-52K-KH3-0", "There is no zero in a reference."),
        ("7K4M", "A reference has 9 characters; you typed 4."),
        ("R\x00", "A reference has 9 characters; you typed"),
    ],
)
def test_a_slip_in_a_reference_is_explained_and_stays_typed(page, typed, message):
    page.get("/audit")
    html = page.post("/audit", {"reference": typed, "act": "case:open"}, status=422)
    assert errors(html)["reference"].startswith(message)
    assert html.find("input", id="reference")["value"].startswith(typed[:1])
    assert html.find("option", value="case:open").has_attr("selected")
    assert not html.find("table")


def test_a_person_is_asked_for_by_e_mail_and_no_address_of_ours_names_them(world, page):
    worlds.accepted(world)
    html = search(page, email=" Provider@Practice.example")
    assert "@" not in page.path
    assert "%40" not in page.path
    assert "provider" not in page.path
    assert html.find("input", id="email")["value"] == "provider@practice.example"
    assert rows(html)
    assert all("Practice Provider" in row[2] for row in rows(html))


def test_an_e_mail_that_no_account_has_is_refused(page):
    page.get("/audit")
    html = page.post("/audit", {"email": "nobody@practice.example"}, status=422)
    assert errors(html) == {"email": "No account has this e-mail address. Check it."}
    assert html.find("input", id="email")["value"] == "nobody@practice.example"


@pytest.mark.parametrize("person", ["zzz", "00000000-0000-4000-8000-000000000009"])
def test_a_person_of_an_address_who_has_no_account_is_named_and_nothing_is_shown(
    world, page, person
):
    worlds.flag(world)
    html = page.get(f"/audit?person={person}", status=422)
    assert errors(html) == {"email": "There is no such account. Type the e-mail address."}
    assert not rows(html)
    address, fields = the_table(page.get("/audit"))
    html = page.post_raw(f"{address}?person={person}", fields, status=422)
    assert errors(html) == {"email": "There is no such account. Type the e-mail address."}
    assert not entries(world, AuditEntry.action == "audit:export")


def test_the_filters_narrow_together(world, page, signed_in):
    worlds.accepted(world)
    signed_in("analyst").get("/audit", status=403)
    lakes = str(world.organisations["lakes"])
    html = search(page, organisation=lakes, act="referral:accept", outcome="done")
    assert acts(html) == ["Referral accepted"]
    html = search(page, outcome="refused")
    assert acts(html) == ["Access refused Refused"]
    assert rows(html)[0][4] == "Why: not permitted to read the log"
    assert html.find("option", value="refused").has_attr("selected")


def test_the_days_are_those_of_the_country_and_both_ends_count(world, page):
    worlds.flag(world)
    day = world.today
    today = [str(day.day), str(day.month), str(day.year)]
    html = search(page, since=today, until=today, act="case:flag")
    assert acts(html) == ["Person flagged"]
    before = day - timedelta(days=1)
    yesterday = [str(before.day), str(before.month), str(before.year)]
    html = search(page, until=yesterday)
    assert "No entry fits." in words(html.main)
    assert [field["value"] for field in html.find_all("input", {"name": "until"})] == yesterday
    assert "Audit log searched" in acts(page.click("Show everything"))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"since": ["30", "2", "2026"]}, {"since": "Enter a real date, like 27 3 2001"}),
        ({"since": ["", "2", "2026"]}, {"since": "Enter a real date, like 27 3 2001"}),
        (
            {"until": ["31", "12", "9999"]},
            {"until": "Enter a day that is not in the future, like 22 11 2026"},
        ),
        (
            {"since": ["2", "1", "2026"], "until": ["1", "1", "2026"]},
            {"until": "The last day must not be before the first day"},
        ),
        ({"act": "case:forget"}, {"act": "Choose an answer from the list"}),
    ],
)
def test_an_impossible_question_is_refused(page, asked, message):
    page.get("/audit")
    assert errors(page.post("/audit", asked, status=422)) == message


def test_an_address_that_was_tampered_with_shows_a_page_and_no_failure(page):
    page.get("/audit?reference=nonsense&act=x", status=422)
    page.get("/audit?since=1&since=2", status=422)
    for tail in ("before=-1", "before=99999999999999999999", "before=x"):
        assert rows(page.get(f"/audit?{tail}"))
    places = (("x", 1), ("9" * 30, 1), ("-" + "9" * 30, 1), (0, 2**63), (1, -1), (1,), (1, 2, 3))
    for place in places:
        assert rows(page.get(f"/audit?before={paging.encode(*place)}"))


def test_older_entries_keep_the_question(world, page):
    fill(world, 2 * log_search.PAGE + 5)
    html = search(page, email=world.email("administrator"), act="account:list")
    found = numbers(html)
    while link := html.select_one(".govuk-pagination__next a"):
        assert {"person", "act", "before"} == set(parse_qs(urlsplit(link["href"]).query))
        html = page.click("Older entries")
        found += numbers(html)
    assert len(found) == 2 * log_search.PAGE + 5
    assert found == sorted(set(found), reverse=True)


def test_where_an_older_page_begins_is_said_by_two_numbers(world, page):
    fill(world, log_search.PAGE + 1)
    link = page.get("/audit").select_one(".govuk-pagination__next a")
    [word] = parse_qs(urlsplit(link["href"]).query)["before"]
    assert all(part.isdigit() for part in paging.decode(word, 2))


def test_a_page_of_the_log_takes_few_statements(world, page):
    worlds.accepted(world)
    fill(world, log_search.PAGE)
    case, sent = worlds.served(world)
    counts = [len(statements(world, page, "/audit"))]
    for asked in (
        {"email": world.email("administrator")},
        {"reference": case},
        {"reference": sent, "act": "referral:accept", "outcome": "done"},
        {"email": world.email("coordinator"), "organisation": str(world.organisations["lakes"])},
    ):
        search(page, **asked)
        counts.append(len(statements(world, page, page.path)))
    assert max(counts) <= MOST_STATEMENTS


def statements(world, page, address):
    sent = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        page.get(address)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sent


def test_the_log_shows_names_of_fields_and_no_value(world, page):
    worlds.accepted(
        world,
        person={name: CANARIES[name] for name in ("given_name", "family_name", "birth_date")},
        signs={"account": CANARIES["account"]},
    )
    html = search(page, act="draft:save")
    told = ""
    for link in html.select(".nrm-log__n a"):
        told += str(page.get(link["href"]))
    told += str(page.get("/audit"))
    assert "birth_date" in told
    assert not [canary for canary in CANARIES.values() if canary in told]


def test_reading_the_log_is_in_the_log(world, page):
    entry = entries(world)[0]
    page.get("/audit")
    page.get(f"/audit/{entry.id}")
    searched, opened = entries(world, AuditEntry.action == "audit:search")
    assert (searched.subject_type, opened.subject_type) == ("none", "entry")
    assert opened.subject_id == entry.id
    assert opened.actor_id == world.accounts["auditor"]


def test_an_entry_is_shown_whole(world, page):
    worlds.accepted(world)
    (accepted,) = entries(world, AuditEntry.action == "referral:accept")
    html = page.get(f"/audit/{accepted.id}")
    assert words(html.h1) == f"Entry {accepted.seq}"
    told = words(html.main)
    assert "This entry is as it was written." in told
    for fact in ("Referral accepted", "Practice Provider", "Practice Shelter of the Lakes"):
        assert fact in told
    assert accepted.leaf_hash.hex() in told


@pytest.mark.parametrize(
    "assignment",
    [
        "purpose = 'safety'",
        "detail = x'00'",
        "leaf_hash = zeroblob(32)",
        "rows = '['",
    ],
)
def test_an_entry_that_was_changed_says_so(world, page, assignment):
    worlds.flag(world)
    sent = entries(world, AuditEntry.action == "draft:save")[-1]
    tamper(world, assignment, sent.seq)
    told = words(page.get(f"/audit/{sent.id}").main)
    assert "This entry is not as it was written." in told
    assert "as it was written. Its hash" not in told


@pytest.mark.parametrize("column", ["action", "outcome", "actor_role"])
def test_one_entry_that_was_changed_does_not_hide_the_others(world, page, column):
    worlds.flag(world)
    sent = entries(world, AuditEntry.action == "draft:save")[-1]
    tamper(world, f"{column} = 'nonsense'", sent.seq)
    shown = {row[0]: " ".join(row) for row in rows(page.get("/audit"))}
    assert len(shown) > 1
    assert "nonsense" in shown[f"Entry {sent.seq}"]
    told = words(page.get(f"/audit/{sent.id}").main)
    assert "This entry is not as it was written." in told


SPOILT = [
    "id = 'zzz'",
    "actor_id = 'zzz'",
    "subject_id = 'zzz'",
    "case_id = 'zzz'",
    "occurred_at = '2026-11-99 00:00:00.000000'",
    "occurred_at = 'nonsense'",
]


@pytest.mark.parametrize("assignment", SPOILT)
def test_an_entry_whose_id_or_time_is_none_any_more_is_shown_as_unreadable(world, page, assignment):
    worlds.flag(world)
    saved = entries(world, AuditEntry.action == "draft:save")[-1]
    tamper(world, assignment, saved.seq)
    html = page.get("/audit")
    shown = {row[0].removeprefix("Entry "): " ".join(row) for row in rows(html)}
    # What is left of it, and every other entry.
    assert len(shown) > 1
    assert "Not as it was written" in shown[str(saved.seq)]
    assert "Housekeeping" not in shown[str(saved.seq)]
    assert not re.search(r"\b9999\b", shown[str(saved.seq)])
    assert sum("Not as it was written" in words for words in shown.values()) == 1
    if not assignment.startswith("id"):
        html = page.get(f"/audit/{saved.id}")
        told = words(html.main)
        assert "This entry is not as it was written." in told
        assert str(SPOILT_ID) not in told
        # As a year: four nines in a row stand in many a hash.
        assert not re.search(r"\b9999\b", told)
    # The table that can be taken out has it as well, without what cannot be read.
    answer = page.post_raw(*the_table(page.get("/audit")), status=200)
    table = {
        row["number"]: row for row in csv.DictReader(io.StringIO(answer.get_data(as_text=True)))
    }
    assert set(shown) <= set(table)
    column = {"id": "entry", "actor_id": "account", "occurred_at": "time"}.get(
        assignment.split()[0]
    )
    assert column is None or table[str(saved.seq)][column] == ""


@pytest.mark.parametrize("assignment", SPOILT)
def test_whoever_forges_the_hash_of_what_cannot_be_read_makes_it_no_better(world, page, assignment):
    worlds.flag(world)
    saved = entries(world, AuditEntry.action == "draft:save")[-1]
    tamper(world, assignment, saved.seq)
    [read] = entries(world, AuditEntry.seq == saved.seq)
    leaf = leaf_hash(audit.entry_of(vars(read))).hex()
    tamper(world, f"leaf_hash = x'{leaf}'", saved.seq)
    assert "Not as it was written" in words(page.get("/audit").main)
    if not assignment.startswith("id"):
        told = words(page.get(f"/audit/{saved.id}").main)
        assert "This entry is not as it was written." in told


def test_unreadable_times_lead_to_no_page_that_has_no_end(world, page, monkeypatch):
    monkeypatch.setattr(log_search, "PAGE", 3)
    monkeypatch.setattr(log_export, "BATCH", 3)
    worlds.flag(world)
    numbers = [entry.seq for entry in entries(world)]
    for seq, moment in zip(
        numbers[2:8],
        ("nonsense", "more nonsense", "2026-11-99 00:00", "2026", "zzz", "9999-99-99"),
        strict=True,
    ):
        tamper(world, f"occurred_at = '{moment}'", seq)
    html, seen = page.get("/audit"), []
    for _ in range(len(numbers)):
        seen += [int(row[0].removeprefix("Entry ")) for row in rows(html)]
        if not (older := html.find("a", rel="next")):
            break
        html = page.get(older["href"])
    assert not html.find("a", rel="next")
    assert len(set(seen)) == len(seen)
    assert set(numbers) - set(numbers[2:8]) <= set(seen)


@pytest.mark.parametrize(
    ("kind", "purpose", "said"),
    [
        ("none", "5d" * 32, "Why: what was typed has the fingerprint 5d5d5d5d5d5d5d5d"),
        ("none", "casefile.overview", "Why: asked for on the page casefile.overview"),
        ("checkpoint", "court.example", "court.example"),
        ("key", "case 3", "case 3"),
    ],
)
def test_what_stands_for_a_reason_is_said_in_words(world, page, kind, purpose, said):
    with world.entered(), unit_of_work() as unit:
        audit.record(unit, HOUSEKEEPING, audit.Action.KEY_DRILL, Subject(kind), purpose=purpose)
    assert rows(page.get("/audit"))[0][4] == said


def test_an_entry_whose_detail_is_gone_says_so_and_stays_whole(world, page):
    worlds.flag(world)
    saved = entries(world, AuditEntry.action == "draft:save")[-1]
    gone = "of this entry are no longer kept"
    assert gone not in words(page.get(f"/audit/{saved.id}").main)
    tamper(world, "detail = NULL", saved.seq)
    told = words(page.get(f"/audit/{saved.id}").main)
    assert "This entry is as it was written." in told
    assert gone in told


def test_an_entry_that_is_not_there_is_not_found(page):
    page.get(f"/audit/{uuid4()}", status=404)
    page.get("/audit/1", status=404)


def the_table(html):
    """Find the form that takes out what the page shows: where it is sent, and with what."""
    [form] = [form for form in html.find_all("form") if "/audit/export" in form["action"]]
    return form["action"], filled_in(form)


def test_the_table_of_a_search_is_a_file_whose_name_says_nothing(world, page):
    case, _sent = worlds.accepted(world)
    answer = page.post_raw(*the_table(search(page, reference=case, act="case:flag")), status=200)
    assert answer.mimetype == "text/csv"
    assert answer.headers["Cache-Control"] == "no-store"
    name = answer.headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="log-\d{4}-\d\d-\d\d\.csv"', name)
    [flagged] = csv.DictReader(io.StringIO(answer.get_data(as_text=True)))
    assert (flagged["act"], flagged["case"]) == ("case:flag", case)
    begun, done = entries(world, AuditEntry.action == "audit:export")
    assert (begun.outcome, done.outcome, done.subject_id) == ("begun", "done", begun.id)
    # From how it ended one comes to how it began.
    html = page.get(f"/audit/{done.id}")
    assert html.find("a", href=f"/audit/{begun.id}")


def test_the_address_of_a_table_names_no_person(world, page):
    worlds.accepted(world)
    address, fields = the_table(search(page, email=world.email("provider"), outcome="done"))
    asked = parse_qs(urlsplit(address).query)
    assert asked == {"person": [str(world.accounts["provider"])], "outcome": ["done"]}
    answer = page.post_raw(address, fields, status=200)
    told = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert told
    assert {row["name"] for row in told} == {"Practice Provider"}


def test_a_table_that_was_asked_for_twice_leads_back_to_its_search(world, page):
    worlds.flag(world)
    address, fields = the_table(search(page, act="case:flag"))
    page.post_raw(address, fields, status=200)
    page.post_raw(address, fields, status=303)
    assert acts(page.follow()) == ["Person flagged"]
    assert len(entries(world, AuditEntry.action == "audit:export")) == 2


def test_a_line_that_broke_in_the_midst_is_in_the_log(world, page, monkeypatch):
    monkeypatch.setattr(log_export, "BATCH", 5)
    worlds.accepted(world)
    form = find_form(page.get("/audit"), "/audit", "/audit/export")
    answer = page.client.post(form["action"], data=filled_in(form), buffered=False)
    parts = answer.iter_encoded()
    assert next(parts).startswith(b"number,time,")
    next(parts)
    answer.close()
    outcomes = [one.outcome for one in entries(world, AuditEntry.action == "audit:export")]
    assert outcomes == ["begun", "failed"]
    told = rows(search(page, act="audit:export"))
    assert [row[3] for row in told] == [
        "Entries of the log taken out Failed",
        "Entries of the log taken out Begun",
    ]


def test_a_question_that_cannot_be_asked_is_no_table(page):
    page.get("/audit")
    page.post_raw("/audit/export?reference=nonsense", filled_in(page.html.form), status=422)


def test_every_permission_that_can_be_lacking_is_said_in_words():
    assert set(PERMISSION_LABEL) == set(Permission)
    assert len({str(label) for label in PERMISSION_LABEL.values()}) == len(Permission)


def test_a_failed_sign_in_stands_in_the_log_with_the_account_it_was_about(world, page, client):
    stranger = PageClient(client)
    wrong = {"email": world.email("analyst"), "password": "a wrong password"}
    stranger.post("/sign-in", wrong, status=422)
    (failed,) = rows(search(page, act="session:fail"))
    assert failed[2] == "Somebody who is not signed in"
    assert failed[3] == "Sign-in failed Failed"
    assert failed[4] == "Practice Analyst Why: Password"
