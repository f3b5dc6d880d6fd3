"""Releases of the statistics: who asked for them and signed them, and their protected figures."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from nrm.domain.lifecycle import ReleaseState
from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, Word


class Release(Audited, Base):
    """One release of the figures of one period; there are at most two of a period."""

    __tablename__ = "release"
    __table_args__ = (
        Index(
            "uq_release_period", "first_quarter", "last_quarter", "annual", "edition", unique=True
        ),
        Index("ix_release_state", "state", "asked_at"),
    )

    id: Mapped[Id]
    # As 2026Q3; the first is the last too, unless a quarter of few cases was put to the next.
    first_quarter: Mapped[str] = mapped_column(String(6))
    last_quarter: Mapped[str] = mapped_column(String(6))
    annual: Mapped[bool] = mapped_column(Boolean)
    edition: Mapped[str] = mapped_column(String(16))
    state: Mapped[ReleaseState] = mapped_column(Word(ReleaseState))
    # Nobody, where it was asked for at the console.
    asked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[Moment]
    counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    frozen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Numbers of the tables that were left out, because simple arithmetic proved a cell of them.
    left_out: Mapped[str] = mapped_column(String(200), default="")


class ReleaseSignature(Audited, Base):
    """One of the two people of the ministry who say that a release may be published."""

    __tablename__ = "release_signature"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    signed_at: Mapped[Moment]


class ReleaseCell(Audited, Base):
    """One protected figure; nothing where it is under ten. Never changed once it is written."""

    __tablename__ = "release_cell"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"), primary_key=True)
    # What is counted: persons, referrals, or the median of days.
    counts: Mapped[str] = mapped_column(String(16), primary_key=True)
    # By what, in the order of the names: nothing for a total, `age sex` for two things.
    by: Mapped[str] = mapped_column(String(80), primary_key=True)
    # Of which, in the same order: `child female`.
    codes: Mapped[str] = mapped_column(String(160), primary_key=True)
    figure: Mapped[int | None] = mapped_column(Integer)


class ReleaseProgress(Base):
    """How far the counting of a release is; it says nothing of anybody and is no act."""

    __tablename__ = "release_progress"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"), primary_key=True)
    counted: Mapped[int] = mapped_column(Integer)
    of: Mapped[int] = mapped_column(Integer)
