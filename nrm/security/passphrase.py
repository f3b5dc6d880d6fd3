"""What a passphrase adds to a key file: without it the file opens nothing."""

import base64
import os
import unicodedata
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from nrm.security.framing import frame, number

SHORTEST = 12
LONGEST = 1024
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12
# Memory and passes of RFC 9106's second choice: a quarter of a second, once at each start.
_MADE_WITH = {"memory": 64 * 1024, "passes": 3, "lanes": 1}
# A file says by itself how much work it asks for; this is the most that it gets.
_AT_MOST = {"memory": 256 * 1024, "passes": 16, "lanes": 4}


class WrongPassphraseError(Exception):
    """The passphrase is another one, or what it closes was altered."""


def close(passphrase: str, secret: bytes, bound: bytes) -> dict[str, Any]:
    """Seal a secret under a passphrase; returns what a key file keeps of it."""
    parameters = {"salt": _text(os.urandom(_SALT_BYTES)), **_MADE_WITH}
    nonce = os.urandom(_NONCE_BYTES)
    cipher = AESGCM(_key(passphrase, parameters))
    sealed = nonce + cipher.encrypt(nonce, secret, _bound(bound, parameters))
    return {"argon2id": parameters, "sealed": _text(sealed)}


def reopen(passphrase: str, closed: dict[str, Any], bound: bytes) -> bytes:
    """Open what a passphrase closed.

    Raises WrongPassphraseError, or ValueError, KeyError or TypeError where it is not of this form.
    """
    parameters = closed["argon2id"]
    sealed = base64.b64decode(closed["sealed"])
    cipher = AESGCM(_key(passphrase, parameters))
    try:
        return cipher.decrypt(
            sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(bound, parameters)
        )
    except InvalidTag:
        raise WrongPassphraseError from None


def _key(passphrase: str, parameters: dict[str, Any]) -> bytes:
    for name, most in _AT_MOST.items():
        asked = parameters[name]
        if not isinstance(asked, int) or not 0 < asked <= most:
            raise ValueError("more work than any key file of this program asks for")
    # One passphrase, however the keyboard composed its accents.
    typed = unicodedata.normalize("NFC", passphrase).encode()
    return Argon2id(
        salt=base64.b64decode(parameters["salt"]),
        length=_KEY_BYTES,
        iterations=parameters["passes"],
        lanes=parameters["lanes"],
        memory_cost=parameters["memory"],
    ).derive(typed)


def _bound(bound: bytes, parameters: dict[str, Any]) -> bytes:
    numbers = (number(parameters[name]) for name in ("memory", "passes", "lanes"))
    return frame(b"nrm passphrase v1", bound, base64.b64decode(parameters["salt"]), *numbers)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
