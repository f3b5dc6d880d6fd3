"""Informed consent: what a person agreed to, for which purpose, towards whom, and what follows.

Law 058/2021 art. 6-9: free, specific, provable, withdrawn at any time; under 16 the holder of
parental responsibility agrees in the child's interest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from nrm.domain.errors import InvalidInputError
from nrm.domain.text import N_


class Answer(StrEnum):
    """What the person said for one purpose; a later answer replaces the earlier one."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class GivenBy(StrEnum):
    """Who agreed."""

    PERSON = "person"
    GUARDIAN = "guardian"


# The purpose under which a named service provider may receive anything.
SHARE_WITH_PROVIDER = "share_with_provider"
# The purpose of being counted, and what the facts of a case say after a no: it is left out.
STATISTICS = "statistics"
DENIED = "denied"
# The basis of an ordinary answer; every other basis is an exception of the law, with reasons.
BASIS_CONSENT = "consent"

# What a provider may be shown at all. Facts feed the statistics; enforcement is for prosecution.
SHAREABLE = ("identity", "contact", "narrative", "health")

# What is explained before anybody is asked, after the seven points of HTCDS 2.0, in our words.
EXPLAINED: dict[str, str] = {
    "interview": N_("They may say yes or no to being asked questions, and may stop at any time"),
    "purpose": N_("Why we ask, and what the talk is for"),
    "use": N_("What is done with their answers, and who may see them"),
    "statistics": N_("That facts without a name may be counted for statistics and research"),
    "access": N_("That they can ask at any time what is kept about them"),
    "storage": N_("How long it is kept"),
    "withdrawal": N_("How to take a yes back later"),
}


@dataclass(frozen=True)
class Consent:
    """One recorded answer; rows are never changed, a new answer is a new row."""

    purpose: str
    recipient_id: UUID | None
    answer: Answer
    compartments: frozenset[str]
    recorded_at: datetime
    expires_at: datetime | None = None
    basis: str = BASIS_CONSENT


def in_force(
    consents: Iterable[Consent], purpose: str, recipient_id: UUID | None, now: datetime
) -> Consent | None:
    """Return the newest answer for the purpose and recipient if it still grants."""
    newest: Consent | None = None
    for consent in consents:
        if (consent.purpose, consent.recipient_id) != (purpose, recipient_id):
            continue
        if newest is None or consent.recorded_at >= newest.recorded_at:
            newest = consent
    if newest is None or newest.answer is not Answer.GRANTED:
        return None
    if newest.expires_at is not None and newest.expires_at <= now:
        return None
    return newest


def disclosed_to(consents: Iterable[Consent], recipient_id: UUID, now: datetime) -> frozenset[str]:
    """Return the compartments that an accepting provider may open; none without consent."""
    consent = in_force(consents, SHARE_WITH_PROVIDER, recipient_id, now)
    if consent is None:
        return frozenset()
    return consent.compartments & frozenset(SHAREABLE)


def said_no(
    consents: Iterable[Consent], purpose: str, recipient_id: UUID | None, now: datetime
) -> Answer:
    """Name a "no": it takes an earlier yes back, or it refuses."""
    earlier = in_force(consents, purpose, recipient_id, now)
    return Answer.REFUSED if earlier is None else Answer.WITHDRAWN


def check_giver(
    given_by: GivenBy,
    *,
    under_16: bool,
    guardian_conflict: bool,
    basis: str = BASIS_CONSENT,
    grants: bool = True,
) -> None:
    """Refuse an answer that the law does not let this person give.

    A guardian who may be involved cannot answer for a child; a child under 16 cannot consent
    alone (law 058/2021 art. 9), except where a coded exception of the law carries the act.
    A child may always say no: `grants` is false where nothing is agreed to.
    """
    if basis != BASIS_CONSENT:
        return
    if given_by is GivenBy.GUARDIAN and guardian_conflict:
        raise InvalidInputError(
            "guardian_conflict",
            N_("A guardian who may be involved cannot agree for the child. Ask child protection."),
        )
    if given_by is GivenBy.PERSON and under_16 and grants:
        raise InvalidInputError(
            "given_by",
            N_(
                "A child under 16 cannot agree alone. "
                "Record the guardian’s answer, or a legal exception."
            ),
        )
