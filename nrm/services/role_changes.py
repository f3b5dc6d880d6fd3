"""Changing somebody's role: at once where it lets them see less, by two people where it is more."""

from uuid import UUID

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.approval import ApprovalKind
from nrm.domain.errors import InvalidInputError, RefusedError, Subject
from nrm.domain.lifecycle import ApprovalState
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission, Role
from nrm.domain.staff import REACH, Reach, given_by, is_elevation
from nrm.domain.text import N_
from nrm.models import Account, Approval, Organisation
from nrm.services import approvals, leavers, people, sessions, visibility
from nrm.services.approvals import Wanted
from nrm.services.audit import record


def change(actor: Actor, account_id: UUID, role: Role, *, form_id: UUID | None = None) -> bool:
    """Give somebody another role, or ask a second person to; says whether it is done already.

    What lets them see more waits for another administrator or the auditor.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        account = people.managed(unit, actor, account_id)
        if role is account.role:
            raise InvalidInputError("role", N_("The person has this role already."))
        _check(actor, account, role)
        unit.outcome = str(account.id)
        if is_elevation(account.role, role):
            ask_for(unit, actor, account, role)
            return False
        _give(unit, account, role)
        about = Subject("account", account.id)
        record(unit, actor, Action.ACCOUNT_ROLE, about, purpose=role.value)
        return True


def ask_for(unit: Unit, actor: Actor, account: Account, role: Role) -> None:
    """Ask a second person to let an account have a role, within its caller's act."""
    wanted = {"from": account.role.value, "to": role.value}
    approvals.ask(unit, actor, ApprovalKind.ROLE_CHANGE, account.id, wanted)


def waits_for_approval(account: Account) -> bool:
    """Say whether a second person has yet to agree to a new account that sees the whole country.

    Else one administrator could make for themselves, as somebody else, what none gives alone.
    """
    if account.seen_at is not None or account.password_hash:
        return False
    if REACH[account.role] is not Reach.COUNTRY:
        return False
    approved = select(Approval.id).where(
        Approval.kind == ApprovalKind.ROLE_CHANGE,
        Approval.subject_id == account.id,
        Approval.state == ApprovalState.CONFIRMED,
    )
    return db.session.scalar(approved.limit(1)) is None


def check_role(home: Organisation, role: Role, giver: Actor) -> None:
    """Refuse a role that people of this kind of organisation do not hold, or not by this giver."""
    if role not in given_by(giver.role, home.kind):
        raise InvalidInputError(
            "role", N_("People of this organisation cannot be given this role. Choose another.")
        )


def _check(actor: Actor, account: Account, role: Role) -> None:
    """Refuse what cannot be, whoever wants it: no such role there, or nobody left."""
    if account.disabled_at is not None:
        raise InvalidInputError("role", N_("Enable the account first, then change the role."))
    home = db.session.get_one(Organisation, account.organisation_id)
    check_role(home, role, actor)
    if role is not account.role:
        people.refuse_last_administrator(account)


def _give(unit: Unit, account: Account, role: Role) -> None:
    """Change the role; whoever is at a page of the old one signs in anew at the next click.

    What somebody was at in the old role goes to a queue, as if they had left.
    """
    was, account.role = account.role, role
    sessions.end_all(account.id)
    if role is not was:
        leavers.departed(unit, account, was)


def _carry_out(unit: Unit, actor: Actor, approval: Approval, wanted: Wanted) -> None:
    """Do what a second person has approved, if it can still be done and the asker still may."""
    del actor
    account = people.hold(approval.subject_id)
    if account is None:
        raise approvals.changed_meanwhile()
    asker = db.session.get_one(Account, approval.asked_by_id)
    who = Actor(asker.id, asker.organisation_id, asker.role)
    role = Role(wanted["to"])
    if account.role.value != wanted["from"]:
        raise approvals.changed_meanwhile()
    try:
        require(who, Permission.ACCOUNT_MANAGE, visibility.account_standing(account))
        _check(who, account, role)
    except (InvalidInputError, RefusedError) as error:
        raise approvals.changed_meanwhile() from error
    _give(unit, account, role)


approvals.APPROVED[ApprovalKind.ROLE_CHANGE] = _carry_out


def offered(actor: Actor, account_id: UUID) -> tuple[people.Person, tuple[Role, ...]]:
    """Return the account, and the roles that the actor may give it, its own among them."""
    found = people.subject(actor, account_id)
    home = db.session.get_one(Organisation, found.account.organisation_id)
    return found, given_by(actor.role, home.kind)
