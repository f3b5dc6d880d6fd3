"""New master keys while everybody goes on working; old ones go when nothing needs them."""

import random
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, event, func, insert, select, update

from nrm.application import create_app, root
from nrm.db import db, unit_of_work
from nrm.domain.errors import LockedError, RefusedError
from nrm.models import AuthSession, CaseKey, FactsKey, MasterKey, SealedMasterKey
from nrm.security.keyfile import read_key_file
from nrm.security.keyring import Keyring, Purpose
from nrm.services import (
    audit,
    casefile,
    identification,
    key_use,
    keys,
    log_search,
    rotation,
    search,
    search_index,
    sessions,
)
from tests import ledger as ledgers
from tests import vault
from tests import world as worlds
from tests.crash import PROOF

WRAPPING = pytest.mark.parametrize("purpose", [Purpose.CASE, Purpose.FACTS])
LIMITS = sessions.Limits(timedelta(minutes=30), timedelta(hours=10))
SECONDS = 10 if PROOF else 1


def finish(purpose):
    return [batch.done for batch in rotation.go_on(purpose)]


def primary(purpose):
    db.session.rollback()
    return db.session.scalars(
        select(MasterKey.id).where(MasterKey.purpose == purpose, MasterKey.state == "primary")
    ).one()


def behind_the_guard(statement, rows=None):
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        connection.execute(statement, rows)


def a_minute_ago(ring_id):
    earlier = datetime.now(UTC) - timedelta(minutes=2)
    behind_the_guard(update(MasterKey).where(MasterKey.id == ring_id).values(created_at=earlier))


# Wrapping anew.


@WRAPPING
def test_after_a_rotation_every_key_is_under_the_new_one_and_opens_the_same(world, purpose):
    worlds.served(world)
    worlds.draft(world)
    before, sealed, old = vault.contents(), ledgers.sealed_rows(), primary(purpose)
    book = ledgers.Ledger()

    new = rotation.rotate(purpose)
    assert vault.under(purpose) == {old}
    assert rotation.left(purpose) == sum(finish(purpose))

    assert new == primary(purpose) != old
    assert vault.under(purpose) == {new}
    assert vault.contents() == before
    assert ledgers.sealed_rows() == sealed
    assert book.actions() == ["key:rotate", "key:rewrap"]
    made, wrapped = book.entries()
    assert (made.subject_type, made.purpose) == ("key", f"{purpose} {new}")
    assert (wrapped.purpose, ledgers.detail(wrapped)["counts"]) == (
        purpose,
        {"keys": db.session.scalar(select(func.count()).select_from(vault.WRAPPED[purpose]))},
    )


@WRAPPING
def test_a_rotation_that_stopped_goes_on_and_makes_no_other_key(world, purpose, monkeypatch):
    for _ in range(5):
        worlds.flag(world)
    monkeypatch.setattr(rotation, "BATCH", 2)
    old, new = primary(purpose), rotation.rotate(purpose)
    next(iter(rotation.go_on(purpose)))
    assert (vault.under(purpose), rotation.left(purpose)) == ({old, new}, 3)
    assert rotation.unfinished(purpose)

    rotation.resume(purpose)
    assert finish(purpose) == [2, 1]
    assert (vault.under(purpose), primary(purpose)) == ({new}, new)
    assert not rotation.unfinished(purpose)
    assert vault.contents()


def test_a_second_rotation_takes_along_what_the_first_one_left(world):
    worlds.flag(world)
    rotation.rotate(Purpose.CASE)
    newest = rotation.rotate(Purpose.CASE)
    finish(Purpose.CASE)
    assert vault.under(Purpose.CASE) == {newest}


