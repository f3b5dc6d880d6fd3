import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.erasure import DamagedListError, Line, gone_for_good, parsed, written

FIRST = Line(UUID(int=1), datetime(2026, 11, 23, 10, 5, tzinfo=UTC), [3], [4])
SECOND = Line(UUID(int=2), datetime(2026, 11, 24, 9, 0, 0, 5, tzinfo=UTC), [5, 9], [])


def test_what_was_written_is_read_back():
    assert parsed(written(FIRST) + written(SECOND), "list") == {
        FIRST.case_id: FIRST,
        SECOND.case_id: SECOND,
    }
    assert parsed("", "list") == {}


def test_a_case_that_stands_twice_counts_once():
    assert parsed(written(FIRST) * 2, "list") == {FIRST.case_id: FIRST}


def test_a_line_is_one_line_of_plain_fields():
    line = written(FIRST)
    assert line.count("\n") == 1
    told = json.loads(line)
    del told["sha256"]
    assert told == {
        "format": 1,
        "case": "00000000-0000-0000-0000-000000000001",
        "erased_at": "2026-11-23T10:05:00+00:00",
        "case_keys": [3],
        "facts_keys": [4],
    }


def test_a_moment_is_written_in_utc():
    elsewhere = FIRST.erased_at.astimezone(timezone(timedelta(hours=2)))
    assert written(Line(FIRST.case_id, elsewhere, [3], [4])) == written(FIRST)


@given(st.integers(0, len(written(FIRST)) - 1), st.characters(codec="ascii"))
def test_one_wrong_character_is_found_wherever_it_stands(at, character):
    line = written(FIRST)
    damaged = line[:at] + character + line[at + 1 :]
    if damaged == line:
        assert parsed(damaged, "list") == {FIRST.case_id: FIRST}
        return
    with pytest.raises(DamagedListError, match=r"^line [23] of list is damaged$"):
        parsed(written(SECOND) + damaged, "list")


@pytest.mark.parametrize(
    "damaged",
    [
        "\n",
        "{}\n",
        "[]\n",
        "null\n",
        '"x"\n',
        "nonsense\n",
        '{"case": 1}\n',
        written(FIRST).replace(": 1,", ": 2,"),
        f" {written(FIRST)}",
        written(FIRST)[:-1],
        written(FIRST)[:40],
    ],
)
def test_the_first_line_that_is_not_whole_is_named(damaged):
    with pytest.raises(DamagedListError, match=r"^line 2 of erasures\.jsonl is damaged$"):
        parsed(written(FIRST) + damaged, "erasures.jsonl")


def test_copies_last_five_weeks():
    assert gone_for_good(FIRST.erased_at) == datetime(2026, 12, 28, 10, 5, tzinfo=UTC)
