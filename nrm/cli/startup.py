"""From settings to a program that can work, or to the one line that says why it cannot."""

import gc
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from config import Settings, SettingsError
from nrm.application import create_app, root
from nrm.cli import demonstration, roots
from nrm.db import db
from nrm.security.keyfile import Holder, KeyFileError
from nrm.services import keys, shredding

# Keys are made beside the web process's own, each under its holder's name.
WEB_KEY = f"{Holder.WEB.value}.key"


def closed(settings: Settings) -> Flask:
    """Build the program without keys, for a database that is there and has today's tables."""
    app = create_app(settings, unlock=False)
    with app.app_context():
        _refuse_other_tables()
    return app


def unlocked(settings: Settings) -> Flask:
    """Build the program with its keys and without its screens."""
    app = closed(settings)
    with app.app_context():
        keys.unlock(root(roots.with_passphrase(settings)))
    return app


def serving(settings: Settings) -> Flask:
    """Build the whole program, ready to be shared with worker processes."""
    with closed(settings).app_context():
        if not settings.practice and demonstration.holds_practice_people(settings.country):
            raise SettingsError("this database holds the demonstration, whose passwords are public")
        db.session.remove()
        db.engine.dispose()
    if not settings.key and settings.key_file.exists() and settings.key_file.name != WEB_KEY:
        raise KeyFileError(f"NRM_KEY_FILE must name the web process's own file, {WEB_KEY}")
    app = create_app(roots.with_passphrase(settings))
    with app.app_context():
        # A restored database may hold what was erased since: nobody sees it again.
        shredding.reconcile(settings)
        # A connection that two processes share breaks both.
        db.session.remove()
        db.engine.dispose()
    settle_memory()
    return app


def settle_memory() -> None:
    """Spare the program itself from the collector, which else walks over it in mid-search.

    That was 60 ms of a search that opens three thousand files. Worker processes share what is set
    aside here as well, because nothing touches it any more.
    """
    gc.collect()
    gc.freeze()


def has_database() -> bool:
    """Say whether an embedded database is there; asking it would make one."""
    url = db.engine.url
    return url.get_backend_name() != "sqlite" or Path(url.database or "").exists()


def revision() -> str | None:
    """Return the newest migration that the database has seen."""
    try:
        with db.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        raise SettingsError("the database cannot be reached: look at NRM_DATABASE_URL") from None


def newest_revision() -> str | None:
    """Return the newest migration that this program knows."""
    return ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()


def _refuse_other_tables() -> None:
    if not has_database():
        raise SettingsError("there is no database yet: run nrm init")
    if revision() != newest_revision():
        raise SettingsError("the database is behind this program: run nrm init")
