"""The invented people of the practice world's past, drawn at random with a believable skew.

Whoever draws is seeded by the number of the case, so that every practice world has the same people.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar

from nrm.cli.demonstration import people
from nrm.cli.demonstration.people import Pages
from nrm.country import CountryPack
from nrm.country.demonstration import DemoHistory
from nrm.domain.flag import FIRST_NEEDS
from nrm.domain.vocabulary import (
    CITIZENSHIP,
    CONSENT_NOT_ASKED_REASON,
    IDENTIFICATION_PLACE,
    INDICATOR,
    REFERRAL_SOURCE,
    is_child,
)
from nrm.services.exploitation import Exploitation

T = TypeVar("T")
# What can be drawn, and how often beside the others.
Weights = Mapping[T, int]

# Nobody is called "Painted Teapot", and no two of these are taken for one another.
_GIVEN = (
    *(
        "Imagined",
        "Painted",
        "Wooden",
        "Velvet",
        "Copper",
        "Striped",
        "Borrowed",
        "Sleepy",
        "Folded",
    ),
    *("Glass", "Silver", "Upright", "Knitted", "Thirsty", "Humming", "Jolly", "Rusty"),
    *("Zigzag", "Ninth", "Kindred", "Modern", "Purple", "Dotted", "Square", "Feathered"),
)
_FAMILY = (
    *("Teapot", "Umbrella", "Ladder", "Kettle", "Doorbell", "Blanket", "Notebook", "Saucepan"),
    *("Wheelbarrow", "Candle", "Hammock", "Trombone", "Cushion", "Pencil", "Wardrobe", "Envelope"),
    *("Bicycle", "Lantern", "Spoon", "Drum", "Mirror", "Parasol", "Thimble", "Anchor", "Postcard"),
    *("Footstool", "Raincoat", "Zipper", "Inkwell", "Jigsaw", "Tambourine", "Sieve", "Gramophone"),
    *("Bookshelf", "Lampshade", "Yardstick", "Kaleidoscope", "Paperclip", "Nutcracker", "Rug"),
    *("Typewriter", "Easel", "Quilt", "Domino", "Flowerpot", "Hourglass", "Windmill", "Bucket"),
    *("Corkscrew", "Abacus", "Telescope", "Mitten", "Sundial", "Gong", "Whistle", "Padlock"),
    *("Oilcan", "Fiddle", "Vase", "Compass"),
)
# Numbers of telephones that none of the newer cases has.
_FIRST_NUMBER = 1000
_STORY = "Practice text: a case of the past, of which no more than this was written down."

_FORMS: Weights[str] = {
    "forced_labour": 48,
    "sexual_exploitation": 18,
    "servitude": 18,
    "forced_begging": 5,
    "forced_marriage": 4,
    "armed_group": 1,
    "organ_removal": 1,
    "forced_adoption": 1,
    "surrogacy": 1,
    "other": 2,
    "unknown": 6,
}
# Whom a form is done to, where it is not to women and men alike.
_SEX_OF: Mapping[str, Weights[str]] = {
    "sexual_exploitation": {"female": 92, "male": 6, "other": 2},
    "servitude": {"female": 82, "male": 17, "unknown": 1},
    "forced_marriage": {"female": 97, "male": 3},
    "surrogacy": {"female": 1},
}
_SEX: Weights[str] = {"female": 46, "male": 51, "other": 1, "unknown": 2}
# The youngest and the oldest of each band, and how often it is drawn.
_AGES: Weights[tuple[str, int, int]] = {
    ("under_12", 3, 11): 6,
    ("12_15", 12, 15): 11,
    ("16_17", 16, 17): 16,
    ("18_24", 18, 24): 29,
    ("25_34", 25, 34): 21,
    ("35_44", 35, 44): 9,
    ("45_plus", 45, 66): 5,
    ("unknown", 0, 0): 3,
}
_FLOWS: Weights[str] = {"internal": 38, "outbound": 33, "inbound": 14, "transit": 8, "unknown": 7}
_NATIONAL, *_FOREIGN = CITIZENSHIP
_NEIGHBOURS = ("BI", "CD", "UG", "TZ")
# Of a hundred, how many are nationals on each route.
_NATIONALS = {"internal": 90, "outbound": 97, "inbound": 6, "transit": 3, "unknown": 70}
# Most who come from elsewhere come from beside.
_FOREIGNERS: Weights[str] = {
    code: {"BI": 60, "CD": 50, "UG": 24, "TZ": 16, "KE": 6}.get(code, 1) for code in _FOREIGN
}
_LANGUAGES: Mapping[str, list[str]] = {
    "BI": ["run"],
    "CD": ["swa", "fra"],
    "UG": ["lug", "eng"],
    "TZ": ["swa"],
    "KE": ["swa", "eng"],
    "ER": ["tir"],
    "ET": ["other"],
    "SD": ["ara"],
    "SS": ["ara", "eng"],
    "SO": ["ara"],
    "CG": ["lin", "fra"],
}
_REFUGEE: Weights[str] = {"none": 55, "refugee": 27, "asylum_seeker": 13, "": 5}
_REFUGEE_NATIONAL: Weights[str] = {"none": 96, "": 4}
_SECTORS: Weights[str] = {
    "agriculture": 23,
    "hospitality": 16,
    "construction": 14,
    "trade": 12,
    "domestic_work": 9,
    "mining": 8,
    "manufacturing": 5,
    "online": 5,
    "transport": 4,
    "other": 2,
    "": 8,
}
_SECTOR_OF = {"servitude": "domestic_work", "forced_begging": "begging"}
# Whoever is not named here brought a few.
_MOST_SOURCES = {"police": 60, "border": 48, "investigation": 18, "hotline": 16, "ngo": 12}
_SOURCES: Weights[str] = {code: _MOST_SOURCES.get(code, 4) for code in REFERRAL_SOURCE}
_AT_BORDERS: Weights[str] = {"border_post": 85, "airport": 15}
_ELSEWHERE: Weights[str] = {
    code: {"workplace": 26, "private_home": 20, "street": 16, "hotel_or_bar": 12}.get(code, 4)
    for code in IDENTIFICATION_PLACE
    if code not in _AT_BORDERS
}
_RISKS: Weights[str] = {"danger_now": 8, "reachable_tonight": 11, "unsure": 41, "none": 40}
# Of a hundred, in how many each sign was seen: first whatever the form, then with what it goes.
_SEEN = 24
_SEEN_WITH = {
    ("forced_labour", "pay_withheld"): 62,
    ("forced_labour", "long_hours"): 55,
    ("forced_labour", "deceived"): 50,
    ("servitude", "cannot_leave"): 58,
    ("servitude", "cut_off"): 46,
    ("sexual_exploitation", "sexual_acts"): 78,
    ("sexual_exploitation", "threatened"): 44,
}


def draw(chance: Random, weights: Weights[T]) -> T:
    """Draw one, each as often as it weighs."""
    return chance.choices(tuple(weights), tuple(weights.values()))[0]


def happens(chance: Random, of_a_hundred: int) -> bool:
    """Say whether what happens to so many of a hundred happens to this one."""
    return chance.random() * 100 < of_a_hundred


def person(
    chance: Random, pack: CountryPack, places: DemoHistory, number: int, on: date
) -> tuple[Pages, Exploitation]:
    """Draw what a first responder wrote down, and what came to light of the exploitation."""
    form, (band, youngest, oldest) = draw(chance, _FORMS), draw(chance, _AGES)
    known = _exploitation(chance, form, child=is_child(band))
    sex = draw(chance, _SEX_OF.get(form, _SEX))
    citizenship = _citizenship(chance, known.flow)
    known = _with_refugee(chance, known, citizenship)
    told = {"sex": sex, "citizenship": citizenship, **_names(chance, number)}
    told["languages"] = _LANGUAGES.get(citizenship, ["kin"])
    if band != "unknown" and happens(chance, 60):
        told["birth_date"] = _born(chance, youngest, oldest, on).isoformat()
    else:
        told["age_band"] = band
    pages = {
        **_found(chance, pack, places, on),
        "person": told,
        "signs": {"indicators": _signs(chance, form, band), "account": _STORY},
        "risk": {"immediate_risk": draw(chance, _RISKS), "needs": _needs(chance)},
        "contact": people.contact(_FIRST_NUMBER + number),
        "consent": _consent(chance),
    }
    return pages, known


def _exploitation(chance: Random, form: str, *, child: bool) -> Exploitation:
    forms = {form}
    # Some suffer more than one; a child's work has a name of its own.
    if form != "unknown" and happens(chance, 6):
        forms |= {draw(chance, _FORMS)} - {"unknown"}
    sector = _SECTOR_OF.get(form, "")
    if form == "forced_labour":
        sector = draw(chance, _SECTORS)
    named = ("child_labour" if child and one == "forced_labour" else one for one in forms)
    return Exploitation(tuple(sorted(named)), draw(chance, _FLOWS), sector)


def _with_refugee(chance: Random, known: Exploitation, citizenship: str) -> Exploitation:
    weights = _REFUGEE_NATIONAL if citizenship == _NATIONAL else _REFUGEE
    return Exploitation(known.forms, known.flow, known.sector, draw(chance, weights))


def _citizenship(chance: Random, flow: str) -> str:
    if happens(chance, _NATIONALS[flow]):
        return _NATIONAL
    return draw(chance, _FOREIGNERS)


def _names(chance: Random, number: int) -> dict[str, Any]:
    """Most give their names; no two have the same."""
    if happens(chance, 6):
        return {}
    given, family = number % len(_GIVEN), number // len(_GIVEN)
    return {"given_name": _GIVEN[given], "family_name": people.pick(_FAMILY, family)}


def _born(chance: Random, youngest: int, oldest: int, on: date) -> date:
    """Draw a birthday of this year that has passed, and count back from it."""
    age = youngest + int(chance.random() * (oldest - youngest + 1))
    new_year = date(on.year - age, 1, 1)
    return new_year + timedelta(days=int(chance.random() * (on - date(on.year, 1, 1)).days))


def _found(
    chance: Random, pack: CountryPack, places: DemoHistory, on: date
) -> dict[str, dict[str, Any]]:
    source = draw(chance, _SOURCES)
    border = source == "border"
    district = draw(chance, places.borders if border else places.districts)
    return {
        "report": {"source": source, "district": district},
        "place": {
            "place": draw(chance, _AT_BORDERS if border else _ELSEWHERE),
            "sector": chance.choices(pack.sectors(district))[0],
            "found_on": on.isoformat(),
        },
    }


def _signs(chance: Random, form: str, band: str) -> list[str]:
    """Draw what was seen; of everybody something was."""
    alone = {"child_alone": 55 if is_child(band) else 0}
    seen = [
        code
        for code in INDICATOR
        if happens(chance, _SEEN_WITH.get((form, code), alone.get(code, _SEEN)))
    ]
    return seen or ["deceived"]


def _needs(chance: Random) -> list[str]:
    return sorted({chance.choices(FIRST_NEEDS)[0] for _ in range(2)})


def _consent(chance: Random) -> dict[str, str]:
    if happens(chance, 12):
        reason = chance.choices(CONSENT_NOT_ASKED_REASON.codes)[0]
        return {"consent_asked": "no", "not_asked_reason": reason}
    return {"consent_asked": "yes", "agrees": "no" if happens(chance, 5) else "yes"}
