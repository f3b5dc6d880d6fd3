"""Invitations: a link that works once, with which a person chooses a password themselves.

No password is ever sent, and no administrator ever types one. The link is shown to whoever makes
it once and kept nowhere: we keep its SHA-256, so that a stolen database lets nobody in.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update

from nrm.audit.actions import Action, Outcome
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import InvalidInputError, LinkOverError, NotFoundError, Subject
from nrm.domain.policy import AccountStanding, holds, require
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission
from nrm.domain.staff import INVITATION_LASTS
from nrm.domain.text import N_
from nrm.models import Account, Invitation, Organisation
from nrm.services import (
    accounts,
    federation,
    notices,
    organisations,
    people,
    role_changes,
    sessions,
)
from nrm.services.accounts import NewAccount
from nrm.services.audit import record, record_alone

_TOKEN_BYTES = 32
# Why a link is no longer good, as the log says it; to whoever holds it they all look the same.
_EXPIRED, _ENDED, _DISABLED = "expired", "ended", "disabled"


@dataclass(frozen=True)
class Link:
    """A new link; its token is told once and kept nowhere."""

    account_id: UUID
    email: str
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Made:
    """What became of an invitation: a link, or none yet, because a second person is asked first."""

    account_id: UUID
    link: Link | None


@dataclass(frozen=True)
class Guest:
    """Whose link it is, so that the person sees that it is theirs."""

    email: str
    # Whether the account had a password before: then this is a new one, not the first.
    known: bool


def invite(actor: Actor, new: NewAccount, *, form_id: UUID | None = None) -> Made:
    """Create an account in one role, and the link by which its person activates it.

    For a role that sees the whole country there is no link before a second person has agreed.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        home = db.session.get(Organisation, new.organisation_id)
        if home is None:
            raise InvalidInputError("organisation", N_("Choose an organisation."))
        role_changes.check_role(home, new.role, actor)
        # What is not there yet is towards everybody as it will be.
        standing = AccountStanding(Subject("account"), uuid4(), home.id, new.role)
        require(actor, Permission.ACCOUNT_MANAGE, standing)
        account = accounts.add_account(unit, new)
        db.session.flush()
        record(unit, actor, Action.ACCOUNT_CREATE, Subject("account", account.id))
        unit.outcome = str(account.id)
        return Made(account.id, _link_or_request(unit, actor, account))


def _link_or_request(unit: Unit, actor: Actor, account: Account) -> Link | None:
    """Make a link, or ask a second person where nobody gives such an account alone."""
    if role_changes.waits_for_approval(account):
        role_changes.ask_for(unit, actor, account, account.role)
        return None
    return add_link(unit, account, actor)


def homes(actor: Actor) -> Sequence[Organisation]:
    """List the organisations in which somebody makes accounts: all, or their own."""
    require(actor, Permission.ACCOUNT_MANAGE)
    if holds(actor, Permission.ORGANISATION_MANAGE):
        return organisations.every()
    own = select(Organisation).where(Organisation.id == actor.organisation_id)
    return db.session.scalars(own).all()


