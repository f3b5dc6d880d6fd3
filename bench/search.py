"""Measure the search for people among 10,000, 100,000 and 1,000,000 of them.

Each database holds real sealed identities under a wrapped key for each case, and real tokens; it
is filled by plain SQL, because a million flags through the services would take hours. What is
measured is `search.find` as the page calls it: CPU time of this process, with the entry in the log.
"""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from bench.people import KINDS, Names, Person
from bench.world import PACK, app_in, settings_in
from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.cli import startup
from nrm.db import db, unit_of_work
from nrm.domain import names, planner
from nrm.domain.roles import HOUSEKEEPING, Actor, Role
from nrm.models import NameIndex
from nrm.security.keyring import Purpose, new_key
from nrm.security.sealing import Place, compartment_key, seal
from nrm.services import accounts, keys, organisations, search, search_index
from nrm.services.audit import record

SIZES = (10_000, 100_000, 1_000_000)
QUERIES = 200
COMMONEST = 12
AT_ONCE = 20_000
MILLISECONDS = 1e6
MOMENT = "2026-01-12 08:00:00.000000"


def main(sizes: Sequence[int] = SIZES) -> None:
    """Measure every size, print the table and write the figures."""
    figures = {str(size): measured(size) for size in sizes}
    report(figures)
    results = Path(__file__).with_name("results")
    results.mkdir(exist_ok=True)
    (results / "search.json").write_text(json.dumps(figures, indent=1) + "\n")


def measured(size: int) -> dict[str, float]:
    """Make a database of this size and let a process of its own search in it.

    The program that serves holds no million made-up people in its memory.
    """
    made = Names()
    people = list(made.people(size))
    with TemporaryDirectory(prefix="nrm-bench-") as folder:
        with app_in(Path(folder)).app_context():
            actor = _coordinator()
            _fill(Path(folder) / "nrm.sqlite3", people, actor)
            db.session.remove()
            db.engine.dispose()
        questions = Path(folder) / "questions.json"
        questions.write_text(json.dumps(_questions(actor, made, people)))
        searching = [sys.executable, "-m", "bench.search", "--ask", folder]
        done = subprocess.run(searching, check=True, stdout=subprocess.PIPE)  # noqa: S603 - ours
    return {"bits": planner.bits_for(size), **json.loads(done.stdout)}


def _coordinator() -> Actor:
    with unit_of_work() as unit:
        office = organisations.add_organisation(unit, "Office", "police", "11", is_provider=False)
        new = accounts.NewAccount(
            "Bench", "bench@practice.example", office.id, Role.COORDINATOR, "bench-bench-bench"
        )
        account = accounts.add_account(unit, new)
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE)
    return Actor(account.id, office.id, Role.COORDINATOR)


def _fill(database: Path, people: Sequence[Person], actor: Actor) -> None:
    """Write cases, keys, sealed identities and tokens as the services would, many at once."""
    began = time.monotonic()
    with unit_of_work() as unit:
        version = search_index.reading()
        version.bits = planner.bits_for(len(people))
        record(unit, HOUSEKEEPING, Action.INDEX_RENEW)
    db.session.remove()
    db.engine.dispose()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for setting in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-600000"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        rows = _rows(people, actor, version)
        done = 0
        while batch := list(islice(rows, AT_ONCE)):
            for table in batch[0]:
                wanted = [row for made in batch for row in made[table]]
                marks = ", ".join("?" * len(wanted[0]))
                columns = ", ".join(COLUMNS[table])
                connection.executemany(
                    f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608 - our own
                    wanted,
                )
            done += len(batch)
            if done % 100_000 == 0:
                print(f"  {done:>9,} people after {time.monotonic() - began:.0f} s", flush=True)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
    # What was written is on the disk before a search is timed: none of them pays for the filling.
    os.sync()
    size = database.stat().st_size / 1e9
    print(f"Made {len(people):,} people in {time.monotonic() - began:.0f} s, {size:.2f} GB.")


COLUMNS = {
    "case_file": (
        *("id", "reference", "incident_id", "identification", "assistance", "urgency", "due_at"),
        *("flagged_by_id", "flagged_by_organisation_id", "flagged_at", "version"),
    ),
    "case_key": ("id", "owner_id", "ring_id", "wrapped"),
    "compartment_head": ("row_id", "case_id", "compartment", "current_revision"),
    "sealed_compartment": ("row_id", "revision", "key_id", "sealed", "case_id", "compartment"),
    "name_token": ("version", "token", "case_id"),
    "identifier_token": ("version", "token", "case_id"),
}


