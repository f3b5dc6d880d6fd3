"""Sound recordings, known by how they are built and not by a name."""

import io
import os

# How many pieces must follow each other before a row of bytes is taken for sound.
_FRAMES = 3
_OGG_CODECS = (b"OpusHead", b"\x01vorbis", b"Speex   ", b"\x7fFLAC")
_MP3_BITRATES = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MPEG_1 = 3
_LAYER_3 = 1
_ADTS_HEAD = 7
# Boxes of an MP4 that lead to what its tracks are, and how many are looked at.
_NESTED = {b"moov", b"trak", b"mdia"}
_MOST_BOXES = 1_000
_BOX_HEAD = 8


def kind_of(file: io.BufferedReader, length: int) -> str:
    """Name the kind of a sound recording, or nothing."""
    file.seek(0)
    start = file.read(64)
    if start.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        return "amr"
    if start.startswith(b"fLaC") and start[4] & 0x7F == 0 and start[5:8] == b"\0\0\x22":
        return "flac"
    if start[:4] == b"RIFF" and start[8:12] == b"WAVE":
        return "wav" if start[12:16] in (b"fmt ", b"JUNK", b"bext", b"LIST") else ""
    if start[:5] == b"OggS\0":
        return "ogg" if _ogg_codec(start).startswith(_OGG_CODECS) else ""
    if start[4:8] == b"ftyp":
        return "m4a" if _tracks(file, length) == {b"soun"} else ""
    return _framed(file, length)


def _ogg_codec(start: bytes) -> bytes:
    """Give what the first packet begins with, behind the table of its page's segments."""
    return start[27 + start[26] :] if len(start) > 27 else b""  # noqa: PLR2004 - a page's head


def _tracks(file: io.BufferedReader, length: int) -> set[bytes]:
    """Collect what the tracks of an MP4 are: sound, picture, words."""
    found: set[bytes] = set()
    waiting, looked = [(0, length)], 0
    while waiting and looked < _MOST_BOXES:
        at, end = waiting.pop()
        while at + _BOX_HEAD <= end and looked < _MOST_BOXES:
            looked += 1
            name, inner, after = _box(file, at, end)
            if name in _NESTED:
                waiting.append((inner, after))
            elif name == b"hdlr":
                file.seek(inner + 8)
                found.add(file.read(4))
            if after <= at:
                return set()
            at = after
    return found - {b"mdir", b"appl"}


def _box(file: io.BufferedReader, at: int, end: int) -> tuple[bytes, int, int]:
    """Read (name, where its content begins, where it ends) of the box that begins here."""
    file.seek(at)
    head = file.read(16)
    size, name = int.from_bytes(head[:4], "big"), head[4:8]
    if size == 1:
        return name, at + 16, min(at + int.from_bytes(head[8:16], "big"), end)
    return name, at + _BOX_HEAD, min(at + size, end) if size else end


def _framed(file: io.BufferedReader, length: int) -> str:
    """Know MP3 and AAC by their frames, each of which says where the next begins."""
    at = _after_id3(file)
    for kind, size_of in (("mp3", _mp3_frame), ("aac", _aac_frame)):
        place, seen = at, 0
        while seen < _FRAMES and place < length:
            file.seek(place)
            size = size_of(file.read(_ADTS_HEAD))
            if size == 0:
                break
            place, seen = place + size, seen + 1
        if seen == _FRAMES:
            return kind
    return ""


def _after_id3(file: io.BufferedReader) -> int:
    """Step over the notes that an MP3 may begin with."""
    file.seek(0, os.SEEK_SET)
    head = file.read(10)
    if head[:3] != b"ID3" or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte
    return size + 10


def _mp3_frame(head: bytes) -> int:
    """Give the length of an MPEG audio frame of layer III, or nothing."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - eleven set bits
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate_index, rate_index, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    rates = _MP3_RATES.get(version)
    bitrates = _MP3_BITRATES[1 if version == _MPEG_1 else 2]
    if not rates or layer != _LAYER_3 or rate_index >= len(rates):
        return 0
    if not 0 < bitrate_index < len(bitrates):
        return 0
    samples = 144_000 if version == _MPEG_1 else 72_000
    return samples * bitrates[bitrate_index] // rates[rate_index] + padding


def _aac_frame(head: bytes) -> int:
    """Give the length of an AAC frame with its ADTS head, or nothing."""
    if len(head) < _ADTS_HEAD or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:  # noqa: PLR2004 - sync
        return 0
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > _ADTS_HEAD else 0
