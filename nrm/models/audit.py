"""The log: one row per act or read, written in the act's own transaction, never changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from nrm.audit.verify import FIELDS
from nrm.models.base import Base, Counter, Moment
from nrm.models.spoilt import LogBytes, LogId, LogLongText, LogMoment, LogText, readable

_NOT_IN_THE_TREE = text("leaf_index IS NULL")
_NOT_DONE = text("outcome <> 'done'")
_OF_AN_ACCOUNT = text("subject_type = 'account'")
_UNFINISHED = text("finished_at IS NULL")


class AuditEntry(Base):
    """One entry, in its final format; the sequencer gives each its place in the tree later.

    Ids are plain columns without foreign keys: an entry outlives whatever it speaks of.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        # Whatever the auditor asks by, newest first: each index ends in the order of the page.
        Index("ix_audit_entry_occurred_at_seq", "occurred_at", "seq"),
        Index("ix_audit_entry_actor_id_occurred_at_seq", "actor_id", "occurred_at", "seq"),
        Index(
            "ix_audit_entry_actor_organisation_id_occurred_at_seq",
            *("actor_organisation_id", "occurred_at", "seq"),
        ),
        Index("ix_audit_entry_case_id_occurred_at_seq", "case_id", "occurred_at", "seq"),
        Index("ix_audit_entry_action_occurred_at_seq", "action", "occurred_at", "seq"),
        # What somebody did of one kind: rare acts are asked for among the many of an account.
        Index("ix_audit_entry_actor_id_action", *("actor_id", "action", "occurred_at", "seq")),
        Index(
            "ix_audit_entry_actor_organisation_id_action",
            *("actor_organisation_id", "action", "occurred_at", "seq"),
        ),
        # Refusals and failures are few, and are asked for among millions.
        *(
            Index(
                "_".join(["ix_audit_entry", *by, "not_done"]),
                *(*by, "outcome", "occurred_at", "seq"),
                sqlite_where=_NOT_DONE,
                postgresql_where=_NOT_DONE,
            )
            for by in ((), ("actor_id",), ("actor_organisation_id",), ("action",))
        ),
        # What happened to an account, by whomever: who tried to sign in has none.
        Index(
            "ix_audit_entry_of_an_account",
            *("subject_id", "occurred_at", "seq"),
            sqlite_where=_OF_AN_ACCOUNT,
            postgresql_where=_OF_AN_ACCOUNT,
        ),
        # What the sequencer takes next: never "greater than the last", for numbers commit late.
        Index(
            "ix_audit_entry_not_in_the_tree",
            "seq",
            sqlite_where=_NOT_IN_THE_TREE,
            postgresql_where=_NOT_IN_THE_TREE,
        ),
        # A number once given is never given again, even if the newest row were cut off.
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(LogId, unique=True)
    leaf_index: Mapped[int | None] = mapped_column(Counter, unique=True)
    occurred_at: Mapped[datetime] = mapped_column(LogMoment)
    actor_id: Mapped[UUID | None] = mapped_column(LogId)
    actor_organisation_id: Mapped[UUID | None] = mapped_column(LogId)
    actor_role: Mapped[str] = mapped_column(LogText(32))
    session_ref: Mapped[str] = mapped_column(LogText(64))
    action: Mapped[str] = mapped_column(LogText(40))
    subject_type: Mapped[str] = mapped_column(LogText(32))
    subject_id: Mapped[UUID | None] = mapped_column(LogId)
    case_id: Mapped[UUID | None] = mapped_column(LogId)
    compartments: Mapped[str] = mapped_column(LogText(120))
    purpose: Mapped[str] = mapped_column(LogText(120))
    outcome: Mapped[str] = mapped_column(LogText(16))
    rows: Mapped[str] = mapped_column(LogLongText)
    detail_sha256: Mapped[str] = mapped_column(LogText(64))
    detail: Mapped[bytes | None] = mapped_column(LogBytes)
    leaf_hash: Mapped[bytes] = mapped_column(LogBytes(32))

    @property
    def readable(self) -> bool:
        """Say whether each of its values can be read as it stands."""
        return readable(*(getattr(self, name) for name in FIELDS))


class AuditSight(Base):
    """Which entries touched a sealed row without being about its case alone: lists, searches.

    The sequencer writes it out of the entries, so that "who has seen this file" need not read
    the whole log; it says nothing that the entries do not.
    """

    __tablename__ = "audit_sight"
    __table_args__ = (
        # From what an account did to what it saw.
        Index("ix_audit_sight_seq", "seq"),
        {"sqlite_with_rowid": False},
    )

    row_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    seq: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)


class Departure(Base):
    """An act that leaves the database: begun before, and finished when it is known how it ended."""

    __tablename__ = "departure"
    __table_args__ = (
        Index(
            "ix_departure_unfinished",
            "begun_at",
            sqlite_where=_UNFINISHED,
            postgresql_where=_UNFINISHED,
        ),
    )

    # The entry that was written before anything left.
    entry_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    action: Mapped[str] = mapped_column(String(40))
    begun_at: Mapped[Moment]
    finished_at: Mapped[Moment | None]
