"""The method as a bulletin says it, of its own release, and what each word means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nrm.domain.text import N_
from nrm.statistics.about import hidden_percent
from nrm.statistics.bulletin.published import Published
from nrm.statistics.bulletin.voice import Voice
from nrm.statistics.method import METHOD, UNDER_TEN, Chapter


@dataclass(frozen=True)
class Definition:
    """A word and what it means here."""

    term: str
    meaning: str


# Said of one release, after what it tells of.
_SHARE_HIDDEN = N_("In this release, %(hidden)s of a hundred counts are not shown for this reason.")
_MEANS: Mapping[str, str] = {
    N_("Identified"): N_(
        "Somebody in the mechanism flagged the person, because signs spoke of trafficking. The "
        "period is that of the flag."
    ),
    N_("Presumed"): N_(
        "A coordinator looked at the signs and presumes that the person is a victim. Help begins "
        "with this; no court has decided anything."
    ),
    N_("Referral"): N_(
        "A request to one provider for one service for one person. The period is that in which it "
        "was sent."
    ),
    N_("Form of exploitation"): N_(
        "What the person was or was to be used for. There can be several."
    ),
    N_("Route"): N_("From where to where the person was taken, as seen from this country."),
    N_("Means of control"): N_(
        "How the person was recruited and held, by the signs that were recorded."
    ),
    N_("Province, district"): N_(
        "Where the person was identified, not where they are from or live now."
    ),
    N_("Under 18"): N_("A child, by the age that was recorded or estimated."),
    N_("Any of these known"): N_("Those of whom at least one of the rows is recorded."),
    N_("Provisional, final"): N_(
        "A period is counted soon after it is over, and once more when what was late has come in."
    ),
}


def method(published: Published, voice: Voice) -> list[Chapter]:
    """Say how the figures are made, how many of this release are hidden, and what is not promised.

    The chapters are those of every release.
    """
    hidden = voice.number(hidden_percent(published.figures) or 0)
    return [
        Chapter(voice.say(chapter.heading), list(_paragraphs(chapter, hidden, voice)))
        for chapter in METHOD
    ]


def _paragraphs(chapter: Chapter, hidden: str, voice: Voice) -> Iterator[str]:
    for message in chapter.paragraphs:
        yield voice.say(message)
        if message == UNDER_TEN:
            yield voice.fill(_SHARE_HIDDEN, hidden=hidden)


def definitions(voice: Voice) -> list[Definition]:
    """Say what the words of the tables mean."""
    return [Definition(voice.say(term), voice.say(meaning)) for term, meaning in _MEANS.items()]
