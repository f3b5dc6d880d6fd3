"""Everything that is sealed, opened at once: to compare what there was with what there is."""

from sqlalchemy import select

from nrm.db import Unit, db
from nrm.models import CaseKey, FactsKey, SealedDraft
from nrm.security.keyring import Purpose
from nrm.security.sealing import Place, compartment_key, unseal
from nrm.services import keys
from nrm.services.resealing import KINDS, Kind

WRAPPED = {Purpose.CASE: CaseKey, Purpose.FACTS: FactsKey}
DRAFTS = Kind(SealedDraft, compartment="draft")


def contents(case_id=None):
    """Open every sealed row: its place to its document; looking leaves no entry."""
    db.session.rollback()
    unit = Unit(now=None)
    kinds = KINDS if case_id else (*KINDS, DRAFTS)
    found = {}
    for kind in kinds:
        query = select(kind.model)
        rows = db.session.scalars(query.filter_by(case_id=case_id) if case_id else query)
        for row in rows:
            found[row.__tablename__, row.row_id, row.revision] = opened(unit, kind, row)
    db.session.rollback()
    return found


def opened(unit, kind, row):
    owner = row.draft_id if isinstance(row, SealedDraft) else row.case_id
    wrapped = db.session.get(WRAPPED[kind.purpose], row.key_id)
    key = keys.data_key(unit, kind.purpose, owner, wrapped)
    compartment = kind.compartment or row.compartment
    place = Place(row.__tablename__, row.row_id, compartment, row.revision, row.key_id)
    return unseal(compartment_key(key, compartment), place, row.sealed)


def under(purpose):
    """Say under which master keys the keys of cases are wrapped now."""
    db.session.rollback()
    return set(db.session.scalars(select(WRAPPED[purpose].ring_id)))
