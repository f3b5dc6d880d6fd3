import io
import json
import logging

import pytest

from nrm.db import db
from nrm.web.logs import LOGGER, JsonLines
from tests import databases
from tests import world as worlds
from tests.conftest import application, databases_for
from tests.guards import seeded
from tests.page import PageClient


def pytest_generate_tests(metafunc):
    if "seeded_on" in metafunc.fixturenames:
        kinds = databases_for(metafunc)
        metafunc.parametrize("seeded_on", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def seeded_on(request):
    """Name the database of the mechanism that the guards walk through."""
    return request.param


@pytest.fixture(scope="session")
def mechanism(seeded_on, tmp_path_factory):
    """Give a mechanism with records in every state: one for all guards, because none changes it."""
    folder = tmp_path_factory.mktemp("seeded")
    with databases.fresh(seeded_on, folder) as url:
        app = application(databases.settings(url, folder))
        yield seeded.build(worlds.build(app))
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def browser(mechanism):
    """Sign someone in by their name in the world; without a name, somebody signed out."""

    def opened(name=None):
        page = PageClient(mechanism.app.test_client())
        return worlds.enter(page, mechanism.world, name) if name else page

    return opened


@pytest.fixture
def lines(app):
    """Give what the program logs meanwhile, as it would be written."""
    del app
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    LOGGER.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    LOGGER.removeHandler(handler)
