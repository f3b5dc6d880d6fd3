"""`nrm audit`: the log, seen from the console."""

import sys
import time

import click
from sqlalchemy import func, select

from config import Settings
from nrm.cli import startup
from nrm.db import db
from nrm.models import AuditEntry
from nrm.services import log_check as service

# A check that is over sooner needs no progress bar.
_PATIENCE_SECONDS = 1


@click.group()
def audit() -> None:
    """Look after the audit log."""


@audit.command()
def verify() -> None:
    """Check every entry of the log against its own hash; needs no key."""
    with startup.closed(Settings.from_environment()).app_context():
        verdict = service.verify(_Progress())
        if verdict.changed:
            when = _moment(verdict.first_changed)
            click.echo(
                f"{_grouped(verdict.checked)} entries checked: {_grouped(verdict.changed)} not as "
                f"written. The first is entry {verdict.first_changed}{when}."
            )
        else:
            click.echo(f"{_grouped(verdict.checked)} entries checked: every one is as written.")
    click.echo(service.CANNOT_FIND)
    if verdict.changed:
        sys.exit(1)


class _Progress:
    """Shows how far a long check is, where somebody is watching."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.total = db.session.execute(select(func.max(AuditEntry.seq))).scalar_one() or 1
        self.watched = sys.stderr.isatty()

    def __call__(self, checked: int) -> None:
        if self.watched and time.monotonic() - self.began > _PATIENCE_SECONDS:
            click.echo(f"\r{_grouped(checked)} of {_grouped(self.total)} ", err=True, nl=False)
            if checked >= self.total:
                click.echo("\r" + " " * 40 + "\r", err=True, nl=False)


def _moment(seq: int | None) -> str:
    """Say the moment that the entry gives, in UTC; a changed one may give a wrong one, or none."""
    query = select(AuditEntry.occurred_at).where(AuditEntry.seq == seq)
    try:
        moment = db.session.execute(query).scalar_one()
    except ValueError:
        return ""
    return f", dated {moment:%Y-%m-%d %H:%M} UTC"


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
