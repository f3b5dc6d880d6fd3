"""`nrm demo`: a whole practice installation, with one command."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

import click

from config import Environment, Settings, SettingsError
from nrm.application import create_app
from nrm.cli import demonstration, server, sheets, startup
from nrm.cli.demonstration import Contents
from nrm.cli.init import create_keys, migrate
from nrm.db import db
from nrm.domain.roles import ROLE_LABEL, Role
from nrm.security import second_factor
from nrm.security.keyfile import PROCESSES, Holder
from nrm.services import accounts, checkpoints
from nrm.services import second_factor as factors

_HOST = "127.0.0.1"
_TICK_SECONDS = 30
# The demonstration's own files in the instance folder: all that a reset takes away.
_DATABASE_FILES = ("nrm.sqlite3", "nrm.sqlite3-wal", "nrm.sqlite3-shm", "erasures.jsonl")
# Beside the web process: who signs the log, and who counts and freezes the statistics.
_OTHER_HOLDERS = (Holder.SIGNER, Holder.STATISTICS)
_TRY_FIRST = Role.COORDINATOR


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print address and accounts, start nothing.")
@click.option("--reset", is_flag=True, help="Throw the demonstration's data away first.")
@click.option(
    "--history",
    metavar="CASES",
    type=click.IntRange(min=0),
    default=demonstration.HISTORY,
    show_default=True,
    help="How many cases of the years before to make; with fewer the first start is faster.",
)
@click.pass_context
def demo(ctx: click.Context, *, as_json: bool, reset: bool, history: int) -> None:
    """Start the demonstration: invented people, invented cases, ready to be clicked through."""
    settings = _settings()
    if ctx.invoked_subcommand is not None:
        return
    if as_json:
        click.echo(json.dumps(_told(settings), ensure_ascii=False, indent=2))
        return
    if reset:
        _refuse_foreign()
    server.refuse_taken(_HOST, settings.port)
    with _alone(settings):
        if reset:
            _remove(settings)
        _prepare(settings, history)
        housekeeping = _Housekeeping(settings)
        server.run(
            settings,
            _HOST,
            quiet=True,
            ready=lambda: _begin(settings, housekeeping),
            stopped=housekeeping.stop,
        )


@demo.command()
@click.argument("email", help="Whose code, as `nrm demo` prints the address.")
def code(email: str) -> None:
    """Print the code that an invented person signs in with now; each works once."""
    settings = _settings()
    known = {told["email"]: told for told in demonstration.accounts(settings.country)}
    told = known.get(accounts.normalised(email))
    if told is None:
        raise SettingsError(f"{email} is nobody in the demonstration: nrm demo --json lists all")
    now, used = datetime.now(UTC), _last_used_step(settings, told["email"])
    step = max(second_factor.step_of(now), used + 1)
    click.echo(second_factor.code_at(told["totp_secret"], step))
    ahead = step - second_factor.step_of(now)
    if ahead > second_factor.SKEW:
        begins = datetime.fromtimestamp((step - second_factor.SKEW) * 30, UTC)
        wait = max(1, ceil((begins - now).total_seconds()))
        click.echo(f"It works in {wait} seconds: the codes before it were used.", err=True)
    elif ahead:
        click.echo("The code before it was used: each works once.", err=True)


def _last_used_step(settings: Settings, email: str) -> int:
    """Look which codes of an account were used up, if the demonstration was ever started."""
    app = create_app(settings, unlock=False)
    with app.app_context():
        try:
            if not startup.has_database() or startup.revision() != startup.newest_revision():
                return 0
            return factors.last_used_step(email) or 0
        finally:
            db.session.remove()
            db.engine.dispose()


def _settings() -> Settings:
    """Refuse whatever could put invented people beside real ones."""
    environment = os.environ.get("NRM_ENV", "")
    if environment == Environment.PRODUCTION:
        raise SettingsError("the demonstration never runs where NRM_ENV is production")
    if not environment and (named := _named_elsewhere()):
        raise SettingsError(f"{named} is set: the demonstration keeps its own data (unset it)")
    return Settings.from_environment(environment=Environment.DEMONSTRATION)


def _named_elsewhere() -> str:
    names = ("NRM_DATABASE_URL", "NRM_KEY_FILE", "NRM_KEY")
    return next((name for name in names if os.environ.get(name)), "")


def _refuse_foreign() -> None:
    if named := _named_elsewhere():
        raise SettingsError(f"{named} is set: only the demonstration's own data are thrown away")


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let one demonstration run in a folder: a second one would build, or reset, under its feet."""
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.instance / "demonstration.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError("the demonstration of this folder is running already") from None
        yield


