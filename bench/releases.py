"""Measure the statistics: counting a release, and the analyst's pages beside one without figures.

Each database holds real sealed facts and counted acts under a wrapped key for each case, filled by
plain SQL. Counting is measured in turns with reading, unwrapping and decoding the same rows and
nothing else. A process of its own counts the largest, so that its memory is what counting needs.
"""

import json
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import select

from bench.filled_log import become
from bench.log import Memory
from bench.world import PACK, PASSWORD, app_in, asked_by, settings_in, signed_in
from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING, Actor, Role
from nrm.domain.vocabulary import (
    AGE_BAND,
    EXPLOITATION,
    INDICATOR,
    NEED,
    REFERRAL_SOURCE,
    SEX,
    TRAFFICKING_FLOW,
)
from nrm.models import Account
from nrm.security.keyfile import Holder
from nrm.security.keyring import Purpose, new_key
from nrm.security.sealing import Place, compartment_key, seal, unseal
from nrm.services import accounts, counting, keys, organisations, releases
from nrm.services import statistics as counted
from nrm.services.audit import record
from nrm.statistics.catalogue import catalogue
from nrm.statistics.periods import Period
from nrm.statistics.protection import Protection
from nrm.statistics.release import CaseFacts, make

SIZES = (100_000, 1_000_000)
# Counting one size is compared with bare reading; a larger one is only counted, for its memory.
COMPARED = 100_000
QUARTER, TURNS, PAGES, AT_ONCE = "2025Q3", 3, 40, 10_000
NANOSECONDS, KILOBYTES = 1e9, 1024
COLUMNS = {
    "facts_key": ("id", "case_id", "ring_id", "wrapped"),
    "facts_head": ("row_id", "case_id", "current_revision"),
    "sealed_facts": ("row_id", "revision", "key_id", "sealed", "case_id"),
    "sealed_facts_event": ("row_id", "revision", "key_id", "sealed", "case_id"),
}


def main(sizes: Sequence[int] = SIZES) -> None:
    """Measure every size, print the figures and write them."""
    figures = {}
    for size in sizes:
        figures[f"{size:,} cases"] = measured(size)
        print(f"\n{size:,} cases")
        for what, value in figures[f"{size:,} cases"].items():
            print(f"  {what:44}{value:>12,}", flush=True)
    results = Path(__file__).with_name("results")
    results.mkdir(exist_ok=True)
    (results / "releases.json").write_text(json.dumps(figures, indent=1) + "\n")


def measured(size: int) -> dict[str, float]:
    """Fill a database with so many cases and let a process of its own count them."""
    with TemporaryDirectory(prefix="nrm-bench-") as name:
        folder = Path(name)
        with app_in(folder).app_context():
            _analysts()
            rows = _rows(size)
            _insert(folder / "nrm.sqlite3", rows)
            db.session.remove()
            db.engine.dispose()
        counting_it = [sys.executable, "-m", "bench.releases", "--count", name, str(size)]
        done = subprocess.run(counting_it, check=True, stdout=subprocess.PIPE)  # noqa: S603 - ours
    figures: dict[str, float] = json.loads(done.stdout.decode().splitlines()[-1])
    return figures


def _analysts() -> None:
    with unit_of_work() as unit:
        office = organisations.add_organisation(unit, "Office", "ministry", "11", is_provider=False)
        for number in range(2):
            email = f"analyst{number}@practice.example"
            new = accounts.NewAccount(f"Bench {number}", email, office.id, Role.ANALYST, PASSWORD)
            accounts.add_account(unit, new)
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE)


def _rows(size: int) -> Iterator[dict[str, list[tuple[object, ...]]]]:
    chance, ring = Random(9), keys.keyring()
    for key_id in range(1, size + 1):
        case_id, key = UUID(int=chance.getrandbits(128)), new_key()
        ring_id, wrapped = ring.wrap(Purpose.FACTS, case_id, key)
        row_id = UUID(int=case_id.int ^ 1)
        place = Place("sealed_facts", row_id, "facts", 1, key_id)
        sealed = seal(compartment_key(key, "facts"), place, _facts(chance))
        events = []
        for number, event in enumerate(_events(chance, key_id)):
            event_id = UUID(int=case_id.int ^ (2 + number))
            place = Place("sealed_facts_event", event_id, "facts_event", 1, key_id)
            closed = seal(compartment_key(key, "facts_event"), place, event)
            events.append((event_id.hex, 1, key_id, closed, case_id.hex))
        yield {
            "facts_key": [(key_id, case_id.hex, ring_id, wrapped)],
            "facts_head": [(row_id.hex, case_id.hex, 1)],
            "sealed_facts": [(row_id.hex, 1, key_id, sealed, case_id.hex)],
            "sealed_facts_event": events,
        }


def _facts(chance: Random) -> dict[str, Any]:
    return {
        "quarter": QUARTER,
        "sex": chance.choice(SEX.codes),
        "age_band": chance.choice(AGE_BAND.codes),
        "source": chance.choice(REFERRAL_SOURCE.codes),
        "citizenship": chance.choice(("RW", "RW", "RW", "BI", "CD")),
        "district": chance.choice(tuple(PACK.districts)),
        "indicators": chance.sample(INDICATOR.codes, 3),
        "exploitation": chance.sample(EXPLOITATION.codes[:5], chance.randint(1, 2)),
        "flow": chance.choice(TRAFFICKING_FLOW.codes),
    }


def _events(chance: Random, number: int) -> list[dict[str, Any]]:
    sent = {"service": chance.choice(NEED.codes), "referral": str(number)}
    events: list[dict[str, Any]] = [
        {"event": "flagged", "days": 0},
        {"event": "presumed", "days": chance.randrange(12)},
        {"event": "consented", "days": chance.randrange(12)},
        {"event": "sent", "days": chance.randrange(12), **sent},
        {"event": "accepted", "days": chance.randrange(5), "referral": str(number)},
    ]
    return [{**event, "quarter": QUARTER} for event in events]


