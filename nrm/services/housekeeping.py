"""Housekeeping: what must happen by itself, safe to run anywhere and any number of times."""

from dataclasses import dataclass

from nrm.country import CountryPack
from nrm.services import provision, sessions


@dataclass(frozen=True)
class Round:
    """What one round did."""

    referrals_expired: int
    sessions_removed: int


def tick(pack: CountryPack, limits: sessions.Limits) -> Round:
    """Take back unanswered referrals and remove sittings that are over."""
    return Round(provision.expire(pack), sessions.sweep(limits))
