import hashlib
import hmac
import json
import os
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.errors import DamagedError
from nrm.security.sealing import Place, compartment_key, seal, sealed_key_id, unseal

PROOF = bool(os.environ.get("NRM_PROOF"))
KEY = bytes(range(32))
ROW = UUID("00112233-4455-6677-8899-aabbccddeeff")
PLACE = Place("sealed_compartment", ROW, "identity", 3, 7)
HEAD, TAG = 1 + 4 + 12, 16

# What the seal is bound to, written out from the format alone: count, then length and content of
# "v1", the table, the row, the compartment, the revision and the key's id.
BOUND = bytes.fromhex(
    "0000000000000006"
    "0000000000000002 7631"
    "0000000000000012 7365616c65645f636f6d706172746d656e74"
    "0000000000000010 00112233445566778899aabbccddeeff"
    "0000000000000008 6964656e74697479"
    "0000000000000008 0000000000000003"
    "0000000000000004 00000007"
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(st.text(), json_values, max_size=6)


def document_of(size):
    """Make a document whose canonical form has exactly this many bytes."""
    return {"a": "x" * (size - len('{"a":""}'))}


@given(documents)
def test_what_was_sealed_opens_as_it_was(document):
    assert unseal(KEY, PLACE, seal(KEY, PLACE, document)) == document


@pytest.mark.parametrize(
    "words",
    [
        "Uwase Muneza",
        "مريم لا تتصل بالبيت",  # written from right to left
        "\u202eabc\u202c",  # a change of direction in the middle of a line
        "👩🏾‍👧 🇷🇼",
        "zero\0byte, tab\t, line\nbreak",
        "e\u0301 is not é",
        "\U0010ffff",
        "",
    ],
)
def test_words_are_kept_as_typed(words):
    assert unseal(KEY, PLACE, seal(KEY, PLACE, {"words": words})) == {"words": words}


# The stored form.


def test_a_sealed_row_names_its_format_its_key_and_its_nonce():
    sealed = seal(KEY, PLACE, {})
    assert sealed[:5] == bytes.fromhex("01 00000007")
    assert sealed_key_id(sealed) == 7
    assert len(sealed) == HEAD + 512 + TAG


def test_the_seal_is_bound_to_exactly_these_bytes():
    assert PLACE.associated_data() == BOUND


def test_a_row_opens_with_the_format_on_paper_and_no_line_of_this_program():
    sealed = seal(KEY, PLACE, {"name": "Uwase", "age": 17})
    padded = AESGCM(KEY).decrypt(sealed[5:17], sealed[17:], BOUND)
    body = b'{"age":17,"name":"Uwase"}'
    assert padded == b"\x01" + len(body).to_bytes(4, "big") + body + bytes(512 - 5 - len(body))


def test_a_row_that_was_sealed_with_the_format_on_paper_opens():
    body = json.dumps({"words": "Muraho 🙂"}, ensure_ascii=False).encode()
    padded = (b"\x01" + len(body).to_bytes(4, "big") + body).ljust(512, b"\0")
    nonce = bytes(12)
    sealed = bytes.fromhex("0100000007") + nonce + AESGCM(KEY).encrypt(nonce, padded, BOUND)
    assert unseal(KEY, PLACE, sealed) == {"words": "Muraho 🙂"}


def test_each_compartment_has_a_key_of_its_own():
    # HKDF-Expand of one block is one HMAC (RFC 5869, section 2.3).
    by_hand = hmac.digest(KEY, b"nrm compartment v1:identity\x01", "sha256")
    assert compartment_key(KEY, "identity") == by_hand
    names = ("identity", "contact", "narrative", "health", "enforcement", "envelope", "draft")
    assert len({compartment_key(KEY, name) for name in names}) == len(names)


def test_another_compartments_key_opens_nothing():
    sealed = seal(compartment_key(KEY, "identity"), PLACE, {"name": "Uwase"})
    with pytest.raises(DamagedError):
        unseal(compartment_key(KEY, "contact"), PLACE, sealed)


# The length says nothing.


@pytest.mark.parametrize(
    ("size", "bucket"),
    [
        (8, 512),
        (507, 512),  # with the five bytes in front of it, exactly full
        (508, 1024),
        (1019, 1024),
        (1020, 2048),
        (2043, 2048),
        (65_531, 65_536),
        (65_532, 131_072),
    ],
)
def test_a_document_fills_a_power_of_two(size, bucket):
    sealed = seal(KEY, PLACE, document_of(size))
    assert len(sealed) == HEAD + bucket + TAG
    assert unseal(KEY, PLACE, sealed) == document_of(size)


def test_a_short_answer_is_as_long_as_none():
    lengths = {
        len(seal(KEY, PLACE, document))
        for document in ({}, {"health_words": "HIV"}, {"health_words": "x" * 400}, document_of(507))
    }
    assert lengths == {HEAD + 512 + TAG}


@given(documents)
def test_the_padded_length_is_always_a_power_of_two_from_512(document):
    padded = len(seal(KEY, PLACE, document)) - HEAD - TAG
    assert padded >= 512
    assert padded.bit_count() == 1


@pytest.mark.parametrize(
    ("padded", "why"),
    [
        (b"\x02" + bytes(4) + b"{}".ljust(507, b"\0"), "another version of the padding"),
        (b"\x01" + (508).to_bytes(4, "big") + bytes(507), "a length beyond the end"),
    ],
)
def test_a_row_that_is_padded_in_another_way_is_refused(padded, why):
    assert why
    sealed = bytes.fromhex("0100000007") + bytes(12) + AESGCM(KEY).encrypt(bytes(12), padded, BOUND)
    with pytest.raises(DamagedError):
        unseal(KEY, PLACE, sealed)


# A ciphertext cannot be moved.


@pytest.mark.parametrize(
    "change",
    [
        {"table": "sealed_note"},
        {"row_id": UUID(int=ROW.int + 1)},
        {"compartment": "contact"},
        {"revision": 2},
        {"revision": 4},
        {"key_id": 8},
    ],
    ids=lambda change: " ".join(f"{name}={value}" for name, value in change.items()),
)
def test_a_ciphertext_opens_nowhere_else(change):
    sealed = seal(KEY, PLACE, {"name": "Uwase"})
    elsewhere = PLACE._replace(**change)
    with pytest.raises(DamagedError):
        unseal(KEY, elsewhere, sealed)
    # Nor does it help to write the other place's key id into the row itself.
    forged = sealed[:1] + elsewhere.key_id.to_bytes(4, "big") + sealed[5:]
    with pytest.raises(DamagedError):
        unseal(KEY, elsewhere, forged)


def test_letters_cannot_wander_between_table_and_compartment():
    sealed = seal(KEY, PLACE._replace(table="victim", compartment="family_name"), {})
    with pytest.raises(DamagedError):
        unseal(KEY, PLACE._replace(table="victimf", compartment="amily_name"), sealed)


def test_another_cases_key_opens_nothing():
    with pytest.raises(DamagedError):
        unseal(bytes(32), PLACE, seal(KEY, PLACE, {"name": "Uwase"}))


def test_a_damaged_row_says_its_table_and_nothing_else():
    sealed = seal(KEY, PLACE, {"name": "Uwase"})
    with pytest.raises(DamagedError) as refused:
        unseal(KEY, PLACE, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert str(refused.value) == "sealed_compartment"


# Attacks in numbers; NRM_PROOF=1 runs the full counts.


def test_every_flipped_bit_is_found(counted):
    ciphertexts = 1_000 if PROOF else 100
    tried = rejected = 0
    for number in range(ciphertexts):
        sealed = bytearray(seal(KEY, PLACE, {"number": number}))
        for bit in range(len(sealed) * 8):
            sealed[bit >> 3] ^= 1 << (bit & 7)
            tried += 1
            try:
                unseal(KEY, PLACE, bytes(sealed))
            except DamagedError:
                rejected += 1
            sealed[bit >> 3] ^= 1 << (bit & 7)
        assert unseal(KEY, PLACE, bytes(sealed)) == {"number": number}
    counted(f"bits flipped: {tried:,} in {ciphertexts:,} ciphertexts, rejected: {rejected:,}")
    assert tried == ciphertexts * (HEAD + 512 + TAG) * 8
    assert rejected == tried


def test_every_cut_is_found():
    sealed = seal(KEY, PLACE, {"name": "Uwase"})
    for length in range(len(sealed)):
        with pytest.raises(DamagedError):
            unseal(KEY, PLACE, sealed[:length])
    with pytest.raises(DamagedError):
        unseal(KEY, PLACE, sealed + b"\0")


def test_no_nonce_comes_twice(counted):
    sealings = 1_000_000 if PROOF else 100_000
    nonces, ciphertexts = set(), set()
    for _ in range(sealings):
        sealed = seal(KEY, PLACE, {"name": "Uwase"})
        nonces.add(sealed[5:17])
        # A short digest keeps a million of them in memory; equal ones would still be equal.
        ciphertexts.add(hashlib.blake2b(sealed[17:], digest_size=16).digest())
    twice = sealings - len(nonces)
    counted(f"seals of one document: {sealings:,}, nonces that came twice: {twice:,}")
    assert len(nonces) == sealings
    assert len(ciphertexts) == sealings
