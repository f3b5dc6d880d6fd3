"""The list of erased files lies outside the database, and closes what a copy brings back."""

import contextlib
import json
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, make_url, select, update

from nrm.db import db
from nrm.domain.erasure import DamagedListError, Line, written
from nrm.domain.errors import ErasedError
from nrm.domain.lifecycle import Assistance, ErasureState, ReferralState
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Case, CaseKey, Erasure, FactsKey, IdentifierToken, NameToken
from nrm.services import casefile, erasure, erasure_list, follow_up, log_check, provision, shredding
from tests import world as worlds
from tests.ledger import Ledger, nothing_changes
from tests.services.erasures import ask, carry_out, case_of, how_many, keys_of, sqlite_alone
from tests.world import CANARIES


@sqlite_alone
def test_the_list_names_the_case_its_moment_and_its_keys_and_nothing_else(world, kept):
    reference, _ = worlds.closed(world)
    case_id = case_of(reference).id
    case_keys = list(db.session.scalars(select(CaseKey.id).where(CaseKey.owner_id == case_id)))
    facts_keys = list(db.session.scalars(select(FactsKey.id).where(FactsKey.case_id == case_id)))
    carry_out(world, kept, (reference, ask(world, reference)))
    assert kept.erasures.stat().st_mode & 0o777 == 0o600
    (told,) = map(json.loads, kept.erasures.read_text(encoding="utf-8").splitlines())
    assert set(told) == {"format", "case", "erased_at", "case_keys", "facts_keys", "sha256"}
    assert erasure_list.read(kept.erasures) == {
        case_id: Line(case_id, case_of(reference).erased_at, case_keys, facts_keys)
    }
    everything = kept.erasures.read_text(encoding="utf-8")
    assert reference not in everything
    assert [name for name, canary in CANARIES.items() if canary in everything] == []


class Yesterday:
    """A copy of the database as it was, to be put in the place of today's."""

    def __init__(self, url):
        self.file = make_url(url).database if make_url(url).drivername == "sqlite" else None
        db.session.rollback()
        if self.file:
            with (
                contextlib.closing(sqlite3.connect(self.file)) as now,
                contextlib.closing(sqlite3.connect(f"{self.file}.copy")) as copy,
            ):
                now.backup(copy)
            return
        self.rows = {
            model: [dict(row) for row in db.session.execute(select(model.__table__)).mappings()]
            for model in (CaseKey, FactsKey, NameToken, IdentifierToken)
        }
        self.cases = dict(db.session.execute(select(Case.id, Case.closed_at)).all())
        db.session.rollback()

    def restore(self):
        db.session.remove()
        db.engine.dispose()
        if self.file:
            for name in (self.file, f"{self.file}-wal", f"{self.file}-shm"):
                Path(name).unlink(missing_ok=True)
            shutil.copyfile(f"{self.file}.copy", self.file)
            return
        with db.engine.begin() as connection:
            # What a restore does leaves no entry, and so is done past the guard.
            connection.info["nrm_recorded"] = True
            connection.execute(delete(Erasure))
            for model, rows in self.rows.items():
                connection.execute(delete(model))
                if rows:
                    connection.execute(model.__table__.insert(), rows)
            for case_id in self.cases:
                connection.execute(
                    update(Case.__table__).where(Case.id == case_id).values(erased_at=None)
                )


def opens(world, reference):
    """Say whether the file opens, to whoever may open it."""
    try:
        page = casefile.overview(world.actor("coordinator"), reference, {"identity": "safety"})
    except ErasedError:
        return False
    return page.opened["identity"]["given_name"] == CANARIES["given_name"]


def flagged_and_closed(world):
    return worlds.closed(world, person={"given_name": CANARIES["given_name"]})


def test_yesterdays_copy_opens_the_file_until_the_list_is_replayed(world, kept, database_url):
    reference, sent = flagged_and_closed(world)
    asked_for = reference, ask(world, reference)
    yesterday = Yesterday(database_url)
    carry_out(world, kept, asked_for)
    erased_at = case_of(reference).erased_at
    assert not opens(world, reference)

    yesterday.restore()
    assert opens(world, reference)
    book = Ledger()
    assert shredding.reconcile(kept) == 1
    assert not opens(world, reference)
    assert (keys_of(case_of(reference).id), case_of(reference).erased_at) == (0, erased_at)
    assert how_many(NameToken) == 0
    (entry,) = book.entries()
    assert (entry.action, entry.actor_role) == ("erasure:replay", HOUSEKEEPING.role)
    assert log_check.verify(lambda _: None).findings == []
    with pytest.raises(ErasedError):
        provision.read(world.actor("provider"), sent)
    done = erasure.read(world.actor("auditor"), erasure.done_for(case_of(reference).id))
    assert done.request.erasure.state is ErasureState.DONE

    # Once more does nothing more.
    book = Ledger()
    with nothing_changes():
        assert shredding.reconcile(kept) == 0
    assert book.entries() == []