def renew(
    actor: Actor, account_id: UUID, *, taken_over: bool = False, form_id: UUID | None = None
) -> Made:
    """Make a new link for somebody who lost the old one, or forgot the password.

    The password of before is good until the link is used, so that nobody is shut out by a link
    that they did not ask for; unless somebody else may know it: then it ends at once.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        account = people.managed(unit, actor, account_id)
        if account.disabled_at is not None:
            raise InvalidInputError("account", N_("Enable the account first, then make a link."))
        people.refuse_taking_over(unit, actor, account, Action.ACCOUNT_RESET)
        if taken_over:
            people.refuse_last_administrator(account)
            account.password_hash = ""
            federation.forget(account.id)
            sessions.end_all(account.id)
        unit.outcome = str(account.id)
        made = Made(account.id, _link_or_request(unit, actor, account))
        if made.link is not None:
            purpose = people.TAKEN_OVER if taken_over else ""
            about = Subject("account", account.id)
            record(unit, actor, Action.ACCOUNT_INVITE, about, purpose=purpose)
        return made


def add_link(unit: Unit, account: Account, actor: Actor) -> Link:
    """End the older link and make a new one, within an act that is recorded by its caller."""
    people.end_links(unit, account.id)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    expires_at = unit.now + INVITATION_LASTS
    db.session.add(
        Invitation(
            id=uuid4(),
            account_id=account.id,
            token_hash=_hash(token),
            made_by_id=actor.id,
            made_at=unit.now,
            expires_at=expires_at,
        )
    )
    notices.tell_of_sign_in(unit, actor, account.id, "link_made")
    return Link(account.id, account.email, token, expires_at)


def guest(token: str) -> Guest:
    """Say whose link it is. Looking uses nothing up: what scans e-mail looks too.

    Raises LinkOverError where the link is no longer good, or never was one.
    """
    account = _account_of(token)
    return Guest(account.email, known=account.seen_at is not None)


def activate(token: str, password: str, *, form_id: UUID | None = None) -> None:
    """Choose a password with a link, which is used up by it; every sitting of before ends."""
    kept = _invitation(token)
    if kept is None:
        raise LinkOverError
    account = db.session.get_one(Account, kept.account_id)
    home = db.session.get_one(Organisation, account.organisation_id)
    hashed = accounts.hashed(password, (account.email, account.name, home.name))
    me = Actor(account.id, account.organisation_id, account.role)
    about = Subject("account", account.id)
    try:
        with unit_of_work(me, form_id) as unit:
            account = _use(unit, kept)
            account.password_hash = hashed
            sessions.end_all(account.id)
            record(unit, me, Action.ACCOUNT_ACTIVATE, about)
            notices.tell_of_sign_in(unit, me, account.id, "password_changed")
            unit.outcome = str(account.id)
    except LinkOverError as error:
        _tell(error)
        raise


def _use(unit: Unit, kept: Invitation) -> Account:
    """Use a link up: of two who try at once, one does. The account is held first, as always."""
    account = db.session.get_one(
        Account, kept.account_id, with_for_update=True, populate_existing=True
    )
    used = db.session.scalars(
        update(Invitation)
        .where(
            Invitation.id == kept.id,
            Invitation.ended_at.is_(None),
            Invitation.expires_at > unit.now,
        )
        .values(ended_at=unit.now)
        .returning(Invitation.account_id)
    ).one_or_none()
    if account.disabled_at is not None:
        raise LinkOverError(Subject("account", account.id), _DISABLED)
    if used is None:
        over = _EXPIRED if kept.expires_at <= unit.now else _ENDED
        raise LinkOverError(Subject("account", account.id), over)
    return account


def _account_of(token: str) -> Account:
    """Find the account of a link that is still good."""
    kept = _invitation(token)
    if kept is None:
        raise LinkOverError
    account = db.session.get_one(Account, kept.account_id)
    over = _why_over(kept, account, datetime.now(UTC))
    if over:
        error = LinkOverError(Subject("account", account.id), over)
        _tell(error)
        raise error
    return account


def _why_over(kept: Invitation, account: Account, now: datetime) -> str:
    if account.disabled_at is not None:
        return _DISABLED
    if kept.ended_at is not None:
        return _ENDED
    return _EXPIRED if kept.expires_at <= now else ""


def _tell(error: LinkOverError) -> None:
    """Write that a link was tried in vain; of one that never was, there is nothing to write."""
    record_alone(
        HOUSEKEEPING, Action.INVITATION_FAIL, error.subject, Outcome.FAILED, purpose=error.why
    )


def _invitation(token: str) -> Invitation | None:
    found = select(Invitation).where(Invitation.token_hash == _hash(token))
    return db.session.scalars(found).one_or_none()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def link_for(email: str) -> Link:
    """Make a new link at the console, for whoever lost everything and has no administrator."""
    with unit_of_work() as unit:
        found = select(Account).where(Account.email == accounts.normalised(email))
        account = db.session.scalars(found.with_for_update()).one_or_none()
        if account is None or account.disabled_at is not None:
            raise NotFoundError(Subject("account", account.id if account else None))
        link = add_link(unit, account, HOUSEKEEPING)
        record(unit, HOUSEKEEPING, Action.ACCOUNT_INVITE, Subject("account", account.id))
        return link
