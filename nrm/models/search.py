"""Tokens to find people by: keyed, cut short, in tables of their own."""

from uuid import UUID

from sqlalchemy import ForeignKey, Integer, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from nrm.models.base import Audited, Base, Moment


class NameIndex(Audited, Base):
    """One version of the tokens: with which key, folding and length they are made."""

    __tablename__ = "name_index"
    __table_args__ = ({"sqlite_autoincrement": True},)

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    ring_id: Mapped[int] = mapped_column(ForeignKey("key_ring.id"))
    folding: Mapped[int] = mapped_column(SmallInteger)
    bits: Mapped[int] = mapped_column(SmallInteger)
    # primary: searched and written | building: written, not complete yet | retired: tokens gone
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[Moment]


class NameToken(Audited, Base):
    """One pair of a person's names, folded, hashed under the index key and cut to a few bits."""

    __tablename__ = "name_token"
    __table_args__ = ({"sqlite_with_rowid": False},)

    version: Mapped[int] = mapped_column(ForeignKey("name_index.version"), primary_key=True)
    token: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"), primary_key=True, index=True)


class IdentifierToken(Audited, Base):
    """One exact identifier of a person (an identity paper, a telephone), as a full keyed hash."""

    __tablename__ = "identifier_token"
    __table_args__ = ({"sqlite_with_rowid": False},)

    version: Mapped[int] = mapped_column(ForeignKey("name_index.version"), primary_key=True)
    token: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"), primary_key=True, index=True)
