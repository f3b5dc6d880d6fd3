"""Whether a flagged person is known already: housekeeping looks, the coordinator alone is told.

Nothing is compared while a flag is being sent, so that whoever sends it learns nothing, not even
by how long it takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select, update

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain import names
from nrm.domain.errors import DamagedError, LockedError
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission
from nrm.models import Case
from nrm.services import search, vault, visibility
from nrm.services.audit import record
from nrm.services.search import Match, Reason

# Notes about likeness have a key of their own, so that the log never takes one for the identity.
_COMPARISON = "comparison"
# How many cases one round compares: the rest of housekeeping must get its turn.
ROUND = 200
# A notice is worth the coordinator's time from here on; the search page shows weaker ones too.
STRONG = 0.92
# Nobody reads through more files than these; with a common name the search page shows them all.
MOST = 50

# Written past the mapped class, whose version would tell the coordinator of a change by someone.
_CASES = cast("Table", Case.__table__)


@dataclass(frozen=True)
class Alike:
    """Another file, perhaps of the same person, and what speaks for it."""

    case: Case
    reason: Reason
    likeness: float


@dataclass(frozen=True)
class Result:
    """What the newest comparison of a case found, most alike first."""

    looked_at: datetime
    alike: Sequence[Alike]


@dataclass(frozen=True)
class Compared:
    """What one round of comparing did; what could not be opened is tried again next time."""

    done: int = 0
    failed: int = 0


def run(actor: Actor, reference: str, *, form_id: UUID | None = None) -> str:
    """Look again whether the person is known already; returns the case's reference."""
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_COMPARE, lock=True)
        counts = {"alike": _compare(unit, actor, case)}
        record(unit, actor, Action.CASE_COMPARE, visibility.case_subject(case), counts=counts)
        unit.outcome = case.reference
        return case.reference


def compare_new() -> Compared:
    """Compare the cases that nobody compared yet, newest first, each in an act of its own."""
    waiting = (
        select(Case.id)
        .where(Case.compared_at.is_(None), Case.erased_at.is_(None))
        .order_by(Case.flagged_at.desc(), Case.id.desc())
        .limit(ROUND)
    )
    case_ids = db.session.scalars(waiting).all()
    db.session.rollback()
    done, failed = 0, 0
    for case_id in case_ids:
        try:
            done += _compare_once(case_id)
        except (DamagedError, LockedError):
            # One file that does not open must not keep all the others from being compared.
            failed += 1
    return Compared(done, failed)


def result(unit: Unit, actor: Actor, case: Case) -> Result | None:
    """Open what the newest comparison found, as far as the actor may see it; None before it."""
    if case.compared_at is None:
        return None
    standing = visibility.case_standing(case)
    notes = vault.open_notes(unit, actor, case.id, [_COMPARISON], standing)
    if not notes:
        return None
    note, document = notes[-1]
    found = {UUID(alike["case"]): alike for alike in document["alike"]}
    cases = _still_there(actor, list(found))
    return Result(
        note.written_at,
        [
            Alike(cases[case_id], Reason(alike["reason"]), alike["likeness"])
            for case_id, alike in found.items()
            if case_id in cases
        ],
    )


def _still_there(actor: Actor, case_ids: list[UUID]) -> dict[UUID, Case]:
    """Fetch the cases that a note names; of an erased one nothing is told any more."""
    if not case_ids:
        return {}
    query = visibility.visible_cases(actor, Permission.CASE_VIEW).where(
        Case.id.in_(case_ids), Case.erased_at.is_(None)
    )
    return {case.id: case for case in db.session.scalars(query)}


def _compare_once(case_id: UUID) -> int:
    """Compare one case, unless another machine does so or has done so meanwhile."""
    with unit_of_work() as unit:
        case = db.session.scalars(
            select(Case)
            .where(Case.id == case_id, Case.compared_at.is_(None), Case.erased_at.is_(None))
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if case is None:
            return 0
        counts = {"alike": _compare(unit, HOUSEKEEPING, case)}
        subject = visibility.case_subject(case)
        record(unit, HOUSEKEEPING, Action.CASE_COMPARE, subject, counts=counts)
        return 1


def _compare(unit: Unit, actor: Actor, case: Case) -> int:
    """Look for other files of the person and seal the answer; returns how many there are.

    A note is written either way: its absence would tell a thief of the database who is unknown.
    """
    alike = _strong(search.like_this(unit, actor, case.id), _found_with(case))[:MOST]
    vault.seal_note(
        unit,
        actor,
        case.id,
        {"alike": [_noted(match) for match in alike]},
        kind=_COMPARISON,
        compartment=_COMPARISON,
        subject_id=case.id,
    )
    db.session.execute(update(_CASES).where(_CASES.c.id == case.id).values(compared_at=unit.now))
    return len(alike)


def _found_with(case: Case) -> frozenset[UUID]:
    """Name the cases of people found at the same place.

    Somebody saw that they are several people; they often share the telephone of one of them.
    """
    return frozenset(
        db.session.scalars(select(Case.id).where(Case.incident_id == case.incident_id))
    )


def _strong(matches: Sequence[Match], found_with: frozenset[UUID]) -> list[Match]:
    """Keep what is worth a notice: the same number, or two names that are very alike."""
    return [
        match
        for match in matches
        if (
            match.case_id not in found_with
            if match.reason is Reason.SAME_IDENTIFIER
            else match.likeness >= STRONG and len(names.parts(match.names)) > 1
        )
    ]


def _noted(match: Match) -> dict[str, str | float]:
    return {
        "case": str(match.case_id),
        "reason": match.reason.value,
        "likeness": round(match.likeness, 3),
    }
