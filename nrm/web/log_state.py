"""Screens of the auditor: how the log stands, and signs worth a look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, render_template, request, url_for

from nrm.domain.roles import Permission
from nrm.services import log_state, signs
from nrm.services.signs import Sign
from nrm.web.access import actor, needs
from nrm.web.context import pack

blueprint = Blueprint("log_state", __name__)

# A signer that looks every minute is hardly ever later than this.
_SIGNED_IN = timedelta(minutes=10)
_OLDEST = date(2000, 1, 3)
_GROUP = 4


@dataclass(frozen=True)
class Row:
    """One sign, and where the log shows what it is about."""

    sign: Sign
    entries: str


@blueprint.get("/audit/state")
@needs(Permission.AUDIT_SEARCH)
def standing() -> str:
    """Show how much of the log is signed, since when, and by whom."""
    state = log_state.read(actor())
    late = state.waits_since is not None and state.now - state.waits_since > _SIGNED_IN
    return render_template(
        "audit/state.html",
        state=state,
        late=late,
        most=log_state.MOST_COUNTED,
        root=_groups(state.signed.root.hex()) if state.signed else [],
    )


@blueprint.get("/audit/signs")
@needs(Permission.AUDIT_SEARCH)
def worth_a_look() -> str:
    """Show what stands out in one week of the log."""
    monday = _monday(request.args.get("week", type=date.fromisoformat))
    found = signs.of_week(actor(), monday, pack().zone)
    week = timedelta(days=7)
    this_week = _monday(None)
    return render_template(
        "audit/signs.html",
        monday=monday,
        sunday=monday + timedelta(days=6),
        earlier=url_for(".worth_a_look", week=monday - week) if monday > _OLDEST else "",
        later=url_for(".worth_a_look", week=monday + week) if monday < this_week else "",
        many_files=_rows(found.many_files),
        unusual_hours=_rows(found.unusual_hours),
        only_read=_rows(found.only_read),
        unused_searches=_rows(found.unused_searches),
        many=signs.MANY_FILES,
        most=signs.MOST,
    )


def _monday(day: date | None) -> date:
    """Return the day on which the week begins; of a week that has not come, this one."""
    today = datetime.now(UTC).astimezone(pack().zone).date()
    day = min(max(day or today, _OLDEST), today)
    return day - timedelta(days=day.weekday())


def _rows(found: Sequence[Sign]) -> list[Row]:
    zone = pack().zone
    rows = []
    for sign in found:
        local = sign.moment.astimezone(zone)
        day = [local.day, local.month, local.year]
        entries = url_for("audit.search", person=sign.account_id, since=day, until=day)
        rows.append(Row(sign, entries))
    return rows


def _groups(digits: str) -> list[str]:
    """Cut a hash into groups that two people can read to each other."""
    return [digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP)]