def test_a_damaged_key_stays_as_it_is_and_stops_nobody(world):
    damaged, _ = worlds.flag(world), worlds.flag(world)
    keys_before = db.session.execute(select(CaseKey.id, CaseKey.wrapped)).all()
    first = min(keys_before).id
    behind_the_guard(update(CaseKey).where(CaseKey.id == first).values(wrapped=bytes(60)))
    rotation.rotate(Purpose.CASE)
    assert list(rotation.go_on(Purpose.CASE)) == [rotation.Batch(1, 1)]
    assert rotation.left(Purpose.CASE) == 1
    assert db.session.get(CaseKey, first).wrapped == bytes(60)
    assert damaged


def test_nothing_is_changed_where_the_log_takes_no_entry(world):
    worlds.flag(world)
    with (
        ledgers.nothing_changes(),
        ledgers.broken_log(),
        pytest.raises(ledgers.LogRefusedError),
    ):
        rotation.rotate(Purpose.CASE)
    rotation.rotate(Purpose.CASE)
    with (
        ledgers.nothing_changes(),
        ledgers.broken_log(),
        pytest.raises(ledgers.LogRefusedError),
    ):
        finish(Purpose.CASE)


@pytest.mark.parametrize("purpose", [Purpose.CASE, Purpose.INDEX])
def test_a_process_that_cannot_open_the_old_key_makes_no_new_one(world, settings, purpose):
    worlds.flag(world)
    keys.unlock(read_key_file(settings.key_file.with_name("statistics.key")))
    with ledgers.nothing_changes(), pytest.raises(LockedError, match=f"not hold the {purpose} key"):
        rotation.rotate(purpose)


def test_the_web_process_renews_the_facts_key_for_the_statistics_process(world, settings):
    worlds.served(world)
    wanted = {
        place: document for place, document in vault.contents().items() if "facts" in place[0]
    }
    # Only its own file is read: the other holder's is not even known by name.
    rotation.rotate(Purpose.FACTS)
    finish(Purpose.FACTS)
    keys.unlock(read_key_file(settings.key_file.with_name("statistics.key")))
    ring = keys.keyring()
    opened = {
        row.case_id: ring.unwrap(Purpose.FACTS, row.case_id, row.ring_id, row.wrapped)
        for row in db.session.scalars(select(FactsKey))
    }
    assert len(opened) == 1
    keys.unlock(root(settings))
    assert wanted.items() <= vault.contents().items()


def test_the_statistics_key_is_renewed_by_a_process_that_cannot_open_it(world, settings):
    new = rotation.rotate(Purpose.STATISTICS)
    assert new not in keys.keyring().masters
    ring = keys.unlock(read_key_file(settings.key_file.with_name("statistics.key")))
    assert ring.primary[Purpose.STATISTICS] == new
    assert world


# While others work.


class Crowd:
    """Sixteen people who go on working: eight write and eight read."""

    def __init__(self, world, pause):
        self.world, self.pause = world, pause
        self.known = [worlds.flag(world) for _ in range(4)]
        self.spent, self.phase, self.errors = {}, "warming up", []
        self.over = threading.Event()
        acts = [self.draft] * 6 + [self.flag] * 2 + [self.read] * 8
        self.threads = [threading.Thread(target=self.work, args=(act,)) for act in acts]

    def draft(self):
        responder = self.world.actor("first_responder")
        draft = identification.start_draft(responder)
        identification.save_page(responder, draft, "person", {"given_name": "Practice"})

    def flag(self):
        worlds.flag(self.world)

    def read(self):
        reference = random.choice(self.known)
        casefile.overview(self.world.actor("coordinator"), reference, {"identity": "safety"})

    def work(self, act):
        with self.world.app.app_context():
            while not self.over.is_set():
                began = time.perf_counter()
                try:
                    act()
                except Exception as error:  # noqa: BLE001 - a thread cannot raise it to the test
                    self.errors.append(error)
                spent = self.spent.setdefault((self.phase, act.__name__), [])
                spent.append(time.perf_counter() - began)
                time.sleep(self.pause)

    def __enter__(self):
        if db.engine.dialect.name == "sqlite":
            # However busy the machine is: who waits for the one lock is not an error here.
            event.listen(db.engine, "connect", be_patient)
            db.engine.dispose()
        # Each may need a second connection at the moment when the key changes.
        db.engine.pool._max_overflow = 2 * len(self.threads)
        for thread in self.threads:
            thread.start()
        time.sleep(SECONDS / 3)
        return self

    def __exit__(self, *error):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def p95(self, phase):
        spent = [one for (when, _), some in self.spent.items() if when == phase for one in some]
        return len(spent), sorted(spent)[int(len(spent) * 0.95)]


