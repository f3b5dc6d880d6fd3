"""One case is sealed anew under new keys: the same words, and nothing that the old keys open."""

import threading

import pytest
from sqlalchemy import delete, select, update

from nrm.db import db, unit_of_work
from nrm.domain.errors import DamagedError, LockedError, NotFoundError, RefusedError
from nrm.models import Base, Case, CaseKey, FactsKey, SealedCompartment
from nrm.security.keyring import Purpose
from nrm.services import (
    casefile,
    document_files,
    documents,
    keys,
    log_check,
    provision,
    resealing,
    shredding,
)
from nrm.services import vault as service
from nrm.services.audit import record
from tests import ledger as ledgers
from tests import vault
from tests import world as worlds


def case_id(reference):
    return db.session.scalar(select(Case.id).where(Case.reference == reference))


def keys_of(case):
    db.session.rollback()
    return {
        "case": db.session.execute(select(CaseKey.__table__).where(CaseKey.owner_id == case)).all(),
        "facts": db.session.execute(
            select(FactsKey.__table__).where(FactsKey.case_id == case)
        ).all(),
    }


@pytest.fixture
def folder(settings):
    return settings.documents


def test_the_case_reads_the_same_under_keys_that_are_all_new(world, folder):
    reference, _ = worlds.served(world)
    other, _ = worlds.served(world)
    case, neighbour = case_id(reference), case_id(other)
    before, sealed, old = vault.contents(case), ledgers.sealed_rows(), keys_of(case)
    untouched = (vault.contents(neighbour), keys_of(neighbour))
    book = ledgers.Ledger()

    assert resealing.rekey(reference, folder) == len(before)

    new = keys_of(case)
    assert {len(rows) for rows in new.values()} == {1}
    assert all(old[kind][0].id != new[kind][0].id for kind in new)
    assert vault.contents(case) == before
    assert (vault.contents(neighbour), keys_of(neighbour)) == untouched
    changed = {row for row, sha in ledgers.sealed_rows().items() if sealed[row] != sha}
    assert changed == {(row_id, revision) for _, row_id, revision in before}
    entry = book.only()
    assert (entry.action, entry.case_id) == ("case:rekey", case)
    assert ledgers.rows_touched(entry) == {
        row: sha for row, sha in ledgers.sealed_rows().items() if row in changed
    }
    assert casefile.overview(world.actor("coordinator"), reference, {"identity": "safety"})


def test_every_revision_is_sealed_anew(world, folder):
    reference = worlds.flag(world)
    case = case_id(reference)
    first = db.session.scalars(
        select(SealedCompartment).where(SealedCompartment.compartment == "identity")
    ).one()
    with unit_of_work() as unit:
        again = SealedCompartment(
            row_id=first.row_id, case_id=case, compartment="identity", revision=2
        )
        service._seal(unit, case, "identity", again, {"given_name": "Practice"})
        record(unit, worlds.HOUSEKEEPING, worlds.Action.CASE_OPEN)
    before = vault.contents(case)
    assert resealing.rekey(reference, folder) == len(before)
    assert vault.contents(case) == before
    ids = select(SealedCompartment.key_id).where(SealedCompartment.case_id == case)
    assert set(db.session.scalars(ids)) == {keys_of(case)["case"][0].id}


def test_what_the_old_keys_had_sealed_opens_no_more(world, folder):
    """Whoever kept the old keys has nothing; an old row that is put back opens with nothing."""
    reference = worlds.flag(world)
    case = case_id(reference)
    rows = db.session.execute(select(SealedCompartment.__table__)).all()
    old = keys_of(case)
    resealing.rekey(reference, folder)
    behind_the_guard(
        [
            update(SealedCompartment)
            .where(SealedCompartment.row_id == row.row_id)
            .values(sealed=row.sealed, key_id=row.key_id)
            for row in rows
        ]
    )
    with pytest.raises(LockedError, match="the key is gone"):
        casefile.overview(world.actor("coordinator"), reference, {"identity": "safety"})
    # The old wrapped key is gone too: only its number could still be claimed.
    assert not {row.id for row in old["case"]} & {row.id for row in keys_of(case)["case"]}


def behind_the_guard(statements):
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        for statement in statements:
            connection.execute(statement)


def test_the_files_of_documents_get_new_keys_as_well(world, folder):
    reference = worlds.flag(world)
    document = worlds.attach(world, reference)
    before = files_in(folder)
    resealing.rekey(reference, folder)
    after = files_in(folder)
    assert len(before) == len(after) == 1
    assert not before.keys() & after.keys()
    actor = world.actor("coordinator")
    opened = documents.open_document(actor, reference, document, folder)
    assert b"".join(opened.chunks) == worlds.PDF
    opened.close()


