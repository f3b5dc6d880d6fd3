"""What every template can say: who looks on, where they can go, and codes in words."""

from collections.abc import Mapping
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
from nrm.domain.sitting import WARN_BEFORE
from nrm.domain.staff import ACCOUNT_STATE_LABEL, AccountState
from nrm.models.spoilt import readable
from nrm.web import device
from nrm.web.access import session_object
from nrm.web.due import due, moment_words
from nrm.web.sessions import BY_ITSELF, cover
from nrm.web.text import _

TRANSLATIONS = Path(__file__).resolve().parent.parent.parent / "translations"


@dataclass(frozen=True)
class Item:
    """One place in the navigation."""

    label: str
    url: str
    current: bool


# A handful of places for each role, by endpoint; the first is where it starts.
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
        ("glass_review.queue", "Emergencies"),
        ("log_state.standing", "State of the log"),
        ("approvals.requests", "Second person"),
    ),
    Role.ADMINISTRATOR: (
        ("people.index", "People"),
        ("organisations.index", "Organisations"),
        ("approvals.requests", "Second person"),
        ("roles.index", "Roles"),
    ),
    Role.ORGANISATION_ADMINISTRATOR: (
        ("people.index", "People"),
        ("approvals.requests", "Second person"),
    ),
}


# Whose place a page is that has none of its own: the first of these blueprints that the role has.
_CASE = ("casefile",)
_PART_OF: dict[str, tuple[str, ...]] = {
    # The pages of consent and referral, and of who is known already, are pages of a case.
    **dict.fromkeys(
        ("bars", "comparison", "consent", "documents", "exploitation", "referral"), _CASE
    ),
    # So are who looks after it, and what stands on the coordinator's first page.
    **dict.fromkeys(("absence", "hand_over", "ownership"), _CASE),
    # A draft left behind is taken over by whoever flags.
    "left_drafts": ("casefile", "identification"),
    # Who saw a file: a place of its own for the auditor, a page of the case for the coordinator.
    "sightings": _CASE,
    # A first responder has no case, but flags; a provider begins at its inbox.
    "glass": ("casefile", "identification", "provision"),
    "printing": ("casefile", "provision"),
    "role_changes": ("people",),
    # What is erased takes two people too.
    "erasure": ("approvals",),
}
# Where the first place of the same blueprint is not the one to which a page belongs.
_BELOW = {
    **dict.fromkeys(
        (
            "bulletin.page",
            "bulletin.pdf",
            "statistics.ask",
            "statistics.release",
            "statistics.sign",
        ),
        "statistics.every",
    ),
    **dict.fromkeys(
        ("statistics.compare", "statistics.table", "statistics.tables"), "statistics.newest_tables"
    ),
    # One's own sittings belong to no place; those of another account belong to the people.
    **dict.fromkeys(
        (
            "sittings.end_all_of_person",
            "sittings.end_of_person",
            "sittings.of_person",
            "sittings.sign_ins_of_person",
        ),
        "people.index",
    ),
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
    app.add_template_filter(clock, "clock")
    app.add_template_filter(day, "day")
    app.add_template_filter(iso_day, "iso_day")
    app.add_template_filter(due, "due")
    app.add_template_filter(role_words, "role_words")
    app.add_template_filter(account_state, "account_state")
    app.add_template_filter(factor_words, "factor_words")
    app.add_template_filter(action_words, "action_words")
    app.add_template_filter(device.words, "device_words")
    app.add_template_filter(district, "district")
    app.add_template_filter(spoken, "spoken")


def _shared() -> dict[str, Any]:
    return {
        # When a page was shown, for what is printed of it and for an emergency's watermark.
        "shown_at": moment_words(datetime.now(UTC)),
        "viewer": _viewer(),
        "sitting": _sitting(),
        "navigation": _navigation(),
        "practice": current_app.config["NRM"].practice,
        "country": _country(),
        "language": language(),
    }


def _viewer() -> dict[str, Any] | None:
    if not current_user or not current_user.is_authenticated:
        return None
    viewer = current_user.viewer
    return {
        "name": viewer.name,
        "organisation_name": viewer.organisation_name,
        "role_label": role_words(viewer.actor.role),
        "role": viewer.actor.role.value,
        "to_know": viewer.to_know,
    }


def _sitting() -> dict[str, Any] | None:
    """Say how long the page may stand, for the script that covers it and warns in time."""
    here = session_object().sitting
    if here is None or here.viewer is None:
        return None
    # Its end is told where it comes first: else the same page says the same.
    left = here.ends_at - datetime.now(UTC)
    return {
        "idle": int(here.limits.idle.total_seconds()),
        "end": max(0, int(left.total_seconds())) if left < 2 * here.limits.idle else None,
        "ends_at": here.ends_at,
        "warn": int(WARN_BEFORE.total_seconds()),
        "cover": int(cover(current_app.config["NRM"], here.viewer.actor.role).total_seconds()),
        "by_itself": BY_ITSELF,
    }


def _navigation() -> list[Item]:
    if not current_user or not current_user.is_authenticated:
        return []
    places = NAVIGATION[current_user.viewer.actor.role]
    here = place_of(places, request.endpoint or "")
    return [
        Item(_(label), url_for(endpoint), position == here)
        for position, (endpoint, label) in enumerate(places)
    ]


def place_of(places: tuple[tuple[str, str], ...], endpoint: str) -> int | None:
    """Find the place to which a page belongs: itself, or the first of the blueprint it is part of.

    Nothing for what belongs to no place, such as one's own account.
    """
    here = _BELOW.get(endpoint, endpoint)
    blueprint = endpoint.rpartition(".")[0]
    owners = [place.rpartition(".")[0] for place, _label in places]
    for at, (place, _label) in enumerate(places):
        if place == here:
            return at
    parts = (blueprint, *_PART_OF.get(blueprint, ()))
    return next((owners.index(part) for part in parts if part in owners), None)


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


def account_state(state: AccountState) -> str:
    """Say how an account stands."""
    return str(_(ACCOUNT_STATE_LABEL[state]))


def factor_words(factors: Mapping[str, int]) -> str:
    """Say how many second factors somebody has, by kind: never what they are."""
    if not factors:
        return str(_("Not set up yet"))
    parts = [
        _("Passkeys: %(number)s", number=number)
        if kind == "passkey"
        else _("Apps with codes: %(number)s", number=number)
        for kind, number in sorted(factors.items())
    ]
    return ", ".join(parts)


def action_words(action: Action | str) -> str:
    """Say an act of the log in words."""
    return str(_(ACTION_LABEL[Action(action)]))


def district(code: str | None) -> str:
    """Name a district."""
    return pack().districts.get(code or "", str(_("Not known")))


def when(moment: datetime | None) -> str:
    """Say a moment in the country's own time; nothing of what is no moment any more."""
    return "" if moment is None or not readable(moment) else moment_words(moment)


def clock(moment: datetime) -> str:
    """Say the time of day in the country's own time."""
    return moment.astimezone(pack().zone).strftime("%H:%M")


def day(moment: date | None) -> str:
    """Say a day; of a moment, the day that it was in the country."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(pack().zone).date()
    return "" if moment is None else str(format_date(moment, "d MMMM y"))


def iso_day(text: str | None) -> str:
    """Say a day that was kept as 2026-11-23."""
    return day(date.fromisoformat(text)) if text else ""
