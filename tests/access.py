"""What the tests of access ask and arrange: bars, absences, and what somebody was told."""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Account, Bar, Case, Notice
from nrm.services.audit import record


def case_of(reference):
    """Give a case as it is now; looking leaves no entry."""
    db.session.rollback()
    return db.session.scalars(select(Case).where(Case.reference == reference)).one()


def bar(world, reference, account=None, organisation=None):
    """Bar an account or an organisation from a case."""
    case = case_of(reference)
    with unit_of_work() as unit:
        db.session.add(
            Bar(
                id=uuid4(),
                case_id=case.id,
                account_id=world.accounts.get(account),
                organisation_id=world.organisations.get(organisation),
                reason="conflict_of_interest",
                placed_by_id=world.accounts["auditor"],
                placed_at=unit.now,
            )
        )
        record(unit, HOUSEKEEPING, Action.BAR_PLACE)


def told(world, name):
    """List what somebody was told, in order."""
    db.session.rollback()
    query = select(Notice.kind).where(Notice.account_id == world.accounts[name])
    return list(db.session.scalars(query.order_by(Notice.made_at, Notice.id)))


def let_it_pass(world, name, until=None):
    """Let the day on which somebody comes back be over."""
    with unit_of_work() as unit:
        db.session.execute(
            update(Account)
            .where(Account.id == world.accounts[name])
            .values(away_until=until or datetime(2026, 1, 1, tzinfo=UTC))
        )
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
