"""Which rows an actor may see: the policy's grant table, said in SQL."""

from collections.abc import Callable
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true

from nrm.db import db
from nrm.domain.errors import NOTHING, ErasedError, NotFoundError, Subject
from nrm.domain.lifecycle import LIVE_REFERRALS, ReferralState
from nrm.domain.policy import (
    CaseStanding,
    ErasureStanding,
    ListingStanding,
    ReferralStanding,
)
from nrm.domain.roles import GRANTS, Actor, Permission, Relation
from nrm.models import Case, Erasure, Listing, Referral

_RelationSql: TypeAlias = Callable[[Relation, Actor], ColumnElement[bool]]


def visible_cases(actor: Actor, permission: Permission) -> Select[Case]:
    """Select the cases towards which the actor holds the permission."""
    return select(Case).where(_any_of(actor, permission, _case_relation))


def visible_referrals(actor: Actor, permission: Permission) -> Select[Referral]:
    """Select the referrals towards which the actor holds the permission."""
    return select(Referral).where(_any_of(actor, permission, _referral_relation))


def case(actor: Actor, reference: str, permission: Permission, *, lock: bool = False) -> Case:
    """Fetch one case by its reference; out of sight and not there are the same NotFoundError.

    Of an erased one no more is left than that it was one: raises ErasedError.
    `lock` holds the row until the act is done, so that two acts on one case follow each other.
    """
    query = visible_cases(actor, permission).where(Case.reference == reference)
    found = db.session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        hidden = db.session.scalars(select(Case.id).where(Case.reference == reference)).first()
        raise NotFoundError(Subject("case", hidden, hidden))
    if found.erased_at is not None:
        raise ErasedError(case_subject(found), found.reference, found.erased_at)
    return found


def referral(actor: Actor, reference: str) -> Referral:
    """Fetch one referral that was sent to the actor's organisation."""
    query = visible_referrals(actor, Permission.REFERRAL_VIEW)
    found = db.session.scalars(query.where(Referral.reference == reference)).one_or_none()
    if found is None:
        hidden = db.session.scalars(
            select(Referral).where(Referral.reference == reference)
        ).one_or_none()
        raise NotFoundError(referral_subject(hidden) if hidden is not None else Subject("referral"))
    erased_at = db.session.scalar(select(Case.erased_at).where(Case.id == found.case_id))
    if erased_at is not None:
        raise ErasedError(referral_subject(found), found.reference, erased_at)
    return found


def referral_of(parent: Case, reference: str) -> Referral:
    """Fetch a referral through the case that the actor was already shown."""
    found = db.session.scalars(
        select(Referral).where(Referral.case_id == parent.id, Referral.reference == reference)
    ).one_or_none()
    if found is None:
        raise NotFoundError(Subject("referral"))
    return found


def named(reference: str) -> Subject:
    """Name the case or the referral that somebody was refused, for the log and never for them."""
    hidden = db.session.scalar(select(Case.id).where(Case.reference == reference))
    if hidden is not None:
        return Subject("case", hidden, hidden)
    query = select(Referral).where(Referral.reference == reference)
    sent = db.session.scalars(query).one_or_none()
    return NOTHING if sent is None else referral_subject(sent)


def case_subject(record: Case) -> Subject:
    """Name a case for the log."""
    return Subject("case", record.id, record.id)


def referral_subject(record: Referral) -> Subject:
    """Name a referral, and the case that it belongs to, for the log."""
    return Subject("referral", record.id, record.case_id)


def case_standing(record: Case) -> CaseStanding:
    """Say what the policy needs to know of a case."""
    return CaseStanding(case_subject(record), record.flagged_by_id)


def referral_standing(record: Referral, *, consented: bool = False) -> ReferralStanding:
    """Say what the policy needs to know of a referral."""
    return ReferralStanding(
        referral_subject(record), record.organisation_id, record.state, consented
    )


def listing_standing(record: Listing) -> ListingStanding:
    """Say what the policy needs to know of a listing."""
    return ListingStanding(Subject("listing", record.id), record.submitted_by_id)


def erasure_standing(record: Erasure) -> ErasureStanding:
    """Say what the policy needs to know of a request to erase."""
    return ErasureStanding(Subject("erasure", record.id, record.case_id), record.asked_by_id)


def _any_of(
    actor: Actor, permission: Permission, relation_sql: _RelationSql
) -> ColumnElement[bool]:
    granted = GRANTS[actor.role].get(permission, frozenset())
    return or_(false(), *[relation_sql(relation, actor) for relation in sorted(granted)])


def _case_relation(relation: Relation, actor: Actor) -> ColumnElement[bool]:
    if relation is Relation.NATIONAL:
        return true()
    if relation is Relation.OWN_FLAG:
        return Case.flagged_by_id == _known(actor.id)
    return false()


def _referral_relation(relation: Relation, actor: Actor) -> ColumnElement[bool]:
    if relation is Relation.NATIONAL:
        return true()
    received = Referral.organisation_id == _known(actor.organisation_id)
    if relation is Relation.RECEIVER:
        return received
    if relation is Relation.LIVE_RECEIVER:
        return and_(received, Referral.state.in_(LIVE_REFERRALS))
    if relation is Relation.ACCEPTED:
        return and_(received, Referral.state == ReferralState.ACCEPTED)
    return false()


def _known(value: UUID | None) -> UUID:
    """Housekeeping has no id; it must match no row, never every row without one."""
    return value or UUID(int=0)
