"""How alike two persons' names are, whatever their order, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter

from jellyfish import damerau_levenshtein_distance, jaro_winkler_similarity

from nrm.domain.names import folded

# Below this, two names are not shown as alike.
ALIKE = 0.83
# No part of a name may be less like its counterpart than this.
_PART = 0.68
# Parts that are less alike than this are not asked how they sound.
_WORTH_FOLDING = 0.55
# What sounds alike is alike, however it is spelt.
_SOUNDS = 0.92
# A name that only one of the two has: people leave some out.
_EXTRA = 0.02


class Reason(StrEnum):
    """Why a file was found, the strongest that holds."""

    SAME_IDENTIFIER = "same_identifier"
    SAME_SPELLING = "same_spelling"
    OTHER_ORDER = "other_order"
    ONE_LETTER = "one_letter"
    SOUNDS_ALIKE = "sounds_alike"
    ALIKE = "alike"


@dataclass(frozen=True)
class Likeness:
    """How alike, from 0 to 1, and why."""

    score: float
    reason: Reason


@dataclass(frozen=True)
class Asked:
    """The cleaned parts of the names that others are compared with, and their foldings."""

    parts: Sequence[str]
    keys: Sequence[str]


def asked(parts: Sequence[str]) -> Asked:
    """Fold the parts once, for however many others they are compared with."""
    return Asked(parts, [folded(part) for part in parts])


def likeness(wanted: Asked, known: Sequence[str]) -> Likeness | None:
    """Compare names with the cleaned parts of another's; nothing where they are not alike.

    Each part of the shorter name is set against the part of the longer one that is most like it.
    One name alone is compared with one name alone: it is borne by too many.
    """
    fewer, more = sorted((len(wanted.parts), len(known)))
    if fewer == 1 < more:
        return None
    couples = _couples(wanted, known)
    if len(couples) < fewer or not couples:
        return None
    mean = sum(score for score, _, _ in couples) / len(couples)
    score = mean - _EXTRA * (more - fewer)
    return Likeness(score, _reason(wanted, known, couples)) if score >= ALIKE else None


def _couples(wanted: Asked, known: Sequence[str]) -> list[tuple[float, int, int]]:
    """Set each part against one other, most alike first, as (likeness, place, other's place)."""
    scores: list[tuple[float, int, int]] = []
    for place, part in enumerate(wanted.parts):
        before = len(scores)
        for beside, other in enumerate(known):
            score = _alike(part, wanted.keys[place], other)
            if score >= _PART:
                scores.append((score, place, beside))
        # Most of a bucket is there by chance, and is left at the first name that fits nothing.
        if len(scores) == before and len(wanted.parts) <= len(known):
            return []
    scores.sort(reverse=True)
    couples: list[tuple[float, int, int]] = []
    for score, place, beside in scores:
        if all(place != taken and beside != gone for _, taken, gone in couples):
            couples.append((score, place, beside))
    return sorted(couples, key=itemgetter(1))


def _alike(part: str, key: str, other: str) -> float:
    score = jaro_winkler_similarity(part, other)
    # Only what is near enough to matter is folded: most of a bucket is there by chance.
    if _WORTH_FOLDING <= score < _SOUNDS and folded(other) == key:
        return _SOUNDS
    return score


def _reason(
    wanted: Asked, known: Sequence[str], couples: Sequence[tuple[float, int, int]]
) -> Reason:
    set_beside = [(wanted.parts[place], known[beside]) for _, place, beside in couples]
    if all(one == other for one, other in set_beside):
        order = [beside for _, _, beside in couples]
        return Reason.SAME_SPELLING if order == sorted(order) else Reason.OTHER_ORDER
    if sum(damerau_levenshtein_distance(one, other) for one, other in set_beside) == 1:
        return Reason.ONE_LETTER
    if all(wanted.keys[place] == folded(known[beside]) for _, place, beside in couples):
        return Reason.SOUNDS_ALIKE
    return Reason.ALIKE
