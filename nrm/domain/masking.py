"""Which fields are shown masked wherever they stand, and how: here, and nowhere else.

Opening a part of a file is for its work; a number, an exact day or a place is rarely needed for it,
and is what a glance over a shoulder, a photograph of a screen or a printed page gives away. What
keeps the person safe is never masked: how, when and by whom they may be reached stays readable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nrm.domain.text import N_


class Way(StrEnum):
    """How a field is masked."""

    # The last three signs, so that two numbers can be told apart and one can be read back.
    LAST_THREE = "last_three"
    # The year of a day.
    YEAR = "year"
    # The first letter of each name.
    INITIALS = "initials"
    HIDDEN = "hidden"


# By compartment and field. A field that is not named here is shown when its compartment is open.
MASKED: Mapping[str, Mapping[str, Way]] = {
    "identity": {"birth_date": Way.YEAR, "id_number": Way.LAST_THREE},
    # The code word is what tells the person that a caller is a friend: read before a call only.
    "contact": {"phone": Way.LAST_THREE, "code_word": Way.HIDDEN},
    # The exact place of the exploitation, or where the person was found.
    "narrative": {"place_words": Way.HIDDEN},
}
# In a list of people, before anybody has said why they open a file, names are masked too.
NAMES_IN_LISTS = Way.INITIALS

FIELD_LABEL: Mapping[tuple[str, str], str] = {
    ("identity", "birth_date"): N_("Date of birth"),
    ("identity", "id_number"): N_("Identity number"),
    ("contact", "phone"): N_("Phone number"),
    ("contact", "code_word"): N_("Code word"),
    ("narrative", "place_words"): N_("Exact place"),
}

_KEPT = 3
# Of a shorter number the last three signs would be most of it.
_SHORTEST = 7
_YEAR = 4
_DASHES = ("-", 4), ("-", 7)


@dataclass(frozen=True)
class Masked:
    """What stands where a field is: that something is known, and no more of it than this."""

    compartment: str
    field: str
    way: Way
    # What may be told of it: three signs, a year, initials; or nothing.
    told: str


def masked(compartment: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a compartment's document as it is shown: its masked fields are not in it any more."""
    ways = MASKED.get(compartment, {})
    return {
        name: Masked(compartment, name, ways[name], told(ways[name], str(value)))
        if name in ways and value not in (None, "")
        else value
        for name, value in document.items()
    }


def told(way: Way, value: str) -> str:
    """Say what may be told of a value; never the whole of it."""
    match way:
        case Way.LAST_THREE:
            return _last_three(value)
        case Way.YEAR:
            return _year(value)
        case Way.INITIALS:
            return initials(value)
        case Way.HIDDEN:
            return ""


def initials(names: str) -> str:
    """Say names as a list of people does: the first letter of each; of a single letter nothing."""
    return " ".join(
        f"{part[0]}." if sum(map(str.isalnum, part)) > 1 else "–" for part in names.split()
    )


def is_masked(compartment: str, field: str) -> bool:
    """Say whether a field is one that is shown masked, and can be asked for by itself."""
    return field in MASKED.get(compartment, {})


def _last_three(value: str) -> str:
    signs = "".join(sign for sign in value if sign.isalnum())
    return signs[-_KEPT:] if len(signs) >= _SHORTEST else ""


def _year(value: str) -> str:
    whole = all(value[at : at + 1] == dash for dash, at in _DASHES) and value[:_YEAR].isdigit()
    return value[:_YEAR] if whole else ""
