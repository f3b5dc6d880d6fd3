import io
import itertools
import os
import tempfile
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from nrm.domain.errors import DamagedError
from nrm.security.chunks import CHUNK, ChunkReader, ChunkWriter, chunks_of

PROOF = bool(os.environ.get("NRM_PROOF"))
KEY = bytes(range(32))
FILE = UUID("00112233-4455-6677-8899-aabbccddeeff")
HEAD, TAG = 1 + 16, 16
STORED = CHUNK + TAG

# What chunk 1, the last of two, is bound to, written out from the format alone.
BOUND = bytes.fromhex(
    "0000000000000004"
    "000000000000000f 6e726d20646f63756d656e74207631"
    "0000000000000010 00112233445566778899aabbccddeeff"
    "0000000000000008 0000000000000001"
    "0000000000000001 01"
)


def sealed(content, key=KEY, file_id=FILE, pieces=None):
    with tempfile.TemporaryFile() as disk:
        writer = ChunkWriter(disk, key, file_id)
        for piece in pieces or [content]:
            writer.write(piece)
        writer.finish()
        assert writer.length == len(content)
        disk.seek(0)
        return disk.read()


def reader(stored, length, key=KEY, file_id=FILE):
    return ChunkReader(io.BytesIO(stored), key, file_id, length)


def opened(stored, length, **how):
    return b"".join(reader(stored, length, **how).chunks())


@pytest.mark.parametrize(
    ("length", "chunks"),
    [
        (0, 1),
        (1, 1),
        (CHUNK - 1, 1),
        (CHUNK, 1),
        (CHUNK + 1, 2),
        (2 * CHUNK, 2),
        (2 * CHUNK + 1, 3),
        (10 * CHUNK, 10),
    ],
)
def test_the_stored_length_says_the_number_of_chunks_and_no_more(length, chunks):
    content = os.urandom(length)
    stored = sealed(content)
    assert len(stored) == HEAD + chunks * STORED
    assert chunks_of(length) == chunks
    assert opened(stored, length) == content


def test_a_file_opens_with_the_format_on_paper_and_no_line_of_this_program():
    content = os.urandom(CHUNK) + b"the end"
    stored = sealed(content)
    assert stored[:HEAD] == b"\x01" + FILE.bytes
    last = AESGCM(KEY).decrypt((1).to_bytes(12, "big"), stored[HEAD + STORED :], BOUND)
    assert last == b"the end" + bytes(CHUNK - 7)


@settings(max_examples=200 if PROOF else 20, deadline=None)
@given(
    content=st.integers(0, 3 * CHUNK + 5).map(os.urandom),
    cuts=st.lists(st.integers(0, 3 * CHUNK + 5), max_size=5),
)
def test_however_it_is_written_it_is_the_same_file(content, cuts):
    places = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    pieces = [content[a:b] for a, b in itertools.pairwise(places)]
    assert sealed(content, pieces=pieces) == sealed(content)


