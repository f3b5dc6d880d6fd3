"""The people who have accounts: finding them, and shutting and opening their accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.approval import ApprovalKind
from nrm.domain.errors import InvalidInputError, NotFoundError, Subject
from nrm.domain.lifecycle import ApprovalState
from nrm.domain.policy import may, require
from nrm.domain.roles import Actor, Permission, Role
from nrm.domain.staff import INVITATION_LASTS, UNSEEN_AFTER, AccountState, LastSeen
from nrm.domain.text import N_
from nrm.domain.vocabulary import DISABLING
from nrm.models import (
    Account,
    Approval,
    AuditEntry,
    AuthSession,
    Invitation,
    Organisation,
    RecoveryCode,
    SecondFactor,
)
from nrm.services import federation, leavers, notices, sessions, visibility
from nrm.services.audit import record

PAGE = 50
# What housekeeping says when it disables an account; a person cannot say it.
DORMANT = "dormant"
TAKEN_OVER = "taken_over"


@dataclass(frozen=True)
class Person:
    """An account with its organisation's name."""

    account: Account
    organisation: str
    state: AccountState


@dataclass(frozen=True)
class Asked:
    """Whom a list is narrowed to: by how a name or an address begins, and by what they are."""

    text: str = ""
    organisation_id: UUID | None = None
    role: Role | None = None
    state: AccountState | None = None
    seen: LastSeen | None = None


@dataclass(frozen=True)
class Details:
    """What the page of one person shows beside the account: counts, and never what proves it."""

    person: Person
    organisation_kind: str
    # How many second factors of each kind, and how many recovery codes are left.
    factors: Mapping[str, int]
    recovery_codes: int
    # Whether another institution's sign-in stands for the password.
    connected: bool
    sittings: int
    link_until: datetime | None
    # A request for another role that waits for a second person.
    asked_role: UUID | None
    manageable: bool


def listed(
    actor: Actor, asked: Asked = Asked(), after: UUID | None = None
) -> tuple[list[Person], UUID | None]:
    """List accounts by e-mail; returns (people, after which account the next page begins)."""
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work() as unit:
        query = _shown(actor).where(*_narrowed(asked, unit.now)).order_by(Account.email)
        if after is not None:
            # The page is named by an id, so that no address of a person stands in one of ours.
            last = select(Account.email).where(Account.id == after)
            query = query.where(Account.email > last.scalar_subquery())
        rows = db.session.execute(query.limit(PAGE + 1)).all()
        shown = [
            Person(account, name, state_of(account, unit.now)) for account, name, _ in rows[:PAGE]
        ]
        # That there was a search, never what was typed.
        fields = [name for name, value in vars(asked).items() if value]
        counts = {"accounts": len(shown)}
        record(unit, actor, Action.ACCOUNT_LIST, fields=fields, counts=counts)
    return shown, shown[-1].account.id if len(rows) > PAGE else None


def _shown(actor: Actor) -> Select[Account, str, str]:
    """Select the accounts that the actor looks after, and their own, which somebody else does."""
    managed = visibility.visible_accounts(actor, Permission.ACCOUNT_MANAGE).subquery()
    return (
        select(Account, Organisation.name, Organisation.kind)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(or_(Account.id == actor.id, Account.id.in_(select(managed.c.id))))
    )


def _narrowed(asked: Asked, now: datetime) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if text := asked.text.strip().casefold():
        name = func.lower(Account.name)
        wanted.append(
            or_(
                name.startswith(text, autoescape=True),
                # People are looked for by any of their names.
                name.contains(f" {text}", autoescape=True),
                Account.email.startswith(text, autoescape=True),
            )
        )
    if asked.organisation_id is not None:
        wanted.append(Account.organisation_id == asked.organisation_id)
    if asked.role is not None:
        wanted.append(Account.role == asked.role)
    if asked.state is not None:
        wanted.append(_in_state(asked.state, now))
    if asked.seen is not None:
        wanted.append(_last_seen(asked.seen, now))
    return wanted


def _last_seen(when: LastSeen, now: datetime) -> ColumnElement[bool]:
    if when is LastSeen.NEVER:
        return Account.seen_at.is_(None)
    if when is LastSeen.LONGER:
        return Account.seen_at < now - timedelta(days=int(LastSeen.QUARTER))
    return Account.seen_at >= now - timedelta(days=int(when))


