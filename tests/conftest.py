import os
import pickle

import hypothesis
import pytest
from argon2 import PasswordHasher
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import func, select
from werkzeug.routing import Rule

from nrm import country
from nrm.application import create_app
from nrm.db import db
from nrm.models import Account
from nrm.security import passwords
from tests import databases
from tests import world as worlds
from tests.page import PageClient

# How long a machine takes is measured in `bench/`, never asserted: a slow one tests as well.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# What promises to hold on both databases is tested on both; the rest runs on SQLite alone.
ON_BOTH = ("services", "guards", "journeys")
# Tables that are walked whole, and what says little to a database: on PostgreSQL in the proof.
WALKED_WHOLE = {
    "test_absence",
    "test_acts",
    "test_approvals",
    "test_bulletin",
    "test_exploitation",
    "test_failures",
    "test_glass",
    "test_hand_over",
    "test_invitations",
    "test_leavers",
    "test_limits",
    "test_log_export",
    "test_ownership",
    "test_people",
    "test_recovery",
    "test_sightings",
    "test_signs",
    "test_statistics_export",
}
# The guards walk pages, which know of no database: these walk them on both each time, and the
# others when the whole proof is run.
GUARDS_ON_BOTH = {"test_schema", "test_statements", "test_bad_input"}
COUNTED = "counted"


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        databases.begin_run()


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        databases.end_run()


def pytest_terminal_summary(terminalreporter):
    """Print at the end of a run what its tests counted, whichever process they ran in."""
    tests = {}
    for report in terminalreporter.stats.get("passed", []):
        test = report.nodeid.rpartition("::")[2]
        for name, said in report.user_properties:
            if name == COUNTED:
                tests.setdefault((test.partition("[")[0], said), []).append(test)
    if tests:
        terminalreporter.section("counted")
        lines = [counted_line(*of_a_test, names) for of_a_test, names in tests.items()]
        for line in sorted(lines):
            terminalreporter.write_line(line)


def counted_line(function, said, tests):
    """Write what a test counted; what a table of tests says alike stands once, with how often."""
    return f"{tests[0]}: {said}" if len(tests) == 1 else f"{function}: {len(tests)} times: {said}"


def pytest_generate_tests(metafunc):
    if "database_url" in metafunc.fixturenames:
        metafunc.parametrize("database_url", databases_for(metafunc), indirect=True)


def databases_for(metafunc):
    marker = metafunc.definition.get_closest_marker("databases")
    if marker:
        return list(marker.args)
    path = metafunc.definition.path
    folder = path.relative_to(databases.ROOT / "tests").parts[0]
    of_the_proof = path.stem in WALKED_WHOLE or (
        folder == "guards" and path.stem not in GUARDS_ON_BOTH
    )
    alone = folder not in ON_BOTH or (of_the_proof and not os.environ.get("NRM_PROOF"))
    return ["sqlite"] if alone else ["sqlite", "postgresql"]


@pytest.fixture
def counted(record_property):
    """Let a test say how much it tried; the end of the run prints it."""

    def say(words):
        record_property(COUNTED, words)

    return say


@pytest.fixture
def database_kind(database_url):
    """Name the database this test runs on, for the few that must know."""
    return databases.kind_of(database_url)


@pytest.fixture
def database_url(request, tmp_path):
    """Give the address of a fresh database with the schema of the migrations.

    Where the test asks for the small mechanism, it is in it already.
    """
    fill = put_world_in if "world" in request.fixturenames else None
    with databases.fresh(request.param, tmp_path, fill) as url:
        yield url


def put_world_in(settings):
    """Build the small mechanism in a database of which tests get copies, and keep its names."""
    app = application(settings)
    made = vars(worlds.build(app))
    known = {name: value for name, value in made.items() if name not in {"app", "pack"}}
    names_of_the_world(settings.database_url).write_bytes(pickle.dumps(known))
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def names_of_the_world(database_url):
    return databases.run_folder() / f"world-{databases.kind_of(database_url)}"


# The application. All that the other fixtures know of it is here.


@pytest.fixture(scope="session", autouse=True)
def addresses_compiled_once():
    """Let all applications of a run share what is compiled for their addresses.

    Each test has an application of its own, and for its many addresses Werkzeug compiles a function
    each: that took longer than most tests. What is compiled depends on the rule alone.
    """
    compile_it, kept = Rule._compile_builder, {}

    def compile_once(rule, append_unknown=True):  # noqa: FBT002 - Werkzeug's own signature
        key = (rule.rule, append_unknown, rule.host, rule.subdomain, str(rule.defaults))
        if key not in kept:
            kept[key] = compile_it(rule, append_unknown)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compile_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords():
    """Hash passwords with the least that Argon2 takes: a test signs in hundreds of times.

    `tests/security/test_passwords.py` looks at the real parameters.
    """
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", cheap)
        patch.setattr(passwords, "_NOBODY", cheap.hash("nobody signs in with this"))
        yield


@pytest.fixture
def settings(database_url, tmp_path):
    return databases.settings(database_url, tmp_path)


@pytest.fixture
def app(settings):
    app = application(settings)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def application(settings):
    """Build the application; a run compiles each template once, and not once for every test."""
    app = create_app(settings)
    compiled = databases.run_folder() / "templates"
    compiled.mkdir(exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))
    return app


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def page(client):
    """Give a browser without script that checks every page it reads."""
    return PageClient(client)


@pytest.fixture
def world(app):
    """Give a small mechanism with people, organisations and approved providers (tests/world.py)."""
    with app.app_context():
        there = db.session.scalar(select(func.count()).select_from(Account))
        db.session.remove()
    if not there:
        # Somebody asked for it who had a database before.
        return worlds.build(app)
    written = names_of_the_world(app.config["NRM"].database_url).read_bytes()
    known = pickle.loads(written)  # noqa: S301 - written by this run, for this run
    return worlds.World(app, country.load("rw"), **known)


@pytest.fixture
def signed_in(world):
    """Sign someone in by their name in the world: a page client with a browser of its own."""

    def browser(name):
        return worlds.enter(PageClient(world.app.test_client()), world, name)

    return browser
