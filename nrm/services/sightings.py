"""Who has seen what: of a file, everybody who saw it; of an account, every file that it saw.

An entry about one case names it. A list, a search or a comparison touched rows of many cases: the
sequencer has written down which (`AuditSight`), and entries that it has not come to yet are read as
they are. What a page showed only as a reference is in neither: a reference tells nothing. Nor is
whoever asked the log about a file: that is not seeing it, and stands in the log alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all

from nrm.audit.actions import Action, Outcome, across_files
from nrm.db import db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.models import (
    Account,
    AuditEntry,
    AuditSight,
    Case,
    CompartmentHead,
    FactsHead,
    Organisation,
    Referral,
    SealedDocument,
    SealedEnvelope,
    SealedFactsEvent,
    SealedNote,
)
from nrm.services import casefile, log_search, visibility
from nrm.services.audit import record
from nrm.services.casefile import CaseFile
from nrm.services.log_search import Line, Point
from nrm.services.sequencing import touched_rows

# So many entries of a case stand on one page.
PAGE = 25
# So many files are named by one statement, because a database takes so many values and no more.
_AT_ONCE = 10_000
# Every table that holds rows of a case, with what says which part of the file a row is.
_PARTS: tuple[tuple[Any, Any], ...] = (
    (CompartmentHead, CompartmentHead.compartment),
    (FactsHead, literal("facts")),
    (SealedNote, SealedNote.compartment),
    (SealedEnvelope, literal("envelope")),
    (SealedDocument, SealedDocument.compartment),
    (SealedFactsEvent, literal("facts_event")),
)
# A signer that runs leaves few entries waiting; where none runs, all are read rather than some.
_WAITING = (AuditEntry.leaf_index.is_(None), AuditEntry.rows != "[]")

# Asking the log about a file is an entry about it too.
_NOT_ASKING = AuditEntry.action != Action.AUDIT_SEARCH.value

_EARLIEST, _LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)

# What was done so often, in which parts, between two moments, how it ended, and whether in a list.
_Group: TypeAlias = tuple[UUID | None, str, int, datetime, datetime, str, bool]


@dataclass
class Sight:
    """How often somebody saw something, and when first and last."""

    times: int = 0
    # Of these, in a list or as an answer to a search, among others.
    in_lists: int = 0
    refused: int = 0
    first: datetime = _LATEST
    last: datetime = _EARLIEST
    parts: set[str] = field(default_factory=set)

    def add(self, group: _Group) -> None:
        """Take a group of entries in."""
        _, parts, times, first, last, outcome, in_list = group
        if outcome in {Outcome.REFUSED.value, Outcome.NOT_FOUND.value}:
            self.refused += times
        else:
            self.times += times
            self.in_lists += times if in_list else 0
            self.parts.update(parts.split())
        self.first, self.last = min(self.first, first), max(self.last, last)


@dataclass(frozen=True)
class Seen:
    """One account that saw a file; housekeeping has no account."""

    account_id: UUID | None
    who: str
    organisation: str
    sight: Sight


@dataclass(frozen=True)
class History:
    """Who saw a file, and what happened to it, newest first."""

    file: CaseFile
    people: Sequence[Seen]
    lines: Sequence[Line]
    older: Point | None


@dataclass(frozen=True)
class FileSeen:
    """One file that an account saw."""

    reference: str
    sight: Sight


@dataclass(frozen=True)
class AccountSaw:
    """Every file that an account saw between two moments."""

    email: str
    who: str
    organisation: str
    files: Sequence[FileSeen]


def of_file(actor: Actor, reference: str) -> list[Seen]:
    """List who saw a file, erased ones too, the latest first; for the auditor."""
    require(actor, Permission.AUDIT_SEARCH)
    with unit_of_work() as unit:
        case_id = db.session.scalar(select(Case.id).where(Case.reference == reference))
        if case_id is None or case_id in visibility.barred_cases(actor):
            raise InvalidInputError("reference", N_("No case has this reference. Check it."))
        people = _people(case_id)
        subject = Subject("case", case_id, case_id)
        record(unit, actor, Action.AUDIT_SEARCH, subject, purpose="file")
    return people


def history(actor: Actor, reference: str, before: Point | None = None) -> History:
    """Show the access history of a case to whoever is in charge of it."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        require(actor, Permission.CASE_HISTORY, visibility.case_standing(case))
        file = casefile.opened(unit, actor, case)
        people = _people(case.id)
        asked = log_search.Search(case_reference=case.reference, before=before)
        lines = log_search.lines(asked, PAGE + 1)
        record(unit, actor, Action.CASE_HISTORY, visibility.case_subject(case))
    shown = lines[:PAGE]
    return History(file, people, shown, shown[-1].point if len(lines) > PAGE else None)


