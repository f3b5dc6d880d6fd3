"""`nrm tick`: what must happen by itself."""

import signal
from datetime import timedelta
from threading import Event

import click
from flask import Flask

from config import Settings
from nrm import country
from nrm.cli import startup
from nrm.db import db
from nrm.services import housekeeping, sessions


@click.command()
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.IntRange(min=1),
    help="Go on until told to stop, with this many seconds between two rounds.",
)
def tick(every: int | None) -> None:
    """Do one round of housekeeping; safe to run anywhere and any number of times."""
    settings = Settings.from_environment()
    app = startup.unlocked(settings)
    if every is None:
        click.echo(_told(_round(app, settings)))
    else:
        _go_on(app, settings, every)


def _go_on(app: Flask, settings: Settings, every: int) -> None:
    """Repeat until a signal comes; a round that fails is told of, and the next one tries again."""
    stop = Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: stop.set())
    while not stop.is_set():
        try:
            done = _round(app, settings)
        except Exception as error:  # noqa: BLE001 - housekeeping outlives whatever ails one round
            # Its class alone: a message could repeat what a statement carried.
            click.echo(f"nrm: a round of housekeeping failed ({type(error).__name__})", err=True)
        else:
            if any(vars(done).values()):
                click.echo(_told(done))
        stop.wait(every)


def _round(app: Flask, settings: Settings) -> housekeeping.Round:
    limits = sessions.Limits(
        timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.absolute_hours)
    )
    with app.app_context():
        try:
            return housekeeping.tick(country.load(settings.country), limits, settings)
        finally:
            db.session.remove()


def _told(done: housekeeping.Round) -> str:
    return (
        f"Housekeeping: {done.referrals_expired} unanswered referrals taken back, "
        f"{done.sessions_removed} sittings and {done.receipts_removed} receipts of forms removed, "
        f"{done.cases_compared} cases compared with the others{_left(done)}{_erased(done)}"
        f"{_settled(done)}{_tokens(done)}."
    )


def _left(done: housekeeping.Round) -> str:
    if not done.cases_not_compared:
        return ""
    return f", {done.cases_not_compared} could not be and will be tried again"


def _erased(done: housekeeping.Round) -> str:
    if not done.erasures_repeated:
        return ""
    return f"; {done.erasures_repeated} erasures carried out again after a restore"


def _tokens(done: housekeeping.Round) -> str:
    if not done.tokens_made:
        return ""
    return f"; search tokens of {done.tokens_made} cases made anew"


def _settled(done: housekeeping.Round) -> str:
    if not done.files_settled:
        return ""
    return f"; {done.files_settled} files of documents settled that were left half-way"
