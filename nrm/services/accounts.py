"""Accounts: signing in, and the people and organisations that the administrator keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import Select, select

from nrm.audit.actions import Action, Outcome
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import HOUSEKEEPING, HUMAN_ROLES, Actor, Permission, Role
from nrm.domain.text import N_
from nrm.domain.vocabulary import ORGANISATION_TYPE
from nrm.models import Account, Organisation
from nrm.security import passwords
from nrm.services import sessions
from nrm.services.audit import record, record_alone

PAGE = 50


@dataclass(frozen=True)
class Person:
    """An account with its organisation's name."""

    account: Account
    organisation: str


@dataclass(frozen=True)
class NewAccount:
    """What an administrator enters for a new account."""

    name: str
    email: str
    organisation_id: UUID
    role: Role
    password: str


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
        if passwords.needs_rehash(account.password_hash):
            kept = db.session.get_one(Account, account.id)
            kept.password_hash = passwords.hash_password(password)
        actor = Actor(account.id, account.organisation_id, account.role, opened.reference)
        record(unit, actor, Action.SESSION_SIGN_IN, Subject("account", account.id))
        return opened


def sign_out(actor: Actor, session_id: UUID) -> None:
    """End one's sitting."""
    with unit_of_work() as unit:
        sessions.end(session_id)
        record(unit, actor, Action.SESSION_SIGN_OUT, Subject("account", actor.id))


def people(actor: Actor, after: UUID | None = None) -> tuple[list[Person], UUID | None]:
    """List accounts by e-mail; returns (people, after which account the next page begins)."""
    require(actor, Permission.ACCOUNT_MANAGE)
    query = _people().order_by(Account.email).limit(PAGE + 1)
    if after is not None:
        # The page is named by an id, so that no address of a person stands in one of ours.
        last = select(Account.email).where(Account.id == after)
        query = query.where(Account.email > last.scalar_subquery())
    with unit_of_work() as unit:
        rows = db.session.execute(query).all()
        shown = [Person(account, name) for account, name in rows[:PAGE]]
        record(unit, actor, Action.ACCOUNT_LIST, counts={"accounts": len(shown)})
    return shown, shown[-1].account.id if len(rows) > PAGE else None


def person(actor: Actor, account_id: UUID) -> Person:
    """Return one account."""
    require(actor, Permission.ACCOUNT_MANAGE)
    row = db.session.execute(_people().where(Account.id == account_id)).one_or_none()
    if row is None:
        raise NotFoundError(Subject("account"))
    return Person(row[0], row[1])


def _people() -> Select[Account, str]:
    return select(Account, Organisation.name).join(
        Organisation, Organisation.id == Account.organisation_id
    )


def organisations() -> Sequence[Organisation]:
    """Return every organisation by name."""
    return db.session.scalars(select(Organisation).order_by(Organisation.name)).all()


def create_account(actor: Actor, new: NewAccount, *, form_id: UUID | None = None) -> UUID:
    """Create an account in one role."""
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        account = add_account(unit, new)
        record(unit, actor, Action.ACCOUNT_CREATE, Subject("account", account.id))
        unit.outcome = str(account.id)
        return account.id


def add_account(unit: Unit, new: NewAccount) -> Account:
    """Add an account within an act that is recorded by its caller."""
    email = normalised(new.email)
    if new.role not in HUMAN_ROLES:
        raise InvalidInputError("role", N_("Choose a role."))
    organisation = db.session.get(Organisation, new.organisation_id)
    if organisation is None:
        raise InvalidInputError("organisation", N_("Choose an organisation."))
    if db.session.scalars(select(Account.id).where(Account.email == email)).first() is not None:
        raise InvalidInputError("email", N_("An account with this e-mail address exists already."))
    account = Account(
        id=uuid4(),
        organisation_id=new.organisation_id,
        name=new.name,
        email=email,
        role=new.role,
        password_hash=passwords.hash_new(new.password, (email, new.name, organisation.name)),
        created_at=unit.now,
    )
    db.session.add(account)
    return account


def disable(actor: Actor, account_id: UUID, *, form_id: UUID | None = None) -> None:
    """Disable an account and end its sittings at once; what it did stays on record."""
    _switch(actor, account_id, Action.ACCOUNT_DISABLE, form_id)


def enable(actor: Actor, account_id: UUID, *, form_id: UUID | None = None) -> None:
    """Let a disabled account sign in again."""
    _switch(actor, account_id, Action.ACCOUNT_ENABLE, form_id)


def _switch(actor: Actor, account_id: UUID, action: Action, form_id: UUID | None) -> None:
    require(actor, Permission.ACCOUNT_MANAGE)
    if account_id == actor.id:
        raise InvalidInputError("account", N_("You cannot disable your own account."))
    with unit_of_work(actor, form_id) as unit:
        account = db.session.get(Account, account_id)
        if account is None:
            raise NotFoundError(Subject("account"))
        if action is Action.ACCOUNT_DISABLE:
            account.disabled_at = account.disabled_at or unit.now
            sessions.end_all(account.id)
        else:
            account.disabled_at = None
        record(unit, actor, action, Subject("account", account.id))
        unit.outcome = str(account.id)


def create_organisation(
    actor: Actor,
    name: str,
    kind: str,
    district: str,
    *,
    is_provider: bool,
    form_id: UUID | None = None,
) -> UUID:
    """Create an organisation to which accounts can belong."""
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        organisation = add_organisation(unit, name, kind, district, is_provider=is_provider)
        record(unit, actor, Action.ORGANISATION_CREATE, Subject("organisation", organisation.id))
        unit.outcome = str(organisation.id)
        return organisation.id


def add_organisation(
    unit: Unit, name: str, kind: str, district: str, *, is_provider: bool
) -> Organisation:
    """Add an organisation within an act that is recorded by its caller."""
    if kind not in ORGANISATION_TYPE:
        raise InvalidInputError("kind", N_("Choose what kind of organisation it is."))
    if db.session.scalars(select(Organisation.id).where(Organisation.name == name)).first():
        raise InvalidInputError("name", N_("An organisation with this name exists already."))
    organisation = Organisation(
        id=uuid4(),
        name=name,
        kind=kind,
        district=district,
        is_provider=is_provider,
        created_at=unit.now,
    )
    db.session.add(organisation)
    # Accounts and listings point to the organisation.
    db.session.flush()
    return organisation


def normalised(email: str) -> str:
    """Write an address the one way in which it is kept and compared."""
    return email.strip().casefold()
