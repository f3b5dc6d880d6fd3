"""Whoever changes sealed rows behind the program is found by the log, without any key.

Every attack is carried out on a database that the services filled, is looked for, and is undone
again. NRM_PROOF=1 tries each at two hundred places instead of twenty.
"""

import contextlib
import random
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, insert, select, tuple_, update

from nrm.audit.actions import Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import (
    AuditEntry,
    Base,
    Case,
    CaseKey,
    FactsHead,
    FactsKey,
    FlagDraft,
    SealedCompartment,
    SealedDocument,
    SealedDraft,
    SealedFacts,
    SealedNote,
)
from nrm.security.keyring import Purpose
from nrm.services import (
    audit,
    comparison,
    documents,
    erasure,
    follow_up,
    identification,
    log_rows,
    resealing,
    rotation,
    shredding,
)
from nrm.services.log_rows import Finding
from tests import crash, ledger, log
from tests import world as worlds
from tests.services.acts import ACTS

PLACES = 200 if crash.PROOF else 20
TABLES = (*log_rows.SEALED, *log_rows.HEADS.values())
# The acts of these are what makes, changes and ends sealed rows.
OF_SEALED_ROWS = {"case", "document", "draft", "erasure", "referral"}


def check():
    return log_rows.check(lambda _: None)


@contextlib.contextmanager
def behind_the_program():
    """Write past the guard, as whoever has the database does."""
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        yield connection


def rows_of(connection, table):
    keys = [column.name for column in table.primary_key]
    rows = connection.execute(select(table).order_by(*keys)).mappings()
    return {tuple(row[key] for key in keys): dict(row) for row in rows}


def copies(*tables):
    with db.engine.connect() as connection:
        return {table: rows_of(connection, table) for table in tables}


@contextlib.contextmanager
def undone(*tables):
    """Put the rows of these tables back afterwards, each as it was."""
    before = copies(*tables)
    yield before
    with behind_the_program() as connection:
        for table, rows in before.items():
            now = rows_of(connection, table)
            place = tuple_(*table.primary_key)
            for key in now.keys() - rows.keys():
                connection.execute(delete(table).where(place == key))
            for key in rows.keys() - now.keys():
                connection.execute(insert(table), rows[key])
            for key in rows.keys() & now.keys():
                if rows[key] != now[key]:
                    connection.execute(update(table).where(place == key).values(rows[key]))


def erased(world, reference):
    kept = world.app.config["NRM"]
    request = erasure.ask(world.actor("coordinator"), reference, "asked_by_person")
    erasure.carry_out(world.actor("auditor"), request, reference, kept)


@pytest.fixture
def folder(settings):
    return settings.documents


@pytest.fixture
def full(world, folder):
    """Fill the database with a bit of everything; gives a case that is open."""
    reference, _ = worlds.served(world)
    worlds.attach(world, reference)
    comparison.run(world.actor("coordinator"), reference)
    resealing.rekey(reference, folder)
    worlds.consented(world)
    worlds.draft(world)
    identification.delete_draft(world.actor("first_responder"), worlds.draft(world))
    removed = worlds.attach(world, reference)
    documents.remove(world.actor("coordinator"), reference, removed, folder)
    erased(world, closed_with_a_document(world))
    db.session.rollback()
    return reference


def closed_with_a_document(world):
    """Close a file that has a document; a closed one takes none any more."""
    reference, _ = worlds.served(world)
    worlds.attach(world, reference)
    how = {"version": worlds.version(world, reference), "pack": world.pack}
    follow_up.close(world.actor("coordinator"), reference, "plan_completed", "", **how)
    return reference


# No finding where nobody did anything.


def test_rows_that_only_the_program_touched_are_all_as_the_log_says(full):
    del full
    told = []
    verdict = log_rows.check(told.append)
    assert verdict == log_rows.RowsVerdict(len(ledger.sealed_rows()), {}, {})
    assert told[-1] == verdict.rows_checked > 50


def test_no_act_of_the_services_leaves_a_finding(world):
    for act in ACTS:
        if act.subject in OF_SEALED_ROWS:
            what = act.prepare(world)
            act.do(world, world.actor(act.by), what)
    comparison.compare_new()
    verdict = check()
    assert verdict.findings == {}, verdict.first
    assert verdict.rows_checked == len(ledger.sealed_rows())


def test_new_master_keys_and_an_erasure_that_is_carried_out_again_leave_none(full, world):
    del full
    kept = world.app.config["NRM"]
    for purpose in sorted(set(Purpose) - {Purpose.SIGNING}):
        rotation.rotate(purpose)
    case_id = db.session.scalar(select(Case.id).where(Case.erased_at.is_(None)))
    shredding.replay({case_id: shredding.listed(case_id, worlds.datetime.now(worlds.UTC))}, kept)
    assert check().findings == {}


