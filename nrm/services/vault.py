"""The vault: the only place that seals and opens. Nothing decrypts by accident.

Every opening asks the policy first and leaves its trace in the unit of work, which refuses to
commit, and so to show anything, until the act has its entry in the log.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID, uuid4

from sqlalchemy import Select, String, delete, select, type_coerce, update
from sqlalchemy.engine import CursorResult, Result

from nrm.audit.entry import RowTouched
from nrm.db import Unit, db
from nrm.domain.errors import ConflictError, DamagedError, LockedError, Subject
from nrm.domain.policy import CaseStanding, GlassStanding, ReferralStanding, require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.models import (
    Case,
    CaseKey,
    CompartmentHead,
    FactsHead,
    FactsKey,
    FlagDraft,
    Referral,
    SealedCompartment,
    SealedDocument,
    SealedDraft,
    SealedEnvelope,
    SealedFacts,
    SealedFactsEvent,
    SealedNote,
)
from nrm.models.sealed import SealedRow
from nrm.security.keyring import Keyring, Purpose
from nrm.security.sealing import Document, Place, compartment_key, seal, unseal
from nrm.services import keys

# The compartments under the case key; facts are under a key of their own.
CASE_COMPARTMENTS = ("identity", "contact", "narrative", "health", "enforcement")
FACTS = "facts"

PERMISSION = {
    "identity": Permission.COMPARTMENT_IDENTITY,
    "contact": Permission.COMPARTMENT_CONTACT,
    "narrative": Permission.COMPARTMENT_NARRATIVE,
    "health": Permission.COMPARTMENT_HEALTH,
    "enforcement": Permission.COMPARTMENT_ENFORCEMENT,
    FACTS: Permission.COMPARTMENT_FACTS,
}


# Who may open notes, by what they belong to; and the kinds that a reviewer reads.
_NOTES_NEED: dict[type, Permission] = {
    CaseStanding: Permission.CASE_VIEW,
    ReferralStanding: Permission.REFERRAL_VIEW,
    GlassStanding: Permission.GLASS_REVIEW,
}
GLASS_NOTES = ("break_glass", "glass_review")


class CaseRow(NamedTuple):
    """What stands in clear of a case that is one of many."""

    id: UUID
    reference: str
    flagged_at: datetime
    closed_at: datetime | None


class _Plain(NamedTuple):
    """A sealed row with its wrapped key as plain columns; what is missing was not there."""

    row_id: UUID | None
    revision: int | None
    key_id: int | None
    sealed: bytes | None
    ring_id: int | None
    wrapped: bytes | None


# Who flagged it comes as the database has it: as an id it is made once, not thousands of times.
_CASE_COLUMNS = (
    type_coerce(Case.flagged_by_id, String).label("flagged_by"),
    *(getattr(Case, name) for name in CaseRow._fields),
)


def open_compartments(
    unit: Unit,
    actor: Actor,
    case_id: UUID,
    standings: Mapping[str, CaseStanding | ReferralStanding],
) -> dict[str, Document]:
    """Open compartments of one case, each for the standing that the actor has towards it."""
    for compartment, standing in standings.items():
        require(actor, PERMISSION[compartment], standing)
    rows = db.session.execute(
        select(SealedCompartment, CaseKey)
        .join(
            CompartmentHead,
            (CompartmentHead.row_id == SealedCompartment.row_id)
            & (CompartmentHead.current_revision == SealedCompartment.revision),
        )
        .outerjoin(CaseKey, CaseKey.id == SealedCompartment.key_id)
        .where(CompartmentHead.case_id == case_id)
        .where(CompartmentHead.compartment.in_(tuple(standings)))
    ).all()
    _all_there(rows, standings)
    return {
        sealed.compartment: _open(unit, case_id, sealed.compartment, sealed, key)
        for sealed, key in rows
    }


def open_across(
    unit: Unit,
    actor: Actor,
    compartment: str,
    cases: Select[Case],
    damaged: list[UUID] | None = None,
) -> list[tuple[CaseRow, Document]]:
    """Open one compartment of every case that a query names, be they three or three thousand.

    One statement and plain rows, because a search opens many at once. Whoever hands over a list
    of what is `damaged` has it filled with the cases that do not open; else they refuse the act.
    """
    # All at once and past the session, which would double the time that thousands of rows take.
    rows = db.session.connection().execute(_plain_rows(cases, compartment)).all()
    opened, ring = [], keys.keyring()
    permitted: set[object] = set()
    for flagged_by, case_id, reference, flagged_at, closed_at, *sealed in rows:
        # Who flagged it is all that the policy asks of a case, and the answer is the same.
        if flagged_by not in permitted:
            standing = CaseStanding(Subject("case", case_id, case_id), UUID(str(flagged_by)))
            require(actor, PERMISSION[compartment], standing)
            permitted.add(flagged_by)
        case = CaseRow(case_id, reference, flagged_at, closed_at)
        try:
            plain = _Plain(*sealed)
            # Another process may have made a new master key a moment ago.
            if plain.ring_id is not None and plain.ring_id not in ring.masters:
                ring = keys.look_again()
            opened.append((case, _open_plain(unit, ring, case.id, compartment, plain)))
        except (DamagedError, LockedError):
            if damaged is None:
                raise
            damaged.append(case.id)
    if damaged and not opened:
        # Where nothing opens at all, it is the keys that are missing.
        raise LockedError("no case opens")
    return opened


def _plain_rows(cases: Select[Case], compartment: str) -> Select[Any]:
    """Select cases with the current row of a compartment and its key, as far as they exist."""
    return (
        cases.with_only_columns(
            *_CASE_COLUMNS,
            CompartmentHead.row_id,
            SealedCompartment.revision,
            SealedCompartment.key_id,
            SealedCompartment.sealed,
            CaseKey.ring_id,
            CaseKey.wrapped,
        )
        .outerjoin(
            CompartmentHead,
            (CompartmentHead.case_id == Case.id) & (CompartmentHead.compartment == compartment),
        )
        .outerjoin(
            SealedCompartment,
            (SealedCompartment.row_id == CompartmentHead.row_id)
            & (SealedCompartment.revision == CompartmentHead.current_revision),
        )
        .outerjoin(CaseKey, CaseKey.id == SealedCompartment.key_id)
    )


def open_facts(
    unit: Unit, actor: Actor, standings: Mapping[UUID, CaseStanding]
) -> dict[UUID, Document]:
    """Open the facts of exactly these cases: one file, or the rows that a list shows."""
    for standing in standings.values():
        require(actor, Permission.COMPARTMENT_FACTS, standing)
    if not standings:
        return {}
    rows = db.session.execute(
        select(SealedFacts, FactsKey)
        .join(
            FactsHead,
            (FactsHead.row_id == SealedFacts.row_id)
            & (FactsHead.current_revision == SealedFacts.revision),
        )
        .outerjoin(FactsKey, FactsKey.id == SealedFacts.key_id)
        .where(FactsHead.case_id.in_(tuple(standings)))
    ).all()
    _all_there(rows, standings)
    return {
        sealed.case_id: _open(unit, sealed.case_id, FACTS, sealed, key, Purpose.FACTS)
        for sealed, key in rows
    }


def open_envelopes(
    unit: Unit, actor: Actor, standings: Mapping[UUID, CaseStanding | ReferralStanding]
) -> dict[UUID, Document]:
    """Open the envelopes of these referrals, by referral id.

    The receiving organisation opens them while the referral is live; the coordinator, whose
    words they hold, as part of the case.
    """
    for standing in standings.values():
        if isinstance(standing, ReferralStanding):
            require(actor, Permission.ENVELOPE_OPEN, standing)
        else:
            require(actor, Permission.CASE_VIEW, standing)
    if not standings:
        return {}
    rows = db.session.execute(
        select(SealedEnvelope, CaseKey)
        .outerjoin(CaseKey, CaseKey.id == SealedEnvelope.key_id)
        .where(SealedEnvelope.referral_id.in_(tuple(standings)))
    ).all()
    _all_there(rows, standings)
    return {
        sealed.referral_id: _open(unit, sealed.case_id, "envelope", sealed, key)
        for sealed, key in rows
    }


def open_notes(
    unit: Unit,
    actor: Actor,
    case_id: UUID,
    kinds: Sequence[str],
    standing: CaseStanding | ReferralStanding | GlassStanding,
    subject_ids: Iterable[UUID] | None = None,
) -> list[tuple[SealedNote, Document]]:
    """Open notes of one case by kind: the coordinator all, a provider its own referral's.

    Whoever reviews an emergency access opens what was written for it, and nothing of the file.
    """
    if isinstance(standing, GlassStanding):
        kinds = [kind for kind in kinds if kind in GLASS_NOTES]
        subject_ids = [one for one in (standing.subject.id,) if one is not None]
    require(actor, _NOTES_NEED[type(standing)], standing)
    query = (
        select(SealedNote, CaseKey)
        .outerjoin(CaseKey, CaseKey.id == SealedNote.key_id)
        .where(SealedNote.case_id == case_id, SealedNote.kind.in_(kinds))
        .order_by(SealedNote.written_at, SealedNote.row_id)
    )
    if subject_ids is not None:
        query = query.where(SealedNote.subject_id.in_(tuple(subject_ids)))
    return [
        (sealed, _open(unit, case_id, sealed.compartment, sealed, key))
        for sealed, key in db.session.execute(query).all()
    ]


def seal_new_case(unit: Unit, case: Case, documents: Mapping[str, Document]) -> None:
    """Create a case's keys and all its compartments, empty ones too: absence tells nothing."""
    keys.new_case_key(unit, case.id)
    keys.new_facts_key(unit, case.id)
    for compartment in CASE_COMPARTMENTS:
        head = CompartmentHead(
            row_id=uuid4(), case_id=case.id, compartment=compartment, current_revision=1
        )
        row = SealedCompartment(
            row_id=head.row_id, case_id=case.id, compartment=compartment, revision=1
        )
        db.session.add(head)
        _seal(unit, case.id, compartment, row, documents.get(compartment, {}))
    facts_head = FactsHead(row_id=uuid4(), case_id=case.id, current_revision=1)
    facts = SealedFacts(row_id=facts_head.row_id, case_id=case.id, revision=1)
    db.session.add(facts_head)
    _seal(unit, case.id, FACTS, facts, documents.get(FACTS, {}), Purpose.FACTS)


