"""A log of a chosen size to measure in, written by plain SQL, then put into its tree and signed.

Every entry has its real leaf. Three in five are acts on one of the cases, of which there are more
in a longer log; the others are lists, searches, sign-ins and what was refused.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from uuid import UUID

from sqlalchemy import func, select

from bench.world import PASSWORD, app_in
from nrm.audit.actions import Action, Outcome
from nrm.audit.entry import RowTouched, rows_text
from nrm.audit.verify import FIELDS, IDS, leaf_of
from nrm.db import db, unit_of_work
from nrm.domain.reference import new_case_reference
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.models import AuditEntry
from nrm.security.keyfile import Holder, read_key_file
from nrm.services import accounts, keys, organisations
from nrm.services.audit import record

ORGANISATIONS, ACCOUNTS = 6, 40
AT_ONCE = 10_000
ENTRIES_OF_A_CASE = 25
LISTED = 20
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=700)
AUDITOR = f"{Role.AUDITOR}@practice.example"
COLUMNS = (*FIELDS, "detail", "leaf_hash")
CASE_COLUMNS = (
    *("id", "reference", "incident_id", "identification", "assistance", "urgency", "due_at"),
    *("flagged_by_id", "flagged_by_organisation_id", "flagged_at", "version"),
)
ON_CASES = (Action.CASE_OPEN, Action.COMPARTMENT_OPEN, Action.SERVICE_RECORD, Action.REFERRAL_OPEN)


@dataclass(frozen=True)
class _Person:
    id: UUID
    organisation_id: UUID
    role: Role


def fill(folder: Path, size: int) -> None:
    """Make a database in a folder, with a log of about this many entries that wait for a place."""
    with app_in(folder).app_context():
        people = _people()
        written = db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0
        db.session.remove()
        db.engine.dispose()
    with closing(sqlite3.connect(folder / "nrm.sqlite3", isolation_level=None)) as connection:
        for setting in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        chance = Random(4)
        cases = [UUID(int=chance.getrandbits(128)) for _ in range(1 + size // ENTRIES_OF_A_CASE)]
        _insert(connection, "case_file", CASE_COLUMNS, _cases(cases, people[0]))
        rows = _entries(chance, size - written, people, cases)
        _insert(connection, "audit_entry", COLUMNS, rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
    os.sync()


def become(holder: Holder, folder: Path) -> None:
    """Hold the keys of another process from now on."""
    keys.unlock(read_key_file(folder / "keys" / f"{holder}.key"))


def _people() -> list[_Person]:
    made = []
    with unit_of_work() as unit:
        offices = [
            organisations.add_organisation(
                unit, f"Office {number}", "police", "11", is_provider=False
            )
            for number in range(ORGANISATIONS)
        ]
        for number in range(ACCOUNTS):
            role = Role.COORDINATOR if number else Role.AUDITOR
            email = f"{number}@practice.example" if number else AUDITOR
            office = offices[number % ORGANISATIONS]
            new = accounts.NewAccount(f"Bench {number}", email, office.id, role, PASSWORD)
            made.append(_Person(accounts.add_account(unit, new).id, office.id, role))
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE)
    return made


def _insert(
    connection: sqlite3.Connection,
    table: str,
    columns: tuple[str, ...],
    rows: Iterator[tuple[object, ...]],
) -> None:
    marks, names = ", ".join("?" * len(columns)), ", ".join(f'"{name}"' for name in columns)
    while batch := list(islice(rows, AT_ONCE)):
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", batch)  # noqa: S608 - our own


def _cases(cases: list[UUID], by: _Person) -> Iterator[tuple[object, ...]]:
    for case_id in cases:
        names = (case_id.hex, new_case_reference(), UUID(int=case_id.int ^ 1).hex)
        moment = _stored_moment(BEGINNING)
        states = ("flagged", "waiting", 1, moment)
        yield (*names, *states, by.id.hex, by.organisation_id.hex, moment, 1)


def _entries(
    chance: Random, number: int, people: list[_Person], cases: list[UUID]
) -> Iterator[tuple[object, ...]]:
    for at in range(number):
        person, detail = chance.choice(people), b""
        action, case, rows, outcome = _act(person, chance, cases)
        if chance.random() < 0.3:  # noqa: PLR2004 - a search, a list, a change of fields
            detail = chance.randbytes(120)
        texts = {
            "occurred_at": (BEGINNING + SPAN * (at / number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "actor_role": person.role.value,
            "session_ref": f"{chance.getrandbits(64):016x}",
            "action": action.value,
            "subject_type": "case" if case else "none",
            "compartments": "contact identity" if action is Action.COMPARTMENT_OPEN else "",
            "outcome": outcome.value,
            "rows": rows_text(rows),
            "detail_sha256": hashlib.sha256(detail).hexdigest() if detail else "",
        }
        ids = {
            "id": UUID(int=chance.getrandbits(128)),
            "actor_id": person.id,
            "actor_organisation_id": person.organisation_id,
            **({"subject_id": case, "case_id": case} if case else {}),
        }
        yield _row(ids, texts, detail)


def _act(
    person: _Person, chance: Random, cases: list[UUID]
) -> tuple[Action, UUID | None, list[RowTouched], Outcome]:
    if person.role is Role.AUDITOR:
        return Action.AUDIT_SEARCH, None, [], Outcome.DONE
    kind, case = chance.random(), chance.choice(cases)
    if kind < 0.02:  # noqa: PLR2004 - shares of one whole, here and below
        return Action.ACCESS_REFUSED, case, [], Outcome.REFUSED
    if kind < 0.07:  # noqa: PLR2004
        listed = [RowTouched(UUID(int=chance.choice(cases).int ^ 2), 1) for _ in range(LISTED)]
        return Action.CASE_LIST, None, listed, Outcome.DONE
    if kind < 0.4:  # noqa: PLR2004
        return Action.SESSION_SIGN_IN, None, [], Outcome.DONE
    touched = [RowTouched(UUID(int=case.int ^ (2 + at)), 1) for at in range(chance.randint(1, 3))]
    return chance.choice(ON_CASES), case, touched, Outcome.DONE


def _row(ids: dict[str, UUID], texts: dict[str, str], detail: bytes) -> tuple[object, ...]:
    """Give an entry as SQLite stores it, with the leaf of what it says."""
    covered = [ids[name].bytes if name in ids else texts.get(name, "").encode() for name in FIELDS]
    stored: list[object] = [texts.get(name, "") for name in FIELDS]
    for at in IDS:
        stored[at] = ids[FIELDS[at]].hex if FIELDS[at] in ids else None
    stored[FIELDS.index("occurred_at")] = texts["occurred_at"][:-1].replace("T", " ")
    return (*stored, detail or None, leaf_of(covered))


def _stored_moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
