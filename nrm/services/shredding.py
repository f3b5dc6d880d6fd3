"""Destroying the keys of a case, and again wherever an older database brings them back."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from nrm.audit.actions import Action
from nrm.db import Unit, db, empty_write_ahead_log, unit_of_work
from nrm.domain.erasure import Line
from nrm.domain.errors import Subject
from nrm.domain.lifecycle import Assistance, ErasureState
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import (
    Case,
    CaseKey,
    Erasure,
    FactsKey,
    SealedCompartment,
    SealedDocument,
    SealedFacts,
)
from nrm.services import document_files, erasure_list, follow_up, keys, search_index
from nrm.services.audit import record
from nrm.services.document_files import Moving

# How many cases one question to the database names.
_BATCH = 500


class Kept(Protocol):
    """Where an installation keeps what lies outside its database."""

    @property
    def erasures(self) -> Path:
        """The erasure list."""

    @property
    def documents(self) -> Path:
        """The folder of sealed documents."""


@dataclass(frozen=True)
class Replayed:
    """What carrying out a whole list again has done."""

    destroyed: int
    # Listed cases that this database does not know: it is older than they are, or another's.
    unknown: int


def destroy(unit: Unit, case_id: UUID, files: Moving) -> None:
    """Destroy a case's keys, its search tokens and its documents; sealed rows stay, unreadable."""
    # Held first: keys that the case is given at this very moment are destroyed as well.
    keys.held_keys(case_id)
    db.session.execute(delete(CaseKey).where(CaseKey.owner_id == case_id))
    db.session.execute(delete(FactsKey).where(FactsKey.case_id == case_id))
    search_index.forget(case_id)
    documents = delete(SealedDocument).where(SealedDocument.case_id == case_id)
    files.leave(db.session.scalars(documents.returning(SealedDocument.file_id)).all())
    unit.data_keys.clear()
    unit.newest.clear()


def listed(case_id: UUID, erased_at: datetime) -> Line:
    """Write down an erased case for the list, with the keys that its sealed rows still name."""
    case_keys = select(SealedCompartment.key_id).where(SealedCompartment.case_id == case_id)
    facts_keys = select(SealedFacts.key_id).where(SealedFacts.case_id == case_id)
    return Line(
        case_id,
        erased_at,
        sorted(set(db.session.scalars(case_keys))),
        sorted(set(db.session.scalars(facts_keys))),
    )


def reconcile(kept: Kept) -> int:
    """Let database and list name the same erasures; returns how many had to be done again.

    The list may lack one after a crash, the database after a restore. Raises DamagedListError.
    """
    known = erasure_list.read(kept.erasures)
    done = replay(known, kept).destroyed
    write_missing(kept)
    return done


def write_missing(kept: Kept) -> None:
    """Add to the list what the database knows as erased and the list does not."""
    known = erasure_list.read(kept.erasures)
    with unit_of_work():
        erased = (
            select(Case.id, Case.erased_at)
            .join(Erasure, Erasure.case_id == Case.id)
            .where(Erasure.state == ErasureState.DONE)
        )
        missing = [
            listed(case_id, erased_at)
            for case_id, erased_at in db.session.execute(erased).all()
            if erased_at is not None and case_id not in known
        ]
    erasure_list.append(kept.erasures, missing)
    if known or missing:
        empty_write_ahead_log()


def replay(lines: dict[UUID, Line], kept: Kept) -> Replayed:
    """Destroy the listed cases that this database could still open: each is an act of its own."""
    known, readable = _state_of(lines)
    for case_id in sorted(readable):
        _erase_again(lines[case_id], kept)
    return Replayed(len(readable), len(lines) - len(known))


def _state_of(case_ids: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Say which of these cases the database knows, and which of them it could open."""
    known: set[UUID] = set()
    readable: set[UUID] = set()
    with unit_of_work():
        for batch in _batches(sorted(case_ids)):
            rows = db.session.execute(select(Case.id, Case.erased_at).where(Case.id.in_(batch)))
            found = {row.id: row.erased_at for row in rows}
            keys = {
                *db.session.scalars(select(CaseKey.owner_id).where(CaseKey.owner_id.in_(batch))),
                *db.session.scalars(select(FactsKey.case_id).where(FactsKey.case_id.in_(batch))),
            }
            known |= {*found, *keys}
            readable |= keys | {case_id for case_id, erased in found.items() if erased is None}
    return known, readable


def _batches(case_ids: list[UUID]) -> Iterable[list[UUID]]:
    return (case_ids[at : at + _BATCH] for at in range(0, len(case_ids), _BATCH))


def _erase_again(line: Line, kept: Kept) -> None:
    """Carry out one erasure that a restored database has forgotten."""
    with document_files.moving(kept.documents) as files, unit_of_work() as unit:
        case = db.session.get(Case, line.case_id, with_for_update=True)
        destroy(unit, line.case_id, files)
        if case is not None:
            _mark(unit, case, line)
        subject = Subject("case", line.case_id, line.case_id)
        record(unit, HOUSEKEEPING, Action.ERASURE_REPLAY, subject)


def _mark(unit: Unit, case: Case, line: Line) -> None:
    """Let the case say again that it is erased; the copy may be from when it was still open."""
    case.erased_at = line.erased_at
    case.compared_at = case.compared_at or unit.now
    if case.assistance is not Assistance.CLOSED:
        follow_up.shut(unit, case)
    forgotten = select(Erasure).where(
        Erasure.case_id == case.id,
        Erasure.state.in_((ErasureState.ASKED, ErasureState.DONE)),
    )
    erasure = db.session.scalars(forgotten).one_or_none()
    if erasure is None:
        # Who had asked, and why, the copy does not know; the log that was kept elsewhere does.
        erasure = Erasure(id=uuid4(), case_id=case.id, reason="", asked_at=line.erased_at)
        db.session.add(erasure)
    erasure.state = ErasureState.DONE
    erasure.answered_at = erasure.answered_at or line.erased_at
