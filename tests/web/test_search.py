"""Finding a person, and the notice that one may be known already: what is shown, and to whom."""

import re
from itertools import cycle

import pytest
from sqlalchemy import delete, event, select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.reference import spoken
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry, Case, CaseKey
from nrm.services import comparison, follow_up, ownership, visibility
from nrm.services.audit import record
from tests import ledger as ledgers
from tests import world as worlds
from tests.guards import haystacks
from tests.page_checks import words

NAMES = {"given_name": "Uwase", "family_name": "Kanyarwanda"}
PAPER, PHONE = "1199380023424815", "+250788162342"
NO_PHONE = {"phone": ""}
MOST_STATEMENTS = 15


@pytest.fixture
def coordinator(signed_in):
    return signed_in("coordinator")


def flag(world, by="first_responder", contact=None, **person):
    return worlds.flag(world, by, person=person or NAMES, contact=contact or NO_PHONE)


def entries(world, action):
    with world.entered():
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
        return db.session.scalars(query).all()


def statements(world, act):
    """List every statement that an act sends to the database, the opening ones too."""
    sent = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sent


def ask(page, names="", identifier="", status=200):
    page.get("/search")
    return page.post("/search", {"names": names, "identifier": identifier}, status=status)


def rows(html):
    return [words(row) for row in html.select("#found tbody tr")]


# Finding a person


def test_a_person_is_found_by_names_and_the_reason_is_said(world, coordinator):
    reference = flag(world, **NAMES, birth_date="2001-04-05")
    flag(world, given_name="Bosco", family_name="Ntwali")
    html = ask(coordinator, "kanyarwanda uwase")
    assert words(html.select_one("#found h2")) == "1 person found"
    [row] = rows(html)
    for said in (reference, "U. K.", "Born 2001", "Nyarugenge", "New flag"):
        assert said in row
    assert "Very alike Same names in another order" in row
    # By chance the other file may lie in the same bucket, and is opened too.
    assert re.search(r"(1 file was|2 files were) opened to answer this; the log has", words(html))
    coordinator.click(reference)
    assert words(coordinator.html.h1) == "Overview"


TYPED = [
    ("Uwase Kanyarwanda", "", "Same names"),
    ("Uwase Kanyarwamda", "", "One letter differs"),
    ("Uwaze Kanyarwanda", "", "One letter differs"),
    ("", "1 1993 8 0023424 8 15", "Same number of a paper or telephone"),
    ("", "0788 162 342", "Same number of a paper or telephone"),
    ("Ntwali Bosco", PHONE, "Same number of a paper or telephone"),
]


def test_what_was_typed_finds_the_person(world, coordinator, subtests):
    reference = flag(world, contact={"phone": PHONE}, **NAMES, id_number=PAPER)
    for names, identifier, reason in TYPED:
        with subtests.test(f"{names} {identifier}"):
            [row] = rows(ask(coordinator, names, identifier))
            assert reference in row
            assert reason in row


def test_a_closed_case_is_marked(world, coordinator):
    reference = flag(world)
    with world.entered():
        follow_up.close(
            world.actor("coordinator"),
            reference,
            "contact_lost",
            "",
            version=worlds.version(world, reference),
            pack=world.pack,
        )
    [row] = rows(ask(coordinator, "Uwase Kanyarwanda"))
    assert "Closed" in row


def test_a_file_that_does_not_open_is_said_and_the_others_are_shown(world, coordinator):
    shown, lost = flag(world), flag(world)
    with world.entered(), unit_of_work() as unit:
        owner = db.session.scalar(select(Case.id).where(Case.reference == lost))
        db.session.execute(delete(CaseKey).where(CaseKey.owner_id == owner))
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)
    html = ask(coordinator, "Uwase Kanyarwanda")
    [row] = rows(html)
    assert shown in row
    assert "1 file that may be the person’s could not be opened." in words(html)


def test_who_is_not_found_is_said_with_what_to_try(world, coordinator):
    flag(world)
    html = ask(coordinator, "Ntwali Bosco")
    found = words(html.select_one("#found"))
    assert "Nobody found" in found
    assert "Try the names as they may have been heard" in found
    assert rows(html) == []


def test_a_single_name_finds_people_of_one_name_and_says_so(world, coordinator):
    flag(world)
    alone = flag(world, given_name="Uwase", family_name="")
    html = ask(coordinator, "uwase")
    [row] = rows(html)
    assert alone in row
    assert "You searched by a single name." in words(html)


BAD = [
    ("nothing", {}, "Enter a name, or the number"),
    ("one letter", {"names": "x"}, "at least two letters"),
    ("one letter and a dash", {"names": "x -"}, "at least two letters"),
    ("500 characters", {"names": "x" * 500}, "200 characters or fewer"),
    ("many names", {"names": "ab cd ef gh ij kl mn op qr"}, "no more than eight names"),
    ("signs alone", {"names": "?!"}, "at least two letters"),
    ("no number", {"identifier": "-"}, "Enter the number as it stands"),
    ("a long number", {"identifier": "1" * 100}, "Enter the number as it stands"),
]