def of_account(actor: Actor, account_id: UUID, begin: datetime, end: datetime) -> AccountSaw:
    """List the files that an account saw between two moments: the question after a break-in."""
    require(actor, Permission.AUDIT_SEARCH)
    with unit_of_work() as unit:
        account = db.session.execute(
            select(Account.email, Account.name, Organisation.name)
            .outerjoin(Organisation, Organisation.id == Account.organisation_id)
            .where(Account.id == account_id)
        ).one_or_none()
        if account is None:
            raise NotFoundError(Subject("account"))
        during = (
            AuditEntry.actor_id == account_id,
            AuditEntry.occurred_at >= begin,
            AuditEntry.occurred_at < end,
        )
        sights: dict[UUID | None, Sight] = {}
        own = (*during, AuditEntry.case_id.is_not(None), _NOT_ASKING)
        alone = _grouped(AuditEntry.case_id, own, in_list=False)
        _collect(sights, [*_read(alone, _listed(during)), *_waiting_of(during)])
        for case_id in visibility.barred_cases(actor):
            sights.pop(case_id, None)
        files = _files(sights)
        record(unit, actor, Action.AUDIT_SEARCH, Subject("account", account_id), purpose="account")
    email, who, organisation = account
    return AccountSaw(email, who, organisation or "", files)


def _people(case_id: UUID) -> list[Seen]:
    """Find who saw a case: by the entries about it, and by those that touched its rows."""
    rows = union_all(*(select(table.row_id).where(_of(table, case_id)) for table, _ in _PARTS))
    among_others = AuditEntry.seq.in_(select(AuditSight.seq).where(AuditSight.row_id.in_(rows)))
    elsewhere = AuditEntry.case_id.is_distinct_from(case_id)
    about = (AuditEntry.case_id == case_id, _NOT_ASKING)
    groups = _read(
        _grouped(AuditEntry.actor_id, about, in_list=False),
        _grouped(AuditEntry.actor_id, (among_others, elsewhere), in_list=True),
    )
    wanted = set(db.session.scalars(rows))
    groups += [
        _group(entry.actor_id, entry, entry.compartments)
        for entry, touched in _waiting((elsewhere,))
        if touched & wanted
    ]
    sights: dict[UUID | None, Sight] = {}
    _collect(sights, groups)
    names = log_search.account_names({one for one in sights if one is not None})
    people = [
        Seen(account_id, *names.get(account_id, ("", "")), sight)
        for account_id, sight in sights.items()
    ]
    return sorted(people, key=lambda seen: seen.sight.last, reverse=True)


def _of(table: Any, case_id: UUID) -> ColumnElement[bool]:  # noqa: ANN401 - one of six tables
    """Say which rows of a table are a case's; envelopes are found by their referrals."""
    if table is SealedEnvelope:
        sent = select(Referral.id).where(Referral.case_id == case_id)
        return SealedEnvelope.referral_id.in_(sent)
    condition: ColumnElement[bool] = table.case_id == case_id
    return condition


