"""The roles of PostgreSQL, which belong to the whole server that all tests share.

They stay there after the tests: another run may be using them.
"""

import contextlib
from dataclasses import replace

from sqlalchemy.engine import make_url

from nrm.db import db
from nrm.services import database_roles
from tests import databases

# A lock in the server's own database, where all tests meet.
_LOCK = 2_020


def give(app):
    """Set the roles of a test's database; returns who else has rights on it."""
    with undisturbed(), app.app_context():
        try:
            return database_roles.apply()
        finally:
            db.session.remove()
            db.engine.dispose()


@contextlib.contextmanager
def undisturbed():
    """Hold the roles as they are for a while, beside others who do the same."""
    with databases.admin() as server:
        server.execute("SELECT pg_advisory_lock_shared(%s)", [_LOCK])
        yield


@contextlib.contextmanager
def alone():
    """Keep all other tests from the roles for a while."""
    with databases.admin() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        yield


def settings_of(settings, role):
    """Give the settings of a process that is signed in as a role."""
    return replace(settings, database_url=url_of(settings.database_url, role))


def url_of(database_url, role):
    """Connect as a role: the test's server may ask for passwords, which these roles have not."""
    url = make_url(database_url).update_query_dict({"options": f"-c role={role}"})
    return url.render_as_string(hide_password=False)
