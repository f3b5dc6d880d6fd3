"""Length-prefixed framing, so that two different tuples never become the same bytes."""

import struct

_NUMBER = struct.Struct(">Q").pack


def frame(*parts: bytes) -> bytes:
    """Join the parts as count ‖ (length ‖ part)…, each number eight bytes, big-endian."""
    return _NUMBER(len(parts)) + b"".join([_NUMBER(len(part)) + part for part in parts])


def number(value: int) -> bytes:
    """Write a revision or a count as eight bytes."""
    return _NUMBER(value)


def key_number(value: int) -> bytes:
    """Write a key's id as the four bytes that head every sealed row."""
    return struct.pack(">I", value)
