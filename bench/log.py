"""Measure the log: appending, placing, checking and proving entries, and the auditor's search.

Each of ours is measured in turns with the least that could stand in for it. A process of its own
reads each log, so that what it holds in memory is what reading needs. Processor time, unless a
figure says otherwise: how `writers` measures who waits for whom is said there.
"""

import json
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, TypeAlias
from unittest.mock import patch

from flask import Flask
from sqlalchemy import select

from bench import writers
from bench.filled_log import AUDITOR, BEGINNING, SPAN, become, fill
from bench.world import asked_by, settings_in, signed_in
from nrm.application import create_app
from nrm.audit.actions import Action, Outcome
from nrm.audit.verify import FIELDS, Trusted, verify_proof
from nrm.cli import startup
from nrm.db import db
from nrm.domain.roles import Actor, Role
from nrm.models import Account, AuditEntry, Case
from nrm.security.keyfile import Holder
from nrm.services import checkpoints, log_bundle, log_check, log_search, sequencing

SIZES = (10_000, 100_000, 1_000_000)
CHECKS, PROOFS, SEARCHES = 3, 200, 30
SECOND_PLACE = "second place"
MILLISECONDS, MICROSECONDS, NANOSECONDS = 1e3, 1e6, 1e9
# In seconds.
LOOK_EVERY = 0.05
READ = ("seq", "leaf_index", "leaf_hash", "detail", *FIELDS)

Figures: TypeAlias = dict[str, Any]


def main(sizes: Sequence[int] = SIZES) -> None:
    """Fill logs of several sizes, measure reading each, print the tables and write the figures."""
    for size in sizes:
        _keep(f"{size:,} entries", measured(size))


def writing() -> None:
    """Measure what the log costs whoever acts, print the table and write the figures."""
    _keep("writing", writers.measured())


def _keep(name: str, figures: Figures) -> None:
    """Print a table, and write it in the place of the same one of an earlier run."""
    report(name, figures)
    results = Path(__file__).with_name("results")
    results.mkdir(exist_ok=True)
    file = results / "log.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps(kept | {name: figures}, indent=1) + "\n")


def measured(size: int) -> Figures:
    """Fill a log of this size, place and sign it, and let another process read it."""
    with TemporaryDirectory(prefix="nrm-bench-") as name:
        folder = Path(name)
        fill(folder, size)
        figures = {"placing": _placed(folder)}
        reading = [sys.executable, "-m", "bench.log", "--read", name]
        done = subprocess.run(reading, check=True, stdout=subprocess.PIPE)  # noqa: S603 - ours
    return figures | json.loads(done.stdout)


def _placed(folder: Path) -> Figures:
    """Place every entry as the signer does, each thousand of them in a transaction."""
    with create_app(settings_in(folder)).app_context():
        become(Holder.SIGNER, folder)
        number = []
        cpu, wall = clocked(lambda: number.append(sequencing.sequence()))
        signing = clocked(partial(checkpoints.sign, folder / SECOND_PLACE))
        db.session.remove()
        db.engine.dispose()
    return {
        "µs an entry": round(cpu / number[0] * MICROSECONDS, 1),
        "wall µs an entry": round(wall / number[0] * MICROSECONDS, 1),
        "signing, ms": round(signing[0] * MILLISECONDS, 2),
    }


def _read(folder: Path) -> None:
    """Read a log as a process that serves would, and print the figures."""
    app = create_app(settings_in(folder))
    with app.app_context():
        startup.settle_memory()
        figures = {"checking": _checked(folder), "proving": _proved()}
        figures["searching"] = _searched()
    # Outside, as every request has a context of its own.
    figures["the page"] = _page(app)
    print(json.dumps(figures))


# Checking -----------------------------------------------------------------------------------------


