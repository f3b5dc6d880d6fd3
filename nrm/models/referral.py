"""Referrals to organisations, and the services that they gave."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, Uuid
from sqlalchemy.orm import Mapped, column_property, mapped_column

from nrm.domain.lifecycle import ReferralState
from nrm.models.access import barred_from, glass_broken_by
from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, Word


class Referral(Audited, Base):
    """One referral to one organisation. Which service it asks for lies in its sealed envelope."""

    __tablename__ = "referral"
    __table_args__ = (
        Index("ix_referral_case_id", "case_id", "sent_at"),
        # The inbox: one limited branch per state, most pressing first.
        Index("ix_referral_inbox", "organisation_id", "state", "answer_due_at", "id"),
        Index("ix_referral_expiry", "state", "answer_due_at"),
    )

    id: Mapped[Id]
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[ReferralState] = mapped_column(Word(ReferralState))
    urgency: Mapped[int] = mapped_column(SmallInteger)
    sent_by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    sent_at: Mapped[Moment]
    answer_due_at: Mapped[Moment]
    answered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)

    # What the policy asks of the referral's case comes with its row.
    barred: Mapped[str | None] = column_property(
        barred_from(case_id=case_id), expire_on_flush=False
    )
    glass_broken_by: Mapped[str | None] = column_property(
        glass_broken_by(case_id=case_id), expire_on_flush=False
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it once


class ServiceRecord(Audited, Base):
    """One service given under a referral; what it was lies in its sealed note."""

    __tablename__ = "service_record"

    id: Mapped[Id]
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    recorded_by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    recorded_at: Mapped[Moment]
    note_id: Mapped[UUID] = mapped_column(Uuid)