def seal_facts(unit: Unit, case_id: UUID, document: Document) -> None:
    """Save a case's facts as a new revision; raises ConflictError if another was faster."""
    head = db.session.scalars(select(FactsHead).where(FactsHead.case_id == case_id)).one()
    revision = head.current_revision + 1
    moved = db.session.execute(
        update(FactsHead)
        .where(FactsHead.row_id == head.row_id, FactsHead.current_revision == revision - 1)
        .values(current_revision=revision)
    )
    _one_winner(moved)
    row = SealedFacts(row_id=head.row_id, case_id=case_id, revision=revision)
    _seal(unit, case_id, FACTS, row, document, Purpose.FACTS)


def append_facts_event(unit: Unit, case_id: UUID, document: Document) -> None:
    """Add a counted act for the statistics; nothing is opened and no time is kept."""
    row = SealedFactsEvent(row_id=uuid4(), case_id=case_id, revision=1)
    _seal(unit, case_id, "facts_event", row, document, Purpose.FACTS)


def seal_envelope(unit: Unit, referral: Referral, document: Document) -> None:
    """Seal what the provider may know before it answers."""
    row = SealedEnvelope(
        row_id=uuid4(), case_id=referral.case_id, referral_id=referral.id, revision=1
    )
    _seal(unit, referral.case_id, "envelope", row, document)


