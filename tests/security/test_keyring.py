import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nrm.db import Unit
from nrm.domain.errors import LockedError
from nrm.security.keyfile import PROCESSES, Holder, KeyFileError, create_key_file
from nrm.security.keyring import (
    HELD_BY,
    Keyring,
    Purpose,
    new_key,
    seal_master,
    unseal_master,
)

CASE_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
OTHER_CASE = UUID(int=1)
MASTER, FACTS_MASTER = bytes(range(32)), bytes(range(32, 64))
DATA_KEY = bytes(range(64, 96))
WEB = Keyring(
    Holder.WEB,
    {1: (Purpose.CASE, MASTER), 2: (Purpose.FACTS, FACTS_MASTER)},
    {Purpose.CASE: 1, Purpose.FACTS: 2},
)
STATISTICS = Keyring(Holder.STATISTICS, {2: (Purpose.FACTS, FACTS_MASTER)}, {Purpose.FACTS: 2})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def web_file(folder):
    return create_key_file(folder / "web.key", Holder.WEB)


@pytest.fixture
def statistics_file(folder):
    return create_key_file(folder / "statistics.key", Holder.STATISTICS)


# Master keys in the database, each sealed to its holders.


def test_who_holds_which_master_key():
    assert {
        holder: {purpose for purpose, holders in HELD_BY.items() if holder in holders}
        for holder in PROCESSES
    } == {
        Holder.WEB: {
            Purpose.CASE,
            Purpose.FACTOR,
            Purpose.FACTS,
            Purpose.INDEX,
            Purpose.LOG,
            Purpose.SESSION,
            Purpose.FORM,
        },
        # The statistics process reaches facts, and so no name.
        Holder.STATISTICS: {Purpose.FACTS, Purpose.STATISTICS},
        # The signer signs checkpoints, and opens nothing.
        Holder.SIGNER: {Purpose.SIGNING},
    }


def test_a_master_key_is_unsealed_by_its_holder(web_file):
    sealed = seal_master(MASTER, web_file.public, 1, Purpose.CASE)
    assert unseal_master(sealed, web_file, 1, Purpose.CASE) == MASTER
    assert MASTER not in sealed


def test_a_master_key_is_sealed_anew_each_time(web_file):
    first = seal_master(MASTER, web_file.public, 1, Purpose.CASE)
    assert first != seal_master(MASTER, web_file.public, 1, Purpose.CASE)


def test_the_statistics_file_does_not_unseal_what_is_sealed_to_the_web(web_file, statistics_file):
    sealed = seal_master(MASTER, web_file.public, 1, Purpose.CASE)
    for purpose in (Purpose.CASE, Purpose.FACTS):
        with pytest.raises(KeyFileError, match="does not belong to this database"):
            unseal_master(sealed, statistics_file, 1, purpose)


def test_facts_are_unsealed_by_both_their_holders(web_file, statistics_file):
    for file in (web_file, statistics_file):
        sealed = seal_master(FACTS_MASTER, file.public, 2, Purpose.FACTS)
        assert unseal_master(sealed, file, 2, Purpose.FACTS) == FACTS_MASTER


@pytest.mark.parametrize(
    ("ring_id", "purpose"), [(2, Purpose.CASE), (1, Purpose.FACTS), (1, Purpose.SESSION)]
)
def test_a_sealed_master_key_stays_in_its_place_in_the_ring(web_file, ring_id, purpose):
    sealed = seal_master(MASTER, web_file.public, 1, Purpose.CASE)
    with pytest.raises(KeyFileError):
        unseal_master(sealed, web_file, ring_id, purpose)


def test_a_damaged_master_key_is_refused_in_one_line(web_file):
    sealed = bytearray(seal_master(MASTER, web_file.public, 1, Purpose.CASE))
    for at in range(0, len(sealed), 37):
        sealed[at] ^= 1
        with pytest.raises(KeyFileError) as refused:
            unseal_master(bytes(sealed), web_file, 1, Purpose.CASE)
        assert str(refused.value) == "the key file does not belong to this database"
        sealed[at] ^= 1
    for length in (0, 1, 31, 1000, len(sealed) - 1):
        with pytest.raises(KeyFileError):
            unseal_master(bytes(sealed[:length]), web_file, 1, Purpose.CASE)


# Each case's own keys, wrapped under a master key.


def test_a_case_key_is_wrapped_and_unwrapped():
    ring_id, wrapped = WEB.wrap(Purpose.CASE, CASE_ID, DATA_KEY)
    assert ring_id == 1
    assert len(wrapped) == 12 + 32 + 16
    assert WEB.unwrap(Purpose.CASE, CASE_ID, ring_id, wrapped) == DATA_KEY


def test_a_wrapped_key_is_bound_to_exactly_these_bytes():
    _, wrapped = WEB.wrap(Purpose.CASE, CASE_ID, DATA_KEY)
    # Count, then length and content of "dek", the format, the case, the purpose, the master's id.
    bound = bytes.fromhex(
        "0000000000000005"
        "0000000000000003 64656b"
        "0000000000000001 01"
        "0000000000000010 00112233445566778899aabbccddeeff"
        "0000000000000004 63617365"
        "0000000000000004 00000001"
    )
    assert AESGCM(MASTER).decrypt(wrapped[:12], wrapped[12:], bound) == DATA_KEY


# One secret under several ids and purposes, so that only the binding can tell them apart.
ONE_SECRET = Keyring(
    Holder.WEB,
    {1: (Purpose.CASE, MASTER), 2: (Purpose.FACTS, MASTER), 3: (Purpose.CASE, MASTER)},
    {Purpose.CASE: 1, Purpose.FACTS: 2},
)


