"""Whether a flagged person is known already: who is told, of what, and how little else changes."""

import pytest
from sqlalchemy import delete, func, select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Case, CaseKey, NameToken, SealedNote
from nrm.services import casefile, comparison, visibility
from nrm.services.audit import record
from nrm.services.search import Reason
from tests import ledger as ledgers
from tests import world as worlds

ALICE = {"given_name": "Uwase", "family_name": "Kanyarwanda", "id_number": "1198770048151623"}
ELSEWHERE = {"phone": "+250788162342"}


def flagged(world, contact=None, by="first_responder", **person):
    """Flag a person of whom nothing but this is known."""
    known = {"given_name": "", "family_name": "", **person}
    return worlds.flag(world, by, person=known, contact=contact or {"phone": ""})


def stored(reference):
    return db.session.scalars(select(Case).where(Case.reference == reference)).one()


def told(world, reference):
    """Tell what the coordinator is told on the overview: the other references, and why."""
    result = casefile.overview(world.actor("coordinator"), reference, {}).known_already
    if result is None:
        return None
    return {alike.case.reference: alike.reason for alike in result.alike}


def test_the_coordinator_is_told_of_a_file_with_the_same_names(world):
    older = flagged(world, given_name="Uwase", family_name="Kanyarwanda")
    newer = flagged(world, given_name="Kanyarwanda", family_name="Uwase")
    stranger = flagged(world, given_name="Bosco", family_name="Ntwali")
    assert told(world, newer) is None
    assert comparison.compare_new() == comparison.Compared(done=3, failed=0)
    assert told(world, newer) == {older: Reason.OTHER_ORDER}
    assert told(world, older) == {newer: Reason.OTHER_ORDER}
    assert told(world, stranger) == {}


def test_a_number_is_enough_and_a_single_name_is_not(world):
    paper = flagged(world, id_number="1 1987 7 0048151 6 23")
    same_paper = flagged(world, given_name="Diane", id_number="1198770048151623")
    phone = flagged(world, contact={"phone": "+250788481516"})
    same_phone = flagged(world, contact={"phone": "+250788481516"})
    single = flagged(world, given_name="Immaculee")
    same_single = flagged(world, given_name="Immaculee")
    comparison.compare_new()
    assert told(world, same_paper) == {paper: Reason.SAME_IDENTIFIER}
    assert told(world, same_phone) == {phone: Reason.SAME_IDENTIFIER}
    assert told(world, same_single) == {}
    assert told(world, single) == {}


def test_people_found_together_may_share_a_telephone_but_not_their_names(world):
    phone = {"phone": "+250788481516"}
    one = worlds.flag(world, person={**ALICE, "id_number": ""}, contact=phone)
    others = [
        worlds.flag(world, same_place_as=one, person=person, contact=phone)
        for person in (
            {"given_name": "Bosco", "family_name": "Ntwali"},
            {"given_name": "Diane", "family_name": "Mutesi"},
        )
    ]
    elsewhere = worlds.flag(world, person={"given_name": "", "family_name": ""}, contact=phone)
    comparison.compare_new()
    assert told(world, one) == {elsewhere: Reason.SAME_IDENTIFIER}
    assert set(told(world, elsewhere)) == {one, *others}


def test_one_entry_of_housekeeping_says_that_it_looked_and_what_it_opened(world):
    older = flagged(world, **ALICE)
    comparison.compare_new()
    newer = flagged(world, **ALICE)
    book = ledgers.Ledger()
    before = set(ledgers.sealed_rows())
    assert comparison.compare_new().done == 1
    entry = book.only()
    assert (entry.action, entry.actor_id, entry.actor_role) == ("case:compare", None, "system")
    assert entry.case_id == stored(newer).id
    assert "comparison" in entry.compartments.split()
    assert "identity" in entry.compartments.split()
    touched, now = ledgers.rows_touched(entry), ledgers.sealed_rows()
    written = {row: now[row] for row in set(now) - before}
    assert {row: hashed for row, hashed in touched.items() if hashed} == written
    assert len(written) == 1
    assert ledgers.detail(entry) == {"fields": [], "counts": {"alike": 1}}
    assert older not in repr(tuple(entry))


def test_a_round_changes_no_version_and_the_next_one_finds_nothing_to_do(world):
    reference = flagged(world, **ALICE)
    version = worlds.version(world, reference)
    assert comparison.compare_new().done == 1
    assert worlds.version(world, reference) == version
    assert stored(reference).compared_at is not None
    book = ledgers.Ledger()
    assert comparison.compare_new() == comparison.Compared()
    assert book.entries() == []


