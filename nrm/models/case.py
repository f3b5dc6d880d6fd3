"""The case: only what a worklist needs is in clear. Whatever tells of the person is sealed."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, Uuid, select, text
from sqlalchemy.orm import Mapped, column_property, foreign, mapped_column, relationship

from nrm.domain.lifecycle import Assistance, Identification
from nrm.models.access import barred_from, glass_broken_by
from nrm.models.account import Account
from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, Word, now

_OPEN = text("closed_at IS NULL")
_NOT_COMPARED = text("compared_at IS NULL")


class Case(Audited, Base):
    """One presumed victim's file."""

    __tablename__ = "case_file"
    # One covering order for each worklist: most urgent first, then what is due first.
    __table_args__ = (
        Index(
            "ix_case_file_open",
            "urgency",
            "due_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_case_file_open_by_identification",
            "identification",
            "urgency",
            "due_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_case_file_open_by_assistance",
            "assistance",
            "urgency",
            "due_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_case_file_open_by_owner",
            "owner_id",
            "urgency",
            "due_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_case_file_flagged_by", "flagged_by_id", "flagged_at", "id"),
        Index("ix_case_file_incident", "incident_id"),
        Index(
            "ix_case_file_not_compared",
            "flagged_at",
            "id",
            sqlite_where=_NOT_COMPARED,
            postgresql_where=_NOT_COMPARED,
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    # People found at the same place share an incident; it is nothing but this id.
    incident_id: Mapped[UUID] = mapped_column(Uuid)
    identification: Mapped[Identification] = mapped_column(Word(Identification))
    assistance: Mapped[Assistance] = mapped_column(Word(Assistance))
    urgency: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[Moment]
    flagged_by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    flagged_by_organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    flagged_at: Mapped[Moment]
    # The coordinator who looks after the person; nobody, until one takes the case.
    # An account's id; SQLite could only point to it by making a table anew that others point to.
    owner_id: Mapped[UUID | None] = mapped_column(Uuid)
    # Who looked after it and cannot or may not any more; until another person does.
    left_by_id: Mapped[UUID | None] = mapped_column(Uuid)
    presumed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When housekeeping looked whether the person is known already.
    compared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the case's keys were destroyed: since then nobody can read what was in it.
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)

    # Who they are is asked where it is shown: with a page of rows in one statement.
    owner: Mapped[Account | None] = relationship(
        viewonly=True,
        primaryjoin=lambda: foreign(Case.owner_id) == Account.id,
    )
    left_by: Mapped[Account | None] = relationship(
        viewonly=True,
        primaryjoin=lambda: foreign(Case.left_by_id) == Account.id,
    )
    # What the policy asks of every case comes with its row, so that no list asks for each row.
    deputy_id: Mapped[UUID | None] = column_property(
        select(Account.stand_in_id)
        .where(Account.id == owner_id, Account.away_until > now())
        .correlate_except(Account)
        .scalar_subquery(),
        expire_on_flush=False,
    )
    barred: Mapped[str | None] = column_property(barred_from(case_id=id), expire_on_flush=False)
    glass_broken_by: Mapped[str | None] = column_property(
        glass_broken_by(case_id=id), expire_on_flush=False
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it once


class FlagDraft(Audited, Base):
    """A flag that is still being written; its answers are sealed under a key of its own."""

    __tablename__ = "flag_draft"
    __table_args__ = (Index("ix_flag_draft_account_id_saved_at", "account_id", "saved_at"),)

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    incident_id: Mapped[UUID] = mapped_column(Uuid)
    started_at: Mapped[Moment]
    saved_at: Mapped[Moment]
    current_revision: Mapped[int] = mapped_column(Integer)
