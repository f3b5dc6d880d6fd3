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

# Compartment by compartment, not file by file: which service may ever be told what, whatever
# anybody agreed to. Everyone who helps has to know who comes, and how to reach them safely.
_EVERYONE = frozenset({"identity", "contact"})
# Who shelters, treats, counsels, protects or defends the person: so nobody has to tell it again.
_TOLD_WHAT_HAPPENED = frozenset(
    {
        *("emergency_shelter", "longer_term_accommodation", "alternative_care"),
        *("medical_emergency", "medical_examination", "sexual_health"),
        *("psychosocial_counselling", "mental_health"),
        *("legal_information", "legal_representation", "compensation_claim", "documents"),
        *("protection", "safety_planning", "guardian_appointment"),
        *("family_tracing", "family_reunification", "follow_up"),
    }
)
# Who treats or counsels the person.
_TOLD_OF_HEALTH = frozenset(
    {
        *("medical_emergency", "medical_examination", "sexual_health"),
        *("psychosocial_counselling", "mental_health", "disability_support"),
    }
)
# Why a part stays closed, for whoever asks the person.
WHY_CLOSED: dict[str, str] = {
    "narrative": N_("only who shelters, treats, counsels, protects or defends the person"),
    "health": N_("only who treats or counsels the person"),
    "enforcement": N_("only the police and the prosecution"),
}

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


def may_receive(services: Iterable[str]) -> frozenset[str]:
    """Return the compartments that whoever gives these services may ever be told of."""
    given = frozenset(services)
    if not given:
        return frozenset()
    story = {"narrative"} if given & _TOLD_WHAT_HAPPENED else set()
    health = {"health"} if given & _TOLD_OF_HEALTH else set()
    return _EVERYONE | story | health


def disclosed_to(
    consents: Iterable[Consent], recipient_id: UUID, services: Iterable[str], now: datetime
) -> frozenset[str]:
    """Return the compartments that an accepting provider may open for the services it gives.

    None without consent; and an older yes that names more than the services need opens no more.
    """
    consent = in_force(consents, SHARE_WITH_PROVIDER, recipient_id, now)
    if consent is None:
        return frozenset()
    return consent.compartments & frozenset(SHAREABLE) & may_receive(services)


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
