"""What cannot be undone and so is asked for by one person and approved by another."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Uuid, and_, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from nrm.domain.approval import ApprovalKind
from nrm.domain.lifecycle import ApprovalState
from nrm.models.access import Bar
from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, Word

_OPEN = text("state = 'requested'")


class Approval(Audited, Base):
    """One act that waits for a second person: raising a role, merging two files, an export."""

    __tablename__ = "approval"
    __table_args__ = (
        # One open request of a kind for a record at a time.
        Index("uq_approval_subject", "kind", "subject_id", unique=True, sqlite_where=_OPEN,
              postgresql_where=_OPEN),
        Index("ix_approval_state", "state", "asked_at", "id"),
    )  # fmt: skip

    id: Mapped[Id]
    kind: Mapped[ApprovalKind] = mapped_column(Word(ApprovalKind))
    subject_id: Mapped[UUID] = mapped_column(Uuid)
    # The case that the record belongs to, if any: a bar hides the request too.
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case_file.id"))
    state: Mapped[ApprovalState] = mapped_column(Word(ApprovalState))
    # What is asked for, as codes and ids, sealed under the key of forms.
    wanted: Mapped[bytes] = mapped_column(LargeBinary)
    asked_by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[Moment]
    answered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Why it was not approved, as a code.
    refused_because: Mapped[str] = mapped_column(String(32), default="")

    # What the policy asks of every request, in one statement for all rows of a page.
    bars: Mapped[list[Bar]] = relationship(
        viewonly=True,
        lazy="selectin",
        primaryjoin=lambda: and_(foreign(Bar.case_id) == Approval.case_id, Bar.lifted_at.is_(None)),
    )
