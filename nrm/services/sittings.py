"""Where somebody is signed in: their own list, and the administrator's of a person; ending them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.models import Account, AuthSession
from nrm.services import people, sessions
from nrm.services.audit import record


@dataclass(frozen=True)
class Place:
    """One sitting of somebody, as they would tell it."""

    id: UUID
    # Which browser on which system; empty where that is not known.
    device: str
    since: datetime
    # To the minute or so: the clock of a sitting moves once a minute.
    seen_at: datetime
    # Whether it is the one in which the list is read.
    here: bool


def own(actor: Actor, limits: sessions.Limits) -> list[Place]:
    """List where one is signed in oneself, the newest first."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work() as unit:
        places = _places(unit, actor, db.session.get_one(Account, actor.id), limits)
        counts = {"sittings": len(places)}
        record(unit, actor, Action.SESSION_LIST, Subject("account", actor.id), counts=counts)
        return places


def end_own(actor: Actor, sitting_id: UUID, *, form_id: UUID | None = None) -> None:
    """End one of one's own sittings, at another browser: a phone that was lost."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work(actor, form_id) as unit:
        account_id = db.session.get_one(Account, actor.id).id
        _end(account_id, sitting_id)
        record(unit, actor, Action.SESSION_END, Subject("account", account_id))
        unit.outcome = str(account_id)


def end_own_others(actor: Actor, sitting_id: UUID, *, form_id: UUID | None = None) -> None:
    """End all of one's own sittings but the one in which one asks for it."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work(actor, form_id) as unit:
        account_id = db.session.get_one(Account, actor.id).id
        counts = {"sittings": sessions.end_others(account_id, sitting_id)}
        record(unit, actor, Action.SESSION_END, Subject("account", account_id), counts=counts)
        unit.outcome = str(account_id)


def of_person(
    actor: Actor, account_id: UUID, limits: sessions.Limits
) -> tuple[Account, Sequence[Place]]:
    """List where somebody is signed in, for whoever keeps their account: (account, places)."""
    with unit_of_work() as unit:
        account = kept_account(actor, account_id)
        places = _places(unit, actor, account, limits)
        counts = {"sittings": len(places)}
        record(unit, actor, Action.SESSION_LIST, Subject("account", account.id), counts=counts)
        return account, places


def end_of_person(
    actor: Actor, account_id: UUID, sitting_id: UUID, *, form_id: UUID | None = None
) -> None:
    """End one sitting of somebody whose account one keeps."""
    with unit_of_work(actor, form_id) as unit:
        account = kept_account(actor, account_id)
        _end(account.id, sitting_id)
        record(unit, actor, Action.SESSION_END, Subject("account", account.id))
        unit.outcome = str(account.id)


def end_all_of_person(actor: Actor, account_id: UUID, *, form_id: UUID | None = None) -> None:
    """Sign somebody out everywhere, whose account stays as it is."""
    with unit_of_work(actor, form_id) as unit:
        account = kept_account(actor, account_id)
        counts = {"sittings": sessions.end_all(account.id)}
        record(unit, actor, Action.SESSION_END, Subject("account", account.id), counts=counts)
        unit.outcome = str(account.id)


def kept_account(actor: Actor, account_id: UUID) -> Account:
    """Fetch an account that the actor keeps, within the act of its caller.

    One's own is kept by somebody else: RefusedError. One of another organisation is not there for
    whoever keeps the accounts of theirs alone.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    return people.kept(db.session.get(Account, account_id), account_id, actor)


def _places(unit: Unit, actor: Actor, account: Account, limits: sessions.Limits) -> list[Place]:
    """List the sittings that are still good; what ran out and waits for housekeeping is not."""
    rows = db.session.scalars(
        select(AuthSession)
        .where(AuthSession.account_id == account.id)
        .order_by(AuthSession.seen_at.desc())
    )
    allowed = limits.of(account.role)
    places = [
        Place(
            row.id,
            row.device,
            row.created_at,
            row.seen_at,
            here=sessions.reference(row.id) == actor.session_ref,
        )
        for row in rows
        if allowed.allow(row, unit.now)
    ]
    # The one before one's eyes comes first, the others by when somebody was last there.
    return sorted(places, key=lambda place: not place.here)


def _end(account_id: UUID, sitting_id: UUID) -> None:
    found = db.session.scalars(
        select(AuthSession.id).where(
            AuthSession.id == sitting_id, AuthSession.account_id == account_id
        )
    ).one_or_none()
    if found is None:
        raise NotFoundError(Subject("account", account_id))
    sessions.end(found)
