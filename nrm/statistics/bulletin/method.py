"""How the figures are made, what that does not promise, and what each word means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nrm.domain.text import N_
from nrm.statistics.about import COVERAGE, hidden_percent
from nrm.statistics.bulletin.published import Published
from nrm.statistics.bulletin.voice import Voice


@dataclass(frozen=True)
class Chapter:
    """Some sentences under one heading."""

    heading: str
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Definition:
    """A word and what it means here."""

    term: str
    meaning: str


# The largest error and the largest hidden count follow from the noise and the rounding
# (`nrm/statistics/protection.py`); the error on average is measured.
_MADE = (
    COVERAGE,
    N_(
        "Only coded facts are counted, such as sex, under or over 18, the district, the form of "
        "exploitation. No name, no story, and no date finer than a quarter of a year."
    ),
    N_(
        "Every count is changed a little by chance and rounded to a multiple of five. On average a "
        "figure is about 2 away from the count, and never more than 8."
    ),
    N_(
        "Each figure is made by itself, totals too. So figures do not add up, and are not to be "
        "added or subtracted."
    ),
    N_(
        "No count under ten is shown. Nobody looks the same as a few: behind “under 10” there can "
        "be nobody, and at most thirteen."
    ),
    N_("In this release, %(hidden)s of a hundred counts are not shown for this reason."),
    N_(
        "A number of days is only given where ten people or more took the step. Above thirty days "
        "it is rounded to five."
    ),
    N_(
        "Shares are made from the figures that are shown. Where one can be counted in several rows "
        "they are of those of whom anything is known, and add up to more than a hundred."
    ),
    N_(
        "A table is left out where its figures, taken together, would prove something about a few "
        "people."
    ),
    N_(
        "A release is counted once, signed by two people, and frozen: whatever becomes of a case "
        "later changes nothing in it. A period is released at most twice, provisional and final."
    ),
)
_NOT_PROMISED = (
    N_(
        "The method was tested against known attacks. That is no proof against every attack that "
        "somebody may think of."
    ),
    N_(
        "Whoever had the secret key with which counts are changed could undo a part of the change. "
        "It is kept apart from the figures."
    ),
    N_(
        "It does not protect from somebody who reads these figures and also works with the cases, "
        "or knows somebody who does."
    ),
    N_(
        "Where few people were identified, most figures of the larger tables are hidden. The "
        "release of a whole year shows more."
    ),
    N_(
        "Each release is changed by chance anew. A difference of five or ten between two releases "
        "can come from that alone, and the tables of a year are not the sum of its quarters."
    ),
    N_(
        "The figures are of people who were found. They do not say how many were trafficked, and "
        "people who did not want to be counted are not in them."
    ),
)
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
    """Say how the figures are made, and what that does not promise."""
    hidden = voice.number(hidden_percent(published.figures) or 0)
    return [
        Chapter(
            voice.say(N_("How these figures are made")),
            [voice.fill(message, hidden=hidden) for message in _MADE],
        ),
        Chapter(
            voice.say(N_("What this does not promise")),
            [voice.say(message) for message in _NOT_PROMISED],
        ),
    ]


def definitions(voice: Voice) -> list[Definition]:
    """Say what the words of the tables mean."""
    return [Definition(voice.say(term), voice.say(meaning)) for term, meaning in _MEANS.items()]