def be_patient(connection, _record):
    connection.execute("PRAGMA busy_timeout = 60000")


def many_more_keys(purpose, number):
    """Wrap keys of nobody, so that a rotation has work to do for a while."""
    ring, rows = keys.keyring(), []
    owner = "owner_id" if purpose is Purpose.CASE else "case_id"
    for _ in range(number):
        of = uuid4()
        ring_id, wrapped = ring.wrap(purpose, of, bytes(32))
        rows.append({owner: of, "ring_id": ring_id, "wrapped": wrapped})
    behind_the_guard(insert(vault.WRAPPED[purpose]), rows)


def test_sixteen_work_on_while_keys_are_rotated(world, counted, database_kind, monkeypatch):
    """Nobody meets an error, and nothing stays under the old keys."""
    monkeypatch.setattr(rotation, "BATCH", 100)
    old = {purpose: primary(purpose) for purpose in (Purpose.CASE, Purpose.FACTS)}
    for purpose in old:
        many_more_keys(purpose, 1_000 * SECONDS)
    # SQLite serves a pilot: whoever writes there waits for all others, however many they are.
    with Crowd(world, pause=0.5 if database_kind == "sqlite" else 0.1) as crowd:
        crowd.phase = "before"
        time.sleep(SECONDS)
        crowd.phase = "meanwhile"
        for purpose in old:
            rotation.rotate(purpose)
            for _ in rotation.go_on(purpose):
                time.sleep(0.02)
        crowd.phase = "after"

    assert crowd.errors == []
    for purpose, ring_id in old.items():
        assert vault.under(purpose) == {primary(purpose)} != {ring_id}
    assert len(vault.contents()) > len(crowd.known)
    (acts, before), (meanwhile, during) = crowd.p95("before"), crowd.p95("meanwhile")
    counted(
        f"on {database_kind}, 8 wrote and 8 read: {acts} acts before and {meanwhile} "
        f"during two rotations, 0 errors, 0 keys left behind, p95 × {during / before:.2f}"
    )


def test_nobody_wraps_under_a_key_that_is_being_replaced(world):
    """A rotation waits for the act that is under way, and then wraps its key anew."""
    began, go = threading.Event(), threading.Event()

    def slow_act():
        with world.app.app_context(), unit_of_work() as unit:
            keys.new_case_key(unit, world.accounts["provider"])
            began.set()
            go.wait(5)
            audit.record(unit, worlds.HOUSEKEEPING, worlds.Action.DIRECTORY_LOAD)

    slow = threading.Thread(target=slow_act)
    slow.start()
    began.wait(5)
    rotating = threading.Thread(target=in_app(world, lambda: rotation.rotate(Purpose.CASE)))
    rotating.start()
    rotating.join(0.3)
    assert rotating.is_alive()
    go.set()
    slow.join()
    rotating.join()
    assert rotation.left(Purpose.CASE) == 1
    assert finish(Purpose.CASE) == [1]


def in_app(world, act):
    def run():
        with world.app.app_context():
            act()

    return run


# What is derived from a key, and not wrapped by it.


