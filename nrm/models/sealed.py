"""Sealed rows. Saving adds a revision; earlier revisions are kept and nothing is overwritten."""

from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from nrm.models.base import Audited, Base, Id, Moment


class SealedRow:
    """What every sealed row has: its place, the key it names, and the ciphertext."""

    row_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True, default=1)
    key_id: Mapped[int] = mapped_column(Integer)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class CompartmentHead(Audited, Base):
    """Which revision of a case's compartment is current; every case has one of each from birth."""

    __tablename__ = "compartment_head"
    __table_args__ = (UniqueConstraint("case_id", "compartment"),)

    row_id: Mapped[Id]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    compartment: Mapped[str] = mapped_column(String(16))
    current_revision: Mapped[int] = mapped_column(Integer)


class SealedCompartment(SealedRow, Audited, Base):
    """One revision of identity, contact, narrative, health or enforcement."""

    __tablename__ = "sealed_compartment"
    __table_args__ = (UniqueConstraint("case_id", "compartment", "revision"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    compartment: Mapped[str] = mapped_column(String(16))


class FactsHead(Audited, Base):
    """Which revision of a case's facts is current."""

    __tablename__ = "facts_head"

    row_id: Mapped[Id]
    case_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    current_revision: Mapped[int] = mapped_column(Integer)


class SealedFacts(SealedRow, Audited, Base):
    """One revision of a case's coded facts, under the facts key, apart from the case."""

    __tablename__ = "sealed_facts"
    __table_args__ = (UniqueConstraint("case_id", "revision"),)

    case_id: Mapped[UUID] = mapped_column(Uuid)


class SealedFactsEvent(SealedRow, Audited, Base):
    """A counted act for the statistics, without a time; appending it opens nothing."""

    __tablename__ = "sealed_facts_event"
    __table_args__ = (Index("ix_sealed_facts_event_case_id", "case_id"),)

    case_id: Mapped[UUID] = mapped_column(Uuid)


class SealedEnvelope(SealedRow, Audited, Base):
    """What a provider may know before it answers, written when the referral is sent."""

    __tablename__ = "sealed_envelope"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), unique=True)


class SealedNote(SealedRow, Audited, Base):
    """Words and codes that belong to one act: reasons, how consent was given, a service given."""

    __tablename__ = "sealed_note"
    __table_args__ = (Index("ix_sealed_note_case_id_kind", "case_id", "kind"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    # A part of the case, or `consent` (how it was given), `service` (what a provider answered and
    # gave) and `comparison` (which other files are alike), which have keys of their own, so that
    # the log never takes one for the other.
    compartment: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(24))
    # The record that the note belongs to: the case, a referral, an answer.
    subject_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    written_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    written_at: Mapped[Moment]


class SealedDraft(SealedRow, Audited, Base):
    """One revision of a flag that is still being written."""

    __tablename__ = "sealed_draft"

    draft_id: Mapped[UUID] = mapped_column(ForeignKey("flag_draft.id"), index=True)


class SealedDocument(SealedRow, Audited, Base):
    """What an attached document is: its title, kind and size, and the key of its file."""

    __tablename__ = "sealed_document"
    __table_args__ = (Index("ix_sealed_document_case_id", "case_id"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    compartment: Mapped[str] = mapped_column(String(16))
    # The random name under which the sealed chunks lie in the folder of documents.
    file_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    added_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    added_at: Mapped[Moment]
