"""The commands as programs of their own, on installations of their own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from nrm.application import create_app
from nrm.cli import demonstration, main
from nrm.db import db
from tests import databases

PATIENCE_SECONDS = 60
# Of the cases of the years before, so many are enough to test with.
HISTORY = 60


def environment(instance, **chosen):
    """Leave out whatever this machine decides about the program."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NRM_")}
    return {**kept, "PORT": "5000", "NRM_ENV": "test", "NRM_INSTANCE": str(instance), **chosen}


@pytest.fixture
def instance(tmp_path):
    return tmp_path / "instance"


@pytest.fixture
def nrm(instance):
    """Run one command to its end."""

    def run(*arguments, stdin="", **chosen):
        return subprocess.run(
            [sys.executable, "-m", "nrm.cli", *arguments],
            env=environment(instance, **chosen),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    return run


@pytest.fixture
def refusal(nrm):
    """Run a command that must refuse, and give the one line that says why."""

    def run(*arguments, **chosen):
        done = nrm(*arguments, **chosen)
        return checked_refusal(done.returncode, done.stderr)

    return run


@pytest.fixture
def early_refusal(instance):
    """The same for what is refused before any database is asked; no process is needed for that."""

    def run(*arguments, **chosen):
        done = CliRunner().invoke(main, arguments, env=environment(instance, **chosen))
        assert not instance.exists()
        return checked_refusal(done.exit_code, done.stderr)

    return run


def checked_refusal(code, line):
    assert code == 1, line
    assert line.startswith("nrm: ")
    assert line.count("\n") == 1, line
    return line


@pytest.fixture
def installed(instance):
    """An installation as `nrm init` leaves it."""
    instance.mkdir()
    databases.fresh_sqlite(instance)
    shutil.copytree(databases.key_folder("sqlite://"), instance / "keys")
    return instance


@pytest.fixture(scope="package")
def practice_world(tmp_path_factory):
    """Load the practice world once, with a short history; it takes some seconds."""
    folder = tmp_path_factory.mktemp("practice")
    settings = databases.settings(databases.fresh_sqlite(folder), folder)
    app = create_app(settings)
    demonstration.load(app, history=HISTORY)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return SimpleNamespace(app=app, settings=settings, folder=folder)


@pytest.fixture
def practice_instance(practice_world, installed):
    """A copy of the practice world's installation."""
    for name in ("nrm.sqlite3", "erasures.jsonl"):
        shutil.copyfile(practice_world.folder / name, installed / name)
    shutil.copytree(practice_world.folder / "documents", installed / "documents")
    return installed


@pytest.fixture
def at_console(instance):
    """Run one command in this process; whatever it cannot do is one line, and no traceback."""

    def run(*arguments, **chosen):
        done = CliRunner().invoke(
            main, [str(one) for one in arguments], env=environment(instance, **chosen)
        )
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        if done.exit_code == 1 and done.stderr:
            checked_refusal(done.exit_code, done.stderr)
        return done

    return run


@pytest.fixture
def sign(at_console, instance):
    """Be the signer for one round: the log into its tree, and a checkpoint of it."""

    def run():
        done = at_console("tick", NRM_KEY_FILE=str(instance / "keys" / "signer.key"))
        assert done.exit_code == 0, done.output

    return run


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def start(instance, free_port):
    """Start a command that goes on, and stop it and all its children afterwards."""
    started = []

    def run(*arguments, **chosen):
        process = subprocess.Popen(
            [sys.executable, "-m", "nrm.cli", *arguments],
            env=environment(instance, **{"PORT": str(free_port), **chosen}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()


@pytest.fixture
def answers(free_port):
    """Wait until the server answers, and give what it says of itself."""

    def ask():
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://localhost:{free_port}/readyz") as answer:
                    return answer.read().decode()
            except OSError:
                time.sleep(0.1)
        pytest.fail("nothing answered")

    return ask
