"""How figures are made, and what that does not promise: told here, for pages, bulletin and files.

The largest error and the largest hidden count follow from the noise and the rounding
(`protection`); the error on average is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nrm.domain.text import N_


@dataclass(frozen=True)
class Chapter:
    """Some sentences under one heading."""

    heading: str
    paragraphs: Sequence[str]


COVERAGE = N_(
    "Everybody who was flagged to the national referral mechanism in the period, except who did "
    "not agree to be counted, and nobody twice; and the referrals that were sent in the period."
)
CHANGED = N_(
    "Every count is changed a little by chance and rounded to a multiple of 5. On average a figure "
    "is about 2 away from the count, and never more than 8."
)
APART = N_(
    "Each figure is made by itself, totals too. So figures do not add up, and are not to be added "
    "or subtracted."
)
UNDER_TEN = N_(
    "No count under 10 is shown. Nobody looks the same as a few: behind “under 10” there can be "
    "nobody, and at most 13."
)
DAYS = N_(
    "A number of days is one than which half were faster. It is only given where the rounded "
    "figure of the people who took the step is 20 or more, so that they are certainly 10 or more, "
    "and above 30 days it is rounded to a multiple of 5."
)
# The same in few words, where there is no room for more.
NOT_ADDITIVE = N_("Figures are rounded and adjusted; they do not add up.")

COUNTED = Chapter(
    N_("What is counted"),
    (
        COVERAGE,
        N_(
            "Only coded facts are counted, such as sex, under or over 18, the district, the form "
            "of exploitation. No name, no story, and no date finer than a quarter of a year. The "
            "process that counts has the key to those facts and to nothing else."
        ),
        DAYS,
        N_(
            "Shares are made from the figures that are shown. Where one can be counted in several "
            "rows they are of those of whom anything is known, and add up to more than a hundred."
        ),
    ),
)
PROTECTED = Chapter(
    N_("How people are protected"),
    (
        CHANGED,
        APART,
        UNDER_TEN,
        N_(
            "Before it is frozen, each release is attacked by a program that knows all these "
            "rules. A table is left out where its figures, taken together, would prove something "
            "about a few people."
        ),
        N_("There is a fixed list of tables. Nobody can ask about one case, one day, one village."),
        N_(
            "A release is counted once, signed by two people, and frozen: whatever becomes of a "
            "case later changes nothing in it. A period is released at most twice, provisional "
            "and final."
        ),
    ),
)
NOT_PROMISED = Chapter(
    N_("What this does not promise"),
    (
        N_(
            "The method was tested against known attacks. That is no proof against every attack "
            "that somebody may think of."
        ),
        N_(
            "Whoever had the secret key with which counts are changed could undo a part of the "
            "change. It is kept apart from the figures."
        ),
        N_(
            "It does not protect from somebody who reads these figures and also works with the "
            "cases, or knows somebody who does."
        ),
        N_(
            "Where few people were identified, most figures of the larger tables are hidden. The "
            "release of a whole year shows more."
        ),
        N_(
            "Each release is changed by chance anew. A difference of five or ten between two "
            "releases can come from that alone, and the tables of a year are not the sum of its "
            "quarters."
        ),
        N_(
            "The figures are of people who were found. They do not say how many were trafficked, "
            "and people who did not want to be counted are not in them."
        ),
    ),
)
METHOD = (COUNTED, PROTECTED, NOT_PROMISED)
