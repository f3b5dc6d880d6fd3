"""Finding people: who is found, why, what is opened for it, and what the log says."""

import json
import os
import re
from uuid import uuid4

import pytest
from sqlalchemy import event, func, select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import InvalidInputError, RefusedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry, Case, CompartmentHead, IdentifierToken, NameToken
from nrm.models.sealed import SealedCompartment
from nrm.services import search, search_index, vault, visibility
from nrm.services.audit import record
from nrm.services.search import Reason
from tests import ledger as ledgers
from tests import world as worlds
from tests.guards.test_statements import explained

PROOF = bool(os.environ.get("NRM_PROOF"))


def known(world, given="", family="", phone="", **person):
    """Flag a person of whom nothing but this is known."""
    named = {"given_name": given, "family_name": family, **person}
    return worlds.flag(world, person=named, contact={"phone": phone})


def find(world, names="", identifier="", by="coordinator"):
    return search.find(world.actor(by), names, identifier, world.pack)


def references(found):
    return [match.reference for match in found.matches]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("Marie Uwamahoro", Reason.SAME_SPELLING),
        ("uwamahoro, marie", Reason.OTHER_ORDER),
        ("Mariya Ouwamaholo", Reason.SOUNDS_ALIKE),
        ("Marie Uwamahioro", Reason.ONE_LETTER),
        ("Maire Uwamahoro", Reason.ONE_LETTER),
        ("Marie Uwamhoro", Reason.ONE_LETTER),
        ("MARIE UWAMAHORO", Reason.SAME_SPELLING),
        ("Marie Claire Uwamahoro", Reason.SAME_SPELLING),
    ],
)
def test_a_person_is_found_however_the_name_is_written(world, typed, reason):
    reference = known(world, "Marie", "Uwamahoro")
    known(world, "Bosco", "Ntwali")
    found = find(world, typed)
    assert references(found) == [reference]
    assert found.matches[0].reason == reason
    assert found.matches[0].names == "Marie Uwamahoro"
    assert (found.matches[0].closed, found.damaged, found.one_name) == (False, 0, False)


def test_the_most_alike_come_first_and_all_are_shown(world):
    other = known(world, "Mariya", "Uwamaholo")
    same = [known(world, "Marie", "Uwamahoro") for _ in range(3)]
    found = find(world, "Marie Uwamahoro")
    assert references(found) == [*same, other]
    assert [match.likeness for match in found.matches] == sorted(
        (match.likeness for match in found.matches), reverse=True
    )


def test_a_single_name_finds_those_of_whom_one_name_is_known(world):
    alone = known(world, "Uwamahoro")
    known(world, "Marie", "Uwamahoro")
    found = find(world, "Uwamaholo")
    assert references(found) == [alone]
    assert found.one_name


def test_three_names_are_found_by_any_two(world):
    reference = known(world, "Marie", "Uwamahoro", other_names="Teta")
    for typed in ("Marie Teta", "Teta Uwamahoro", "Uwamahoro Marie", "Teta Marie Uwamahoro"):
        assert references(find(world, typed)) == [reference]


def test_a_name_in_another_script_is_found_as_it_is_written(world):
    reference = known(world, "مريم", "علي")
    assert references(find(world, "علي مريم")) == [reference]
    assert find(world, "مراد حسن").matches == []


@pytest.mark.parametrize(
    "typed", ["1 1987 7 0048151 6 23", "1198770048151623", "1198-7700-4815-1623"]
)
def test_the_number_of_a_paper_is_enough(world, typed):
    reference = known(world, "Marie", "Uwamahoro", id_number="1 1987 7 0048151 6 23")
    known(world, "Marie", "Uwamahoro", id_number="1 1987 7 0048151 6 24")
    found = find(world, identifier=typed)
    assert references(found) == [reference]
    assert (found.matches[0].reason, found.matches[0].likeness) == (Reason.SAME_IDENTIFIER, 1)
    assert found.opened == 1


@pytest.mark.parametrize("typed", ["+250 788 162 342", "0788162342", "00250 788162342"])
def test_a_telephone_number_is_enough(world, typed):
    reference = known(world, phone="+250788162342")
    assert references(find(world, identifier=typed)) == [reference]
    assert find(world, identifier="0788162343").matches == []


def test_a_number_and_names_together_find_both(world):
    by_number = known(world, "Bosco", "Ntwali", id_number="PC-77")
    by_name = known(world, "Marie", "Uwamahoro")
    found = find(world, "Marie Uwamahoro", "pc77")
    assert set(references(found)) == {by_number, by_name}


