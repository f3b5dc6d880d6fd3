"""Documents of a case: added, listed, opened and removed, by compartment."""

import base64
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.document import KINDS, MOST_DOCUMENTS, Kind, title_of
from nrm.domain.errors import (
    IllegalStepError,
    InvalidInputError,
    NotFoundError,
    Subject,
    UnconfirmedError,
)
from nrm.domain.policy import may, require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.models import Account, SealedDocument
from nrm.services import casefile, vault, visibility
from nrm.services.audit import record
from nrm.services.document_content import recognised
from nrm.services.document_files import (
    Incoming,
    Moving,
    copy_under_new_key,
    moving,
    open_file,
)


@dataclass(frozen=True)
class NewDocument:
    """A file that was sent, where it belongs, and what it is to be called."""

    compartment: str
    title: str
    # The name that the sender's machine gave to the file; only a title, if there is no other.
    file_name: str
    file: Incoming


@dataclass(frozen=True)
class Attached:
    """A document of a case, as a list shows it."""

    id: UUID
    compartment: str
    title: str
    kind: Kind
    length: int
    added_by: str
    added_at: datetime


@dataclass(frozen=True)
class Attachments:
    """The page of a case's documents: those of each compartment that is open to the actor."""

    file: casefile.CaseFile
    by_compartment: Mapping[str, Sequence[Attached]]


@dataclass(frozen=True)
class Opened:
    """A document on its way out; the name says nothing of what it is about."""

    name: str
    media_type: str
    length: int
    chunks: Iterator[bytes]
    close: Callable[[], None]


def add(actor: Actor, reference: str, new: NewDocument, *, form_id: UUID | None = None) -> str:
    """Attach a document to a part of the file: by what it holds, never by what it is named."""
    title = title_of(new.title, new.file_name)
    kind, file = recognised(new.file)
    try:
        with moving(file.folder) as files, unit_of_work(actor, form_id) as unit:
            case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
            standing = visibility.case_standing(case)
            require(actor, Permission.DOCUMENT_ADD, standing)
            if case.closed_at is not None:
                raise IllegalStepError("add a document", "closed")
            if _number(case.id) >= MOST_DOCUMENTS:
                raise InvalidInputError(
                    "file", N_("This case holds as many documents as it can. Remove one first")
                )
            document = {
                "title": title,
                "kind": kind,
                "length": file.length,
                "key": base64.b64encode(file.key).decode(),
            }
            row = vault.seal_document(
                unit, actor, standing, document, compartment=new.compartment, file_id=file.file_id
            )
            files.arrive(file)
            subject = Subject("document", row.row_id, case.id)
            record(unit, actor, Action.DOCUMENT_ADD, subject, fields=["file", "title"])
            unit.outcome = case.reference
            return case.reference
    finally:
        file.discard()


def attachments(actor: Actor, reference: str) -> Attachments:
    """List the documents of a case, in the compartments that the actor may open."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        standing = visibility.case_standing(case)
        held = [
            name
            for name in vault.CASE_COMPARTMENTS
            if may(actor, vault.PERMISSION[name], standing).allowed
        ]
        file = casefile.opened(unit, actor, case)
        listed: dict[str, list[Attached]] = {name: [] for name in held}
        names = _names(case.id)
        for row, document in vault.open_documents(unit, actor, standing, held):
            who = names.get(row.added_by_id, "")
            listed[row.compartment].append(_attached(row, document, who))
        number = sum(map(len, listed.values()))
        subject = visibility.case_subject(case)
        record(unit, actor, Action.DOCUMENT_LIST, subject, counts={"documents": number})
        return Attachments(file, listed)


def attached(actor: Actor, reference: str, document_id: UUID) -> tuple[casefile.CaseFile, Attached]:
    """Show one document of a case without its content, before it is removed."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        standing = visibility.case_standing(case)
        require(actor, Permission.DOCUMENT_REMOVE, standing)
        found = _row(case.id, document_id)
        file = casefile.opened(unit, actor, case)
        [(row, document)] = vault.open_documents(
            unit, actor, standing, [found.compartment], found.row_id
        )
        shown = _attached(row, document, _names(case.id).get(row.added_by_id, ""))
        record(unit, actor, Action.DOCUMENT_LIST, Subject("document", row.row_id, case.id))
        return file, shown


