"""What is written in the log stays, by the database's own rule and not by ours alone."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import BigInteger, Uuid, delete, text, update
from sqlalchemy.exc import DBAPIError

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry
from nrm.models.base import UtcDateTime
from nrm.models.spoilt import LogBytes, LogId, LogText
from nrm.services import audit, log_check

TABLE = AuditEntry.__table__
# The place in the tree comes later. The sealed detail can be erased: its hash stays in the leaf.
NOT_COVERED = {"leaf_index", "detail"}
OTHER = {
    BigInteger: 4_000_000,
    LogBytes: b"\0" * 32,
    LogText: "other",
    UtcDateTime: datetime(2020, 1, 1, tzinfo=UTC),
    LogId: uuid4(),
    Uuid: uuid4(),
}


@pytest.fixture(autouse=True)
def entries(world):
    """Two entries to attack; gives their numbers."""
    del world
    with unit_of_work() as unit:
        for _ in range(2):
            audit.record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD, fields=["practice"])
    found = stored()
    return found[-2].seq, found[-1].seq


def stored():
    with db.engine.connect() as connection:
        return connection.execute(TABLE.select().order_by(TABLE.c.seq)).all()


def refused(statement, match="append-only"):
    """Assert that the database refuses a statement, and that the log is as it was."""
    before = stored()
    with pytest.raises(DBAPIError, match=match), db.engine.begin() as connection:
        connection.execute(statement)
    assert stored() == before


def run(statement):
    with db.engine.begin() as connection:
        connection.execute(statement)


def test_no_column_that_the_leaf_covers_is_changed(counted):
    covered = [column for column in TABLE.columns if column.name not in NOT_COVERED]
    for column in covered:
        (other,) = (OTHER[kind] for kind in OTHER if isinstance(column.type, kind))
        refused(update(TABLE).values({column.name: other}))
    counted(f"row 17: {len(covered)} columns of an entry, each refused by the database itself")


@pytest.mark.parametrize("which", ["all", "one", "the newest"])
def test_no_entry_is_deleted(entries, which):
    statement = delete(TABLE)
    if which == "one":
        statement = statement.where(TABLE.c.seq == entries[0])
    elif which == "the newest":
        statement = statement.where(TABLE.c.seq == entries[1])
    refused(statement)


def test_an_object_of_the_program_cannot_change_or_delete_one_either(entries):
    for harm in (lambda entry: setattr(entry, "purpose", "other"), db.session.delete):
        before = stored()
        with pytest.raises(DBAPIError, match="append-only"), unit_of_work():
            harm(db.session.get(AuditEntry, entries[0]))
        assert stored() == before


def test_no_insert_replaces_an_entry(entries, database_kind):
    """An insert that meets an entry changes nothing, whatever it says should happen then."""
    columns = ", ".join(f'"{column.name}"' for column in TABLE.columns)
    again = f"audit_entry ({columns}) SELECT {columns} FROM audit_entry WHERE seq = {entries[0]}"
    refused(text(f"INSERT INTO {again} ON CONFLICT (seq) DO UPDATE SET purpose = 'other'"))
    if database_kind == "sqlite":
        refused(text(f"INSERT OR REPLACE INTO {again}"))
        refused(text(f"REPLACE INTO {again}"))


def place(seq, index):
    return update(TABLE).where(TABLE.c.seq == seq).values(leaf_index=index)


def test_an_entry_finds_its_place_in_the_tree_once_and_alone(entries, database_kind):
    first, second = entries
    run(place(first, 7))
    refused(place(first, 8), "keeps its place")
    refused(place(first, None), "keeps its place")
    # The place of one entry is nobody else's.
    refused(place(second, 7), "(?i)unique")
    if database_kind == "sqlite":
        refused(text(f"UPDATE OR REPLACE audit_entry SET leaf_index = 7 WHERE seq = {second}"))
    run(place(second, 8))
    assert [entry.leaf_index for entry in stored()[-2:]] == [7, 8]


def test_an_entry_is_not_written_with_a_place_of_its_own_choice():
    entry = dict(stored()[-1]._mapping)
    del entry["seq"]
    refused(
        TABLE.insert().values(entry | {"id": uuid4(), "leaf_index": 4_000_000}),
        match="gives an entry its place",
    )


def test_a_detail_can_be_erased_but_not_exchanged_unseen(entries):
    """Erasing a case takes what was sealed with it; the leaf holds only the hash of the detail."""
    first, second = entries
    run(update(TABLE).where(TABLE.c.seq == first).values(detail=None))
    assert log_check.verify(lambda _: None).findings == []
    run(update(TABLE).where(TABLE.c.seq == second).values(detail=b"other"))
    verdict = log_check.verify(lambda _: None)
    assert [finding.split(",")[0] for finding in verdict.findings] == [f"entry {second}"]
