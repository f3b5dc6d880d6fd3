"""The recovery root: 32 random bytes that exist only as words on the custodians' sheets.

Any two of the three sheets give them back (SLIP-39); one alone says nothing about them. The root
that follows from them is of the same kind as a key file's, so that its public half stands in the
database and every master key can be sealed to it without anybody.
"""

import difflib
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.share import Share
from shamir_mnemonic.wordlist import WORD_INDEX_MAP, WORDLIST

from nrm.security.keyfile import Holder, SoftwareRoot

CUSTODIANS = 3
NEEDED = 2
WORDS = 33
_SECRET_BYTES = 32
_MLKEM_SEED_BYTES = 64
_CURVE_BYTES = 32
# The numbers that stand before the words on a sheet, should somebody type them too.
_NUMBER = re.compile(r"\d+[.)]?")
_ORDINALS = ("first", "second")


class SheetsError(Exception):
    """The words are not those of two sheets that belong together; the message is one line."""


@dataclass(frozen=True)
class Sheets:
    """A fresh recovery root's public half, and the words that the custodians are to keep."""

    public: bytes
    words: tuple[str, ...] = field(repr=False)


def new_sheets() -> Sheets:
    """Make a recovery root and split it; the secret itself leaves this function in words only."""
    secret = os.urandom(_SECRET_BYTES)
    # Stretching protects a passphrase, and the sheets have none.
    split = generate_mnemonics(1, [(NEEDED, CUSTODIANS)], secret, iteration_exponent=0)
    return Sheets(_root(secret).public, tuple(split[0]))


def rebuild(typed: Sequence[str]) -> SoftwareRoot:
    """Rebuild the recovery root from the words of two custodians; raises SheetsError."""
    if len(typed) != NEEDED:
        raise SheetsError(f"the words of {NEEDED} custodians are needed, one line for each")
    sheets = [read_sheet(words, at) for at, words in enumerate(typed)]
    if sheets[0] == sheets[1]:
        raise SheetsError("the same sheet was typed twice: two different custodians are needed")
    try:
        secret = combine_mnemonics([sheet.mnemonic() for sheet in sheets])
    except MnemonicError:
        raise SheetsError("the two sheets are of different sets: look at their marks") from None
    return _root(secret)


def read_sheet(typed: str, at: int) -> Share:
    """Read what was typed from one sheet; raises SheetsError that says which word is wrong."""
    words = [word for word in typed.lower().split() if not _NUMBER.fullmatch(word)]
    which = f"the {_ORDINALS[at]} sheet"
    if not words:
        raise SheetsError(f"{which} is empty: its {WORDS} words are needed, on one line")
    for number, word in enumerate(words, start=1):
        if word not in WORD_INDEX_MAP:
            raise SheetsError(f"word {number} of {which} is not in the word list{_near(word)}")
    if len(words) != WORDS:
        raise SheetsError(f"{which} has {len(words)} words: {WORDS} are needed, on one line")
    try:
        share = Share.from_mnemonic(" ".join(words))
    except MnemonicError:
        raise SheetsError(
            f"the words of {which} do not fit together: one is another word, or two are swapped"
        ) from None
    if (share.group_threshold, share.group_count, share.member_threshold) != (1, 1, NEEDED):
        raise SheetsError(f"{which} is not one of this program's")
    return share


def mark(public: bytes) -> str:
    """Return the eight characters by which a set of sheets and its system know each other."""
    return hashlib.sha256(public).hexdigest()[:8]


def _near(word: str) -> str:
    """Suggest what could have been meant; a sheet's word is never guessed by the program."""
    near = difflib.get_close_matches(word, WORDLIST, n=3)
    return f": perhaps {' or '.join(near)}" if near else ""


def _root(secret: bytes) -> SoftwareRoot:
    length = _MLKEM_SEED_BYTES + _CURVE_BYTES
    expand = HKDFExpand(algorithm=hashes.SHA256(), length=length, info=b"nrm recovery v1")
    seeds = expand.derive(secret)
    return SoftwareRoot.from_secrets(
        Holder.RECOVERY, seeds[:_MLKEM_SEED_BYTES], seeds[_MLKEM_SEED_BYTES:]
    )
