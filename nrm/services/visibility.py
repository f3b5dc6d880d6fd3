"""Which rows an actor may see: the policy's grant table, said in SQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from nrm.db import db
from nrm.domain.approval import RULES
from nrm.domain.errors import ErasedError, NotFoundError, Subject
from nrm.domain.lifecycle import LIVE_REFERRALS, ReferralState
from nrm.domain.policy import (
    AccountStanding,
    ApprovalStanding,
    CaseStanding,
    ErasureStanding,
    GlassStanding,
    ListingStanding,
    ReferralStanding,
    holds,
)
from nrm.domain.roles import APPOINTED, GRANTS, Actor, Permission, Relation
from nrm.models import Account, Approval, Bar, BrokenGlass, Case, Erasure, Listing, Referral

_RelationSql: TypeAlias = Callable[[Relation, Actor], ColumnElement[bool]]


def visible_cases(actor: Actor, permission: Permission) -> Select[Case]:
    """Select the cases towards which the actor holds the permission."""
    held = _any_of(actor, permission, _case_relation)
    return select(Case).where(held, ~is_barred(actor, Case.id))


def visible_referrals(actor: Actor, permission: Permission) -> Select[Referral]:
    """Select the referrals towards which the actor holds the permission."""
    held = _any_of(actor, permission, _referral_relation)
    return select(Referral).where(held, ~is_barred(actor, Referral.case_id))


def visible_accounts(actor: Actor, permission: Permission) -> Select[Account]:
    """Select the accounts towards which the actor holds the permission: never their own."""
    return select(Account).where(_any_of(actor, permission, _account_relation))


def case(actor: Actor, reference: str, permission: Permission, *, lock: bool = False) -> Case:
    """Fetch one case by its reference; out of sight and not there are the same NotFoundError.

    Of an erased one no more is left than that it was one: raises ErasedError.
    `lock` holds the row until the act is done, so that two acts on one case follow each other.
    """
    named = Case.reference == reference
    if lock:
        # Whoever waited for the row sees afterwards what was decided meanwhile: a bar, for one.
        db.session.scalars(select(Case.id).where(named).with_for_update()).one_or_none()
    # Every page of a case says who looks after it, who stands in, or who has left it.
    keepers = (joinedload(Case.owner).joinedload(Account.stand_in), joinedload(Case.left_by))
    query = visible_cases(actor, permission).where(named).options(*keepers)
    found = db.session.scalars(query).one_or_none()
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


def visible_approvals(actor: Actor) -> Select[Approval]:
    """Select the requests for approval that are the actor's own, or theirs to answer."""
    me = _known(actor.id)
    answers = [kind for kind, rule in RULES.items() if holds(actor, rule.approves)]
    others = and_(Approval.kind.in_(answers), Approval.asked_by_id != me, Approval.subject_id != me)
    return select(Approval).where(
        or_(Approval.asked_by_id == me, others), ~is_barred(actor, Approval.case_id)
    )


def case_subject(record: Case) -> Subject:
    """Name a case for the log."""
    return Subject("case", record.id, record.id)


def referral_subject(record: Referral) -> Subject:
    """Name a referral, and the case that it belongs to, for the log."""
    return Subject("referral", record.id, record.case_id)


def case_standing(record: Case) -> CaseStanding:
    """Say what the policy needs to know of a case."""
    return CaseStanding(
        case_subject(record),
        record.flagged_by_id,
        frozenset(one for one in (record.owner_id, record.deputy_id) if one is not None),
        _ids(record.barred),
        _ids(record.glass_broken_by),
    )


def referral_standing(record: Referral, *, consented: bool = False) -> ReferralStanding:
    """Say what the policy needs to know of a referral."""
    return ReferralStanding(
        referral_subject(record),
        record.organisation_id,
        record.state,
        consented,
        _ids(record.barred),
        _ids(record.glass_broken_by),
    )


def _ids(text: str | None) -> frozenset[UUID]:
    return frozenset(map(UUID, (text or "").split()))


def glass_standing(record: BrokenGlass, parent: Case) -> GlassStanding:
    """Say what the policy needs to know of a case that was opened in an emergency."""
    subject = Subject("glass", record.id, record.case_id)
    return GlassStanding(subject, record.account_id, _ids(parent.barred))


def listing_standing(record: Listing) -> ListingStanding:
    """Say what the policy needs to know of a listing."""
    return ListingStanding(Subject("listing", record.id), record.submitted_by_id)


