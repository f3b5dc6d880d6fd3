"""Releases of the practice world's statistics: some to look at, and the newest left to prepare."""

from nrm.cli.demonstration.acts import World
from nrm.domain.flag import quarter
from nrm.domain.lifecycle import ReleaseState
from nrm.domain.roles import Role
from nrm.security.keyfile import Holder, read_key_file
from nrm.services import keys, releases, statistics
from nrm.statistics import periods

_QUARTERS = 4


def publish(world: World) -> None:
    """Count, sign and freeze four quarters and a year, each by the process and people it takes.

    Leaves the keys of the statistics unlocked: whoever comes after unlocks their own.
    """
    newest = periods.before(quarter(world.today))
    wanted = [str(world.today.year - 1)]
    for _ in range(_QUARTERS):
        newest = periods.before(newest)
        wanted.insert(0, newest)
    keys.unlock(read_key_file(world.settings.key_file.with_name(f"{Holder.STATISTICS}.key")))
    for period in wanted:
        _publish(world, period)


def _publish(world: World, period: str) -> None:
    analysts = world.cast.of(Role.ANALYST)
    release_id = releases.ask(analysts[0], period, "final", world.pack)
    state = statistics.count(release_id, world.pack, lambda _done, _of: None)
    # A practice world with little history has quarters of few cases, which join the next.
    if state is ReleaseState.DRAFT:
        for analyst in analysts[:2]:
            releases.sign(analyst, release_id)
        statistics.freeze(release_id, world.pack)
