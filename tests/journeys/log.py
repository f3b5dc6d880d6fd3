"""What the log holds of a case, put as short as a reader of it would."""

import json
from uuid import UUID

from sqlalchemy import select

from nrm.db import db
from nrm.models import AuditEntry, Case

# Whoever only looked: every other entry is an act.
READING = {"case:list", "case:open", "flag:view", "referral:open", "referral:prepare"}


def acts_on(world, reference):
    """Say in order who did what to a case, one line for each entry of the log."""
    entries = entries_of(world, reference)
    return [f"{named(world, entry)} {entry.action}" for entry in entries if not is_read(entry)]


def reads_of(world, reference):
    """Say who read which parts of a case, through whatever page."""
    return {
        (named(world, entry), part)
        for entry in entries_of(world, reference)
        if is_read(entry)
        for part in entry.compartments.split() or ["nothing sealed"]
    }


def is_read(entry):
    return entry.action in READING


def entries_of(world, reference):
    with world.entered():
        query = (
            select(AuditEntry)
            .join(Case, Case.id == AuditEntry.case_id)
            .where(Case.reference == reference)
            .order_by(AuditEntry.seq)
        )
        return db.session.scalars(query).all()


def readers_of(world, row_id):
    """Name who opened one sealed row, by which act, in order; writing it is no reading."""
    with world.entered():
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
    return [
        f"{named(world, entry)} {entry.action}"
        for entry in entries
        if any(UUID(row[0]) == row_id and len(row) == 2 for row in json.loads(entry.rows))
    ]


def named(world, entry):
    names = {identifier: name for name, identifier in world.accounts.items()}
    return names.get(entry.actor_id, "housekeeping")
