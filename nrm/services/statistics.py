"""Counting and freezing releases: what the statistics' process does, with its key file alone."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from nrm.audit.actions import Action, Outcome
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import RefusedError, Subject
from nrm.domain.lifecycle import COUNT_RELEASE, FIND_TOO_FEW, FREEZE_RELEASE, ReleaseState, advance
from nrm.domain.policy import require
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission
from nrm.models import Release, ReleaseCell, ReleaseProgress
from nrm.security.keyring import Purpose
from nrm.services import counting, keys
from nrm.services.audit import record
from nrm.statistics.attack import NOTHING_MORE, Proved
from nrm.statistics.catalogue import Country, Counts, Listed, catalogue
from nrm.statistics.periods import Period
from nrm.statistics.protection import Protection, is_protected
from nrm.statistics.release import (
    CaseFacts,
    Figures,
    Made,
    TooFewError,
    attacked,
    make,
    people_of,
)
from nrm.statistics.tables import Cell

_USE = "release"
# Progress is written after so many cases.
_TOLD_AFTER = 2_000

# Told how many cases of how many are counted.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Round:
    """What one round did: releases counted, put off for want of cases, and frozen."""

    counted: int
    put_off: int
    frozen: int
    # Why a release that two people signed is not frozen.
    refused: Sequence[str]


def go_on(pack: CountryPack, progress: Progress = lambda _done, _of: None) -> Round:
    """Count every release that was asked for, and freeze every one that two people signed.

    Safe to run at any time and on any machine that has the statistics' key file: a release that
    somebody else counted meanwhile is left alone.
    """
    asked = [count(release_id, pack, progress) for release_id in _in_state(ReleaseState.QUEUED)]
    signed, refused = _in_state(ReleaseState.SIGNED), []
    for release_id in signed:
        try:
            freeze(release_id, pack)
        except RefusedError as error:
            refused.append(error.reason)
    return Round(
        asked.count(ReleaseState.DRAFT),
        asked.count(ReleaseState.TOO_FEW),
        len(signed) - len(refused),
        refused,
    )


def require_key() -> None:
    """Refuse in a process that does not hold the statistics' key; raises LockedError."""
    keys.keyring().current_id(Purpose.STATISTICS)


def country_of(pack: CountryPack) -> Country:
    """Say what the catalogue needs to know of a country."""
    return Country(pack.code, pack.provinces, pack.districts)


def period_of(release: Release) -> Period:
    """Return the period of a release."""
    return Period(release.first_quarter, release.last_quarter, release.annual)


def count(release_id: UUID, pack: CountryPack, progress: Progress) -> ReleaseState:
    """Count a release that was asked for, and keep its protected figures; returns its new state.

    Raises LockedError in a process that does not hold the statistics' key. Whoever stops it in
    its midst loses nothing: the next round counts it from the beginning.
    """
    _, key = keys.keyring().derived(Purpose.STATISTICS, _USE)
    subject = Subject("release", release_id)
    with unit_of_work() as unit:
        require(HOUSEKEEPING, COUNT_RELEASE.needs)
        release = db.session.get_one(Release, release_id)
        period = period_of(release)
        # Nothing is opened before it stands in the log that it will be.
        record(unit, HOUSEKEEPING, Action.STATISTICS_COUNT, subject, outcome=Outcome.BEGUN)
    opened, of = counting.Opened(), counting.how_many()
    listed = catalogue(country_of(pack))
    protection = Protection(key, str(release_id))
    cases = _telling(counting.facts_of_everybody(opened), release_id, of, progress)
    try:
        made = make(cases, period, protection, listed)
    except TooFewError:
        made = None
    with unit_of_work() as unit:
        state = _keep(unit, release_id, made)
        db.session.execute(delete(ReleaseProgress).where(ReleaseProgress.release_id == release_id))
        counts = {"cases": opened.cases, "rows": opened.rows, "closed": opened.closed}
        record(
            unit,
            HOUSEKEEPING,
            Action.STATISTICS_COUNT,
            subject,
            purpose=f"sha256 {opened.digest}",
            counts=counts,
        )
    return state


def _keep(unit: Unit, release_id: UUID, made: Made | None) -> ReleaseState:
    """Keep what was made, unless another process was faster."""
    release = db.session.get_one(Release, release_id, with_for_update=True)
    if release.state is not ReleaseState.QUEUED:
        return release.state
    if made is None:
        release.state = advance(release.state, FIND_TOO_FEW)
        return release.state
    rows = [
        {"release_id": release_id, "counts": counts.value, **_place(cell), "figure": figure}
        for counts, figures in made.figures.items()
        for cell, figure in figures.items()
    ]
    db.session.execute(insert(ReleaseCell), rows)
    release.left_out = " ".join(made.left_out)
    release.counted_at = unit.now
    release.state = advance(release.state, COUNT_RELEASE)
    return release.state


