"""The tree over the log (RFC 6962): its hashes, its signed checkpoints, who has cosigned them."""

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from nrm.models.base import Base, Counter, Moment


class AuditTile(Base):
    """Up to 256 hashes of one level of the tree, side by side, as in C2SP tlog-tiles.

    Tile (level, position) holds the hashes of complete subtrees of 256 ** level leaves each. The
    last tile of a level grows; no hash in it ever changes.
    """

    __tablename__ = "audit_tile"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


class AuditCheckpoint(Base):
    """What the log was when it had so many entries, signed (C2SP tlog-checkpoint)."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    signed_at: Mapped[Moment]
    # The public half of the key that signed it; whoever does not trust us has it from elsewhere.
    verifier_key: Mapped[str] = mapped_column(String(200))
    # The signed note as it was written to the second place, signature included.
    note: Mapped[str] = mapped_column(Text)


class AuditWitness(Base):
    """An institution that cosigns checkpoints, by the public half of its key."""

    __tablename__ = "audit_witness"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    verifier_key: Mapped[str] = mapped_column(String(200))
    added_at: Mapped[Moment]


class AuditCosignature(Base):
    """A witness's signature under one checkpoint: it held this tree against its own last one."""

    __tablename__ = "audit_cosignature"

    size: Mapped[int] = mapped_column(
        Counter, ForeignKey("audit_checkpoint.size"), primary_key=True, autoincrement=False
    )
    witness: Mapped[str] = mapped_column(
        String(120), ForeignKey("audit_witness.name"), primary_key=True
    )
    # The signature line, to stand under the note.
    line: Mapped[str] = mapped_column(Text)
    cosigned_at: Mapped[Moment]
