"""A holder's root: what closes and opens master keys for one process, outside the database.

Three calls make a root: `wrap`, `unwrap` and `current_id`. A key file is one; a hardware module
would be another. Wrapping needs the public half alone, so that one process can make a new master
key for another whose file it has never seen.
"""

import base64
import json
import os
import stat
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

FORMAT = 1
_OWNER_ONLY = 0o600
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_MLKEM_PUBLIC_BYTES = 1184


class Holder(StrEnum):
    """Who holds a root of their own."""

    WEB = "web"
    STATISTICS = "statistics"
    SIGNER = "signer"
    # The custodians together: their root is in no file, only on their sheets.
    RECOVERY = "recovery"


# The holders that are processes, each with a key file of its own.
PROCESSES = (Holder.WEB, Holder.STATISTICS, Holder.SIGNER)


class KeyFileError(Exception):
    """The key file cannot be used; the message says why in one line and holds no secret."""


class Root(Protocol):
    """What a holder opens master keys with."""

    @property
    def holder(self) -> Holder:
        """Say whose root this is."""

    def current_id(self) -> bytes:
        """Return the public half, by which the database knows this root."""

    def wrap(self, secret: bytes, bound: bytes) -> bytes:
        """Seal a secret so that only this root opens it, and only for what it is bound to."""

    def unwrap(self, sealed: bytes, bound: bytes) -> bytes:
        """Open a secret; raises KeyFileError if it was sealed to another root."""


@dataclass(frozen=True)
class KeyFile:
    """The private half that one holder keeps outside the database."""

    holder: Holder
    private: "hpke.MLKEM768X25519PrivateKey" = field(repr=False)
    public: bytes = field(repr=False)

    def current_id(self) -> bytes:
        """Return the public half, by which the database knows this file."""
        return self.public

    def wrap(self, secret: bytes, bound: bytes) -> bytes:
        """Seal a secret to this file's own public half."""
        return wrap_for(self.public, secret, bound)

    def unwrap(self, sealed: bytes, bound: bytes) -> bytes:
        """Open a secret; raises KeyFileError if it was sealed to another's file."""
        try:
            return _SUITE.decrypt(sealed, self.private, info=bound)
        except (InvalidTag, ValueError):
            raise KeyFileError("the key file does not belong to this database") from None


def wrap_for(public: bytes, secret: bytes, bound: bytes) -> bytes:
    """Seal a secret to a holder's public half; nothing of the holder's own is needed."""
    recipient = hpke.MLKEM768X25519PublicKey(
        mlkem.MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]),
        x25519.X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]),
    )
    return _SUITE.encrypt(secret, recipient, info=bound)


def create_key_file(path: Path, holder: Holder) -> KeyFile:
    """Make a holder's key file, readable by its owner alone; never overwrites one."""
    kem, curve = mlkem.MLKEM768PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    secret = {
        "format": FORMAT,
        "holder": holder.value,
        "mlkem768": base64.b64encode(kem.private_bytes_raw()).decode(),
        "x25519": base64.b64encode(curve.private_bytes_raw()).decode(),
    }
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(secret, file)
        file.flush()
        os.fsync(file.fileno())
    return _key_file(holder, kem, curve)


def read_key_file(path: Path) -> KeyFile:
    """Read a holder's key file; raises KeyFileError with one plain line."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyFileError(f"key file {path.name} can be read by others: chmod 600 it")
        secret = json.loads(path.read_text(encoding="utf-8"))
        if secret["format"] != FORMAT:
            raise KeyFileError(f"key file {path.name} is of a format this program does not know")
        holder = Holder(secret["holder"])
        kem = mlkem.MLKEM768PrivateKey.from_seed_bytes(base64.b64decode(secret["mlkem768"]))
        curve = x25519.X25519PrivateKey.from_private_bytes(base64.b64decode(secret["x25519"]))
    except FileNotFoundError:
        raise KeyFileError(f"key file {path.name} is missing") from None
    except OSError:
        raise KeyFileError(f"key file {path.name} cannot be read by this user") from None
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(f"key file {path.name} is not a key file of this program") from None
    return _key_file(holder, kem, curve)


def _key_file(
    holder: Holder, kem: mlkem.MLKEM768PrivateKey, curve: x25519.X25519PrivateKey
) -> KeyFile:
    public = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    return KeyFile(holder, hpke.MLKEM768X25519PrivateKey(kem, curve), public)
