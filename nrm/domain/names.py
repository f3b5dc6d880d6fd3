"""Names as they are searched: cut into parts, folded to how they sound, taken in pairs.

A folding has a number. What was written with one number is searched with the same one, so a
folding that is in use is never changed: a better one gets the next number.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import combinations, pairwise
from typing import Any

FOLDING = 1
# A person has at most so many tokens.
MOST_PAIRS = 12
NAME_FIELDS = ("given_name", "family_name", "other_names")

Pair = tuple[str, str]

# What stands between the parts of a name: spaces, and every kind of dash.
_BETWEEN = re.compile(r"[\s,;/._\-\u2010-\u2015]+")
# Words of names that tell nobody apart.
_PARTICLES = frozenset({"al", "bin", "d", "da", "de", "del", "di", "du", "el", "la", "le", "van"})
# Beginnings of Rwandan names that some write as a word of their own: Nyira Mana, Mu Kamana.
_BEGINNINGS = frozenset({"bara", "haba", "habu", "hari", "mu", "muka", "nda", "nsa", "ntaha"})
_BEGINNINGS |= {"nya", "nyira", "nyiri", "twa", "uwa", "uwi", "uwu"}
# Letters that Unicode does not take apart, as they are written without a special keyboard.
_PLAIN = str.maketrans({"ç": "s", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d"})

# Spellings of more than one letter, and the sound that each makes. Kinyarwanda writes l and r, k
# and ky and cy, gi and ji, v and b by ear; French and English names are written in both ways, and
# as they are said in Kinyarwanda.
_SPELLINGS = {
    "ph": "f",  # Joseph, Josef
    "pf": "f",  # Mupfasoni, Mufasoni
    "chr": "kr",  # Christine, Kristine
    "chl": "kl",  # Chloe, Kloe
    "sch": "s",
    "tch": "s",
    "ch": "s",  # Michel, Mishel
    "sh": "s",  # Nshuti, Nsuti
    "th": "t",  # Agathe, Agata
    "pt": "t",  # Baptiste, Batiste
    "dj": "g",  # Djuma, Juma
    "dg": "g",  # Bridget, Brigitte
    "gn": "n",  # Agnes, Anyes
    "ce": "se",  # Cecile, Sesile
    "ci": "si",
    "cks": "s",
    "ks": "s",  # Felix, Feliksi
    "cs": "s",
    "ts": "s",  # Gatsinzi, Gasinzi
    "tz": "s",
}
_SPELLING = re.compile("|".join(sorted(_SPELLINGS, key=len, reverse=True)))
# Single letters: h is mute, and later vowels and what glides between them are not heard apart.
_SOUNDS = str.maketrans(
    {
        **dict.fromkeys("aeiouyw", " "),
        **dict.fromkeys("cq", "k"),  # Cyusa, Kyusa; Jacques, Jakes
        **dict.fromkeys("xz", "s"),  # Therese, Tereza
        "j": "g",  # Mujisha, Mugisha
        "v": "b",  # Yves, Ibe
        "l": "r",  # Liliane, Ririyane
        "h": "",  # Habimana, Abimana
    }
)
# Mute endings: Georges, Charles, Yves, Jacques; Robert and Richard, also as Roberi and Rishari.
_MUTE = re.compile(r"(?<=[glrv])es$|(?<=qu)es$|(?<=oi)s$|(?<=r)[td][eiu]?$")
# A J that is said as Y by many: Joseph, Yozefu; Juvenal, Yuvenari; and Djuma with Juma.
_SAID_Y = re.compile(r"^d?j(?=[ou])")
_DOUBLED = re.compile(r"([a-z])\1+")  # Emmanuel, Emanuel
_VOWELS = frozenset("aeiou")
_LATIN = re.compile(r"[a-z]+")
# Neighbours of each letter on a keyboard, and on a French one where the letters lie elsewhere.
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = "aq az qw wz qs ws wx mp ml"


def cleaned(part: str) -> str:
    """Write a part of a name in plain small letters: no accent, apostrophe or mark."""
    plain = part.lower()
    if plain.isascii() and plain.isalnum():
        return plain
    apart = unicodedata.normalize("NFKD", part.casefold().translate(_PLAIN))
    return "".join(sign for sign in apart if sign.isalnum())


def parts(names: str) -> list[str]:
    """Cut names into cleaned parts, in their order, without the particles between them."""
    words = [word for word in map(cleaned, _BETWEEN.split(names)) if word]
    whole = _with_beginnings(words)
    telling = [word for word in whole if len(word) > 1 and word not in _PARTICLES]
    return telling or whole


def recorded(identity: Mapping[str, Any]) -> str:
    """Return a person's names as one line: given name, family name, other names."""
    return " ".join(str(identity[field]) for field in NAME_FIELDS if identity.get(field))


