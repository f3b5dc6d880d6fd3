"""Searching the log, and reading one entry whole: for the auditor, who is in the log as well."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    String,
    Tuple,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from nrm.audit.actions import Action, Outcome
from nrm.audit.entry import as_written
from nrm.db import db, unit_of_work
from nrm.domain.errors import DamagedError, InvalidInputError, NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.models import Account, AuditEntry, Case, Listing, Organisation, Referral
from nrm.services import visibility
from nrm.services.audit import detail_of, entry_of, record

PAGE = 50

# Where in the log an entry stands: its moment, and its number among those of that moment.
Point: TypeAlias = tuple[datetime, int]
_Column: TypeAlias = InstrumentedAttribute[Any]
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_AFTER_ALL = "\U0010ffff"
# No case has this id.
_NO_CASE = UUID(int=0)
# By what an index begins, the most telling first; a case has few entries, and an act has many.
_BY: tuple[tuple[_Column, ...], ...] = (
    (AuditEntry.case_id,),
    (AuditEntry.actor_id, AuditEntry.action),
    (AuditEntry.actor_id,),
    (AuditEntry.actor_organisation_id, AuditEntry.action),
    (AuditEntry.actor_organisation_id,),
    (AuditEntry.action,),
)
_BY_NOT_DONE: tuple[tuple[_Column, ...], ...] = (
    (AuditEntry.case_id,),
    (AuditEntry.actor_id, AuditEntry.outcome),
    (AuditEntry.actor_organisation_id, AuditEntry.outcome),
    (AuditEntry.action, AuditEntry.outcome),
    (AuditEntry.outcome,),
)
# Written into the statement, since an index over some rows is used for those words alone.
_DONE: ColumnElement[str] = literal_column("'done'")


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
    before: Point | None = None

    @property
    def conditions(self) -> list[str]:
        """Name what is asked by, and none of its values."""
        return [name for name, value in vars(self).items() if value]


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

    @property
    def point(self) -> Point:
        """Where in the log it stands."""
        return self.entry.occurred_at, self.entry.seq


@dataclass(frozen=True)
class Found:
    """A page of the log, newest first; `older` is where the next page begins."""

    lines: Sequence[Line]
    older: Point | None
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
        found = lines(asked, PAGE + 1, visibility.barred_cases(actor))
        shown = found[:PAGE]
        email = _email(asked.account_id)
        record(
            unit,
            actor,
            Action.AUDIT_SEARCH,
            fields=asked.conditions,
            counts={"entries": len(shown)},
        )
    return Found(shown, shown[-1].point if len(found) > PAGE else None, email)


def account_id(actor: Actor, email: str) -> UUID | None:
    """Find whose acts are asked for, so that no address of a page names a person."""
    require(actor, Permission.AUDIT_SEARCH)
    if not email:
        return None
    found = db.session.scalars(select(Account.id).where(Account.email == email)).one_or_none()
    if found is None:
        raise InvalidInputError("email", N_("No account has this e-mail address. Check it."))
    return found


def is_account(actor: Actor, asked: UUID | None) -> bool:
    """Say whether there is an account of this id, for the address of a page that names one."""
    require(actor, Permission.AUDIT_SEARCH)
    return bool(_email(asked))


def account_names(accounts: Collection[UUID]) -> dict[UUID | None, tuple[str, str]]:
    """Return the name and the organisation of accounts, within the caller's act."""
    if not accounts:
        return {}
    rows = db.session.execute(
        select(Account.id, Account.name, Organisation.name)
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .where(Account.id.in_(accounts))
    )
    return {account_id: (who, where or "") for account_id, who, where in rows}


def entry(actor: Actor, entry_id: UUID) -> Opened:
    """Open one entry; a reader of the log is in the log too."""
    require(actor, Permission.AUDIT_SEARCH)
    with unit_of_work() as unit:
        row = db.session.execute(_named(AuditEntry).where(AuditEntry.id == entry_id)).one_or_none()
        if row is None or row[0].case_id in visibility.barred_cases(actor):
            raise NotFoundError(Subject("entry"))
        opened = _opened(_line(row))
        record(unit, actor, Action.AUDIT_SEARCH, Subject("entry", entry_id))
        return opened


def _opened(line: Line) -> Opened:
    """Open the sealed detail; of an entry that was changed, nothing more is believed."""
    kept = line.entry
    if not kept.readable or not as_written(entry_of(vars(kept)), kept.leaf_hash, kept.detail):
        return Opened(line, as_written=False)
    try:
        detail, (rows_opened, rows_sealed) = detail_of(kept), touched(kept)
    except (DamagedError, ValueError):
        return Opened(line, as_written=False)
    return Opened(
        line,
        as_written=True,
        fields=detail.get("fields", []),
        counts=detail.get("counts", {}),
        rows_opened=rows_opened,
        rows_sealed=rows_sealed,
    )


def touched(kept: AuditEntry) -> tuple[int, int]:
    """Count the sealed rows that an act opened, and those that it sealed.

    Raises ValueError where somebody changed what stands there.
    """
    try:
        # A row is written with its hash if the act sealed it, without one if it was opened.
        rows = [len(row) for row in json.loads(kept.rows)]
    except (TypeError, RecursionError):
        raise ValueError("these are no rows") from None
    return rows.count(2), rows.count(3)


def _line(row: Sequence[Any]) -> Line:
    return Line(row[0], *(value or "" for value in row[1:]))