def test_it_does_not_matter_how_much_of_the_log_is_in_the_tree(full, folder):
    seqs = db.session.scalars(select(AuditEntry.seq).order_by(AuditEntry.seq)).all()
    resealing.rekey(full, folder)
    with behind_the_program() as connection:
        for index, seq in enumerate(seqs):
            entry = update(AuditEntry).where(AuditEntry.seq == seq)
            connection.execute(entry.values(leaf_index=index))
    assert check().findings == {}


def test_an_act_in_the_midst_of_the_check_is_no_finding(full, world, monkeypatch):
    """Log and rows are read as of one moment, whatever is written while they are read."""
    del full
    read = log_rows._groups
    before = len(ledger.sealed_rows())

    def slowly(connection, log):
        worlds.flag(world)
        return read(connection, log)

    monkeypatch.setattr(log_rows, "_groups", slowly)
    assert check() == log_rows.RowsVerdict(before, {}, {})
    assert len(ledger.sealed_rows()) > before


def test_many_batches_find_what_one_finds(full, monkeypatch):
    del full
    monkeypatch.setattr(log_rows, "BATCH", 2)
    told = []
    assert log_rows.check(told.append) == check()
    assert len(told) > 20
    assert told == sorted(told)


def test_every_table_with_sealed_rows_is_held_against_the_log():
    tables = Base.metadata.tables.values()
    sealed = {table for table in tables if {"row_id", "sealed"} <= set(table.columns.keys())}
    assert set(log_rows.SEALED) == sealed
    heads = {table for table in tables if "current_revision" in table.columns}
    assert set(log_rows.HEADS.values()) == heads


# Attacks at random places: each gives what must be found.


def an_older_ciphertext(connection, rows, chance):
    """Put the ciphertext of an earlier revision into the place of the current one."""
    table, (row_id, revision) = one_with_a_past(rows, chance)
    older = chance.randrange(1, revision)
    put(connection, table, (row_id, revision), rows[table][row_id, older])
    return {Finding.CHANGED: 1}


def an_older_revision(connection, rows, chance):
    """Let an earlier revision, which is as it was, be the current one."""
    table, (row_id, revision) = one_with_a_past(rows, chance)
    set_head(connection, table, row_id, chance.randrange(1, revision))
    return {Finding.SET_BACK: 1}


def an_older_row_whole(connection, rows, chance):
    """Delete the newer revisions and set the head back: nothing in the database speaks of them."""
    table, (row_id, revision) = one_with_a_past(rows, chance)
    older = chance.randrange(1, revision)
    newer = (table.c.row_id == row_id) & (table.c.revision > older)
    connection.execute(delete(table).where(newer))
    set_head(connection, table, row_id, older)
    return {Finding.SET_BACK: 1, Finding.GONE: revision - older}


def two_ciphertexts(connection, rows, chance):
    """Exchange two rows' ciphertexts, with the numbers of their keys."""
    (one, first), (other, second) = chance.sample(all_of(rows), 2)
    put(connection, one, first, rows[other][second])
    put(connection, other, second, rows[one][first])
    return {Finding.CHANGED: 2}


def a_row_more(connection, rows, chance):
    """Insert a copy of a row under an id of its own."""
    table, key = chance.choice([at for at in all_of(rows) if at[0].name in COPIED])
    copy = {**rows[table][key], "row_id": uuid4(), "revision": 1}
    if "file_id" in copy:
        copy["file_id"] = uuid4()
    connection.execute(insert(table), [copy])
    return {Finding.UNLOGGED: 1}


def a_revision_more(connection, rows, chance):
    """Seal a revision that no act sealed, and make it the current one."""
    table, (row_id, revision) = one_with_a_past(rows, chance)
    newest = {**rows[table][row_id, revision], "revision": revision + 1}
    connection.execute(insert(table), [newest])
    set_head(connection, table, row_id, revision + 1)
    return {Finding.SET_BACK: 1, Finding.UNLOGGED: 1}


def a_row_less(connection, rows, chance):
    table, (row_id, revision) = chance.choice(all_of(rows))
    row = (table.c.row_id == row_id) & (table.c.revision == revision)
    connection.execute(delete(table).where(row))
    return {Finding.GONE: 1}