def folded(part: str) -> str:
    """Fold a cleaned part to its sounds: the consonants that are heard apart, and a first vowel.

    A name in another script is kept as it is.
    """
    if not _LATIN.fullmatch(part):
        return part
    heard = _SAID_Y.sub("y", _MUTE.sub("", part))
    sounds = _SPELLING.sub(lambda found: _SPELLINGS[found[0]], heard).translate(_SOUNDS)
    # A first vowel is heard as one, whichever it is.
    first = "A" if sounds[:1] == " " else ""
    return first + _DOUBLED.sub(r"\1", sounds).replace(" ", "").upper() or part


def pairs(names: Iterable[str]) -> list[Pair]:
    """Pair the folded parts, each pair in alphabetical order; one known name stands alone.

    Where there are more pairs than are kept, those of the names that stand first are.
    """
    keys = list(dict.fromkeys(map(folded, names)))
    if len(keys) == 1:
        return [(keys[0], "")]
    places = sorted(combinations(range(len(keys)), 2), key=lambda place: (sum(place), place))
    return [_ordered(keys[first], keys[second]) for first, second in places[:MOST_PAIRS]]


def near(names: Iterable[str]) -> set[Pair]:
    """Return the pairs that one slip of the finger makes of these names, in one part at a time.

    With three names or more nothing is added: a slip in one leaves the pairs of the others.
    """
    known = {folded(part): part for part in names}
    match list(known):
        case [only]:
            return {(key, "") for key in _neighbours(known[only])}
        case [first, second]:
            return {_ordered(key, second) for key in _neighbours(known[first])} | {
                _ordered(first, key) for key in _neighbours(known[second])
            }
    return set()


def _ordered(one: str, other: str) -> Pair:
    return (one, other) if one <= other else (other, one)


def _with_beginnings(words: list[str]) -> list[str]:
    """Join a beginning to the word that it begins."""
    joined: list[str] = []
    before = ""
    for word in words:
        if word in _BEGINNINGS and not before:
            before = word
            continue
        joined.append(before + word)
        before = ""
    return [*joined, before] if before else joined


def _beside() -> dict[str, str]:
    """Say which letters lie beside each letter."""
    touching: dict[str, set[str]] = {}
    couples = [row[at : at + 2] for row in _KEYS for at in range(len(row) - 1)]
    for upper, lower in pairwise(_KEYS):
        couples += [upper[at] + lower[at] for at in range(len(lower))]
        couples += [upper[at + 1] + lower[at] for at in range(len(lower)) if at + 1 < len(upper)]
    for couple in [*couples, *_BESIDE.split()]:
        for letter in couple:
            touching.setdefault(letter, set()).update(couple.replace(letter, ""))
    return {letter: "".join(sorted(others)) for letter, others in touching.items()}


BESIDE = _beside()


def _neighbours(part: str) -> set[str]:
    """Undo each slip that this part may hold: a letter too many, two swapped, one beside it.

    A vowel in the place of a consonant is left: it is rare, and costs half as many files again.
    """
    spots = range(len(part))
    undone = {part[:at] + part[at + 1 :] for at in spots}
    undone |= {part[:at] + part[at + 1] + part[at] + part[at + 2 :] for at in spots[:-1]}
    undone |= {
        part[:at] + other + part[at + 1 :]
        for at in spots
        for other in BESIDE.get(part[at], "")
        if part[at] not in _VOWELS
    }
    return {folded(word) for word in undone if word} - {folded(part)}
