"""Writing the log, in the act's own transaction; searching it, and checking what it holds."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import eq, ge, lt
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, RowMapping, Select, func, select
from sqlalchemy.orm import aliased

from nrm.audit.actions import Action, Outcome
from nrm.audit.entry import Entry, leaf_hash, rows_text
from nrm.audit.verify import as_written
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import NOTHING, DamagedError, InvalidInputError, NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.models import Account, AuditEntry, Case, Listing, Organisation, Referral
from nrm.security.keyring import Purpose
from nrm.security.sealing import Place, seal, sealed_key_id, unseal
from nrm.services import keys

PAGE = 50
# How many entries are in memory at once while all of them are checked.
BATCH = 1_000
_DETAIL = "entry detail"


def record(
    unit: Unit,
    actor: Actor,
    action: Action,
    subject: Subject = NOTHING,
    *,
    purpose: str = "",
    outcome: Outcome = Outcome.DONE,
    fields: Iterable[str] = (),
    counts: Mapping[str, int] | None = None,
) -> None:
    """Write one entry for the act, with every sealed row that it touched.

    `fields` are names of fields, never their values; they and the counts are sealed.
    """
    entry_id = uuid4()
    detail = _sealed_detail(entry_id, sorted(fields), dict(counts or {}))
    entry = Entry(
        id=entry_id,
        occurred_at=unit.now,
        actor_id=actor.id,
        actor_organisation_id=actor.organisation_id,
        actor_role=actor.role.value,
        session_ref=actor.session_ref,
        action=action.value,
        subject_type=subject.kind,
        subject_id=subject.id,
        case_id=subject.case_id,
        compartments=" ".join(sorted(unit.compartments)),
        purpose=purpose,
        outcome=outcome.value,
        rows=rows_text(unit.rows),
        detail_sha256=hashlib.sha256(detail).hexdigest() if detail else "",
    )
    db.session.add(AuditEntry(**vars(entry), detail=detail, leaf_hash=leaf_hash(entry)))
    db.session.flush()
    unit.rows.clear()
    unit.compartments.clear()


def _sealed_detail(entry_id: UUID, fields: list[str], counts: dict[str, int]) -> bytes | None:
    if not fields and not counts:
        return None
    ring_id, key = keys.keyring().derived(Purpose.LOG, _DETAIL)
    return seal(key, _place(entry_id, ring_id), {"fields": fields, "counts": counts})


def _place(entry_id: UUID, ring_id: int) -> Place:
    return Place(AuditEntry.__tablename__, entry_id, "detail", 1, ring_id)


def record_alone(
    actor: Actor, action: Action, subject: Subject, outcome: Outcome, *, purpose: str = ""
) -> None:
    """Write an entry in a transaction of its own: a refusal or a failure changed nothing else."""
    with unit_of_work() as unit:
        record(unit, actor, action, subject, purpose=purpose, outcome=outcome)


@dataclass(frozen=True)
class Search:
    """What the auditor asks for; an empty field asks nothing."""

    case_reference: str = ""
    referral_reference: str = ""
    account_id: UUID | None = None
    organisation_id: UUID | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True)
class Line:
    """One entry as the auditor reads it: who, and on what, by name or reference."""

    entry: AuditEntry
    who: str
    organisation: str
    case_reference: str
    referral_reference: str
    # The account or the organisation that the act was about.
    about: str


@dataclass(frozen=True)
class Found:
    """A page of the log, newest first; `older` is where the next page begins."""

    lines: Sequence[Line]
    older: int | None
    # The address of the account that was asked for, so that the page can say it again.
    email: str = ""


@dataclass(frozen=True)
class Opened:
    """One entry whole: its sealed detail opened, and whether it is still as it was written."""

    line: Line
    as_written: bool
    fields: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    rows_opened: int = 0
    rows_sealed: int = 0


def search(actor: Actor, asked: Search) -> Found:
    """Read the log; asking is an act too, and leaves its own entry."""
    require(actor, Permission.AUDIT_SEARCH)
    with unit_of_work() as unit:
        rows = db.session.execute(_query(asked).limit(PAGE + 1)).all()
        lines = [_line(row) for row in rows[:PAGE]]
        email = _email(asked.account_id)
        record(
            unit,
            actor,
            Action.AUDIT_SEARCH,
            fields=[name for name, value in vars(asked).items() if value],
            counts={"entries": len(lines)},
        )
    older = lines[-1].entry.seq if len(rows) > PAGE else None
    return Found(lines, older, email)


def account_id(actor: Actor, email: str) -> UUID | None:
    """Find whose acts are asked for, so that no address of a page names a person."""
    require(actor, Permission.AUDIT_SEARCH)
    if not email:
        return None
    found = db.session.scalars(select(Account.id).where(Account.email == email)).one_or_none()
    if found is None:
        raise InvalidInputError("email", N_("No account has this e-mail address. Check it."))
    return found


def entry(actor: Actor, entry_id: UUID) -> Opened:
    """Open one entry; a reader of the log is in the log too."""
    require(actor, Permission.AUDIT_SEARCH)
    with unit_of_work() as unit:
        row = db.session.execute(_lines().where(AuditEntry.id == entry_id)).one_or_none()
        if row is None:
            raise NotFoundError(Subject("entry"))
        opened = _opened(_line(row))
        record(unit, actor, Action.AUDIT_SEARCH, Subject("entry", entry_id))
        return opened


def _opened(line: Line) -> Opened:
    """Open the sealed detail; of an entry that was changed, nothing more is believed."""
    kept = line.entry
    if not as_written(_entry(vars(kept)), kept.leaf_hash, kept.detail):
        return Opened(line, as_written=False)
    try:
        detail = _unsealed(kept)
    except DamagedError:
        return Opened(line, as_written=False)
    # A touched row is written with its hash if the act sealed it, without one if it was opened.
    touched = [len(row) for row in json.loads(kept.rows)]
    return Opened(
        line,
        as_written=True,
        fields=detail.get("fields", []),
        counts=detail.get("counts", {}),
        rows_opened=touched.count(2),
        rows_sealed=touched.count(3),
    )


def _unsealed(kept: AuditEntry) -> dict[str, Any]:
    if kept.detail is None:
        return {}
    ring_id = sealed_key_id(kept.detail)
    key = keys.derived_from(ring_id, Purpose.LOG, _DETAIL)
    return unseal(key, _place(kept.id, ring_id), kept.detail)


def _line(row: Sequence[Any]) -> Line:
    return Line(row[0], *(value or "" for value in row[1:]))


def _lines() -> Select[AuditEntry, str, str, str, str, str]:
    """Select entries with the names and references that their ids stand for."""
    account, organisation = aliased(Account), aliased(Organisation)
    about = func.coalesce(Listing.organisation_id, AuditEntry.subject_id)
    return (
        select(
            AuditEntry,
            Account.name,
            Organisation.name,
            Case.reference,
            Referral.reference,
            func.coalesce(account.name, organisation.name),
        )
        .outerjoin(Account, Account.id == AuditEntry.actor_id)
        .outerjoin(Organisation, Organisation.id == AuditEntry.actor_organisation_id)
        .outerjoin(Case, Case.id == AuditEntry.case_id)
        .outerjoin(Referral, Referral.id == AuditEntry.subject_id)
        .outerjoin(account, account.id == AuditEntry.subject_id)
        .outerjoin(Listing, Listing.id == AuditEntry.subject_id)
        .outerjoin(organisation, organisation.id == about)
    )


def _query(asked: Search) -> Select[AuditEntry, str, str, str, str, str]:
    query = _lines().where(*_conditions(asked)).order_by(AuditEntry.seq.desc())
    # The case is found first and asked for by its id, so that the index on (case, seq) serves.
    if asked.case_reference:
        case_id = select(Case.id).where(Case.reference == asked.case_reference)
        query = query.where(AuditEntry.case_id == case_id.scalar_subquery())
    if asked.referral_reference:
        case_id = select(Referral.case_id).where(Referral.reference == asked.referral_reference)
        query = query.where(
            AuditEntry.case_id == case_id.scalar_subquery(),
            Referral.reference == asked.referral_reference,
        )
    return query


def _conditions(asked: Search) -> list[ColumnElement[bool]]:
    conditions = (
        (AuditEntry.actor_id, eq, asked.account_id),
        (AuditEntry.actor_organisation_id, eq, asked.organisation_id),
        (AuditEntry.action, eq, asked.action and asked.action.value),
        (AuditEntry.outcome, eq, asked.outcome and asked.outcome.value),
        (AuditEntry.occurred_at, ge, asked.since),
        (AuditEntry.occurred_at, lt, asked.until),
        (AuditEntry.seq, lt, asked.before),
    )
    return [compare(column, value) for column, compare, value in conditions if value is not None]


def _email(asked: UUID | None) -> str:
    if asked is None:
        return ""
    return db.session.scalars(select(Account.email).where(Account.id == asked)).one_or_none() or ""


# What no entry can tell by itself, in the words in which it is said to whoever asks.
CANNOT_FIND = N_(
    "It cannot find a deletion yet, nor an entry that was rewritten together with its hash."
)


@dataclass(frozen=True)
class Verdict:
    """What checking every entry by itself found."""

    checked: int
    changed: int
    first_changed: int | None


def verify(progress: Callable[[int], None]) -> Verdict:
    """Check every entry against its own hash; needs no key, and no more memory for more entries.

    `progress` is told after each batch how many entries were checked. Missing numbers are no
    finding: an act that was rolled back has used one up.
    """
    checked, changed, first_changed = 0, 0, None
    for seq, good in _all_entries(progress):
        checked += 1
        if not good:
            changed += 1
            first_changed = first_changed or seq
    return Verdict(checked, changed, first_changed)


def _all_entries(progress: Callable[[int], None]) -> Iterator[tuple[int, bool]]:
    # Columns and no objects: nothing stays in the session when a batch is done.
    columns = [getattr(AuditEntry, part.name) for part in fields(Entry)]
    query = select(AuditEntry.seq, AuditEntry.leaf_hash, AuditEntry.detail, *columns)
    last, done = 0, 0
    while batch := _checked(query, last):
        yield from batch
        last, done = batch[-1][0], done + len(batch)
        progress(done)


def _checked(query: Select[Any], after: int) -> list[tuple[int, bool]]:
    """Check the next batch; a value that cannot even be read is looked for one by one."""
    numbers = select(AuditEntry.seq).where(AuditEntry.seq > after).order_by(AuditEntry.seq)
    seqs = db.session.scalars(numbers.limit(BATCH)).all()
    try:
        if not seqs:
            return []
        return _compared(query.where(AuditEntry.seq.between(seqs[0], seqs[-1])))
    except ValueError:
        return [(seq, _readable_and_written(query, seq)) for seq in seqs]
    finally:
        # Nothing is held between two batches, so that a long check hinders nobody's work.
        db.session.rollback()


def _compared(query: Select[Any]) -> list[tuple[int, bool]]:
    rows = db.session.execute(query.order_by(AuditEntry.seq)).mappings()
    return [
        (kept["seq"], as_written(_entry(kept), kept["leaf_hash"], kept["detail"])) for kept in rows
    ]


def _readable_and_written(query: Select[Any], seq: int) -> bool:
    try:
        return all(good for _, good in _compared(query.where(AuditEntry.seq == seq)))
    except ValueError:
        return False


def _entry(kept: Mapping[str, Any] | RowMapping) -> Entry:
    return Entry(**{part.name: kept[part.name] for part in fields(Entry)})
