"""Taking entries out of the log as a table for a spreadsheet, which is an act in the log itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from nrm.audit.actions import Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.models import AuditEntry
from nrm.models.spoilt import readable
from nrm.services import departures, visibility
from nrm.services.log_search import Line, Search, lines, touched
from nrm.services.spreadsheet import table

# How many entries are in memory at once.
BATCH = 200
# The names stay as they are in every language: other programs read them too.
COLUMNS = (
    *("number", "time", "account", "name", "organisation", "role", "act", "outcome"),
    *("case", "referral", "compartments", "reason", "rows_opened", "rows_sealed"),
    *("entry", "hash"),
)


def take_out(actor: Actor, asked: Search, *, form_id: UUID | None = None) -> Iterator[str]:
    """Hand out what a search finds, newest first, once the log says that this begins."""
    require(actor, Permission.AUDIT_EXPORT)
    with unit_of_work(actor, form_id) as unit:
        entry_id = departures.begin(unit, actor, Action.AUDIT_EXPORT, fields=asked.conditions)
        unit.outcome = str(entry_id)
    return _told(entry_id, actor, asked)


def _told(entry_id: UUID, actor: Actor, asked: Search) -> Iterator[str]:
    """Write the table; whoever breaks it off stops this here, and the log says that it failed."""
    outcome, count = Outcome.FAILED, 0
    try:
        yield table([COLUMNS])
        for batch in _batches(actor, asked):
            yield table(_row(line) for line in batch)
            count += len(batch)
        outcome = Outcome.DONE
    finally:
        departures.finish(entry_id, actor, outcome, counts={"entries": count})


def _batches(actor: Actor, asked: Search) -> Iterator[list[Line]]:
    while batch := lines(asked, BATCH, visibility.barred_cases(actor)):
        # While somebody far away reads slowly, no transaction stays open and nothing is kept.
        db.session.expunge_all()
        db.session.rollback()
        yield batch
        asked = replace(asked, before=batch[-1].point)


def _row(line: Line) -> tuple[object, ...]:
    kept = line.entry
    return (
        kept.seq,
        _moment(kept.occurred_at),
        _id(kept.actor_id),
        line.who,
        line.organisation,
        kept.actor_role,
        kept.action,
        kept.outcome,
        line.case_reference,
        line.referral_reference,
        kept.compartments,
        kept.purpose,
        *_touched(kept),
        _id(kept.id),
        kept.leaf_hash.hex(),
    )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if readable(moment) else ""


def _id(kept: UUID | None) -> UUID | str:
    return kept if kept is not None and readable(kept) else ""


def _touched(kept: AuditEntry) -> tuple[int | str, int | str]:
    try:
        return touched(kept)
    except ValueError:
        # Somebody changed the entry; that must not keep the others from being read.
        return "", ""
