"""Every act and every logged read of the services, as tables that the tests walk, by stage.

Every one is called alike, with the world, the actor and what it is about; few need all three.
"""

from tests.services.acts import (
    casefile,
    directory,
    emergency,
    erasure,
    flag,
    log,
    ownership,
    people,
    referral,
    sign_in,
    sittings,
    statistics,
)
from tests.services.acts.unlogged import UNLOGGED

STAGES = (
    flag,
    casefile,
    emergency,
    referral,
    ownership,
    erasure,
    directory,
    people,
    sittings,
    sign_in,
    log,
    statistics,
)
ACTS = [act for stage in STAGES for act in stage.ACTS]

__all__ = ["ACTS", "UNLOGGED"]
