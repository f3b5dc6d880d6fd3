"""Organisations, the accounts of their people, and sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, remote

from nrm.domain.roles import Role
from nrm.models.base import Audited, Base, Id, Moment, UtcDateTime, Word


class Organisation(Audited, Base):
    """An institution or service provider that has accounts."""

    __tablename__ = "organisation"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    district: Mapped[str] = mapped_column(String(8))
    is_provider: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[Moment]


class Account(Audited, Base):
    """One person's way in, in one role."""

    __tablename__ = "account"

    id: Mapped[Id]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    role: Mapped[Role] = mapped_column(Word(Role))
    # Empty until the person has chosen a password of their own.
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[Moment]
    # When the person last signed in; an account that nobody uses is disabled.
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # A code that says why; none where it was done before codes were asked for.
    disabled_for: Mapped[str | None] = mapped_column(String(32))
    # When it was last enabled again: from then on its days without a sign-in are counted.
    enabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Out of office: until then another coordinator looks after this one's cases too.
    away_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # An account's id; SQLite could only point to it by making a table anew that others point to.
    stand_in_id: Mapped[UUID | None] = mapped_column(Uuid)

    # Who stands in, for the pages that say so.
    stand_in: Mapped["Account | None"] = relationship(
        viewonly=True,
        primaryjoin=lambda: foreign(Account.stand_in_id) == remote(Account.id),
    )


class AuthSession(Base):
    """A sitting at a browser: only the hash of its token is kept, its data are sealed.

    Not an audited table: signing in and out are acts and logged as such, the idle clock is not.
    """

    __tablename__ = "auth_session"
    __table_args__ = (Index("ix_auth_session_expires_at", "expires_at"),)

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    # When the second factor was last shown; sensitive acts want it to be a short while ago.
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # As a person would tell it: Firefox on Android.
    device: Mapped[str] = mapped_column(String(60), default="")
    data: Mapped[bytes] = mapped_column(LargeBinary)
