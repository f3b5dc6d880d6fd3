"""`nrm init`: the tables and the keys of an installation."""

import click
from flask_migrate import upgrade

from config import Settings, SettingsError
from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.cli.startup import WEB_KEY, has_database, newest_revision, revision
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import KeyHolder
from nrm.security.keyfile import Holder, KeyFileError
from nrm.services import keys
from nrm.services.audit import record


@click.command()
def init() -> None:
    """Make or update the database and create the keys; safe to run again."""
    settings = Settings.from_environment()
    with create_app(settings, unlock=False).app_context():
        click.echo(f"Database: {migrate()}")
        click.echo(f"Keys: {create_keys(settings)}")
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


def create_keys(settings: Settings) -> str:
    """Create the keys where there are none yet, and say what was done."""
    folder = settings.key_file.parent
    if db.session.get(KeyHolder, Holder.WEB.value) is not None:
        keys.unlock(settings.key_file)
        return f"there already, in {folder}."
    if settings.key_file.name != WEB_KEY:
        raise SettingsError(f"NRM_KEY_FILE must end in {WEB_KEY}: the other keys lie beside it")
    try:
        with unit_of_work() as unit:
            keys.create_keys(unit, folder)
            record(unit, HOUSEKEEPING, Action.KEY_CREATE)
    except OSError as error:
        raise KeyFileError(f"no key file can be written in {folder}: {error.strerror}") from None
    keys.unlock(settings.key_file)
    return f"created in {folder}."