def _in_state(state: AccountState, now: datetime) -> ColumnElement[bool]:
    """Say in SQL what `state_of` says of one account."""
    enabled, chosen = Account.disabled_at.is_(None), Account.password_hash != ""
    unseen = func.coalesce(Account.seen_at, Account.created_at) < now - UNSEEN_AFTER
    return {
        AccountState.DISABLED: Account.disabled_at.is_not(None),
        AccountState.INVITED: and_(enabled, Account.password_hash == ""),
        AccountState.UNSEEN: and_(enabled, chosen, unseen),
        AccountState.ACTIVE: and_(enabled, chosen, ~unseen),
    }[state]


def state_of(account: Account, now: datetime) -> AccountState:
    """Say how an account stands."""
    if account.disabled_at is not None:
        return AccountState.DISABLED
    if not account.password_hash:
        return AccountState.INVITED
    if (account.seen_at or account.created_at) < now - UNSEEN_AFTER:
        return AccountState.UNSEEN
    return AccountState.ACTIVE


def person(actor: Actor, account_id: UUID) -> Details:
    """Return one account, with what stands around it."""
    require(actor, Permission.ACCOUNT_MANAGE)
    row = db.session.execute(_shown(actor).where(Account.id == account_id)).one_or_none()
    if row is None:
        raise _not_found(account_id)
    account, name, kind = row
    now = datetime.now(UTC)
    kinds = db.session.execute(
        select(SecondFactor.kind, func.count())
        .where(SecondFactor.account_id == account_id, SecondFactor.confirmed_at.is_not(None))
        .group_by(SecondFactor.kind)
    )
    codes = select(func.count()).where(
        RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    )
    sittings = select(func.count()).where(
        AuthSession.account_id == account_id, AuthSession.expires_at > now
    )
    link = select(Invitation.expires_at).where(
        Invitation.account_id == account_id, Invitation.ended_at.is_(None)
    )
    asked = select(Approval.id).where(
        Approval.kind == ApprovalKind.ROLE_CHANGE,
        Approval.subject_id == account_id,
        Approval.state == ApprovalState.REQUESTED,
    )
    standing = visibility.account_standing(account)
    return Details(
        Person(account, name, state_of(account, now)),
        kind,
        dict(iter(kinds)),
        db.session.scalar(codes) or 0,
        federation.of(account_id) is not None,
        db.session.scalar(sittings) or 0,
        db.session.scalar(link),
        db.session.scalar(asked),
        may(actor, Permission.ACCOUNT_MANAGE, standing).allowed,
    )


def subject(actor: Actor, account_id: UUID) -> Person:
    """Return the account that a form is about, if it is the actor's to do something to."""
    with unit_of_work() as unit:
        account = managed(unit, actor, account_id)
        home = db.session.get_one(Organisation, account.organisation_id)
        return Person(account, home.name, state_of(account, unit.now))


def named(account_id: UUID) -> Person:
    """Name an account for a page that its reader was let into before, as an approval is."""
    row = db.session.execute(
        select(Account, Organisation.name)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(Account.id == account_id)
    ).one()
    return Person(row[0], row[1], state_of(row[0], datetime.now(UTC)))


def managed(unit: Unit, actor: Actor, account_id: UUID) -> Account:
    """Fetch and hold an account that the actor may do something to, within their act.

    One that the actor may not know of is not found; their own is refused.
    """
    del unit
    require(actor, Permission.ACCOUNT_MANAGE)
    return kept(hold(account_id), account_id, actor)


def kept(found: Account | None, account_id: UUID, actor: Actor) -> Account:
    """Return an account that was fetched, if the actor looks after it.

    One that the actor may not know of is not found; their own is refused.
    """
    if found is not None:
        standing = visibility.account_standing(found)
        if found.id == actor.id or may(actor, Permission.ACCOUNT_MANAGE, standing).allowed:
            require(actor, Permission.ACCOUNT_MANAGE, standing)
            return found
    raise _not_found(account_id)


def hold(account_id: UUID) -> Account | None:
    """Hold an account until the act is done; of an administrator's, all of theirs.

    They are held in one order: two who act on each other at once wait instead of blocking.
    """
    administrators = select(Account.id).where(Account.role == Role.ADMINISTRATOR)
    if db.session.scalar(administrators.where(Account.id == account_id)) is not None:
        db.session.scalars(administrators.order_by(Account.id).with_for_update()).all()
    return db.session.get(Account, account_id, with_for_update=True, populate_existing=True)


def _not_found(account_id: UUID) -> NotFoundError:
    """Name an account for the log only where there is one."""
    there = db.session.scalar(select(Account.id).where(Account.id == account_id))
    return NotFoundError(Subject("account", there))


