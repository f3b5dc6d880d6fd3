"""Sittings: kept on the server, known to the browser only by a random token."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, and_, delete, or_, select, update

from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import DamagedError, LockedError
from nrm.domain.roles import HUMAN_ROLES, Actor, Role
from nrm.domain.sitting import LASTS
from nrm.models import Account, AuthSession, Organisation
from nrm.security.keyring import Purpose
from nrm.security.sealing import Place, seal, sealed_key_id, unseal
from nrm.services import keys, notices

# The idle clock is written at most this often: a click is not worth a write.
_TOUCH_EVERY = timedelta(minutes=1)
_TOKEN_BYTES = 32
# A sensitive act wants a second factor that was shown no longer ago than this.
CONFIRMED_FOR = timedelta(minutes=10)


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
class Limits:
    """How long a sitting lasts without a click, and at most."""

    idle: timedelta
    absolute: timedelta

    def of(self, role: Role | None) -> "Limits":
        """Return the limits of a role: its own, or these where they are shorter."""
        if role is None:
            return self
        own = LASTS[role]
        return Limits(min(self.idle, own.idle), min(self.absolute, own.absolute))

    def allow(self, kept: AuthSession, now: datetime) -> bool:
        """Say whether a sitting can still go on, with these as its role's limits."""
        ends_at = min(kept.expires_at, kept.created_at + self.absolute)
        return now < ends_at and now < kept.seen_at + self.idle


# Of a sitting that is only just opened, nothing is asked yet.
_END = datetime.max.replace(tzinfo=UTC)
_NO_LIMITS = Limits(timedelta.max, timedelta.max)


@dataclass(frozen=True)
class Sitting:
    """A sitting that is still good."""

    id: UUID
    data: dict[str, Any]
    viewer: Viewer | None
    seen_at: datetime
    # When it ends however often one clicks, and when it would end without a click.
    ends_at: datetime = _END
    limits: Limits = _NO_LIMITS
    device: str = ""


class Click(Enum):
    """What a request says of the person before the screen."""

    # A page was asked for, or a form sent.
    USUAL = auto()
    # They pressed the button that keeps them signed in.
    PRESSED = auto()
    # The page asked by itself: nobody need be there.
    NONE = auto()


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


def open_for(
    unit: Unit, account_id: UUID, old_session: UUID | None, *, confirmed: bool = True
) -> Opened:
    """Open a sitting for an account and end the one in which the form was shown.

    Whoever opens one has shown a second factor of ours just now, or else is not `confirmed`.
    """
    if old_session is not None:
        end(old_session)
    return _open(unit, account_id, {}, _ABSOLUTE, confirmed=confirmed)


# The longest that any sitting lasts; the web layer's own limit may only be shorter.
_ABSOLUTE = timedelta(hours=24)


def _open(
    unit: Unit,
    account_id: UUID | None,
    data: dict[str, Any],
    lasts: timedelta,
    *,
    confirmed: bool = False,
) -> Opened:
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
            confirmed_at=unit.now if confirmed else None,
            data=_seal(session_id, data),
        )
    )
    db.session.flush()
    return Opened(session_id, token, reference(session_id))


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
    session, account, organisation, unseen = row
    own = limits.of(account.role if session.account_id is not None else None)
    if not own.allow(session, datetime.now(UTC)):
        return None
    if session.account_id is not None and account.disabled_at is not None:
        return None
    try:
        data = _unseal(session)
    except (DamagedError, LockedError):
        return None
    viewer = None
    if session.account_id is not None:
        named = reference(session.id)
        actor = Actor(account.id, account.organisation_id, account.role, named)
        viewer = Viewer(actor, account.name, organisation, notices.is_for(unseen, named))
    ends_at = min(session.expires_at, session.created_at + own.absolute)
    return Sitting(session.id, data, viewer, session.seen_at, ends_at, own, session.device)


def save(
    sitting: Sitting, data: dict[str, Any] | None, click: Click = Click.USUAL, device: str = ""
) -> None:
    """Keep what the pages remember (none: nothing changed) and move the idle clock.

    What a page does by itself moves no clock: else an open page would keep its own sitting alive.
    """
    now = datetime.now(UTC)
    values: dict[str, Any] = {}
    if data is not None:
        values["data"] = _seal(sitting.id, data)
    if sitting.viewer is not None and device and not sitting.device:
        values["device"] = device
    if _moves_clock(click, now - sitting.seen_at, changed=bool(values)):
        values["seen_at"] = now
    if values:
        with unit_of_work():
            db.session.execute(
                update(AuthSession).where(AuthSession.id == sitting.id).values(**values)
            )


def _moves_clock(click: Click, since: timedelta, *, changed: bool) -> bool:
    if click is Click.USUAL:
        return changed or since >= _TOUCH_EVERY
    return click is Click.PRESSED


def is_confirmed(session_id: UUID) -> bool:
    """Say whether a second factor of ours was shown in this sitting a short while ago."""
    with unit_of_work() as unit:
        return confirmed(unit, session_id)


def confirmed(unit: Unit, session_id: UUID) -> bool:
    """Say the same within the act of a caller; a sitting that has ended is not confirmed."""
    asked = select(AuthSession.confirmed_at).where(AuthSession.id == session_id)
    at = db.session.scalar(asked)
    return at is not None and unit.now < at + CONFIRMED_FOR


def renew(session_id: UUID) -> str:
    """Give a sitting another token, within the act of its caller; returns it.

    Whoever proved again who they are goes on; whoever had copied the token is out.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    db.session.execute(
        update(AuthSession).where(AuthSession.id == session_id).values(token_hash=_hash(token))
    )
    return token


def end(session_id: UUID) -> None:
    """End a sitting within the act of its caller."""
    db.session.execute(delete(AuthSession).where(AuthSession.id == session_id))


def end_others(account_id: UUID, keep: UUID) -> int:
    """End every sitting of an account but one, within the act of its caller; says how many."""
    others = AuthSession.account_id == account_id, AuthSession.id != keep
    gone = db.session.execute(delete(AuthSession).where(*others).returning(AuthSession.id)).all()
    return len(gone)


def end_all(account_id: UUID) -> int:
    """End every sitting of an account within the act of its caller; says how many."""
    theirs = AuthSession.account_id == account_id
    gone = db.session.execute(delete(AuthSession).where(theirs).returning(AuthSession.id)).all()
    return len(gone)


def sweep(limits: Limits) -> int:
    """Remove the sittings that nobody can resume any more; returns how many."""
    with unit_of_work() as unit:
        gone = db.session.execute(
            delete(AuthSession)
            .where(
                or_(
                    _over(unit.now, limits),
                    *(
                        and_(AuthSession.account_id.in_(_in_role(role)), _over(unit.now, shorter))
                        for role in HUMAN_ROLES
                        if (shorter := limits.of(role)) != limits
                    ),
                )
            )
            .returning(AuthSession.id)
        ).all()
    return len(gone)


def _over(now: datetime, limits: Limits) -> ColumnElement[bool]:
    return or_(
        AuthSession.expires_at <= now,
        AuthSession.created_at <= now - limits.absolute,
        AuthSession.seen_at <= now - limits.idle,
    )


def _in_role(role: Role) -> Select[UUID]:
    return select(Account.id).where(Account.role == role)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def reference(session_id: UUID) -> str:
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