def _rows(
    people: Sequence[Person], actor: Actor, version: NameIndex
) -> Iterator[dict[str, list[tuple[object, ...]]]]:
    chance = Random(4)
    ring, tokens = keys.keyring(), search_index.tokens_of(version)
    by = [one.hex for one in (actor.id, actor.organisation_id) if one is not None]
    for number, person in enumerate(people, start=1):
        case_id, row_id = UUID(int=chance.getrandbits(128)), UUID(int=chance.getrandbits(128))
        key = new_key()
        ring_id, wrapped = ring.wrap(Purpose.CASE, case_id, key)
        place = Place("sealed_compartment", row_id, "identity", 1, number)
        identity = {"given_name": person.names[0], "birth_date": "2001-04-12"}
        identity |= dict(zip(("family_name", "other_names"), person.names[1:], strict=False))
        sealed = seal(compartment_key(key, "identity"), place, identity)
        named = {tokens.name(pair) for pair in _pairs(person.names)}
        yield {
            "case_file": [
                (
                    *(case_id.hex, _reference(number), row_id.hex, "flagged", "waiting", 1),
                    *(MOMENT, *by, MOMENT, 1),
                )
            ],
            "case_key": [(number, case_id.hex, ring_id, wrapped)],
            "compartment_head": [(row_id.hex, case_id.hex, "identity", 1)],
            "sealed_compartment": [(row_id.hex, 1, number, sealed, case_id.hex, "identity")],
            "name_token": [(version.version, token, case_id.hex) for token in named],
            "identifier_token": [
                (version.version, tokens.identifier("id_number", str(number)), case_id.hex)
            ],
        }


def _reference(number: int) -> str:
    # Made-up files need a reference that no other has, and nothing more of it.
    return f"B{number:010}"


@cache
def _pairs(recorded: tuple[str, ...]) -> list[names.Pair]:
    return names.pairs(names.parts(" ".join(recorded)))


def _questions(actor: Actor, made: Names, people: Sequence[Person]) -> dict[str, Any]:
    """Draw who is searched for: people under a variant of their names, and the commonest names."""
    chance = Random(6)
    drawn = [(KINDS[turn % len(KINDS)], chance.choice(people)) for turn in range(QUERIES)]
    return {
        "actor": [str(actor.id), str(actor.organisation_id)],
        "asked": [
            (kind, " ".join(made.variant(kind, person, chance)), " ".join(person.names))
            for kind, person in drawn
        ],
        "commonest": [" ".join(common) for common in _commonest(people)],
    }


def _ask(folder: Path) -> None:
    """Search as a process that serves would, and print the figures."""
    questions = json.loads((folder / "questions.json").read_text())
    account, organisation = map(UUID, questions["actor"])
    actor = Actor(account, organisation, Role.COORDINATOR)
    with create_app(settings_in(folder)).app_context():
        startup.settle_memory()
        print(json.dumps(_searched(actor, questions["asked"], questions["commonest"])))


def _searched(
    actor: Actor, asked: Sequence[tuple[str, str, str]], commonest: Sequence[str]
) -> dict[str, float]:
    spent, opened, shown, found = [], [], [], Counter[str]()
    # A server is warm: the first search of a process reads its code, and the index's keys.
    _one(actor, "Practice Person")
    for kind, typed, recorded in asked:
        took, result = _one(actor, typed)
        spent.append(took)
        opened.append(result.opened)
        shown.append(len(result.matches))
        found[kind] += any(match.names == recorded for match in result.matches)
    slowest, of_the_slowest = max(
        (_repeated(actor, common) for common in commonest), key=lambda one: one[0]
    )
    each = QUERIES // len(KINDS)
    return {
        "median_ms": statistics.median(spent),
        "p95_ms": statistics.quantiles(spent, n=20)[-1],
        "worst_ms": slowest,
        "opened_median": statistics.median(opened),
        "opened_worst": of_the_slowest.opened,
        "shown_median": statistics.median(shown),
        "shown_worst": len(of_the_slowest.matches),
        **{f"recall {kind}": found[kind] / each for kind in KINDS},
    }


def _commonest(people: Sequence[Person]) -> list[tuple[str, ...]]:
    counted = Counter(person.names for person in people)
    alone = Counter(person.names for person in people if len(person.names) == 1)
    return [one for one, _ in counted.most_common(COMMONEST) + alone.most_common(COMMONEST)]


def _one(actor: Actor, typed: str) -> tuple[float, search.Found]:
    began = time.process_time_ns()
    found = search.find(actor, typed, "", PACK)
    return (time.process_time_ns() - began) / MILLISECONDS, found


def _repeated(actor: Actor, typed: str) -> tuple[float, search.Found]:
    """Search three times for the same, and give the median: once is a matter of luck."""
    return sorted((_one(actor, typed) for _ in range(3)), key=lambda one: one[0])[1]


def report(figures: dict[str, dict[str, float]]) -> None:
    """Print what a search costs at each size, and how many variants of a name were found."""
    columns = ("bits", "median_ms", "p95_ms", "worst_ms", "opened_median", "opened_worst")
    columns += ("shown_median", "shown_worst")
    print(f"\n{'people':>10}" + "".join(f"{name.replace('_', ' '):>15}" for name in columns))
    for size, figure in figures.items():
        print(f"{int(size):>10,}" + "".join(f"{figure[name]:>15.1f}" for name in columns))
    print(f"\n{'people':>10}" + "".join(f"{kind:>17}" for kind in (*KINDS, "all alike")))
    for size, figure in figures.items():
        recall = [figure[f"recall {kind}"] for kind in KINDS]
        print(
            f"{int(size):>10,}"
            + "".join(f"{share:>17.1%}" for share in (*recall, statistics.mean(recall)))
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ask"]:
        _ask(Path(sys.argv[2]))
    else:
        main([int(size) for size in sys.argv[1:]] or SIZES)
