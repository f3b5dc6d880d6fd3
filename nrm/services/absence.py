"""Absence: a coordinator says until when they are away, and who looks after their cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Select, select, update

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.models import Account
from nrm.services import keeping, notices
from nrm.services.audit import record
from nrm.services.keeping import Candidate

# Whoever is away for longer hands their cases over.
LONGEST = timedelta(days=120)


@dataclass(frozen=True)
class Absence:
    """How it stands: whether one is away, who can stand in, and for whom one stands in oneself."""

    # The last day away; None while one is there.
    until: date | None
    stand_in: str
    candidates: Sequence[Candidate]
    standing_in_for: Sequence[Account]


def standing(actor: Actor, pack: CountryPack) -> Absence:
    """Say whether the actor is away, who can stand in, and for whom they stand in."""
    require(actor, Permission.ABSENCE_SET)
    account = db.session.get(Account, actor.id)
    if account is None:
        raise NotFoundError(Subject("account"))
    now = datetime.now(UTC)
    away = account.away_until if account.away_until and account.away_until > now else None
    name = account.stand_in.name if away and account.stand_in else ""
    return Absence(
        _last_day(away, pack) if away else None, name, _candidates(actor, now), _absent(actor, now)
    )


def set_away(
    actor: Actor,
    until: date,
    stand_in_id: UUID | None,
    pack: CountryPack,
    *,
    form_id: UUID | None = None,
) -> None:
    """Say that one is away up to a day, and who looks after one's cases; it ends by itself.

    For whom one stands in oneself, the same person stands in from now on: nobody is without.
    """
    require(actor, Permission.ABSENCE_SET)
    with unit_of_work(actor, form_id) as unit:
        _check_day(until, unit.now.astimezone(pack.zone).date())
        # Two who name each other at once must not both be away: the rows are held in one order.
        db.session.execute(_both(actor.id, stand_in_id).with_for_update())
        stand_in = keeping.chosen(_candidates(actor, unit.now), stand_in_id)
        account = db.session.get_one(Account, actor.id)
        account.away_until = datetime.combine(
            until + timedelta(days=1), time.min, pack.zone
        ).astimezone(UTC)
        account.stand_in_id = stand_in.id
        _pass_on(unit, actor, stand_in.id)
        notices.tell(unit, [stand_in.id], "stands_in", account.id, None)
        record(unit, actor, Action.ACCOUNT_AWAY, Subject("account", stand_in.id))
        unit.outcome = str(account.id)


def end(actor: Actor, *, form_id: UUID | None = None) -> None:
    """Say that one is back: nobody stands in any more."""
    require(actor, Permission.ABSENCE_SET)
    with unit_of_work(actor, form_id) as unit:
        account = db.session.get(Account, actor.id)
        if account is None:
            raise NotFoundError(Subject("account"))
        account.away_until = account.stand_in_id = None
        record(unit, actor, Action.ACCOUNT_BACK, Subject("account", account.id))
        unit.outcome = str(account.id)


def _both(one: UUID | None, other: UUID | None) -> Select[UUID]:
    return select(Account.id).where(Account.id.in_([one, other])).order_by(Account.id)


def _check_day(until: date, today: date) -> None:
    if until < today:
        raise InvalidInputError("until", N_("Enter today or a later day."))
    if until > today + LONGEST:
        raise InvalidInputError(
            "until", N_("Enter a day within four months, or hand your cases over.")
        )


def _candidates(actor: Actor, now: datetime) -> list[Candidate]:
    """List who can stand in: every other coordinator who is there."""
    query = keeping.coordinators().where(
        Account.id != actor.id, Account.away_until.is_(None) | (Account.away_until <= now)
    )
    return [Candidate(account, name) for account, name in db.session.execute(query)]


def _absent(actor: Actor, now: datetime) -> Sequence[Account]:
    """List for whom the actor stands in."""
    query = select(Account).where(Account.stand_in_id == actor.id, Account.away_until > now)
    return db.session.scalars(query.order_by(Account.name, Account.id)).all()


def _pass_on(unit: Unit, actor: Actor, stand_in_id: UUID) -> None:
    """Let the actor's stand-in also stand in for those for whom the actor did until now."""
    passed = db.session.scalars(
        update(Account)
        .where(Account.stand_in_id == actor.id, Account.away_until > unit.now)
        .values(stand_in_id=stand_in_id)
        .execution_options(synchronize_session=False)
        .returning(Account.id)
    ).all()
    notices.tell(unit, passed, "stand_in_changed", stand_in_id, None)


def _last_day(away_until: datetime, pack: CountryPack) -> date:
    return (away_until.astimezone(pack.zone) - timedelta(microseconds=1)).date()
