"""Measure the vault and the rotation beside the least that could do the same.

Each of ours is measured in turns with its counterpart, so that whatever else the machine does falls
on both. Medians of CPU and of wall-clock time; ratios are those of the medians.
"""

import hmac
import json
import os
import sqlite3
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select

from bench.world import app_in, world
from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.reference import new_case_reference
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Base, Case, CaseKey, SealedCompartment
from nrm.security.keyring import Purpose
from nrm.services import keys, rotation, vault
from nrm.services.audit import record

MANY, FEW = 100_000, 10_000
FIRST_KEY = 1
ROTATIONS, SAVES, OPENINGS = 5, 300, 200
# A single opening is too short for a clock.
REPEATED = 20
NANOSECONDS = 1e9
MILLISECONDS = 1e3
MEGABYTE = 1 << 20
# What the stored form of a sealed row has around its padded text.
AROUND = 33

Rows = dict[str, list[dict[str, Any]]]
Clocked = tuple[float, float]


def main() -> None:
    """Measure all three parts, print the table and write the figures."""
    with TemporaryDirectory(prefix="nrm-bench-") as folder:
        figures = rotating(Path(folder))
    with world(1) as made, made.app.app_context():
        figures |= opening_and_sealing()
        figures |= saving(made.app.config["NRM"].instance)
        db.session.remove()
        db.engine.dispose()
    report(figures)
    results = Path(__file__).with_name("results")
    results.mkdir(exist_ok=True)
    (results / "keys.json").write_text(json.dumps(figures, indent=1) + "\n")


# Rotating -----------------------------------------------------------------------------------------


def rotating(folder: Path) -> dict[str, Any]:
    """Rotate the case key over many keys, in turns with a bare update of the same rows.

    Ours makes a new master key, unwraps and wraps each key, and commits each thousand of them with
    an entry in the log; the pauses in which others get their turn are left out. The bare one is
    one `executemany` in one transaction, with the same settings of SQLite.
    """
    app = app_in(folder)
    with app.app_context(), _plainly(folder) as database:
        _fill(database, FEW)
        memory = {FEW: _peak(_rotate)}
        _fill(database, MANY - FEW)
        turns: dict[str, list[Clocked]] = {"rotate": [], "bare update": []}
        for _ in range(ROTATIONS):
            turns["rotate"].append(_clocked(_rotate))
            now = database.execute("SELECT ring_id, wrapped, id FROM case_key").fetchall()
            # To another master key and back, because nothing would open under a wrong one.
            other = [(FIRST_KEY, wrapped, key_id) for _, wrapped, key_id in now]
            turns["bare update"].append(_clocked(partial(_bare_update, database, other)))
            _bare_update(database, now)
        memory[MANY] = _peak(_rotate)
        if rotation.left(Purpose.CASE):
            raise SystemExit("keys were left behind")
        db.session.remove()
        db.engine.dispose()
    name = f"rotate {MANY:,} case keys"
    return {
        name: _figures(turns, "rotate", "bare update"),
        "memory of a rotation": {f"{size:,} keys, MB": peak for size, peak in memory.items()},
    }


def _rotate() -> None:
    rotation.rotate(Purpose.CASE)
    with patch("nrm.services.rotation.time.sleep"):
        for _ in rotation.go_on(Purpose.CASE):
            pass