def _insert(database: Path, rows: Iterator[dict[str, list[tuple[object, ...]]]]) -> None:
    db.session.remove()
    db.engine.dispose()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for setting in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        while batch := list(islice(rows, AT_ONCE)):
            for table, columns in COLUMNS.items():
                marks, names = ", ".join("?" * len(columns)), ", ".join(columns)
                wanted = [row for made in batch for row in made[table]]
                statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our own
                connection.executemany(statement, wanted)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")


def _count(folder: Path, size: int) -> None:
    """Count as the statistics' process does, and print the figures."""
    app = create_app(settings_in(folder))
    with app.app_context():
        become(Holder.STATISTICS, folder)
        counting_it, whole = Memory(), Memory()
        ways: dict[str, Callable[[], object]] = {"count": partial(_whole, size, counting_it)}
        if size <= COMPARED:
            ways["bare"] = partial(_bare, folder / "nrm.sqlite3")
        turns: dict[str, list[float]] = {name: [] for name in ways}
        with whole.watching():
            for _ in range(TURNS if size <= COMPARED else 1):
                for name, act in ways.items():
                    began = time.process_time_ns()
                    act()
                    turns[name].append((time.process_time_ns() - began) / NANOSECONDS)
        spent = {name: statistics.median(some) for name, some in turns.items()}
        figures = {f"{name}, CPU s": round(cpu, 2) for name, cpu in spent.items()}
        if "bare" in spent:
            figures["count x bare"] = round(spent["count"] / spent["bare"], 2)
        # While cases are counted; after that the release attacks itself, which takes more.
        figures["memory of counting, MB"] = round(counting_it.most / KILOBYTES)
        figures["memory in all, MB"] = round((whole.before + whole.most) / KILOBYTES)
        if size <= COMPARED:
            _publish()
            become(Holder.WEB, folder)
    if size <= COMPARED:
        figures |= _pages(app)
    print(json.dumps(figures))


def _whole(size: int, memory: Memory) -> None:
    listed = catalogue(counted.country_of(PACK))
    opened = counting.Opened()
    protection = Protection(bytes(32), "bench")
    cases = _looking(counting.facts_of_everybody(opened), memory)
    made = make(cases, Period(QUARTER, QUARTER), protection, listed)
    if opened.cases != size or not made.shown:
        raise SystemExit("not every case was counted")


def _looking(cases: Iterator[CaseFacts], memory: Memory) -> Iterator[CaseFacts]:
    """Look at the memory while cases are counted, in the first turn, before any attack."""
    for number, case in enumerate(cases):
        if number % AT_ONCE == 0:
            memory.look(number)
        yield case


def _bare(database: Path) -> None:
    """Read, unwrap and decode the same rows by hand, a batch at a time, and count nothing."""
    ring = keys.keyring()
    with closing(sqlite3.connect(database)) as connection:
        wrapped = connection.execute(
            "SELECT k.id, k.case_id, k.ring_id, k.wrapped, f.row_id, f.sealed FROM facts_key k"
            " JOIN facts_head h ON h.case_id = k.case_id JOIN sealed_facts f"
            " ON f.row_id = h.row_id AND f.revision = h.current_revision ORDER BY k.case_id"
        )
        events = connection.cursor()
        for key_id, case, ring_id, held, row_id, sealed in wrapped:
            key = ring.unwrap(Purpose.FACTS, UUID(case), ring_id, held)
            _opened(key, "sealed_facts", "facts", row_id, key_id, sealed)
            found = events.execute(
                "SELECT row_id, sealed FROM sealed_facts_event WHERE case_id = ?", [case]
            )
            for event_id, closed in found:
                _opened(key, "sealed_facts_event", "facts_event", event_id, key_id, closed)


def _opened(
    key: bytes, table: str, compartment: str, row_id: str, key_id: int, sealed: bytes
) -> None:
    place = Place(table, UUID(row_id), compartment, 1, key_id)
    unsealed = unseal(compartment_key(key, compartment), place, sealed)
    del unsealed


def _publish() -> None:
    release_id = releases.ask(HOUSEKEEPING, QUARTER, "final", PACK)
    counted.count(release_id, PACK, lambda _done, _of: None)
    for number in range(2):
        email = f"analyst{number}@practice.example"
        account = db.session.scalars(select(Account).where(Account.email == email)).one()
        releases.sign(Actor(account.id, account.organisation_id, Role.ANALYST), release_id)
    counted.freeze(release_id, PACK)


def _pages(app: Any) -> dict[str, float]:  # noqa: ANN401 - a Flask application
    """Ask for the analyst's pages in turns with one that has no figures."""
    client = signed_in(app, "analyst0@practice.example")
    paths = {
        "method": "/statistics/method",
        "overview": "/statistics",
        "tables": "/statistics/tables",
    }
    spent: dict[str, list[float]] = {name: [] for name in paths}
    statements = {}
    for turn in range(PAGES + 1):
        for name, path in paths.items():
            cpu, number = asked_by(client, path, app)
            if turn:
                spent[name].append(cpu)
                statements[name] = number
    medians = {name: statistics.median(some) for name, some in spent.items()}
    return {
        **{f"page {name}, CPU ms": round(cpu, 2) for name, cpu in medians.items()},
        **{
            f"page {name}, ms above one without figures": round(
                medians[name] - medians["method"], 2
            )
            for name in ("overview", "tables")
        },
        **{f"page {name}, statements": number for name, number in statements.items()},
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--count"]:
        _count(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main([int(size) for size in sys.argv[1:]] or SIZES)
