"""Reviewing emergency access: another person reads the reason, never the file, and judges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import aliased

from nrm.audit.actions import Action, Outcome
from nrm.db import Unit, db, unit_of_work
from nrm.domain.emergency import BREAK_GLASS
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import GLASS_VERDICT
from nrm.models import Account, AuditEntry, BrokenGlass, Case, Organisation
from nrm.services import notices, vault, visibility
from nrm.services.audit import record

MOST = 50
JUSTIFIED = "justified"


@dataclass(frozen=True)
class Opening:
    """One emergency access as the reviewer reads it; the file behind it stays closed."""

    glass: BrokenGlass
    case: Case
    who: str
    organisation: str
    reviewed_by: str
    overdue: bool


@dataclass(frozen=True)
class Review:
    """One emergency access whole: what was written for it, and how often what was opened."""

    opening: Opening
    words: str
    verdict_words: str
    # When something was opened under it, and which parts.
    openings: Sequence[tuple[datetime, str]]
    may_review: bool


def queue(actor: Actor, *, reviewed: bool = False) -> Sequence[Opening]:
    """List what waits for a review, the earliest due first; or what was reviewed, the latest."""
    require(actor, Permission.GLASS_REVIEW)
    waits = BrokenGlass.reviewed_at.is_(None)
    query = _openings(actor)
    query = (
        query.where(~waits).order_by(BrokenGlass.reviewed_at.desc(), BrokenGlass.id)
        if reviewed
        else query.where(waits).order_by(BrokenGlass.review_due_at, BrokenGlass.id)
    )
    with unit_of_work() as unit:
        rows = db.session.execute(query.limit(MOST)).all()
        record(unit, actor, Action.GLASS_OPEN, counts={"openings": len(rows)})
        return [_opening(unit, *row) for row in rows]


def read(actor: Actor, glass_id: UUID) -> Review:
    """Open one: who, when, on which case, the reason and the words, and what was then opened."""
    with unit_of_work() as unit:
        opening = _find(unit, actor, glass_id)
        glass, case = opening.glass, opening.case
        standing = visibility.glass_standing(glass, case)
        require(actor, Permission.GLASS_REVIEW, standing)
        words = _words(unit, actor, opening)
        openings = _opened(glass)
        record(unit, actor, Action.GLASS_OPEN, standing.subject)
        waits = glass.reviewed_at is None
        return Review(
            opening, words.get("break_glass", ""), words.get("glass_review", ""), openings, waits
        )


def review(
    actor: Actor, glass_id: UUID, verdict: str, words: str, *, form_id: UUID | None = None
) -> None:
    """Judge an emergency access of somebody else; of two reviewers, one is first."""
    if verdict not in GLASS_VERDICT:
        raise InvalidInputError("verdict", N_("Choose what you found."))
    if verdict != JUSTIFIED and not words.strip():
        raise InvalidInputError("words", N_("Write why, and what happens next."))
    with unit_of_work(actor, form_id) as unit:
        opening = _find(unit, actor, glass_id)
        standing = visibility.glass_standing(opening.glass, opening.case)
        require(actor, Permission.GLASS_REVIEW, standing)
        _judge(unit, actor, opening, verdict)
        vault.seal_note(
            unit,
            actor,
            opening.case.id,
            {"verdict": verdict, "words": words},
            kind="glass_review",
            compartment="emergency",
            subject_id=glass_id,
        )
        told = {opening.glass.account_id}
        notices.tell(unit, told, "glass_reviewed", glass_id, opening.case.id)
        subject = standing.subject
        record(unit, actor, Action.GLASS_REVIEW, subject, purpose=verdict, fields=["words"])
        unit.outcome = str(glass_id)


def _judge(unit: Unit, actor: Actor, opening: Opening, verdict: str) -> None:
    glass = opening.glass
    won = db.session.execute(
        update(BrokenGlass)
        .where(BrokenGlass.id == glass.id, BrokenGlass.reviewed_at.is_(None))
        .values(verdict=verdict, reviewed_by_id=actor.id, reviewed_at=unit.now)
        .execution_options(synchronize_session=False)
        .returning(BrokenGlass.id)
    ).one_or_none()
    if won is None:
        db.session.refresh(glass)
        by = db.session.get_one(Account, glass.reviewed_by_id)
        raise ConflictError(N_("This was reviewed already"), by.name, glass.reviewed_at)


def _words(unit: Unit, actor: Actor, opening: Opening) -> dict[str, str]:
    """Open what was written; of an erased case nobody can read it any more."""
    glass = opening.glass
    standing = visibility.glass_standing(glass, opening.case)
    if opening.case.erased_at is not None:
        return {}
    notes = vault.open_notes(unit, actor, glass.case_id, vault.GLASS_NOTES, standing)
    return {note.kind: str(document.get("words", "")) for note, document in notes}


def _opened(glass: BrokenGlass) -> list[tuple[datetime, str]]:
    """Read in the log what was opened under it: the parts, and never what stood there."""
    rows = db.session.execute(
        select(AuditEntry.occurred_at, AuditEntry.compartments)
        .where(
            AuditEntry.case_id == glass.case_id,
            AuditEntry.actor_id == glass.account_id,
            AuditEntry.purpose == BREAK_GLASS,
            AuditEntry.outcome == Outcome.DONE.value,
            AuditEntry.occurred_at >= glass.broken_at,
            AuditEntry.occurred_at <= glass.expires_at,
        )
        .order_by(AuditEntry.occurred_at)
        .limit(MOST)
    ).all()
    return [(moment, parts) for moment, parts in rows]


def _find(unit: Unit, actor: Actor, glass_id: UUID) -> Opening:
    require(actor, Permission.GLASS_REVIEW)
    row = db.session.execute(_openings(actor).where(BrokenGlass.id == glass_id)).one_or_none()
    if row is None:
        raise NotFoundError(Subject("glass"))
    return _opening(unit, *row)


def _openings(actor: Actor) -> Select[BrokenGlass, Case, str, str, str]:
    reviewer = aliased(Account)
    return (
        select(BrokenGlass, Case, Account.name, Organisation.name, reviewer.name)
        .join(Case, Case.id == BrokenGlass.case_id)
        .join(Account, Account.id == BrokenGlass.account_id)
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .outerjoin(reviewer, reviewer.id == BrokenGlass.reviewed_by_id)
        .where(~visibility.is_barred(actor, BrokenGlass.case_id))
    )


def _opening(
    unit: Unit, glass: BrokenGlass, case: Case, who: str, organisation: str | None, by: str | None
) -> Opening:
    overdue = glass.reviewed_at is None and glass.review_due_at < unit.now
    return Opening(glass, case, who, organisation or "", by or "", overdue)
