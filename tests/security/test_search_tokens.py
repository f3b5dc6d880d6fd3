"""The tokens as bytes: pinned, keyed by table and version, and cut short."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.errors import LockedError
from nrm.security.framing import frame
from nrm.security.keyfile import Holder
from nrm.security.keyring import Keyring, Purpose
from nrm.security.search_tokens import query_fingerprint, search_tokens

MASTER = bytes(range(32))
RING = Keyring(Holder.WEB, {7: (Purpose.INDEX, MASTER)}, {Purpose.INDEX: 7})
STATISTICS = Keyring(Holder.STATISTICS, {1: (Purpose.FACTS, MASTER)}, {Purpose.FACTS: 1})


def tokens(version=1, bits=12, ring=RING):
    return search_tokens(version, bits, lambda use: ring.derived_from(7, Purpose.INDEX, use))


def by_hand(use):
    """Derive a key as the paper says: one HMAC for one block of HKDF-Expand."""
    return hmac.digest(MASTER, b"nrm use v1:" + use.encode() + b"\x01", "sha256")


def test_a_name_token_is_the_first_bits_of_a_keyed_hash():
    whole = hmac.digest(by_hand("name_token v1"), frame(b"AS", b"MR"), "sha256")
    for bits in (5, 12, 18):
        assert tokens(bits=bits).name(("AS", "MR")) == int.from_bytes(whole, "big") >> (256 - bits)


def test_an_identifier_token_is_a_keyed_hash_with_its_kind():
    whole = hmac.digest(by_hand("identifier_token v3"), frame(b"phone", b"+250788"), "sha256")
    assert tokens(3).identifier("phone", "+250788") == whole[:16]
    assert tokens(3).identifier("id_number", "+250788") != whole[:16]


def test_each_version_and_each_table_has_a_key_of_its_own():
    made = {(one.name_key, one.identifier_key) for one in (tokens(1), tokens(2), tokens(3))}
    assert len({key for pair in made for key in pair}) == 6


def test_letters_cannot_wander_between_the_names_of_a_pair():
    assert tokens(bits=60).name(("AS", "MR")) != tokens(bits=60).name(("ASM", "R"))
    assert tokens(bits=60).name(("AS", "")) != tokens(bits=60).name(("", "AS"))


@given(st.tuples(st.text(), st.text()), st.integers(5, 24))
def test_a_token_fits_its_bits(pair, bits):
    assert 0 <= tokens(bits=bits).name(pair) < 1 << bits
    assert 0 <= tokens(bits=bits).any_name() < 1 << bits


def test_a_token_of_nobody_is_as_long_as_any_and_never_the_same():
    made = {tokens().any_identifier() for _ in range(1_000)}
    assert len(made) == 1_000
    assert {len(token) for token in made} == {16}
    assert len({tokens(bits=24).any_name() for _ in range(200)}) > 190


def test_the_log_knows_a_search_by_a_keyed_hash():
    asked = query_fingerprint(RING, "uwase")
    assert asked == query_fingerprint(RING, "uwase")
    assert asked != query_fingerprint(RING, "uwasa")
    assert asked == hmac.digest(by_hand("search query"), b"uwase", "sha256").hex()


def test_a_process_without_the_index_key_makes_no_token():
    with pytest.raises(LockedError):
        tokens(ring=STATISTICS)
    with pytest.raises(LockedError):
        query_fingerprint(STATISTICS, "uwase")


def test_what_makes_tokens_does_not_print_its_keys():
    assert "key" not in repr(tokens())
