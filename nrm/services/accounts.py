"""Accounts: how one is made, and how its address and its password are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import func, select

from nrm.db import Unit, db
from nrm.domain.errors import InvalidInputError
from nrm.domain.roles import HUMAN_ROLES, Actor, Role
from nrm.domain.text import N_
from nrm.models import Account, Organisation
from nrm.security import passwords

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
    return passwords.hash_new(password, about)


def keeps_passwords() -> bool:
    """Say whether this process may write a password's hash: the one for readers may not."""
    if db.engine.dialect.name == "sqlite":
        return True
    may = func.has_column_privilege("account", "password_hash", "UPDATE")
    return bool(db.session.scalar(select(may)))


def held(account_id: UUID | None) -> Account | None:
    """Return an account as it is now, and let nobody else change it within the caller's act."""
    if account_id is None:
        return None
    # The weakest lock: whoever points to the account, as every act does, does not wait.
    return db.session.get(
        Account, account_id, with_for_update={"key_share": True}, populate_existing=True
    )


def normalised(email: str) -> str:
    """Write an address the one way in which it is kept and compared."""
    return email.strip().casefold()


def email_of(actor: Actor) -> str:
    """Return the actor's own e-mail address, which an app on a telephone is labelled with."""
    return db.session.scalar(select(Account.email).where(Account.id == actor.id)) or ""
