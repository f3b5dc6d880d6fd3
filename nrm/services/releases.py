"""Releases of the statistics: people ask for them and sign them; what needs a key is only queued.

Counting and freezing are for the process that holds the statistics' key (`statistics`). What is
published is read from the kept figures (`figures`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, select

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
    signatures: Sequence[Signature]
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


def sign(actor: Actor, release_id: UUID, *, form_id: UUID | None = None) -> None:
    """Sign a draft: two different people do, before it is frozen."""
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


def every(actor: Actor) -> list[Opened]:
    """List the releases, the newest period first."""
    require(actor, Permission.STATISTICS_VIEW)
    with unit_of_work() as unit:
        found = _opened(_newest_first(select(Release)).limit(MOST))
        record(unit, actor, Action.STATISTICS_VIEW, purpose="releases")
        return found


def read(release_id: UUID) -> Opened:
    """Fetch a release, within the caller's act."""
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


def newest_frozen(*, annual: bool, limit: int) -> list[Release]:
    """Return the newest frozen releases, one of each period: the final where there is one."""
    later = select(Release.id).where(Release.state == ReleaseState.FROZEN, Release.annual == annual)
    found = _newest_first(select(Release).where(Release.id.in_(later))).limit(2 * limit)
    by_period: dict[str, Release] = {}
    for release in db.session.scalars(found):
        by_period.setdefault(period_of(release).name, release)
    return list(by_period.values())[:limit]


def _newest_first(query: Select[Release]) -> Select[Release]:
    # In the order of the words, the final edition comes before the provisional one.
    return query.order_by(
        Release.last_quarter.desc(), Release.annual.desc(), Release.edition, Release.asked_at.desc()
    )


def _find(release_id: UUID, *, lock: bool = False) -> Opened:
    query = select(Release).where(Release.id == release_id)
    found = _opened(query.with_for_update() if lock else query)
    if not found:
        raise NotFoundError(Subject("release"))
    return found[0]


def _opened(query: Select[Release]) -> list[Opened]:
    releases = db.session.scalars(query).all()
    ids = [release.id for release in releases]
    signed: dict[UUID, list[Signature]] = {}
    rows = db.session.execute(
        select(ReleaseSignature, Account.name)
        .join(Account, Account.id == ReleaseSignature.account_id)
        .where(ReleaseSignature.release_id.in_(ids))
        .order_by(ReleaseSignature.signed_at)
    )
    for row, who in rows:
        one = Signature(who, row.account_id, row.signed_at)
        signed.setdefault(row.release_id, []).append(one)
    waiting = [one.id for one in releases if one.state is ReleaseState.ASKED]
    progress = _progress(waiting) if waiting else {}
    return [Opened(one, signed.get(one.id, ()), progress.get(one.id)) for one in releases]


def _progress(ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = db.session.scalars(select(ReleaseProgress).where(ReleaseProgress.release_id.in_(ids)))
    return {row.release_id: 100 * row.counted // max(1, row.of) for row in rows}


def _standing(release: Release, signatures: Sequence[Signature]) -> ReleaseStanding:
    return ReleaseStanding(
        Subject("release", release.id), frozenset(one.account_id for one in signatures)
    )


def _named(release: Release) -> str:
    return f"{period_of(release).name} {release.edition}"
