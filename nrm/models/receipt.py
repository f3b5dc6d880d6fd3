"""Receipts of forms, so that a double click or a re-sent form has one result."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from nrm.models.base import Base, Moment


class FormReceipt(Base):
    """A form that was carried out, whose it was, and where it led."""

    __tablename__ = "form_receipt"
    __table_args__ = (Index("ix_form_receipt_done_at", "done_at"),)

    form_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(64))
    done_at: Mapped[Moment]
