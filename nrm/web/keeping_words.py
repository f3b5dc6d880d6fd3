"""Who looks after a case, in words: for its head, for the rows of a list, for those who ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import url_for

from nrm.audit.actions import Action
from nrm.models import Account, Case
from nrm.services import keeping
from nrm.services.casefile import Event
from nrm.services.hand_over import Offer
from nrm.web.context import day, pack, when, words
from nrm.web.text import _


@dataclass(frozen=True)
class Keeper:
    """Who looks after a case: the words, and a note of an absence or a leaver."""

    words: str
    note: str
    # Whether whoever looks on stands in for the owner, who is away.
    stands_in: bool
    is_nobody: bool


def keeper(case: Case, me: UUID | None) -> Keeper:
    """Say who looks after a case, to somebody who may be it."""
    owner = case.owner
    if owner is None:
        return Keeper(_("nobody yet"), _before(case), stands_in=False, is_nobody=True)
    said = _("you") if owner.id == me else owner.name
    return Keeper(said, _away(owner, me), stands_in=_stands_in(owner, me), is_nobody=False)


def _before(case: Case) -> str:
    """Say that somebody looked after a case that is nobody's now, and who, if they have left."""
    left = case.left_by
    if left is None:
        return ""
    if keeping.has_left(left):
        return _("left by %(name)s", name=left.name)
    return _("looked after before")


def whose(case: Case) -> set[UUID]:
    """Name who looks after a case now: its owner, and whoever stands in."""
    owner = case.owner
    if owner is None:
        return set()
    stand_in = owner.stand_in_id if is_away(owner) else None
    return {owner.id} if stand_in is None else {owner.id, stand_in}


def is_away(account: Account) -> bool:
    """Say whether an account is away at this moment."""
    return account.away_until is not None and account.away_until > datetime.now(UTC)


def last_day(account: Account) -> str:
    """Say the last day on which somebody is away."""
    if account.away_until is None:
        return ""
    local = account.away_until.astimezone(pack().zone)
    return day((local - timedelta(microseconds=1)).date())


def _stands_in(owner: Account, me: UUID | None) -> bool:
    return is_away(owner) and me is not None and owner.stand_in_id == me


def _away(owner: Account, me: UUID | None) -> str:
    if not is_away(owner):
        return ""
    until = last_day(owner)
    if _stands_in(owner, me):
        return _("away until %(day)s, you stand in", day=until)
    if owner.stand_in is None:
        return _("away until %(day)s, nobody stands in", day=until)
    return _("away until %(day)s, %(name)s stands in", day=until, name=owner.stand_in.name)


def head(case: Case, me: UUID | None) -> dict[str, str]:
    """Say in the head of a case who looks after it, with the way to change that."""
    who = keeper(case, me)
    said = _("Nobody looks after this case")
    if not who.is_nobody:
        said = _("Looked after by %(who)s", who=who.words)
    url = url_for("ownership.page", reference=case.reference)
    return {"words": said, "note": who.note, "url": url}


def row_note(case: Case, me: UUID | None) -> str:
    """Say on the row of a list who looks after a case: the days are in the case itself."""
    owner = case.owner
    if owner is None:
        before = _before(case)
        if before:
            return _("Nobody looks after it: %(before)s", before=before)
        return _("Nobody looks after it")
    if _stands_in(owner, me):
        return _("You stand in for %(name)s", name=owner.name)
    if owner.id == me:
        return _("You look after it")
    if is_away(owner):
        return _("Looked after by %(name)s, who is away", name=owner.name)
    return _("Looked after by %(who)s", who=owner.name)


def offers(listed: Sequence[Offer]) -> list[dict[str, str]]:
    """Draw what is offered to a coordinator, on their first page."""
    return [
        {
            "reference": one.case.reference,
            "url": url_for("hand_over.read", hand_over_id=one.hand_over.id),
            "who": _("%(name)s, %(place)s", name=one.offered_by, place=one.offered_by_organisation),
            "when": when(one.hand_over.offered_at),
        }
        for one in listed
    ]


# Acts by which a case changes hands, and how the timeline says to whom.
_TO_WHOM = frozenset({Action.CASE_ASSIGN, Action.HANDOVER_OFFER})


def change_of_hands(act: Event) -> str:
    """Say to whom a case went, or who left it, and why."""
    if act.action is Action.CASE_LEAVE:
        return _("%(name)s has left; nobody looks after the case.", name=act.about)
    if act.action not in _TO_WHOM or not act.about:
        return ""
    to = _("To %(name)s.", name=act.about)
    why = words(act.purpose, "ASSIGN_REASON") if act.purpose else ""
    return f"{to} {why}." if why else to


def kept_by(case: Case, me: UUID | None) -> dict[str, str]:
    """Say for whom a closed part is, and where to ask them or to take the case over."""
    return {
        "who": keeper(case, me).words,
        "url": url_for("ownership.page", reference=case.reference),
    }
