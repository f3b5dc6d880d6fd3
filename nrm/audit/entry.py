"""The canonical bytes of one log entry and its leaf hash (RFC 6962, section 2.1).

The bytes are final: every column that says something is in them, the sealed detail by its
SHA-256 only, so that erasing a detail breaks no proof.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from nrm.security.framing import frame

FORMAT = b"nrm audit entry v1"
_LEAF = b"\x00"


class RowTouched(NamedTuple):
    """A sealed row that the act opened (no hash) or sealed (SHA-256 of the ciphertext)."""

    row_id: UUID
    revision: int
    sha256: str | None = None


@dataclass(frozen=True)
class Entry:
    """What one entry says; the values are those of the stored columns."""

    id: UUID
    occurred_at: datetime
    actor_id: UUID | None
    actor_organisation_id: UUID | None
    actor_role: str
    session_ref: str
    action: str
    subject_type: str
    subject_id: UUID | None
    case_id: UUID | None
    compartments: str
    purpose: str
    outcome: str
    rows: str
    detail_sha256: str


def canonical(entry: Entry) -> bytes:
    """Return the bytes that the leaf hash covers, each value length-prefixed, in fixed order."""
    return frame(
        FORMAT,
        entry.id.bytes,
        _moment(entry.occurred_at),
        _id(entry.actor_id),
        _id(entry.actor_organisation_id),
        entry.actor_role.encode(),
        entry.session_ref.encode(),
        entry.action.encode(),
        entry.subject_type.encode(),
        _id(entry.subject_id),
        _id(entry.case_id),
        entry.compartments.encode(),
        entry.purpose.encode(),
        entry.outcome.encode(),
        entry.rows.encode(),
        entry.detail_sha256.encode(),
    )


def leaf_hash(entry: Entry) -> bytes:
    """Return the leaf of the Merkle tree for this entry."""
    return hashlib.sha256(_LEAF + canonical(entry)).digest()


def rows_text(rows: Iterable[RowTouched]) -> str:
    """Write the touched rows as the one text that is stored and hashed: JSON without spaces.

    Ids, numbers and hashes need no escaping, and a search writes thousands of them.
    """
    return "[" + ",".join(map(_row_text, rows)) + "]"


def _row_text(row: RowTouched) -> str:
    sha256 = f',"{row.sha256}"' if row.sha256 else ""
    return f'["{row.row_id}",{row.revision}{sha256}]'


def _id(value: UUID | None) -> bytes:
    return b"" if value is None else value.bytes


def _moment(value: datetime) -> bytes:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
