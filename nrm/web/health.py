"""Whether this process can serve, for whoever watches over it."""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from nrm.db import db
from nrm.domain.errors import LockedError
from nrm.services import keys
from nrm.web.access import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """Say that the process is alive, and how its parts are."""
    return jsonify(_parts())


@blueprint.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """Say whether requests should be sent here: 200, or 503 while a part is missing."""
    parts = _parts()
    return jsonify(parts), 200 if set(parts.values()) == {"ok"} else 503


def _parts() -> dict[str, str]:
    return {"database": _database(), "keys": _keys(), "migrations": _migrations()}


def _database() -> str:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return "unreachable"
    return "ok"


def _keys() -> str:
    try:
        keys.keyring()
    except LockedError:
        return "locked"
    return "ok"


def _migrations() -> str:
    wanted = ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()
    try:
        stored = MigrationContext.configure(db.session.connection()).get_current_revision()
    except SQLAlchemyError:
        db.session.rollback()
        return "unknown"
    return "ok" if stored == wanted else "behind"