def test_entries_from_before_a_rotation_of_the_log_key_open_still(world):
    reference, auditor = worlds.flag(world), world.actor("auditor")
    old = primary(Purpose.LOG)
    entry = next(line.entry for line in found(auditor) if line.entry.detail)
    new = rotation.rotate(Purpose.LOG)
    assert list(rotation.go_on(Purpose.LOG)) == []
    assert log_search.entry(auditor, entry.id).as_written
    worlds.flag(world)
    assert set(key_use.users(Purpose.LOG)) == {old, new}
    with pytest.raises(RefusedError, match=rf"key {old} is still needed by \d+ log entr"):
        rotation.retire(old)
    assert reference


def found(auditor):
    return log_search.search(auditor, log_search.Search()).lines


def test_whoever_is_signed_in_stays_so_also_with_a_process_that_has_not_heard(world):
    opened = worlds.sitting(world, "coordinator")
    knows_the_old, old = keys._unlocked[db.engine], primary(Purpose.SESSION)
    rotation.rotate(Purpose.SESSION)
    sitting = sessions.resume(opened.token, LIMITS)
    sessions.save(sitting, {"kept": "practice"})

    # The other worker looks at its ring again when it meets a key that it does not know.
    keys._unlocked[db.engine] = knows_the_old
    assert sessions.resume(opened.token, LIMITS).data == {"kept": "practice"}
    assert primary(Purpose.SESSION) in keys.keyring().masters
    assert set(key_use.users(Purpose.SESSION)) == {primary(Purpose.SESSION)} != {old}


def test_the_protection_of_forms_takes_its_new_key_at_the_next_start(world, settings):
    before = world.app.config["SECRET_KEY"]
    rotation.rotate(Purpose.FORM)
    assert world.app.config["SECRET_KEY"] == before
    again = create_app(settings)
    assert again.config["SECRET_KEY"] != before
    with again.app_context():
        db.engine.dispose()


def test_a_new_index_key_makes_new_tokens_and_no_search_misses_anybody(world, monkeypatch):
    monkeypatch.setattr(search_index, "BATCH", 2)
    names = ["Uwase Muneza", "Kalisa Mugisha", "Ingabire Keza"]
    for name in names:
        given, family = name.split()
        worlds.flag(world, person={"given_name": given, "family_name": family})
    old = primary(Purpose.INDEX)

    a_minute_ago(rotation.rotate(Purpose.INDEX))
    assert (rotation.left(Purpose.INDEX), rotation.unfinished(Purpose.INDEX)) == (3, True)
    with pytest.raises(RefusedError, match=f"key {old} is still needed by 1 search index"):
        rotation.retire(old)
    for _ in rotation.go_on(Purpose.INDEX):
        assert all(found_people(world, name) for name in names)
    assert not rotation.unfinished(Purpose.INDEX)
    rotation.retire(old)
    assert all(found_people(world, name) for name in names)


def found_people(world, name):
    return search.find(world.actor("coordinator"), name, "", world.pack).matches


def test_a_new_index_that_was_never_begun_is_begun_on_resuming(world):
    """As after a death between the new key and the new version."""
    worlds.flag(world)
    with unit_of_work() as unit:
        keys.new_master(unit, Purpose.INDEX)
        audit.record(unit, worlds.HOUSEKEEPING, worlds.Action.KEY_ROTATE)
    keys.look_again()
    assert rotation.unfinished(Purpose.INDEX)
    rotation.resume(Purpose.INDEX)
    assert sum(finish(Purpose.INDEX)) == 1
    assert not rotation.unfinished(Purpose.INDEX)


# Retiring.


def test_a_key_that_nothing_needs_is_destroyed(world, ledger):
    worlds.flag(world)
    old = primary(Purpose.CASE)
    rotation.rotate(Purpose.CASE)
    finish(Purpose.CASE)
    rotation.retire(old)
    copies = select(func.count()).where(SealedMasterKey.ring_id == old)
    assert db.session.scalar(copies) == 0
    assert db.session.get(MasterKey, old).state == "retired"
    assert old not in keys.keyring().masters
    assert vault.contents()
    assert ledger.actions()[-1] == "key:retire"
    assert ledger.entries()[-1].purpose == f"case {old}"


