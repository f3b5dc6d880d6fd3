"""What whoever may write to the database can try: every sealed row, moved to every other place.

Each attack is carried out on rows that the program itself wrote, and each must end in a refusal.
"""

import random

import pytest
from sqlalchemy import select

from nrm.db import Unit, db
from nrm.domain.errors import DamagedError, LockedError
from nrm.models import (
    Case,
    CaseKey,
    CompartmentHead,
    FactsKey,
    SealedCompartment,
    SealedDocument,
    SealedDraft,
    SealedEnvelope,
    SealedFacts,
    SealedFactsEvent,
    SealedNote,
)
from nrm.security.keyring import Purpose
from nrm.services import vault
from tests import crash
from tests import world as worlds

MOVES = 20_000 if crash.PROOF else 2_000
FLIPPED = 1_000 if crash.PROOF else 100
FACTS_TABLES = (SealedFacts, SealedFactsEvent)
TABLES = (SealedCompartment, SealedEnvelope, SealedNote, SealedDraft, SealedDocument, *FACTS_TABLES)


@pytest.fixture
def rows(world):
    """Give every sealed row of two cases and a draft, each with what the vault opens it with."""
    for name in ("first", "second"):
        worlds.served(world, words=f"A practice service of the {name}.")
    worlds.draft(world)
    return [place(row) for table in TABLES for row in db.session.scalars(select(table))]


def place(row):
    """Say how the vault opens a row: (row, owner, compartment, wrapped key, purpose)."""
    owner = getattr(row, "case_id", None) or row.draft_id
    facts = isinstance(row, FACTS_TABLES)
    keys = FactsKey if facts else CaseKey
    names = {
        SealedEnvelope: "envelope",
        SealedDraft: "draft",
        SealedFacts: "facts",
        SealedFactsEvent: "facts_event",
    }
    compartment = names.get(type(row)) or row.compartment
    return row, owner, compartment, db.session.get(keys, row.key_id), purpose_of(facts)


def purpose_of(facts):
    return Purpose.FACTS if facts else Purpose.CASE


def opened(at, unit):
    row, owner, compartment, key, purpose = at
    return vault._open(unit, owner, compartment, row, key, purpose)


def test_a_ciphertext_moved_to_any_other_place_does_not_open(rows, counted):
    """Between rows, cases, compartments, revisions and tables; with its key and without."""
    with db.session.no_autoflush:
        unit = Unit(now=None)
        assert all(isinstance(opened(at, unit), dict) for at in rows)
        moves = [(one, other) for one in rows for other in rows if one is not other]
        tried = random.Random(1).sample(moves, min(MOVES, len(moves)))
        refused = sum(
            moved(one, other, unit, take_key) for one, other in tried for take_key in (0, 1)
        )
        db.session.expunge_all()
    assert refused == 2 * len(tried)
    counted(f"{refused:,} of {2 * len(tried):,} moved ciphertexts refused, {len(rows)} places")


def moved(one, other, unit, take_key):
    """Put the other row's ciphertext here, perhaps with the number of its key: is it refused?"""
    row, owner, compartment, key, purpose = one
    held = row.sealed, row.key_id
    row.sealed = other[0].sealed
    if take_key:
        row.key_id, key = other[0].key_id, other[3]
    try:
        vault._open(unit, owner, compartment, row, key, purpose)
    except (DamagedError, LockedError):
        return True
    else:
        return False
    finally:
        row.sealed, row.key_id = held


def test_ciphertexts_with_one_flipped_bit_are_refused(rows, counted):
    chance = random.Random(2)
    unit = Unit(now=None)
    refused = 0
    with db.session.no_autoflush:
        for turn in range(FLIPPED):
            at = rows[turn % len(rows)]
            held, bit = at[0].sealed, chance.randrange(8 * len(at[0].sealed))
            harmed = bytearray(held)
            harmed[bit // 8] ^= 1 << bit % 8
            at[0].sealed = bytes(harmed)
            with pytest.raises(DamagedError):
                opened(at, unit)
            refused += 1
            at[0].sealed = held
        db.session.expunge_all()
    assert refused == FLIPPED
    counted(f"{refused:,} of {FLIPPED:,} with a flipped bit refused")


def test_two_cases_differ_in_no_length_whatever_is_known_of_the_person(world):
    """One has nothing to say about health, the other has; one person has a name, the other none."""
    told = worlds.flag(world, risk={"health_words": "A practice wound and a practice fever."})
    silent = worlds.flag(
        world,
        risk={"health_words": ""},
        person={"given_name": "", "family_name": ""},
        report={"station_reference": ""},
    )
    assert lengths(told) == lengths(silent)


def lengths(reference):
    case_id = db.session.scalar(select(Case.id).where(Case.reference == reference))
    heads = db.session.scalars(
        select(CompartmentHead.compartment).where(CompartmentHead.case_id == case_id)
    )
    sealed = {
        table.__tablename__: sorted(
            (getattr(row, "compartment", ""), row.revision, len(row.sealed))
            for row in db.session.scalars(select(table).where(table.case_id == case_id))
        )
        for table in TABLES
        if hasattr(table, "case_id")
    }
    return sorted(heads), sealed
