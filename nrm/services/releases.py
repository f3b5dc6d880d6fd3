"""Releases of the statistics: people ask for them and sign them; what needs a key is only queued.

Counting and freezing are for the process that holds the statistics' key (`statistics`). What is
published is read from the kept figures (`figures`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError, RefusedError, Subject
from nrm.domain.lifecycle import (
    ASK_RELEASE,
    SIGN_FIRST,
    SIGN_SECOND,
    ReleaseState,
    advance,
    allows,
)
from nrm.domain.policy import ReleaseStanding, require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import RELEASE_EDITION
from nrm.models import Account, Release, ReleaseProgress, ReleaseSignature
from nrm.services.audit import record
from nrm.services.statistics import period_of
from nrm.statistics import periods
from nrm.statistics.periods import Period

# Twelve quarters and three years, each provisional and final, are thirty.
MOST = 60


@dataclass(frozen=True)
class Signature:
    """Who signed, and when."""

    who: str
    account_id: UUID
    signed_at: datetime


@dataclass(frozen=True)
class Opened:
    """A release: its period, who signed it, and how far its counting is, in percent."""

    release: Release
    signatures: list[Signature]
    progress: int | None = None

    @property
    def period(self) -> Period:
        """The quarters that it counts."""
        return period_of(self.release)

    @property
    def standing(self) -> ReleaseStanding:
        """What the policy needs to know of it."""
        return _standing(self.release, self.signatures)


def ask(
    actor: Actor,
    period: str,
    edition: str,
    pack: CountryPack,
    *,
    form_id: UUID | None = None,
) -> UUID:
    """Ask for the release of a period that is over; the statistics' process counts it.

    A quarter joins those before it that had too few new cases. Raises InvalidInputError.
    """
    if edition not in RELEASE_EDITION:
        raise InvalidInputError("edition", N_("Choose provisional or final."))
    with unit_of_work(actor, form_id) as unit:
        require(actor, ASK_RELEASE.needs)
        wanted = _read(period)
        if not wanted.is_over(unit.now.astimezone(pack.zone).date()):
            raise InvalidInputError("period", N_("This period is not over yet."))
        release = _new(unit, actor, _joined(wanted, edition), edition)
        db.session.add(release)
        db.session.flush()
        subject = Subject("release", release.id)
        record(unit, actor, Action.STATISTICS_ASK, subject, purpose=_named(release))
        unit.outcome = str(release.id)
        return release.id


def _read(period: str) -> Period:
    try:
        return periods.read(period)
    except periods.PeriodError:
        message = N_("Write a quarter like 2026Q3, or a year like 2026.")
        raise InvalidInputError("period", message) from None


def _joined(wanted: Period, edition: str) -> Period:
    """Join a quarter with those before it that had too few cases; refuse what is there already."""
    if not wanted.annual:
        before = select(Release.first_quarter).where(
            *_same(edition, annual=False),
            Release.last_quarter == periods.before(wanted.first),
            Release.state == ReleaseState.TOO_FEW,
        )
        first = db.session.scalars(before).one_or_none() or wanted.first
        wanted = Period(first, wanted.last)
    overlapping = select(Release).where(
        *_same(edition, annual=wanted.annual),
        Release.last_quarter >= wanted.first,
        Release.first_quarter <= wanted.last,
    )
    for other in db.session.scalars(overlapping):
        if other.state is not ReleaseState.TOO_FEW:
            raise InvalidInputError("period", N_("There is a release of this period already."))
        if other.last_quarter == wanted.last:
            raise InvalidInputError(
                "period",
                N_("This period has too few new cases. The next release counts them as well."),
            )
    return wanted


def _same(edition: str, *, annual: bool) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Release.edition == edition, Release.annual == annual


def _new(unit: Unit, actor: Actor, period: Period, edition: str) -> Release:
    return Release(
        id=uuid4(),
        first_quarter=period.first,
        last_quarter=period.last,
        annual=period.annual,
        edition=edition,
        state=ASK_RELEASE.enters,
        asked_by_id=actor.id,
        asked_at=unit.now,
        left_out="",
    )


def waiting(actor: Actor, release_id: UUID) -> Opened | None:
    """Read a release that has no figures, because it is not counted; nothing if it has some."""
    require(actor, Permission.STATISTICS_VIEW)
    with unit_of_work() as unit:
        found = _find(release_id)
        if found.release.counted_at is not None:
            return None
        record(unit, actor, Action.STATISTICS_VIEW, found.standing.subject, purpose="waiting")
        return found


def sign(actor: Actor, release_id: UUID, *, form_id: UUID | None = None) -> ReleaseState:
    """Sign a draft: two different people do, before it is frozen. Returns its new state."""
    with unit_of_work(actor, form_id) as unit:
        opened = _find(release_id, lock=True)
        require(actor, SIGN_FIRST.needs, opened.standing)
        release = opened.release
        step = SIGN_SECOND if allows(release.state, SIGN_SECOND) else SIGN_FIRST
        release.state = advance(release.state, step)
        db.session.add(
            ReleaseSignature(release_id=release.id, account_id=actor.id, signed_at=unit.now)
        )
        subject = Subject("release", release.id)
        record(unit, actor, Action.STATISTICS_SIGN, subject, purpose=_named(release))
        unit.outcome = str(release.id)
        return release.state


def every(actor: Actor) -> list[Opened]:
    """List the releases, the newest period first."""
    require(actor, Permission.STATISTICS_VIEW)
    with unit_of_work() as unit:
        found = opened()
        record(unit, actor, Action.STATISTICS_VIEW, purpose="releases")
        return found


def opened() -> list[Opened]:
    """Fetch the releases, the newest period first, within the caller's act."""
    return _opened(_newest_first(select(Release)).limit(MOST))


