"""Codes of an app on a telephone (RFC 6238), and codes on paper: made and compared, not kept."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from pyotp import TOTP, random_base32

# What every app understands: six digits, SHA-1, a new code every thirty seconds.
STEP = timedelta(seconds=30)
DIGITS = 6
# A telephone's clock may be one step off, either way.
SKEW = 1
# Further off than this, a code is merely wrong; nearer, the telephone's clock is.
_CLOCK_IS_WRONG = 40

RECOVERY_CODES = 10
# Letters and digits that nobody takes for one another; what is typed instead of them is known.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TAKEN_FOR = str.maketrans("OIL", "011")
_GROUPS, _IN_A_GROUP = 3, 4


def new_seed() -> str:
    """Make the seed that an app on a telephone makes its codes from: 160 bits."""
    return random_base32()


def address_of(seed: str, account: str, issuer: str) -> str:
    """Write the address that is drawn as a square for the telephone to read."""
    return TOTP(seed).provisioning_uri(name=account, issuer_name=issuer)


def step_of(now: datetime) -> int:
    """Return the number of the thirty seconds in which a moment lies."""
    return int(now.timestamp() // STEP.total_seconds())


def code_at(seed: str, step: int) -> str:
    """Give the code of one step."""
    return TOTP(seed).generate_otp(step)


def step_for(seed: str, typed: str, now: datetime) -> int | None:
    """Find the step whose code was typed, within what a clock may be off; none is a wrong code."""
    return _matching(seed, typed, step_of(now), SKEW)


def clock_is_off(seed: str, typed: str, now: datetime) -> bool:
    """Say whether the code would be right at another time; only the log is ever told."""
    return _matching(seed, typed, step_of(now), _CLOCK_IS_WRONG) is not None


def _matching(seed: str, typed: str, step: int, within: int) -> int | None:
    digits = "".join(typed.split()).encode()
    found = None
    # All of them are compared, so that how long it takes tells nothing.
    for one in range(step - within, step + within + 1):
        if hmac.compare_digest(code_at(seed, one).encode(), digits):
            found = one
    return found


def new_recovery_code() -> str:
    """Make a code to be kept on paper: 60 bits, in groups that can be read out."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_IN_A_GROUP)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


def recovery_hash(account_id: UUID, typed: str) -> str:
    """Hash a code of an account as it is kept, however it was typed."""
    code = "".join(letter for letter in typed.upper() if letter.isalnum()).translate(_TAKEN_FOR)
    return hashlib.sha256(b"nrm recovery v1:" + account_id.bytes + code.encode()).hexdigest()


def in_groups(seed: str) -> str:
    """Write a seed so that it can be typed off a page."""
    return " ".join(seed[at : at + 4] for at in range(0, len(seed), 4))