@sqlite_alone
def test_a_copy_from_when_the_case_was_open_is_closed_with_it(world, kept, database_url):
    reference, sent = worlds.referred(world, person={"given_name": CANARIES["given_name"]})
    yesterday = Yesterday(database_url)
    provision.accept(world.actor("provider"), sent, world.pack)
    version = worlds.version(world, reference)
    coordinator = world.actor("coordinator")
    follow_up.close(coordinator, reference, "other", "", version=version, pack=world.pack)
    carry_out(world, kept, (reference, ask(world, reference)))
    yesterday.restore()
    assert shredding.reconcile(kept) == 1
    assert not opens(world, reference)
    assert case_of(reference).assistance is Assistance.CLOSED
    assert casefile.worklist(coordinator, casefile.Queue.ALL).rows == []
    assert provision.inbox(world.actor("provider"), ReferralState.SENT).rows == []
    # Who had asked, and why, that copy cannot know.
    request = erasure.requests(coordinator, ErasureState.DONE).rows[0]
    assert (request.asked_by, request.answered_by, request.erasure.reason) == ("", "", "")


def test_keys_that_come_back_alone_are_destroyed_again(world, kept):
    reference, _ = flagged_and_closed(world)
    case_id = case_of(reference).id
    rows = [dict(row) for row in db.session.execute(select(CaseKey.__table__)).mappings()]
    carry_out(world, kept, (reference, ask(world, reference)))
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        connection.execute(CaseKey.__table__.insert(), rows)
    assert keys_of(case_id) == 1
    assert shredding.reconcile(kept) == 1
    assert keys_of(case_id) == 0


@sqlite_alone
def test_a_list_that_a_crash_left_behind_is_completed(world, kept):
    references = [flagged_and_closed(world)[0] for _ in range(2)]
    for reference in references:
        carry_out(world, kept, (reference, ask(world, reference)))
    whole = erasure_list.read(kept.erasures)
    lines = kept.erasures.read_text(encoding="utf-8").splitlines(keepends=True)
    for left in ([], lines[:1], lines[1:]):
        kept.erasures.write_text("".join(left), encoding="utf-8")
        assert shredding.reconcile(kept) == 0
        assert erasure_list.read(kept.erasures) == whole


@sqlite_alone
def test_a_disk_that_takes_no_line_undoes_no_erasure(world, kept, monkeypatch):
    reference, _ = worlds.closed(world)
    asked_for = reference, ask(world, reference)

    def full(handle, data):
        written_part(handle, data[:40])
        raise OSError(28, "No space left on device")

    written_part = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        carry_out(world, kept, asked_for)
    # Nothing of the line stays, so that the list can still be read.
    assert erasure_list.read(kept.erasures) == {}
    assert not opens(world, reference)
    shredding.reconcile(kept)
    assert list(erasure_list.read(kept.erasures)) == [case_of(reference).id]


@sqlite_alone
def test_cases_that_the_database_does_not_know_are_counted_and_left(world, kept, ledger):
    worlds.flag(world)
    before = ledger.actions()
    lines = {(other := uuid4()): Line(other, datetime.now(UTC), [1], [1]) for _ in range(3)}
    with nothing_changes():
        done = shredding.replay(lines, kept)
    assert (done.destroyed, done.unknown) == (0, 3)
    assert ledger.actions() == before


@sqlite_alone
def test_a_damaged_list_is_named_and_nothing_is_done(world, kept, database_url):
    reference, _ = flagged_and_closed(world)
    yesterday = Yesterday(database_url)
    carry_out(world, kept, (reference, ask(world, reference)))
    yesterday.restore()
    whole = kept.erasures.read_bytes()
    other = written(Line(uuid4(), datetime.now(UTC), [], [])).encode()
    for damaged, line in (
        (whole[:-1], 1),
        (whole.replace(b"T", b"t", 1), 1),
        (other + whole.replace(str(case_of(reference).id).encode(), str(uuid4()).encode()), 2),
        (whole + b"\n" + other, 2),
    ):
        kept.erasures.write_bytes(damaged)
        with nothing_changes(), pytest.raises(DamagedListError, match=f"line {line} of"):
            shredding.reconcile(kept)
    kept.erasures.write_bytes(b"\xff")
    with nothing_changes(), pytest.raises(DamagedListError, match="cannot be read"):
        shredding.reconcile(kept)
