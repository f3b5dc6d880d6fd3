"""The bulletin of a release: what leaves as a file, and what the log says of its leaving."""

import json
import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from uuid import uuid4

import pytest
import typst
from sqlalchemy import event

from nrm.audit.actions import Action, Outcome
from nrm.db import db
from nrm.domain.errors import NotFoundError, RefusedError
from nrm.services import bulletin, figures, releases
from nrm.services.bulletin import Reader
from nrm.statistics.bulletin import Voice
from nrm.statistics.pictures import Ground
from tests import ledger as ledgers
from tests.databases import ROOT
from tests.releases import counted, flagged, frozen

READER = Reader(Voice(str, str, str), Ground("Practice", []), "en", practice=False)


@pytest.fixture
def release_id(world, settings):
    flagged(60)
    return frozen(world, settings)


@pytest.fixture
def told(monkeypatch):
    """Give what is handed to the program that sets the file, each time."""
    handed = []
    compile_as_ever = typst.compile

    def noting(source, **given):
        handed.append(given)
        return compile_as_ever(source, **given)

    monkeypatch.setattr(typst, "compile", noting)
    return handed


def pdf(world, release_id, reader=READER):
    leaving = bulletin.take_out(world.actor("analyst"), release_id, world.pack, reader)
    return leaving.content


def said(told):
    return json.loads(told[-1]["sys_inputs"]["bulletin"])


def test_the_same_release_is_the_same_file(world, release_id):
    first = pdf(world, release_id)
    assert first.startswith(b"%PDF-1.7")
    assert pdf(world, release_id) == first


def test_a_release_that_is_frozen_later_changes_nothing_in_it(world, settings):
    flagged(40, "2025Q1", seed=1)
    flagged(40, "2025Q2", seed=2)
    flagged(40, "2025Q3", seed=3)
    frozen(world, settings, "2025Q2")
    release_id = frozen(world, settings, "2025Q3")
    first = pdf(world, release_id)
    for period, edition in (("2025Q1", "provisional"), ("2025Q2", "final")):
        frozen(world, settings, period, edition)
    assert pdf(world, release_id) == first
    read = bulletin.read(world.actor("analyst"), release_id, world.pack, READER)
    assert len(read.sections[0].sheets[0].rows) == 2


def test_the_file_is_tagged_has_a_title_and_a_language_and_the_day_of_the_release(
    world, release_id
):
    file = pdf(world, release_id)
    frozen_at = figures.read(world.actor("analyst"), release_id, ("R1",), world.pack.code)
    day = frozen_at.opened.release.frozen_at
    for mark in (b"/MarkInfo", b"/StructTreeRoot", b"/Lang(en)", b"/DisplayDocTitle true"):
        assert mark in file
    assert b"<pdfuaid:part>1</pdfuaid:part>" in file
    assert f"<xmp:CreateDate>{day:%Y-%m-%d}".encode() in file


def test_the_file_looks_the_same_on_every_machine(world, release_id, told):
    """No letters of the machine, and a template that names neither a file nor a package."""
    pdf(world, release_id)
    letters = told[0]["font_paths"]
    source = files("nrm.statistics.bulletin").joinpath("bulletin.typ").read_text("utf-8")
    [named] = re.findall(r'font: "([^"]+)"', source)
    assert named in letters.families()
    assert all(one.path is None for one in letters.fonts())
    assert not re.search(r'#?\b(?:import|include|read)\b\s*[("@]|image\("', source)


def test_the_file_is_made_without_a_warning(world, release_id, told):
    pdf(world, release_id)
    source = files("nrm.statistics.bulletin").joinpath("bulletin.typ").read_bytes()
    _file, warnings = typst.compile_with_warnings(source, **told[0])
    assert warnings == []


def test_the_template_is_installed_with_the_program():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["nrm"]
    installed = {path for pattern in patterns for path in (ROOT / "nrm").glob(pattern)}
    assert set((ROOT / "nrm").rglob("*.typ")) <= installed


