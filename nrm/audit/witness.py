"""A witness, at its own institution: a folder with its key, the log's key, and what it last signed.

It needs no database. What it has cosigned is on the disk before the signature leaves its hands, so
that it never signs two logs that contradict each other.
"""

import fcntl
import os
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nrm.audit.checkpoint import cosign, witness_key
from nrm.audit.verify import (
    COSIGNED,
    HASH_BYTES,
    SIGNED,
    Checkpoint,
    UnreadableError,
    VerifierKey,
    check,
    encoded,
    is_name,
    read_checkpoint_file,
    read_key,
)
from nrm.security.keyfile import write_secretly

_KEY, _LOG, _LAST = "witness.key", "log.key", "last.checkpoint"
# How signed notes write a private key.
_PRIVATE = "PRIVATE+KEY+"


class Cosigned(NamedTuple):
    """What a witness has signed: which checkpoint, and the line to send back."""

    checkpoint: Checkpoint
    line: str


def create(folder: Path, name: str) -> VerifierKey:
    """Make a witness's folder and its key, which never leaves it; returns the public half."""
    if not is_name(name):
        raise UnreadableError("a witness's name has no spaces and no plus sign")
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    key = witness_key(name, seed)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = encoded(bytes([COSIGNED]) + seed)
    write_secretly(folder / _KEY, f"{_PRIVATE}{name}+{key.fingerprint.hex()}+{secret}\n")
    return key


def cosign_request(
    folder: Path, asked: str, log_key: VerifierKey | None, moment: datetime
) -> Cosigned:
    """Cosign the checkpoint of a request, if it follows from the last one that was cosigned.

    The log's key is said the first time and kept. A renewed one is taken up while both keys sign.
    Raises NotAsSignedError where the log is another one, and UnreadableError where a file is not
    what it should be.
    """
    with _alone(folder):
        name, seed = _own_key(folder / _KEY)
        key = _log_key(folder / _LOG, log_key)
        checkpoint, line = cosign(asked, key, _last(folder), name, seed, moment)
        new_key = log_key or key
        check(checkpoint, new_key)
        _replace(folder / _LAST, str(checkpoint))
        _replace(folder / _LOG, f"{new_key}\n")
    return Cosigned(checkpoint, line)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let nobody else cosign from this folder at the same time."""
    try:
        handle = os.open(folder / _KEY, os.O_RDONLY)
    except FileNotFoundError:
        raise UnreadableError(f"there is no {_KEY} in this folder: nrm witness create") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _own_key(path: Path) -> tuple[str, bytes]:
    if path.stat().st_mode & 0o077:
        raise UnreadableError(f"{path.name} can be read by others: chmod 600 it")
    try:
        text = path.read_text(encoding="utf-8").strip()
        name, fingerprint, secret = text.removeprefix(_PRIVATE).split("+", 2)
        raw = b64decode(secret, validate=True)
    except ValueError:
        raise UnreadableError(f"{path.name} is no key of a witness") from None
    seed = raw[1:]
    if len(seed) != HASH_BYTES or witness_key(name, seed).fingerprint.hex() != fingerprint:
        raise UnreadableError(f"{path.name} is no key of a witness")
    return name, seed


def _last(folder: Path) -> Checkpoint | None:
    """Read what was cosigned last; a folder that knows its log has cosigned something."""
    if (folder / _LAST).exists():
        return read_checkpoint_file(folder / _LAST)
    if (folder / _LOG).exists():
        raise UnreadableError(f"{_LAST} is gone: put it back from your copy of this folder")
    return None


def _log_key(path: Path, told: VerifierKey | None) -> VerifierKey:
    if told is not None and told.kind != SIGNED:
        raise UnreadableError("this is the key of a witness: say that of the log")
    if not path.exists():
        if told is None:
            raise UnreadableError("say the log's key with --log the first time; it is kept then")
        return told
    try:
        return read_key(path.read_text(encoding="utf-8"))
    except (UnreadableError, UnicodeDecodeError):
        raise UnreadableError(f"{path.name} is no key of a log") from None


def _replace(path: Path, content: str) -> None:
    """Write a file whole or not at all, and see that it is on the disk."""
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8", newline="\n") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
