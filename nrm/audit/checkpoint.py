"""Making checkpoints: signed notes that say how large the log was, and its root hash.

Signing and cosigning are here, reading and checking are in `verify`.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nrm.audit.verify import (
    COSIGNED,
    SIGNED,
    Checkpoint,
    NotAsSignedError,
    Signature,
    UnreadableError,
    VerifierKey,
    check,
    consistent,
    cosigned,
    encoded,
    read_checkpoint,
    read_hash,
    read_number,
)


def origin_of(seed: bytes) -> str:
    """Return the name of a log that begins with this signing key; it keeps it ever after."""
    return f"nrm.log/{hashlib.sha256(_public(seed)).hexdigest()[:16]}"


def verifier_key(origin: str, seed: bytes) -> VerifierKey:
    """Return what everybody may know of a log's signing key."""
    return VerifierKey(origin, SIGNED, _public(seed))


def witness_key(name: str, seed: bytes) -> VerifierKey:
    """Return what everybody may know of a witness's key."""
    return VerifierKey(name, COSIGNED, _public(seed))


def signed(origin: str, size: int, root: bytes, moment: datetime, *seeds: bytes) -> str:
    """Write a checkpoint and sign it with each key; the moment is written to the second, in UTC.

    While a signing key is being renewed there are two, so that whoever knows either can check.
    """
    time = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = f"{origin}\n{size}\n{encoded(root)}\ntime {time}\n"
    lines = ""
    for seed in seeds:
        signature = Ed25519PrivateKey.from_private_bytes(seed).sign(body.encode())
        line = Signature(origin, verifier_key(origin, seed).fingerprint, signature)
        lines += f"{line}\n"
    return f"{body}\n{lines}"


def request(old_size: int, path: Sequence[bytes], note: str) -> str:
    """Write what a witness is asked: a checkpoint, and the proof from the size it last signed.

    The form is that of C2SP tlog-witness, so that other witnesses understand it as well.
    """
    hashes = "".join(f"{encoded(digest)}\n" for digest in path)
    return f"old {old_size}\n{hashes}\n{note}"


def cosign(
    asked: str, log: VerifierKey, last: Checkpoint | None, name: str, seed: bytes, moment: datetime
) -> tuple[Checkpoint, str]:
    """Hold a request against the last checkpoint that this witness signed, and cosign it.

    Returns the checkpoint to remember from now on, and the signature line. Raises NotAsSignedError
    where the log is not the one seen before, and UnreadableError where the request is none.
    """
    old_size, path, checkpoint = _read_request(asked)
    check(checkpoint, log)
    if last is not None:
        _refuse_another(checkpoint, last, old_size, path)
    time = int(moment.timestamp()).to_bytes(8, "big")
    message = cosigned(checkpoint.body, time)
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(message)
    line = Signature(name, witness_key(name, seed).fingerprint, time + signature)
    return checkpoint, str(line)


def _refuse_another(
    checkpoint: Checkpoint, last: Checkpoint, old_size: int, path: Sequence[bytes]
) -> None:
    if checkpoint.origin != last.origin:
        raise NotAsSignedError(f"this is another log than {last.origin}")
    if checkpoint.size < last.size:
        raise NotAsSignedError(
            f"the log has {checkpoint.size} entries and had {last.size}: its end was cut off, "
            "or this is an older request"
        )
    if old_size != last.size:
        raise UnreadableError(
            f"the request begins at {old_size} entries and this witness last signed {last.size}: "
            "ask for one that begins there"
        )
    if not consistent(last.size, last.root, checkpoint.size, checkpoint.root, path):
        raise NotAsSignedError(
            "the log is not the one that this witness signed before: entries were changed, "
            "removed, inserted or reordered"
        )


def _read_request(asked: str) -> tuple[int, list[bytes], Checkpoint]:
    head, found, note = asked.partition("\n\n")
    lines = head.split("\n")
    if not found or not lines[0].startswith("old "):
        raise UnreadableError("this is no request to a witness")
    old_size = read_number(lines[0].removeprefix("old "), "the request says no beginning")
    return old_size, [read_hash(line) for line in lines[1:]], read_checkpoint(note)


def _public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
