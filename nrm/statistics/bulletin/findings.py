"""The key findings of a release, as sentences that are made from published figures alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nrm.domain.text import N_
from nrm.statistics.bulletin.published import Counted, Published
from nrm.statistics.bulletin.voice import FEWER_THAN_TEN, TOO_FEW_PEOPLE, Voice
from nrm.statistics.catalogue import FORM, Counts
from nrm.statistics.tables import UNKNOWN

_HALF_WITHIN = {
    0: N_("Half of the people who were referred were referred on the day of the flag."),
    1: N_("Half of the people who were referred were referred within a day of the flag."),
}
_HALF_WITHIN_DAYS = N_(
    "Half of the people who were referred were referred within %(days)s days of the flag."
)
_NAMED = N_("“%(form)s”")
_LARGEST = N_(
    "By these figures, the largest form of exploitation was %(forms)s, with about %(figure)s "
    "people."
)
_LARGEST_OF_SEVERAL = N_(
    "By these figures, no form of exploitation was larger than these: %(forms)s, with about "
    "%(figure)s people each."
)


@dataclass(frozen=True)
class Finding:
    """A sentence, and what the release before said of the same; nothing where there is none."""

    text: str
    before: str


@dataclass(frozen=True)
class _Fact:
    """A figure worth a sentence: which one it is, and how it is said."""

    counts: Counts
    codes: dict[str, str]
    shown: str
    hidden: str


_IDENTIFIED = _Fact(
    Counts.PERSONS,
    {},
    N_("About %(figure)s people were identified."),
    N_("Fewer than ten people were identified."),
)
_PRESUMED = _Fact(
    Counts.PERSONS,
    {"decision": "presumed"},
    N_("About %(figure)s people were presumed to be victims."),
    N_("Fewer than ten people were presumed to be victims."),
)
_ACCEPTED = _Fact(
    Counts.REFERRALS,
    {"answer": "accepted"},
    N_("Providers accepted about %(figure)s referrals."),
    N_("Providers accepted fewer than ten referrals."),
)
_CHILDREN = _Fact(
    Counts.PERSONS,
    {"age": "child"},
    N_("About %(figure)s of the people identified were under 18."),
    N_("Fewer than ten of the people identified were under 18."),
)


def findings(published: Published, voice: Voice) -> list[Finding]:
    """Say what stands out; what is not part of the release is not spoken of."""
    return [
        *_counted(published, voice, _IDENTIFIED),
        *_counted(published, voice, _PRESUMED),
        *_counted(published, voice, _ACCEPTED),
        *_days(published, voice),
        *_largest(published, voice),
        *_counted(published, voice, _CHILDREN),
    ]


def cautions(published: Published, voice: Voice) -> list[str]:
    """Say what somebody has to know who compares a release with the one before it."""
    if not published.before:
        return [voice.say(N_("There is no release before this one to compare with."))]
    said = [
        N_(
            "A difference of five or ten between two releases can come from rounding and adjusting "
            "alone."
        )
    ]
    lengths = {len(list(one.period.quarters())) for one in (published, published.before[0])}
    if len(lengths) > 1:
        said.append(N_("The release before covers a period of another length."))
    return [voice.say(one) for one in said]


def _counted(published: Published, voice: Voice, fact: _Fact) -> Iterator[Finding]:
    if published.has(fact.counts, **fact.codes):
        figure = published.figure(fact.counts, **fact.codes)
        yield Finding(
            voice.say(fact.hidden)
            if figure is None
            else voice.fill(fact.shown, figure=voice.number(figure)),
            _before(published, voice, fact.counts, FEWER_THAN_TEN, [fact.codes]),
        )


def _days(published: Published, voice: Voice) -> Iterator[Finding]:
    """Say how long help took: a median of fewer than ten people is never said."""
    codes = {"step": "sent"}
    if not published.has(Counts.DAYS, **codes):
        return
    days = published.figure(Counts.DAYS, **codes)
    if days is None:
        text = voice.say(N_("Too few people were referred to say how fast."))
    else:
        text = voice.fill(_HALF_WITHIN.get(days, _HALF_WITHIN_DAYS), days=voice.number(days))
    before = _before(published, voice, Counts.DAYS, TOO_FEW_PEOPLE, [codes])
    yield Finding(text, before)


def _largest(published: Published, voice: Voice) -> Iterator[Finding]:
    """Name the largest form, or all of them where rounding made several alike."""
    figures = {
        code: published.figure(Counts.PERSONS, exploitation=code)
        for code in FORM.single
        if code != UNKNOWN and published.has(Counts.PERSONS, exploitation=code)
    }
    if not figures:
        return
    most = max(figure or 0 for figure in figures.values())
    if not most:
        yield Finding(voice.say(N_("Each form of exploitation had fewer than ten people.")), "")
        return
    largest = [code for code, figure in figures.items() if figure == most]
    said = ", ".join(voice.fill(_NAMED, form=voice.say(FORM.words[code])) for code in largest)
    message = _LARGEST if len(largest) == 1 else _LARGEST_OF_SEVERAL
    cells = [{"exploitation": code} for code in largest]
    yield Finding(
        voice.fill(message, forms=said, figure=voice.number(most)),
        _before(published, voice, Counts.PERSONS, FEWER_THAN_TEN, cells),
    )


def _before(
    published: Published,
    voice: Voice,
    counts: Counts,
    hidden: str,
    cells: Sequence[dict[str, str]],
) -> str:
    """Say the same figures of the release before, in the same order."""
    if not published.before:
        return ""
    last: Counted = published.before[0]
    said = [
        voice.cell(last.figure(counts, **codes), hidden)
        if last.has(counts, **codes)
        else voice.say(N_("not published"))
        for codes in cells
    ]
    return voice.fill(
        N_("In the release before, %(period)s: %(figures)s"),
        period=voice.period(last.period),
        figures=", ".join(said),
    )
