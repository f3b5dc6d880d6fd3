"""The one answer to "may this actor do this to that record?"; everything else asks here."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from nrm.domain.errors import RefusedError, Subject
from nrm.domain.lifecycle import LIVE_REFERRALS, ReferralState
from nrm.domain.roles import GRANTS, Actor, Permission, Relation
from nrm.domain.text import N_


@dataclass(frozen=True)
class CaseStanding:
    """What the policy needs to know of a case."""

    subject: Subject
    flagged_by: UUID


@dataclass(frozen=True)
class ReferralStanding:
    """What the policy needs to know of a referral; `compartment` only where one is asked for."""

    subject: Subject
    organisation_id: UUID
    state: ReferralState
    consented: bool = False


@dataclass(frozen=True)
class ListingStanding:
    """What the policy needs to know of a listing in the directory."""

    subject: Subject
    submitted_by: UUID


@dataclass(frozen=True)
class ErasureStanding:
    """What the policy needs to know of a request to erase."""

    subject: Subject
    asked_by: UUID | None


@dataclass(frozen=True)
class ReleaseStanding:
    """What the policy needs to know of a release of the statistics."""

    subject: Subject
    signed_by: frozenset[UUID]


Standing: TypeAlias = (
    CaseStanding | ReferralStanding | ListingStanding | ErasureStanding | ReleaseStanding
)


@dataclass(frozen=True)
class Decision:
    """The answer, with the reason in plain words where it is no."""

    allowed: bool
    reason: str = ""


def relations(actor: Actor, record: Standing | None) -> frozenset[Relation]:
    """Say how the actor stands to the record."""
    match record:
        case None:
            return frozenset({Relation.NO_RECORD})
        case CaseStanding():
            own = {Relation.OWN_FLAG} if record.flagged_by == actor.id else set()
            return frozenset({Relation.NATIONAL, *own})
        case ReferralStanding():
            return _referral_relations(actor, record)
        case ListingStanding():
            others = set() if record.submitted_by == actor.id else {Relation.OTHERS_LISTING}
            return frozenset({Relation.ANY_LISTING, *others})
        case ErasureStanding():
            mine = record.asked_by == actor.id
            return frozenset({Relation.OWN_ERASURE if mine else Relation.OTHERS_ERASURE})
        case ReleaseStanding():
            signed = actor.id in record.signed_by
            return frozenset[Relation]() if signed else frozenset({Relation.UNSIGNED_RELEASE})


def _referral_relations(actor: Actor, record: ReferralStanding) -> frozenset[Relation]:
    """Say how an actor stands to a referral: it is to an organisation, and its end closes it."""
    if actor.organisation_id is None or record.organisation_id != actor.organisation_id:
        return frozenset({Relation.NATIONAL})
    held = {Relation.NATIONAL, Relation.RECEIVER}
    if record.state in LIVE_REFERRALS:
        held.add(Relation.LIVE_RECEIVER)
    if record.state is ReferralState.ACCEPTED:
        held.add(Relation.ACCEPTED)
        if record.consented:
            held.add(Relation.CONSENTED)
    return frozenset(held)


_WHY_NOT: dict[Permission, str] = {
    Permission.ERASURE_ANSWER: N_(
        "Someone other than the person who asked for an erasure carries it out."
    ),
    Permission.LISTING_APPROVE: N_(
        "Someone other than the person who submitted a listing approves it."
    ),
    Permission.STATISTICS_SIGN: N_("Two different people sign a release, and you have signed."),
    Permission.SERVICE_RECORD: N_(
        "Services are recorded while your organisation is helping under this referral."
    ),
    Permission.ENVELOPE_OPEN: N_("This referral is closed. Its envelope can no longer be opened."),
}


def may(actor: Actor, permission: Permission, record: Standing | None = None) -> Decision:
    """Answer from the grant table: the role's grant must meet the actor's relation."""
    wanted = GRANTS.get(actor.role, {}).get(permission)
    if wanted is None:
        return Decision(allowed=False, reason=N_("Your role cannot do this."))
    if wanted & relations(actor, record):
        return Decision(allowed=True)
    return Decision(
        allowed=False,
        reason=_WHY_NOT.get(permission, N_("You have no part in this record that allows this.")),
    )


def require(actor: Actor, permission: Permission, record: Standing | None = None) -> None:
    """Refuse the act unless the policy allows it; raises RefusedError."""
    decision = may(actor, permission, record)
    if not decision.allowed:
        subject = record.subject if record is not None else Subject("none")
        raise RefusedError(decision.reason, permission.value, subject)


def holds(actor: Actor, permission: Permission) -> bool:
    """Say whether the actor's role holds the permission towards any record at all."""
    return permission in GRANTS.get(actor.role, {})
