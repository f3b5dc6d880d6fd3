"""The invented people of the practice world: what a first responder would write down of each.

Everything follows from the number of the case, so that every practice world has the same people.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from nrm.cli.demonstration.story import Story
from nrm.country import CountryPack
from nrm.domain.vocabulary import (
    CITIZENSHIP,
    CONSENT_NOT_ASKED_REASON,
    IDENTIFICATION_PLACE,
    INDICATOR,
    age_band,
)
from nrm.services.exploitation import Exploitation

T = TypeVar("T")
Pages = dict[str, dict[str, Any]]

_GIVEN = ("Example", "Practice", "Sample", "Invented", "Fictional", "Trial", "Nobody")
_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_LANGUAGES = (["kin"], ["kin", "swa"], ["run"], ["swa", "fra"], ["lug", "eng"], ["tir"], ["kin"])
_SOURCES = ("police", "border", "hotline", "labour_inspection", "family_or_community", "ngo")
# Of twelve, eight were exploited for their labour, in a home or elsewhere, and two sexually.
_FORMS: tuple[tuple[str, ...], ...] = (
    ("forced_labour",),
    ("forced_labour", "servitude"),
    ("sexual_exploitation",),
    ("forced_labour",),
    ("servitude",),
    ("forced_labour",),
    ("forced_labour", "sexual_exploitation"),
    ("unknown",),
    ("forced_begging",),
    ("forced_labour",),
    ("forced_marriage",),
    ("forced_labour",),
)
_SECTORS = ("agriculture", "hospitality", "mining", "domestic_work", "construction", "trade")
_FLOWS = ("outbound", "internal", "outbound", "inbound", "internal", "transit", "unknown")
_REFUGEE = ("none", "none", "refugee", "none", "", "asylum_seeker", "none")
_CHILD_UNDER = 18
_STORY = "Practice text: the person told of work that was not what had been promised."
_HEALTH = "Practice text: sleeps badly and has a cut on the left hand."
_PLACE = "Practice text: behind the invented market."


def pick(options: Sequence[T], number: int, stride: int = 1) -> T:
    """Choose one, another one for the next number."""
    return options[number * stride % len(options)]


def pages(pack: CountryPack, number: int, story: Story, on: date) -> Pages:
    """Fill in the pages of a flag."""
    district = pick(tuple(pack.districts), number, 7)
    return {
        "report": {
            "source": pick(_SOURCES, number),
            "district": district,
            "station_reference": f"PRACTICE/{number + 1:03}",
        },
        "place": {
            "place": pick(IDENTIFICATION_PLACE.codes[:11], number, 3),
            "sector": pick(pack.sectors(district), number),
            "found_on": on.isoformat(),
            "place_words": _PLACE,
        },
        "person": _person(number, story, on),
        "signs": {"indicators": _signs(number), "account": _STORY},
        "risk": {
            "immediate_risk": story.risk,
            "needs": list(story.needs),
            "health_words": _HEALTH if number % 3 == 0 else "",
        },
        "contact": contact(number),
        "consent": _consent(number),
    }


def _person(number: int, story: Story, on: date) -> dict[str, Any]:
    """Some give their name and birth date, some a name alone, a few nothing at all."""
    born = date(on.year - story.age, 1, 1) - timedelta(days=number)
    told: dict[str, Any] = {
        "sex": story.sex,
        "citizenship": pick(CITIZENSHIP.codes[:5], number, 2),
        "languages": pick(_LANGUAGES, number),
    }
    if (number + 1) % 10 == 0:
        return {**told, "age_band": age_band(born, on)}
    told |= _names(number if story.flagged_before is None else story.flagged_before)
    if story.flagged_before is not None:
        told |= {"given_name": told["family_name"], "family_name": f"{told['given_name']}e"}
    if number % 4 == 1:
        return {**told, "age_band": age_band(born, on)}
    return {**told, "birth_date": born.isoformat()}


def exploitation(number: int, age: int) -> Exploitation:
    """Say what came to light of the exploitation: work for most, a sexual one for some."""
    forms = pick(_FORMS, number)
    if age < _CHILD_UNDER:
        forms = tuple("child_labour" if form == "forced_labour" else form for form in forms)
    sector = ""
    if "servitude" in forms:
        sector = "domestic_work"
    elif "forced_begging" in forms:
        sector = "begging"
    elif {"forced_labour", "child_labour"} & set(forms):
        sector = pick(_SECTORS, number)
    return Exploitation(forms, pick(_FLOWS, number), sector, pick(_REFUGEE, number, 3))


def _names(number: int) -> dict[str, str]:
    return {"given_name": pick(_GIVEN, number), "family_name": _number_word(number + 1)}


def _number_word(number: int) -> str:
    """Spell a number as a family name, such as "Zero-Seven": nobody is called that."""
    return "-".join(_DIGITS[int(digit)] for digit in f"{number:02}")


def _signs(number: int) -> list[str]:
    chosen = {pick(INDICATOR.codes, number, stride) for stride in (1, 3, 5)}
    return [code for code in INDICATOR.codes if code in chosen]


def contact(number: int) -> dict[str, Any]:
    """No network gives out numbers that begin with 70, so these ring at nobody's."""
    method = pick(("phone", "named_person", "in_person", "do_not_contact"), number)
    words = {
        "phone": "Only in the morning, and say that it is the library (practice).",
        "named_person": "Through Aunt Example at the invented kiosk (practice).",
        "in_person": "At the invented health post, on Tuesdays (practice).",
        "do_not_contact": "",
    }
    phone = f"+2507000{number + 1:05}" if method == "phone" else ""
    return {"method": method, "phone": phone, "words": words[method], "code_word": "practice"}


def _consent(number: int) -> dict[str, Any]:
    if (number + 2) % 6 == 0:
        reason = pick(CONSENT_NOT_ASKED_REASON.codes[:5], number)
        return {"consent_asked": "no", "not_asked_reason": reason}
    return {"consent_asked": "yes", "agrees": "no" if (number + 1) % 11 == 0 else "yes"}
