"""How the log stands, as its auditor reads it: how much is signed, since when, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from nrm.audit.actions import Action
from nrm.audit.verify import Checkpoint, UnreadableError, VerifierKey
from nrm.db import db, unit_of_work
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.models import AuditCosignature, AuditEntry, AuditWitness
from nrm.services import checkpoints, log_keeping, sequencing, witnesses
from nrm.services.audit import record
from nrm.services.log_keeping import Standing

# More than these are said to be "more than": nobody waits for a count of a million.
MOST_COUNTED = 1_000


@dataclass(frozen=True)
class State:
    """How the log stands at this moment; every number costs the same however long it is."""

    # Entries that have their place in the tree, and those that have none yet (up to MOST_COUNTED).
    placed: int
    unplaced: int
    # Entries of the tree that no checkpoint covers.
    unsigned: int
    waits_since: datetime | None
    signed: Checkpoint | None
    # Whether the newest checkpoint, or the key beside it, cannot be read any more.
    damaged: bool
    key: VerifierKey | None
    witnesses: Sequence[tuple[AuditWitness, AuditCosignature | None]]
    now: datetime


def read(actor: Actor) -> State:
    """Read how the log stands; reading it is in the log too."""
    require(actor, Permission.AUDIT_SEARCH)
    with unit_of_work() as unit:
        standing, key, damaged = _standing()
        placed = sequencing.tree(db.session.connection()).size
        waiting = select(AuditEntry.seq).where(AuditEntry.leaf_index.is_(None))
        few = waiting.limit(MOST_COUNTED + 1).subquery()
        state = State(
            placed=placed,
            unplaced=db.session.scalar(select(func.count()).select_from(few)) or 0,
            unsigned=placed - (standing.signed.size if standing.signed else 0),
            waits_since=standing.waits_since,
            signed=standing.signed,
            damaged=damaged,
            key=key,
            witnesses=witnesses.known(),
            now=unit.now,
        )
        record(unit, actor, Action.AUDIT_SEARCH, purpose="state")
    return state


def _standing() -> tuple[Standing, VerifierKey | None, bool]:
    """Read how far the log is signed, and by which key; a damaged checkpoint signs nothing."""
    try:
        return log_keeping.standing(), checkpoints.signing_key(), False
    except UnreadableError:
        return Standing(None, None), None, True
