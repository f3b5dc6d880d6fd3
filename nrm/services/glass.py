"""Emergency access: what is closed opens at once to one person, and somebody else reviews it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.emergency import BREAK_GLASS, closes_at, review_due_at
from nrm.domain.errors import ConflictError, InvalidInputError, Subject
from nrm.domain.policy import CaseStanding, ReferralStanding, relations, require
from nrm.domain.roles import GRANTS, HOUSEKEEPING, Actor, Permission, Relation, Role
from nrm.domain.text import N_
from nrm.domain.vocabulary import GLASS_REASON
from nrm.models import BrokenGlass, Case
from nrm.services import notices, vault, visibility
from nrm.services.audit import record

# The reviews of so many overdue openings are reported in one round.
ROUND = 100


@dataclass(frozen=True)
class Door:
    """What is closed to the actor on one case, and how it stands with opening it at once."""

    # The case's reference, or the referral's: whatever the actor knows it by.
    reference: str
    # What opens.
    compartments: tuple[str, ...]
    # Until when it is open; none, while it is closed.
    until: datetime | None = None
    opened: Mapping[str, Mapping[str, Any]] | None = None


def at_case(actor: Actor, reference: str) -> Door:
    """Stand before a case: a coordinator's, or one's own flag; shows what is open in emergency."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.GLASS_BREAK)
        standing = visibility.case_standing(case)
        door = _door(unit, actor, case.reference, standing)
        if door.until is not None:
            record(unit, actor, Action.COMPARTMENT_OPEN, standing.subject, purpose=BREAK_GLASS)
        return door


def at_referral(actor: Actor, reference: str) -> Door:
    """Stand before a referral that one's organisation received, whatever became of it."""
    with unit_of_work() as unit:
        referral = visibility.referral(actor, reference)
        standing = visibility.referral_standing(referral)
        door = _door(unit, actor, referral.reference, standing)
        if door.until is not None:
            record(unit, actor, Action.COMPARTMENT_OPEN, standing.subject, purpose=BREAK_GLASS)
        return door


def break_case(
    actor: Actor, reference: str, reason: str, words: str, *, form_id: UUID | None = None
) -> None:
    """Open at once what is closed of a case; its owner and who reviews it are told with it."""
    _check(reason, words)
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.GLASS_BREAK, lock=True)
        subject = _break(unit, actor, case, visibility.case_standing(case), reason, words)
        record(unit, actor, Action.GLASS_BREAK, subject, purpose=reason, fields=["words"])
        unit.outcome = case.reference


def break_referral(
    actor: Actor, reference: str, reason: str, words: str, *, form_id: UUID | None = None
) -> None:
    """Open at once who a person is that one's organisation was once asked to help."""
    _check(reason, words)
    with unit_of_work(actor, form_id) as unit:
        case_id = visibility.referral(actor, reference).case_id
        case = db.session.get_one(Case, case_id, with_for_update=True)
        # Whoever waited for the case may have been kept out of it meanwhile.
        db.session.expire_all()
        referral = visibility.referral(actor, reference)
        standing = visibility.referral_standing(referral)
        subject = _break(unit, actor, case, standing, reason, words)
        record(unit, actor, Action.GLASS_BREAK, subject, purpose=reason, fields=["words"])
        unit.outcome = referral.reference


def _check(reason: str, words: str) -> None:
    if reason not in GLASS_REASON:
        raise InvalidInputError("reason", N_("Choose what the emergency is."))
    if not words.strip():
        raise InvalidInputError("words", N_("Write what happened. Somebody else will read it."))


def _break(
    unit: Unit,
    actor: Actor,
    case: Case,
    standing: CaseStanding | ReferralStanding,
    reason: str,
    words: str,
) -> Subject:
    require(actor, Permission.GLASS_BREAK, standing)
    if actor.id is None or actor.id in standing.broken_glass:
        raise ConflictError(N_("This is open to you already."))
    glass = BrokenGlass(
        id=uuid4(),
        case_id=case.id,
        account_id=actor.id,
        reason=reason,
        broken_at=unit.now,
        expires_at=closes_at(unit.now),
        review_due_at=review_due_at(unit.now),
    )
    db.session.add(glass)
    db.session.flush()
    vault.seal_note(
        unit,
        actor,
        case.id,
        {"reason": reason, "words": words},
        kind="break_glass",
        compartment="emergency",
        subject_id=glass.id,
    )
    told = set(_who_looks_after(case)) | set(notices.everyone_in(Role.AUDITOR))
    notices.tell(unit, told - {actor.id}, "glass_broken", glass.id, case.id)
    return Subject("glass", glass.id, case.id)


def _who_looks_after(case: Case) -> Sequence[UUID]:
    """Name the owner and who stands in for them; every coordinator, where the case is nobody's."""
    if case.owner_id is None:
        return notices.everyone_in(Role.COORDINATOR)
    return [one for one in (case.owner_id, case.deputy_id) if one is not None]


def _door(
    unit: Unit, actor: Actor, reference: str, standing: CaseStanding | ReferralStanding
) -> Door:
    require(actor, Permission.GLASS_BREAK, standing)
    compartments = _opens(actor, standing)
    until = visibility.emergency_until(actor, standing)
    case_id = standing.subject.case_id
    if until is None or case_id is None:
        return Door(reference, compartments)
    opened = vault.open_compartments(unit, actor, case_id, dict.fromkeys(compartments, standing))
    return Door(reference, compartments, until, opened)


def _opens(actor: Actor, standing: CaseStanding | ReferralStanding) -> tuple[str, ...]:
    """Name the compartments that an emergency opens, and nothing else that the actor holds."""
    granted = GRANTS.get(actor.role, {})
    others = relations(actor, standing) - {Relation.BROKEN_GLASS}
    return tuple(
        name
        for name in vault.CASE_COMPARTMENTS
        if Relation.BROKEN_GLASS in granted.get(vault.PERMISSION[name], ())
        and not granted[vault.PERMISSION[name]] & others
    )


def escalate() -> int:
    """Tell coordinators and reviewers of each review that is overdue, once; returns how many.

    Administrators are not told: they learn nothing of any case, not even that there is one.
    """
    with unit_of_work() as unit:
        late = db.session.scalars(
            select(BrokenGlass.id)
            .where(
                BrokenGlass.reviewed_at.is_(None),
                BrokenGlass.escalated_at.is_(None),
                BrokenGlass.review_due_at < unit.now,
            )
            .order_by(BrokenGlass.review_due_at, BrokenGlass.id)
            .limit(ROUND)
        ).all()
    return sum(_escalate_one(glass_id) for glass_id in late)


def _escalate_one(glass_id: UUID) -> int:
    with unit_of_work() as unit:
        moved = db.session.execute(
            update(BrokenGlass)
            .where(
                BrokenGlass.id == glass_id,
                BrokenGlass.reviewed_at.is_(None),
                BrokenGlass.escalated_at.is_(None),
            )
            .values(escalated_at=unit.now)
            .execution_options(synchronize_session=False)
            .returning(BrokenGlass.case_id, BrokenGlass.account_id)
        ).one_or_none()
        # Another round of housekeeping, or a reviewer, was faster.
        if moved is None:
            return 0
        case_id, account_id = moved
        told = {*notices.everyone_in(Role.AUDITOR, Role.COORDINATOR)} - {account_id}
        notices.tell(unit, told, "glass_overdue", glass_id, case_id)
        record(unit, HOUSEKEEPING, Action.GLASS_ESCALATE, Subject("glass", glass_id, case_id))
        return 1
