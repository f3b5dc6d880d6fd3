"""When an answer is due: clocks and working days as functions of dates.

Moments come in and go out in UTC. Days are counted in the zone of the country, because a day
ends at midnight where the people are. Every length is configuration of the country pack.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from nrm.domain.vocabulary import Urgency

_DAY = timedelta(days=1)
_TWO_DAYS = timedelta(days=2)
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
# Close to midnight, "tomorrow" would hide that somebody has to act this night.
_THIS_NIGHT = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Clock:
    """How long one act may take, and whether someone has checked that with the mechanism."""

    length: timedelta
    verified: bool
    source: str


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of a country's mechanism."""

    flag_review: Mapping[Urgency, Clock]
    answer: Mapping[Urgency, Clock]
    reflection: Clock
    # How long after a provider accepted the coordinator looks again.
    follow_up: Clock


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """The days on which the offices of a country are open."""

    zone: ZoneInfo
    is_holiday: Callable[[date], bool]
    rest_days: frozenset[int] = frozenset({5, 6})

    def is_working_day(self, day: date) -> bool:
        """Say whether the offices are open on a day."""
        return day.weekday() not in self.rest_days and not self.is_holiday(day)


class DueKind(StrEnum):
    """How a deadline stands to now."""

    LATE = "late"
    TODAY = "today"
    SOON = "soon"


class DueUnit(StrEnum):
    """The unit in which the distance to a deadline reads best."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline in the parts of a sentence: "2 h late", "55 min left", "tomorrow" (1 day, soon).

    Amounts are whole and rounded down. An amount of nothing means now.
    """

    kind: DueKind
    amount: int
    unit: DueUnit
    local: datetime


def flag_review_due(flagged_at: datetime, urgency: Urgency, clocks: Clocks) -> datetime:
    """Say by when a coordinator reads a new flag."""
    return _utc(flagged_at) + clocks.flag_review[urgency].length


def answer_due(sent_at: datetime, urgency: Urgency, clocks: Clocks) -> datetime:
    """Say by when a provider answers a referral; after that another provider is asked."""
    return _utc(sent_at) + clocks.answer[urgency].length


def reflection_ends(start: datetime, clocks: Clocks) -> datetime:
    """Say when the time to recover and to decide freely is over."""
    return _utc(start) + clocks.reflection.length


def add_working_days(start: datetime, days: int, calendar: WorkingCalendar) -> datetime:
    """Move on by working days and keep the local time of day."""
    if days < 0:
        raise ValueError("a deadline lies ahead, so working days are counted forward")
    local = _utc(start).astimezone(calendar.zone)
    while days:
        local += _DAY
        days -= calendar.is_working_day(local.date())
    return local.astimezone(UTC)


def due_state(due_at: datetime, now: datetime, zone: ZoneInfo) -> Due:
    """Say how a deadline stands to now, as people in the zone would say it."""
    local, here = _utc(due_at).astimezone(zone), _utc(now).astimezone(zone)
    # Two moments of one zone subtract as wall clocks; only UTC gives the time that really passes.
    left = _utc(due_at) - _utc(now)
    if left < timedelta(0):
        return Due(DueKind.LATE, *_distance(-left), local)
    if local.date() == here.date() or left < _THIS_NIGHT:
        return Due(DueKind.TODAY, *_distance(left), local)
    return Due(DueKind.SOON, (local.date() - here.date()).days, DueUnit.DAYS, local)


def _distance(span: timedelta) -> tuple[int, DueUnit]:
    if span < _HOUR:
        return span // _MINUTE, DueUnit.MINUTES
    if span < _TWO_DAYS:
        return span // _HOUR, DueUnit.HOURS
    return span // _DAY, DueUnit.DAYS


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone could be any moment of a day")
    return moment.astimezone(UTC)
