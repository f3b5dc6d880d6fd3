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
from nrm.domain.errors import NOTHING, NotFoundError, Subject
from nrm.domain.lifecycle import ReleaseState
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.models import Release, ReleaseCell
from nrm.services import releases
from nrm.services.audit import record
from nrm.services.releases import Opened
from nrm.services.statistics import cell_at, country_of, period_of
from nrm.statistics.catalogue import Counts, Listed, catalogue
from nrm.statistics.periods import Period
from nrm.statistics.release import Figures
from nrm.statistics.tables import Cell

# By what the figures at the head of an overview are, and those of the releases before it.
HEADLINES = ("", "answer", "decision", "step")
# By what the pictures of an overview are.
PICTURES = ("age", "district", "exploitation", "flow", "province", "reached", "sex")
# The log takes so many characters of which tables were read.
_PURPOSE = 120
# How many releases a line over time goes back.
HISTORY = 8


@dataclass(frozen=True)
class Kept:
    """The figures of one release, as far as they were asked for."""

    release: Release
    figures: Mapping[Counts, Figures] = field(default_factory=dict)

    @property
    def period(self) -> Period:
        """The quarters that it counts."""
        return period_of(self.release)

    def figure(self, counts: Counts, **codes: str) -> int | None:
        """Return one figure; nothing where it is under ten, and nothing where it is not kept."""
        return self.figures.get(counts, {}).get(Cell(codes.items()))

    def holds(self, counts: Counts, **codes: str) -> bool:
        """Say whether a figure was read, shown or hidden."""
        return Cell(codes.items()) in self.figures.get(counts, {})

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


def overview(actor: Actor, release_id: UUID | None, code: str) -> Shown | None:
    """Read what a release says at a glance, with the same figures of the releases before it.

    Of the newest frozen release, where none is named; nothing where there is none. Raises
    NotFoundError for a release that there is not, or that is not counted yet.
    """
    require(actor, Permission.STATISTICS_VIEW)
    with unit_of_work() as unit:
        chosen = _choose(release_id, HISTORY)
        record(unit, actor, Action.STATISTICS_VIEW, _subject(chosen), purpose="overview")
        if chosen is None:
            return None
        release = chosen.opened.release
        [kept] = _kept([release], [*HEADLINES, *PICTURES])
        tables = _tables(release, (), code)
        return Shown(chosen.opened, kept, tables, _kept(chosen.before, HEADLINES))


def read(
    actor: Actor,
    release_id: UUID | None,
    numbers: Collection[str],
    code: str,
    *,
    history: int = 0,
    as_frozen: bool = False,
) -> Shown | None:
    """Read tables of a release, or of the newest frozen one; all of them where none is named.

    `history` says how many releases before it are read along; `as_frozen` leaves out what was
    frozen after it, so that the answer never changes. Nothing where there is no release. Raises
    NotFoundError for a release or a table that there is not, or that is not counted yet.
    """
    require(actor, Permission.STATISTICS_VIEW)
    with unit_of_work() as unit:
        shown = fetch(release_id, numbers, code, history=history, as_frozen=as_frozen)
        subject = shown.opened.standing.subject if shown else NOTHING
        purpose = " ".join(one.number for one in shown.tables)[:_PURPOSE] if shown else ""
        record(unit, actor, Action.STATISTICS_VIEW, subject, purpose=purpose)
        return shown


def fetch(
    release_id: UUID | None,
    numbers: Collection[str],
    code: str,
    *,
    history: int = 0,
    as_frozen: bool = False,
) -> Shown | None:
    """Fetch what `read` reads, within the caller's act."""
    chosen = _choose(release_id, history, as_frozen=as_frozen)
    if chosen is None:
        return None
    tables = _tables(chosen.opened.release, numbers, code)
    # A line over the releases is told with the headlines beside it.
    headlines = HEADLINES if history else ()
    by = sorted({*headlines, *(margin for one in tables for margin in _margins(one))})
    kept = _kept([chosen.opened.release, *chosen.before], by)
    return Shown(chosen.opened, kept[0], tables, kept[1:])


def compared(
    actor: Actor, release_id: UUID, other_id: UUID, number: str, code: str
) -> tuple[Shown, Shown]:
    """Read one table of two releases; raises NotFoundError as `read` does."""
    one, other = (read(actor, each, (number,), code) for each in (release_id, other_id))
    if one is None or other is None or not (one.tables and other.tables):
        raise NotFoundError(Subject("table"))
    return one, other


@dataclass(frozen=True)
class _Chosen:
    """A release, and the frozen ones before it, of quarters or of years as it is."""

    opened: Opened
    before: Sequence[Release]


def _choose(release_id: UUID | None, history: int, *, as_frozen: bool = False) -> _Chosen | None:
    """Find a release, or the newest frozen one, of a quarter where there is one."""
    every = releases.opened()
    wanted = [one for one in every if one.release.id == release_id]
    if release_id is not None and not (wanted and wanted[0].release.counted_at):
        raise NotFoundError(Subject("release"))
    frozen = [one for one in every if one.release.state is ReleaseState.FROZEN]
    quarters = [one for one in frozen if not one.release.annual]
    found = next(iter(wanted or quarters or frozen), None)
    if found is None:
        return None
    if as_frozen and (moment := found.release.frozen_at):
        frozen = [one for one in frozen if (one.release.frozen_at or moment) <= moment]
    before: dict[str, Release] = {}
    for one in frozen:
        same = one.release.annual == found.release.annual
        if same and one.release.last_quarter < found.release.first_quarter:
            # The final edition comes first, and stands for its period.
            before.setdefault(one.period.name, one.release)
    return _Chosen(found, list(before.values())[:history])


def _subject(chosen: _Chosen | None) -> Subject:
    return Subject("release", chosen.opened.release.id) if chosen else NOTHING


def _tables(release: Release, numbers: Collection[str], code: str) -> list[Listed]:
    known = listed(code)
    if not set(numbers) <= set(known):
        raise NotFoundError(Subject("table"))
    wanted = [known[number] for number in known if not numbers or number in numbers]
    return [one for one in wanted if Kept(release).has(one)]


def _kept(wanted: Sequence[Release], by: Collection[str]) -> list[Kept]:
    """Read the cells by these things, of several releases in one statement."""
    if not wanted:
        return []
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
