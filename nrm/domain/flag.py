"""What a first responder is asked, page by page, and where each answer is kept.

Every answer about the person goes into a sealed compartment. Facts hold codes alone: nothing that
identifies, no free words, and no date finer than a quarter.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from nrm.domain.text import N_
from nrm.domain.vocabulary import Urgency, age_band, urgency

Answers = Mapping[str, Any]

# The pages in the order in which they are asked, with the name that the task list shows.
PAGES: dict[str, str] = {
    "report": N_("You and your unit"),
    "place": N_("Where and when"),
    "person": N_("The person"),
    "signs": N_("What you saw or heard"),
    "risk": N_("Safety and needs"),
    "contact": N_("Safe contact"),
    "consent": N_("What the person agrees to"),
}


def open_pages(pages: Mapping[str, Answers]) -> list[str]:
    """Return the pages that still have to be answered before the flag can be sent."""
    return [page for page in PAGES if page not in pages]


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
            **_only(pages["consent"], "consent_asked", "not_asked_reason"),
            "age_band": person_age_band(person, on),
            "quarter": quarter(on),
        },
    }


def _only(answers: Answers, *names: str) -> dict[str, Any]:
    return {name: answers[name] for name in names if answers.get(name) not in (None, "", [])}