def _prepare(settings: Settings, history: int) -> None:
    """Go through the steps of an installation, each only as far as it is needed."""
    click.echo(f"1/5 Folder: {_shown(settings.instance)}")
    contents = _install(settings)
    if contents is Contents.PART_OF_IT:
        click.echo("    The last start was interrupted while it made the cases: beginning anew.")
        _refuse_foreign()
        _remove(settings)
        contents = _install(settings)
    if contents is Contents.SOMETHING_ELSE:
        raise SettingsError("this database holds something other than the demonstration")
    if contents is Contents.ALL_OF_IT:
        click.echo("4/5 Practice world: there already.")
        return
    app = create_app(settings, unlock=False)
    label = "4/5 Practice world"
    with click.progressbar(length=demonstration.length(history), label=label) as bar:
        demonstration.load(app, lambda: bar.update(1), history=history)
    with app.app_context():
        db.engine.dispose()


def _install(settings: Settings) -> Contents:
    with create_app(settings, unlock=False).app_context():
        click.echo(f"2/5 Database: {migrate()}")
        contents = demonstration.contents(settings.country)
        if contents is not Contents.SOMETHING_ELSE:
            made = create_keys(settings)
            click.echo(f"3/5 Keys: {made.keys}\n    Recovery sheets: {made.sheets}")
        db.session.remove()
        db.engine.dispose()
    return contents


def _remove(settings: Settings) -> None:
    """Remove the demonstration's database and keys, and nothing that is not the demonstration's."""
    app = create_app(settings, unlock=False)
    with app.app_context():
        if startup.has_database() and startup.revision() is not None:
            if demonstration.contents(settings.country) is Contents.SOMETHING_ELSE:
                raise SettingsError("this database is not the demonstration's: nothing was removed")
            db.session.remove()
        db.engine.dispose()
    files = [settings.instance / name for name in _DATABASE_FILES]
    files += [settings.key_file.parent / f"{holder.value}.key" for holder in PROCESSES]
    # The signer would refuse a new log beside the checkpoints of the old one.
    files += checkpoints.files_in(settings.checkpoints)
    for file in files:
        file.unlink(missing_ok=True)
    sheets.remove(settings)


class _Housekeeping:
    """`nrm tick` beside the server, once with each key that it needs, while the server runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        command = [sys.executable, "-m", "nrm.cli", "tick", "--every", str(_TICK_SECONDS)]
        environment = {**os.environ, "NRM_ENV": Environment.DEMONSTRATION.value}
        others = [self._with_key(environment, holder) for holder in _OTHER_HOLDERS]
        # In a session of its own, so that Ctrl-C reaches the server alone, which then ends these.
        self.processes = [
            subprocess.Popen(command, env=one, start_new_session=True)  # noqa: S603 - ourselves
            for one in (environment, *others)
        ]

    def _with_key(self, environment: dict[str, str], holder: Holder) -> dict[str, str]:
        key_file = self.settings.key_file.with_name(f"{holder}.key")
        held = {**environment, "NRM_KEY_FILE": str(key_file)}
        held.pop("NRM_KEY", None)
        return held

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def _begin(settings: Settings, housekeeping: _Housekeeping) -> None:
    # Whoever closes the terminal is done; gunicorn would take that as a wish to start anew.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    housekeeping.start()
    click.echo("5/5 Housekeeping and web server: started.\n")
    told = demonstration.accounts(settings.country)
    _print_table(told)
    first = next(account for account in told if account["role"] == _TRY_FIRST)
    click.echo(
        f"\nOpen {_url(settings)} and begin as {first['email']}  {first['password']}"
        "\nThen it asks for the code of a telephone. In another terminal, here, this prints it:"
        f"\n    {_called()} demo code {first['email']}"
        "\nCtrl-C stops the demonstration; its data stay."
    )


def _called() -> str:
    """Say how this program was called, so that the line can be copied."""
    called = Path(sys.argv[0])
    return _shown(called.absolute()) if called.name == "nrm" else "nrm"


def _print_table(told: list[dict[str, str]]) -> None:
    """Print two lines for each person: five columns would be wider than a terminal."""
    rows = [("PERSON", "ROLE", "E-MAIL"), ("  Organisation", "", "  Password")]
    for account in told:
        rows.append((account["name"], ROLE_LABEL[Role(account["role"])], account["email"]))
        rows.append((f"  {account['organisation']}", "", f"  {account['password']}"))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for person, role, email in rows:
        click.echo(f"{person:{widths[0]}}  {role:{widths[1]}}  {email}")


def _told(settings: Settings) -> dict[str, object]:
    return {"url": _url(settings), "accounts": demonstration.accounts(settings.country)}


def _url(settings: Settings) -> str:
    return f"http://localhost:{settings.port}"


def _shown(folder: Path) -> str:
    """Name a folder as seen from here, where it lies below."""
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)
