"""Signs worth a look: patterns in the log that may mean something, or nothing at all.

None of them is an accusation. A busy night at the hotline looks like curiosity, and whoever knows
the work sees the difference.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, String, func, select, type_coerce
from sqlalchemy.orm import aliased

from nrm.audit.actions import TIMELINE, Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.models import AuditEntry
from nrm.services import log_search, visibility
from nrm.services.audit import record

# So many different files in one hour are more than a worklist asks for.
MANY_FILES = 30
DAY_BEGINS, DAY_ENDS = time(6), time(20)
# Whoever looked for somebody has done something on a file within this time, if it was for work.
USED_WITHIN = timedelta(days=1)
# The newest of each sign are shown; the search of the log has all.
MOST = 100
_WEEK = timedelta(days=7)
_SATURDAY = 5
# What opens a part of one file.
OPENING = (
    *(Action.CASE_OPEN, Action.COMPARTMENT_OPEN, Action.DOCUMENT_LIST, Action.DOCUMENT_OPEN),
    *(Action.CASE_PRINT, Action.FIELD_REVEAL),
    *(Action.REFERRAL_OPEN, Action.CASE_COMPARE),
)
# What shows that a search led to a file, and what shows that it was for work: whatever a file's
# timeline tells. To look into a file in an emergency is to read it.
_READING = (*OPENING, Action.REFERRAL_PREPARE, Action.GLASS_BREAK)
_WORKING = tuple(action for action in TIMELINE if action is not Action.GLASS_BREAK)


@dataclass(frozen=True)
class Sign:
    """One account at one time; how many files, or searches, it was about."""

    account_id: UUID
    who: str
    organisation: str
    moment: datetime
    number: int


@dataclass(frozen=True)
class Signs:
    """The signs of one week, newest first."""

    many_files: Sequence[Sign]
    unusual_hours: Sequence[Sign]
    # Searches for a person after which the account only read, or did not even that.
    only_read: Sequence[Sign]
    unused_searches: Sequence[Sign]


def of_week(actor: Actor, monday: date, zone: ZoneInfo) -> Signs:
    """Look for the signs of the week that begins on this day; looking is in the log too."""
    require(actor, Permission.AUDIT_SEARCH)
    begin = datetime.combine(monday, time(), zone)
    with unit_of_work() as unit:
        barred = visibility.barred_cases(actor)
        hours = _opened_by_hour(begin, begin + _WEEK, barred)
        names = log_search.account_names({sign.account_id for sign in hours})
        named = [_named(sign, names) for sign in hours]
        only_read, unused = _searches_without_work(begin, begin + _WEEK, unit.now, barred)
        searchers = {sign.account_id for sign in (*only_read, *unused)}
        names |= log_search.account_names(searchers - set(names))
        record(unit, actor, Action.AUDIT_SEARCH, purpose="signs")
    return Signs(
        [sign for sign in named if sign.number >= MANY_FILES][:MOST],
        [sign for sign in named if _unusual(sign.moment.astimezone(zone))][:MOST],
        [_named(sign, names) for sign in only_read][:MOST],
        [_named(sign, names) for sign in unused][:MOST],
    )


def _unusual(moment: datetime) -> bool:
    """Say whether few would be at work: before six, from eight in the evening, on a weekend."""
    return moment.weekday() >= _SATURDAY or not DAY_BEGINS <= moment.time() < DAY_ENDS


def _opened_by_hour(begin: datetime, end: datetime, barred: Collection[UUID]) -> list[Sign]:
    """Count the different files that each account opened in each hour, newest first."""
    hour = _hour().label("hour")
    files = func.count(func.distinct(AuditEntry.case_id))
    counted = (
        select(AuditEntry.actor_id, hour, files)
        .where(
            AuditEntry.occurred_at >= begin,
            AuditEntry.occurred_at < end,
            AuditEntry.action.in_([action.value for action in OPENING]),
            AuditEntry.outcome == Outcome.DONE.value,
            AuditEntry.actor_id.is_not(None),
            AuditEntry.case_id.is_not(None),
            *log_search.not_about(barred),
        )
        .group_by(AuditEntry.actor_id, hour)
        .order_by(hour.desc(), AuditEntry.actor_id)
    )
    return [
        Sign(account_id, "", "", _moment(hour), number)
        for account_id, hour, number in db.session.execute(counted)
    ]


def _searches_without_work(
    begin: datetime, end: datetime, now: datetime, barred: Collection[UUID]
) -> tuple[list[Sign], list[Sign]]:
    """Find searches for a person after which the account did nothing on any file for a day.

    Gives those after which it opened one, and those after which it did not even that. Several of
    one account within an hour are one sign.
    """
    searched = (
        select(
            AuditEntry.actor_id,
            AuditEntry.occurred_at,
            _next(_READING, end, barred).label("read"),
            _next(_WORKING, end, barred).label("worked"),
        )
        .where(
            AuditEntry.action == Action.PERSON_SEARCH.value,
            AuditEntry.occurred_at >= begin,
            # A search of today may still turn out to have been for work.
            AuditEntry.occurred_at < min(end, now - USED_WITHIN),
            AuditEntry.actor_id.is_not(None),
        )
        .order_by(AuditEntry.occurred_at.desc())
    )
    only_read: Counter[tuple[UUID, datetime]] = Counter()
    unused: Counter[tuple[UUID, datetime]] = Counter()
    rows: Sequence[Any] = db.session.execute(searched).all()
    for account_id, moment, read, worked in rows:
        if not _within_a_day(moment, worked):
            found = only_read if _within_a_day(moment, read) else unused
            found[account_id, moment.replace(minute=0, second=0, microsecond=0)] += 1
    return _signs(only_read), _signs(unused)


def _next(
    actions: Collection[Action], end: datetime, barred: Collection[UUID]
) -> ScalarSelect[Any]:
    """Say when the account of a search did one of these acts next, as far as that can matter."""
    later = aliased(AuditEntry)
    return (
        select(later.occurred_at)
        .where(
            later.actor_id == AuditEntry.actor_id,
            later.occurred_at >= AuditEntry.occurred_at,
            # No search of this week is followed later than this: the log may go on for years.
            later.occurred_at <= end + USED_WITHIN,
            later.action.in_([action.value for action in actions]),
            later.outcome == Outcome.DONE.value,
            *log_search.not_about(barred, later),
        )
        .order_by(later.occurred_at)
        .limit(1)
        .scalar_subquery()
    )


def _within_a_day(moment: datetime, after: datetime | None) -> bool:
    return after is not None and after - moment <= USED_WITHIN


def _signs(found: Counter[tuple[UUID, datetime]]) -> list[Sign]:
    return [
        Sign(account_id, "", "", moment, number)
        for (account_id, moment), number in sorted(
            found.items(), key=lambda one: one[0][1], reverse=True
        )
    ]


def _hour() -> ColumnElement[Any]:
    """Cut a moment to its hour, in UTC, in the database."""
    if db.engine.dialect.name == "sqlite":
        return func.substr(type_coerce(AuditEntry.occurred_at, String), 1, 13)
    return func.date_trunc("hour", AuditEntry.occurred_at, "UTC")


def _moment(hour: str | datetime) -> datetime:
    if isinstance(hour, datetime):
        return hour
    return datetime.fromisoformat(f"{hour}:00:00+00:00")


def _named(sign: Sign, names: Mapping[UUID | None, tuple[str, str]]) -> Sign:
    who, organisation = names.get(sign.account_id, ("", ""))
    return Sign(sign.account_id, who, organisation, sign.moment, sign.number)
