"""Taking entries out of the log: the table itself, and what the log says of its leaving."""

import csv
import gc
import io
import tracemalloc
from itertools import islice

import pytest
from sqlalchemy import func, select, update

from nrm.audit.actions import Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.errors import RefusedError
from nrm.models import Account, AuditEntry
from nrm.services import log_export, log_search
from nrm.services.audit import record
from nrm.services.log_search import Search
from tests import ledger as ledgers
from tests import world as worlds
from tests.services.test_log_search import fill

FEW = 4
EVERYTHING = Search()


def table(actor, search=EVERYTHING):
    """Take out all of it, as rows by their columns."""
    return list(csv.DictReader(io.StringIO("".join(log_export.take_out(actor, search)))))


def test_the_table_says_what_the_log_says(world, monkeypatch):
    monkeypatch.setattr(log_export, "BATCH", FEW)
    case, referral = worlds.accepted(world)
    actor = world.actor("auditor")
    rows = table(actor, Search(case_reference=case))
    lines = log_search.lines(Search(case_reference=case), 1_000)
    assert len(rows) == len(lines) > FEW
    assert [row["number"] for row in rows] == [str(line.entry.seq) for line in lines]
    assert all(
        row["hash"] == line.entry.leaf_hash.hex() for row, line in zip(rows, lines, strict=True)
    )
    assert {row["case"] for row in rows} == {case}
    [accepted] = [row for row in rows if row["act"] == "referral:accept"]
    assert accepted["referral"] == referral
    assert accepted["name"] == "Practice Provider"
    assert accepted["organisation"] == world.organisation_name("lakes")
    assert (accepted["role"], accepted["outcome"]) == ("provider", "done")
    assert accepted["account"] == str(world.accounts["provider"])
    assert accepted["time"].endswith("+00:00")
    [flagged] = [row for row in rows if row["act"] == "case:flag"]
    assert "narrative" in flagged["compartments"].split()
    assert int(flagged["rows_opened"]) > 0
    assert int(flagged["rows_sealed"]) > 0


def test_both_entries_say_who_took_what_by_and_how_many(world, ledger):
    worlds.flag(world)
    actor = world.actor("auditor")
    taken = len(table(actor, Search(action=Action.CASE_FLAG, outcome=Outcome.DONE)))
    begun, done = [one for one in ledger.entries() if one.action == Action.AUDIT_EXPORT]
    assert (begun.outcome, done.outcome) == (Outcome.BEGUN, Outcome.DONE)
    assert begun.actor_id == done.actor_id == actor.id
    assert ledgers.detail(begun)["fields"] == ["action", "outcome"]
    assert ledgers.detail(done)["counts"] == {"entries": taken} == {"entries": 1}


def test_nothing_leaves_before_the_log_says_that_it_begins(world):
    with ledgers.nothing_changes():
        with ledgers.broken_log(), pytest.raises(ledgers.LogRefusedError):
            log_export.take_out(world.actor("auditor"), EVERYTHING)
        with pytest.raises(RefusedError):
            log_export.take_out(world.actor("administrator"), EVERYTHING)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_table_that_was_broken_off_has_failed(world, ledger, monkeypatch, after):
    monkeypatch.setattr(log_export, "BATCH", FEW)
    worlds.accepted(world)
    stream = log_export.take_out(world.actor("auditor"), EVERYTHING)
    assert len(list(islice(stream, after))) == after
    stream.close()
    begun, failed = [one for one in ledger.entries() if one.action == Action.AUDIT_EXPORT]
    assert (failed.outcome, failed.subject_id) == (Outcome.FAILED, begun.id)
    # What was on its way when the line broke may not have arrived.
    assert ledgers.detail(failed)["counts"] == {"entries": FEW * max(0, after - 2)}


def test_a_table_whose_database_failed_in_the_midst_has_failed(world, ledger, monkeypatch):
    stream = log_export.take_out(world.actor("auditor"), EVERYTHING)
    next(stream)
    monkeypatch.setattr(log_export, "lines", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        next(stream)
    assert [one.outcome for one in ledger.entries()] == ["begun", "failed"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_carry_out_is_text(world, sign):
    name = f'{sign}HYPERLINK("http://practice.example","Practice")'
    db.session.rollback()
    with unit_of_work() as unit:
        db.session.execute(
            update(Account).where(Account.id == world.accounts["provider"]).values(name=name)
        )
        record(unit, world.actor("provider"), Action.REFERRAL_LIST)
    [row] = table(world.actor("auditor"), Search(action=Action.REFERRAL_LIST))
    assert row["name"] == f"'{name}"


def test_no_cell_of_a_whole_log_begins_as_a_formula(world):
    worlds.accepted(world)
    cells = [cell for row in table(world.actor("auditor")) for cell in row.values() if cell]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def test_an_entry_that_was_changed_keeps_no_other_from_being_read(world):
    worlds.flag(world)
    if db.engine.dialect.name == "sqlite":
        drop = "DROP TRIGGER audit_entry_no_update"
    else:
        drop = "ALTER TABLE audit_entry DISABLE TRIGGER USER"
    with db.engine.begin() as connection:
        connection.exec_driver_sql(drop)
        connection.execute(update(AuditEntry).values(rows="[").where(AuditEntry.seq == 1))
    db.session.rollback()
    [changed] = [row for row in table(world.actor("auditor")) if row["number"] == "1"]
    assert (changed["rows_opened"], changed["rows_sealed"]) == ("", "")


def test_three_thousand_entries_leave_in_flat_memory(world, counted):
    fill(world, worlds.flag(world))
    total = db.session.scalar(select(func.count()).select_from(AuditEntry))
    stream = log_export.take_out(world.actor("auditor"), EVERYTHING)
    taken, peaks = 0, []
    tracemalloc.start()
    try:
        for part in stream:
            # What refers to itself is cleared away when Python likes; here at once, to be measured.
            gc.collect()
            taken += part.count("\r\n")
            _now, peak = tracemalloc.get_traced_memory()
            peaks.append(peak)
            tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
    # A line of headings, and the entry that says that this begins, which is the newest of them.
    assert taken == total + 2 > 3_000
    # The first batches fill what is remembered from one statement to the next.
    assert max(peaks[-4:]) < 1.25 * max(peaks[2:6])
    counted(f"{total} entries taken out: at most {max(peaks) // 1024} KiB at once")
