"""Passwords: which are too weak, and hashing: Argon2id, bounded in memory and in number."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from threading import BoundedSemaphore
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from nrm.domain.errors import InvalidInputError
from nrm.domain.text import N_

SHORTEST = 12
LONGEST = 256
# 19 MiB, two passes, one lane: the strength OWASP names as enough, and no more than two at a
# time, so that a rush at the door cannot take the memory or both cores from those inside.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_GATE = BoundedSemaphore(2)
# Checked where the account is unknown, so that the answer takes as long as for a known one.
_NOBODY = _HASHER.hash("nobody signs in with this")

# On the scale of zxcvbn, 0 to 4: under 3 it is one of the common ones, with a number, a year or
# a sign before or after it, doubled, written backwards or with 0 for o.
_NOT_COMMON = 3
# It looks at so many characters, and what it would say of more is the same.
_LOOKED_AT = 72
# What everybody here has around them.
_OF_THE_HOUSE = ("nrm", "referral", "mechanism")
# A word shorter than this is found in many words that have nothing to do with it.
_SHORTEST_WORD = 3
# So many letters and digits beside such words are little.
_LITTLE = 8
_WORD = re.compile(r"[^\W_]+")


def hash_new(password: str, about: Iterable[str]) -> str:
    """Hash a password that somebody chooses; a bad one is an InvalidInputError on `password`.

    `about` is what a stranger knows of the account: its e-mail address, the person's name, the
    organisation's. Length decides, and being hard to guess: no mixture of signs is asked for.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInputError("password", N_("A password has between 12 and 256 characters."))
    if _is_told_by(password, about):
        raise InvalidInputError(
            "password",
            N_(
                "This password is too easy to guess: it is little more than a name or an address "
                "that others know. Choose several words that have nothing to do with you."
            ),
        )
    if _is_common(password):
        raise InvalidInputError(
            "password",
            N_(
                "This password is too easy to guess: it is, or is close to, one that many people "
                "use. Choose several words that have nothing to do with each other."
            ),
        )
    return hash_password(password)


def _is_told_by(password: str, about: Iterable[str]) -> bool:
    """Say whether less than a password is left without the words that others know."""
    known = {word.casefold() for text in (*about, *_OF_THE_HOUSE) for word in _WORD.findall(text)}
    left = password.casefold()
    for word in sorted(known, key=len, reverse=True):
        if len(word) >= _SHORTEST_WORD:
            left = left.replace(word, "")
    shorter = len(left) < len(password.casefold())
    # Blanks and signs between the words are no password either.
    return shorter and sum(map(len, _WORD.findall(left))) < _LITTLE


def _is_common(password: str) -> bool:
    score: int = _estimate()(password[:_LOOKED_AT])["score"]
    return score < _NOT_COMMON


@cache
def _estimate() -> Callable[[str], dict[str, Any]]:
    """Load the lists of common passwords only where somebody chooses one: they take 5 MB."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - the reason stands above

    estimate: Callable[[str], dict[str, Any]] = zxcvbn
    return estimate


def hash_password(password: str) -> str:
    """Hash a password for keeping."""
    with _GATE:
        return _HASHER.hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Check a password; an unknown account costs the same time and is always wrong."""
    if len(password) > LONGEST:
        return False
    with _GATE:
        try:
            _HASHER.verify(password_hash or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    # Nobody has a hash of their own before they have chosen a password: the stand-in lets none in.
    return bool(password_hash)


def needs_rehash(password_hash: str) -> bool:
    """Say whether a kept hash is weaker than what is made today."""
    return _HASHER.check_needs_rehash(password_hash)
