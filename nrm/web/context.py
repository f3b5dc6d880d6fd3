"""What every template can say: who looks on, where they can go, and codes in words."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_babel import format_date
from flask_login import current_user

from nrm import country
from nrm.audit.actions import ACTION_LABEL, Action
from nrm.country import CountryPack
from nrm.domain import vocabulary
from nrm.domain.lifecycle import STATE_LABEL
from nrm.domain.reference import spoken
from nrm.domain.roles import ROLE_LABEL, Role
from nrm.web.due import due, moment_words
from nrm.web.text import _

TRANSLATIONS = Path(__file__).resolve().parent.parent.parent / "translations"


@dataclass(frozen=True)
class Item:
    """One place in the navigation."""

    label: str
    url: str
    current: bool


# Up to five places for each role, by endpoint; the first is where it starts.
NAVIGATION: dict[Role, tuple[tuple[str, str], ...]] = {
    Role.FIRST_RESPONDER: (("identification.my_work", "My work"),),
    Role.COORDINATOR: (
        ("casefile.worklist", "My work"),
        ("casefile.find", "Find a case"),
        ("search.people", "Find a person"),
        ("directory.entries", "Directory"),
        ("approvals.requests", "Second person"),
    ),
    Role.DECISION_MAKER: (("decision.index", "My work"),),
    Role.PROVIDER: (("provision.inbox", "Inbox"),),
    Role.DIRECTORY_MANAGER: (("directory.entries", "Directory"),),
    Role.ANALYST: (
        ("statistics.index", "Overview"),
        ("statistics.newest_tables", "Tables"),
        ("statistics.every", "Releases"),
        ("questionnaires.index", "Questionnaires"),
        ("statistics.method", "Method"),
    ),
    Role.AUDITOR: (
        ("audit.search", "Audit log"),
        ("sightings.ask", "Who saw what"),
        ("log_state.worth_a_look", "Worth a look"),
        ("log_state.standing", "State of the log"),
        ("approvals.requests", "Second person"),
    ),
    Role.ADMINISTRATOR: (
        ("administration.people", "People"),
        ("administration.organisations", "Organisations"),
        ("approvals.requests", "Second person"),
    ),
    Role.ORGANISATION_ADMINISTRATOR: (
        ("administration.people", "People"),
        ("approvals.requests", "Second person"),
    ),
}


# The pages of consent and referral, and of who is known already, are pages of a case.
_PART_OF = {
    **dict.fromkeys(("comparison", "consent", "documents", "referral"), "casefile"),
    "bulletin": "statistics",
    # A provider has no case, and begins at its inbox.
    "printing": "casefile",
    # What is erased takes two people too.
    "erasure": "approvals",
}


def pack() -> CountryPack:
    """Return the country that this copy serves."""
    return country.load(current_app.config["NRM"].country)


def language() -> str:
    """Return the language of the page."""
    return "en"


def register(app: Flask) -> None:
    """Make the shared values and filters known to every template."""
    app.context_processor(_shared)
    app.add_template_filter(words, "words")
    app.add_template_filter(state_words, "state_words")
    app.add_template_filter(when, "when")
    app.add_template_filter(day, "day")
    app.add_template_filter(iso_day, "iso_day")
    app.add_template_filter(due, "due")
    app.add_template_filter(role_words, "role_words")
    app.add_template_filter(action_words, "action_words")
    app.add_template_filter(district, "district")
    app.add_template_filter(spoken, "spoken")


def _shared() -> dict[str, Any]:
    return {
        "shown_at": when(datetime.now(UTC)),
        "viewer": _viewer(),
        "navigation": _navigation(),
        "practice": current_app.config["NRM"].practice,
        "country": _country(),
        "language": language(),
    }


def _viewer() -> dict[str, str] | None:
    if not current_user or not current_user.is_authenticated:
        return None
    viewer = current_user.viewer
    return {
        "name": viewer.name,
        "organisation_name": viewer.organisation_name,
        "role_label": role_words(viewer.actor.role),
        "role": viewer.actor.role.value,
    }


def _navigation() -> list[Item]:
    if not current_user or not current_user.is_authenticated:
        return []
    places = NAVIGATION[current_user.viewer.actor.role]
    blueprint = _PART_OF.get(request.blueprint or "", request.blueprint)
    exact = any(endpoint == request.endpoint for endpoint, _label in places)
    return [
        Item(
            _(label),
            url_for(endpoint),
            endpoint == request.endpoint
            or (not exact and position == _first_of(places, blueprint)),
        )
        for position, (endpoint, label) in enumerate(places)
    ]


def _first_of(places: tuple[tuple[str, str], ...], blueprint: str | None) -> int | None:
    """Find the place to which an inner page belongs: the first of the same blueprint."""
    return next(
        (at for at, (endpoint, _label) in enumerate(places) if endpoint.split(".")[0] == blueprint),
        None,
    )


def _country() -> dict[str, Any]:
    here = pack()
    return {
        "name": here.name,
        "emergency_numbers": [
            (words(hotline.service, "HOTLINE_SERVICE"), hotline.number)
            for hotline in here.shown_hotlines()
        ],
    }


def words(code: str | None, code_list: str) -> str:
    """Say a code in words: `{{ "emergency_shelter" | words("NEED") }}`."""
    if not code:
        return str(_("Not known"))
    entries: vocabulary.CodeList = getattr(vocabulary, code_list)
    return str(_(entries.label(code))) if code in entries else code


def state_words(state: StrEnum) -> str:
    """Say a state in words."""
    return str(_(STATE_LABEL[state]))


def role_words(role: Role | str) -> str:
    """Say a role in words."""
    return str(_(ROLE_LABEL[Role(role)]))


def action_words(action: Action | str) -> str:
    """Say an act of the log in words."""
    return str(_(ACTION_LABEL[Action(action)]))


def district(code: str | None) -> str:
    """Name a district."""
    return pack().districts.get(code or "", str(_("Not known")))


def when(moment: datetime | None) -> str:
    """Say a moment in the country's own time."""
    return "" if moment is None else moment_words(moment)


def day(moment: date | None) -> str:
    """Say a day."""
    return "" if moment is None else str(format_date(moment, "d MMMM y"))


def iso_day(text: str | None) -> str:
    """Say a day that was kept as 2026-11-23."""
    return day(date.fromisoformat(text)) if text else ""
