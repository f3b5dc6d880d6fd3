"""Accounts that nobody uses: disabled by housekeeping, because nobody misses them when stolen."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import InvalidInputError, Subject
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Account
from nrm.services import people
from nrm.services.audit import record

# As many as one round disables at most; the next one goes on.
_MOST = 200


def disable_dormant(after: timedelta) -> int:
    """Disable who has not signed in for so long, never the last administrator; says how many."""
    with unit_of_work() as unit:
        found = select(Account.id).where(*_dormant(unit.now - after)).order_by(Account.created_at)
        asleep = db.session.scalars(found.limit(_MOST)).all()
    return sum(_disable(account_id, after) for account_id in asleep)


def _disable(account_id: UUID, after: timedelta) -> bool:
    """Disable one account, unless somebody signed in or acted on it meanwhile."""
    with unit_of_work() as unit:
        people.hold(account_id)
        still = select(Account).where(Account.id == account_id, *_dormant(unit.now - after))
        account = db.session.scalars(still).one_or_none()
        if account is None:
            return False
        try:
            people.refuse_last_administrator(account)
        except InvalidInputError:
            return False
        people.shut(unit, account, people.DORMANT)
        about = Subject("account", account.id)
        record(unit, HOUSEKEEPING, Action.ACCOUNT_DISABLE, about, purpose=people.DORMANT)
    return True


def _dormant(since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Say whose days are over: counted from the last sign-in, or from when it was opened."""
    return (
        Account.disabled_at.is_(None),
        func.coalesce(Account.seen_at, Account.created_at) < since,
        func.coalesce(Account.enabled_at, Account.created_at) < since,
    )
