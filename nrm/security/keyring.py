"""Key files, master keys and the wrapping of each case's own keys.

A holder's file contains one HPKE private key (X25519 with ML-KEM-768, so that a database copied
today is not opened by tomorrow's machine). Master keys lie in the database sealed to the public
halves of the holders that need them. The database alone therefore opens nothing.
"""

import base64
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac, hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from nrm.domain.errors import LockedError
from nrm.security.framing import frame, key_number

FORMAT = 1
KEY_BYTES = 32
_OWNER_ONLY = 0o600
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_MLKEM_PUBLIC_BYTES = 1184


class Holder(StrEnum):
    """A process with a key file of its own."""

    WEB = "web"
    STATISTICS = "statistics"
    SIGNER = "signer"


class Purpose(StrEnum):
    """What a master key is for."""

    CASE = "case"
    FACTS = "facts"
    LOG = "log"
    SESSION = "session"
    FORM = "form"


# Which holder can unlock which master keys; nobody else can, whatever the program does.
HELD_BY: dict[Purpose, tuple[Holder, ...]] = {
    Purpose.CASE: (Holder.WEB,),
    Purpose.FACTS: (Holder.WEB, Holder.STATISTICS),
    Purpose.LOG: (Holder.WEB,),
    Purpose.SESSION: (Holder.WEB,),
    Purpose.FORM: (Holder.WEB,),
}


class KeyFileError(Exception):
    """The key file cannot be used; the message says why in one line and holds no secret."""


@dataclass(frozen=True)
class KeyFile:
    """The private half that one holder keeps outside the database."""

    holder: Holder
    private: "hpke.MLKEM768X25519PrivateKey" = field(repr=False)
    public: bytes = field(repr=False)


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


def new_key() -> bytes:
    """Make a fresh 256-bit key from the operating system's random source."""
    return os.urandom(KEY_BYTES)


def seal_master(master: bytes, public: bytes, ring_id: int, purpose: Purpose) -> bytes:
    """Seal a master key to a holder's public half."""
    recipient = hpke.MLKEM768X25519PublicKey(
        mlkem.MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]),
        x25519.X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]),
    )
    return _SUITE.encrypt(master, recipient, info=_master_info(ring_id, purpose))


def unseal_master(sealed: bytes, key_file: KeyFile, ring_id: int, purpose: Purpose) -> bytes:
    """Open a master key with the holder's file; raises KeyFileError if the file is another's."""
    try:
        return _SUITE.decrypt(sealed, key_file.private, info=_master_info(ring_id, purpose))
    except (InvalidTag, ValueError):
        raise KeyFileError("the key file does not belong to this database") from None


def _master_info(ring_id: int, purpose: Purpose) -> bytes:
    return frame(b"nrm master v1", key_number(ring_id), purpose.value.encode())


@dataclass(frozen=True)
class Keyring:
    """The master keys that this process could unlock, by id, and which one is primary."""

    holder: Holder
    masters: Mapping[int, tuple[Purpose, bytes]] = field(repr=False)
    primary: Mapping[Purpose, int]

    def current_id(self, purpose: Purpose) -> int:
        """Return the id of the master key that new keys are wrapped under."""
        if purpose not in self.primary:
            raise LockedError(f"{self.holder} does not hold the {purpose} key")
        return self.primary[purpose]

    def wrap(self, purpose: Purpose, case_id: UUID, data_key: bytes) -> tuple[int, bytes]:
        """Wrap a case's own key under the primary master key; returns (master id, wrapped)."""
        ring_id = self.current_id(purpose)
        nonce = os.urandom(12)
        bound = _wrap_data(case_id, purpose, ring_id)
        return ring_id, nonce + AESGCM(self._master(ring_id, purpose)).encrypt(
            nonce, data_key, bound
        )

    def unwrap(self, purpose: Purpose, case_id: UUID, ring_id: int, wrapped: bytes) -> bytes:
        """Unwrap a case's own key; raises LockedError where this process may not or cannot."""
        bound = _wrap_data(case_id, purpose, ring_id)
        try:
            return AESGCM(self._master(ring_id, purpose)).decrypt(wrapped[:12], wrapped[12:], bound)
        except (InvalidTag, ValueError):
            raise LockedError(f"a {purpose} key does not unwrap") from None

    def derived(self, purpose: Purpose, use: str) -> tuple[int, bytes]:
        """Return (master id, key) for one named use of the primary master key."""
        ring_id = self.current_id(purpose)
        return ring_id, self.derived_from(ring_id, purpose, use)

    def derived_from(self, ring_id: int, purpose: Purpose, use: str) -> bytes:
        """Return the key for one named use of the master key with this id."""
        info = b"nrm use v1:" + use.encode()
        expand = HKDFExpand(algorithm=hashes.SHA256(), length=KEY_BYTES, info=info)
        return expand.derive(self._master(ring_id, purpose))

    def fingerprint(self, purpose: Purpose, use: str, value: bytes) -> bytes:
        """Return a keyed hash that says nothing to whoever lacks the key."""
        mac = hmac.HMAC(self.derived(purpose, use)[1], hashes.SHA256())
        mac.update(value)
        return mac.finalize()

    def _master(self, ring_id: int, purpose: Purpose) -> bytes:
        held, master = self.masters.get(ring_id, (None, b""))
        if held is not purpose:
            raise LockedError(f"{self.holder} does not hold {purpose} key {ring_id}")
        return master


def _wrap_data(case_id: UUID, purpose: Purpose, ring_id: int) -> bytes:
    return frame(
        b"dek", bytes([FORMAT]), case_id.bytes, purpose.value.encode(), key_number(ring_id)
    )
