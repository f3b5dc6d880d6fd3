"""Deadlines in words: the words first, the exact time beneath."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app
from flask_babel import format_datetime

from nrm import country
from nrm.domain.deadlines import Due, DueKind, DueUnit, due_state
from nrm.web.text import _


@dataclass(frozen=True)
class Chip:
    """A deadline as the pages draw it."""

    kind: str
    words: str
    exact: str


def due(moment: datetime) -> Chip:
    """Say how a deadline stands to this moment."""
    state = due_state(
        moment, datetime.now(UTC), country.load(current_app.config["NRM"].country).zone
    )
    exact = format_datetime(state.local.replace(tzinfo=None), "EEE d MMM, HH:mm", rebase=False)
    return Chip(state.kind.value, _words(state), str(exact))


def moment_words(moment: datetime) -> str:
    """Say a moment in the country's own time."""
    zone = country.load(current_app.config["NRM"].country).zone
    local = moment.astimezone(zone).replace(tzinfo=None)
    return str(format_datetime(local, "d MMM y, HH:mm", rebase=False))


def _words(state: Due) -> str:
    values = {"amount": state.amount}
    if state.kind is DueKind.LATE:
        late = {
            DueUnit.MINUTES: _("%(amount)d min late", **values),
            DueUnit.HOURS: _("%(amount)d h late", **values),
            DueUnit.DAYS: _("%(amount)d days late", **values),
        }
        return str(late[state.unit])
    if state.kind is DueKind.SOON:
        if state.amount == 1:
            return str(_("Tomorrow"))
        return str(_("In %(amount)d days", **values))
    if state.unit is DueUnit.MINUTES:
        return str(_("%(amount)d min left", **values))
    return str(_("%(amount)d h left", **values))
