"""The application, from settings to the last route; readable top to bottom."""

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from config import Settings
from nrm import web
from nrm.db import db, install_guards
from nrm.security.keyfile import SoftwareRoot, read_key, read_key_file
from nrm.services import keys

ROOT = Path(__file__).resolve().parent.parent

migrate = Migrate(directory=str(ROOT / "migrations"))


def create_app(settings: Settings, *, unlock: bool = True) -> Flask:
    """Build the program; raises KeyFileError or SettingsError in one line if it cannot serve.

    Without `unlock` it can migrate and make keys, but open nothing.
    """
    app = Flask("nrm", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    # A failed statement must not write what it carried into a log.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"hide_parameters": True}
    app.config["NRM"] = settings
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        install_guards(db.engine)
        if unlock:
            keys.unlock(root(settings))
            web.register(app)
        # A worker that is forked from this process must not share its connections.
        db.engine.dispose()
    return app


def root(settings: Settings) -> SoftwareRoot:
    """Read this process's root from where the settings say; raises KeyFileError in one line."""
    if settings.key:
        return read_key(settings.key, settings.key_passphrase)
    return read_key_file(settings.key_file, settings.key_passphrase)