def test_what_a_destroyed_key_had_wrapped_opens_no_more(world):
    """A row from yesterday's copy of the database, put back after the key was retired."""
    worlds.flag(world)
    yesterday = db.session.execute(select(CaseKey.__table__)).one()
    old = primary(Purpose.CASE)
    rotation.rotate(Purpose.CASE)
    finish(Purpose.CASE)
    rotation.retire(old)
    behind_the_guard(update(CaseKey).values(ring_id=yesterday.ring_id, wrapped=yesterday.wrapped))
    with pytest.raises(LockedError):
        vault.contents()


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        (Purpose.CASE, "is still needed by 2 case keys"),
        (Purpose.FACTS, "is still needed by 2 facts keys"),
        (Purpose.SESSION, "is still needed by 1 sitting"),
    ],
)
def test_a_key_that_is_needed_is_not_retired(world, purpose, words):
    worlds.flag(world)
    worlds.flag(world)
    worlds.sitting(world, "coordinator")
    old = primary(purpose)
    a_minute_ago(rotation.rotate(purpose))
    with ledgers.nothing_changes(), pytest.raises(RefusedError) as refused:
        rotation.retire(old)
    assert str(refused.value) == f"key {old} {words}"


def test_the_key_in_use_and_unknown_keys_are_not_retired(world):
    del world
    for purpose in Purpose:
        with ledgers.nothing_changes(), pytest.raises(RefusedError, match="rotate it first"):
            rotation.retire(primary(purpose))
    old = primary(Purpose.CASE)
    rotation.rotate(Purpose.CASE)
    rotation.retire(old)
    for unknown in (old, 999):
        with ledgers.nothing_changes(), pytest.raises(RefusedError, match=f"no key {unknown} "):
            rotation.retire(unknown)


def test_a_key_that_others_may_still_write_under_stays_for_a_minute(world):
    worlds.sitting(world, "coordinator")
    old, new = primary(Purpose.SESSION), rotation.rotate(Purpose.SESSION)
    with unit_of_work():
        db.session.execute(delete(AuthSession))
    with pytest.raises(RefusedError, match="try again in a minute"):
        rotation.retire(old)
    a_minute_ago(new)
    rotation.retire(old)


def test_a_case_that_is_begun_under_the_old_key_keeps_it_from_being_retired(world):
    """Retiring waits for the act that is wrapping, and then counts what it wrapped."""
    old, began, go = primary(Purpose.CASE), threading.Event(), threading.Event()
    refused = []

    def slow_act():
        with world.app.app_context(), unit_of_work() as unit:
            keys.new_case_key(unit, world.accounts["provider"])
            began.set()
            go.wait(5)
            audit.record(unit, worlds.HOUSEKEEPING, worlds.Action.DIRECTORY_LOAD)

    def rotate_and_retire():
        rotation.rotate(Purpose.CASE)
        try:
            rotation.retire(old)
        except RefusedError as error:
            refused.append(str(error))

    slow = threading.Thread(target=slow_act)
    slow.start()
    began.wait(5)
    retiring = threading.Thread(target=in_app(world, rotate_and_retire))
    retiring.start()
    go.set()
    slow.join()
    retiring.join()
    assert refused == [f"key {old} is still needed by 1 case key"]


# What is seen of them.


def test_the_status_counts_what_needs_each_key(world):
    worlds.flag(world)
    old = primary(Purpose.CASE)
    new = rotation.rotate(Purpose.CASE)
    seen = {one.ring_id: one for one in key_use.standings()}
    assert (seen[old].state, seen[old].users, seen[new].users) == ("active", 1, 0)
    assert list(seen[new].holders) == ["web"]
    finish(Purpose.CASE)
    seen = {one.ring_id: one for one in key_use.standings()}
    assert (seen[old].users, seen[new].users) == (0, 1)
    assert "masters" not in repr(Keyring)
