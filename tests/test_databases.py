"""Every test begins with a database of its own, made by the migrations, on either engine."""

import pytest
from sqlalchemy import create_engine, inspect, text

from tests import databases

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def engine(database_url):
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_nothing_is_left_from_the_test_before(engine, turn):
    with engine.begin() as connection:
        assert not inspect(connection).has_table("left_behind"), f"seen on the {turn} turn"
        connection.execute(text("CREATE TABLE left_behind (id INTEGER PRIMARY KEY)"))


def test_the_schema_comes_from_the_migrations(engine):
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_two_databases_do_not_meet(engine, database_kind, tmp_path):
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    with databases.fresh(database_kind, other_folder) as url:
        assert url != engine.url.render_as_string(hide_password=False)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE only_here (id INTEGER PRIMARY KEY)"))
        other = create_engine(url)
        try:
            assert not inspect(other).has_table("only_here")
        finally:
            other.dispose()
