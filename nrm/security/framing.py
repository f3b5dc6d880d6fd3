"""Length-prefixed framing, so that two different tuples never become the same bytes."""

import struct


def frame(*parts: bytes) -> bytes:
    """Join the parts as count ‖ (length ‖ part)…, each number eight bytes, big-endian."""
    framed = [struct.pack(">Q", len(parts))]
    for part in parts:
        framed.append(struct.pack(">Q", len(part)))
        framed.append(part)
    return b"".join(framed)


def number(value: int) -> bytes:
    """Write a revision or a count as eight bytes."""
    return struct.pack(">Q", value)


def key_number(value: int) -> bytes:
    """Write a key's id as the four bytes that head every sealed row."""
    return struct.pack(">I", value)
