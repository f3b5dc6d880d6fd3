"""What the person agreed to: one immutable row per answer; how it was given is sealed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from nrm.domain.consent import Answer
from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, Word


class ConsentAnswer(Audited, Base):
    """One answer for one purpose, towards one recipient where the purpose has one."""

    __tablename__ = "consent_answer"
    __table_args__ = (Index("ix_consent_answer_case_id", "case_id", "recorded_at"),)

    id: Mapped[Id]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    purpose: Mapped[str] = mapped_column(String(32))
    recipient_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    answer: Mapped[Answer] = mapped_column(Word(Answer))
    basis: Mapped[str] = mapped_column(String(32))
    # The compartments that the recipient may open, as sorted words with one blank between.
    compartments: Mapped[str] = mapped_column(String(120))
    recorded_by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    recorded_at: Mapped[Moment]
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The sealed note that says how it was given: by whom, in which language, with what explained.
    note_id: Mapped[UUID] = mapped_column(Uuid)