def erasure_standing(record: Erasure) -> ErasureStanding:
    """Say what the policy needs to know of a request to erase."""
    return ErasureStanding(Subject("erasure", record.id, record.case_id), record.asked_by_id)


def account_standing(record: Account) -> AccountStanding:
    """Say what the policy needs to know of an account."""
    return AccountStanding(
        Subject("account", record.id), record.id, record.organisation_id, record.role
    )


def approval_standing(record: Approval) -> ApprovalStanding:
    """Say what the policy needs to know of a request for approval."""
    return ApprovalStanding(
        Subject("approval", record.id, record.case_id),
        record.asked_by_id,
        record.subject_id,
        frozenset(bar.account_id or bar.organisation_id or record.id for bar in record.bars),
    )


def _any_of(
    actor: Actor, permission: Permission, relation_sql: _RelationSql
) -> ColumnElement[bool]:
    granted = GRANTS[actor.role].get(permission, frozenset())
    return or_(false(), *[relation_sql(relation, actor) for relation in sorted(granted)])


def is_barred(
    actor: Actor, case_id: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]
) -> ColumnElement[bool]:
    """Say whether a bar keeps the actor, or their organisation, from the case."""
    return exists().where(Bar.case_id == case_id, *_bars(actor))


def emergency_until(actor: Actor, standing: CaseStanding | ReferralStanding) -> datetime | None:
    """Say until when a case is open to the actor in an emergency; none, where it is not.

    The row itself says who has opened it, so that only they cost the question.
    """
    if actor.id not in standing.broken_glass:
        return None
    return db.session.scalar(
        select(func.max(BrokenGlass.expires_at)).where(
            BrokenGlass.case_id == standing.subject.case_id, BrokenGlass.account_id == actor.id
        )
    )


def barred_cases(actor: Actor) -> frozenset[UUID]:
    """Name the cases that the actor may not know of: they are few, and for most there are none."""
    return frozenset(db.session.scalars(select(Bar.case_id).where(*_bars(actor))))


def _bars(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    whom = (Bar.account_id == _known(actor.id)) | (
        Bar.organisation_id == _known(actor.organisation_id)
    )
    return Bar.lifted_at.is_(None), whom


def _glass_broken(actor: Actor, case_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    return exists().where(
        BrokenGlass.case_id == case_id,
        BrokenGlass.account_id == _known(actor.id),
        BrokenGlass.expires_at > datetime.now(UTC),
    )


def _case_relation(relation: Relation, actor: Actor) -> ColumnElement[bool]:
    if relation is Relation.NATIONAL:
        return true()
    if relation is Relation.OWN_FLAG:
        return Case.flagged_by_id == _known(actor.id)
    if relation is Relation.ASSIGNED:
        return or_(Case.owner_id.is_(None), Case.owner_id.in_(looks_after(actor)))
    if relation is Relation.BROKEN_GLASS:
        return _glass_broken(actor, Case.id)
    return false()


def looks_after(actor: Actor) -> Select[UUID]:
    """Select the accounts whose cases the actor looks after: their own, and those of the absent."""
    me = _known(actor.id)
    absent = and_(Account.stand_in_id == me, Account.away_until > datetime.now(UTC))
    return select(Account.id).where(or_(Account.id == me, absent))


def _referral_relation(relation: Relation, actor: Actor) -> ColumnElement[bool]:
    if relation is Relation.NATIONAL:
        return true()
    if relation is Relation.BROKEN_GLASS:
        return _glass_broken(actor, Referral.case_id)
    received = Referral.organisation_id == _known(actor.organisation_id)
    if relation is Relation.RECEIVER:
        return received
    if relation is Relation.LIVE_RECEIVER:
        return and_(received, Referral.state.in_(LIVE_REFERRALS))
    if relation is Relation.ACCEPTED:
        return and_(received, Referral.state == ReferralState.ACCEPTED)
    return false()


def _account_relation(relation: Relation, actor: Actor) -> ColumnElement[bool]:
    others = Account.id != _known(actor.id)
    if relation is Relation.OTHERS_ACCOUNT:
        return others
    if relation is Relation.COLLEAGUE:
        same = Account.organisation_id == _known(actor.organisation_id)
        return and_(others, same, Account.role.not_in(APPOINTED))
    return false()


def _known(value: UUID | None) -> UUID:
    """Housekeeping has no id; it must match no row, never every row without one."""
    return value or UUID(int=0)
