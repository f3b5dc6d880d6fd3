"""One log entry: what it says, and the leaf of the tree that its values make.

What the leaf covers is final, and stands in `verify`, the file that a stranger checks a log with:
every value, the sealed detail by its SHA-256 only, so that erasing a detail breaks no proof.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from nrm.audit.verify import FIELDS, leaf_of


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


def leaf_hash(entry: Entry) -> bytes:
    """Return the leaf of the Merkle tree for this entry."""
    return leaf_of([_bytes(getattr(entry, name)) for name in FIELDS])


def texts_of(entry: Entry) -> tuple[str, ...]:
    """Return an entry's values as the texts of which bundles and proofs are made."""
    return tuple(_text(getattr(entry, name)) for name in FIELDS)


def as_written(entry: Entry, kept_leaf: bytes, detail: bytes | None) -> bool:
    """Say whether a stored entry is as it was written, as far as it can tell by itself.

    Recomputes its hash, and that of the sealed detail where it is still there: an erased detail
    changes nothing, for the leaf covers its hash. Whoever rewrites an entry together with its
    leaf, or takes it away, is found by the tree.
    """
    if detail is not None and hashlib.sha256(detail).hexdigest() != entry.detail_sha256:
        return False
    return leaf_hash(entry) == kept_leaf


def rows_text(rows: Iterable[RowTouched]) -> str:
    """Write the touched rows as the one text that is stored and hashed: JSON without spaces.

    Ids, numbers and hashes need no escaping, and a search writes thousands of them.
    """
    return "[" + ",".join(map(_row_text, rows)) + "]"


def _row_text(row: RowTouched) -> str:
    sha256 = f',"{row.sha256}"' if row.sha256 else ""
    return f'["{row.row_id}",{row.revision}{sha256}]'


def _bytes(value: UUID | datetime | str | None) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, datetime):
        return moment_text(value).encode()
    return b"" if value is None else value.bytes


def _text(value: UUID | datetime | str | None) -> str:
    if isinstance(value, datetime):
        return moment_text(value)
    return "" if value is None else str(value)


def moment_text(value: datetime) -> str:
    """Write a moment as the leaf has it: UTC, to the microsecond."""
    return value.astimezone(UTC).isoformat("T", "microseconds").removesuffix("+00:00") + "Z"
