"""`nrm tick`: what must happen by itself."""

import signal
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

import click
from flask import Flask

from config import Settings
from nrm import country
from nrm.audit.verify import NotAsSignedError, UnreadableError
from nrm.cli import startup
from nrm.db import db
from nrm.security.keyfile import Holder
from nrm.services import housekeeping, keys, log_keeping, sessions, statistics
from nrm.services.mail import MailError


@click.command()
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.IntRange(min=1),
    help="Go on until told to stop, with this many seconds between two rounds.",
)
def tick(every: int | None) -> None:
    """Do one round of housekeeping; safe to run anywhere and any number of times.

    With the web process's key file it looks after cases; with the signer's it puts the log into
    its tree and signs it; with the statistics' it counts and freezes releases.
    """
    settings = Settings.from_environment()
    app = startup.unlocked(settings)
    if every is None:
        click.echo(_round(app, settings).words)
    else:
        _go_on(app, settings, every)


@dataclass(frozen=True)
class _Done:
    """What a round did, in words, and whether there was anything to do."""

    words: str
    anything: bool


def _go_on(app: Flask, settings: Settings, every: int) -> None:
    """Repeat until a signal comes; a round that fails is told of, and the next one tries again."""
    stop = Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: stop.set())
    while not stop.is_set():
        try:
            done = _round(app, settings)
        except (NotAsSignedError, UnreadableError, MailError) as error:
            click.echo(f"nrm: {error}", err=True)
        except Exception as error:  # noqa: BLE001 - housekeeping outlives whatever ails one round
            # Its class alone: a message could repeat what a statement carried.
            click.echo(f"nrm: a round of housekeeping failed ({type(error).__name__})", err=True)
        else:
            if done.anything:
                click.echo(done.words)
        stop.wait(every)


def _round(app: Flask, settings: Settings) -> _Done:
    """Do what this process's key is for."""
    with app.app_context():
        try:
            holder = keys.keyring().holder
            if holder is Holder.WEB:
                return _look_after_cases(settings)
            if holder is Holder.SIGNER:
                return _keep_log(settings)
            return _keep_statistics(settings)
        finally:
            db.session.remove()


def _look_after_cases(settings: Settings) -> _Done:
    limits = sessions.Limits(
        timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.absolute_hours)
    )
    dormant_after = timedelta(days=settings.dormant_days)
    done = housekeeping.tick(country.load(settings.country), limits, settings, dormant_after)
    return _Done(_told(done), any(vars(done).values()))


def _keep_log(settings: Settings) -> _Done:
    done = log_keeping.keep(settings.checkpoints, settings.mail, settings.checkpoint_email)
    signed = "nothing new to sign"
    if done.checkpoint is not None:
        signed = f"a checkpoint of {done.checkpoint.size} entries signed"
    sent = ", and sent by e-mail" if done.sent else ""
    words = f"Log: {done.entries_placed} entries put into the tree, {signed}{sent}."
    return _Done(words, bool(done.entries_placed or done.checkpoint or done.sent))


def _keep_statistics(settings: Settings) -> _Done:
    done = statistics.go_on(country.load(settings.country))
    words = (
        f"Statistics: {done.counted} releases counted, {done.put_off} put off for want of cases, "
        f"{done.frozen} frozen."
    )
    return _Done("\n".join([words, *done.refused]), any(vars(done).values()))


def _told(done: housekeeping.Round) -> str:
    return (
        f"Housekeeping: {done.referrals_expired} unanswered referrals taken back, "
        f"{done.sessions_removed} sittings and {done.receipts_removed} receipts of forms removed, "
        f"{done.cases_compared} cases compared with the others{_left(done)}{_erased(done)}"
        f"{_settled(done)}{_tokens(done)}{_dormant(done)}{_departed(done)}{_lapsed(done)}"
        f"{_overdue(done)}."
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


def _dormant(done: housekeeping.Round) -> str:
    if not done.accounts_disabled:
        return ""
    return f"; {done.accounts_disabled} accounts disabled in which nobody signed in for long"


def _departed(done: housekeeping.Round) -> str:
    if not done.departures_closed:
        return ""
    return f"; {done.departures_closed} files or messages given up, not known to have left"


def _lapsed(done: housekeeping.Round) -> str:
    if not done.approvals_lapsed:
        return ""
    return f"; {done.approvals_lapsed} requests for approval lapsed, answered by nobody"


def _overdue(done: housekeeping.Round) -> str:
    if not done.reviews_overdue:
        return ""
    return f"; {done.reviews_overdue} overdue reviews of emergency access reported"
