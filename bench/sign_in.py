"""Measure whether the time of a refusal at the door tells who has an account.

Somebody knocks with a wrong password at accounts that are in use, disabled or never activated, and
at addresses that nobody has: in turns, each time at another account and from another address, so
that no delay for those who keep trying falls on any of them. What is measured is what whoever
knocks can measure: from sending the form to the answer.
"""

import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient

from bench.world import PASSWORD, app_in
from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.models import Account
from nrm.security import passwords
from nrm.services import organisations
from nrm.services.audit import record

TIMES = 300
MILLISECONDS = 1e6
# More than this is what a patient listener could tell apart.
MOST_PERCENT = 5
KNOWN = "known, wrong password"


def _as_it_is(account: Account, unit: Unit) -> None:
    """Leave an account in use."""


def _disable(account: Account, unit: Unit) -> None:
    account.disabled_at = unit.now


def _invite(account: Account, unit: Unit) -> None:
    del unit
    account.password_hash = ""


KINDS: dict[str, Callable[[Account, Unit], None] | None] = {
    KNOWN: _as_it_is,
    "disabled, wrong password": _disable,
    "disabled, right password": _disable,
    "never activated": _invite,
    "unknown": None,
}


def main() -> None:
    """Knock, print the table and write the figures."""
    with TemporaryDirectory(prefix="nrm-bench-") as folder:
        app = app_in(Path(folder))
        with app.app_context():
            _people()
        figures = measured(app)
    report(figures)
    results = Path(__file__).with_name("results")
    results.mkdir(exist_ok=True)
    (results / "sign_in.json").write_text(json.dumps(figures, indent=1) + "\n")


def _people() -> None:
    """Make as many accounts of each kind as there are knocks: hashing one password is enough."""
    with unit_of_work() as unit:
        office = organisations.add_organisation(unit, "Office", "police", "11", is_provider=False)
        kept = passwords.hash_password(PASSWORD)
        for number, change in enumerate(KINDS.values()):
            for time_ in range(TIMES + 1) if change else ():
                account = _account(office.id, _email(number, time_), kept, unit)
                change(account, unit)
                db.session.add(account)
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE)


def _account(organisation: UUID, email: str, kept: str, unit: Unit) -> Account:
    return Account(
        id=uuid4(),
        organisation_id=organisation,
        name="Bench",
        email=email,
        role=Role.ANALYST,
        password_hash=kept,
        created_at=unit.now,
    )


def _email(kind: int, time_: int) -> str:
    return f"{kind}.{time_}@practice.example"


def measured(app: Flask) -> dict[str, dict[str, float]]:
    """Knock in turns; the first turn warms the templates up and is thrown away."""
    spent: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with at_the_door(app) as (client, token):
        for turn in range(TIMES + 1):
            # Whoever is asked first in a turn would else always come after the same one.
            kinds = list(enumerate(KINDS))
            for number, kind in kinds[turn % len(kinds) :] + kinds[: turn % len(kinds)]:
                took = _knock(client, token, kind, number, turn)
                if turn:
                    spent[kind].append(took)
    usual = statistics.median(spent[KNOWN])
    return {
        kind: {
            "times": len(times),
            "median_ms": statistics.median(times),
            "p95_ms": statistics.quantiles(times, n=20)[-1],
            "percent": 100 * (statistics.median(times) / usual - 1),
        }
        for kind, times in spent.items()
    }


@contextmanager
def at_the_door(app: Flask) -> Iterator[tuple[FlaskClient, str]]:
    """Open the form once: what it is protected with lasts longer than all the knocking."""
    client = app.test_client()
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text)
    if found is None:
        sys.exit("the sign-in page has no form")
    yield client, found[1]


def _knock(client: FlaskClient, token: str, kind: str, number: int, turn: int) -> float:
    right = PASSWORD if "right" in kind else "no-such-password"
    data = {"csrf_token": token, "email": _email(number, turn), "password": right}
    # Of a network of its own, as far as there are some: a street is slowed down as a whole.
    address = {"REMOTE_ADDR": f"10.{number}.{turn % 250}.{1 + turn // 250}"}
    began = time.perf_counter_ns()
    answer = client.post("/sign-in", data=data, environ_base=address)
    spent = (time.perf_counter_ns() - began) / MILLISECONDS
    if answer.status_code != 422:  # noqa: PLR2004 - refused
        sys.exit(f"{kind}: /sign-in answered {answer.status_code}")
    return spent


def report(figures: dict[str, dict[str, float]]) -> None:
    """Print what each kind of knock took, beside one at an account that is in use."""
    print(f"\n{'who knocks':28}{'times':>7}{'median ms':>11}{'p95 ms':>9}{'difference':>12}")
    for kind, figure in figures.items():
        print(
            f"{kind:28}{figure['times']:7.0f}{figure['median_ms']:11.2f}{figure['p95_ms']:9.2f}"
            f"{figure['percent']:+11.2f}%"
        )
    worst = max(abs(figure["percent"]) for figure in figures.values())
    verdict = "within" if worst < MOST_PERCENT else "OVER"
    print(f"The greatest difference is {worst:.2f} %: {verdict} {MOST_PERCENT} %.")
