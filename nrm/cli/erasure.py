"""`nrm erasure`: the list of erased cases, and carrying it out on a restored database."""

from pathlib import Path

import click
from sqlalchemy import select

from config import Settings
from nrm.audit.actions import Action
from nrm.cli import startup
from nrm.db import db, unit_of_work
from nrm.domain.erasure import Line, gone_for_good
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Case
from nrm.services import erasure_list, shredding
from nrm.services.audit import record


@click.group()
def erasure() -> None:
    """Look after the erasures."""


@erasure.command()
@click.argument(
    "file",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another list than the one in the instance folder.",
)
def replay(file: Path | None) -> None:
    """Carry out every listed erasure again, as after a restore; from FILE or our own list."""
    settings = Settings.from_environment()
    # Read whole before anything is unlocked: a damaged list changes nothing.
    lines = erasure_list.read(file or settings.erasures)
    with startup.unlocked(settings).app_context():
        erasure_list.read(settings.erasures)
        done = shredding.replay(lines, settings)
        shredding.write_missing(settings)
    click.echo(
        f"{len(lines)} erasures listed: {done.destroyed} carried out again, "
        f"{len(lines) - done.destroyed - done.unknown} were carried out already, "
        f"{done.unknown} are of cases that this database does not know."
    )


@erasure.command(name="list")
def list_() -> None:
    """Print the erasures, oldest first, and until when older copies may still open them."""
    settings = Settings.from_environment()
    with startup.closed(settings).app_context():
        lines = sorted(erasure_list.read(settings.erasures).values(), key=_moment)
        with unit_of_work() as unit:
            names = [_reference(line) for line in lines]
            record(unit, HOUSEKEEPING, Action.ERASURE_LIST)
    for line, reference in zip(lines, names, strict=True):
        click.echo(
            f"{line.erased_at:%Y-%m-%d %H:%M} UTC  {reference}  "
            f"copies until {gone_for_good(line.erased_at):%Y-%m-%d}"
        )


def _reference(line: Line) -> str:
    known = select(Case.reference).where(Case.id == line.case_id)
    return db.session.scalar(known) or "not in this database"


def _moment(line: Line) -> str:
    return line.erased_at.isoformat()