def test_what_is_stored_does_not_tell_who_is_known(world):
    references = [flagged(world, **ALICE), flagged(world, **ALICE)]
    references += [flagged(world, given_name="Bosco", family_name="Ntwali")]
    comparison.compare_new()
    assert [len(told(world, reference)) for reference in references] == [1, 1, 0]
    notes = db.session.execute(
        select(SealedNote.case_id, SealedNote.compartment, func.length(SealedNote.sealed)).where(
            SealedNote.kind == "comparison"
        )
    ).all()
    assert {note.case_id for note in notes} == {stored(one).id for one in references}
    assert len({tuple(note)[1:] for note in notes}) == 1


def test_a_round_takes_the_newest_cases_and_leaves_the_rest_to_the_next(world, monkeypatch):
    monkeypatch.setattr(comparison, "ROUND", 2)
    references = [flagged(world, **ALICE) for _ in range(3)]
    assert comparison.compare_new().done == 2
    assert [stored(one).compared_at is None for one in references] == [True, False, False]
    assert comparison.compare_new().done == 1


def test_a_case_that_another_machine_has_compared_is_left_alone(world):
    reference = flagged(world, **ALICE)
    assert comparison._compare_once(stored(reference).id) == 1
    assert comparison._compare_once(stored(reference).id) == 0


def test_a_file_that_does_not_open_keeps_no_other_from_being_compared(world):
    lost = flagged(world, given_name="Bosco", family_name="Ntwali")
    other = flagged(world, **ALICE)
    with unit_of_work() as unit:
        keys = select(CaseKey.__table__).where(CaseKey.owner_id == stored(lost).id)
        [kept] = db.session.execute(keys).mappings().all()
        db.session.execute(delete(CaseKey).where(CaseKey.owner_id == stored(lost).id))
        # By chance it could lie in the bucket of the other.
        db.session.execute(delete(NameToken).where(NameToken.case_id == stored(lost).id))
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)
    book = ledgers.Ledger()
    assert comparison.compare_new() == comparison.Compared(done=1, failed=1)
    assert book.actions() == ["case:compare"]
    assert stored(lost).compared_at is None
    assert told(world, other) == {}
    with unit_of_work() as unit:
        db.session.execute(CaseKey.__table__.insert().values(**kept))
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)
    assert comparison.compare_new() == comparison.Compared(done=1, failed=0)


def test_of_an_erased_case_nothing_is_told_and_it_is_compared_no_more(world):
    erased, left = flagged(world, **ALICE), flagged(world, **ALICE)
    comparison.compare_new()
    assert set(told(world, left)) == {erased}
    with unit_of_work() as unit:
        values = {"erased_at": unit.now, "compared_at": None}
        db.session.execute(update(Case.__table__).where(Case.reference == erased).values(**values))
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)
    assert told(world, left) == {}
    assert comparison.compare_new() == comparison.Compared()


def test_looking_again_finds_who_was_flagged_since(world):
    older = flagged(world, **ALICE)
    comparison.compare_new()
    assert told(world, older) == {}
    newer = flagged(world, **ALICE)
    assert comparison.run(world.actor("coordinator"), older) == older
    assert told(world, older) == {newer: Reason.SAME_IDENTIFIER}


def test_with_a_common_name_the_notice_stays_short(world, monkeypatch):
    monkeypatch.setattr(comparison, "MOST", 2)
    references = [flagged(world, given_name="Uwase", family_name="Kanyarwanda") for _ in range(4)]
    comparison.compare_new()
    assert [len(told(world, reference)) for reference in references] == [2, 2, 2, 2]


# A coordinator who may see a part of the cases alone: no role of today is one.


@pytest.fixture
def sees_only(monkeypatch):
    def restrict(*references):
        national = visibility._case_relation

        def partly(relation, actor):
            return national(relation, actor) & Case.reference.in_(references)

        monkeypatch.setattr(visibility, "_case_relation", partly)

    return restrict


def test_what_one_may_not_see_is_neither_opened_nor_counted_nor_told(world, sees_only):
    case, seen, unseen = (flagged(world, **ALICE) for _ in range(3))
    comparison.compare_new()
    assert set(told(world, case)) == {seen, unseen}
    sees_only(case, seen)
    # What housekeeping noted names both; the page tells of one.
    assert set(told(world, case)) == {seen}

    book = ledgers.Ledger()
    comparison.run(world.actor("coordinator"), case)
    entry = book.only()
    assert ledgers.detail(entry)["counts"] == {"alike": 1}
    assert not rows_of(unseen) & set(ledgers.rows_touched(entry))
    assert rows_of(seen) & set(ledgers.rows_touched(entry))
    assert set(told(world, case)) == {seen}


def rows_of(reference):
    """List the sealed rows of a case, as the log calls them."""
    case_id = stored(reference).id
    found = set()
    for table in ledgers.SEALED_TABLES:
        if {"row_id", "case_id"} <= set(table.columns.keys()):
            query = select(table.c.row_id, table.c.revision).where(table.c.case_id == case_id)
            found |= {tuple(row) for row in db.session.execute(query)}
    return found
