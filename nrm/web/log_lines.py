"""Lines of the log in words, and where a page of them begins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import url_for

from nrm.audit.actions import Action, Outcome
from nrm.domain.roles import Role
from nrm.models.spoilt import readable
from nrm.services.log_search import Line, Point
from nrm.web import paging
from nrm.web.context import action_words, role_words, when
from nrm.web.log_words import OUTCOME_LABEL, part_words, why_words
from nrm.web.text import _

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST_NUMBER = 2**63 - 1
# Of these, which one it was stands where other acts say why.
_NAMED = ("checkpoint", "key")


@dataclass(frozen=True)
class Row:
    """An entry in words."""

    line: Line
    # Nothing, where it is no time any more.
    time: str
    # The address of the entry whole; nothing, where its id is none any more.
    address: str
    readable: bool
    who: str
    role: str
    act: str
    outcome: str
    about: str
    parts: str
    why: str


def row(line: Line) -> Row:
    """Say a line of the log in words.

    A code that we do not know, because somebody altered the entry or a newer program wrote it, is
    shown as it stands: one such entry must not hide all the others.
    """
    kept = line.entry
    named = kept.subject_type in _NAMED
    # Of one's own account, who it is about has been said already.
    about = "" if kept.subject_id == kept.actor_id else line.about
    return Row(
        line,
        time=when(kept.occurred_at),
        address=url_for("audit.entry", entry_id=kept.id) if readable(kept.id) else "",
        readable=kept.readable,
        # Whoever is named by an id that cannot be read is not the system.
        who=line.who or (_nobody(kept.action) if kept.readable else ""),
        role=_said(role_words, kept.actor_role),
        act=_said(action_words, kept.action),
        outcome="" if kept.outcome == Outcome.DONE else _said(_outcome_words, kept.outcome),
        about=kept.purpose if named else about,
        parts=", ".join(part_words(part) for part in kept.compartments.split()),
        why="" if named else ", ".join(why_words(code) for code in kept.purpose.split()),
    )


def ids(line: Line) -> dict[str, UUID | str | None]:
    """Give the ids of an entry, as far as they still are any."""
    kept = line.entry
    named = {"entry": kept.id, "account": kept.actor_id, "subject": kept.subject_id}
    return {name: value if readable(value) else "" for name, value in named.items()}


def _nobody(action: str) -> str:
    """Say who acted without an account; whoever could not sign in may be anybody."""
    if action == Action.SESSION_FAIL:
        return _("Somebody who is not signed in")
    return role_words(Role.SYSTEM)


def _outcome_words(code: str) -> str:
    return str(OUTCOME_LABEL[Outcome(code)])


def _said(words: Callable[[str], str], code: str) -> str:
    try:
        return words(code)
    except ValueError:
        return code


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
