"""Password hashing: Argon2id, bounded in memory and in how many run at once."""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 256
# 19 MiB, two passes, one lane: the strength OWASP names as enough, and no more than two at a
# time, so that a rush at the door cannot take the memory or both cores from those inside.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_GATE = BoundedSemaphore(2)
# Checked where the account is unknown, so that the answer takes as long as for a known one.
_NOBODY = _HASHER.hash("nobody signs in with this")


def hash_password(password: str) -> str:
    """Hash a password for keeping."""
    with _GATE:
        return _HASHER.hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Check a password; an unknown account costs the same time and is always wrong."""
    if len(password) > LONGEST:
        return False
    with _GATE:
        try:
            _HASHER.verify(password_hash or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    # An account that was never activated has an empty hash, and nothing opens it.
    return bool(password_hash)


def needs_rehash(password_hash: str) -> bool:
    """Say whether a kept hash is weaker than what is made today."""
    return _HASHER.check_needs_rehash(password_hash)