def test_what_cannot_be_searched_is_refused_and_kept(world, coordinator, subtests):
    flag(world)
    for what, typed, message in BAD:
        with subtests.test(what):
            html = ask(coordinator, **typed, status=422)
            assert words(html.title).startswith("Error: Find a person")
            summary = html.select_one(".govuk-error-summary a")
            assert message in words(summary)
            wrong = next(iter(typed), "names")
            assert summary["href"] == f"#{wrong}"
            assert html.find(id=wrong).get("value", "") == typed.get(wrong, "")
            assert html.select_one("#found") is None
    assert entries(world, "person:search") == []


SCRIPTS = ["N’Diaye O'Brien", "Mukarugwiza-Uwase", "فاطمة الزهراء", "Ñandú Žižek", "<b> {{7}}"]


def test_a_name_in_any_script_is_found_as_it_was_written(world, coordinator, subtests):
    for name in SCRIPTS:
        with subtests.test(name):
            given, _, family = name.partition(" ")
            reference = flag(world, given_name=given, family_name=family)
            [row] = rows(ask(coordinator, name))
            assert reference in row
            assert "Same names" in row
            assert coordinator.html.find(id="names")["value"] == name


def test_nothing_of_what_was_typed_or_found_is_in_a_title_an_address_or_a_log(
    world, coordinator, capfd
):
    flag(world, **NAMES, id_number=PAPER)
    with haystacks.listening() as (own, others):
        html = ask(coordinator, "Uwase Kanyarwanda", PAPER)
    assert rows(html)
    printed = capfd.readouterr()
    [entry, *_rest] = entries(world, "person:search")
    with world.entered():
        kept = ledgers.detail(entry)
    places = {
        "title and headings": words(html.title) + " ".join(map(words, html.select("h1, h2, h3"))),
        "addresses": " ".join(link["href"] for link in html.select("a")),
        "forms": " ".join(form["action"] for form in html.select("form")),
        "headers": str(coordinator.response.headers),
        "log": own.getvalue() + others.getvalue() + printed.out + printed.err,
        "entry": repr(vars(entry)) + repr(kept),
    }
    values = (*NAMES.values(), PAPER)
    lowered = {name: text.lower() for name, text in places.items()}
    assert [
        (value, name) for value in values for name in places if value.lower() in lowered[name]
    ] == []
    assert kept["counts"] == {"candidates": 1, "damaged": 0, "shown": 1}
    assert coordinator.response.headers["Cache-Control"] == "no-store"


def test_who_looks_after_the_person_found_is_said_as_in_the_worklist(world, coordinator):
    reference = flag(world)
    [row] = rows(ask(coordinator, "Uwase Kanyarwanda"))
    assert "Nobody looks after it" in row
    with world.entered():
        ownership.take(world.actor("second_coordinator"), reference)
    [row] = rows(ask(coordinator, "Uwase Kanyarwanda"))
    assert f"Looked after by {world.person_name('second_coordinator')}" in row
    # Nobody looks after a case that is closed, and nobody has to.
    closed, _sent = worlds.closed(world, person=NAMES, contact=NO_PHONE)
    [row] = [row for row in rows(ask(coordinator, "Uwase Kanyarwanda")) if closed in row]
    assert "look" not in row


@pytest.mark.parametrize("people", [1, 12])
def test_a_search_takes_few_statements_whatever_it_finds(world, coordinator, people):
    takers = cycle(["coordinator", "second_coordinator"])
    for _ in range(people):
        reference = flag(world)
        with world.entered():
            ownership.take(world.actor(next(takers)), reference)
    coordinator.get("/search")
    sent = statements(
        world, lambda: coordinator.post("/search", {"names": "Uwase Kanyarwanda"}, status=200)
    )
    assert len(rows(coordinator.html)) == people
    assert len(sent) <= MOST_STATEMENTS, "\n".join(sent)


def test_the_way_there_stands_beside_the_search_by_reference(coordinator):
    coordinator.get("/cases")
    coordinator.click("No reference? Find the person by name or number")
    coordinator.click("Find the case by its reference")
    coordinator.click("find the person by name or number")
    assert words(coordinator.html.select_one("nav [aria-current]")) == "Find a person"


def test_nobody_else_reaches_the_search_or_what_was_compared(world, signed_in, subtests):
    reference = flag(world)
    for name in ("first_responder", "provider", "auditor", "administrator"):
        with subtests.test(name):
            page = signed_in(name)
            token = page.get("/help").find("input", attrs={"name": "csrf_token"})["value"]
            for path in ("/search", f"/cases/{reference}/known"):
                page.get(path, status=403)
                typed = {"csrf_token": token, "names": "Uwase Kanyarwanda"}
                page.post_raw(path, typed, status=403)
    assert entries(world, "person:search") == []
    assert entries(world, "case:compare") == []


