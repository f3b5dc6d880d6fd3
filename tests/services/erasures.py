"""What the tests of erasing share: who asks for it, who carries it out, and what is left."""

import pytest
from sqlalchemy import func, select

from nrm.db import db
from nrm.models import Case, CaseKey, Erasure, FactsKey
from nrm.services import erasure
from tests import world as worlds

# What does not hang on the database is tried on one.
sqlite_alone = pytest.mark.databases("sqlite")


def case_of(reference):
    db.session.rollback()
    return db.session.scalars(select(Case).where(Case.reference == reference)).one()


def erasure_of(erasure_id):
    db.session.rollback()
    return db.session.get_one(Erasure, erasure_id)


def ask(world, reference, by="coordinator", reason="asked_by_person", **given):
    return erasure.ask(world.actor(by), reference, reason, **given)


def asked(world):
    """A closed case with everything in it, and the request to erase it: (reference, request)."""
    reference, _ = worlds.closed(world)
    return reference, ask(world, reference)


def carry_out(world, kept, asked_for, by="second_coordinator", **given):
    reference, erasure_id = asked_for
    erasure.carry_out(world.actor(by), erasure_id, reference, kept, **given)


def how_many(model, *conditions):
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


def keys_of(case_id):
    db.session.rollback()
    return how_many(CaseKey, CaseKey.owner_id == case_id) + how_many(
        FactsKey, FactsKey.case_id == case_id
    )
