"""Master keys and the wrapping of each case's own keys.

Master keys lie in the database sealed to the roots of the holders that need them (see `keyfile`).
The database alone therefore opens nothing.
"""

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
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
    # The seeds of the codes that people sign in with, and the hashes of their recovery codes.
    FACTOR = "factor"
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
    # Last: the keys of a new installation have the same numbers as they always had.
    Purpose.FACTOR: (Holder.WEB,),
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


class _Wrapping(NamedTuple):
    """A master key made ready, with what stands before and after the id of whose key it wraps."""

    purpose: Purpose
    aead: AESGCM
    before: bytes
    after: bytes


@dataclass(frozen=True)
class Keyring:
    """The master keys that this process could unlock, by id, and which one is primary."""

    holder: Holder
    masters: Mapping[int, tuple[Purpose, bytes]] = field(repr=False)
    primary: Mapping[Purpose, int]
    # By master key: thousands of keys may be wrapped with the same one.
    _ready: dict[int, _Wrapping] = field(default_factory=dict, repr=False, compare=False)

    def current_id(self, purpose: Purpose) -> int:
        """Return the id of the master key that new keys are wrapped under."""
        ring_id = self.primary.get(purpose)
        if ring_id is None:
            raise LockedError(f"{self.holder} does not hold the {purpose} key")
        return ring_id

    def wrap(self, purpose: Purpose, case_id: UUID, data_key: bytes) -> tuple[int, bytes]:
        """Wrap a case's own key under the primary master key; returns (master id, wrapped)."""
        ring_id, nonce = self.current_id(purpose), os.urandom(12)
        _, aead, before, after = self._wrapping(ring_id, purpose)
        return ring_id, nonce + aead.encrypt(nonce, data_key, before + case_id.bytes + after)

    def unwrap(self, purpose: Purpose, case_id: UUID, ring_id: int, wrapped: bytes) -> bytes:
        """Unwrap a case's own key; raises LockedError where this process may not or cannot."""
        _, aead, before, after = self._wrapping(ring_id, purpose)
        try:
            return aead.decrypt(wrapped[:12], wrapped[12:], before + case_id.bytes + after)
        except (InvalidTag, ValueError):
            raise LockedError(f"a {purpose} key does not unwrap") from None

    def wrap_anew(
        self, purpose: Purpose, keys: Sequence[tuple[UUID, int, bytes]]
    ) -> list[bytes | None]:
        """Wrap many keys under the primary master key; none for one that does not unwrap.

        Each comes as (case id, master id, wrapped), as an older master key had wrapped it.
        """
        _, aead, before, after = self._wrapping(self.current_id(purpose), purpose)
        # One question to the operating system, and not one for every key.
        nonces = io.BytesIO(os.urandom(12 * len(keys)))
        wrapped: list[bytes | None] = []
        for case_id, old_id, old in keys:
            nonce = nonces.read(12)
            try:
                data_key = self.unwrap(purpose, case_id, old_id, old)
            except LockedError:
                wrapped.append(None)
            else:
                bound = before + case_id.bytes + after
                wrapped.append(nonce + aead.encrypt(nonce, data_key, bound))
        return wrapped

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

    def _wrapping(self, ring_id: int, purpose: Purpose) -> _Wrapping:
        ready = self._ready.get(ring_id)
        if ready is None or ready.purpose is not purpose:
            aead = AESGCM(self._master(ring_id, purpose))
            ready = self._ready[ring_id] = _Wrapping(purpose, aead, *_framed(purpose, ring_id))
        return ready

    def _master(self, ring_id: int, purpose: Purpose) -> bytes:
        held, master = self.masters.get(ring_id, (None, b""))
        if held is not purpose:
            raise LockedError(f"{self.holder} does not hold {purpose} key {ring_id}")
        return master


def _framed(purpose: Purpose, ring_id: int) -> tuple[bytes, bytes]:
    """Frame what a wrapped key is bound to: what stands before the case's id, and what after it."""
    case_id, opening = bytes(16), (b"dek", bytes([FORMAT]))
    whole = frame(*opening, case_id, purpose.value.encode(), key_number(ring_id))
    start = len(frame(*opening, b""))
    return whole[:start], whole[start + len(case_id) :]
