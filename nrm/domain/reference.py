"""References that a person can read out over a radio, and that explain how they were mistyped.

A reference is random, so it says nothing about anyone. Its symbols number 31, a prime, and each
place has a weight of its own in a sum modulo 31. Therefore a single wrong symbol and a swap of any
two symbols always break the sum, wherever they are.
"""

import secrets
import unicodedata
from collections.abc import Iterator

from nrm.domain.text import N_

# No zero and no letter O, no letters I and L beside the digit 1, no U beside V.
ALPHABET = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MODULUS = len(ALPHABET)
# The sum leaves this remainder, so that the specimen in forms and guides, 7K4M-29QX-C, fits.
_REMAINDER = 7
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}

_CASE_GROUPS = (4, 4, 1)
_REFERRAL_GROUPS = (1, 3, 3, 1)
_REFERRAL_MARK = "R"

# Symbols that the eye or the ear takes for one another. Only used to say where to look again.
_EASILY_CONFUSED = ("B8", "S5", "Z2", "G6", "17", "DT", "MN", "FS", "59", "BP", "BV", "VW")

# fmt: off
_NATO_WORDS = (
    "Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "Juliett", "Kilo",
    "Mike", "November", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Victor", "Whiskey",
    "X-ray", "Yankee", "Zulu",
)
# fmt: on
_DIGITS = {
    "1": N_("one"),
    "2": N_("two"),
    "3": N_("three"),
    "4": N_("four"),
    "5": N_("five"),
    "6": N_("six"),
    "7": N_("seven"),
    "8": N_("eight"),
    "9": N_("nine"),
}
_SPOKEN = {word[0]: word for word in _NATO_WORDS} | _DIGITS

_UNUSED = {
    "0": N_("There is no zero in a reference. Listen again, or look for Q, D or G."),
    "O": N_("There is no letter O in a reference. Listen again, or look for Q, D or G."),
    "I": N_("There is no letter I in a reference. Look for the digit 1."),
    "L": N_("There is no letter L in a reference. Look for the digit 1."),
    "U": N_("There is no letter U in a reference. Look for V, or listen again for Q."),
}


class ReferenceTypo(ValueError):  # noqa: N818 - a slip of the hand, not a fault
    """What was typed cannot be a reference; carries the words that help to find the slip."""

    def __init__(self, reason_code: str, message: str, **parameters: str | int) -> None:
        """Carry the message untranslated, with the values that belong in it."""
        super().__init__(message % parameters)
        self.reason_code = reason_code
        self.message = message
        self.parameters = parameters


def new_case_reference() -> str:
    """Draw a reference for a case; it tells nothing about the person, the place or the day."""
    return _grouped(_draw("", sum(_CASE_GROUPS)), _CASE_GROUPS)


def new_referral_reference() -> str:
    """Draw a reference for a referral, marked with R so that nobody takes it for a case."""
    return _grouped(_draw(_REFERRAL_MARK, sum(_REFERRAL_GROUPS)), _REFERRAL_GROUPS)


def parse_case_reference(text: str) -> str:
    """Return the case reference that was typed or heard, or explain the slip."""
    symbols = _symbols(text)
    _require_length(symbols, sum(_CASE_GROUPS))
    _require_known(symbols)
    _require_fit(symbols)
    return _grouped(symbols, _CASE_GROUPS)


def parse_referral_reference(text: str) -> str:
    """Return the referral reference that was typed or heard, or explain the slip."""
    symbols = _symbols(text)
    _require_length(symbols, sum(_REFERRAL_GROUPS))
    if symbols[0] != _REFERRAL_MARK:
        message = N_("A referral reference begins with R. You typed %(typed)s first.")
        raise ReferenceTypo("not_a_referral", message, typed=symbols[0])
    _require_known(symbols)
    _require_fit(symbols)
    return _grouped(symbols, _REFERRAL_GROUPS)


def spoken(reference: str) -> tuple[str, ...]:
    """Spell a reference in the words of the international radio alphabet."""
    return tuple(_SPOKEN[symbol] for symbol in _symbols(reference))


def _draw(mark: str, length: int) -> str:
    body = mark + "".join(secrets.choice(ALPHABET) for _ in range(length - len(mark) - 1))
    # The check symbol has weight 1, so it is simply what the others lack.
    return body + ALPHABET[(_REMAINDER - _weighted_sum(body + ALPHABET[0])) % _MODULUS]


def _weighted_sum(symbols: str) -> int:
    weights = range(len(symbols), 0, -1)
    return sum(weight * _VALUE[symbol] for weight, symbol in zip(weights, symbols, strict=True))


def _fits(symbols: str) -> bool:
    return _weighted_sum(symbols) % _MODULUS == _REMAINDER


def _grouped(symbols: str, sizes: tuple[int, ...]) -> str:
    rest = iter(symbols)
    return "-".join("".join(next(rest) for _ in range(size)) for size in sizes)


def _symbols(text: str) -> str:
    """Take away what people and keyboards put between the symbols: blanks, dashes, dots."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(char for char in plain if unicodedata.category(char)[0] not in "ZPC")


def _require_length(symbols: str, expected: int) -> None:
    if not symbols:
        raise ReferenceTypo("empty", N_("Enter a reference, for example 7K4M-29QX-C"))
    if len(symbols) != expected:
        message = N_("A reference has %(expected)d characters; you typed %(typed)d.")
        raise ReferenceTypo("length", message, expected=expected, typed=len(symbols))


def _require_known(symbols: str) -> None:
    for place, symbol in enumerate(symbols, start=1):
        if symbol in _UNUSED:
            raise ReferenceTypo("unused_character", _UNUSED[symbol])
        if symbol not in _VALUE:
            message = N_("Character %(position)d, %(typed)s, is never used in a reference.")
            raise ReferenceTypo("unused_character", message, position=place, typed=symbol)


def _require_fit(symbols: str) -> None:
    if _fits(symbols):
        return
    places = list(_suspects(symbols))
    # Correcting in silence could open another person's file, so the reader is asked to look.
    if len(places) == 1:
        place = places[0]
        message = N_(
            "Something does not fit. Look first at character %(position)d, %(typed)s: "
            "it is easily taken for another one."
        )
        raise ReferenceTypo("look_again", message, position=place + 1, typed=symbols[place])
    message = N_("One character is wrong or two are swapped. Listen again, or read it back.")
    raise ReferenceTypo("check_character", message)


def _suspects(symbols: str) -> Iterator[int]:
    """Find each place where the symbol's look-alike or sound-alike would make the sum fit."""
    for place, symbol in enumerate(symbols):
        for pair in _EASILY_CONFUSED:
            if symbol in pair:
                other = pair.replace(symbol, "")
                if _fits(symbols[:place] + other + symbols[place + 1 :]):
                    yield place
