"""The practice cases: every state of both axes and of a referral, some late, some due today."""

from datetime import timedelta

from nrm.cli.demonstration import plots
from nrm.cli.demonstration.story import Story


def _d(days: float) -> timedelta:
    return timedelta(days=days)


def _h(hours: float) -> timedelta:
    return timedelta(hours=hours)


# The needs in the order in which help is looked for.
_BED = ("emergency_shelter", "psychosocial_counselling")
_HOME = ("longer_term_accommodation", "legal_information")
_DOCTOR = ("medical_examination", "emergency_shelter")
_NOW = ("medical_emergency", "emergency_shelter")
_MIND = ("mental_health", "psychosocial_counselling")
_TALK = ("psychosocial_counselling", "safety_planning")
_COURT = ("legal_representation", "compensation_claim")
_RIGHTS = ("legal_information", "medical_examination")
_WORK = ("vocational_training", "legal_information")
_FAMILY = ("family_tracing", "psychosocial_counselling")
_ROAD = ("transport", "legal_information")

# The number of the story of a person who is flagged a second time.
_HELPED = 8

STORIES = (
    # Closed.
    Story(_d(30), plots.completed, "none", "female", 27, _HOME),
    Story(_d(29), plots.completed, "unsure", "male", 34, _COURT),
    Story(_d(29), plots.completed, "unsure", "male", 22, _DOCTOR, same_place=True),
    Story(_d(27), plots.closed_early("not_a_victim"), "none", "female", 41, _ROAD),
    Story(_d(26), plots.closed_early("assistance_declined"), "none", "male", 19, _WORK),
    Story(_d(24), plots.moved_on, "none", "other", 30, _RIGHTS),
    # A provider's part is over.
    Story(_d(8), plots.ended, "unsure", "female", 15, _BED),
    Story(_d(9), plots.ended, "none", "male", 45, _WORK),
    # Somebody helps.
    Story(_d(20), plots.helped, "none", "female", 33, _HOME),
    Story(_d(19), plots.helped_by_two, "unsure", "female", 24, _BED),
    Story(_d(19), plots.helped, "unsure", "female", 8, _DOCTOR, same_place=True),
    Story(_d(19), plots.helped, "unsure", "female", 17, _BED, same_place=True),
    Story(_d(16), plots.consent_withdrawn, "none", "female", 29, _HOME),
    Story(_d(14), plots.declined_then_helped, "unsure", "female", 38, _DOCTOR),
    Story(_d(13), plots.helped_by_two, "none", "male", 26, _WORK),
    Story(_d(11), plots.accepted_first, "danger_now", "female", 31, _NOW),
    Story(_d(9), plots.helped, "none", "male", 52, _COURT),
    Story(_d(7), plots.declined_then_helped, "unsure", "male", 20, _RIGHTS),
    Story(_d(6), plots.accepted, "unsure", "female", 14, _TALK),
    Story(_d(4), plots.accepted, "reachable_tonight", "female", 23, _BED),
    # A provider was asked and has not answered.
    Story(_h(96), plots.asked, "none", "male", 28, _WORK),
    Story(_h(40), plots.asked, "none", "female", 36, _HOME),
    Story(_h(28), plots.asked, "unsure", "female", 16, _BED),
    Story(_h(5.5), plots.asked, "danger_now", "female", 21, _BED),
    Story(_h(3), plots.asked, "danger_now", "male", 40, _NOW),
    Story(_h(14), plots.asked_first, "unsure", "female", 12, _DOCTOR),
    Story(_h(55), plots.unanswered_then_asked, "unsure", "male", 25, _FAMILY),
    # Nobody is asked at this moment: declined, not answered, withdrawn, or not begun.
    Story(_d(5), plots.declined, "unsure", "female", 35, _MIND),
    Story(_h(20), plots.declined, "unsure", "male", 18, _RIGHTS),
    Story(_h(46), plots.unanswered, "unsure", "male", 43, _BED),
    Story(_d(5), plots.unanswered, "none", "other", 27, _ROAD),
    Story(_d(3), plots.withdrawn, "unsure", "female", 32, _HOME),
    Story(_h(22), plots.needs_known, "none", "female", 48, _TALK),
    Story(_h(30), plots.needs_known, "unsure", "male", 13, _MIND),
    Story(_h(10), plots.needs_first, "unsure", "female", 9, _BED),
    # Presumed, and the needs not recorded.
    Story(_h(20), plots.presumed, "unsure", "male", 37, _FAMILY),
    Story(_h(34), plots.presumed, "none", "female", 26, _WORK),
    # Not read yet: late, due today, and just arrived.
    Story(_h(30), plots.flagged, "unsure", "female", 19, _BED),
    Story(_h(30), plots.flagged, "unsure", "unknown", 17, _DOCTOR, same_place=True),
    Story(_h(70), plots.flagged, "none", "male", 31, _ROAD),
    Story(_h(3), plots.flagged, "reachable_tonight", "female", 22, _BED),
    Story(_h(0.6), plots.flagged, "danger_now", "female", 16, _NOW),
    Story(_h(4), plots.flagged, "none", "male", 44, _COURT),
    Story(_h(2), plots.flagged, "unsure", "female", 33, _BED, flagged_before=_HELPED),
    # Closed and erased: a reference and its log are left.
    Story(_d(25), plots.erased, "none", "female", 28, _ROAD),
)
