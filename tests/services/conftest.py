import pytest

from tests.ledger import Ledger


@pytest.fixture(autouse=True)
def inside(app):
    """Stand inside the application: the services are called without a page."""
    with app.app_context():
        yield


@pytest.fixture
def ledger(world):
    """Give the entries that the test's own acts write, once the world is made."""
    del world
    return Ledger()


@pytest.fixture
def kept(world):
    """Name where this installation keeps what lies outside its database."""
    return world.app.config["NRM"]
