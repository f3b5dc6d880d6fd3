"""Who may not know of a case whatever their grants, and who opened one in an emergency."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    ScalarSelect,
    SQLColumnExpression,
    String,
    Uuid,
    cast,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, now

_IN_FORCE = text("lifted_at IS NULL")
_NOT_REVIEWED = text("reviewed_at IS NULL")
_NOT_SEEN = text("seen_at IS NULL")


class Bar(Audited, Base):
    """One person or one organisation that is kept from a case: it beats every grant."""

    __tablename__ = "bar"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (organisation_id IS NULL)", name="one_barred"),
        Index("ix_bar_case_id", "case_id", sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE),
        Index(
            "ix_bar_account_id", "account_id", sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE
        ),
        Index(
            "ix_bar_organisation_id", "organisation_id",
            sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE,
        ),
        Index(
            "uq_bar_account", "case_id", "account_id", unique=True,
            sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE,
        ),
        Index(
            "uq_bar_organisation", "case_id", "organisation_id", unique=True,
            sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE,
        ),
    )  # fmt: skip

    id: Mapped[Id]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    # A code; what was written beside it is a sealed note of the case.
    reason: Mapped[str] = mapped_column(String(32))
    placed_by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    placed_at: Mapped[Moment]
    lifted_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BrokenGlass(Audited, Base):
    """One opening of one case in an emergency, which somebody else reviews afterwards."""

    __tablename__ = "broken_glass"
    __table_args__ = (
        Index("ix_broken_glass_case_id", "case_id", "broken_at"),
        Index(
            "ix_broken_glass_not_reviewed", "review_due_at", "id",
            sqlite_where=_NOT_REVIEWED, postgresql_where=_NOT_REVIEWED,
        ),
    )  # fmt: skip

    id: Mapped[Id]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    # A code; what was written beside it is a sealed note of the case.
    reason: Mapped[str] = mapped_column(String(32))
    broken_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    review_due_at: Mapped[Moment]
    # When housekeeping told everyone who reviews that this one is overdue.
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    verdict: Mapped[str] = mapped_column(String(32), default="")
    reviewed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Notice(Audited, Base):
    """Something that one person has to be told on their next page: by codes and ids alone."""

    __tablename__ = "notice"
    __table_args__ = (
        Index(
            "ix_notice_not_seen", "account_id", "made_at", "id",
            sqlite_where=_NOT_SEEN, postgresql_where=_NOT_SEEN,
        ),
    )  # fmt: skip

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str] = mapped_column(String(32))
    # The record it is about, and the case that this belongs to: a bar hides the notice too.
    subject_id: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case_file.id"))
    made_at: Mapped[Moment]
    # In which sitting of its own account it was made, as the log names it: that one was told then.
    made_in: Mapped[str] = mapped_column(String(64), default="")
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def barred_from(case_id: Mapped[UUID]) -> ScalarSelect[str]:
    """Select the accounts and organisations that are kept from a case, as one text of ids."""
    whom = func.coalesce(Bar.account_id, Bar.organisation_id)
    return _ids(whom, Bar, (Bar.case_id == case_id, Bar.lifted_at.is_(None)))


def glass_broken_by(case_id: Mapped[UUID]) -> ScalarSelect[str]:
    """Select the accounts to which a case is open in an emergency now, as one text of ids."""
    live = (BrokenGlass.case_id == case_id, BrokenGlass.expires_at > now())
    return _ids(BrokenGlass.account_id, BrokenGlass, live)


def _ids(
    ids: SQLColumnExpression[UUID], table: type[Base], conditions: Iterable[ColumnElement[bool]]
) -> ScalarSelect[str]:
    listed = func.aggregate_strings(cast(ids, String), " ")
    return select(listed).where(*conditions).correlate_except(table).scalar_subquery()