def _bare_update(database: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany("UPDATE case_key SET ring_id = ?, wrapped = ? WHERE id = ?", rows)
    database.execute("COMMIT")


def _fill(database: sqlite3.Connection, number: int) -> None:
    ring = keys.look_again()
    rows = []
    for _ in range(number):
        owner = uuid4()
        rows.append((owner.hex, *ring.wrap(Purpose.CASE, owner, os.urandom(32))))
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT INTO case_key (owner_id, ring_id, wrapped) VALUES (?, ?, ?)", rows)
    database.execute("COMMIT")


def _peak(act: Callable[[], object]) -> float:
    """Measure the most memory that Python held at once, in megabytes."""
    tracemalloc.start()
    act()
    peak = tracemalloc.get_traced_memory()[1] / MEGABYTE
    tracemalloc.stop()
    return round(peak, 2)


@contextmanager
def _plainly(folder: Path) -> Iterator[sqlite3.Connection]:
    """Connect to the same file with the same promises, past everything of ours."""
    with closing(sqlite3.connect(folder / "nrm.sqlite3", isolation_level=None)) as database:
        for setting in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            database.execute(f"PRAGMA {setting}")
        yield database


# Opening and sealing ------------------------------------------------------------------------------

WORDS = "What the person told, in plain words, as it was written down on the day. "
# A case as full as most: who, how to reach them, what was told, what a clinic and the police add.
DOCUMENTS: dict[str, dict[str, Any]] = {
    "identity": {
        "given_name": "Bench",
        "family_name": "Practice",
        "other_names": "",
        "birth_date": "2001-05-17",
        "sex": "female",
        "nationality": "rwa",
        "languages": ["kin", "fra", "swa"],
        "id_number": "1200170000000000",
    },
    "contact": {
        "method": "phone",
        "phone": "+250700000000",
        "words": WORDS * 2,
        "code_word": "tea",
    },
    "narrative": {"account": WORDS * 40, "place_words": WORDS * 3, "indicators": ["hurt", "debt"]},
    "health": {"health_words": WORDS * 15, "needs": ["medical_examination"]},
    "enforcement": {"station_reference": "OB-1", "words": WORDS * 6},
}


def opening_and_sealing() -> dict[str, Any]:
    """Open and seal the compartments of one case, in turns with the same by hand.

    All begin with rows and documents in memory and ask the database nothing; nor does the vault
    hand its rows over to be saved, which `saving` counts. It unwraps the case's key, derives a key
    for each compartment, binds each row to its place, pads, hashes what it sealed, and notes what
    it touched. By hand there are two: `as stored` reads and writes the very same form, but checks
    and notes nothing; `bare` unwraps one key, and opens or seals under it, bound to 100 fixed
    bytes, JSON of the same padded length.
    """
    row = db.session.scalars(select(CaseKey)).one()
    unit = Unit(now=datetime.now(UTC))
    key = keys.data_key(unit, Purpose.CASE, row.owner_id, row)
    with _unsaved():
        rows = _seal(row, _new_rows(row), DOCUMENTS)
    stored, bare = _AsStored(row, key, rows), _Bare([len(one.sealed) - AROUND for one in rows])
    turns: dict[str, list[Clocked]] = {}
    with _unsaved():
        new = _new_rows(row)
        for turn in range(OPENINGS + 1):
            for name, act in (
                ("open, vault", partial(_open, row, rows)),
                ("open, as stored", stored.open),
                ("open, bare", bare.open),
                ("seal, vault", partial(_seal, row, new, DOCUMENTS)),
                ("seal, as stored", stored.seal),
                ("seal, bare", bare.seal),
            ):
                clocked = _clocked(partial(_repeated, act))
                if turn:
                    turns.setdefault(name, []).append(clocked)
    for who in ("vault", "as stored", "bare"):
        both = zip(turns[f"open, {who}"], turns[f"seal, {who}"], strict=True)
        turns[who] = [(one[0] + two[0], one[1] + two[1]) for one, two in both]
    return {
        "sizes of five sealed compartments": {one.compartment: len(one.sealed) for one in rows},
        **{
            f"{act} them {REPEATED} times, beside {other}": _figures(
                turns, f"{act}, vault", f"{act}, {other}"
            )
            for other in ("as stored", "bare")
            for act in ("open", "seal")
        },
        "open and seal them so often, beside as stored": _figures(turns, "vault", "as stored"),
        "open and seal them so often, beside bare": _figures(turns, "vault", "bare"),
    }


def _repeated(act: Callable[[], object]) -> None:
    for _ in range(REPEATED):
        act()


def _unsaved() -> Any:  # noqa: ANN401 - a patch
    return patch.object(db.session, "add", id)


def _new_rows(key: CaseKey) -> list[SealedCompartment]:
    return [
        SealedCompartment(row_id=uuid4(), case_id=key.owner_id, compartment=name, revision=1)
        for name in DOCUMENTS
    ]


def _open(key: CaseKey, rows: Sequence[SealedCompartment]) -> list[dict[str, Any]]:
    unit = Unit(now=datetime.now(UTC))
    return [
        vault._open(unit, key.owner_id, row.compartment, row, key)  # noqa: SLF001
        for row in rows
    ]


def _seal(
    key: CaseKey, rows: Sequence[SealedCompartment], documents: dict[str, dict[str, Any]]
) -> Sequence[SealedCompartment]:
    unit = Unit(now=datetime.now(UTC))
    keys.data_key(unit, Purpose.CASE, key.owner_id, key)
    unit.newest[Purpose.CASE, key.owner_id] = key.id
    for row in rows:
        document = documents[row.compartment]
        vault._seal(unit, key.owner_id, row.compartment, row, document)  # noqa: SLF001
    return rows


class _AsStored:
    """The stored form, read and written by a short script that trusts everything."""

    def __init__(self, key: CaseKey, data_key: bytes, rows: Sequence[SealedCompartment]) -> None:
        self.key_id, self.rows = key.id, [(row.row_id, row.compartment, row.sealed) for row in rows]
        self.master, self.nonce = os.urandom(32), os.urandom(12)
        self.wrapped = AESGCM(self.master).encrypt(self.nonce, data_key, bytes(100))

    def open(self) -> list[dict[str, Any]]:
        key, opened = self._unwrapped(), []
        for row_id, name, sealed in self.rows:
            aead = AESGCM(hmac.digest(key, b"nrm compartment v1:%b\x01" % name.encode(), "sha256"))
            padded = aead.decrypt(sealed[5:17], sealed[17:], self._bound(row_id, name))
            opened.append(json.loads(padded[5 : 5 + int.from_bytes(padded[1:5])]))
        return opened

    def seal(self) -> list[bytes]:
        key, sealed = self._unwrapped(), []
        for row_id, name, old in self.rows:
            aead = AESGCM(hmac.digest(key, b"nrm compartment v1:%b\x01" % name.encode(), "sha256"))
            nonce = os.urandom(12)
            text = json.dumps(DOCUMENTS[name], ensure_ascii=False, sort_keys=True).encode()
            padded = (b"\x01" + len(text).to_bytes(4) + text).ljust(len(old) - AROUND, b"\0")
            head = b"\x01" + self.key_id.to_bytes(4) + nonce
            sealed.append(head + aead.encrypt(nonce, padded, self._bound(row_id, name)))
        return sealed

    def _unwrapped(self) -> bytes:
        return AESGCM(self.master).decrypt(self.nonce, self.wrapped, bytes(100))

    def _bound(self, row_id: UUID, name: str) -> bytes:
        parts = (
            b"v1",
            b"sealed_compartment",
            row_id.bytes,
            name.encode(),
            (1).to_bytes(8),
            self.key_id.to_bytes(4),
        )
        return len(parts).to_bytes(8) + b"".join(len(one).to_bytes(8) + one for one in parts)


class _Bare:
    """Unwrapping, AES-GCM and JSON, as whoever wants nothing more would write it."""

    bound = bytes(100)

    def __init__(self, lengths: list[int]) -> None:
        self.lengths = lengths
        self.master, self.nonce = os.urandom(32), os.urandom(12)
        self.wrapped = AESGCM(self.master).encrypt(self.nonce, os.urandom(32), self.bound)
        self.sealed = self.seal()

    def open(self) -> list[dict[str, Any]]:
        aead = self._unwrapped()
        # Spaces at the end made the same length, and JSON passes over them.
        return [
            json.loads(aead.decrypt(sealed[:12], sealed[12:], self.bound)) for sealed in self.sealed
        ]

    def seal(self) -> list[bytes]:
        aead, sealed = self._unwrapped(), []
        for document, length in zip(DOCUMENTS.values(), self.lengths, strict=True):
            nonce = os.urandom(12)
            body = json.dumps(document).encode().ljust(length)
            sealed.append(nonce + aead.encrypt(nonce, body, self.bound))
        return sealed

    def _unwrapped(self) -> AESGCM:
        return AESGCM(AESGCM(self.master).decrypt(self.nonce, self.wrapped, self.bound))


# Saving -------------------------------------------------------------------------------------------

# What a new case writes, in the order in which rows point to each other, and by what it is found.
WRITTEN = {
    "case_file": "id",
    "case_key": "owner_id",
    "facts_key": "case_id",
    "compartment_head": "case_id",
    "sealed_compartment": "case_id",
    "facts_head": "case_id",
    "sealed_facts": "case_id",
    "audit_entry": "case_id",
}
COPIED = (
    "incident_id",
    "identification",
    "assistance",
    "urgency",
    "due_at",
    "flagged_by_id",
    "flagged_by_organisation_id",
    "flagged_at",
)


def saving(folder: Path) -> dict[str, Any]:
    """Save a new case with its entry, in turns with the same rows by sqlite3 and by Core.

    Ours is one unit of work: the case, its two keys, six sealed documents with what says which of
    their revisions is current, and the entry with the hash of each. The others write as many rows
    of the same sizes into the same tables, made beforehand and with the documents in clear. Each
    ends with its commit to the disk.
    """
    case = db.session.scalars(select(Case)).one()
    template = _template(_save(case, DOCUMENTS))
    turns: dict[str, list[Clocked]] = {"vault": [], "sqlite3": [], "Core": []}
    with _plainly(folder) as database:
        for turn in range(SAVES + 1):
            by_sqlite, by_core = _as_stored(_renewed(template)), _renewed(template)
            for name, act in (
                ("vault", partial(_save, case, DOCUMENTS)),
                ("sqlite3", partial(_save_plainly, database, by_sqlite)),
                ("Core", partial(_save_by_core, by_core)),
            ):
                clocked = _clocked(act)
                db.session.remove()
                if turn:
                    turns[name].append(clocked)
    number = sum(map(len, template.values()))
    return {
        f"save a case, {number} rows": _figures(turns, "vault", "sqlite3"),
        "the same by Core": _figures(turns, "Core", "sqlite3"),
    }


def _save(case: Case, documents: dict[str, dict[str, Any]]) -> UUID:
    with unit_of_work() as unit:
        copied = {name: getattr(case, name) for name in COPIED}
        new = Case(id=uuid4(), reference=new_case_reference(), **copied)
        db.session.add(new)
        db.session.flush()
        vault.seal_new_case(unit, new, documents)
        record(unit, HOUSEKEEPING, Action.CASE_FLAG, Subject("case", new.id, new.id))
    return new.id


def _template(case_id: UUID) -> Rows:
    """Read back what one case wrote; its sealed documents stand for clear ones of their length."""
    found: Rows = {}
    for name, column in WRITTEN.items():
        table = Base.metadata.tables[name]
        rows = db.session.execute(select(table).where(table.c[column] == case_id))
        found[name] = [dict(row._mapping) for row in rows]  # noqa: SLF001 - as SQLAlchemy says
    for row in (*found["sealed_compartment"], *found["sealed_facts"]):
        row["sealed"] = b"{}".ljust(len(row["sealed"]))
    db.session.remove()
    return found


def _renewed(template: Rows) -> Rows:
    """Give every row new ids, the same one wherever the same one stood."""
    new: dict[UUID, UUID] = {}
    ids = {row["case_id"] for row in template["facts_key"]}
    for name in ("compartment_head", "facts_head"):
        ids |= {row["row_id"] for row in template[name]}
    rows = {
        name: [
            {
                column: new.setdefault(value, uuid4()) if value in ids else value
                for column, value in row.items()
                # The database counts these by itself.
                if (name, column) not in {("case_key", "id"), ("facts_key", "id")}
                and column not in {"seq", "leaf_index"}
            }
            for row in some
        ]
        for name, some in template.items()
    }
    rows["case_file"][0]["reference"] = new_case_reference()
    rows["audit_entry"][0]["id"] = uuid4()
    return rows


def _as_stored(rows: Rows) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Write the statements and values as whoever uses sqlite3 alone would have them."""
    statements = []
    for name, some in rows.items():
        columns, places = ", ".join(some[0]), ", ".join("?" * len(some[0]))
        values = [tuple(_stored(value) for value in row.values()) for row in some]
        statements.append((f"INSERT INTO {name} ({columns}) VALUES ({places})", values))  # noqa: S608 - our own tables
    return statements


def _stored(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, UUID):
        return value.hex
    return str(value) if isinstance(value, datetime) else value


def _save_plainly(
    database: sqlite3.Connection, statements: Sequence[tuple[str, list[tuple[Any, ...]]]]
) -> None:
    database.execute("BEGIN IMMEDIATE")
    for statement, values in statements:
        database.executemany(statement, values)
    database.execute("COMMIT")


def _save_by_core(rows: Rows) -> None:
    with db.engine.begin() as connection:
        for name, some in rows.items():
            connection.execute(insert(Base.metadata.tables[name]), some)


# Clocks and tables --------------------------------------------------------------------------------


def _clocked(act: Callable[[], object]) -> Clocked:
    """Measure the seconds of this process's CPU, and those of the clock on the wall."""
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    act()
    spent = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    return spent[0] / NANOSECONDS, spent[1] / NANOSECONDS


def _figures(turns: dict[str, list[Clocked]], ours: str, other: str) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for at, clock in enumerate(("CPU", "wall")):
        medians = [statistics.median(one[at] for one in turns[name]) for name in (ours, other)]
        figures |= {
            f"{ours}, {clock} ms": round(medians[0] * MILLISECONDS, 4),
            f"{other}, {clock} ms": round(medians[1] * MILLISECONDS, 4),
            f"{clock} ratio": round(medians[0] / medians[1], 2),
        }
    return figures


def report(figures: dict[str, Any]) -> None:
    """Print every figure under the name of what was measured."""
    for name, some in figures.items():
        print(f"\n{name}")
        for what, value in some.items():
            print(f"  {what:36}{value:>12}")


if __name__ == "__main__":
    main()