def lines(asked: Search, limit: int, barred: Collection[UUID] = frozenset[UUID]()) -> list[Line]:
    """Read up to so many entries, newest first, with the names that their ids stand for.

    What is about a case that the reader is barred from is left out, as if it had never been.
    """
    page = aliased(AuditEntry, _page(asked, limit, barred).subquery())
    # The page is chosen before any name is looked up; what it is joined with keeps no order.
    found = map(_line, db.session.execute(_named(page)))
    return sorted(found, key=lambda line: line.point, reverse=True)


def _page(asked: Search, limit: int, barred: Collection[UUID]) -> Select[AuditEntry]:
    """Choose entries by the one index that begins with the most telling of what is asked for.

    Its columns are compared as one value and ordered by. No other index gives that order, so the
    database cannot guess wrongly, however few of very many entries fit and however old they are.
    """
    pinned, others = _conditions(asked)
    others += not_about(barred)
    end: tuple[Any, int] = min((asked.until or _END, 0), asked.before or (_END, 0))
    if not (asked.until or asked.before) and db.engine.dialect.name == "sqlite":
        # What somebody wrote in the place of a time sorts after every time.
        end = (_AFTER_ALL, 0)
    columns = [*pinned, AuditEntry.occurred_at, AuditEntry.seq]
    place = tuple_(*columns)
    return (
        select(AuditEntry)
        .where(*others)
        .where(place >= _value(columns, (*pinned.values(), asked.since or _BEGINNING, 0)))
        .where(place < _value(columns, (*pinned.values(), *end)))
        .order_by(*(column.desc() for column in columns))
        .limit(limit)
    )


def not_about(
    barred: Collection[UUID], entry: type[AuditEntry] = AuditEntry
) -> list[ColumnElement[bool]]:
    """Leave out the entries about some cases; for most readers there are none to leave out."""
    if not barred:
        return []
    about = _alone(entry.case_id)
    return [or_(about.is_(None), about.not_in(tuple(barred)))]


def _value(columns: Sequence[_Column], parts: Sequence[Any]) -> Tuple:
    return tuple_(
        *(
            literal(part, String() if isinstance(part, str) else column.type)
            for column, part in zip(columns, parts, strict=True)
        )
    )


def _conditions(asked: Search) -> tuple[dict[_Column, Any], list[ColumnElement[bool]]]:
    """Say by which columns' index entries are found, and what else they fulfil."""
    case_id, referral_id = _subjects(asked)
    columns: dict[_Column, Any] = {
        AuditEntry.case_id: case_id,
        AuditEntry.subject_id: referral_id,
        AuditEntry.actor_id: asked.account_id,
        AuditEntry.actor_organisation_id: asked.organisation_id,
        AuditEntry.action: asked.action and asked.action.value,
        AuditEntry.outcome: asked.outcome and asked.outcome.value,
    }
    given = {column: value for column, value in columns.items() if value}
    found_by = _index(given)
    others = [_alone(column) == value for column, value in given.items() if column not in found_by]
    if AuditEntry.outcome in found_by:
        # In the words of the indexes of whatever was not done, which hold no other entries.
        others.append(AuditEntry.outcome != _DONE)
    return {column: given[column] for column in found_by}, others


def _alone(column: _Column) -> SQLColumnExpression[Any]:
    """Compare a column without its index, which would tempt SQLite away from the chosen one.

    PostgreSQL knows how many entries each would leave, as long as it sees the column.
    """
    return func.coalesce(column, column) if db.engine.dialect.name == "sqlite" else column


def _index(given: Mapping[_Column, Any]) -> tuple[_Column, ...]:
    """Choose the index that leaves the fewest entries to look through, whatever is asked for."""
    outcome = given.get(AuditEntry.outcome, Outcome.DONE)
    choice = _BY if outcome == Outcome.DONE else _BY_NOT_DONE
    return next((columns for columns in choice if set(columns) <= set(given)), ())


def _subjects(asked: Search) -> tuple[UUID | None, UUID | None]:
    """Find the case, and the referral, of a reference; one that nobody has leads to no entry."""
    if asked.case_reference:
        found = select(Case.id).where(Case.reference == asked.case_reference)
        return db.session.scalar(found) or _NO_CASE, None
    if asked.referral_reference:
        query = select(Referral.case_id, Referral.id)
        row = db.session.execute(
            query.where(Referral.reference == asked.referral_reference)
        ).one_or_none()
        return (row[0], row[1]) if row else (_NO_CASE, None)
    return None, None


def _named(kept: type[AuditEntry]) -> Select[AuditEntry, str, str, str, str, str]:
    """Select entries with the names and references that their ids stand for."""
    account, organisation = aliased(Account), aliased(Organisation)
    about = func.coalesce(Listing.organisation_id, kept.subject_id)
    return (
        select(
            kept,
            Account.name,
            Organisation.name,
            Case.reference,
            Referral.reference,
            func.coalesce(account.name, organisation.name),
        )
        .outerjoin(Account, Account.id == kept.actor_id)
        .outerjoin(Organisation, Organisation.id == kept.actor_organisation_id)
        .outerjoin(Case, Case.id == kept.case_id)
        .outerjoin(Referral, Referral.id == kept.subject_id)
        .outerjoin(account, account.id == kept.subject_id)
        .outerjoin(Listing, Listing.id == kept.subject_id)
        .outerjoin(organisation, organisation.id == about)
    )


def _email(asked: UUID | None) -> str:
    if asked is None:
        return ""
    return db.session.scalars(select(Account.email).where(Account.id == asked)).one_or_none() or ""
