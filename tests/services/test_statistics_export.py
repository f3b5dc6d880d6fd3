"""Frozen figures as files: what they hold, that they never change, and what the log says."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import openpyxl
import pytest
import time_machine
from sqlalchemy import event

from nrm.audit.actions import Action, Outcome
from nrm.db import db
from nrm.domain.errors import NotFoundError, RefusedError
from nrm.services import frozen as frozen_releases
from nrm.services import questionnaires, statistics_export, statistics_files
from nrm.services.statistics_files import Kind
from nrm.statistics.catalogue import Counts
from nrm.statistics.questionnaires import Answer, Answered, Row, Section, State
from tests import ledger as ledgers
from tests.releases import counted, flagged, frozen

SIGNS = ("=", "+", "-", "@", "\t", "\r")
LATER = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture
def release_id(world, settings):
    flagged(60)
    return frozen(world, settings)


def release(world, release_id, kind="csv", **given):
    return statistics_export.take_release(
        world.actor("analyst"), release_id, kind, world.pack, **given
    )


def questionnaire(world, name="us-tip", release_id=None, kind="csv"):
    return statistics_export.take_questionnaire(
        world.actor("analyst"), name, release_id, kind, world.pack
    )


def content(file):
    found = b"".join(file.parts())
    file.end()
    return found


def everything(world, release_id):
    """Take out the release, one table of it and each questionnaire, in every kind."""
    for kind in Kind:
        yield release(world, release_id, kind)
        yield release(world, release_id, kind, number="R3")
        for name in questionnaires.templates(world.pack.code):
            yield questionnaire(world, name, release_id, kind)


def split(data):
    """Part a CSV into what it says of itself and its rows."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    about = {row[0].removeprefix("# "): row[1] for row in rows if row[0].startswith("# ")}
    heads, *lines = rows[len(about) :]
    return about, [dict(zip(heads, line, strict=True)) for line in lines]


def kept(release_id):
    """Read the figures of a release by their counts."""
    return frozen_releases.whole(release_id).kept.figures


# What leaves.


def test_the_same_release_is_the_same_bytes_whenever_it_is_taken_out(world, settings, release_id):
    before = {file.name: content(file) for file in everything(world, release_id)}
    assert len(before) == 3 * (2 + 4)
    flagged(45, "2025Q3", seed=9)
    counted(world, settings, "2025Q3", "final")
    with time_machine.travel(LATER):
        after = {file.name: content(file) for file in everything(world, release_id)}
    assert after == before


def test_names_and_kinds_are_plain(world, release_id):
    names = {file.name: file.media_type for file in everything(world, release_id)}
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert names["statistics-2025Q3-provisional.xlsx"] == xlsx
    assert names["statistics-2025Q3-provisional-R3.csv"] == "text/csv"
    assert names["statistics-2025Q3-provisional-us-tip.json"] == "application/json"


def test_a_table_for_other_programs_has_every_cell_and_no_count_under_ten(world, release_id):
    about, rows = split(content(release(world, release_id)))
    assert about["period"] == "2025Q3"
    assert about["edition"] == "Provisional"
    assert about["country"] == "Rwanda"
    frozen_at = frozen_releases.whole(release_id).opened.release.frozen_at
    assert about["frozen_on"] == frozen_at.astimezone(world.pack.zone).date().isoformat()
    assert about["missing_percent: Refugee or asylum seeker"] == "100"
    assert 0 < int(about["hidden_percent"]) < 100
    assert "do not add up" in about["remark"]
    figures = kept(release_id)
    for row in rows:
        cell = frozenset(
            (row[f"by_{place}"], row[f"code_{place}"])
            for place in (1, 2, 3)
            if row[f"code_{place}"]
        )
        figure = figures[Counts(row["counts"])][cell]
        assert row["figure"] == ("" if figure is None else str(figure))
        assert bool(row["note"]) == (figure is None)
        assert figure is None or row["counts"] == "days" or (figure >= 10 and figure % 5 == 0)
    assert {(row["table"], row["by_1"], row["by_2"]) for row in rows} >= {
        ("R1", "", ""),
        ("R3", "sex", "age"),
        ("R11", "source", "step"),
    }
    assert "R8a" not in {row["table"] for row in rows}


def test_the_hash_is_the_one_that_the_log_keeps(world, ledger, release_id):
    about, _ = split(content(release(world, release_id, number="R1")))
    [entry] = [one for one in ledger.entries() if one.action == Action.STATISTICS_FREEZE]
    assert entry.purpose == f"sha256 {about['sha256']}"