def freeze(release_id: UUID, pack: CountryPack) -> None:
    """Freeze a release that two people signed, once more attacked: nothing of it changes again.

    Raises RefusedError where it is not signed by two, or where a figure of it proves something.
    """
    with unit_of_work() as unit:
        require(HOUSEKEEPING, FREEZE_RELEASE.needs)
        release = db.session.get_one(Release, release_id, with_for_update=True)
        name = period_of(release).name
        if release.state is ReleaseState.FROZEN:
            raise RefusedError(f"the release of {name} is frozen already")
        if release.state is not ReleaseState.SIGNED:
            raise RefusedError(f"two people have to sign the release of {name} before it is frozen")
        _refuse_unsafe(release, pack, name)
        release.state = advance(release.state, FREEZE_RELEASE)
        release.frozen_at = unit.now
        # Whoever has the log can tell for ever whether a figure was exchanged.
        purpose = f"sha256 {content_hash(release_id)}"
        subject = Subject("release", release_id)
        record(unit, HOUSEKEEPING, Action.STATISTICS_FREEZE, subject, purpose=purpose)


def _refuse_unsafe(release: Release, pack: CountryPack, name: str) -> None:
    """Refuse a release that holds what no counting of ours writes, or that gives somebody away."""
    for counts in (Counts.PERSONS, Counts.REFERRALS):
        if not all(map(is_protected, figures_of(release.id, counts).values())):
            raise RefusedError(f"the release of {name} is not frozen: a figure is not protected")
    if proved := attack_on(release, pack):
        raise RefusedError(
            f"the release of {name} is not frozen: its figures prove {len(proved.cells)} cells"
        )


def attacked_by(actor: Actor, release: Release, pack: CountryPack) -> Proved:
    """Attack a release on somebody's behalf: the kept figures are read, and the log says so."""
    require(actor, Permission.STATISTICS_VIEW)
    with unit_of_work() as unit:
        proved = attack_on(release, pack)
        subject = Subject("release", release.id)
        record(unit, actor, Action.STATISTICS_VIEW, subject, purpose="attack")
        return proved


def attack_on(release: Release, pack: CountryPack) -> Proved:
    """Attack the kept figures of a release with nothing but themselves, whole tables at a time.

    That days are shown tells how many people there are at least.
    """
    found = Proved(0, 0, 0, frozenset())
    listed = _published(release, catalogue(country_of(pack)))
    known = {Counts.PERSONS: people_of(figures_of(release.id, Counts.DAYS))}
    for counts in (Counts.PERSONS, Counts.REFERRALS):
        of_these = [one for one in listed if one.counts is counts]
        figures = figures_of(release.id, counts)
        found += attacked(figures, of_these, known.get(counts, NOTHING_MORE))
    return found


def _published(release: Release, listed: Iterable[Listed]) -> list[Listed]:
    left_out = release.left_out.split()
    return [
        one for one in listed if one.number not in left_out and (release.annual or not one.annual)
    ]


def figures_of(release_id: UUID, counts: Counts) -> Figures:
    """Read all figures of a release of one kind."""
    rows = db.session.execute(
        select(ReleaseCell.by, ReleaseCell.codes, ReleaseCell.figure).where(
            ReleaseCell.release_id == release_id, ReleaseCell.counts == counts.value
        )
    )
    return {cell_at(by, codes): figure for by, codes, figure in rows}


def _place(cell: Cell) -> Mapping[str, str]:
    """Write a cell as it is kept; `cell_at` reads it."""
    ordered = sorted(cell)
    return {
        "by": " ".join(name for name, _ in ordered),
        "codes": " ".join(code for _, code in ordered),
    }


def cell_at(by: str, codes: str) -> Cell:
    """Read the cell that was kept under these names and codes."""
    return frozenset(zip(by.split(), codes.split(), strict=True))


def _in_state(state: ReleaseState) -> list[UUID]:
    with unit_of_work():
        found = select(Release.id).where(Release.state == state).order_by(Release.asked_at)
        return list(db.session.scalars(found))


def _telling(
    cases: Iterable[CaseFacts], release_id: UUID, of: int, progress: Progress
) -> Iterator[CaseFacts]:
    """Say how far it is, at the console and on the page of the release."""
    for number, case in enumerate(cases, start=1):
        if number % _TOLD_AFTER == 0:
            _tell(release_id, number, of)
            progress(number, of)
        yield case
    progress(of, of)


def _tell(release_id: UUID, counted: int, of: int) -> None:
    with unit_of_work():
        told = {"counted": counted, "of": of}
        this = update(ReleaseProgress).where(ReleaseProgress.release_id == release_id)
        if not db.session.execute(this.values(told)).rowcount:  # type: ignore[attr-defined]
            db.session.execute(insert(ReleaseProgress).values(release_id=release_id, **told))


def content_hash(release_id: UUID) -> str:
    """Return the SHA-256 over every kept figure of a release, in a fixed order."""
    table = ReleaseCell
    rows = db.session.execute(
        select(table.counts, table.by, table.codes, table.figure)
        .where(table.release_id == release_id)
        .order_by(table.counts, table.by, table.codes)
    )
    lines = (f"{counts}\t{by}\t{codes}\t{figure}\n" for counts, by, codes, figure in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
