"""Lines of the log in words, and where a page of them begins."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nrm.audit.actions import Action, Outcome
from nrm.domain.roles import Role
from nrm.services.log_search import Line, Point
from nrm.web import paging
from nrm.web.context import action_words, role_words
from nrm.web.log_words import OUTCOME_LABEL, part_words, why_words

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Row:
    """An entry in words."""

    line: Line
    who: str
    act: str
    outcome: str
    about: str
    parts: str
    why: str


def row(line: Line) -> Row:
    """Say a line of the log in words."""
    kept = line.entry
    outcome = Outcome(kept.outcome)
    return Row(
        line,
        who=line.who or role_words(Role.SYSTEM),
        act=action_words(Action(kept.action)),
        outcome="" if outcome is Outcome.DONE else str(OUTCOME_LABEL[outcome]),
        # Of one's own account, who it is about has been said already.
        about="" if kept.subject_id == kept.actor_id else line.about,
        parts=", ".join(part_words(part) for part in kept.compartments.split()),
        why=", ".join(why_words(code) for code in kept.purpose.split()),
    )


def point_word(point: Point) -> str:
    """Write where a page begins, as two numbers."""
    moment, number = point
    return paging.encode((moment - _EPOCH) // _MICROSECOND, number)


def read_point(word: str) -> Point:
    """Read where a page begins; what the log can never reach begins at the first."""
    parts = paging.decode(word, 2)
    if parts is None:
        raise ValueError(word)
    microseconds, number = (int(part) for part in parts)
    if not 0 < number <= _LARGEST_NUMBER:
        raise ValueError(word)
    try:
        return _EPOCH + microseconds * _MICROSECOND, number
    except OverflowError:
        raise ValueError(word) from None
