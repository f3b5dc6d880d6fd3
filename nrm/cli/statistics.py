"""`nrm statistics`: releases, counted and frozen at the console with the statistics' key file."""

import json
import sys
from datetime import datetime

import click

from config import Settings
from nrm import country
from nrm.cli import startup
from nrm.domain.errors import RefusedError
from nrm.domain.lifecycle import STATE_LABEL, ReleaseState
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Release
from nrm.services import releases
from nrm.services import statistics as counting
from nrm.statistics.attack import Proved
from nrm.statistics.release import FEWEST_CASES

_PERIOD = "A quarter like 2026Q3, several that were counted together like 2026Q2-2026Q3, or a year."
_FINAL = click.option("--final", is_flag=True, help="The final edition, not the provisional one.")


@click.group()
def statistics() -> None:
    """Prepare, freeze, list and attack the releases of the statistics."""


@statistics.command()
@click.argument("period", help=_PERIOD)
@_FINAL
def prepare(period: str, *, final: bool) -> None:
    """Count and protect the figures of a period; two people of the ministry sign them."""
    settings = Settings.from_environment()
    pack = country.load(settings.country)
    with startup.unlocked(settings).app_context():
        counting.require_key()
        release_id = releases.ask(HOUSEKEEPING, period, _edition(final=final), pack)
        unwatched = not sys.stderr.isatty()
        with click.progressbar(length=100, file=sys.stderr, hidden=unwatched) as bar:
            state = counting.count(
                release_id, pack, lambda done, of: bar.update(100 * done // max(1, of) - bar.pos)
            )
        release = releases.read(release_id)
        if state is ReleaseState.TOO_FEW:
            raise RefusedError(
                f"{release.period.name} has fewer than {FEWEST_CASES} new cases: "
                "the next release counts them as well"
            )
        click.echo(_line(release.release))


@statistics.command()
@click.argument("period", help=_PERIOD)
@_FINAL
def freeze(period: str, *, final: bool) -> None:
    """Freeze a release that two people signed, after attacking it once more."""
    settings = Settings.from_environment()
    pack = country.load(settings.country)
    with startup.unlocked(settings).app_context():
        counting.require_key()
        release = releases.named(period, _edition(final=final))
        counting.freeze(release.id, pack)
        click.echo(_line(release))


@statistics.command("list")
def list_() -> None:
    """List the releases, the newest period first."""
    with startup.closed(Settings.from_environment()).app_context():
        for opened in releases.every(HOUSEKEEPING):
            click.echo(_line(opened.release))


@statistics.command()
@click.argument("period", required=False, help=f"{_PERIOD} The newest one, if none is named.")
@_FINAL
@click.option("--json", "as_json", is_flag=True, help="Print what was proved as JSON.")
def attack(period: str | None, *, final: bool, as_json: bool) -> None:
    """Attack the kept figures of a release, and say what simple arithmetic proves of people."""
    settings = Settings.from_environment()
    pack = country.load(settings.country)
    with startup.closed(settings).app_context():
        release = releases.named(period or "", _edition(final=final))
        proved = counting.attacked_by(HOUSEKEEPING, release, pack)
        click.echo(_as_json(release, proved) if as_json else _in_words(release, proved))
    if proved:
        sys.exit(1)


def _edition(*, final: bool) -> str:
    return "final" if final else "provisional"


def _line(release: Release) -> str:
    name = counting.period_of(release).name
    left_out = f", without {release.left_out}" if release.left_out else ""
    since = _day(release.frozen_at or release.counted_at or release.asked_at)
    state = STATE_LABEL[release.state].lower()
    return f"{name:15} {release.edition:11} {state} since {since}{left_out}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _as_json(release: Release, proved: Proved) -> str:
    told = {
        "period": counting.period_of(release).name,
        "edition": release.edition,
        "isolated": proved.isolated,
        "small_exact": proved.small_exact,
        "group": proved.group,
    }
    return json.dumps(told, indent=2)


def _in_words(release: Release, proved: Proved) -> str:
    name = f"{counting.period_of(release).name}, {release.edition}"
    if not proved:
        return f"{name}: nothing is proved of anybody."
    return (
        f"{name}: {proved.isolated} persons stand alone in a cell, {proved.small_exact} numbers "
        f"from one to nine are exact, of {proved.group} small groups it is proved what all share."
    )
