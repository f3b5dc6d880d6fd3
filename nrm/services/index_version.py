"""The versions of the search tokens: with which key, folding and length they are made."""

from sqlalchemy import func, select

from nrm.db import Unit, db
from nrm.domain import names, planner
from nrm.models import Case, MasterKey, NameIndex
from nrm.security.keyring import Purpose

# Of a version as of a master key.
PRIMARY = "primary"
BUILDING, RETIRED = "building", "retired"


def first(unit: Unit) -> None:
    """Make the first version; cases that are there already get their tokens from housekeeping."""
    if db.session.scalar(select(NameIndex.version).limit(1)) is None:
        add(unit, BUILDING if people() else PRIMARY)


def add(unit: Unit, state: str) -> NameIndex:
    """Add a version under the primary INDEX key, with bits for the people there are now."""
    ring_id = select(MasterKey.id).where(
        MasterKey.purpose == Purpose.INDEX, MasterKey.state == PRIMARY
    )
    version = NameIndex(
        ring_id=db.session.scalars(ring_id).one(),
        folding=names.FOLDING,
        bits=planner.bits_for(people()),
        state=state,
        created_at=unit.now,
    )
    db.session.add(version)
    # Its number is part of what its keys are derived from.
    db.session.flush()
    return version


def people() -> int:
    """Count the people there are tokens for."""
    return db.session.scalar(select(func.count()).select_from(Case)) or 0