def read(release_id: UUID) -> Opened:
    """Fetch a release, within the caller's act; raises NotFoundError."""
    return _find(release_id)


def named(period: str, edition: str) -> Release:
    """Find a counted release by its period, or the newest where none is named.

    Raises RefusedError.
    """
    with unit_of_work():
        found = _newest_first(select(Release).where(Release.counted_at.is_not(None)))
        for release in db.session.scalars(found):
            if not period or (period_of(release).name, release.edition) == (period, edition):
                return release
    wanted = f"{edition} release of {period}" if period else "release"
    raise RefusedError(f"there is no counted {wanted}: see nrm statistics list")


def _newest_first(query: Select[Release]) -> Select[Release]:
    return query.order_by(*_order(Release))


def _order(release: type[Release]) -> tuple[ColumnElement[Any], ...]:
    """Put the newest period first; of one period, the final edition before the provisional one."""
    return (
        release.last_quarter.desc(),
        release.annual.desc(),
        release.edition.asc(),
        release.asked_at.desc(),
        release.id.asc(),
    )


def _find(release_id: UUID, *, lock: bool = False) -> Opened:
    if lock:
        # Two who sign at once follow each other.
        db.session.get(Release, release_id, with_for_update=True)
    found = _opened(select(Release).where(Release.id == release_id))
    if not found:
        raise NotFoundError(Subject("release"))
    return found[0]


def _opened(query: Select[Release]) -> list[Opened]:
    """Read releases with who signed them, in one statement: every page of them begins with it."""
    chosen = query.subquery()
    release = aliased(Release, chosen)
    rows = db.session.execute(
        select(release, ReleaseSignature, Account.name, ReleaseProgress)
        .outerjoin(ReleaseSignature, ReleaseSignature.release_id == release.id)
        .outerjoin(Account, Account.id == ReleaseSignature.account_id)
        .outerjoin(ReleaseProgress, ReleaseProgress.release_id == release.id)
        .order_by(*_order(release), ReleaseSignature.signed_at)
    )
    found: dict[UUID, Opened] = {}
    for one, signed, who, progress in rows:
        opened_one = found.setdefault(one.id, Opened(one, [], _percent(progress)))
        if signed is not None:
            signature = Signature(who, signed.account_id, signed.signed_at)
            opened_one.signatures.append(signature)
    return list(found.values())


def _percent(progress: ReleaseProgress | None) -> int | None:
    return None if progress is None else 100 * progress.counted // max(1, progress.of)


def _standing(release: Release, signatures: Sequence[Signature]) -> ReleaseStanding:
    return ReleaseStanding(
        Subject("release", release.id), frozenset(one.account_id for one in signatures)
    )


def _named(release: Release) -> str:
    return f"{period_of(release).name} {release.edition}"
