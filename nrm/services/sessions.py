"""Sittings: kept on the server, known to the browser only by a random token."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update

from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import DamagedError, LockedError
from nrm.domain.roles import Actor
from nrm.models import Account, AuthSession, Organisation
from nrm.security.keyring import Purpose
from nrm.security.sealing import Place, seal, sealed_key_id, unseal
from nrm.services import keys, notices

# The idle clock is written at most this often: a click is not worth a write.
_TOUCH_EVERY = timedelta(minutes=1)
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Viewer:
    """Who is signed in, as the pages name them."""

    actor: Actor
    name: str
    organisation_name: str
    # Whether there is something that they have not been told yet.
    to_know: bool = False


@dataclass(frozen=True)
class Opened:
    """A new sitting; the token is shown to the browser once and kept nowhere."""

    id: UUID
    token: str
    reference: str


@dataclass(frozen=True)
class Sitting:
    """A sitting that is still good."""

    id: UUID
    data: dict[str, Any]
    viewer: Viewer | None
    seen_at: datetime


@dataclass(frozen=True)
class Limits:
    """How long a sitting lasts without a click, and at most."""

    idle: timedelta
    absolute: timedelta


def open_anonymous(data: dict[str, Any], limits: Limits) -> Opened:
    """Open a sitting for someone who has not signed in, so that forms can be protected."""
    with unit_of_work() as unit:
        return _open(unit, None, data, limits.absolute)


def open_waiting(unit: Unit, data: dict[str, Any], old_session: UUID | None) -> Opened:
    """Open a sitting in which nobody is signed in yet, and end the one before it."""
    if old_session is not None:
        end(old_session)
    return _open(unit, None, data, _ABSOLUTE)


def confirm(unit: Unit, session_id: UUID) -> str:
    """Note that a second factor was shown, within the act of a caller; returns a new token."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    db.session.execute(
        update(AuthSession)
        .where(AuthSession.id == session_id)
        .values(token_hash=_hash(token), confirmed_at=unit.now)
    )
    return token


def open_for(unit: Unit, account_id: UUID, old_session: UUID | None) -> Opened:
    """Open a sitting for an account and end the one in which the form was shown.

    Whoever opens one has shown a second factor just now.
    """
    if old_session is not None:
        end(old_session)
    return _open(unit, account_id, {}, _ABSOLUTE)


# The longest that any sitting lasts; the web layer's own limit may only be shorter.
_ABSOLUTE = timedelta(hours=24)


def _open(unit: Unit, account_id: UUID | None, data: dict[str, Any], lasts: timedelta) -> Opened:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session_id = uuid4()
    db.session.add(
        AuthSession(
            id=session_id,
            token_hash=_hash(token),
            account_id=account_id,
            created_at=unit.now,
            seen_at=unit.now,
            expires_at=unit.now + lasts,
            confirmed_at=unit.now if account_id is not None else None,
            data=_seal(session_id, data),
        )
    )
    db.session.flush()
    return Opened(session_id, token, _reference(session_id))


def resume(token: str, limits: Limits) -> Sitting | None:
    """Find the sitting of a token: none if unknown, idle or old, or if its account is disabled."""
    row = db.session.execute(
        select(AuthSession, Account, Organisation.name, notices.unseen())
        .outerjoin(Account, Account.id == AuthSession.account_id)
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .where(AuthSession.token_hash == _hash(token))
    ).one_or_none()
    if row is None:
        return None
    session, account, organisation, to_know = row
    now = datetime.now(UTC)
    too_old = now >= min(session.expires_at, session.created_at + limits.absolute)
    if too_old or now >= session.seen_at + limits.idle:
        return None
    if session.account_id is not None and account.disabled_at is not None:
        return None
    try:
        data = _unseal(session)
    except (DamagedError, LockedError):
        return None
    viewer = None
    if session.account_id is not None:
        actor = Actor(account.id, account.organisation_id, account.role, _reference(session.id))
        viewer = Viewer(actor, account.name, organisation, to_know)
    return Sitting(session.id, data, viewer, session.seen_at)


def save(sitting: Sitting, data: dict[str, Any] | None) -> None:
    """Keep what the pages remember (none: nothing changed) and move the idle clock."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {}
    if data is not None:
        values["data"] = _seal(sitting.id, data)
    if values or now - sitting.seen_at >= _TOUCH_EVERY:
        values["seen_at"] = now
    if values:
        with unit_of_work():
            db.session.execute(
                update(AuthSession).where(AuthSession.id == sitting.id).values(**values)
            )


def end(session_id: UUID) -> None:
    """End a sitting within the act of its caller."""
    db.session.execute(delete(AuthSession).where(AuthSession.id == session_id))


def end_all(account_id: UUID) -> None:
    """End every sitting of an account within the act of its caller."""
    db.session.execute(delete(AuthSession).where(AuthSession.account_id == account_id))


def sweep(limits: Limits) -> int:
    """Remove the sittings that nobody can resume any more; returns how many."""
    with unit_of_work() as unit:
        gone = db.session.execute(
            delete(AuthSession)
            .where(
                (AuthSession.expires_at <= unit.now)
                | (AuthSession.created_at <= unit.now - limits.absolute)
                | (AuthSession.seen_at <= unit.now - limits.idle)
            )
            .returning(AuthSession.id)
        ).all()
    return len(gone)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _reference(session_id: UUID) -> str:
    """Name a sitting in the log so that only the holder of the key can tell which it was."""
    return keys.keyring().fingerprint(Purpose.SESSION, "log reference", session_id.bytes).hex()


def _seal(session_id: UUID, data: dict[str, Any]) -> bytes:
    ring_id, key = keys.keyring().derived(Purpose.SESSION, "data")
    return seal(key, Place(AuthSession.__tablename__, session_id, "data", 1, ring_id), data)


def _unseal(session: AuthSession) -> dict[str, Any]:
    ring_id = sealed_key_id(session.data)
    key = keys.derived_from(ring_id, Purpose.SESSION, "data")
    place = Place(AuthSession.__tablename__, session.id, "data", 1, ring_id)
    return unseal(key, place, session.data)