def seal_note(
    unit: Unit,
    actor: Actor,
    case_id: UUID,
    document: Document,
    *,
    kind: str,
    compartment: str,
    subject_id: UUID,
) -> UUID:
    """Seal words or codes that belong to one act; returns the note's row id."""
    row = SealedNote(
        row_id=uuid4(),
        revision=1,
        case_id=case_id,
        compartment=compartment,
        kind=kind,
        subject_id=subject_id,
        written_by_id=actor.id,
        written_at=unit.now,
    )
    _seal(unit, case_id, compartment, row, document)
    return row.row_id


def seal_document(
    unit: Unit,
    actor: Actor,
    standing: CaseStanding,
    document: Document,
    *,
    compartment: str,
    file_id: UUID,
) -> SealedDocument:
    """Seal what an attached document is, and with it the only copy of its file's key."""
    require(actor, PERMISSION[compartment], standing)
    case_id = _case_id(standing)
    row = SealedDocument(
        row_id=uuid4(),
        revision=1,
        case_id=case_id,
        compartment=compartment,
        file_id=file_id,
        added_by_id=actor.id,
        added_at=unit.now,
    )
    _seal(unit, case_id, compartment, row, document)
    return row


def open_documents(
    unit: Unit,
    actor: Actor,
    standing: CaseStanding,
    compartments: Collection[str],
    row_id: UUID | None = None,
) -> list[tuple[SealedDocument, Document]]:
    """Open what the documents of these compartments are, oldest first; their files stay closed."""
    require(actor, Permission.DOCUMENT_OPEN, standing)
    for compartment in compartments:
        require(actor, PERMISSION[compartment], standing)
    case_id = _case_id(standing)
    query = (
        select(SealedDocument, CaseKey)
        .outerjoin(CaseKey, CaseKey.id == SealedDocument.key_id)
        .where(SealedDocument.case_id == case_id, SealedDocument.compartment.in_(compartments))
        .order_by(SealedDocument.added_at, SealedDocument.row_id)
    )
    if row_id is not None:
        query = query.where(SealedDocument.row_id == row_id)
    return [
        (sealed, _open(unit, case_id, sealed.compartment, sealed, key))
        for sealed, key in db.session.execute(query).all()
    ]


