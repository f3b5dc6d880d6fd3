"""Erasures: asked for by one person, carried out by another."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from nrm.domain.lifecycle import ErasureState
from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, Word

_OPEN = text("state IN ('asked', 'done')")


class Erasure(Audited, Base):
    """One request to erase a case, and who carried it out."""

    __tablename__ = "erasure"
    __table_args__ = (
        # One open request for a case at a time.
        Index(
            "uq_erasure_case_id",
            "case_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_erasure_state", "state", "asked_at", "id"),
    )

    id: Mapped[Id]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    state: Mapped[ErasureState] = mapped_column(Word(ErasureState))
    reason: Mapped[str] = mapped_column(String(32))
    # Nobody, where an erasure that a restored database had forgotten was carried out again.
    asked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[Moment]
    answered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
