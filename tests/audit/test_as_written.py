import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from nrm.audit.entry import Entry, as_written, leaf_hash

DETAIL = b"sealed names of fields"


def entry_with(detail):
    return Entry(
        id=UUID(int=1),
        occurred_at=datetime(2026, 11, 23, 14, 40, tzinfo=UTC),
        actor_id=UUID(int=2),
        actor_organisation_id=UUID(int=3),
        actor_role="provider",
        session_ref="a1b2",
        action="referral:accept",
        subject_type="referral",
        subject_id=UUID(int=4),
        case_id=UUID(int=5),
        compartments="",
        purpose="",
        outcome="done",
        rows="[]",
        detail_sha256=hashlib.sha256(detail).hexdigest() if detail else "",
    )


@pytest.mark.parametrize("detail", [None, DETAIL])
def test_an_entry_that_nobody_touched_is_as_written(detail):
    entry = entry_with(detail)
    assert as_written(entry, leaf_hash(entry), detail)


@pytest.mark.parametrize(
    "change",
    [
        {"actor_id": UUID(int=9)},
        {"occurred_at": datetime(2026, 11, 23, 14, 41, tzinfo=UTC)},
        {"action": "referral:decline"},
        {"case_id": None},
        {"outcome": "refused"},
        {"rows": '[["00000000-0000-0000-0000-000000000001",1]]'},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_entry_is_found(change):
    entry = entry_with(DETAIL)
    assert not as_written(replace(entry, **change), leaf_hash(entry), DETAIL)


@pytest.mark.parametrize(
    ("written", "found"), [(DETAIL, DETAIL + b"!"), (None, DETAIL), (DETAIL, b"")]
)
def test_a_changed_detail_is_found(written, found):
    entry = entry_with(written)
    assert not as_written(entry, leaf_hash(entry), found)


def test_a_changed_hash_is_found():
    entry = entry_with(DETAIL)
    kept = leaf_hash(entry)
    for bit in range(len(kept) * 8):
        flipped = bytearray(kept)
        flipped[bit >> 3] ^= 1 << (bit & 7)
        assert not as_written(entry, bytes(flipped), DETAIL)
