"""Keys, all of them wrapped or public: nothing in these tables opens anything by itself."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from nrm.models.base import Audited, Base, Moment

# Every sealed row names its key by number, so a destroyed key's number is never given again.
_PRIMARY = text("state = 'primary'")
_NEVER_REUSED = {"sqlite_autoincrement": True}


class KeyHolder(Audited, Base):
    """The public half of a holder's key file."""

    __tablename__ = "key_holder"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Moment]


class MasterKey(Audited, Base):
    """One master key's place in the key ring; the key itself is in `sealed_master_key`."""

    __tablename__ = "key_ring"
    __table_args__ = (
        Index(
            "uq_key_ring_primary",
            "purpose",
            unique=True,
            sqlite_where=_PRIMARY,
            postgresql_where=_PRIMARY,
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    purpose: Mapped[str] = mapped_column(String(16))
    # primary: new keys are wrapped under it | active: still opens | retired: its key is destroyed
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[Moment]


class SealedMasterKey(Audited, Base):
    """A master key sealed to one holder's public half."""

    __tablename__ = "sealed_master_key"

    ring_id: Mapped[int] = mapped_column(ForeignKey("key_ring.id"), primary_key=True)
    holder: Mapped[str] = mapped_column(ForeignKey("key_holder.name"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class CaseKey(Audited, Base):
    """The wrapped key of one case or draft; destroying it erases what is sealed under it."""

    __tablename__ = "case_key"
    __table_args__ = (Index("ix_case_key_owner_id", "owner_id"), _NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    # The case's id, or the draft's: a draft has a key of its own, destroyed when it is sent.
    owner_id: Mapped[UUID] = mapped_column(Uuid)
    ring_id: Mapped[int] = mapped_column(ForeignKey("key_ring.id"))
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class FactsKey(Audited, Base):
    """The wrapped facts key of one case, in a table that the statistics process may read."""

    __tablename__ = "facts_key"
    __table_args__ = (Index("ix_facts_key_case_id", "case_id"), _NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    case_id: Mapped[UUID] = mapped_column(Uuid)
    ring_id: Mapped[int] = mapped_column(ForeignKey("key_ring.id"))
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
