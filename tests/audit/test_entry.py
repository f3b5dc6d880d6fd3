import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from nrm.audit.entry import Entry, RowTouched, leaf_hash, rows_text

ENTRY = Entry(
    id=UUID("00000000-0000-4000-8000-000000000001"),
    occurred_at=datetime(2026, 11, 23, 14, 40, 5, 120, tzinfo=UTC),
    actor_id=UUID("00000000-0000-4000-8000-000000000002"),
    actor_organisation_id=UUID("00000000-0000-4000-8000-000000000003"),
    actor_role="coordinator",
    session_ref="a1b2",
    action="case:open",
    subject_type="case",
    subject_id=UUID("00000000-0000-4000-8000-000000000004"),
    case_id=UUID("00000000-0000-4000-8000-000000000004"),
    compartments="contact facts",
    purpose="safety",
    outcome="done",
    rows='[["00000000-0000-4000-8000-000000000005",2]]',
    detail_sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
)

# The same entry, written out from the format alone: each part with its length before it.
PARTS = (
    b"nrm audit entry v1",
    bytes.fromhex("00000000000040008000000000000001"),
    b"2026-11-23T14:40:05.000120Z",
    bytes.fromhex("00000000000040008000000000000002"),
    bytes.fromhex("00000000000040008000000000000003"),
    b"coordinator",
    b"a1b2",
    b"case:open",
    b"case",
    bytes.fromhex("00000000000040008000000000000004"),
    bytes.fromhex("00000000000040008000000000000004"),
    b"contact facts",
    b"safety",
    b"done",
    b'[["00000000-0000-4000-8000-000000000005",2]]',
    b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
)
BYTES = (16).to_bytes(8, "big") + b"".join(len(part).to_bytes(8, "big") + part for part in PARTS)
# This number never changes: entries that are stored today must still verify in twenty years.
LEAF = "13f65d034f2ef6930bad0bff98c732cb77892df5b3094e3d33bf617b2be9edfe"


def test_the_leaf_of_an_entry_never_changes():
    assert leaf_hash(ENTRY).hex() == LEAF


def test_a_leaf_is_hashed_as_in_rfc_6962():
    # The zero byte in front keeps a leaf from ever passing for a node of the tree.
    assert leaf_hash(ENTRY) == hashlib.sha256(b"\x00" + BYTES).digest()


CHANGES = {
    "id": UUID(int=9),
    "occurred_at": ENTRY.occurred_at + timedelta(microseconds=1),
    "actor_id": None,
    "actor_organisation_id": UUID(int=9),
    "actor_role": "auditor",
    "session_ref": "",
    "action": "case:list",
    "subject_type": "referral",
    "subject_id": None,
    "case_id": UUID(int=9),
    "compartments": "contact",
    "purpose": "",
    "outcome": "refused",
    "rows": "[]",
    "detail_sha256": "",
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_any_value_changes_the_leaf(name):
    assert leaf_hash(replace(ENTRY, **{name: CHANGES[name]})) != leaf_hash(ENTRY)


def test_no_value_of_an_entry_is_left_out_of_the_leaf():
    assert set(CHANGES) == {field.name for field in fields(Entry)}
    leaves = {leaf_hash(replace(ENTRY, **{name: value})) for name, value in CHANGES.items()}
    assert len(leaves) == len(CHANGES)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # A value cannot pass for its neighbour's.
        (
            {"actor_role": "auditor", "session_ref": ""},
            {"actor_role": "", "session_ref": "auditor"},
        ),
        ({"purpose": "ab", "outcome": "c"}, {"purpose": "a", "outcome": "bc"}),
        (
            {"subject_id": None, "case_id": UUID(int=9)},
            {"subject_id": UUID(int=9), "case_id": None},
        ),
    ],
)
def test_two_entries_never_share_a_leaf(one, other):
    assert leaf_hash(replace(ENTRY, **one)) != leaf_hash(replace(ENTRY, **other))


def test_a_moment_is_hashed_in_utc_whatever_zone_it_came_in():
    kigali = ENTRY.occurred_at.astimezone(timezone(timedelta(hours=2)))
    assert leaf_hash(replace(ENTRY, occurred_at=kigali)) == leaf_hash(ENTRY)


def test_rows_that_were_opened_and_sealed_as_one_text():
    row = UUID("00000000-0000-4000-8000-000000000005")
    assert rows_text([]) == "[]"
    assert rows_text([RowTouched(row, 2), RowTouched(row, 3, "ab" * 32)]) == (
        '[["00000000-0000-4000-8000-000000000005",2],'
        f'["00000000-0000-4000-8000-000000000005",3,"{"ab" * 32}"]]'
    )
    assert json.loads(rows_text([RowTouched(row, 2)])) == [[str(row), 2]]


def test_rows_keep_the_order_in_which_they_were_touched():
    rows = [RowTouched(UUID(int=number), 1) for number in (3, 1, 2)]
    assert [row_id for row_id, _ in json.loads(rows_text(rows))] == [
        str(row.row_id) for row in rows
    ]
