"""Accounts: how one is made and how its address is kept, and signing in and out."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select

from nrm.audit.actions import Action, Outcome
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import InvalidInputError, Subject
from nrm.domain.roles import HOUSEKEEPING, HUMAN_ROLES, Actor, Role
from nrm.domain.text import N_
from nrm.models import Account, Organisation
from nrm.security import passwords
from nrm.services import sessions
from nrm.services.audit import record, record_alone

# How long a password may be, for the forms that ask for one.
SHORTEST, LONGEST = passwords.SHORTEST, passwords.LONGEST


@dataclass(frozen=True)
class NewAccount:
    """What a new account is made of. Without a password, its person chooses one by a link."""

    name: str
    email: str
    organisation_id: UUID
    role: Role
    password: str | None = None


def sign_in(email: str, password: str, old_session: UUID | None) -> sessions.Opened | None:
    """Check who it is and open a new sitting; None where e-mail and password do not belong.

    The sitting in which the form was shown ends: a token known before must not be one after.
    """
    account = db.session.scalars(
        select(Account).where(Account.email == normalised(email))
    ).one_or_none()
    right = passwords.verify_password(password, account.password_hash if account else None)
    if account is None or not right or account.disabled_at is not None:
        who = Subject("account", account.id if account is not None else None)
        record_alone(HOUSEKEEPING, Action.SESSION_FAIL, who, Outcome.FAILED)
        return None
    with unit_of_work() as unit:
        opened = sessions.open_for(unit, account.id, old_session)
        kept = db.session.get_one(Account, account.id)
        kept.seen_at = unit.now
        if passwords.needs_rehash(account.password_hash):
            kept.password_hash = passwords.hash_password(password)
        actor = Actor(account.id, account.organisation_id, account.role, opened.reference)
        record(unit, actor, Action.SESSION_SIGN_IN, Subject("account", account.id))
        return opened


def sign_out(actor: Actor, session_id: UUID) -> None:
    """End one's sitting."""
    with unit_of_work() as unit:
        sessions.end(session_id)
        record(unit, actor, Action.SESSION_SIGN_OUT, Subject("account", actor.id))


def add_account(unit: Unit, new: NewAccount) -> Account:
    """Add an account within an act that is recorded by its caller."""
    email = normalised(new.email)
    if new.role not in HUMAN_ROLES:
        raise InvalidInputError("role", N_("Choose a role."))
    home = db.session.get(Organisation, new.organisation_id)
    if home is None:
        raise InvalidInputError("organisation", N_("Choose an organisation."))
    if db.session.scalars(select(Account.id).where(Account.email == email)).first() is not None:
        raise InvalidInputError("email", N_("An account with this e-mail address exists already."))
    about = (email, new.name, home.name)
    account = Account(
        id=uuid4(),
        organisation_id=new.organisation_id,
        name=new.name,
        email=email,
        role=new.role,
        password_hash="" if new.password is None else hashed(new.password, about),
        created_at=unit.now,
    )
    db.session.add(account)
    return account


def hashed(password: str, about: Iterable[str]) -> str:
    """Hash a password that somebody chose, unless the rules for passwords refuse it.

    `about` is what others know of its person, which makes a poor password.
    """
    del about
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInputError("password", N_("A password has between 12 and 256 characters."))
    return passwords.hash_password(password)


def normalised(email: str) -> str:
    """Write an address the one way in which it is kept and compared."""
    return email.strip().casefold()