@pytest.mark.parametrize(
    ("names", "identifier", "field"),
    [
        ("", "", "names"),
        ("   ", " ", "names"),
        ("U", "", "names"),
        ("'", "", "names"),
        ("- . -", "", "names"),
        ("👩🏾", "", "names"),
        ("\U0010ffff\U0010ffff", "", "names"),
        ("x" * 500, "", "names"),
        ("ab " * 60, "", "names"),
        ("Aa Bb Cc Dd Ee Ff Gg Hh Ii", "", "names"),
        ("", "7", "identifier"),
        ("", "-- --", "identifier"),
        ("", "9" * 500, "identifier"),
        ("Marie Uwamahoro", "?", "identifier"),
    ],
)
def test_what_nobody_can_be_found_by_is_told_at_its_field(world, names, identifier, field):
    book = ledgers.Ledger()
    with pytest.raises(InvalidInputError) as refused:
        find(world, names, identifier)
    assert refused.value.field == field
    assert refused.value.message.endswith(".")
    assert book.entries() == []


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "d'Amour O’Brien",
            "مريم",
            "李 小",
            "Zoë\0",
            "e\u0301 \u202eabc",
            "%_' OR 1=1 --",
        ),
        *("Ng", "hh hh", "ß", "1234", "De La"),
    ],
)
def test_whatever_is_typed_has_an_answer(world, typed):
    known(world, "Marie", "Uwamahoro")
    assert find(world, typed).damaged == 0


# What is opened, and what the log says.


def test_a_search_is_one_entry_that_names_what_was_opened_and_never_the_text(world):
    case_ids = []
    for _ in range(2):
        reference = known(world, "Marie", "Uwamahoro", id_number="1198770048151623")
        case_ids.append(db.session.scalar(select(Case.id).where(Case.reference == reference)))
    book = ledgers.Ledger()
    find(world, "Marie Uwamahoro", "1198770048151623")
    entry = book.only()
    assert entry.action == Action.PERSON_SEARCH
    assert (entry.subject_type, entry.case_id, entry.compartments) == ("none", None, "identity")
    assert re.fullmatch(r"[0-9a-f]{64}", entry.purpose)
    rows = db.session.scalars(
        select(CompartmentHead.row_id).where(
            CompartmentHead.case_id.in_(case_ids), CompartmentHead.compartment == "identity"
        )
    )
    assert set(ledgers.rows_touched(entry)) == {(row_id, 1) for row_id in rows}
    assert ledgers.detail(entry)["counts"] == {"candidates": 2, "damaged": 0, "shown": 2}
    said = repr(tuple(entry)).lower() + json.dumps(ledgers.detail(entry))
    assert [word for word in ("marie", "uwamahoro", "119877") if word in said] == []


def test_the_log_shows_that_two_searches_were_the_same(world):
    book = ledgers.Ledger()
    for typed in ("Marie Uwamahoro", "uwamahoro MARIE", "Marie Uwamahoto"):
        find(world, typed)
    first, second, third = (entry.purpose for entry in book.entries())
    assert first == second != third


@pytest.mark.parametrize(
    "by", ["first_responder", "provider", "auditor", "administrator", "analyst", "decision_maker"]
)
def test_nobody_but_the_coordinator_searches(world, by):
    with pytest.raises(RefusedError):
        find(world, "Marie Uwamahoro", by=by)


def test_what_one_may_not_see_is_neither_opened_nor_counted(world, monkeypatch):
    mine = known(world, "Marie", "Uwamahoro", id_number="PC77")
    hidden = known(world, "Marie", "Uwamahoro", id_number="PC77")
    everything = visibility.visible_cases
    monkeypatch.setattr(
        visibility,
        "visible_cases",
        lambda actor, permission: everything(actor, permission).where(Case.reference != hidden),
    )
    book = ledgers.Ledger()
    found = find(world, "Marie Uwamahoro", "PC77")
    assert references(found) == [mine]
    assert found.opened == 1
    entry = book.only()
    assert len(ledgers.rows_touched(entry)) == 1
    assert ledgers.detail(entry)["counts"] == {"candidates": 1, "damaged": 0, "shown": 1}


def test_an_erased_case_is_not_found(world):
    reference = known(world, "Marie", "Uwamahoro", id_number="PC77")
    case_id = db.session.scalar(select(Case.id).where(Case.reference == reference))
    with unit_of_work() as unit:
        search_index.forget(case_id)
        record(unit, HOUSEKEEPING, Action.CASE_ERASE)
    for table in (NameToken, IdentifierToken):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    found = find(world, "Marie Uwamahoro", "PC77")
    assert (found.matches, found.opened) == ([], 0)


def test_a_case_that_is_marked_erased_is_not_opened_whatever_its_tokens(world):
    known(world, "Marie", "Uwamahoro")
    with unit_of_work() as unit:
        db.session.execute(update(Case).values(erased_at=unit.now))
        record(unit, HOUSEKEEPING, Action.CASE_ERASE)
    assert find(world, "Marie Uwamahoro").opened == 0


def test_a_damaged_file_is_counted_and_hides_no_other(world):
    whole = known(world, "Marie", "Uwamahoro")
    broken = known(world, "Marie", "Uwamahoro")
    case_id = db.session.scalar(select(Case.id).where(Case.reference == broken))
    damage(case_id)
    found = find(world, "Marie Uwamahoro")
    assert references(found) == [whole]
    assert (found.opened, found.damaged) == (1, 1)


