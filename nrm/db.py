"""The session, the unit of work, and the guard that refuses unaudited changes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from nrm.audit.entry import RowTouched
from nrm.domain.errors import AlreadyDoneError, ConflictError, MechanismError, UnauditedError
from nrm.domain.roles import Actor
from nrm.domain.text import N_
from nrm.models import AUDITED_TABLES, AuditEntry, Base, FormReceipt

# Loaded rows stay readable after the commit: a page renders from what its unit of work returned.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

IMMEDIATE = "nrm_begin_immediate"
# The moment at which the practice world's past is being told; None in every real act.
_told_at: ContextVar[datetime | None] = ContextVar("told_at", default=None)
# Which table a statement changes, whatever stands around its name: OR …, ONLY, a schema, quotes.
_CHANGE = re.compile(
    r"\b(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|MERGE\s+INTO|UPDATE(?:\s+OR\s+\w+)?"
    r"|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?(?:[\"`\[]?\w+[\"`\]]?\.)?[\"`\[]?(\w+)",
    re.IGNORECASE,
)


_CLOCK = text("SELECT clock_timestamp()")


@dataclass
class Unit:
    """One act: its moment, the sealed rows that it touched, and what its form led to."""

    now: datetime
    rows: list[RowTouched] = field(default_factory=list)
    compartments: set[str] = field(default_factory=set)
    # Unwrapped keys by (purpose, owner, key id): no cache outlives the act.
    data_keys: dict[tuple[str, UUID, int], bytes] = field(default_factory=dict, repr=False)
    # Under which key id the act seals, by (purpose, owner): its row is held until the act is done.
    newest: dict[tuple[str, UUID], int] = field(default_factory=dict)
    # The reference that a re-sent form is led to.
    outcome: str = ""


@contextmanager
def unit_of_work(actor: Actor | None = None, form_id: UUID | None = None) -> Iterator[Unit]:
    """Run one act in one transaction: all of it is committed, or nothing of it.

    A form that was carried out before raises AlreadyDoneError with where it led. Sealed rows
    that were opened or written and not recorded in the log refuse the commit.
    """
    session = db.session
    # What was only read before the act (the sitting, say) is let go, so that the act sees the
    # newest rows and, on SQLite, holds the write lock from its first statement.
    session.rollback()
    connection = session.connection(execution_options={IMMEDIATE: True})
    unit = Unit(now=_database_now(connection))
    try:
        _refuse_second_sending(actor, form_id)
        yield unit
        if unit.rows:
            raise UnauditedError("sealed rows were touched and not recorded")  # noqa: TRY301
        if form_id is not None and actor is not None and actor.id is not None:
            session.add(
                FormReceipt(
                    form_id=form_id, account_id=actor.id, outcome=unit.outcome, done_at=unit.now
                )
            )
        session.commit()
    except AlreadyDoneError:
        session.rollback()
        raise
    except (IntegrityError, MechanismError, StaleDataError) as error:
        session.rollback()
        # Two sendings of one form may meet in the midst of the act: the later one finds things
        # changed, by none other than itself, and follows the earlier one.
        _refuse_second_sending(actor, form_id)
        if isinstance(error, StaleDataError):
            raise ConflictError(
                N_("Someone else changed this while you were working on it.")
            ) from None
        raise
    except BaseException:
        session.rollback()
        raise


def _refuse_second_sending(actor: Actor | None, form_id: UUID | None) -> None:
    if actor is None or form_id is None:
        return
    done = db.session.execute(
        select(FormReceipt.outcome).where(
            FormReceipt.form_id == form_id, FormReceipt.account_id == actor.id
        )
    ).scalar_one_or_none()
    if done is not None:
        raise AlreadyDoneError(done)


@contextmanager
def acting_at(moment: datetime) -> Iterator[None]:
    """Let acts happen as of an earlier moment: only the practice world has a past to be told.

    Else its forty cases would all be minutes old, none of them late and none of them closed. It
    stands here, and no act takes a time of its own, so that nothing real can be backdated; a test
    holds that nobody but the demonstration calls it.
    """
    if moment > datetime.now(UTC):
        raise ValueError("nothing has happened in the future")
    token = _told_at.set(moment)
    try:
        yield
    finally:
        _told_at.reset(token)


def _database_now(connection: Connection) -> datetime:
    """Read the one clock that all app servers share; on SQLite that is this machine's."""
    told_at = _told_at.get()
    if told_at is not None:
        return told_at
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    # Past the session, for every act of everybody asks this.
    moment: datetime = connection.execute(_CLOCK).scalar_one()
    return moment.astimezone(UTC)


def install_guards(engine: Engine) -> None:
    """Fit an engine with the begin rule, SQLite's settings and the guard of the log."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "before_cursor_execute", _mark_change)
    event.listen(engine, "commit", _refuse_unaudited)
    event.listen(engine, "rollback", _forget)
    event.listen(engine, "rollback_savepoint", _doubt)


def _set_sqlite(connection: Any, record: object) -> None:
    """Make the embedded database keep what it was given, also when the power goes."""
    del record
    # The driver must not begin transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    connection.text_factory = _text
    for setting in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "secure_delete=ON",
        "trusted_schema=OFF",
        # A search reads from all over the file: it is mapped into memory, not copied page by page.
        "mmap_size=2147418112",
        # Without this, REPLACE would delete an entry of the log past the trigger that keeps it.
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {setting}")


def _text(kept: bytes) -> str:
    """Read a text, for which SQLite takes any bytes.

    One that somebody spoilt is read as far as it is text: it would else keep the rows around it
    from being read, and the signer of the log from ever going on.
    """
    return kept.decode("utf-8", "replace")


def empty_write_ahead_log() -> None:
    """Let SQLite overwrite what an erasure destroyed: its log still holds the pages from before.

    While somebody reads, it is left for the next round of housekeeping.
    """
    if db.engine.dialect.name == "sqlite":
        # Not through the session: a checkpoint is possible outside a transaction alone.
        connection = db.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _mark_change(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> None:
    """Mark the transaction that touches an audited table, whatever way the statement came."""
    del cursor, parameters, context, many
    for table in _changed_by(statement):
        if table == AuditEntry.__tablename__:
            connection.info["nrm_recorded"] = True
        elif table in AUDITED_TABLES:
            connection.info["nrm_changed"] = table


@lru_cache(2_000)
def _changed_by(statement: str) -> tuple[str, ...]:
    """Name the tables that a statement changes.

    The values of a statement are no part of its text, so that the same few hundred come again and
    again; looking through a long one takes longer than sending it.
    """
    return tuple(map(str.lower, _CHANGE.findall(statement)))


def _refuse_unaudited(connection: Connection) -> None:
    changed = connection.info.pop("nrm_changed", None)
    recorded = connection.info.pop("nrm_recorded", False)
    if changed and not recorded:
        # SQLAlchemy takes a commit that it has begun for done: what is open is undone here, or
        # the connection would go back to its pool with the change and its lock still in it.
        connection.connection.rollback()
        raise UnauditedError(f"a change to {changed} has no entry in the log")


def _forget(connection: Connection) -> None:
    connection.info.pop("nrm_changed", None)
    connection.info.pop("nrm_recorded", None)


def _doubt(connection: Connection, name: str, context: None) -> None:
    """Take no entry for written once something was undone: the entry may have been undone too."""
    del name, context
    connection.info.pop("nrm_recorded", None)
