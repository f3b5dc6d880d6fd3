"""The tokens' versions: filled while people work, switched to when whole, and never half-way."""

import threading
from functools import partial
from itertools import islice

import pytest
from sqlalchemy import delete, func, select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain import planner
from nrm.domain.errors import LockedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Case, IdentifierToken, NameIndex, NameToken, SealedCompartment
from nrm.security.keyring import Purpose
from nrm.services import identification, index_version, keys, search, search_index
from nrm.services.audit import record
from nrm.services.index_version import BUILDING, PRIMARY, RETIRED
from tests import ledger as ledgers
from tests import world as worlds

PERSON = {"given_name": "Marie", "family_name": "Uwamahoro"}


@pytest.fixture
def small_batches(monkeypatch):
    """Let a handful of cases take several acts."""
    monkeypatch.setattr(search_index, "BATCH", 2)
    monkeypatch.setattr(search_index, "_SWEEP", 3)


def flags(world, number):
    return [worlds.flag(world, person=PERSON) for _ in range(number)]


def begin():
    with unit_of_work() as unit:
        return search_index.begin_version(unit).version


def states():
    rows = db.session.execute(select(NameIndex.version, NameIndex.state))
    found = dict(map(tuple, rows))
    db.session.rollback()
    return found


def tokens(version):
    """Count the cases that have tokens of a version, of names and of identifiers."""
    counted = [
        db.session.scalar(
            select(func.count(table.case_id.distinct())).where(table.version == version)
        )
        for table in (NameToken, IdentifierToken)
    ]
    db.session.rollback()
    return tuple(counted)


def found(world, typed="Marie Uwamahoro", number=""):
    return {
        match.reference
        for match in search.find(world.actor("coordinator"), typed, number, world.pack).matches
    }


def test_an_installation_begins_with_a_version_that_is_searched():
    assert states() == {1: PRIMARY}
    version = db.session.scalars(select(NameIndex)).one()
    assert version.bits == planner.bits_for(0)
    assert version.ring_id == keys.keyring().current_id(Purpose.INDEX)


def test_a_case_has_tokens_from_birth_whoever_the_person_is(world):
    worlds.flag(world, person=PERSON)
    worlds.flag(world, person={"given_name": "", "family_name": ""}, contact={"phone": ""})
    rows = db.session.execute(
        select(NameToken.case_id, func.count()).group_by(NameToken.case_id)
    ).all()
    assert [number for _, number in rows] == [1, 1]
    rows = db.session.execute(
        select(IdentifierToken.case_id, func.count()).group_by(IdentifierToken.case_id)
    ).all()
    assert [number for _, number in rows] == [2, 2]


@pytest.mark.usefixtures("small_batches")
def test_a_new_version_takes_over_when_it_is_whole(world):
    references = set(flags(world, 5))
    begun = begin()
    assert (states(), search_index.missing()) == ({1: PRIMARY, begun: BUILDING}, 5)
    batches = search_index.build()
    done = [next(batches), next(batches)]
    # Half-way, searches read the old version, and a new case is written to both.
    assert states()[1] == PRIMARY
    assert found(world) == references
    references |= set(flags(world, 1))
    assert (tokens(1), tokens(begun)) == ((6, 6), (5, 5))
    assert sum(done) + sum(batches) == 5
    assert states() == {1: RETIRED, begun: PRIMARY}
    assert (tokens(1), tokens(begun)) == ((0, 0), (6, 6))
    assert found(world) == references
    assert found(world, "", "+250788000000") == references
    assert search_index.missing() == 0


@pytest.mark.usefixtures("small_batches")
def test_each_step_has_its_entry_with_counts_and_the_rows_that_were_opened(world):
    flags(world, 3)
    book = ledgers.Ledger()
    begun = begin()
    list(search_index.build())
    entries = book.entries()
    assert [entry.action for entry in entries] == [
        *(Action.INDEX_RENEW, Action.INDEX_BUILD, Action.INDEX_BUILD, Action.INDEX_SWITCH),
        *[Action.INDEX_SWITCH] * (len(entries) - 4),
    ]
    assert {entry.actor_role for entry in entries} == {"system"}
    built = entries[1:3]
    assert [len(ledgers.rows_touched(entry)) for entry in built] == [4, 2]
    assert {entry.compartments for entry in built} == {"contact identity"}
    assert [ledgers.detail(entry)["counts"] for entry in built] == [
        {"cases": 2, "damaged": 0, "version": begun},
        {"cases": 1, "damaged": 0, "version": begun},
    ]
    removed = [ledgers.detail(entry)["counts"]["tokens"] for entry in entries[4:]]
    assert sum(removed) == 3 + 6
    assert {entry.purpose for entry in entries[4:]} == {"remove"}


@pytest.mark.usefixtures("small_batches")
def test_whoever_stops_goes_on_where_it_was_and_housekeeping_too(world, monkeypatch):
    flags(world, 5)
    begun = begin()
    assert list(islice(search_index.build(), 1)) == [2]
    assert search_index.missing() == 3
    monkeypatch.setattr(search_index, "_ROUND", 1)
    assert [search_index.go_on() for _ in range(2)] == [2, 1]
    assert states() == {1: PRIMARY, begun: BUILDING}
    while tokens(1) != (0, 0):
        assert search_index.go_on() == 0
    assert states() == {1: RETIRED, begun: PRIMARY}
    book = ledgers.Ledger()
    assert search_index.go_on() == 0
    assert book.entries() == []


