import pytest

from tests.ledger import Ledger


@pytest.fixture(autouse=True)
def inside(request):
    """Stand inside the application: the services are called without a page."""
    if "app" not in request.fixturenames:
        yield
        return
    with request.getfixturevalue("app").app_context():
        yield


@pytest.fixture
def ledger(world, inside):
    """Give the entries that the test's own acts write, once the world is made."""
    return Ledger()
