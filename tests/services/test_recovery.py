"""The key can be lost, and then it comes back: with two sheets of three, and nothing else."""

import threading
from itertools import combinations

import pytest
from sqlalchemy import delete, select, text, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import LockedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import CaseKey, KeyHolder, MasterKey, SealedMasterKey
from nrm.security.keyfile import PROCESSES, Holder, KeyFileError, read_key_file
from nrm.security.keyring import HELD_BY, Purpose, unseal_master
from nrm.security.recovery import SheetsError, mark, new_sheets, rebuild
from nrm.services import audit, casefile, keys, log_check, recovery
from tests import ledger as ledgers
from tests import world as worlds
from tests.ledger import Ledger

PURPOSES = {"identity": "safety", "contact": "safety"}


@pytest.fixture
def key_files(settings):
    return [read_key_file(settings.key_file.with_name(f"{holder}.key")) for holder in PROCESSES]


@pytest.fixture
def sheets(app, key_files):
    """An installation's recovery sheets."""
    del app
    return make_sheets(key_files)


def make_sheets(openers):
    with unit_of_work() as unit:
        made = recovery.make_copy(unit, openers)
        audit.record(unit, HOUSEKEEPING, Action.KEY_SHARE)
    return made


def behind_the_guard(statement):
    """Change the database as its administrator could."""
    with db.engine.connect() as connection:
        connection.execute(statement)
        connection.info["nrm_recorded"] = True
        connection.commit()


def read_identity(world, reference):
    return casefile.overview(world.actor("coordinator"), reference, PURPOSES).opened["identity"]


def test_every_key_file_is_lost_and_every_case_opens_again(world, sheets, settings, tmp_path):
    cases = [worlds.flag(world), worlds.presumed(world)]
    before = [read_identity(world, case) for case in cases]
    keys.forget()
    book = Ledger()
    count = recovery.recover(rebuild(sheets.words[1:]), tmp_path / "new")
    assert count == len(HELD_BY)
    # Written without any key, which is when it must be written.
    assert book.only().action == "key:recover"
    assert book.only().detail is None
    with pytest.raises(LockedError):
        read_identity(world, cases[0])
    keys.unlock(read_key_file(tmp_path / "new" / "web.key"))
    assert [read_identity(world, case) for case in cases] == before
    assert read_identity(world, worlds.flag(world))
    assert log_check.verify(lambda _: None).findings == []
    with pytest.raises(KeyFileError, match="does not belong to this database"):
        keys.unlock(read_key_file(settings.key_file))


@pytest.mark.parametrize("pair", list(combinations(range(3), 2)))
def test_each_process_gets_back_what_it_held_and_no_more(sheets, tmp_path, pair):
    recovery.recover(rebuild([sheets.words[at] for at in pair]), tmp_path)
    for holder in PROCESSES:
        ring = keys.unlock(read_key_file(tmp_path / f"{holder}.key"))
        assert ring.holder is holder
        held = {purpose for purpose, _ in ring.masters.values()}
        assert held == {purpose for purpose, holders in HELD_BY.items() if holder in holders}
    # The sheets open the database still: they need not be made anew.
    assert recovery.drill(rebuild(sheets.words[:2])).master_keys == len(HELD_BY)


def test_older_master_keys_come_back_too(world, sheets, tmp_path):
    case = worlds.flag(world)
    for purpose in (Purpose.CASE, Purpose.STATISTICS):
        with unit_of_work() as unit:
            keys.new_master(unit, purpose)
            audit.record(unit, HOUSEKEEPING, Action.KEY_ROTATE)
    keys.forget()
    assert recovery.recover(rebuild(sheets.words[:2]), tmp_path) == len(HELD_BY) + 2
    keys.unlock(read_key_file(tmp_path / "web.key"))
    assert read_identity(world, case)


def test_a_recovery_that_fails_changes_nothing(sheets, settings, tmp_path):
    # The last file cannot be made: its name is taken by a link that leads nowhere.
    (tmp_path / "signer.key").symlink_to(tmp_path / "nowhere")
    with ledgers.nothing_changes(), pytest.raises(FileExistsError):
        recovery.recover(rebuild(sheets.words[:2]), tmp_path)
    assert [file.name for file in tmp_path.glob("*.key")] == ["signer.key"]
    keys.unlock(read_key_file(settings.key_file))


@pytest.mark.parametrize("holder", PROCESSES)
def test_a_key_file_is_never_overwritten(sheets, tmp_path, holder):
    (tmp_path / f"{holder}.key").write_text("somebody's", encoding="utf-8")
    with ledgers.nothing_changes(), pytest.raises(KeyFileError, match="is there already"):
        recovery.recover(rebuild(sheets.words[:2]), tmp_path)
    assert (tmp_path / f"{holder}.key").read_text(encoding="utf-8") == "somebody's"


# The drill.


def test_a_drill_proves_the_sheets_without_a_key_file_and_changes_nothing(world, sheets):
    worlds.flag(world)
    worlds.draft(world)
    assert recovery.state().proved_at is None
    keys.forget()
    book = Ledger()
    with ledgers.nothing_changes():
        done = recovery.drill(rebuild(sheets.words[:2]))
    with db.engine.connect() as connection:
        stored = len(connection.execute(text("SELECT id FROM case_key")).all())
        stored += len(connection.execute(text("SELECT id FROM facts_key")).all())
    assert (done.master_keys, done.tried, done.data_keys) == (len(HELD_BY), stored, stored)
    assert stored >= 3
    assert book.only().action == "key:drill"
    told = recovery.state()
    assert told.mark == mark(sheets.public)
    assert told.proved_at == book.only().occurred_at
    assert told.proved_at > told.made_at


