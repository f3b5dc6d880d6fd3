"""Hand-overs of a case to a coordinator of another organisation, who accepts or refuses it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from nrm.domain.lifecycle import HandOverState
from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, Word

_OPEN = text("state = 'offered'")


class HandOver(Audited, Base):
    """One offer of one case. Until it is accepted, whoever offered it goes on looking after it."""

    __tablename__ = "hand_over"
    __table_args__ = (
        # One open offer of a case at a time.
        Index("uq_hand_over_case_id", "case_id", unique=True, sqlite_where=_OPEN,
              postgresql_where=_OPEN),
        Index("ix_hand_over_to_account_id", "to_account_id", "state", "offered_at", "id"),
    )  # fmt: skip

    id: Mapped[Id]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    state: Mapped[HandOverState] = mapped_column(Word(HandOverState))
    offered_by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    offered_at: Mapped[Moment]
    to_account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