def files_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_not_there_and_what_was_erased_is_refused(world, folder):
    with ledgers.nothing_changes(), pytest.raises(NotFoundError):
        resealing.rekey("ZZZZ-ZZZZ-Z", folder)
    reference = worlds.flag(world)
    erased = Case.reference == reference
    behind_the_guard([update(Case).where(erased).values(erased_at=worlds.datetime.now(worlds.UTC))])
    with ledgers.nothing_changes(), pytest.raises(RefusedError, match="was erased"):
        resealing.rekey(reference, folder)
    behind_the_guard([update(Case).values(erased_at=None), delete(CaseKey), delete(FactsKey)])
    with ledgers.nothing_changes(), pytest.raises(RefusedError, match="was erased"):
        resealing.rekey(reference, folder)


def test_nothing_is_changed_where_the_log_takes_no_entry(world, folder):
    reference, _ = worlds.served(world)
    with (
        ledgers.nothing_changes(),
        ledgers.broken_log(),
        pytest.raises(ledgers.LogRefusedError),
    ):
        resealing.rekey(reference, folder)
    assert vault.contents()


def test_a_row_that_was_tampered_with_stops_it_and_nothing_is_half_done(world, folder):
    reference = worlds.flag(world)
    row = db.session.scalars(select(SealedCompartment)).first()
    flipped = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    behind_the_guard(
        [
            update(SealedCompartment)
            .where(SealedCompartment.row_id == row.row_id)
            .values(sealed=flipped)
        ]
    )
    with ledgers.nothing_changes(), pytest.raises(DamagedError):
        resealing.rekey(reference, folder)


def test_an_act_that_seals_into_the_case_meanwhile_leaves_a_row_that_opens(world, folder):
    """It is waited for, or it waits: nothing is ever sealed under a key that is then destroyed."""
    reference, sent = worlds.accepted(world)
    case, sealing, go = case_id(reference), threading.Event(), threading.Event()

    def slow_act():
        with world.app.app_context(), unit_of_work() as unit:
            service.append_facts_event(unit, case, {"event": "practice"})
            keys.newest_key(unit, Purpose.CASE, case)
            sealing.set()
            go.wait(5)
            record(unit, worlds.HOUSEKEEPING, worlds.Action.CASE_OPEN)

    def rekey():
        with world.app.app_context():
            resealing.rekey(reference, folder)

    def late_act():
        new = provision.NewService(worlds.SERVICE, "given", world.today, "A practice note.")
        with world.app.app_context():
            provision.record_service(world.actor("provider"), sent, new, world.pack)

    slow = threading.Thread(target=slow_act)
    slow.start()
    sealing.wait(5)
    others = [threading.Thread(target=act) for act in (rekey, late_act)]
    for thread in others:
        thread.start()
    others[0].join(0.3)
    assert others[0].is_alive()
    go.set()
    for thread in (slow, *others):
        thread.join()

    opened = vault.contents(case)
    assert {"event": "practice"} in opened.values()
    assert any(document.get("words") == "A practice note." for document in opened.values())
    assert log_check.verify(lambda _: None).findings == []


def test_a_case_that_is_erased_while_it_is_keyed_anew_keeps_no_key(world, folder):
    """Erasing waits for the new keys, and then destroys them and not the old ones alone."""
    reference = worlds.flag(world)
    case, rekeyed, go = case_id(reference), threading.Event(), threading.Event()

    def rekey():
        def reseal_slowly(*args):
            rekeyed.set()
            go.wait(5)
            return seal(*args)

        seal = resealing._reseal
        with world.app.app_context(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(resealing, "_reseal", reseal_slowly)
            resealing.rekey(reference, folder)

    def erase():
        with (
            world.app.app_context(),
            document_files.moving(folder) as files,
            unit_of_work() as unit,
        ):
            shredding.destroy(unit, case, files)
            record(unit, worlds.HOUSEKEEPING, worlds.Action.CASE_ERASE)

    threads = [threading.Thread(target=rekey)]
    threads[0].start()
    rekeyed.wait(5)
    threads.append(threading.Thread(target=erase))
    threads[1].start()
    threads[1].join(0.3)
    go.set()
    for thread in threads:
        thread.join()
    assert keys_of(case) == {"case": [], "facts": []}


def test_every_table_with_sealed_rows_of_a_case_is_sealed_anew():
    tables = {
        name
        for name, table in Base.metadata.tables.items()
        if {"sealed", "key_id", "case_id"} <= set(table.columns.keys())
    }
    assert {kind.model.__tablename__ for kind in resealing.KINDS} == tables