@settings(max_examples=500 if PROOF else 50, deadline=None)
@given(
    length=st.integers(0, 3 * CHUNK + 5),
    reads=st.lists(
        st.tuples(st.integers(-5, 4 * CHUNK), st.integers(0, 2), st.integers(0, CHUNK + 9))
    ),
)
def test_it_is_read_anywhere_like_any_file(length, reads):
    content = (b"0123456789abcdef" * (length // 16 + 1))[:length]
    own, plain = io.BufferedReader(reader(sealed(content), length)), io.BytesIO(content)
    for offset, whence, size in reads:
        if whence == 0 and offset < 0:
            continue
        start = {0: 0, 1: plain.tell(), 2: length}[whence]
        if start + offset < 0:
            continue
        assert own.seek(offset, whence) == plain.seek(start + offset)
        assert own.read(size) == plain.read(size)


def test_nothing_stands_before_the_beginning():
    with pytest.raises(ValueError, match="before the beginning"):
        reader(sealed(b"abc"), 3).seek(-1)


# A chunk belongs to its file, its number and its end.

LENGTH = 4 * CHUNK + 100
CONTENT = os.urandom(LENGTH)
STORED_FILE = sealed(CONTENT)
PARTS = [STORED_FILE[:HEAD]] + [
    STORED_FILE[at : at + STORED] for at in range(HEAD, len(STORED_FILE), STORED)
]


def refused(stored, length=LENGTH, **how):
    """Say whether nothing of a file is given, or not all of it."""
    try:
        file = reader(stored, length, **how)
        file.verify()
    except DamagedError:
        return True
    return False


def attacks():
    """Yield (what was done, the file after it) for every way to move chunks about."""
    numbers = range(1, len(PARTS))
    other = sealed(os.urandom(len(CONTENT)), file_id=UUID(int=1))
    same_key = sealed(os.urandom(len(CONTENT)), file_id=UUID(int=2))
    for first in numbers:
        yield "dropped", b"".join(part for at, part in enumerate(PARTS) if at != first)
        yield "cut off after", b"".join(PARTS[:first])
        yield "repeated at the end", STORED_FILE + PARTS[first]
        for second in numbers:
            if first != second:
                swapped = list(PARTS)
                swapped[first], swapped[second] = swapped[second], swapped[first]
                yield "swapped", b"".join(swapped)
                repeated = list(PARTS)
                repeated[second] = PARTS[first]
                yield "repeated", b"".join(repeated)
                yield "put in between", b"".join([*PARTS[:second], PARTS[first], *PARTS[second:]])
        at = HEAD + (first - 1) * STORED
        for stranger in (other, same_key):
            foreign = stranger[at : at + STORED]
            yield "another file's", b"".join([*PARTS[:first], foreign, *PARTS[first + 1 :]])
        for cut in (1, TAG, STORED // 2, STORED - 1):
            yield "cut within", STORED_FILE[: at + cut]
    yield "another head", other[:HEAD] + STORED_FILE[HEAD:]
    yield "another format", b"\x02" + STORED_FILE[1:]
    yield "nothing", b""
    yield "a byte more", STORED_FILE + b"\0"
    yield "a whole other file", other


def test_chunks_that_were_moved_are_refused(counted):
    counts = {}
    for what, stored in attacks():
        tried, found = counts.get(what, (0, 0))
        counts[what] = (tried + 1, found + refused(stored))
    for what, (tried, found) in counts.items():
        counted(f"chunks of a file, {what}: {tried} tried, {found} refused")
    assert all(tried == found for tried, found in counts.values())
    assert not refused(STORED_FILE)


def test_a_false_length_or_key_is_refused():
    for length in (0, CHUNK, 4 * CHUNK, 5 * CHUNK + 1, 2**40):
        assert refused(STORED_FILE, length)
    assert refused(STORED_FILE, key=bytes(32))
    assert refused(STORED_FILE, file_id=UUID(int=7))


def test_a_last_chunk_is_no_end_of_a_shorter_file():
    """Whoever owns the row's length still cannot pass off a beginning as the whole."""
    for chunks in range(1, 5):
        shorter = b"".join(PARTS[: chunks + 1])
        assert refused(shorter, chunks * CHUNK)


def test_every_flipped_bit_is_found(counted):
    flips = 2_000 if PROOF else 200
    stored = bytearray(sealed(CONTENT[: CHUNK + 5]))
    step = len(stored) * 8 // flips
    found = 0
    for bit in range(0, flips * step, step):
        stored[bit >> 3] ^= 1 << (bit & 7)
        found += refused(bytes(stored), CHUNK + 5)
        stored[bit >> 3] ^= 1 << (bit & 7)
    counted(f"bits of a file flipped: {flips}, refused: {found}")
    assert found == flips
    assert not refused(bytes(stored), CHUNK + 5)