def _grouped(
    by: Any,  # noqa: ANN401 - a column of the log
    conditions: Iterable[ColumnElement[bool]],
    *,
    in_list: bool,
) -> Select[Any]:
    """Count entries by whom or what they are about, the parts that they opened and their end."""
    entry = AuditEntry
    counts = func.count(), func.min(entry.occurred_at), func.max(entry.occurred_at)
    return (
        select(by, entry.compartments, *counts, entry.outcome, literal(value=in_list))
        .where(*conditions)
        .group_by(by, entry.compartments, entry.outcome)
    )


def _read(*counted: Select[Any]) -> list[_Group]:
    return [(*row,) for row in db.session.execute(union_all(*counted)).all()]


def _listed(during: Iterable[ColumnElement[bool]]) -> Select[Any]:
    """Count what an account saw in lists and searches, part by part."""
    entry, found = AuditEntry, []
    for table, part in _PARTS:
        found.append(
            select(
                table.case_id.label("case_id"),
                part.label("part"),
                entry.seq.label("seq"),
                entry.occurred_at.label("occurred_at"),
                entry.outcome.label("outcome"),
            )
            .join_from(entry, AuditSight, AuditSight.seq == entry.seq)
            .join(table, table.row_id == AuditSight.row_id)
            .where(*during, entry.case_id.is_distinct_from(table.case_id))
        )
    seen = union_all(*found).subquery().c
    # An entry that touched two rows of a file is one sight of it.
    return select(
        seen.case_id,
        func.aggregate_strings(seen.part, " "),
        func.count(func.distinct(seen.seq)),
        func.min(seen.occurred_at),
        func.max(seen.occurred_at),
        seen.outcome,
        literal(value=True),
    ).group_by(seen.case_id, seen.outcome)


def _waiting_of(during: Iterable[ColumnElement[bool]]) -> list[_Group]:
    """Count what an account saw in lists that the sequencer has not come to yet."""
    entries = _waiting(during)
    touched = {row_id for _, rows in entries for row_id in rows}
    if not touched:
        return []
    found = union_all(
        *(
            select(table.row_id, table.case_id, part).where(table.row_id.in_(touched))
            for table, part in _PARTS
        )
    )
    owners = {row_id: (case_id, part) for row_id, case_id, part in db.session.execute(found)}
    groups = []
    for entry, rows in entries:
        parts: dict[UUID, set[str]] = {}
        for case_id, part in (owners[row_id] for row_id in rows if row_id in owners):
            if case_id != entry.case_id:
                parts.setdefault(case_id, set()).add(part)
        groups += [_group(case_id, entry, " ".join(seen)) for case_id, seen in parts.items()]
    return groups


def _waiting(conditions: Iterable[ColumnElement[bool]]) -> list[tuple[Any, set[UUID]]]:
    """Read the entries across files that wait for the sequencer, each with the rows it touched."""
    entry = AuditEntry
    query = select(
        entry.actor_id,
        entry.case_id,
        entry.action,
        entry.purpose,
        entry.compartments,
        entry.occurred_at,
        entry.outcome,
        entry.rows,
    ).where(*_WAITING, *conditions)
    return [
        (row, touched_rows(row.rows))
        for row in db.session.execute(query)
        if row.case_id is None or across_files(row.action, row.purpose)
    ]


def _group(key: UUID | None, entry: Any, parts: str) -> _Group:  # noqa: ANN401 - a row of the log
    return key, parts, 1, entry.occurred_at, entry.occurred_at, entry.outcome, True


def _collect(sights: dict[UUID | None, Sight], groups: Iterable[_Group]) -> None:
    for group in groups:
        sights.setdefault(group[0], Sight()).add(group)


def _files(sights: dict[UUID | None, Sight]) -> list[FileSeen]:
    """Name the files by their references, in the order in which they were first seen."""
    seen = [case_id for case_id in sights if case_id is not None]
    files = []
    for first in range(0, len(seen), _AT_ONCE):
        query = select(Case.id, Case.reference).where(Case.id.in_(seen[first : first + _AT_ONCE]))
        files += [FileSeen(name, sights[case_id]) for case_id, name in db.session.execute(query)]
    return sorted(files, key=lambda file: (file.sight.first, file.reference))