def seal_draft(unit: Unit, draft: FlagDraft, document: Document) -> None:
    """Save a draft as a new revision; raises ConflictError if another window was faster."""
    revision = draft.current_revision + 1
    if draft.current_revision == 0:
        keys.new_case_key(unit, draft.id)
    moved = db.session.execute(
        update(FlagDraft)
        .where(FlagDraft.id == draft.id, FlagDraft.current_revision == draft.current_revision)
        .values(current_revision=revision, saved_at=unit.now)
    )
    _one_winner(moved)
    row = SealedDraft(row_id=draft.id, revision=revision, draft_id=draft.id)
    _seal(unit, draft.id, "draft", row, document)


def open_draft(unit: Unit, draft: FlagDraft) -> Document:
    """Open the writer's own draft; whose it is, the caller has already asked of the database."""
    rows = db.session.execute(
        select(SealedDraft, CaseKey)
        .outerjoin(CaseKey, CaseKey.id == SealedDraft.key_id)
        .where(SealedDraft.row_id == draft.id, SealedDraft.revision == draft.current_revision)
    ).all()
    _all_there(rows, [draft.id])
    ((sealed, key),) = rows
    return _open(unit, draft.id, "draft", sealed, key)


def destroy_draft(draft: FlagDraft) -> None:
    """Destroy a draft with its key: what was typed and not sent cannot be read again."""
    db.session.execute(delete(CaseKey).where(CaseKey.owner_id == draft.id))
    db.session.execute(delete(SealedDraft).where(SealedDraft.draft_id == draft.id))
    db.session.execute(delete(FlagDraft).where(FlagDraft.id == draft.id))


def _case_id(standing: CaseStanding) -> UUID:
    if standing.subject.case_id is None:
        raise LockedError("a case without an id has no key")
    return standing.subject.case_id


def _all_there(rows: Sequence[object], wanted: Collection[object]) -> None:
    """Refuse to take a row that somebody removed for one that was never written."""
    if len(rows) != len(wanted):
        raise DamagedError("a sealed row is missing")


def _open(
    unit: Unit,
    owner_id: UUID,
    compartment: str,
    row: SealedRow,
    key_row: CaseKey | FactsKey | None,
    purpose: Purpose = Purpose.CASE,
) -> Document:
    if key_row is None:
        raise LockedError("the key is gone")
    key = keys.data_key(unit, purpose, owner_id, key_row)
    place = _place(row, compartment, row.key_id)
    document = unseal(compartment_key(key, compartment), place, row.sealed)
    unit.rows.append(RowTouched(place.row_id, place.revision))
    unit.compartments.add(compartment)
    return document


def _open_plain(
    unit: Unit, ring: Keyring, case_id: UUID, compartment: str, row: _Plain
) -> Document:
    if row.row_id is None or row.revision is None or row.key_id is None or row.sealed is None:
        raise DamagedError("a sealed row is missing")
    if row.ring_id is None or row.wrapped is None:
        raise LockedError("the key is gone")
    key = ring.unwrap(Purpose.CASE, case_id, row.ring_id, row.wrapped)
    table = SealedCompartment.__tablename__
    place = Place(table, row.row_id, compartment, row.revision, row.key_id)
    document = unseal(compartment_key(key, compartment), place, row.sealed)
    unit.rows.append(RowTouched(row.row_id, row.revision))
    unit.compartments.add(compartment)
    return document


def _seal(
    unit: Unit,
    owner_id: UUID,
    compartment: str,
    row: SealedRow,
    document: Document,
    purpose: Purpose = Purpose.CASE,
) -> None:
    key_id, key = keys.newest_key(unit, purpose, owner_id)
    place = _place(row, compartment, key_id)
    sealed = seal(compartment_key(key, compartment), place, document)
    row.key_id, row.sealed = key_id, sealed
    db.session.add(row)
    sha256 = hashlib.sha256(sealed).hexdigest()
    unit.rows.append(RowTouched(place.row_id, place.revision, sha256))
    unit.compartments.add(compartment)


def _place(row: SealedRow, compartment: str, key_id: int) -> Place:
    table: str = row.__tablename__  # type: ignore[attr-defined]
    return Place(table, row.row_id, compartment, row.revision, key_id)


def _one_winner(result: Result[Any]) -> None:
    """Refuse a save that was prepared on an older revision than the one now stored."""
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise ConflictError(N_("This was saved from another window while you were writing."))