def test_a_drill_of_many_cases_tries_some(world, sheets, monkeypatch):
    worlds.flag(world)
    worlds.flag(world)
    monkeypatch.setattr(recovery, "_TRIED", 1)
    done = recovery.drill(rebuild(sheets.words[:2]))
    assert (done.tried, done.data_keys > 2) == (2, True)


def test_a_drill_finds_a_key_that_would_not_come_back(world, sheets):
    worlds.flag(world)
    behind_the_guard(update(CaseKey).values(wrapped=bytes(60)))
    with ledgers.nothing_changes(), pytest.raises(LockedError, match="a case key does not unwrap"):
        recovery.drill(rebuild(sheets.words[:2]))
    assert recovery.state().proved_at is None


def test_a_drill_finds_a_damaged_recovery_copy(sheets, tmp_path):
    damaged = update(SealedMasterKey).where(SealedMasterKey.holder == "recovery")
    behind_the_guard(damaged.values(sealed=bytes(1200)))
    root = rebuild(sheets.words[:2])
    for act in (lambda: recovery.drill(root), lambda: recovery.recover(root, tmp_path / "new")):
        with ledgers.nothing_changes(), pytest.raises(LockedError, match="is damaged"):
            act()
    assert not (tmp_path / "new" / "web.key").exists()


def test_a_master_key_that_has_no_recovery_copy_is_named(sheets, tmp_path):
    ring_id = db.session.scalar(select(MasterKey.id).where(MasterKey.purpose == "statistics"))
    db.session.rollback()
    behind_the_guard(
        delete(SealedMasterKey).where(
            SealedMasterKey.holder == "recovery", SealedMasterKey.ring_id == ring_id
        )
    )
    with ledgers.nothing_changes(), pytest.raises(LockedError) as refused:
        recovery.recover(rebuild(sheets.words[:2]), tmp_path / "new")
    line = f"the statistics key {ring_id} opens only with statistics.key"
    assert str(refused.value) == line


# Other sheets.


def test_the_sheets_of_another_system_are_told_apart_by_their_mark(sheets, tmp_path):
    other = new_sheets()
    root = rebuild(other.words[:2])
    for act in (lambda: recovery.drill(root), lambda: recovery.recover(root, tmp_path)):
        with ledgers.nothing_changes(), pytest.raises(SheetsError) as refused:
            act()
        assert str(refused.value) == (
            f"these sheets have the mark {mark(other.public)}, "
            f"and those of this database have {mark(sheets.public)}"
        )


def test_a_database_without_sheets_says_so(app):
    del app
    with pytest.raises(SheetsError, match="has no recovery sheets: nrm init makes them"):
        recovery.drill(rebuild(new_sheets().words[:2]))
    assert recovery.state() == recovery.State()


def test_new_sheets_from_older_ones_make_those_void(sheets):
    recovery.drill(rebuild(sheets.words[:2]))
    newer = make_sheets([rebuild(sheets.words[1:])])
    # What was proved of the older ones proves nothing of the new.
    assert recovery.state().proved_at is None
    with pytest.raises(SheetsError, match="these sheets have the mark"):
        recovery.drill(rebuild(sheets.words[:2]))
    assert recovery.drill(rebuild(newer.words[:2])).master_keys == len(HELD_BY)


def test_new_sheets_need_every_master_key(key_files):
    web_alone = key_files[:1]
    with ledgers.nothing_changes(), pytest.raises(LockedError, match=r"opens only with \w+\.key"):
        make_sheets(web_alone)
    # The other files are read only where they are needed.
    openers = iter([*key_files, "never asked for"])
    assert make_sheets(openers).words
    assert next(openers) == "never asked for"


def test_the_database_holds_no_word_and_no_secret_of_the_sheets(sheets):
    root = rebuild(sheets.words[:2])
    with db.engine.connect() as connection:
        holder = connection.execute(select(KeyHolder).where(KeyHolder.name == "recovery")).one()
        sealed = connection.execute(
            select(SealedMasterKey.sealed, MasterKey.id, MasterKey.purpose)
            .join(MasterKey, MasterKey.id == SealedMasterKey.ring_id)
            .where(SealedMasterKey.holder == Holder.RECOVERY)
        ).all()
    assert holder.public_key == sheets.public
    assert len(sealed) == len(HELD_BY)
    for closed, ring_id, purpose in sealed:
        master = unseal_master(closed, root, ring_id, Purpose(purpose))
        assert master not in closed
        assert all(word.encode() not in closed for word in sheets.words[0].split())


def test_no_master_key_is_made_behind_the_back_of_new_sheets(app, sheets, key_files):
    """Whoever rotates while sheets are made seals to the new ones, or is sealed by them."""
    newest, made = [sheets], []
    start = threading.Barrier(2)

    def rotate():
        with unit_of_work() as unit:
            keys.new_master(unit, Purpose.CASE)
            audit.record(unit, HOUSEKEEPING, Action.KEY_ROTATE)
        made.append(1)

    def share():
        newest.append(make_sheets(key_files))

    def repeatedly(act):
        with app.app_context():
            start.wait()
            for _ in range(8):
                act()

    threads = [threading.Thread(target=repeatedly, args=(act,)) for act in (rotate, share)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(newest), len(made)) == (9, 8)
    assert recovery.drill(rebuild(newest[-1].words[:2])).master_keys == len(HELD_BY) + 8
