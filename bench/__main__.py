"""Measure the program, part by part, each as ratios within one interleaved run.

The pages of the main job are measured here, the vault and its keys in `keys`, the search for people
in `search`, what the log costs whoever acts in `writing`, reading it in `log`, the statistics in
`releases`, the door in `sign_in`; `python -m bench PART` runs one. Every page is measured beside
one without a case (`/help`), in a small and a large database, in turns, so that whatever else the
machine does falls on all of them. CPU time of this process; the median and the spread are printed,
and everything is written to `bench/results/pages.json`.
"""

import json
import statistics
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from flask.testing import FlaskClient

from bench import keys, log, releases, search, sign_in
from bench.world import World, asked_by, signed_in, world
from nrm.domain.roles import Role

SMALL, LARGE = 50, 1000
ROUNDS = 40

Page = tuple[str, Role, Callable[[World], str]]

PAGES: tuple[Page, ...] = (
    ("help (no case)", Role.COORDINATOR, lambda _: "/help"),
    ("worklist", Role.COORDINATOR, lambda _: "/cases"),
    ("case file", Role.COORDINATOR, lambda made: f"/cases/{made.case}"),
    ("inbox", Role.PROVIDER, lambda _: "/inbox"),
    ("my flags", Role.FIRST_RESPONDER, lambda _: "/flags"),
)


def main() -> None:
    """Run the part that was asked for (`python -m bench keys`), or one after the other."""
    asked = sys.argv[1:2] or PARTS
    for name in asked:
        if name not in PARTS:
            sys.exit(f"there is no part {name}: {', '.join(PARTS)}")
        PARTS[name]()


def pages() -> None:
    """Make both databases, measure in turns, print and write the figures."""
    with ExitStack() as stack:
        worlds = []
        for size in (SMALL, LARGE):
            print(f"Making a database of {size} open cases …", flush=True)
            worlds.append(stack.enter_context(world(size)))
        clients = {
            (made.cases, role): signed_in(made.app, made.emails[role])
            for made in worlds
            for _, role, _ in PAGES
        }
        figures = measure(worlds, clients)
    report(figures)
    results = Path(__file__).with_name("results")
    results.mkdir(exist_ok=True)
    (results / "pages.json").write_text(json.dumps(figures, indent=1) + "\n")


def measure(
    worlds: list[World], clients: dict[tuple[int, Role], FlaskClient]
) -> dict[str, dict[str, list[float]]]:
    """Ask for every page in every database, in turns."""
    figures: dict[str, dict[str, list[float]]] = {}
    for turn in range(ROUNDS + 1):
        for name, role, address in PAGES:
            for made in worlds:
                spent, statements = asked_by(clients[made.cases, role], address(made), made.app)
                # The first turn fills the caches of the templates and is thrown away.
                if turn:
                    kept = figures.setdefault(f"{name} @ {made.cases}", {"ms": [], "sql": []})
                    kept["ms"].append(spent)
                    kept["sql"].append(statements)
    return figures


def report(figures: dict[str, dict[str, list[float]]]) -> None:
    """Print the table: median, spread, ratio to the page without a case, growth with the cases."""
    base = statistics.median(figures[f"{PAGES[0][0]} @ {SMALL}"]["ms"])
    print(f"\n{'page':28}{'median ms':>10}{'min':>8}{'max':>8}{'x help':>8}{'SQL':>6}{'growth':>8}")
    for name, _, _ in PAGES:
        small = statistics.median(figures[f"{name} @ {SMALL}"]["ms"])
        for size in (SMALL, LARGE):
            figure = figures[f"{name} @ {size}"]
            median = statistics.median(figure["ms"])
            growth = f"{median / small:8.2f}" if size == LARGE else ""
            print(
                f"{f'{name} @ {size}':28}{median:10.2f}{min(figure['ms']):8.2f}"
                f"{max(figure['ms']):8.2f}{median / base:8.2f}{max(figure['sql']):6.0f}{growth}"
            )


PARTS: dict[str, Callable[[], None]] = {
    "pages": pages,
    "keys": keys.main,
    "search": search.main,
    "writing": log.writing,
    "log": log.main,
    "releases": releases.main,
    "sign_in": sign_in.main,
}

if __name__ == "__main__":
    main()
