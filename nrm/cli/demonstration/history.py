"""The practice world's past: years of closed cases, from which the statistics are made.

To act out so many would take minutes, so each is written whole, in one act, at the moment when it
was closed: the case with its keys, parts, facts and search tokens; its referrals with envelopes,
answers and services; what the person agreed to; and every event that was counted meanwhile. It is
written as the services leave it. What only they leave is missing: drafts, earlier revisions, and
an entry for each act. The one entry in the log says what it is.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random

from nrm.audit.actions import Action
from nrm.cli.demonstration.acts import World
from nrm.cli.demonstration.history_course import Past, Setting, past
from nrm.cli.demonstration.history_file import File
from nrm.cli.demonstration.timeline import Script
from nrm.country import CountryPack
from nrm.country.demonstration import Demonstration
from nrm.db import unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.services import visibility
from nrm.services.audit import record

CASES = 1_500
QUARTERS = 12
# How many are found in the first quarter, beside how many more in each that follows.
_AT_FIRST, _GROWTH = 100, 4


def pasts(
    pack: CountryPack, demonstration: Demonstration, today: date, cases: int
) -> Iterator[Past]:
    """Draw so many cases of the quarters before the one that is running.

    All follows from the day: two machines show the same past.
    """
    over = datetime.combine(today, time(), pack.zone).astimezone(UTC)
    setting = Setting(pack, demonstration, over)
    weights = [_AT_FIRST + _GROWTH * at for at in range(QUARTERS)]
    begun, number = 0, 0
    for weight, (first, after) in zip(weights, pairwise(_quarters(today)), strict=True):
        begun += weight
        while number < cases * begun // sum(weights):
            # Made-up people need a repeatable generator, not a secret one.
            chance = Random(number)  # noqa: S311
            day = first + timedelta(days=int(chance.random() * (after - first).days))
            hour = time(6 + int(chance.random() * 16), int(chance.random() * 60))
            flagged = datetime.combine(day, hour, pack.zone).astimezone(UTC)
            yield past(chance, setting, number, flagged)
            number += 1


def _quarters(today: date) -> list[date]:
    """Name the first days of the past quarters, and of the one that is running."""
    running = today.year * 4 + (today.month - 1) // 3
    return [
        date(quarter // 4, quarter % 4 * 3 + 1, 1)
        for quarter in range(running - QUARTERS, running + 1)
    ]


def script(world: World, one: Past) -> Script:
    """Write one case, whole; there is nothing to wait for."""
    yield from ()
    with unit_of_work() as unit:
        file = File(world, unit, one)
        file.seal()
        file.identify()
        file.refer()
        file.close()
        record(unit, HOUSEKEEPING, Action.DEMONSTRATION_LOAD, visibility.case_subject(file.case))