def disable(
    actor: Actor, account_id: UUID, reason: str = "left", *, form_id: UUID | None = None
) -> None:
    """Disable an account and end its sittings and its link; what it did stays on record."""
    if reason not in DISABLING or reason == DORMANT:
        raise InvalidInputError("reason", N_("Choose why the account is disabled."))
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        account = managed(unit, actor, account_id)
        refuse_last_administrator(account)
        shut(unit, account, reason)
        about = Subject("account", account.id)
        record(unit, actor, Action.ACCOUNT_DISABLE, about, purpose=reason)
        unit.outcome = str(account.id)


def shut(unit: Unit, account: Account, reason: str) -> None:
    """Close every way into an account within an act that is recorded by its caller."""
    account.disabled_at = account.disabled_at or unit.now
    account.disabled_for = reason
    if reason == TAKEN_OVER:
        # Whoever knows the password must not come in again when the account is enabled.
        account.password_hash = ""
        federation.forget(account.id)
    end_links(unit, account.id)
    sessions.end_all(account.id)
    leavers.departed(unit, account, account.role)


def end_links(unit: Unit, account_id: UUID) -> None:
    """End the open link of an account, within an act that is recorded by its caller."""
    still_open = select(Invitation).where(
        Invitation.account_id == account_id, Invitation.ended_at.is_(None)
    )
    for link in db.session.scalars(still_open.with_for_update()):
        link.ended_at = unit.now
    db.session.flush()


def enable(actor: Actor, account_id: UUID, *, form_id: UUID | None = None) -> None:
    """Let a disabled account sign in again; its days without a sign-in begin anew."""
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        account = managed(unit, actor, account_id)
        if account.disabled_at is not None:
            account.disabled_at, account.disabled_for = None, None
            account.enabled_at = unit.now
        record(unit, actor, Action.ACCOUNT_ENABLE, Subject("account", account.id))
        unit.outcome = str(account.id)


def reset_factors(actor: Actor, account_id: UUID, *, form_id: UUID | None = None) -> None:
    """Forget a person's second factors and recovery codes; they set up anew at their sign-in."""
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        account = managed(unit, actor, account_id)
        refuse_taking_over(unit, actor, account, Action.ACCOUNT_INVITE)
        counts = {
            "factors": _forget(SecondFactor, account_id),
            "codes": _forget(RecoveryCode, account_id),
            "federated": federation.forget(account_id),
        }
        sessions.end_all(account_id)
        about = Subject("account", account.id)
        record(unit, actor, Action.ACCOUNT_RESET, about, counts=counts)
        notices.tell_of_sign_in(unit, actor, account.id, "factors_reset")
        unit.outcome = str(account.id)


def _forget(what: type[SecondFactor] | type[RecoveryCode], account_id: UUID) -> int:
    gone = delete(what).where(what.account_id == account_id).returning(what.id)
    return len(db.session.execute(gone).all())


def refuse_last_administrator(account: Account) -> None:
    """Refuse to take the last administrator away: nobody could let anybody in again.

    Whoever asks this holds the account, and with it the other administrators'.
    """
    if account.role is not Role.ADMINISTRATOR:
        return
    others = select(Account.id).where(
        Account.role == Role.ADMINISTRATOR,
        Account.id != account.id,
        Account.disabled_at.is_(None),
        Account.password_hash != "",
    )
    if db.session.scalars(others).first() is None:
        raise InvalidInputError(
            "account",
            N_("This is the last administrator. Make another one first, who has signed in."),
        )


def refuse_taking_over(unit: Unit, actor: Actor, account: Account, other: Action) -> None:
    """Refuse one person both a new password and a new second factor for somebody else.

    Whoever had both could sign in as that person; with two people, each sees the other's entry.
    """
    done = select(AuditEntry.seq).where(
        AuditEntry.actor_id == actor.id,
        AuditEntry.action == other.value,
        AuditEntry.subject_id == account.id,
        AuditEntry.occurred_at >= unit.now - INVITATION_LASTS,
    )
    if db.session.scalar(done.limit(1)) is not None:
        raise InvalidInputError("account", _NOT_BOTH[other])


_NOT_BOTH = {
    Action.ACCOUNT_INVITE: N_(
        "You made a link for this person in the last three days. Another administrator resets the "
        "second factor, so that nobody can come in as somebody else alone."
    ),
    Action.ACCOUNT_RESET: N_(
        "You reset the second factor of this person in the last three days. Another administrator "
        "makes the link, so that nobody can come in as somebody else alone."
    ),
}