def one_flipped_bit(connection, rows, chance):
    table, key = chance.choice(all_of(rows))
    harmed = bytearray(rows[table][key]["sealed"])
    bit = chance.randrange(8 * len(harmed))
    harmed[bit // 8] ^= 1 << bit % 8
    put(connection, table, key, {**rows[table][key], "sealed": bytes(harmed)})
    return {Finding.CHANGED: 1}


# Tables that hold more than one row of a case, so that a copy meets no other rule.
COPIED = {"sealed_note", "sealed_document", "sealed_facts_event"}


def all_of(rows):
    return [(table, key) for table in log_rows.SEALED for key in rows[table]]


def one_with_a_past(rows, chance):
    """Choose a row that has several revisions: its table, and its newest."""
    newest = {}
    for table, (row_id, revision) in all_of(rows):
        newest[table, row_id] = max(revision, newest.get((table, row_id), 0))
    found = [(table, (row_id, newest)) for (table, row_id), newest in newest.items() if newest > 1]
    return chance.choice(found)


def put(connection, table, key, row):
    row_id, revision = key
    place = (table.c.row_id == row_id) & (table.c.revision == revision)
    values = {"sealed": row["sealed"], "key_id": row["key_id"]}
    connection.execute(update(table).where(place).values(values))


def set_head(connection, table, row_id, revision):
    head = log_rows.HEADS[table.name]
    (key,) = head.primary_key
    connection.execute(update(head).where(key == row_id).values(current_revision=revision))


ATTACKS = (
    an_older_ciphertext,
    an_older_revision,
    an_older_row_whole,
    two_ciphertexts,
    a_row_more,
    a_revision_more,
    a_row_less,
    one_flipped_bit,
)


def test_every_attack_on_a_row_is_found(full, counted):
    del full
    chance = random.Random(4)
    found = {attack.__name__.replace("_", " "): 0 for attack in ATTACKS}
    for attack in ATTACKS:
        for _ in range(PLACES):
            with undone(*TABLES) as rows:
                with behind_the_program() as connection:
                    due = attack(connection, rows, chance)
                found[attack.__name__.replace("_", " ")] += check().findings == due
    assert check().findings == {}
    for name, number in found.items():
        counted(f"row 4: {number:,} of {PLACES:,} found by --rows: {name}")
    assert set(found.values()) == {PLACES}


def test_what_was_sealed_before_a_case_was_keyed_anew_is_found(world, folder):
    """Rows that are put back with their keys open again; the log has their new hashes."""
    reference, _ = worlds.served(world)
    tables = (*log_rows.SEALED, CaseKey.__table__, FactsKey.__table__)
    before = copies(*tables)
    number = resealing.rekey(reference, folder)
    with behind_the_program() as connection:
        for table in log_rows.SEALED:
            for key, row in before[table].items():
                put(connection, table, key, row)
    put_back({table: before[table] for table in tables[-2:]})
    assert check().findings == {Finding.CHANGED: number}


# What is gone, and what is there again.


def test_it_says_which_row_and_which_entry(full):
    del full
    table = SealedNote.__table__
    with undone(table) as rows:
        (row_id, _), *_ = rows[table]
        with behind_the_program() as connection:
            connection.execute(update(table).where(table.c.row_id == row_id).values(sealed=b"x"))
        verdict = check()
        seq = db.session.scalar(
            select(func.max(AuditEntry.seq)).where(AuditEntry.rows.like(f'%"{row_id}",1,"%'))
        )
        words = f"sealed_note {row_id.hex} revision 1 is not what entry {seq} sealed"
        assert verdict.first == {Finding.CHANGED: words}


def test_a_head_that_is_gone_or_that_nobody_wrote_is_found(full):
    del full
    heads = FactsHead.__table__
    with undone(heads) as rows:
        (row_id,), *_ = rows[heads]
        with behind_the_program() as connection:
            connection.execute(delete(heads).where(heads.c.row_id == row_id))
        assert check().findings == {Finding.GONE: 1}
        with behind_the_program() as connection:
            head = {"row_id": uuid4(), "case_id": uuid4(), "current_revision": 1}
            connection.execute(insert(heads), [head])
        assert check().findings == {Finding.GONE: 1, Finding.UNLOGGED: 1}


def test_a_row_that_stands_in_a_second_table_is_found(full):
    del full
    with undone(SealedNote.__table__), behind_the_program() as connection:
        row = connection.execute(select(SealedCompartment.__table__).limit(1)).mappings().one()
        note = connection.execute(select(SealedNote.__table__).limit(1)).mappings().one()
        same = {name: row[name] for name in ("row_id", "revision", "key_id", "sealed")}
        connection.execute(insert(SealedNote), [{**note, **same}])
        connection.commit()
        assert check().findings == {Finding.UNLOGGED: 1}


def test_a_table_that_was_emptied_is_found(full):
    del full
    with undone(SealedNote.__table__) as rows:
        with behind_the_program() as connection:
            connection.execute(delete(SealedNote))
        number = len(rows[SealedNote.__table__])
        assert check().findings == {Finding.GONE: number}


def test_what_is_gone_by_an_act_that_did_not_end_well_is_not_explained(full):
    """Only an act that was done takes a row away: a refusal names its subject as well."""
    del full
    with undone(SealedDocument.__table__) as rows:
        (row_id, _), *_ = rows[SealedDocument.__table__]
        subject = Subject("document", row_id, None)
        for outcome in (Outcome.REFUSED, Outcome.NOT_FOUND, Outcome.FAILED):
            audit.record_alone(HOUSEKEEPING, Action.DOCUMENT_REMOVE, subject, outcome)
        assert check().findings == {}
        with behind_the_program() as connection:
            connection.execute(delete(SealedDocument))
        assert check().findings == {Finding.GONE: len(rows[SealedDocument.__table__])}


def put_back(before):
    """Insert the rows of a copy that are gone since."""
    with behind_the_program() as connection:
        for table, rows in before.items():
            for key in rows.keys() - rows_of(connection, table).keys():
                connection.execute(insert(table), rows[key])


def test_an_erased_case_that_is_there_again_is_found(world):
    reference, _ = worlds.closed(world)
    before = copies(CaseKey.__table__, FactsKey.__table__)
    erased(world, reference)
    assert check().findings == {}
    put_back(before)
    verdict = check()
    assert verdict.findings == {Finding.BACK: 2}
    assert "case_key" in verdict.first[Finding.BACK]


def test_the_documents_of_an_erased_case_that_are_there_again_are_found(world):
    reference = closed_with_a_document(world)
    before = copies(SealedDocument.__table__)
    erased(world, reference)
    assert check().findings == {}
    put_back(before)
    verdict = check()
    assert verdict.findings == {Finding.BACK: 1}
    assert "sealed_document" in verdict.first[Finding.BACK]


@pytest.mark.parametrize("how", ["sent", "deleted"])
def test_a_draft_that_is_there_again_is_found(world, how):
    draft = worlds.draft(world)
    before = copies(FlagDraft.__table__, SealedDraft.__table__, CaseKey.__table__)
    actor = world.actor("first_responder")
    if how == "sent":
        identification.send_flag(actor, draft, world.pack)
    else:
        identification.delete_draft(actor, draft)
    assert check().findings == {}
    put_back(before)
    # Its revisions, its head and its key.
    assert check().findings == {Finding.BACK: len(before[SealedDraft.__table__]) + 2}


def test_a_removed_document_that_is_there_again_is_found(world, folder):
    reference = worlds.flag(world)
    document = worlds.attach(world, reference)
    before = copies(SealedDocument.__table__)
    documents.remove(world.actor("coordinator"), reference, document, folder)
    assert check().findings == {}
    put_back(before)
    assert check().findings == {Finding.BACK: 1}


def test_rows_of_an_erased_case_that_should_have_stayed_and_are_gone_are_found(world):
    """Erasing destroys keys and documents; the sealed rows stay, and so do their hashes."""
    reference, _ = worlds.closed(world)
    erased(world, reference)
    with behind_the_program() as connection:
        number = connection.execute(delete(SealedFacts)).rowcount
    assert check().findings == {Finding.GONE: number}


# PostgreSQL takes no value of another type.
@pytest.mark.databases("sqlite")
def test_values_that_cannot_be_read_are_findings_and_no_error(full):
    del full
    with behind_the_program() as connection:
        connection.exec_driver_sql("UPDATE sealed_note SET sealed = 'words'")
        number = connection.exec_driver_sql("SELECT count(*) FROM sealed_note").scalar_one()
        connection.exec_driver_sql("UPDATE sealed_facts_event SET row_id = 'x' || row_id")
        events = connection.exec_driver_sql("SELECT count(*) FROM sealed_facts_event").scalar_one()
    assert check().findings == {
        Finding.CHANGED: number,
        Finding.GONE: events,
        Finding.UNLOGGED: events,
    }


def test_an_empty_installation_has_nothing_to_hold_against_the_log(app):
    del app
    with unit_of_work() as unit:
        audit.record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    assert check() == log_rows.RowsVerdict(0, {}, {})


@pytest.mark.parametrize(
    "rows",
    [
        '[["\\ud800",1,"x"]]',
        '[["x",1e400,"x"]]',
        '[["x",99999999999999999999,"x"]]',
        '[["x","y","x"]]',
        '[[["x"],{},"x"],null,"x"]',
        "[" * 100_000 + '"x"]',
    ],
)
def test_an_entry_whose_rows_were_changed_says_nothing_of_any(app, rows):
    """The check of the log names the entry; here nothing comes to a stop."""
    del app
    with unit_of_work() as unit:
        audit.record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    with log.owner() as connection:
        connection.execute(update(AuditEntry).values(rows=rows))
    assert check() == log_rows.RowsVerdict(0, {}, {})