def _checked(folder: Path) -> Figures:
    """Check every entry, in turns with reading the same columns of the same rows alone."""
    peak = Memory()
    verdict = log_check.verify(peak.look)
    if verdict.findings or not verdict.signed:
        raise SystemExit("the log is not as it was written")
    ways: dict[str, Callable[[], object]] = {
        "check": partial(log_check.verify, lambda _: None),
        "scan by Core": _scan_by_core,
        "scan by sqlite3": partial(_scan_plainly, folder / "nrm.sqlite3"),
    }
    turns: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(CHECKS):
        for name, act in ways.items():
            turns[name].append(clocked(act)[0])
    spent = {name: statistics.median(some) for name, some in turns.items()}
    return {
        **{f"{name}, s": round(cpu, 3) for name, cpu in spent.items()},
        "x Core": round(spent["check"] / spent["scan by Core"], 2),
        "x sqlite3": round(spent["check"] / spent["scan by sqlite3"], 2),
        "memory, kB": peak.most,
    }


class Memory:
    """The most memory of its own that this process took on, beyond what it had at the beginning.

    The pages of the database that are mapped into it are not its own. Only Linux tells.
    """

    def __init__(self) -> None:
        self.before, self.most = self._now(), 0

    def look(self, _: int) -> None:
        self.most = max(self.most, self._now() - self.before)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look again and again from beside whatever is done meanwhile."""
        over = Event()

        def look() -> None:
            while not over.wait(LOOK_EVERY):
                self.look(0)

        beside = Thread(target=look)
        beside.start()
        try:
            yield
        finally:
            over.set()
            beside.join()

    def _now(self) -> int:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
        return 0


def _scan_by_core() -> None:
    columns = [getattr(AuditEntry, name) for name in READ]
    with db.engine.connect() as connection:
        for row in connection.execute(select(*columns).execution_options(stream_results=True)):
            del row


def _scan_plainly(database: Path) -> None:
    names = ", ".join(f'"{name}"' for name in READ)
    with closing(sqlite3.connect(database)) as connection:
        # As ours does: the file is mapped into memory.
        connection.execute("PRAGMA mmap_size=2147418112")
        for row in connection.execute(f"SELECT {names} FROM audit_entry"):  # noqa: S608 - our own
            del row


# Proving ------------------------------------------------------------------------------------------


def _proved() -> Figures:
    """Prove entries here and there; beside it, with the two entries that say that a proof left."""
    last = checkpoints.newest()
    if last is None:
        raise SystemExit("nothing was signed")
    numbers = [str(number) for number in Random(6).sample(range(1, last.size), PROOFS)]
    paths, makes, checks, whole = [], [], [], []
    for number in numbers:
        paths.append(clocked(partial(_path, int(number), last.size)))
        make = partial(log_bundle.prove, number)
        with patch.object(log_bundle, "_leaving", nullcontext):
            makes.append(clocked(make))
            made = make()
        checks.append(clocked(partial(verify_proof, made, Trusted())))
        whole.append(clocked(make))
    return {
        **_medians("path out of the tiles", paths),
        **_medians("file, with entry and checkpoint", makes),
        **_medians("check of the file", checks),
        **_medians("file, and that it left", whole),
    }


def _path(place: int, size: int) -> list[bytes]:
    with db.engine.connect() as connection:
        return sequencing.tree(connection).inclusion(place, size)


def _medians(name: str, turns: Sequence[tuple[float, float]]) -> Figures:
    cpu, wall = (statistics.median(some) * MILLISECONDS for some in zip(*turns, strict=True))
    return {f"{name}, ms": round(cpu, 3), f"{name}, wall ms": round(wall, 3)}


# Searching ----------------------------------------------------------------------------------------


def _searched() -> Figures:
    """Search by every single thing and by several, in turns whose order is never the same.

    Each search writes its entry, and now and then one of them empties SQLite's write-ahead log:
    in a fixed order that would always be the same one.
    """
    actor, searches, chance = _auditor(), _searches(), Random(8)
    spent: dict[str, list[float]] = {name: [] for name in searches}
    for turn in range(SEARCHES + 1):
        for name, search in chance.sample(list(searches.items()), len(searches)):
            cpu, _ = clocked(partial(log_search.search, actor, search))
            if turn:
                spent[name].append(cpu * MILLISECONDS)
    found = {name: len(log_search.search(actor, search).lines) for name, search in searches.items()}
    return {f"{name} ({found[name]}), ms": _median(some) for name, some in spent.items()}


def _page(app: Flask) -> Figures:
    """Ask for the page as a browser does."""
    client = signed_in(app, AUDITOR)
    pages = [asked_by(client, "/audit?act=access%3Arefused", app) for _ in range(SEARCHES)]
    return {
        "ms": _median([took for took, _ in pages]),
        "statements": max(statements for _, statements in pages),
    }


def _median(some: Sequence[float]) -> float:
    return round(statistics.median(some), 2)


def _auditor() -> Actor:
    account = db.session.scalars(select(Account).where(Account.email == AUDITOR)).one()
    return Actor(account.id, account.organisation_id, Role.AUDITOR)


def _searches() -> dict[str, log_search.Search]:
    account = db.session.scalars(select(Account).where(Account.email != AUDITOR)).first()
    case = db.session.scalars(select(Case.reference).order_by(Case.id).limit(1)).one()
    db.session.remove()
    if account is None:
        raise SystemExit("there is no account")
    Search = log_search.Search  # noqa: N806 - a class
    middle = BEGINNING + SPAN / 2
    day = {"since": middle, "until": middle + timedelta(days=1)}
    return {
        "everything": Search(),
        "case": Search(case_reference=case),
        "case that is not": Search(case_reference="AAAAAAAAAA"),
        "account": Search(account_id=account.id),
        "organisation": Search(organisation_id=account.organisation_id),
        "act": Search(action=Action.CASE_LIST),
        "act that nobody did": Search(action=Action.CASE_ERASE),
        "refused": Search(outcome=Outcome.REFUSED),
        "failed": Search(outcome=Outcome.FAILED),
        "done": Search(outcome=Outcome.DONE),
        "one day": Search(**day),
        "from the middle": Search(before=(middle, 0)),
        "account, one day": Search(account_id=account.id, **day),
        "account, act": Search(account_id=account.id, action=Action.CASE_LIST),
        "account, act that it never did": Search(
            account_id=_auditor().id, action=Action.SESSION_SIGN_IN
        ),
        "account, refused": Search(account_id=account.id, outcome=Outcome.REFUSED),
        "case, act": Search(case_reference=case, action=Action.CASE_OPEN),
        "case, account": Search(case_reference=case, account_id=account.id),
        "act that nobody did, account": Search(account_id=account.id, action=Action.CASE_ERASE),
        "organisation, act that it never did": Search(
            organisation_id=account.organisation_id, action=Action.CASE_ERASE
        ),
        "organisation, refused": Search(
            organisation_id=account.organisation_id, outcome=Outcome.REFUSED
        ),
        "act, refused": Search(action=Action.ACCESS_REFUSED, outcome=Outcome.REFUSED),
        "account, act, refused": Search(
            account_id=account.id, action=Action.CASE_LIST, outcome=Outcome.REFUSED
        ),
    }


# Clocks and tables --------------------------------------------------------------------------------


def clocked(act: Callable[[], object]) -> tuple[float, float]:
    """Measure the seconds of this process's CPU, and those of the clock on the wall."""
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    act()
    spent = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    return spent[0] / NANOSECONDS, spent[1] / NANOSECONDS


def report(name: str, figures: Figures) -> None:
    """Print every figure under the name of what was measured."""
    print(f"\n{name}")
    for part, some in figures.items():
        print(f"  {part}")
        for what, value in some.items():
            print(f"    {what:44}{value:>12,}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        _read(Path(sys.argv[2]))
    else:
        main([int(size) for size in sys.argv[1:]] or SIZES)
