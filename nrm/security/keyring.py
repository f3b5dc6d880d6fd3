"""Master keys and the wrapping of each case's own keys.

Master keys lie in the database sealed to the roots of the holders that need them (see `keyfile`).
The database alone therefore opens nothing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from nrm.domain.errors import LockedError
from nrm.security.framing import frame, key_number
from nrm.security.keyfile import Holder, Root, wrap_for

FORMAT = 1
KEY_BYTES = 32


class Purpose(StrEnum):
    """What a master key is for."""

    CASE = "case"
    FACTS = "facts"
    INDEX = "index"
    LOG = "log"
    SESSION = "session"
    FORM = "form"
    STATISTICS = "statistics"
    # The seed of the Ed25519 key that signs the log's checkpoints.
    SIGNING = "signing"


# Which process can unlock which master keys; no other can, whatever the program does. Beside it
# the custodians can, together: every master key is sealed to the recovery root too.
HELD_BY: dict[Purpose, tuple[Holder, ...]] = {
    Purpose.CASE: (Holder.WEB,),
    Purpose.FACTS: (Holder.WEB, Holder.STATISTICS),
    Purpose.INDEX: (Holder.WEB,),
    Purpose.LOG: (Holder.WEB,),
    Purpose.SESSION: (Holder.WEB,),
    Purpose.FORM: (Holder.WEB,),
    Purpose.STATISTICS: (Holder.STATISTICS,),
    Purpose.SIGNING: (Holder.SIGNER,),
}


def new_key() -> bytes:
    """Make a fresh 256-bit key from the operating system's random source."""
    return os.urandom(KEY_BYTES)


def seal_master(master: bytes, public: bytes, ring_id: int, purpose: Purpose) -> bytes:
    """Seal a master key to a holder's public half."""
    return wrap_for(public, master, _master_info(ring_id, purpose))


def unseal_master(sealed: bytes, root: Root, ring_id: int, purpose: Purpose) -> bytes:
    """Open a master key with the holder's root; raises KeyFileError if the root is another's."""
    return root.unwrap(sealed, _master_info(ring_id, purpose))


def _master_info(ring_id: int, purpose: Purpose) -> bytes:
    return frame(b"nrm master v1", key_number(ring_id), purpose.value.encode())


@dataclass(frozen=True)
class Keyring:
    """The master keys that this process could unlock, by id, and which one is primary."""

    holder: Holder
    masters: Mapping[int, tuple[Purpose, bytes]] = field(repr=False)
    primary: Mapping[Purpose, int]
    # A master key made ready: thousands of keys may be unwrapped with the same one.
    _ready: dict[int, AESGCM] = field(default_factory=dict, repr=False, compare=False)

    def current_id(self, purpose: Purpose) -> int:
        """Return the id of the master key that new keys are wrapped under."""
        if purpose not in self.primary:
            raise LockedError(f"{self.holder} does not hold the {purpose} key")
        return self.primary[purpose]

    def wrap(self, purpose: Purpose, case_id: UUID, data_key: bytes) -> tuple[int, bytes]:
        """Wrap a case's own key under the primary master key; returns (master id, wrapped)."""
        ring_id = self.current_id(purpose)
        nonce, bound = os.urandom(12), _wrap_data(case_id, purpose, ring_id)
        return ring_id, nonce + self._aead(ring_id, purpose).encrypt(nonce, data_key, bound)

    def unwrap(self, purpose: Purpose, case_id: UUID, ring_id: int, wrapped: bytes) -> bytes:
        """Unwrap a case's own key; raises LockedError where this process may not or cannot."""
        bound = _wrap_data(case_id, purpose, ring_id)
        try:
            return self._aead(ring_id, purpose).decrypt(wrapped[:12], wrapped[12:], bound)
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

    def _aead(self, ring_id: int, purpose: Purpose) -> AESGCM:
        master = self._master(ring_id, purpose)
        return self._ready.get(ring_id) or self._ready.setdefault(ring_id, AESGCM(master))

    def _master(self, ring_id: int, purpose: Purpose) -> bytes:
        held, master = self.masters.get(ring_id, (None, b""))
        if held is not purpose:
            raise LockedError(f"{self.holder} does not hold {purpose} key {ring_id}")
        return master


def _wrap_data(case_id: UUID, purpose: Purpose, ring_id: int) -> bytes:
    before, after = _wrap_frame(purpose, ring_id)
    return before + case_id.bytes + after


@cache
def _wrap_frame(purpose: Purpose, ring_id: int) -> tuple[bytes, bytes]:
    """Frame what is the same for every key under one master key: before the case's id, and after.

    There are few master keys, and a rotation binds a hundred thousand keys to one of them.
    """
    case_id = bytes(16)
    opening = (b"dek", bytes([FORMAT]))
    whole = frame(*opening, case_id, purpose.value.encode(), key_number(ring_id))
    start = len(frame(*opening, b""))
    return whole[:start], whole[start + len(case_id) :]
