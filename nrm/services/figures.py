"""What is published: the kept figures of releases, read table by table. No case is ever touched."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from uuid import UUID

from sqlalchemy import select

from nrm import country
from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.models import Release, ReleaseCell
from nrm.services import releases
from nrm.services.audit import record
from nrm.services.releases import Opened
from nrm.services.statistics import cell_at, country_of
from nrm.statistics.catalogue import Counts, Listed, catalogue
from nrm.statistics.release import Figures
from nrm.statistics.tables import Cell

# The tables of the overview, in their order on it.
OVERVIEW = ("R1", "R4", "R7", "R8", "R8a", "R10", "R11", "R17")
# The log takes so many characters of which tables were read.
_PURPOSE = 120
# How many releases a line over time goes back.
HISTORY = 8


@dataclass(frozen=True)
class Kept:
    """The figures of one release, as far as they were asked for."""

    release: Release
    figures: Mapping[Counts, Figures] = field(default_factory=dict)

    def figure(self, counts: Counts, **codes: str) -> int | None:
        """Return one figure; nothing where it is under ten, and nothing where it is not kept."""
        return self.figures.get(counts, {}).get(Cell(codes.items()))

    def has(self, one: Listed) -> bool:
        """Say whether a table is part of this release."""
        left_out = one.number in self.release.left_out.split()
        return not left_out and (self.release.annual or not one.annual)


@dataclass(frozen=True)
class Shown:
    """What a page shows: a release with some of its tables, and the releases before it."""

    opened: Opened
    kept: Kept
    tables: Sequence[Listed]
    # The newest first; of these, only what the same tables have.
    before: Sequence[Kept]


@cache
def listed(code: str) -> Mapping[str, Listed]:
    """Return the tables of a country's catalogue by their numbers, in their order."""
    return {one.number: one for one in catalogue(country_of(country.load(code)))}


def read(
    actor: Actor,
    release_id: UUID | None,
    numbers: Collection[str],
    code: str,
    *,
    history: int = 0,
) -> Shown | None:
    """Read some tables of a release, or of the newest frozen one; nothing where there is none.

    `history` says how many releases before it are read along. Raises NotFoundError for a release
    or a table that there is not, or that is not counted yet.
    """
    require(actor, Permission.STATISTICS_VIEW)
    with unit_of_work() as unit:
        release_id = release_id or _newest()
        if release_id is None:
            record(unit, actor, Action.STATISTICS_VIEW)
            return None
        shown = fetch(release_id, numbers, code, history=history)
        record(
            unit,
            actor,
            Action.STATISTICS_VIEW,
            Subject("release", release_id),
            purpose=" ".join(one.number for one in shown.tables)[:_PURPOSE],
        )
        return shown


def fetch(release_id: UUID, numbers: Collection[str], code: str, *, history: int = 0) -> Shown:
    """Fetch some tables of a release, within the caller's act; without a number, all of them.

    Raises NotFoundError as `read` does.
    """
    opened = releases.read(release_id)
    if opened.release.counted_at is None:
        raise NotFoundError(Subject("release"))
    tables = _chosen(opened.release, numbers, code)
    before = _before(opened.release, history)
    kept = _kept([opened.release, *before], tables)
    return Shown(opened, kept[0], tables, kept[1:])


def _newest() -> UUID | None:
    """Find the newest frozen release, of a quarter where there is one."""
    for annual in (False, True):
        if found := releases.newest_frozen(annual=annual, limit=1):
            return found[0].id
    return None


def _chosen(release: Release, numbers: Collection[str], code: str) -> list[Listed]:
    known = listed(code)
    if not set(numbers) <= set(known):
        raise NotFoundError(Subject("table"))
    wanted = [known[number] for number in known if not numbers or number in numbers]
    return [one for one in wanted if Kept(release).has(one)]


def _before(release: Release, number: int) -> list[Release]:
    """Return the frozen releases before this one, of quarters or of years as it is."""
    if not number:
        return []
    found = releases.newest_frozen(annual=release.annual, limit=number + 1)
    return [one for one in found if one.last_quarter < release.first_quarter][:number]


def _kept(wanted: Sequence[Release], tables: Sequence[Listed]) -> list[Kept]:
    """Read the cells of tables and their margins, of several releases in one statement."""
    by = sorted({margin for one in tables for margin in _margins(one)})
    rows = db.session.execute(
        select(
            ReleaseCell.release_id,
            ReleaseCell.counts,
            ReleaseCell.by,
            ReleaseCell.codes,
            ReleaseCell.figure,
        ).where(ReleaseCell.release_id.in_([one.id for one in wanted]), ReleaseCell.by.in_(by))
    )
    found: dict[UUID, dict[Counts, dict[Cell, int | None]]] = {one.id: {} for one in wanted}
    for release_id, counts, names, codes, figure in rows:
        figures = found[release_id].setdefault(Counts(counts), {})
        figures[cell_at(names, codes)] = figure
    return [Kept(one, found[one.id]) for one in wanted]


def _margins(one: Listed) -> set[str]:
    names = sorted(one.names)
    return {
        " ".join(some) for number in range(len(names) + 1) for some in combinations(names, number)
    }
