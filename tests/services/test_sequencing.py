"""Entries find their places: every one of them, once, whoever writes and whoever else is at it."""

import json
import threading
import tracemalloc
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from nrm.audit.actions import Action
from nrm.audit.entry import RowTouched
from nrm.db import db, unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditCheckpoint, AuditEntry, AuditSight, AuditTile
from nrm.services import checkpoints, log_check, sequencing
from nrm.services.audit import record
from tests import log
from tests.crash import PROOF

# So many entries commit after others of later numbers.
LATE = 100 if PROOF else 10


def write(number=1, rows=(), subject=None):
    for _ in range(number):
        with unit_of_work() as unit:
            unit.rows.extend(rows)
            record(unit, HOUSEKEEPING, Action.CASE_LIST, subject or Subject("none"))


def write_and_fail():
    with unit_of_work() as unit:
        record(unit, HOUSEKEEPING, Action.CASE_LIST)
        raise ZeroDivisionError


def places():
    with db.engine.connect() as connection:
        return list(
            connection.scalars(select(AuditEntry.leaf_index).order_by(AuditEntry.leaf_index))
        )


def waiting():
    with db.engine.connect() as connection:
        without = select(AuditEntry.seq).where(AuditEntry.leaf_index.is_(None))
        return list(connection.scalars(without.order_by(AuditEntry.seq)))


def all_placed():
    found = places()
    assert found == list(range(len(found)))
    assert log.tiles_fit()
    assert log_check.verify(lambda _: None).findings == []
    return len(found)


def test_what_waits_is_placed_and_nothing_twice(world):
    del world
    write(5)
    placed = sequencing.sequence()
    assert all_placed() == placed
    assert sequencing.sequence() == 0
    write(3)
    assert sequencing.sequence() == 3
    assert all_placed() == placed + 3


