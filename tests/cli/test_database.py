import pytest
from sqlalchemy import create_engine, text

from tests import databases, roles


def test_an_embedded_database_has_no_roles(refusal, installed):
    del installed
    assert "SQLite has no roles" in refusal("database", "roles")


@pytest.mark.databases("postgresql")
def test_the_roles_are_set_and_set_again(nrm, database_url):
    with roles.undisturbed():
        for _ in range(2):
            done = nrm("database", "roles", NRM_DATABASE_URL=database_url)
            assert done.returncode == 0, done.stderr
            assert done.stdout == (
                "Set: nrm_owner, nrm_app, nrm_sequencer, nrm_statistics, nrm_reader, nrm_backup.\n"
            )
        give_a_stranger_a_list(database_url)
        said = nrm("database", "roles", NRM_DATABASE_URL=database_url).stdout.splitlines()
    assert said[1:] == ["Others who have rights on the tables: pg_monitor."]


@pytest.mark.databases("postgresql")
def test_who_may_not_set_them_is_told_who_may(nrm, database_url):
    with roles.undisturbed():
        assert nrm("database", "roles", NRM_DATABASE_URL=database_url).returncode == 0
        as_app = roles.url_of(database_url, "nrm_app")
        done = nrm("database", "roles", NRM_DATABASE_URL=as_app)
    assert done.returncode == 1
    assert done.stderr == (
        "nrm: it takes a superuser of the database the first time, and later nrm_owner\n"
    )


@pytest.mark.databases("postgresql")
def test_whoever_has_the_wrong_role_for_a_command_is_told_so(nrm, database_url):
    chosen = {
        "NRM_DATABASE_URL": roles.url_of(database_url, "nrm_app"),
        "NRM_KEY_FILE": str(databases.key_folder(database_url) / "web.key"),
    }
    with roles.undisturbed():
        assert nrm("database", "roles", NRM_DATABASE_URL=database_url).returncode == 0
        done = nrm("key", "rotate", "case", **chosen)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "nrm: the role in NRM_DATABASE_URL may not do this: "
        "docs/security/database.md says which may\n"
    )


def give_a_stranger_a_list(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("GRANT SELECT ON organisation TO pg_monitor"))
    engine.dispose()