@pytest.mark.parametrize(
    ("purpose", "case_id", "ring_id"),
    [
        (Purpose.CASE, OTHER_CASE, 1),  # copied into another case's row
        (Purpose.FACTS, CASE_ID, 2),  # copied into the facts slot
        (Purpose.CASE, CASE_ID, 3),  # said to be under another master key
    ],
)
def test_a_wrapped_key_cannot_be_moved(purpose, case_id, ring_id):
    _, wrapped = ONE_SECRET.wrap(Purpose.CASE, CASE_ID, DATA_KEY)
    assert ONE_SECRET.unwrap(Purpose.CASE, CASE_ID, 1, wrapped) == DATA_KEY
    with pytest.raises(LockedError):
        ONE_SECRET.unwrap(purpose, case_id, ring_id, wrapped)


def test_every_flipped_bit_of_a_wrapped_key_is_found():
    _, wrapped = WEB.wrap(Purpose.CASE, CASE_ID, DATA_KEY)
    for bit in range(len(wrapped) * 8):
        flipped = bytearray(wrapped)
        flipped[bit >> 3] ^= 1 << (bit & 7)
        with pytest.raises(LockedError):
            WEB.unwrap(Purpose.CASE, CASE_ID, 1, bytes(flipped))


def test_the_statistics_process_unwraps_facts_and_no_case_key():
    _, facts = WEB.wrap(Purpose.FACTS, CASE_ID, DATA_KEY)
    assert STATISTICS.unwrap(Purpose.FACTS, CASE_ID, 2, facts) == DATA_KEY
    ring_id, wrapped = WEB.wrap(Purpose.CASE, CASE_ID, DATA_KEY)
    for purpose, ring in ((Purpose.CASE, ring_id), (Purpose.FACTS, 2), (Purpose.CASE, 2)):
        with pytest.raises(LockedError):
            STATISTICS.unwrap(purpose, CASE_ID, ring, wrapped)


def test_a_holder_wraps_nothing_under_a_key_that_it_does_not_hold():
    with pytest.raises(LockedError, match="statistics does not hold the case key"):
        STATISTICS.wrap(Purpose.CASE, CASE_ID, DATA_KEY)


def test_an_unknown_master_key_unwraps_nothing():
    _, wrapped = WEB.wrap(Purpose.CASE, CASE_ID, DATA_KEY)
    with pytest.raises(LockedError):
        WEB.unwrap(Purpose.CASE, CASE_ID, 99, wrapped)


def test_an_older_master_key_still_unwraps_and_a_new_one_wraps():
    newer = Keyring(
        Holder.WEB,
        {1: (Purpose.CASE, MASTER), 5: (Purpose.CASE, FACTS_MASTER)},
        {Purpose.CASE: 5},
    )
    _, old = WEB.wrap(Purpose.CASE, CASE_ID, DATA_KEY)
    assert newer.unwrap(Purpose.CASE, CASE_ID, 1, old) == DATA_KEY
    ring_id, new = newer.wrap(Purpose.CASE, CASE_ID, DATA_KEY)
    assert ring_id == 5
    assert newer.unwrap(Purpose.CASE, CASE_ID, 5, new) == DATA_KEY


# Keys for one use.


def test_each_use_of_a_master_key_has_a_key_of_its_own():
    keys = {
        WEB.derived(purpose, use)[1]
        for purpose in (Purpose.CASE, Purpose.FACTS)
        for use in ("data", "log reference", "entry detail")
    }
    assert len(keys) == 6
    ring_id, key = WEB.derived(Purpose.CASE, "data")
    assert WEB.derived_from(ring_id, Purpose.CASE, "data") == key


def test_a_fingerprint_needs_the_key():
    value = b"a sitting"
    print_here = WEB.fingerprint(Purpose.CASE, "log reference", value)
    assert print_here == WEB.fingerprint(Purpose.CASE, "log reference", value)
    assert print_here != WEB.fingerprint(Purpose.FACTS, "log reference", value)
    with pytest.raises(LockedError):
        STATISTICS.fingerprint(Purpose.CASE, "log reference", value)


def test_new_keys_are_never_alike():
    keys = {new_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert {len(key) for key in keys} == {32}


# What is printed by mistake.


def shown(secret):
    """List the ways in which bytes could stand in a text."""
    return (repr(secret)[2:-1], secret.hex(), base64.b64encode(secret).decode()[:12])


def test_no_key_shows_itself(web_file):
    unit = Unit(now=datetime(2026, 11, 23, tzinfo=UTC))
    unit.data_keys[Purpose.CASE.value, CASE_ID, 1] = DATA_KEY
    for holder, secrets in (
        (WEB, (MASTER, FACTS_MASTER)),
        (unit, (DATA_KEY,)),
        (web_file, (web_file.public,)),
    ):
        for text in (repr(holder), str(holder), f"{holder}", repr([holder])):
            for secret in secrets:
                assert not any(way in text for way in shown(secret))
    assert repr(web_file) == f"SoftwareRoot(holder={Holder.WEB!r})"
    assert "masters" not in repr(WEB)
    assert "data_keys" not in repr(unit)


def test_no_refusal_shows_a_key():
    _, wrapped = WEB.wrap(Purpose.CASE, CASE_ID, DATA_KEY)
    with pytest.raises(LockedError) as refused:
        WEB.unwrap(Purpose.CASE, OTHER_CASE, 1, wrapped)
    assert str(refused.value) == "a case key does not unwrap"
