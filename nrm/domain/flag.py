"""What a first responder is asked, page by page, and where each answer is kept.

Every answer about the person goes into a sealed compartment. Facts hold codes alone: nothing that
identifies, no free words, and no date finer than a quarter.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from nrm.domain.lifecycle import Assistance, Identification
from nrm.domain.text import N_
from nrm.domain.vocabulary import Urgency, age_band, urgency

Answers = Mapping[str, Any]

# The pages in the order in which they are asked, with the name that the task list shows.
PAGES: dict[str, str] = {
    "report": N_("Who told you"),
    "place": N_("Where and when"),
    "person": N_("The person"),
    "signs": N_("What you saw or heard"),
    "risk": N_("Safety and needs"),
    "contact": N_("Safe contact"),
    "consent": N_("What the person agrees to"),
}

# What a person may need in the first hours; the coordinator asks about everything else.
FIRST_NEEDS = (
    "immediate_needs",
    "emergency_shelter",
    "medical_emergency",
    "medical_examination",
    "psychosocial_counselling",
    "interpretation",
    "protection",
    "alternative_care",
    "transport",
    "disability_support",
    "other",
)

# What one who flagged a person is told afterwards: how far it has come, and nothing of the file.
WHERE_IT_STANDS: dict[StrEnum, str] = {
    Identification.FLAGGED: N_("The coordinator has your flag and has not decided on it yet."),
    Identification.PRESUMED: N_("The coordinator treats the person as a presumed victim."),
    Assistance.WAITING: N_("The coordinator has not recorded yet what the person needs."),
    Assistance.NEEDS_RECORDED: N_("The coordinator is looking for a provider that can help."),
    Assistance.REFERRED: N_("A provider was asked to help and has not answered yet."),
    Assistance.ASSISTED: N_("A provider is helping."),
    Assistance.CLOSED: N_("The case is closed."),
}


def open_pages(pages: Mapping[str, Answers]) -> list[str]:
    """Return the pages that still have to be answered before the flag can be sent."""
    return [page for page in PAGES if page not in pages]


def with_page(
    draft: Mapping[str, Any], page: str, answers: Answers, *, finished: bool
) -> dict[str, Any]:
    """Put one page into a draft: among the answered ones, or among those begun and left.

    A sector lies in its district, so another district takes it away.
    """
    pages = {name: held for name, held in draft["pages"].items() if name != page}
    begun = {name: held for name, held in draft.get("begun", {}).items() if name != page}
    if not finished:
        return {**draft, "pages": pages, "begun": {**begun, page: answers}}
    if page == "report" and loses_sector(draft["pages"], answers):
        place = pages["place"].items()
        pages["place"] = {name: value for name, value in place if name != "sector"}
    return {**draft, "pages": {**pages, page: answers}, "begun": begun}


def loses_sector(pages: Mapping[str, Answers], report: Answers) -> bool:
    """Say whether a changed district takes away the sector that was chosen for the old one."""
    moved = pages.get("report", {}).get("district") != report.get("district")
    return moved and "sector" in pages.get("place", {})


def quarter(day: date) -> str:
    """Name the quarter of a day, the finest time that facts may hold."""
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"


def person_age_band(person: Answers, on: date) -> str:
    """Say the age band, from the birth date where it is known, else from the estimate."""
    born = person.get("birth_date")
    if born:
        return age_band(date.fromisoformat(born), on)
    return str(person.get("age_band") or "unknown")


def flag_urgency(pages: Mapping[str, Answers], on: date) -> Urgency:
    """Rank the flag in the coordinator's queue."""
    risk = pages["risk"]
    return urgency(risk["immediate_risk"], risk["needs"], person_age_band(pages["person"], on))


def documents(pages: Mapping[str, Answers], on: date) -> dict[str, dict[str, Any]]:
    """Sort the answers into the compartments of the new case."""
    report, place, person = pages["report"], pages["place"], pages["person"]
    signs, risk, contact = pages["signs"], pages["risk"], pages["contact"]
    return {
        "identity": _only(
            person, "given_name", "family_name", "other_names", "birth_date", "id_number"
        ),
        "contact": _only(contact, "method", "phone", "words", "code_word"),
        "narrative": {
            **_only(signs, "account"),
            **_only(place, "sector", "found_on", "place_words"),
        },
        "health": _only(risk, "health_words"),
        "enforcement": _only(report, "station_reference"),
        "facts": {
            **_only(report, "source", "district"),
            **_only(place, "place"),
            **_only(person, "sex", "citizenship", "languages"),
            **_only(signs, "indicators"),
            **_only(risk, "immediate_risk", "needs"),
            **_only(pages["consent"], "consent_asked", "agrees", "not_asked_reason"),
            "age_band": person_age_band(person, on),
            "quarter": quarter(on),
        },
    }


def _only(answers: Answers, *names: str) -> dict[str, Any]:
    return {name: answers[name] for name in names if answers.get(name) not in (None, "", [])}
