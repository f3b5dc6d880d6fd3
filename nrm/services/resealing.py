"""Sealing one case anew under new keys: after a break-in, or when someone with a copy has left.

Nothing is shown to anybody and no word is changed; each row keeps its place and its revision. The
log gets the new hash of every row, so that it still says what must be stored.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast
from uuid import UUID

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.audit.entry import RowTouched
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import LockedError, NotFoundError, RefusedError, Subject
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import (
    Case,
    CaseKey,
    FactsKey,
    SealedCompartment,
    SealedDocument,
    SealedEnvelope,
    SealedFacts,
    SealedFactsEvent,
    SealedNote,
)
from nrm.security.keyring import Purpose
from nrm.security.sealing import Place, compartment_key, seal, unseal
from nrm.services import documents, keys
from nrm.services.audit import record
from nrm.services.document_files import Moving, moving

_ERASED = "the case was erased: it has no keys any more"

_CaseRow: TypeAlias = (
    SealedCompartment
    | SealedDocument
    | SealedEnvelope
    | SealedFacts
    | SealedFactsEvent
    | SealedNote
)
_OldKeys: TypeAlias = dict[tuple[Purpose, int], CaseKey | FactsKey]


@dataclass(frozen=True)
class Kind:
    """A table of sealed rows: under which key they are, and as which compartment if all as one."""

    model: type[_CaseRow]
    purpose: Purpose = Purpose.CASE
    compartment: str = ""


# Every table in which a case has sealed rows.
KINDS = (
    Kind(SealedCompartment),
    Kind(SealedNote),
    Kind(SealedDocument),
    Kind(SealedEnvelope, compartment="envelope"),
    Kind(SealedFacts, Purpose.FACTS, "facts"),
    Kind(SealedFactsEvent, Purpose.FACTS, "facts_event"),
)


def rekey(reference: str, folder: Path) -> int:
    """Give a case new keys, seal all of it under them, destroy the old; returns how many rows.

    `folder` is that of the documents, whose files get new keys of their own.
    """
    with moving(folder) as files, unit_of_work() as unit:
        case = _case(reference)
        # Held before any row is read: nobody seals into the case now, and the next to do so does
        # it under the new keys.
        old = _held_keys(case.id)
        keys.new_case_key(unit, case.id)
        keys.new_facts_key(unit, case.id)
        for kind in KINDS:
            for row in db.session.scalars(select(kind.model).filter_by(case_id=case.id)):
                _reseal(unit, kind, cast("_CaseRow", row), old, files)
        for key_row in old.values():
            db.session.delete(key_row)
        resealed = len(unit.rows)
        record(unit, HOUSEKEEPING, Action.CASE_REKEY, Subject("case", case.id, case.id))
    return resealed


def _case(reference: str) -> Case:
    case = db.session.scalars(select(Case).where(Case.reference == reference)).one_or_none()
    if case is None:
        raise NotFoundError(Subject("case"))
    if case.erased_at is not None:
        raise RefusedError(_ERASED)
    return case


def _held_keys(case_id: UUID) -> _OldKeys:
    """Hold the case's keys until the act is done, by purpose and id."""
    case_keys = keys.held_keys(case_id)
    if not case_keys:
        raise RefusedError(_ERASED)
    facts_keys = db.session.scalars(select(FactsKey).where(FactsKey.case_id == case_id))
    old: _OldKeys = {(Purpose.CASE, row.id): row for row in case_keys}
    return old | {(Purpose.FACTS, row.id): row for row in facts_keys}


def _reseal(unit: Unit, kind: Kind, row: _CaseRow, old: _OldKeys, files: Moving) -> None:
    key_row = old.get((kind.purpose, row.key_id))
    if key_row is None:
        raise LockedError("the key is gone")
    old_key = keys.data_key(unit, kind.purpose, row.case_id, key_row)
    compartment = kind.compartment or _compartment(row)
    document = unseal(compartment_key(old_key, compartment), _place(row, compartment), row.sealed)
    if isinstance(row, SealedDocument):
        row.file_id, document = documents.sealed_anew(files, row.file_id, document)
    row.key_id, new_key = keys.newest_key(unit, kind.purpose, row.case_id)
    row.sealed = seal(compartment_key(new_key, compartment), _place(row, compartment), document)
    unit.rows.append(RowTouched(row.row_id, row.revision, hashlib.sha256(row.sealed).hexdigest()))
    unit.compartments.add(compartment)


def _compartment(row: _CaseRow) -> str:
    """Say the compartment of a row that bears it."""
    if isinstance(row, SealedCompartment | SealedDocument | SealedNote):
        return row.compartment
    raise LockedError("a sealed row names no compartment")


def _place(row: _CaseRow, compartment: str) -> Place:
    return Place(row.__tablename__, row.row_id, compartment, row.revision, row.key_id)
