"""Signing in: a password, then a second factor, and nobody is signed in between the two.

Another institution's sign-in can stand for the password and, where it asked for one, for both.

What is known after the password is kept, sealed, in the sitting of a browser that nobody is signed
in at; every step gives the browser a new token. Whatever is wrong with an e-mail address and its
password, it costs one verification of a password and gets the same answer.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from nrm.audit.actions import Action, Outcome
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import (
    FederationError,
    NotFoundError,
    StartAgainError,
    Subject,
    WrongFactorError,
)
from nrm.domain.roles import HOUSEKEEPING, Actor
from nrm.models import Account
from nrm.security import passwords
from nrm.security import second_factor as codes
from nrm.security.openid import Identity
from nrm.services import accounts, delays, federation, second_factor, sessions
from nrm.services.accounts import keeps_passwords, normalised
from nrm.services.audit import record, record_alone
from nrm.services.delays import Step
from nrm.services.second_factor import PasskeyAnswer, Proven, Shown

# Between the password and the second factor: long enough to find the telephone.
_PATIENCE = timedelta(minutes=10)
# How the sitting remembers who has given their password.
KEPT_AS = "sign_in"
# How the log says that somebody came by another institution's sign-in.
_FEDERATED = "federated"


@dataclass(frozen=True)
class Waiting:
    """Somebody whose password was right, and who is not signed in."""

    account_id: UUID
    email: str
    name: str
    # Whether a second factor has to be set up first, and the seed that is offered for it.
    seed: str | None


@dataclass(frozen=True)
class SignedIn:
    """A new sitting, what opened it, and the recovery codes that are shown once."""

    opened: sessions.Opened
    proven: Proven
    recovery_codes: list[str]


def password(email: str, typed: str, address: str, old: UUID | None) -> sessions.Opened | None:
    """Check a password; None where it does not belong to the e-mail address.

    Else a new sitting for the same browser, in which nobody is signed in yet.
    """
    who = normalised(email)
    delays.begin(Step.PASSWORD, who, address)
    account = db.session.scalars(select(Account).where(Account.email == who)).one_or_none()
    right = passwords.verify_password(typed, account.password_hash if account else None)
    if account is None or not right or account.disabled_at is not None:
        about = Subject("account", account.id if account is not None else None)
        record_alone(HOUSEKEEPING, Action.SESSION_FAIL, about, Outcome.FAILED, purpose="password")
        return None
    with unit_of_work() as unit:
        delays.right(unit, Step.PASSWORD, who, address)
        kept = db.session.get_one(Account, account.id)
        if passwords.needs_rehash(kept.password_hash) and keeps_passwords():
            kept.password_hash = passwords.hash_password(typed)
        opened = sessions.open_waiting(unit, {KEPT_AS: _remembered(unit, kept)}, old)
        record(unit, HOUSEKEEPING, Action.SESSION_BEGIN, Subject("account", kept.id))
        return opened


def federated(found: Identity, address: str, old: UUID | None) -> sessions.Opened | SignedIn:
    """Let in whom another institution knows, or ask for the second factor if it did not.

    Raises FederationError where nobody here is connected, in the same words as for the disabled.
    """
    try:
        with unit_of_work() as unit:
            connection = federation.used(unit, found)
            account = db.session.get_one(Account, connection.account_id)
            return _come_by(unit, account, address, old, strong=found.strong)
    except FederationError as error:
        federation.tell(error)
        raise


def _come_by(
    unit: Unit, account: Account, address: str, old: UUID | None, *, strong: bool
) -> sessions.Opened | SignedIn:
    if not strong or second_factor.needed(account.id):
        opened = sessions.open_waiting(unit, {KEPT_AS: _remembered(unit, account)}, old)
        about = Subject("account", account.id)
        record(unit, HOUSEKEEPING, Action.SESSION_BEGIN, about, purpose=_FEDERATED)
        return opened
    # What is sensitive still wants a second factor of ours: theirs was shown elsewhere.
    opened = sessions.open_for(unit, account.id, old, confirmed=False)
    actor = Actor(account.id, account.organisation_id, account.role, opened.reference)
    _come_in(unit, account, address)
    _sign_in(unit, actor, Proven(_FEDERATED))
    return SignedIn(opened, Proven(_FEDERATED), [])


def _remembered(unit: Unit, account: Account) -> dict[str, str]:
    told = {
        "account": str(account.id),
        "until": (unit.now + _PATIENCE).isoformat(),
        "password": _mark(account),
    }
    if second_factor.needed(account.id):
        told["seed"] = codes.new_seed()
    return told


def _mark(account: Account) -> str:
    """Tell one password from the next: a step that is taken after a change is worth nothing."""
    return hashlib.sha256(account.password_hash.encode()).hexdigest()


def waiting(data: dict[str, Any]) -> Waiting:
    """Say who is waiting in this sitting; raises StartAgainError where nobody is, or too long."""
    with unit_of_work() as unit:
        account = _waiting(unit, data)
        return _told(account, data)


def _waiting(unit: Unit, data: dict[str, Any]) -> Account:
    told = data.get(KEPT_AS)
    if not told or unit.now >= datetime.fromisoformat(told["until"]):
        raise StartAgainError("nobody is waiting")
    account = db.session.get(Account, UUID(told["account"]))
    if account is None or account.disabled_at is not None or _mark(account) != told["password"]:
        raise StartAgainError("not any more")
    if "seed" not in told and second_factor.needed(account.id):
        # Reset while they waited: no code is right any more, and the first step leads to a new one.
        raise StartAgainError("reset meanwhile")
    return account


def _told(account: Account, data: dict[str, Any]) -> Waiting:
    seed = data[KEPT_AS].get("seed")
    return Waiting(account.id, account.email, account.name, seed)


def second(data: dict[str, Any], shown: Shown, address: str, old: UUID) -> SignedIn:
    """Check a second factor and open the sitting; raises WrongFactorError where it is wrong.

    The factor is used up in the transaction that opens the sitting, so it opens one.
    """
    who = waiting(data)
    _count(who.email, shown, address)
    try:
        with unit_of_work() as unit:
            account = _waiting(unit, data)
            opened = sessions.open_for(unit, account.id, old)
            actor = Actor(account.id, account.organisation_id, account.role, opened.reference)
            proven = second_factor.prove(unit, actor, shown)
            _let_in(unit, account, shown, address)
            _sign_in(unit, actor, proven)
            return SignedIn(opened, proven, [])
    except WrongFactorError as wrong:
        _failed(HOUSEKEEPING, Action.SESSION_FAIL, who.account_id, wrong)
        raise


def set_up(data: dict[str, Any], typed: str, address: str, old: UUID) -> SignedIn:
    """Take up the first app of an account by its first code, make recovery codes, and sign in."""
    who = waiting(data)
    if who.seed is None:
        raise StartAgainError("nothing to set up")
    _count(who.email, second_factor.Code(typed), address)
    try:
        with unit_of_work() as unit:
            account = _waiting(unit, data)
            accounts.held(account.id)
            if not second_factor.needed(account.id):
                # Set up in another window meanwhile: what that window did counts.
                raise StartAgainError("set up already")
            opened = sessions.open_for(unit, account.id, old)
            actor = Actor(account.id, account.organisation_id, account.role, opened.reference)
            second_factor.first_app(unit, actor, who.seed, typed)
            made = second_factor.new_codes(unit, actor)
            _let_in(unit, account, second_factor.Code(typed), address)
            proven = Proven(second_factor.FactorKind.APP)
            _sign_in(unit, actor, proven)
            return SignedIn(opened, proven, made)
    except WrongFactorError as wrong:
        _failed(HOUSEKEEPING, Action.SESSION_FAIL, who.account_id, wrong)
        raise


def _let_in(unit: Unit, account: Account, shown: Shown, address: str) -> None:
    if not isinstance(shown, PasskeyAnswer):
        delays.right(unit, Step.CODE, account.email, address)
    _come_in(unit, account, address)


def _come_in(unit: Unit, account: Account, address: str) -> None:
    delays.came_in(unit, account.email, address)
    account.seen_at = unit.now


def _sign_in(unit: Unit, actor: Actor, proven: Proven) -> None:
    about = Subject("account", actor.id)
    record(unit, actor, Action.SESSION_SIGN_IN, about, purpose=proven.by)


def confirm(actor: Actor, sitting: UUID, shown: Shown, address: str) -> tuple[str, Proven]:
    """Show a second factor once more in a sitting; returns its new token, and what was shown."""
    account = db.session.get(Account, actor.id)
    if account is None:
        raise NotFoundError(Subject("account"))
    _count(account.email, shown, address)
    try:
        with unit_of_work() as unit:
            account = db.session.get_one(Account, actor.id)
            proven = second_factor.prove(unit, actor, shown)
            if not isinstance(shown, PasskeyAnswer):
                delays.right(unit, Step.CODE, account.email, address)
            token = sessions.confirm(unit, sitting)
            about = Subject("account", actor.id)
            record(unit, actor, Action.SESSION_CONFIRM, about, purpose=proven.by)
            return token, proven
    except WrongFactorError as wrong:
        _failed(actor, Action.SESSION_CONFIRM, account.id, wrong)
        raise


def sign_out(actor: Actor, sitting: UUID) -> None:
    """End one's sitting."""
    with unit_of_work() as unit:
        sessions.end(sitting)
        record(unit, actor, Action.SESSION_SIGN_OUT, Subject("account", actor.id))


def _count(email: str, shown: Shown, address: str) -> None:
    """Count a try of what can be guessed; nobody guesses a passkey, so nobody waits with one."""
    if not isinstance(shown, PasskeyAnswer):
        delays.begin(Step.CODE, email, address)


def _failed(actor: Actor, action: Action, account_id: UUID, wrong: WrongFactorError) -> None:
    """Write down that it failed and why: to whoever tries, every failure looks the same."""
    about = Subject("account", account_id)
    record_alone(actor, action, about, Outcome.FAILED, purpose=wrong.why)
