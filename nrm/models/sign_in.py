"""How a person proves who they are: invitations, second factors, recovery codes, and delays."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime

_NOT_ENDED = text("ended_at IS NULL")


class FederatedIdentity(Audited, Base):
    """Who somebody is at another institution's sign-in, by its issuer and its subject (OpenID).

    Never by an e-mail address, which can be given to somebody else.
    """

    __tablename__ = "federated_identity"
    __table_args__ = (
        # One person at one account, and no second one beside it.
        UniqueConstraint("issuer", "subject", name="uq_federated_identity_issuer_subject"),
        UniqueConstraint("account_id", name="uq_federated_identity_account_id"),
    )

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    connected_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Invitation(Audited, Base):
    """A link that works once, for a person to choose a password and a second factor themselves."""

    __tablename__ = "invitation"
    __table_args__ = (
        # One open link of an account at a time.
        Index("uq_invitation_open", "account_id", unique=True, sqlite_where=_NOT_ENDED,
              postgresql_where=_NOT_ENDED),
    )  # fmt: skip

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    # Nobody, where it was made at the console.
    made_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    # Used, or taken back because a newer one was made.
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SecondFactor(Audited, Base):
    """A passkey, or an app that shows codes; only what proves it is kept, and a code's seed sealed.

    `used_step` is the newest time step of a code that was taken: no code is taken twice (RFC 6238,
    section 5.2). A passkey has a credential id and a public key instead of a seed.
    """

    __tablename__ = "second_factor"
    __table_args__ = (Index("ix_second_factor_account_id", "account_id", "added_at"),)

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str] = mapped_column(String(16))
    seed: Mapped[bytes | None] = mapped_column(LargeBinary)
    used_step: Mapped[int | None] = mapped_column(BigInteger)
    credential_id: Mapped[bytes | None] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(Integer, default=0)
    added_at: Mapped[Moment]
    # Until the person has shown that it works, it is worth nothing.
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Audited, Base):
    """One of the codes on paper that stand in, once each, for a lost second factor.

    Its hash is sealed: unlike a hash that is made with a key, it can be moved to a new key.
    """

    __tablename__ = "recovery_code"
    __table_args__ = (Index("ix_recovery_code_account_id", "account_id", "made_at"),)

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    sealed_hash: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignInDelay(Base):
    """How long whoever failed to sign in waits, by a keyed hash of account and network.

    Not an audited table: every failed sign-in is in the log, and what is here is forgotten again.
    """

    __tablename__ = "sign_in_delay"
    __table_args__ = (Index("ix_sign_in_delay_failed_at", "failed_at"),)

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    waits_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When this account last came in from this network: a stranger elsewhere cannot lock it out.
    succeeded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
