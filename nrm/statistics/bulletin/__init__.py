"""The bulletin of a release: what a ministry hands out, made from published figures alone.

It is one value, in the reader's words, from which the page and the PDF are both written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nrm.domain.text import N_
from nrm.statistics.bulletin.findings import Finding, cautions, findings
from nrm.statistics.bulletin.method import Definition, definitions, method
from nrm.statistics.bulletin.published import Counted, Published
from nrm.statistics.bulletin.sections import Section, sections
from nrm.statistics.bulletin.voice import Voice
from nrm.statistics.method import NOT_ADDITIVE, Chapter

__all__ = ["Bulletin", "Counted", "Published", "Voice", "make"]


@dataclass(frozen=True)
class Cover:
    """What stands on the first page."""

    system: str
    country: str
    title: str
    period: str
    edition: str
    frozen: str
    # What nobody may overlook who has this in hand.
    caution: str


@dataclass(frozen=True)
class Headings:
    """What stands over the parts, and at the foot of each page."""

    contents: str
    findings: str
    tables: str
    table: str
    missing: str
    definitions: str
    page: str


@dataclass(frozen=True)
class Bulletin:
    """All that a bulletin says, part by part."""

    cover: Cover
    headings: Headings
    # That it is a draft, of which nothing leaves; empty once it is frozen.
    draft: str
    # Said on every sheet of paper: that nobody in it is real. Empty where that is not so.
    practice: str
    findings: Sequence[Finding]
    cautions: Sequence[str]
    sections: Sequence[Section]
    missing: Sequence[str]
    method: Sequence[Chapter]
    definitions: Sequence[Definition]


def make(published: Published, voice: Voice) -> Bulletin:
    """Write the bulletin of a release; the same release makes the same bulletin."""
    return Bulletin(
        _cover(published, voice),
        _headings(voice),
        "" if published.frozen_on else voice.say(N_("DRAFT: not frozen, not for publication")),
        voice.say(N_("PRACTICE COPY: everyone here is invented")) if published.practice else "",
        findings(published, voice),
        cautions(published, voice),
        sections(published, voice),
        list(_missing(published, voice)),
        method(published, voice),
        definitions(voice),
    )


def _cover(published: Published, voice: Voice) -> Cover:
    frozen = voice.say(N_("Not frozen yet"))
    if published.frozen_on:
        frozen = voice.fill(N_("Frozen on %(day)s"), day=voice.day(published.frozen_on))
    return Cover(
        voice.say(N_("National Referral Mechanism")),
        published.ground.name,
        voice.say(N_("Statistical bulletin")),
        voice.period(published.period),
        voice.say(published.edition),
        frozen,
        voice.say(NOT_ADDITIVE),
    )


def _headings(voice: Voice) -> Headings:
    say = voice.say
    return Headings(
        say(N_("Contents")),
        say(N_("Key findings")),
        say(N_("Tables")),
        say(N_("Table")),
        say(N_("Not in this release")),
        say(N_("What the words mean")),
        say(N_("Page")),
    )


def _missing(published: Published, voice: Voice) -> Iterator[str]:
    """Say of every other table of the catalogue why this release has not got it."""
    for one in published.missing:
        message = N_(
            "%(number)s, %(title)s: left out, because it would prove something about a few."
        )
        if one.annual and not published.period.annual:
            message = N_("%(number)s, %(title)s: only made of a whole year.")
        yield voice.fill(message, number=one.number, title=voice.say(one.title))