def open_document(
    actor: Actor, reference: str, document_id: UUID, folder: Path, closed: Collection[str] = ()
) -> Opened:
    """Open a document: the log has it before the first byte leaves.

    Raises UnconfirmedError where it belongs to one of the parts that are named in `closed`.
    """
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        standing = visibility.case_standing(case)
        found = _row(case.id, document_id)
        require(actor, vault.PERMISSION[found.compartment], standing)
        if found.compartment in closed:
            raise UnconfirmedError
        [(row, document)] = vault.open_documents(
            unit, actor, standing, [found.compartment], found.row_id
        )
        file = open_file(folder, row.file_id, *_key_and_length(document))
        try:
            record(unit, actor, Action.DOCUMENT_OPEN, Subject("document", row.row_id, case.id))
            # Of a file that was damaged anywhere, nothing is shown.
            file.verify()
        except BaseException:
            file.close()
            raise
        kind = KINDS[document["kind"]]
        name = f"{case.reference}-document-{row.row_id.hex[:8]}.{kind.extension}"
        return Opened(name, kind.media_type, file.length, file.chunks(), file.close)


def remove(
    actor: Actor,
    reference: str,
    document_id: UUID,
    folder: Path,
    *,
    form_id: UUID | None = None,
) -> str:
    """Remove a document that was added by mistake: its row with its key, and then its file."""
    with moving(folder) as files, unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        standing = visibility.case_standing(case)
        require(actor, Permission.DOCUMENT_REMOVE, standing)
        row = _row(case.id, document_id)
        require(actor, vault.PERMISSION[row.compartment], standing)
        files.leave([row.file_id])
        db.session.delete(row)
        record(unit, actor, Action.DOCUMENT_REMOVE, Subject("document", row.row_id, case.id))
        unit.outcome = case.reference
        return case.reference


def files_of(case_id: UUID) -> list[UUID]:
    """Name the files of a case, for `Moving.leave` in the act that deletes their rows."""
    query = select(SealedDocument.file_id).where(SealedDocument.case_id == case_id)
    return list(db.session.scalars(query))


def sealed_anew(
    files: Moving, file_id: UUID, document: dict[str, Any]
) -> tuple[UUID, dict[str, Any]]:
    """Seal a document's file under a new key, in the act that seals its row anew.

    Returns the new file's id and what is to be sealed in the row that names it. The old file goes
    after the commit: `with moving(folder) as files, unit_of_work() as unit: …`.
    """
    new_id, key = copy_under_new_key(files, file_id, *_key_and_length(document))
    return new_id, {**document, "key": base64.b64encode(key).decode()}


def _row(case_id: UUID, document_id: UUID) -> SealedDocument:
    """Fetch a document through the case that the actor was already shown."""
    found = db.session.scalars(
        select(SealedDocument).where(
            SealedDocument.case_id == case_id, SealedDocument.row_id == document_id
        )
    ).one_or_none()
    if found is None:
        raise NotFoundError(Subject("document"))
    return found


def _number(case_id: UUID) -> int:
    query = select(func.count()).where(SealedDocument.case_id == case_id)
    return db.session.execute(query).scalar_one()


def _names(case_id: UUID) -> Mapping[UUID | None, str]:
    query = (
        select(Account.id, Account.name)
        .join(SealedDocument, SealedDocument.added_by_id == Account.id)
        .where(SealedDocument.case_id == case_id)
        .distinct()
    )
    return dict(db.session.execute(query).all())


def _attached(row: SealedDocument, document: Mapping[str, Any], who: str) -> Attached:
    return Attached(
        row.row_id,
        row.compartment,
        document["title"],
        KINDS[document["kind"]],
        document["length"],
        who,
        row.added_at,
    )


def _key_and_length(document: Mapping[str, Any]) -> tuple[bytes, int]:
    return base64.b64decode(document["key"]), document["length"]
