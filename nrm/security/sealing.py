"""Sealed documents: padded JSON under AES-256-GCM, bound to exactly one place in the database.

Stored form:  0x01 | key id (4 bytes) | nonce (12 bytes) | ciphertext and tag
Plaintext:    0x01 | true length (4 bytes) | canonical JSON | zero fill to a power of two, from 512
Bound to:     ("v1", table, row id, compartment, revision, key id), length-prefixed
"""

import hmac
import json
import os
import struct
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nrm.domain.errors import DamagedError
from nrm.security.framing import frame, key_number, number

FORMAT = 1
SMALLEST_BUCKET = 512
_HEAD = struct.Struct(">BI12s")
_LENGTH = struct.Struct(">BI")
# How a frame ends: each of the last two numbers after its length.
_REVISION_AND_KEY = struct.Struct(">QQQI")
# Made once: `json.dumps` and `json.loads` would make them anew for every row.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode

Document = dict[str, Any]


class Place(NamedTuple):
    """Where a sealed row lives; a ciphertext moved to any other place does not open."""

    table: str
    row_id: UUID
    compartment: str
    revision: int
    key_id: int

    def associated_data(self) -> bytes:
        """Return the bytes that the seal is bound to."""
        before, between = _framed(self.table, self.compartment)
        end = _REVISION_AND_KEY.pack(8, self.revision, 4, self.key_id)
        return before + self.row_id.bytes + between + end


@cache
def _framed(table: str, compartment: str) -> tuple[bytes, bytes]:
    """Frame what is the same for every row of a compartment: before its id, and after it.

    There are few tables and compartments, and a search binds thousands of rows.
    """
    row_id = bytes(16)
    whole = frame(b"v1", table.encode(), row_id, compartment.encode(), number(0), key_number(0))
    start = len(frame(b"v1", table.encode(), b""))
    return whole[:start], whole[start + len(row_id) : -_REVISION_AND_KEY.size]


def compartment_key(data_key: bytes, compartment: str) -> bytes:
    """Derive the key of one compartment from the case's own key."""
    # HKDF-Expand of one block is one HMAC (RFC 5869, section 2.3), and a search derives thousands.
    return hmac.digest(data_key, b"nrm compartment v1:" + compartment.encode() + b"\x01", "sha256")


def seal(key: bytes, place: Place, document: Document) -> bytes:
    """Seal a document under the compartment's key for exactly this place and revision."""
    nonce = os.urandom(12)
    head = _HEAD.pack(FORMAT, place.key_id, nonce)
    return head + AESGCM(key).encrypt(nonce, _pad(_canonical(document)), place.associated_data())


def unseal(key: bytes, place: Place, sealed: bytes) -> Document:
    """Open a sealed row; raises DamagedError where it is not what this place should hold."""
    try:
        version, key_id, nonce = _HEAD.unpack_from(sealed)
        if version != FORMAT or key_id != place.key_id:
            raise DamagedError(place.table)
        padded = AESGCM(key).decrypt(nonce, sealed[_HEAD.size :], place.associated_data())
    except (InvalidTag, struct.error) as error:
        raise DamagedError(place.table) from error
    document: Document = _decode(_unpad(padded, place).decode())[0]
    return document


def sealed_key_id(sealed: bytes) -> int:
    """Read which key a sealed row names, so that nothing is ever opened by trial."""
    try:
        _, key_id, _ = _HEAD.unpack_from(sealed)
    except struct.error as error:
        raise DamagedError("a sealed row is cut short") from error
    return int(key_id)


def _canonical(document: Document) -> bytes:
    return _encode(document).encode()


def _pad(body: bytes) -> bytes:
    """Hide the length: a short answer and a long one fill the same bucket."""
    head = _LENGTH.pack(FORMAT, len(body))
    bucket = SMALLEST_BUCKET
    while bucket < len(head) + len(body):
        bucket *= 2
    return (head + body).ljust(bucket, b"\0")


def _unpad(padded: bytes, place: Place) -> bytes:
    version, length = _LENGTH.unpack_from(padded)
    if version != FORMAT or _LENGTH.size + length > len(padded):
        raise DamagedError(place.table)
    return padded[_LENGTH.size : _LENGTH.size + length]