@pytest.mark.usefixtures("small_batches")
def test_a_version_begun_anew_gives_up_the_one_before(world):
    references = set(flags(world, 3))
    first = begin()
    next(search_index.build())
    second = begin()
    assert states() == {1: PRIMARY, first: RETIRED, second: BUILDING}
    list(search_index.build())
    assert states() == {1: RETIRED, first: RETIRED, second: PRIMARY}
    assert [tokens(version) for version in (1, first, second)] == [(0, 0), (0, 0), (3, 3)]
    assert found(world) == references


def test_another_master_key_makes_other_tokens_and_the_old_one_is_not_needed(world):
    references = set(flags(world, 2))
    old = db.session.scalar(select(NameToken.token).limit(1))
    with unit_of_work() as unit:
        ring_id = keys.new_master(unit, Purpose.INDEX).id
        record(unit, HOUSEKEEPING, Action.KEY_ROTATE)
    # This process learns of the key when it meets it.
    begun = begin()
    list(search_index.build())
    version = db.session.scalars(select(NameIndex).where(NameIndex.version == begun)).one()
    assert (version.ring_id, version.state) == (ring_id, PRIMARY)
    assert old is not None
    assert found(world) == references


def test_bits_follow_the_population(world, monkeypatch):
    flags(world, 1)
    monkeypatch.setattr(index_version, "people", lambda: 10_000)
    begun = begin()
    list(search_index.build())
    kept = dict(map(tuple, db.session.execute(select(NameIndex.version, NameIndex.bits))))
    assert (kept[begun], planner.wants_new_bits(10_000, kept[1])) == (12, True)
    assert len(found(world)) == 1


def test_an_installation_from_before_there_were_tokens_gets_them(world):
    references = set(flags(world, 3))
    with unit_of_work() as unit:
        for table in (NameToken, IdentifierToken, NameIndex):
            db.session.execute(delete(table))
        index_version.first(unit)
        record(unit, HOUSEKEEPING, Action.INDEX_RENEW)
    [version] = states()
    assert states() == {version: BUILDING}
    assert found(world) == set()
    assert search_index.go_on() == 3
    assert states() == {version: PRIMARY}
    assert found(world) == references


def test_before_the_keys_are_there_nothing_is_searched_and_flagging_goes_on(world):
    with unit_of_work() as unit:
        db.session.execute(delete(NameIndex))
        record(unit, HOUSEKEEPING, Action.INDEX_RENEW)
        assert unit.rows == []
    flags(world, 1)
    with pytest.raises(LockedError, match="nrm init"):
        found(world)


def test_a_damaged_case_does_not_hold_up_the_others(world):
    kept, broken = flags(world, 2)
    case_id = db.session.scalar(select(Case.id).where(Case.reference == broken))
    with unit_of_work() as unit:
        db.session.execute(
            update(SealedCompartment)
            .where(SealedCompartment.case_id == case_id)
            .values(sealed=b"\x01" + bytes(600))
        )
        record(unit, HOUSEKEEPING, Action.CASE_COMPARE)
    begun = begin()
    book = ledgers.Ledger()
    list(search_index.build())
    counts = ledgers.detail(book.entries()[0])["counts"]
    assert counts == {"cases": 2, "damaged": 1, "version": begun}
    assert tokens(begun) == (2, 2)
    assert found(world) == {kept}


def test_an_erased_case_gets_no_tokens_again(world):
    flags(world, 2)
    with unit_of_work() as unit:
        erased = db.session.scalar(select(Case.id).limit(1))
        db.session.execute(update(Case).where(Case.id == erased).values(erased_at=unit.now))
        search_index.forget(erased)
        record(unit, HOUSEKEEPING, Action.CASE_ERASE)
    begun = begin()
    list(search_index.build())
    assert states()[begun] == PRIMARY
    assert tokens(begun) == (1, 1)


def at_once(world, *acts):
    """Begin each act in a thread of its own; gives the threads and what failed in them."""
    failures = []

    def run(act):
        with world.app.app_context():
            try:
                act()
            except Exception as error:  # noqa: BLE001 - shown by the test's own thread
                failures.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    return threads, failures


def send(world, drafts, known):
    for draft in drafts:
        actor = world.actor("first_responder")
        known.append(identification.send_flag(actor, draft, world.pack))


def test_nobody_is_missed_while_flags_are_sent_and_versions_change(world, monkeypatch):
    """Three people flag and one searches while the tokens change their version twice."""
    monkeypatch.setattr(search_index, "BATCH", 3)
    drafts = [worlds.draft(world, person=PERSON) for _ in range(9)]
    known, missed, stop = flags(world, 4), [], threading.Event()

    def read():
        while not stop.is_set():
            before = set(known)
            missed.extend(before - found(world))

    writers = [partial(send, world, drafts[at::3], known) for at in range(3)]
    (reader, *others), failures = at_once(world, read, *writers)
    for _ in range(2):
        begin()
        list(search_index.build())
    for thread in others:
        thread.join()
    list(search_index.build())
    stop.set()
    reader.join()
    assert (failures, missed) == ([], [])
    assert found(world) == set(known)
    assert len(known) == 13
    [primary] = [version for version, state in states().items() if state == PRIMARY]
    assert tokens(primary) == (13, 13)


def test_two_builders_at_once_do_each_case_once(world, monkeypatch):
    monkeypatch.setattr(search_index, "BATCH", 1)
    flags(world, 6)
    begun = begin()
    done = []
    threads, failures = at_once(world, *[lambda: done.extend(search_index.build())] * 2)
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(done) == 6
    assert states() == {1: RETIRED, begun: PRIMARY}
    assert tokens(begun) == (6, 6)
