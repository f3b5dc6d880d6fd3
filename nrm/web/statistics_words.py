"""The statistics in words: periods, releases and their headline figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nrm.domain.flag import quarter
from nrm.services.figures import Kept, Shown
from nrm.services.releases import Opened
from nrm.statistics import periods
from nrm.statistics.about import HIDDEN
from nrm.statistics.catalogue import Counts
from nrm.statistics.periods import Period
from nrm.web.context import day, state_words, words
from nrm.web.text import _, _l

# How many quarters and years back a release can be asked for.
_QUARTERS_BACK, _YEARS_BACK = 12, 3
_QUARTER_WORDS = (
    _l("January to March"),
    _l("April to June"),
    _l("July to September"),
    _l("October to December"),
)
_UNTIL = (_l("March"), _l("June"), _l("September"), _l("December"))
_FROM = (_l("January"), _l("April"), _l("July"), _l("October"))


@dataclass(frozen=True)
class Headline:
    """One figure at the head of the overview: what it is, in which cell it stands."""

    counts: Counts
    codes: Mapping[str, str]
    label: str


HEADLINES = (
    Headline(Counts.PERSONS, {}, _l("people identified")),
    Headline(Counts.PERSONS, {"decision": "presumed"}, _l("presumed to be victims")),
    Headline(Counts.REFERRALS, {"answer": "accepted"}, _l("referrals accepted")),
    Headline(Counts.DAYS, {"step": "sent"}, _l("days to the first referral")),
)


def period_words(period: Period) -> str:
    """Say a period: July to September 2025, or the year."""
    if period.annual:
        return str(_("The year %(year)s", year=period.first[:4]))
    first, last = int(period.first[-1]) - 1, int(period.last[-1]) - 1
    if period.first == period.last:
        return f"{_QUARTER_WORDS[first]} {period.first[:4]}"
    begin = f"{_FROM[first]} {period.first[:4]}"
    return str(_("%(begin)s to %(end)s", begin=begin, end=f"{_UNTIL[last]} {period.last[:4]}"))


def offered(today: date) -> list[tuple[str, str]]:
    """List the periods that are over, the newest first, each with its words."""
    name = periods.before(quarter(today))
    quarters = []
    for _number in range(_QUARTERS_BACK):
        quarters.append(Period(name, name))
        name = periods.before(name)
    years = [periods.read(str(today.year - back)) for back in range(1, _YEARS_BACK + 1)]
    return [(period.name, period_words(period)) for period in (*quarters, *years)]


def strip(opened: Opened) -> dict[str, str]:
    """Say what stands first on every page of figures: edition, period, since when."""
    release = opened.release
    if release.frozen_at is not None:
        since = _("frozen on %(day)s", day=day(release.frozen_at))
    else:
        since = _("%(state)s: nothing is published yet", state=state_words(release.state).lower())
    return {
        "edition": words(release.edition, "RELEASE_EDITION"),
        "period": period_words(opened.period),
        "since": str(since),
    }


def headlines(shown: Shown) -> list[dict[str, Any]]:
    """Give the headline figures, each with the figure of the release before it."""
    earlier = shown.before[0] if shown.before else None
    return [
        {
            "figure": figure_words(_of(shown.kept, one), one.counts),
            "label": one.label,
            "before": _before(earlier, one),
        }
        for one in HEADLINES
    ]


def _of(kept: Kept, one: Headline) -> int | None:
    return kept.figure(one.counts, **one.codes)


def _before(earlier: Kept | None, one: Headline) -> str:
    if earlier is None:
        return str(_("the first release"))
    figure = figure_words(_of(earlier, one), one.counts)
    return str(_("%(figure)s in the release before", figure=figure))


def figure_words(figure: int | None, counts: Counts = Counts.PERSONS) -> str:
    """Say a figure; one that is hidden is under ten, or days of too few people."""
    return str(_(HIDDEN[counts])) if figure is None else f"{figure:,}"


def release_rows(every: Sequence[Opened]) -> list[dict[str, Any]]:
    """Say of each release where it stands and who signed it."""
    return [
        {
            "id": one.release.id,
            "counted": one.release.counted_at is not None,
            "period": period_words(one.period),
            "edition": words(one.release.edition, "RELEASE_EDITION"),
            "state": state_words(one.release.state),
            "state_code": one.release.state.value,
            "signed": ", ".join(signature.who for signature in one.signatures),
            "since": day(one.release.frozen_at or one.release.counted_at or one.release.asked_at),
            "progress": one.progress,
        }
        for one in every
    ]
