"""The directory of service providers that the Government approves."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from nrm.domain.lifecycle import ListingState
from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, Word


class Listing(Audited, Base):
    """One provider's entry: what it offers, to whom, where, and until when it is approved."""

    __tablename__ = "listing"
    __table_args__ = (Index("ix_listing_state_approved_until", "state", "approved_until"),)

    id: Mapped[Id]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), unique=True)
    state: Mapped[ListingState] = mapped_column(Word(ListingState))
    district: Mapped[str] = mapped_column(String(8))
    # Whom it serves and in which languages, as sorted codes with one blank between.
    serves: Mapped[str] = mapped_column(String(200))
    languages: Mapped[str] = mapped_column(String(120))
    places: Mapped[int | None] = mapped_column(Integer)
    submitted_by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    submitted_at: Mapped[Moment]
    approved_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_until: Mapped[date | None] = mapped_column(Date)
    suspended_reason: Mapped[str | None] = mapped_column(String(500))
    version: Mapped[int] = mapped_column(Integer, default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it once


class ListingService(Audited, Base):
    """One service that a listing offers."""

    __tablename__ = "listing_service"
    __table_args__ = (Index("ix_listing_service_service", "service", "listing_id"),)

    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    service: Mapped[str] = mapped_column(String(40), primary_key=True)
