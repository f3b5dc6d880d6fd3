"""A holder's root: what closes and opens master keys for one process, outside the database.

Three calls make a root: `wrap`, `unwrap` and `current_id`. A key file gives one, and so do the
sheets of the custodians; a hardware module would be another. Wrapping needs the public half alone,
so that one process can make a new master key for another whose file it has never seen.
"""

import base64
import json
import os
import stat
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

from nrm.security import passphrase as passphrases
from nrm.security.framing import frame, number
from nrm.security.passphrase import WrongPassphraseError

FORMAT = 1
# What the root in NRM_KEY is called where something is wrong with it.
ENVIRONMENT = "in NRM_KEY"
_OWNER_ONLY = 0o600
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_MLKEM_PUBLIC_BYTES = 1184
# The two private halves, as a key file names them.
_HALVES = ("mlkem768", "x25519")


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


class PassphraseNeededError(KeyFileError):
    """The key file has a passphrase, and nobody has said it."""


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
class SoftwareRoot:
    """A root whose private half is in this process's memory."""

    holder: Holder
    private: "hpke.MLKEM768X25519PrivateKey" = field(repr=False)
    public: bytes = field(repr=False)

    @classmethod
    def from_secrets(cls, holder: Holder, mlkem_seed: bytes, curve_secret: bytes) -> Self:
        """Build a root from its two private halves."""
        kem = mlkem.MLKEM768PrivateKey.from_seed_bytes(mlkem_seed)
        curve = x25519.X25519PrivateKey.from_private_bytes(curve_secret)
        public = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        return cls(holder, hpke.MLKEM768X25519PrivateKey(kem, curve), public)

    def current_id(self) -> bytes:
        """Return the public half, by which the database knows this root."""
        return self.public

    def wrap(self, secret: bytes, bound: bytes) -> bytes:
        """Seal a secret to this root's own public half."""
        return wrap_for(self.public, secret, bound)

    def unwrap(self, sealed: bytes, bound: bytes) -> bytes:
        """Open a secret; raises KeyFileError if it was sealed to another root."""
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


def create_key_file(path: Path, holder: Holder) -> SoftwareRoot:
    """Make a holder's key file, readable by its owner alone; never overwrites one."""
    kem, curve = mlkem.MLKEM768PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    halves = (kem.private_bytes_raw(), curve.private_bytes_raw())
    secrets = {
        name: base64.b64encode(half).decode() for name, half in zip(_HALVES, halves, strict=True)
    }
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secretly(path, json.dumps({"format": FORMAT, "holder": holder.value, **secrets}))
    return SoftwareRoot.from_secrets(holder, *halves)


def write_secretly(path: Path, content: str) -> None:
    """Write a new file that its owner alone can read, and see that it is on the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_key_file(path: Path, passphrase: str = "") -> SoftwareRoot:
    """Read a holder's key file; raises KeyFileError with one plain line."""
    return _opened(_content(path), path.name, passphrase)[0]


def read_key(content: str, passphrase: str = "") -> SoftwareRoot:
    """Read a root from a key file's content, as the environment gives it."""
    return _opened(content, ENVIRONMENT, passphrase)[0]


def protect_key_file(path: Path, passphrase: str, new: str) -> None:
    """Give a key file a new passphrase, or none; the file is replaced whole or not at all."""
    root, secrets = _opened(_content(path), path.name, passphrase)
    content = {"format": FORMAT, "holder": root.holder.value}
    if new:
        content |= passphrases.close(new, json.dumps(secrets).encode(), _bound(content))
    else:
        content |= secrets
    fresh = path.with_name(f".{path.name}.new")
    # Left behind by a run that was killed; the file itself is still the old one.
    fresh.unlink(missing_ok=True)
    write_secretly(fresh, json.dumps(content))
    fresh.replace(path)
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """See that the folder's new entry is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _content(path: Path) -> str:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyFileError(f"key file {path.name} can be read by others: chmod 600 it")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KeyFileError(f"key file {path.name} is missing") from None
    except OSError:
        raise KeyFileError(f"key file {path.name} cannot be read by this user") from None
    except ValueError:
        raise KeyFileError(f"key file {path.name} is not a key file of this program") from None


def _opened(content: str, name: str, passphrase: str) -> tuple[SoftwareRoot, dict[str, str]]:
    """Open what a key file holds: the root, and the secrets as the file writes them."""
    try:
        told = json.loads(content)
        if told["format"] != FORMAT:
            raise KeyFileError(f"key file {name} is of a format this program does not know")
        holder = Holder(told["holder"])
        if "sealed" in told and not passphrase:
            raise PassphraseNeededError(
                f"key file {name} has a passphrase: say it in NRM_KEY_PASSPHRASE"
            )
        secrets = _secrets(told, passphrase)
        halves = (base64.b64decode(secrets[half]) for half in _HALVES)
        return SoftwareRoot.from_secrets(holder, *halves), secrets
    except WrongPassphraseError:
        raise KeyFileError(f"the passphrase of key file {name} is another one") from None
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(f"key file {name} is not a key file of this program") from None


def _secrets(told: dict[str, Any], passphrase: str) -> dict[str, str]:
    if "sealed" not in told:
        return {half: told[half] for half in _HALVES}
    secrets: dict[str, str] = json.loads(passphrases.reopen(passphrase, told, _bound(told)))
    return secrets


def _bound(told: dict[str, Any]) -> bytes:
    return frame(b"nrm key file", number(told["format"]), told["holder"].encode())
