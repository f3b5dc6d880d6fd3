"""The log: one row per act or read, written in the act's own transaction, never changed."""

from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from nrm.models.base import Base, Counter, Moment


class AuditEntry(Base):
    """One entry, in its final format; the tree that orders the leaves fills `leaf_index` later.

    Ids are plain columns without foreign keys: an entry outlives whatever it speaks of.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_actor_id_seq", "actor_id", "seq"),
        Index("ix_audit_entry_actor_organisation_id_seq", "actor_organisation_id", "seq"),
        Index("ix_audit_entry_case_id_seq", "case_id", "seq"),
        Index("ix_audit_entry_action_seq", "action", "seq"),
        # A number once given is never given again, even if the newest row were cut off.
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    leaf_index: Mapped[int | None] = mapped_column(Counter, unique=True)
    occurred_at: Mapped[Moment]
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_role: Mapped[str] = mapped_column(String(32))
    session_ref: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(40))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[UUID | None] = mapped_column(Uuid)
    case_id: Mapped[UUID | None] = mapped_column(Uuid)
    compartments: Mapped[str] = mapped_column(String(120))
    purpose: Mapped[str] = mapped_column(String(120))
    outcome: Mapped[str] = mapped_column(String(16))
    rows: Mapped[str] = mapped_column(Text)
    detail_sha256: Mapped[str] = mapped_column(String(64))
    detail: Mapped[bytes | None] = mapped_column(LargeBinary)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
