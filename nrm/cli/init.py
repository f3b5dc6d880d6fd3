"""`nrm init`: the tables, the keys and the recovery sheets of an installation."""

from dataclasses import dataclass

import click
from flask_migrate import upgrade

from config import Settings, SettingsError
from nrm.application import create_app, root
from nrm.audit.actions import Action
from nrm.cli import roots, sheets
from nrm.cli.startup import WEB_KEY, has_database, newest_revision, revision
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import KeyHolder
from nrm.security.keyfile import Holder, KeyFileError
from nrm.services import keys, recovery
from nrm.services.audit import record


@dataclass(frozen=True)
class Made:
    """What was done for the keys and for the recovery sheets, in words."""

    keys: str
    sheets: str


@click.command()
def init() -> None:
    """Make or update the database, create the keys and the recovery sheets; safe to run again."""
    settings = Settings.from_environment()
    with create_app(settings, unlock=False).app_context():
        click.echo(f"Database: {migrate()}")
        made = create_keys(settings)
        click.echo(f"Keys: {made.keys}")
        click.echo(f"Recovery sheets: {made.sheets}")
    if sheets.lying(settings):
        click.echo(sheets.PRINT_THEM)
    click.echo(
        "Keep a copy of the key files apart from the copies of the database.\n"
        "Next: nrm user create --role administrator"
    )


def migrate() -> str:
    """Bring the tables up to date, and say what was done."""
    before = revision() if has_database() else None
    if before == newest_revision():
        return "up to date already."
    upgrade()
    return "made." if before is None else "brought up to date."


def create_keys(settings: Settings) -> Made:
    """Create what is missing of the keys and of the recovery sheets, and say what was done."""
    first = db.session.get(KeyHolder, Holder.WEB.value) is None
    if first:
        _refuse_elsewhere(settings)
    else:
        settings = roots.with_passphrase(settings)
        keys.unlock(root(settings))
    folder, copied = settings.key_file.parent, recovery.state().mark
    act = (
        unit_of_work() if copied else sheets.made(settings, () if first else roots.every(settings))
    )
    try:
        # The sheets come first, so that every master key that is made is sealed to them too.
        with act as unit:
            if keys.create_keys(unit, folder):
                record(unit, HOUSEKEEPING, Action.KEY_CREATE)
    except OSError as error:
        raise KeyFileError(f"no key file can be written in {folder}: {error.strerror}") from None
    keys.unlock(root(settings))
    mark = recovery.state().mark
    return Made(
        f"created in {folder}." if first else f"there already, in {folder}.",
        f"there already, with the mark {mark}."
        if copied
        else f"made, with the mark {mark}, in {sheets.folder(settings)}.",
    )


def _refuse_elsewhere(settings: Settings) -> None:
    if settings.key:
        raise SettingsError("NRM_KEY is set, and the database has no keys yet: use NRM_KEY_FILE")
    if settings.key_file.name != WEB_KEY:
        raise SettingsError(f"NRM_KEY_FILE must end in {WEB_KEY}: the other keys lie beside it")
