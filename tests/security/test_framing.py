import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.security.framing import frame, key_number, number

parts = st.lists(st.binary(max_size=12), max_size=6)


def unframe(framed):
    """Read the parts back, as somebody would who has the format on paper only."""
    (count,) = struct.unpack_from(">Q", framed)
    found, at = [], 8
    for _ in range(count):
        (length,) = struct.unpack_from(">Q", framed, at)
        found.append(framed[at + 8 : at + 8 + length])
        at += 8 + length
    assert at == len(framed)
    return found


def test_a_frame_byte_by_byte():
    by_hand = (
        "0000000000000003"  # three parts
        "0000000000000002 6162"  # two bytes: ab
        "0000000000000000"  # no byte
        "0000000000000001 63"  # one byte: c
    )
    assert frame(b"ab", b"", b"c") == bytes.fromhex(by_hand)


@given(parts)
def test_a_frame_can_be_read_back(given_parts):
    assert unframe(frame(*given_parts)) == given_parts


@given(parts, parts)
def test_two_tuples_never_become_the_same_bytes(one, other):
    assert (frame(*one) == frame(*other)) == (one == other)


@given(st.binary(max_size=24), st.integers(0, 24), st.integers(0, 24))
def test_where_one_text_is_cut_makes_a_difference(text, first, second):
    first, second = min(first, len(text)), min(second, len(text))
    same = frame(text[:first], text[first:]) == frame(text[:second], text[second:])
    assert same == (first == second)


def test_a_name_cannot_borrow_a_letter_from_its_neighbour():
    assert frame(b"victim", b"family_name") != frame(b"victimf", b"amily_name")


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0000000000000000"), (1, "0000000000000001"), (258, "0000000000000102")],
)
def test_a_revision_is_eight_bytes(value, written):
    assert number(value).hex() == written


@pytest.mark.parametrize(
    ("value", "written"), [(0, "00000000"), (7, "00000007"), (2**32 - 1, "ffffffff")]
)
def test_a_key_id_is_four_bytes(value, written):
    assert key_number(value).hex() == written


@pytest.mark.parametrize("value", [-1, 2**32])
def test_a_key_id_that_does_not_fit_is_refused_and_never_cut(value):
    with pytest.raises(struct.error):
        key_number(value)
