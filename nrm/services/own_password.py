"""Choosing another password: whoever had the old one is out, wherever they are."""

from uuid import UUID

from nrm.audit.actions import Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.errors import InvalidInputError, MechanismError, RefusedError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.models import Account, Organisation
from nrm.security import passwords
from nrm.services import accounts, delays, notices, sessions
from nrm.services.audit import record, record_alone
from nrm.services.delays import Step


class _WrongPasswordError(MechanismError):
    """The password of today is another one."""


def change(
    actor: Actor,
    sitting_id: UUID,
    old: str,
    new: str,
    address: str,
    *,
    form_id: UUID | None = None,
) -> str:
    """Change one's own password; every other sitting ends; returns this one's new token.

    A wrong old one counts like a wrong one at the door, and the two are counted together: whoever
    finds a sitting open does not guess on in it.
    """
    require(actor, Permission.WORK_VIEW)
    subject = Subject("account", actor.id)
    if not accounts.keeps_passwords():
        raise RefusedError(
            N_("This address serves statistics alone and cannot change passwords."),
            Permission.WORK_VIEW.value,
            subject,
        )
    who = accounts.email_of(actor)
    delays.begin(Step.PASSWORD, who, address)
    try:
        with unit_of_work(actor, form_id) as unit:
            account = _changed(actor, old, new)
            delays.right(unit, Step.PASSWORD, who, address)
            others = sessions.end_others(account.id, sitting_id)
            record(
                unit,
                actor,
                Action.ACCOUNT_CHANGE_PASSWORD,
                subject,
                fields=("password",),
                counts={"sittings_ended": others},
            )
            notices.tell_of_sign_in(unit, actor, account.id, "password_changed")
            unit.outcome = str(account.id)
            return sessions.renew(sitting_id)
    except _WrongPasswordError:
        # Whoever tries passwords at a screen that was left open stands in the log.
        record_alone(actor, Action.ACCOUNT_CHANGE_PASSWORD, subject, Outcome.FAILED)
        raise InvalidInputError("old", N_("This is not your password. Type it again.")) from None
    except InvalidInputError:
        # Whoever chose a poor new one knew the old one, and has not guessed.
        with unit_of_work() as unit:
            delays.right(unit, Step.PASSWORD, who, address)
        raise


def _changed(actor: Actor, old: str, new: str) -> Account:
    account = db.session.get_one(Account, actor.id)
    if not passwords.verify_password(old, account.password_hash):
        raise _WrongPasswordError
    if new == old:
        raise InvalidInputError("password", N_("This is the password that you have already."))
    organisation = db.session.get_one(Organisation, account.organisation_id)
    about = (account.email, account.name, organisation.name)
    account.password_hash = accounts.hashed(new, about)
    return account
