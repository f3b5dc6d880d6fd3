"""Which record an address is about: for the log of a refusal, and never for who was refused."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select

from nrm.db import db
from nrm.domain.errors import NOTHING, Subject
from nrm.models import (
    Approval,
    AuditEntry,
    BrokenGlass,
    Case,
    Erasure,
    HandOver,
    Notice,
    Referral,
)
from nrm.services import visibility

_WithCase = (
    type[Approval]
    | type[AuditEntry]
    | type[BrokenGlass]
    | type[Erasure]
    | type[HandOver]
    | type[Notice]
)
# What stands in an address by its id, and belongs to a case: as the log calls it, and where it is.
BY_ID: dict[str, tuple[str, _WithCase]] = {
    "approval_id": ("approval", Approval),
    "entry_id": ("entry", AuditEntry),
    "erasure_id": ("erasure", Erasure),
    "glass_id": ("glass", BrokenGlass),
    "hand_over_id": ("handover", HandOver),
    "notice_id": ("notice", Notice),
}


def at(values: Mapping[str, object]) -> Subject:
    """Name what an address is about by the parts of it; NOTHING, where there is no such record."""
    reference = values.get("reference")
    return by_id(values) if reference is None else _by_reference(str(reference))


def by_id(values: Mapping[str, object]) -> Subject:
    """Name a record that the address knows by its id, with the case that it belongs to."""
    for name, (kind, model) in BY_ID.items():
        wanted = values.get(name)
        if not isinstance(wanted, UUID) or not _reads_cases():
            continue
        found = db.session.execute(
            select(model.id, model.case_id).where(model.id == wanted)
        ).one_or_none()
        if found is not None:
            return Subject(kind, found.id, found.case_id)
    return NOTHING


def _by_reference(reference: str) -> Subject:
    if not _reads_cases():
        return NOTHING
    hidden = db.session.scalar(select(Case.id).where(Case.reference == reference))
    if hidden is not None:
        return Subject("case", hidden, hidden)
    query = select(Referral).where(Referral.reference == reference)
    sent = db.session.scalars(query).one_or_none()
    return NOTHING if sent is None else visibility.referral_subject(sent)


def _reads_cases() -> bool:
    """Say whether this process may read cases: one that serves analysts alone may not."""
    if db.engine.dialect.name == "sqlite":
        return True
    may = func.has_table_privilege(Case.__tablename__, "SELECT")
    return bool(db.session.scalar(select(may)))
