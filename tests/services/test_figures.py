"""What is published is read from kept figures, in few statements, and the log says so."""

import pytest
from sqlalchemy import event

from nrm.audit.actions import Action
from nrm.db import db
from nrm.domain.errors import NotFoundError, RefusedError
from nrm.services import figures
from nrm.statistics.catalogue import Counts
from nrm.statistics.layout import grids, records
from tests.releases import counted, flagged, frozen


def read(world, release_id=None, numbers=(), **given):
    return figures.read(world.actor("analyst"), release_id, numbers, world.pack.code, **given)


def test_without_a_release_there_is_nothing_and_the_log_says_that_somebody_looked(world, ledger):
    assert read(world) is None
    assert [entry.action for entry in ledger.entries()] == [Action.STATISTICS_VIEW]


def test_the_newest_frozen_release_is_shown_with_those_before_it(world, settings):
    for place, quarter in enumerate(("2025Q1", "2025Q2", "2025Q3")):
        flagged(40, quarter, seed=place)
        frozen(world, settings, quarter)
    shown = read(world, numbers=("R1", "R3"), history=8)
    assert shown.kept.release.last_quarter == "2025Q3"
    assert [kept.release.last_quarter for kept in shown.before] == ["2025Q2", "2025Q1"]
    assert [one.number for one in shown.tables] == ["R1", "R3"]
    for kept in (shown.kept, *shown.before):
        assert abs(kept.figure(Counts.PERSONS) - 40) <= 8


def test_the_final_edition_stands_in_for_the_provisional_one(world, settings):
    flagged(40)
    for edition in ("provisional", "final"):
        frozen(world, settings, edition=edition)
    assert read(world, numbers=("R1",)).kept.release.edition == "final"


def test_a_draft_is_read_by_its_id_before_it_is_signed(world, settings):
    flagged(40)
    release_id = counted(world, settings)
    assert read(world) is None
    assert read(world, release_id, ("R3",)).kept.figure(Counts.PERSONS) is not None


def test_a_table_that_is_not_there_is_not_found(world, settings):
    flagged(40)
    release_id = counted(world, settings)
    for wanted in ((release_id, ("R99",)), (world.accounts["analyst"], ("R1",))):
        with pytest.raises(NotFoundError):
            read(world, *wanted)
    with pytest.raises(RefusedError):
        figures.read(world.actor("coordinator"), release_id, ("R1",), world.pack.code)


def test_a_quarter_has_no_districts(world, settings):
    flagged(40)
    release_id = counted(world, settings)
    assert read(world, release_id, ("R8a",)).tables == []


def test_reading_touches_no_case_and_takes_few_statements(world, settings):
    flagged(60)
    release_id = frozen(world, settings)
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        figures.overview(world.actor("analyst"), release_id, world.pack.code)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    asked = [statement for statement in seen if not statement.startswith("BEGIN")]
    assert len(asked) <= 6
    for statement in asked:
        for table in ("case_file", "sealed_", "facts_", "referral ", "case_key"):
            assert table not in statement


def test_every_table_is_laid_out_with_its_margins(world, settings):
    flagged(200)
    shown = read(world, frozen(world, settings))
    for one in shown.tables:
        kept = shown.kept.figures.get(one.counts, {})
        for grid in grids(one, kept, str):
            assert all(len(line.figures) == len(grid.heads) for line in (*grid.lines, grid.total))
        found = list(records(one, kept))
        assert found
        assert all(
            record["figure"] is None or one.counts is Counts.DAYS or record["figure"] >= 10
            for record in found
        )


def test_shares_are_of_those_of_whom_something_is_known(world, settings):
    flagged(200)
    shown = read(world, frozen(world, settings), ("R4",))
    [table], kept = shown.tables, shown.kept.figures[Counts.PERSONS]
    [grid] = grids(table, kept, str)
    labour = next(line for line in grid.lines if line.code == "forced_labour")
    known = shown.kept.figure(Counts.PERSONS, exploitation="answered")
    assert labour.share == min(100, round(100 * labour.figures[0] / known))