def test_what_one_may_not_see_is_neither_opened_nor_counted(world, coordinator, monkeypatch):
    """No role of today sees a part of the cases alone; a coordinator is made to."""
    seen, *unseen = (flag(world) for _ in range(3))
    national = visibility._case_relation

    def partly(relation, actor):
        return national(relation, actor) & (Case.reference == seen)

    everything = ask(coordinator, "Uwase Kanyarwanda")
    assert len(rows(everything)) == 3
    monkeypatch.setattr(visibility, "_case_relation", partly)
    html = ask(coordinator, "Uwase Kanyarwanda")
    [row] = rows(html)
    assert seen in row
    assert "1 file was opened to answer this" in words(html)
    assert [reference for reference in unseen if reference in str(html)] == []
    whole, part = entries(world, "person:search")
    with world.entered():
        assert ledgers.detail(whole)["counts"] == {"candidates": 3, "damaged": 0, "shown": 3}
        assert ledgers.detail(part)["counts"] == {"candidates": 1, "damaged": 0, "shown": 1}
        assert len(ledgers.rows_touched(whole)) == 3
        assert len(ledgers.rows_touched(part)) == 1


# Known already?


def test_the_overview_of_a_new_flag_says_that_the_person_may_be_known(world, coordinator):
    older, newer = flag(world), flag(world)
    assert "may already be known" not in words(coordinator.get(f"/cases/{newer}"))
    with world.entered():
        comparison.compare_new()
    html = coordinator.get(f"/cases/{newer}")
    notice = words(html.select_one("main .nrm-callout"))
    assert notice == f"This person may already be known: {older}. See why"
    html = coordinator.click("See why")
    this, other = (words(row) for row in html.select("tbody tr"))
    assert this.startswith("This case")
    assert other.startswith(older)
    assert "Very alike Same names" in other
    assert [name for name in NAMES.values() if name in str(html)] == []
    coordinator.click(older)
    assert coordinator.path == f"/cases/{older}"


def test_a_coordinator_can_look_before_housekeeping_does_and_again(world, coordinator):
    first = flag(world)
    coordinator.get(f"/cases/{first}")
    html = coordinator.click("Look now")
    assert "have not been looked through yet" in words(html)
    coordinator.post(f"/cases/{first}/known")
    html = coordinator.follow()
    assert "No other file has the same number or names that are very alike." in words(html)
    assert "All files were looked through again." in words(html)
    second = flag(world)
    coordinator.post(f"/cases/{first}/known")
    assert second in words(coordinator.follow())


def test_the_first_responder_cannot_tell_whether_the_person_was_known(
    world, signed_in, coordinator
):
    flag(world, "other_responder")
    known = worlds.draft(world, person=NAMES, contact=NO_PHONE)
    unknown = worlds.draft(
        world, person={"given_name": "Bosco", "family_name": "Ntwalikazi"}, contact=NO_PHONE
    )
    responder = signed_in("first_responder")
    told = {draft: sent(world, responder, draft) for draft in (known, unknown)}
    before = {draft: seen(responder, told[draft]["reference"]) for draft in (known, unknown)}
    assert told[known]["statements"] == told[unknown]["statements"]
    assert told[known]["answer"] == told[unknown]["answer"]
    assert before[known] == before[unknown]

    with world.entered():
        assert comparison.compare_new().done == 3
    after = {draft: seen(responder, told[draft]["reference"]) for draft in (known, unknown)}
    assert after == before
    for page in ("/audit", "/search", f"/cases/{told[known]['reference']}/known"):
        responder.get(page, status=403)

    notices = {
        draft: "may already be known"
        in words(coordinator.get(f"/cases/{told[draft]['reference']}"))
        for draft in (known, unknown)
    }
    assert notices == {known: True, unknown: False}


def sent(world, page, draft):
    """Send a flag as a person does: what is asked of the database meanwhile, and the answer."""
    path = f"/flags/drafts/{draft}/check"
    page.get(path)
    asked = statements(world, lambda: page.post(path))
    where = page.response.headers["Location"]
    reference = where.split("/")[2]
    answer = (page.response.status_code, where.replace(reference, "…"))
    return {"reference": reference, "statements": asked, "answer": answer}


def seen(page, reference):
    """Read what a responder is shown of a flag: byte for byte, but for what is always new."""
    shown = []
    for path in (f"/flags/{reference}/sent", f"/flags/{reference}"):
        page.get(path)
        text = page.response.get_data(as_text=True)
        shown.append((page.response.status_code, masked(text, reference)))
    page.get("/flags")
    [row] = [row for row in page.html.select("tr, li, .nrm-card") if reference in row.get_text()][
        :1
    ]
    return [*shown, masked(str(row), reference)]


def masked(text, reference):
    """Take away the reference, however it is spelt out, the form's token and number, the time."""
    text = re.sub(r'value="[^"]*"', "value", text)
    text = re.sub(r"\b\d{2}:\d{2}\b", "time", text)
    text = re.sub(r'datetime="[^"]*"', "datetime", text)
    groups = reference.split("-")
    # Whole words between tags: "one" of a reference also stands in "someone".
    for part in (*(", ".join(spoken(group)) for group in groups), groups[2]):
        text = text.replace(f">{part}<", ">…<")
    for part in (reference, *groups[:2]):
        text = text.replace(part, "…")
    return text
