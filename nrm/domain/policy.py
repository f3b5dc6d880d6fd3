"""The one answer to "may this actor do this to that record?"; everything else asks here."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from nrm.domain.errors import RefusedError, Subject
from nrm.domain.lifecycle import LIVE_REFERRALS, ReferralState
from nrm.domain.roles import APPOINTED, GRANTS, Actor, Permission, Relation, Role
from nrm.domain.text import N_


@dataclass(frozen=True)
class CaseStanding:
    """What the policy needs to know of a case.

    `barred` names the accounts and organisations that may not know of it, whatever else they may.
    """

    subject: Subject
    flagged_by: UUID
    # Who looks after it: its owner, and whoever stands in for them now; nobody, where it is empty.
    owners: frozenset[UUID] = frozenset()
    barred: frozenset[UUID] = frozenset()
    broken_glass: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class ReferralStanding:
    """What the policy needs to know of a referral, and of the case that it belongs to."""

    subject: Subject
    organisation_id: UUID
    state: ReferralState
    consented: bool = False
    barred: frozenset[UUID] = frozenset()
    broken_glass: frozenset[UUID] = frozenset()


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
class ApprovalStanding:
    """What the policy needs to know of an act that waits for a second person.

    `about` is the record that it changes: whoever's account it is does not approve it either.
    """

    subject: Subject
    asked_by: UUID
    about: UUID
    barred: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class HandOverStanding:
    """What the policy needs to know of an offer of a case, and of the case that it is about."""

    subject: Subject
    offered_by: UUID
    offered_to: UUID
    owners: frozenset[UUID] = frozenset()
    barred: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class ReleaseStanding:
    """What the policy needs to know of a release of the statistics."""

    subject: Subject
    signed_by: frozenset[UUID]


@dataclass(frozen=True)
class GlassStanding:
    """What the policy needs to know of a case that was opened in an emergency."""

    subject: Subject
    broken_by: UUID
    barred: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class AccountStanding:
    """What the policy needs to know of an account."""

    subject: Subject
    account_id: UUID
    organisation_id: UUID
    role: Role


# What belongs to a case, from which somebody may be barred.
_OfACase: TypeAlias = (
    CaseStanding | ReferralStanding | ApprovalStanding | HandOverStanding | GlassStanding
)
Standing: TypeAlias = (
    _OfACase | ListingStanding | ErasureStanding | ReleaseStanding | AccountStanding
)


@dataclass(frozen=True)
class Decision:
    """The answer, with the reason in plain words where it is no."""

    allowed: bool
    reason: str = ""


def relations(actor: Actor, record: Standing | None) -> frozenset[Relation]:
    """Say how the actor stands to the record. Whoever is barred from it stands in no relation."""
    match record:
        case None:
            return frozenset({Relation.NO_RECORD})
        case (
            CaseStanding()
            | ReferralStanding()
            | ApprovalStanding()
            | HandOverStanding()
            | GlassStanding()
        ):
            return frozenset() if _barred(actor, record) else _of_a_case(actor, record)
        case _:
            return _other_relations(actor, record)


def _of_a_case(actor: Actor, record: _OfACase) -> frozenset[Relation]:
    match record:
        case CaseStanding():
            return _case_relations(actor, record)
        case ReferralStanding():
            return _referral_relations(actor, record)
        case ApprovalStanding():
            return _approval_relations(actor, record)
        case HandOverStanding():
            return _hand_over_relations(actor, record)
        case GlassStanding():
            mine = record.broken_by == actor.id
            return frozenset[Relation]() if mine else frozenset({Relation.OTHERS_GLASS})


def _other_relations(
    actor: Actor, record: ListingStanding | ErasureStanding | ReleaseStanding | AccountStanding
) -> frozenset[Relation]:
    """Say how the actor stands to what is no case: mostly, whether it is another person's work."""
    match record:
        case ListingStanding():
            others = set() if record.submitted_by == actor.id else {Relation.OTHERS_LISTING}
            return frozenset({Relation.ANY_LISTING, *others})
        case ErasureStanding():
            mine = record.asked_by == actor.id
            return frozenset({Relation.OWN_ERASURE if mine else Relation.OTHERS_ERASURE})
        case ReleaseStanding():
            signed = actor.id in record.signed_by
            return frozenset[Relation]() if signed else frozenset({Relation.UNSIGNED_RELEASE})
        case AccountStanding():
            return _account_relations(actor, record)