def test_a_file_for_programs_is_whole_json(world, release_id):
    told = json.loads(content(release(world, release_id, "json")))
    assert set(told) == {"about", "tables"}
    assert isinstance(told["about"]["missing_percent"], dict)
    assert told["about"]["tables_left_out"] == []
    for table in told["tables"]:
        assert set(table) == {"number", "title", "counts", "by", "cells"}
        known = {one["name"]: one["codes"] for one in table["by"]}
        for cell in table["cells"]:
            assert set(cell) == {"codes", "figure"}
            assert cell["figure"] is None or isinstance(cell["figure"], int)
            assert all(code in known[name] for name, code in cell["codes"].items())


def test_a_questionnaire_for_programs_says_how_each_row_was_answered(world, release_id):
    told = json.loads(content(questionnaire(world, "sdg-16-2-2", release_id, "json")))
    assert told["about"]["questionnaire"]["wording_verified"] is True
    rows = {one["question"]: one for one in told["answers"]}
    everybody = rows["Victims detected"]
    assert everybody["per_100_000"] == round(100_000 * everybody["figure"] / 13_246_394, 2)
    assert everybody["residents"]["year"] == 2022
    assert rows["Under 18"]["state"] == "no_population"
    told = json.loads(content(questionnaire(world, "us-tip", release_id, "json")))
    rows = {one["question"]: one for one in told["answers"]}
    assert rows["Convictions"]["figure"] is None
    assert rows["Convictions"]["note"].endswith("To be answered by: Court")
    assert told["about"]["questionnaire"]["wording_verified"] is False


def test_a_workbook_opens_with_a_sheet_for_each_table(world, release_id):
    book = openpyxl.load_workbook(io.BytesIO(content(release(world, release_id, "xlsx"))))
    assert book.sheetnames[0] == "About"
    assert {"R1", "R3", "R5a", "R11", "R17"} <= set(book.sheetnames)
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert about["Period"] == "2025Q3"
    figures = kept(release_id)[Counts.PERSONS]
    rows = {row[0]: row for row in book["R3"].iter_rows(values_only=True)}
    assert rows["All"][1] == figures[frozenset()]
    assert rows["Female"][1] == figures[frozenset({("sex", "female")})]
    assert isinstance(rows["Female"][1], int)
    days = [row[2] for row in book["R11"].iter_rows(min_row=5, values_only=True)]
    assert all(isinstance(figure, int) or figure == "too few people" for figure in days)


def test_a_workbook_says_when_its_figures_were_frozen_and_not_when_it_was_written(
    world, release_id
):
    data = content(release(world, release_id, "xlsx"))
    parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert {part.date_time for part in parts} == {(1980, 1, 1, 0, 0, 0)}
    properties = openpyxl.load_workbook(io.BytesIO(data)).properties
    frozen_at = frozen_releases.whole(release_id).opened.release.frozen_at
    assert properties.created == properties.modified
    assert properties.modified.replace(tzinfo=UTC) == frozen_at.replace(microsecond=0)


# No text is carried out.


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("sign", SIGNS)
def test_a_label_that_a_spreadsheet_would_carry_out_is_text(world, release_id, sign):
    words = f"{sign}cmd|' /C calc'!A0"
    found = frozen_releases.whole(release_id)
    [table] = [one for one in found.tables(world.pack.code) if one.number == "R3"]
    sex = table.dimensions[0]
    spoilt = replace(
        table,
        title=words,
        dimensions=(replace(sex, label=words, words=dict.fromkeys(sex.codes, words)),),
    )
    assert_text(words, lambda kind: statistics_files.of_release(found, [spoilt], world.pack, kind))


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("sign", SIGNS)
def test_a_question_that_a_spreadsheet_would_carry_out_is_text(world, release_id, sign):
    words = f"{sign}SUM(A1:A9)"
    filled = questionnaires.answered("ctdc", release_id, world.pack.code)
    section = Section(words, words, [Row(words, named=words)])
    spoilt = replace(
        filled,
        questionnaire=replace(filled.questionnaire, title=words),
        sections=[Answered(section, [Answer(section.rows[0], State.ANSWERED, 15)])],
    )
    assert_text(
        words,
        lambda kind: statistics_files.of_questionnaire(spoilt, filled.frozen, world.pack, kind),
    )