def test_the_file_is_told_published_figures_and_no_others(world, release_id, told):
    pdf(world, release_id)
    shown = figures.read(world.actor("analyst"), release_id, (), world.pack.code)
    known = {str(figure) for kept in shown.kept.figures.values() for figure in kept.values()}
    sections = said(told)["sections"]
    cells = {
        cell
        for section in sections
        for sheet in section["sheets"]
        for row in sheet["rows"]
        for cell in row["cells"]
    }
    assert [section["number"] for section in sections] == [one.number for one in shown.tables]
    assert {cell for cell in cells if cell.isdigit()} <= known
    assert {cell for cell in cells if not re.fullmatch(r"\d+(?: %)?", cell)} <= {
        *("< 10", "too few", "–", "")
    }


def test_what_is_said_is_never_read_as_markup(world, release_id, told):
    nasty = '#panic("no") *bold* $x$ <label> @cite [ ] \\ // "'
    reader = replace(READER, ground=Ground(nasty, []))
    assert pdf(world, release_id, reader).startswith(b"%PDF")
    assert said(told)["cover"]["country"] == nasty


def test_a_practice_copy_says_on_every_page_that_it_is_one(world, release_id, told):
    pdf(world, release_id, replace(READER, practice=True))
    assert said(told)["practice"].startswith("PRACTICE COPY")
    pdf(world, release_id)
    assert said(told)["practice"] == ""


def test_a_draft_is_read_by_those_who_sign_it_and_does_not_leave(world, settings, told):
    flagged(40)
    draft = counted(world, settings)
    assert bulletin.read(world.actor("analyst"), draft, world.pack, READER).draft
    releases.sign(world.actor("analyst"), draft)
    only = pytest.raises(RefusedError, match="Only a release that two people signed")
    with ledgers.nothing_changes(), only:
        pdf(world, draft)
    assert told == []


def test_both_entries_say_which_release_left(world, release_id):
    book = ledgers.Ledger()
    leaving = bulletin.take_out(world.actor("analyst"), release_id, world.pack, READER)
    assert leaving.name == "bulletin-2025Q3-provisional.pdf"
    # Whoever looks now sees that it is about to leave.
    begun = book.only()
    assert (begun.action, begun.outcome) == (Action.STATISTICS_EXPORT, Outcome.BEGUN)
    assert (begun.subject_id, begun.purpose) == (release_id, "pdf bulletin")
    assert b"".join(leaving.parts()) == leaving.content
    leaving.end()
    _begun, done = book.entries()
    assert (done.action, done.outcome) == (Action.STATISTICS_EXPORT, Outcome.DONE)
    assert (done.subject_type, done.subject_id) == ("entry", begun.id)
    assert begun.actor_id == done.actor_id == world.accounts["analyst"]


def test_nothing_leaves_before_the_log_says_that_it_begins(world, release_id, told):
    with ledgers.nothing_changes():
        with ledgers.broken_log(), pytest.raises(ledgers.LogRefusedError):
            pdf(world, release_id)
        for name in ("coordinator", "auditor", "administrator"):
            with pytest.raises(RefusedError):
                bulletin.take_out(world.actor(name), release_id, world.pack, READER)
    assert told == []


def test_a_file_that_cannot_be_made_has_failed(world, release_id, monkeypatch):
    book = ledgers.Ledger()
    monkeypatch.setattr(typst, "compile", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pdf(world, release_id)
    assert [entry.outcome for entry in book.entries()] == [Outcome.BEGUN, Outcome.FAILED]


def test_what_is_not_counted_yet_is_not_found(world):
    asked = releases.ask(world.actor("analyst"), "2025Q3", "provisional", world.pack)
    for act in (bulletin.read, bulletin.take_out):
        for wanted in (asked, uuid4()):
            with pytest.raises(NotFoundError):
                act(world.actor("analyst"), wanted, world.pack, READER)


def test_a_page_and_a_file_say_the_same(world, release_id, told):
    read = bulletin.read(world.actor("analyst"), release_id, world.pack, READER)
    pdf(world, release_id)
    assert said(told)["findings"] == [
        {"text": one.text, "before": one.before} for one in read.findings
    ]


def test_reading_it_touches_no_case_and_takes_few_statements(world, release_id):
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        bulletin.read(world.actor("analyst"), release_id, world.pack, READER)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len([one for one in seen if not one.startswith("BEGIN")]) <= 6
    for table in ("case_file", "sealed_", "facts_", "referral ", "case_key"):
        assert not any(table in statement for statement in seen)