def _barred(actor: Actor, record: _OfACase) -> bool:
    """Say whether a bar keeps the actor out: a bar beats every grant (suspected complicity)."""
    return not record.barred.isdisjoint({actor.id, actor.organisation_id} - {None})


def _case_relations(actor: Actor, record: CaseStanding) -> frozenset[Relation]:
    held = {Relation.NATIONAL}
    if record.flagged_by == actor.id:
        held.add(Relation.OWN_FLAG)
    if not record.owners or actor.id in record.owners:
        held.add(Relation.ASSIGNED)
    if actor.id in record.broken_glass:
        held.add(Relation.BROKEN_GLASS)
    return frozenset(held)


def _referral_relations(actor: Actor, record: ReferralStanding) -> frozenset[Relation]:
    """Say how an actor stands to a referral: it is to an organisation, and its end closes it."""
    held = {Relation.NATIONAL}
    if actor.id in record.broken_glass:
        held.add(Relation.BROKEN_GLASS)
    if actor.organisation_id is None or record.organisation_id != actor.organisation_id:
        return frozenset(held)
    held.add(Relation.RECEIVER)
    if record.state in LIVE_REFERRALS:
        held.add(Relation.LIVE_RECEIVER)
    if record.state is ReferralState.ACCEPTED:
        held.add(Relation.ACCEPTED)
        if record.consented:
            held.add(Relation.CONSENTED)
    return frozenset(held)


def _approval_relations(actor: Actor, record: ApprovalStanding) -> frozenset[Relation]:
    """Say how an actor stands to a request: it is their own, or they can be its second person."""
    if record.asked_by == actor.id:
        return frozenset({Relation.OWN_APPROVAL})
    concerned = record.about == actor.id
    return frozenset[Relation]() if concerned else frozenset({Relation.OTHERS_APPROVAL})


def _hand_over_relations(actor: Actor, record: HandOverStanding) -> frozenset[Relation]:
    """Say how an actor stands to an offer: nobody accepts what they offered themselves."""
    offers = {record.offered_by} | record.owners
    return frozenset(
        relation
        for relation, whose in (
            (Relation.OFFERED_TO_ONESELF, {record.offered_to}),
            (Relation.OWN_OFFER, offers),
        )
        if actor.id in whose
    )


def _account_relations(actor: Actor, record: AccountStanding) -> frozenset[Relation]:
    """Say how an actor stands to an account: nobody manages their own.

    Auditors and administrators are nobody's colleague: else whoever looks after the accounts of
    one organisation could shut out, or become, whoever looks after the whole.
    """
    if record.account_id == actor.id:
        return frozenset()
    same = record.organisation_id == actor.organisation_id
    colleague = same and record.role not in APPOINTED
    return frozenset({Relation.OTHERS_ACCOUNT, *({Relation.COLLEAGUE} if colleague else ())})


_WHY_NOT: dict[Permission, str] = {
    Permission.ACCOUNT_MANAGE: N_("Nobody manages their own account. Another administrator does."),
    Permission.APPROVAL_ANSWER: N_(
        "Someone other than the person who asked for this, and whom it is not about, approves it."
    ),
    Permission.APPROVAL_ASK: N_("Whoever asked for this can take it back, and nobody else."),
    Permission.COMPARTMENT_HEALTH: N_(
        "The part on health is for whoever looks after the case. Ask them, or take the case over."
    ),
    Permission.ERASURE_ANSWER: N_(
        "Someone other than the person who asked for an erasure carries it out."
    ),
    Permission.GLASS_REVIEW: N_("Someone other than the person who opened the case reviews it."),
    Permission.HANDOVER_ANSWER: N_("Only the person to whom a case was offered answers."),
    Permission.HANDOVER_RETRACT: N_(
        "Only who offered a case, or looks after it, takes the offer back."
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