def assert_text(words, make):
    """In a spreadsheet the words stand behind a stroke; for programs they are as they are."""
    rows = list(csv.reader(io.StringIO(make(Kind.CSV).decode(), newline="")))
    assert_guarded(words, [cell for row in rows for cell in row])
    book = openpyxl.load_workbook(io.BytesIO(make(Kind.XLSX)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    # XML knows one kind of line end.
    seen = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert_guarded(words.replace("\r", "\n"), [value.replace("\r", "\n") for value in seen])
    assert json.dumps(words) in make(Kind.JSON).decode()


def assert_guarded(words, seen):
    assert [value for value in seen if value == f"'{words}"]
    assert [value for value in seen if value.startswith(SIGNS)] == []


# What the log says.


def test_both_entries_say_what_was_taken_out(world, ledger, release_id):
    length = len(content(release(world, release_id, "xlsx", number="R3")))
    content(questionnaire(world))
    begun, done, *_, last = [
        one for one in ledger.entries() if one.action == Action.STATISTICS_EXPORT
    ]
    assert (begun.outcome, begun.purpose) == (Outcome.BEGUN, "xlsx R3")
    assert (begun.subject_type, begun.subject_id) == ("release", release_id)
    assert (done.outcome, done.subject_id) == (Outcome.DONE, begun.id)
    assert ledgers.detail(done)["counts"] == {"bytes": length}
    assert begun.actor_id == done.actor_id == world.accounts["analyst"]
    assert last.outcome == Outcome.DONE


def test_nothing_leaves_before_the_log_says_that_it_begins(world, release_id):
    with ledgers.nothing_changes(), ledgers.broken_log():
        for take in (lambda: release(world, release_id), lambda: questionnaire(world)):
            with pytest.raises(ledgers.LogRefusedError):
                take()


def test_a_file_that_was_broken_off_has_failed(world, ledger, monkeypatch, release_id):
    monkeypatch.setattr(statistics_export, "_PART", 100)
    file = release(world, release_id)
    parts = file.parts()
    assert len(next(parts) + next(parts)) == 200
    parts.close()
    file.end()
    begun, failed = [one for one in ledger.entries() if one.action == Action.STATISTICS_EXPORT]
    assert (failed.outcome, failed.subject_id) == (Outcome.FAILED, begun.id)
    assert ledgers.detail(failed)["counts"] == {"bytes": 100}


def test_a_file_that_could_not_be_made_has_failed(world, ledger, monkeypatch, release_id):
    monkeypatch.setattr(statistics_files, "of_release", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        release(world, release_id)
    outcomes = [one.outcome for one in ledger.entries() if one.action == Action.STATISTICS_EXPORT]
    assert outcomes == [Outcome.BEGUN, Outcome.FAILED]


# What does not leave.


def test_a_draft_is_neither_handed_out_nor_does_it_answer(world, settings):
    flagged(40)
    draft = counted(world, settings)
    actor, code = world.actor("analyst"), world.pack.code
    with ledgers.nothing_changes():
        for take in (
            lambda: release(world, draft),
            lambda: questionnaire(world, release_id=draft),
            lambda: questionnaires.fill(actor, "us-tip", draft, code),
        ):
            with pytest.raises(RefusedError, match="Only a release that two people signed"):
                take()
        # Where nothing is frozen there is nothing to take out, and a page that says so.
        with pytest.raises(NotFoundError):
            questionnaire(world)
    assert questionnaires.fill(actor, "us-tip", None, code).frozen is None


def test_what_there_is_not_is_not_found(world, release_id):
    with ledgers.nothing_changes():
        for take in (
            lambda: release(world, uuid4()),
            lambda: release(world, release_id, "pdf"),
            lambda: release(world, release_id, number="R99"),
            # Districts are counted once a year.
            lambda: release(world, release_id, number="R8a"),
            lambda: questionnaire(world, "nobody-asks"),
            lambda: questionnaire(world, kind="../csv"),
        ):
            with pytest.raises(NotFoundError):
                take()


def test_the_newest_release_answers_unless_another_is_named(world, settings):
    flagged(40, "2025Q2", seed=1)
    flagged(40, "2025Q3", seed=2)
    older, newer = (frozen(world, settings, quarter) for quarter in ("2025Q2", "2025Q3"))
    actor, code = world.actor("analyst"), world.pack.code
    for asked, given in ((None, newer), (older, older)):
        filled = questionnaires.fill(actor, "us-tip", asked, code)
        assert filled.frozen.opened.release.id == given
        assert [one.release.id for one in filled.frozen.every] == [newer, older]


def test_answering_touches_no_case_and_takes_few_statements(world, release_id):
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        questionnaires.fill(world.actor("analyst"), "us-tip", release_id, world.pack.code)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    asked = [statement for statement in seen if not statement.startswith("BEGIN")]
    assert len(asked) <= 7
    for statement in asked:
        for table in ("case_file", "sealed_", "facts_", "referral ", "case_key"):
            assert table not in statement