def damage(case_id):
    with unit_of_work() as unit:
        db.session.execute(
            update(SealedCompartment)
            .where(
                SealedCompartment.case_id == case_id, SealedCompartment.compartment == "identity"
            )
            .values(sealed=b"\x01" + bytes(600))
        )
        record(unit, HOUSEKEEPING, Action.CASE_COMPARE)


# How it is asked of the database.


@pytest.fixture
def statements():
    """List what is asked of the database."""
    seen = []

    def see(connection, cursor, statement, parameters, context, many):
        del connection, cursor, context, many
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", see)
    yield seen
    event.remove(db.engine, "before_cursor_execute", see)


def test_a_search_takes_at_most_eight_statements_however_many_it_finds(world, statements):
    counted = []
    for _ in range(2):
        for _ in range(3):
            known(world, "Marie", "Uwamahoro", id_number="PC77")
        statements.clear()
        found = find(world, "Marie Uwamahoro", "PC77")
        counted.append((len(found.matches), len(statements)))
    assert [matches for matches, _ in counted] == [3, 6]
    assert counted[0][1] == counted[1][1] <= 8


def test_tokens_are_looked_up_by_their_primary_key(world, statements):
    known(world, "Marie", "Uwamahoro", id_number="PC77")
    statements.clear()
    find(world, "Marie Uwamahoro", "PC77")
    [(statement, parameters)] = [one for one in statements if "sealed_compartment" in one[0]]
    plan = explained(world, statement, parameters)
    if db.engine.dialect.name == "sqlite":
        assert "SEARCH name_token USING PRIMARY KEY (version=? AND token=?)" in plan
        assert "SEARCH identifier_token USING PRIMARY KEY (version=? AND token=?)" in plan
        assert not re.search(r"SCAN (case_file|name_token|sealed|compartment|case_key)", plan), plan
    else:
        assert re.search(r"pk_name_token\b", plan), plan
        assert re.search(r"pk_identifier_token\b", plan), plan


def test_hundreds_of_files_are_opened_under_one_entry(world):
    """The entry of a search for a very common name is long, and still one."""
    many = 3_000 if PROOF else 150
    reference = known(world, "Marie", "Uwamahoro")
    case = db.session.scalars(select(Case).where(Case.reference == reference)).one()
    copies(case, many)
    book = ledgers.Ledger()
    found = find(world, "Marie Uwamahoro")
    assert (found.opened, found.damaged, len(found.matches)) == (many + 1, 0, many + 1)
    entry = book.only()
    assert len(json.loads(entry.rows)) == many + 1
    assert entry.leaf_hash == ledgers.true_leaf(entry)


def copies(case, number):
    """Write many cases of the same name at once, each under a key of its own."""
    columns = {column.name: getattr(case, column.name) for column in Case.__table__.columns}
    with unit_of_work() as unit:
        made = [
            Case(**{**columns, "id": uuid4(), "reference": f"T{at:08}"}) for at in range(number)
        ]
        db.session.add_all(made)
        db.session.flush()
        identity = {"given_name": "Marie", "family_name": "Uwamahoro"}
        for one in made:
            vault.seal_new_case(unit, one, {"identity": identity})
        [(version, token)] = db.session.execute(
            select(NameToken.version, NameToken.token).where(NameToken.case_id == case.id)
        ).all()
        db.session.add_all(NameToken(version=version, token=token, case_id=one.id) for one in made)
        record(unit, HOUSEKEEPING, Action.INDEX_BUILD)
        unit.rows.clear()


def test_like_this_finds_the_others_and_never_the_case_itself(world):
    first = known(world, "Marie", "Uwamahoro", phone="+250788162342")
    second = known(world, "Uwamahoro", "Mariya")
    third = known(world, "Bosco", "Ntwali", phone="+250788162342")
    known(world, "Bosco", "Gatete")
    case_id = db.session.scalar(select(Case.id).where(Case.reference == first))
    with unit_of_work() as unit:
        matches = search.like_this(unit, HOUSEKEEPING, case_id)
        record(unit, HOUSEKEEPING, Action.CASE_COMPARE)
    assert {match.reference: match.reason for match in matches} == {
        second: Reason.SOUNDS_ALIKE,
        third: Reason.SAME_IDENTIFIER,
    }


def test_nameless_people_are_not_alike(world):
    known(world)
    nameless = known(world)
    case_id = db.session.scalar(select(Case.id).where(Case.reference == nameless))
    with unit_of_work() as unit:
        assert search.like_this(unit, HOUSEKEEPING, case_id) == []
        record(unit, HOUSEKEEPING, Action.CASE_COMPARE)


def test_the_entry_that_a_search_left_is_read_by_the_auditor_without_a_name(world):
    known(world, "Marie", "Uwamahoro")
    find(world, "Marie Uwamahoro")
    kept = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == Action.PERSON_SEARCH)
    ).one()
    assert "uwamahoro" not in repr(vars(kept)).lower()