def test_many_are_placed_in_batches(world, monkeypatch):
    del world
    monkeypatch.setattr(sequencing, "BATCH", 7)
    write(40)
    told = []
    total = sequencing.sequence(told.append)
    assert told[-1] == total
    assert len(told) == -(-total // 7)
    assert all_placed() == total


@pytest.mark.databases("postgresql")
def test_an_entry_that_commits_late_still_gets_its_place(world, counted):
    """PostgreSQL gives numbers before the commit: the lower number may come last."""
    del world
    sequencing.sequence()
    first = log.entries()[0]
    for _ in range(LATE):
        before = len(places())
        with Session(db.engine) as slow:
            late = log.altered(first, id=uuid4(), purpose="commits late")
            late.pop("seq")
            slow.execute(insert(AuditEntry.__table__), late | {"leaf_index": None})
            write(2)
            assert sequencing.sequence() == 2
            slow.commit()
        assert sequencing.sequence() == 1
        *_, other, last = log.entries()
        assert (last["purpose"], last["leaf_index"]) == ("commits late", before + 2)
        assert last["seq"] < other["seq"]
    total = all_placed()
    counted(f"row 14: {LATE} entries committed after two of later numbers: {total} placed, 0 lost")


def test_a_number_that_was_rolled_back_leaves_no_gap_in_the_tree(world):
    del world
    write()
    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    write()
    sequencing.sequence()
    all_placed()


def test_two_sequencers_at_once_place_each_entry_once_and_sign_once(
    world, settings, tmp_path, monkeypatch, counted
):
    monkeypatch.setattr(sequencing, "BATCH", 5)
    write(60)
    app, errors, placed, signed = world.app, [], [], []
    ready = threading.Barrier(2)

    def sequencer():
        with app.app_context():
            try:
                ready.wait()
                placed.append(sequencing.sequence())
                signed.append(checkpoints.sign(tmp_path / "second place"))
            except Exception as error:  # noqa: BLE001 - handed to the test
                errors.append(error)
            finally:
                db.session.remove()

    with log.signer_of(settings):
        threads = [threading.Thread(target=sequencer) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Whoever found the other at work left the rest to it, or to the next round.
        placed.append(sequencing.sequence())
        signed.append(checkpoints.sign(tmp_path / "second place"))
    assert errors == []
    total = all_placed()
    assert sum(placed) == total
    sizes = [checkpoint.size for checkpoint in signed if checkpoint]
    with db.engine.connect() as connection:
        stored = connection.scalars(select(AuditCheckpoint.size)).all()
    assert sorted(sizes) == sorted(stored)
    assert max(stored) == total
    counted(
        f"row 15: two sequencers at once: {total} entries placed, 0 of them twice; "
        f"{len(sizes)} checkpoints signed, {len(set(stored))} stored"
    )


def test_two_signers_write_to_the_second_place_at_once(world, settings, tmp_path):
    del world
    folder = tmp_path / "second place"
    write()
    with log.signer_of(settings):
        sequencing.sequence()
        checkpoint = checkpoints.sign(folder)
    ready, errors = threading.Barrier(8), []

    def keep():
        ready.wait()
        try:
            for _ in range(50):
                checkpoints._write(folder, checkpoint)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=keep) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert checkpoints.newest_in(folder) == checkpoint
    assert checkpoints.files_in(folder) == list(folder.iterdir())


def test_nobody_who_writes_waits_for_the_sequencer(world, monkeypatch):
    """Eight write while entries are placed: none is refused, none is forgotten."""
    monkeypatch.setattr(sequencing, "BATCH", 10)
    app, errors, stop = world.app, [], threading.Event()

    def writer():
        with app.app_context():
            try:
                write(15)
            except Exception as error:  # noqa: BLE001 - handed to the test
                errors.append(error)
            finally:
                db.session.remove()

    def sequencer():
        with app.app_context():
            try:
                while not stop.is_set():
                    sequencing.sequence()
            except Exception as error:  # noqa: BLE001 - handed to the test
                errors.append(error)
            finally:
                db.session.remove()

    writers = [threading.Thread(target=writer) for _ in range(8)]
    placing = threading.Thread(target=sequencer)
    for thread in (placing, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    placing.join()
    assert errors == []
    sequencing.sequence()
    assert all_placed() >= 8 * 15


def sights():
    with db.engine.connect() as connection:
        return connection.execute(select(AuditSight.row_id, AuditSight.seq)).all()


def test_a_list_is_found_by_every_row_that_it_showed(world):
    del world
    sequencing.sequence()
    before = set(sights())
    rows = [RowTouched(UUID(int=number), 1) for number in range(1, 4)]
    write(rows=rows)
    write(rows=[RowTouched(UUID(int=9), 1)], subject=Subject("case", UUID(int=8), UUID(int=8)))
    sequencing.sequence()
    new = set(sights()) - before
    assert {row_id for row_id, _ in new} == {row.row_id for row in rows}
    (seq,) = {seq for _, seq in new}
    assert json.loads(next(row["rows"] for row in log.entries() if row["seq"] == seq))


def test_entries_without_a_gap_between_them_are_placed_by_one_statement(world):
    del world
    sequencing.sequence()
    write(2)
    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    write(3)
    numbers = waiting()
    gaps = sum(later != number + 1 for number, later in pairwise(numbers))
    assert gaps == (0 if db.engine.dialect.name == "sqlite" else 1)
    asked = []

    def ask(_connection, _cursor, statement, parameters, _context, many):
        if statement.startswith("UPDATE audit_entry "):
            asked.extend(parameters if many else [parameters])

    event.listen(db.engine, "before_cursor_execute", ask)
    try:
        assert sequencing.sequence() == 5
    finally:
        event.remove(db.engine, "before_cursor_execute", ask)
    assert len(asked) == gaps + 1
    assert all_placed() > 5


SPOILT = ("not json", "[[1]]", "{}", "[[]]", '[["no id",1]]', "[" * 100_000)


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_spoilt_entry_does_not_stop_the_others(world, spoilt):
    del world
    write()
    with log.owner() as connection:
        connection.execute(
            text(
                "UPDATE audit_entry SET rows = :rows WHERE seq = (SELECT max(seq) FROM audit_entry)"
            ),
            {"rows": spoilt},
        )
    write()
    sequencing.sequence()
    assert places() == list(range(len(places())))
    assert len(log_check.verify(lambda _: None).findings) == 1


KEPT = ("audit_checkpoint", "audit_cosignature", "audit_tile")


@pytest.fixture
def full(world, settings, tmp_path):
    """A log with a checkpoint that a witness has cosigned."""
    del world
    made = log.sign(settings, tmp_path / "second place")
    with db.engine.begin() as connection:
        moment = "2026-11-24 06:00:00"
        for statement in (
            f"INSERT INTO audit_witness VALUES ('practice', 'key', '{moment}')",
            f"INSERT INTO audit_cosignature VALUES ({made.size}, 'practice', 'line', '{moment}')",
        ):
            connection.execute(text(statement))
    return made


@pytest.mark.parametrize("table", KEPT)
def test_what_was_signed_is_not_deleted(full, table, database_kind):
    del full
    statements = [f"DELETE FROM {table}"]
    if database_kind == "postgresql":
        statements.append(f"TRUNCATE {table} CASCADE")
    for statement in statements:
        with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_checkpoint SET note = 'other'",
        "UPDATE audit_cosignature SET line = 'other'",
        "UPDATE audit_tile SET hashes = substr(hashes, 1, 32)",
        "UPDATE audit_tile SET position = position + 1",
    ],
)
def test_what_was_signed_is_not_changed(full, statement):
    del full
    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_tile_grows_and_nothing_in_it_changes(full):
    del full
    tile = AuditTile.__table__
    with db.engine.connect() as connection:
        hashes = connection.scalar(select(tile.c.hashes))
    flipped = bytes([hashes[0] ^ 1]) + hashes[1:] + bytes(32)
    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(update(tile).values(hashes=flipped))
    with db.engine.begin() as connection:
        connection.execute(update(tile).values(hashes=hashes + bytes(32)))


@pytest.mark.databases("sqlite")
def test_memory_does_not_grow_with_the_log(world):
    del world
    rows = log.entries()

    def fill(number):
        with log.owner() as connection:
            connection.execute(
                insert(AuditEntry.__table__),
                [
                    log.altered(rows[0], id=uuid4()) | {"leaf_index": None, "seq": None}
                    for _ in range(number)
                ],
            )

    def peak():
        tracemalloc.start()
        sequencing.sequence()
        assert log_check.verify(lambda _: None).findings == []
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    fill(10_000)
    peak()
    fill(10_000)
    small = peak()
    fill(60_000)
    # Four times as long a log; what the interpreter keeps for itself differs between runs.
    assert peak() < small * 2
