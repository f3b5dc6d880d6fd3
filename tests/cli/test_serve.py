import json
import shutil
import signal
import socket
import sqlite3

import pytest


def lose(key):
    key.unlink()


def open_to_all(key):
    key.chmod(0o644)


def scribble(key):
    key.write_text("{}", encoding="utf-8")


def swap(key):
    shutil.copyfile(key.with_name("signer.key"), key)


@pytest.mark.usefixtures("installed")
def test_serve_answers_until_it_is_told_to_stop(start, answers):
    process = start("serve")
    assert json.loads(answers()) == {"database": "ok", "keys": "ok", "migrations": "ok"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (lose, "key file web.key is missing"),
        (open_to_all, "key file web.key can be read by others: chmod 600 it"),
        (scribble, "key file web.key is not a key file of this program"),
        (swap, "signer does not hold the form key"),
    ],
)
def test_serve_refuses_a_wrong_key_file(refusal, installed, harm, line, free_port):
    harm(installed / "keys" / "web.key")
    assert refusal("serve", PORT=str(free_port)) == f"nrm: {line}\n"


def test_serve_refuses_the_key_file_of_another_database(nrm, refusal, installed, free_port):
    shutil.rmtree(installed / "keys")
    elsewhere = installed / "elsewhere"
    assert nrm("init", NRM_INSTANCE=str(elsewhere)).returncode == 0
    shutil.copytree(elsewhere / "keys", installed / "keys")
    assert "does not belong to this database" in refusal("serve", PORT=str(free_port))


def test_serve_refuses_where_nothing_was_set_up(refusal, instance, free_port):
    assert "there is no database yet: run nrm init" in refusal("serve", PORT=str(free_port))
    assert not (instance / "nrm.sqlite3").exists()


def test_serve_refuses_a_database_that_is_behind(refusal, installed, free_port):
    with sqlite3.connect(installed / "nrm.sqlite3") as database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    assert "behind this program: run nrm init" in refusal("serve", PORT=str(free_port))


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        ({"NRM_ENV": "production"}, "production needs NRM_DATABASE_URL and NRM_KEY_FILE"),
        ({"NRM_ENV": "trial"}, "NRM_ENV is 'trial'"),
        ({"NRM_IDLE_MINUTES": "soon"}, "NRM_IDLE_MINUTES is 'soon'"),
        ({"NRM_PROXIES": "-1"}, "NRM_PROXIES is '-1': a whole number from zero"),
        ({"NRM_ORIGIN": "nrm.example.org"}, "NRM_ORIGIN is 'nrm.example.org'"),
        ({"NRM_ORIGIN": "http://nrm.example.org"}, "an address such as https://nrm.example.org"),
        ({"NRM_ORIGIN": "https://nrm.example.org/here"}, "NRM_ORIGIN is 'https://"),
        ({"NRM_OIDC_ISSUER": "http://id.example.org"}, "NRM_OIDC_ISSUER is 'http://id"),
        ({"NRM_OIDC_ISSUER": "https://id.example.org"}, "NRM_OIDC_ISSUER needs NRM_ORIGIN"),
        (
            {
                "NRM_OIDC_ISSUER": "https://id.example.org",
                "NRM_ORIGIN": "https://nrm.example.org",
                "NRM_OIDC_CLIENT_ID": "nrm",
                "NRM_OIDC_NAME": "the Ministry",
            },
            "NRM_OIDC_ISSUER is set, and NRM_OIDC_CLIENT_SECRET is not",
        ),
        ({"NRM_OIDC_ISSUER": "https://id.example.org?a"}, "NRM_OIDC_ISSUER is 'https://id"),
        ({"NRM_OIDC_NAME": "us"}, "NRM_OIDC_NAME is set, and NRM_OIDC_ISSUER is not"),
        ({"PORT": "70000"}, "PORT is 70000"),
    ],
)
def test_serve_refuses_a_wrong_setting(early_refusal, free_port, chosen, line):
    assert line in early_refusal("serve", **{"PORT": str(free_port), **chosen})


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("postgresql://127.0.0.1:1/nrm", "the database cannot be reached"),
        ("nothing", "NRM_DATABASE_URL is not the address of a database"),
    ],
)
def test_serve_refuses_without_a_database(refusal, free_port, url, line):
    assert line in refusal("serve", PORT=str(free_port), NRM_DATABASE_URL=url)


def test_serve_refuses_a_port_that_is_taken(early_refusal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} is in use" in early_refusal("serve", PORT=str(port))


def test_production_refuses_a_database_with_practice_people(refusal, practice_instance, free_port):
    line = refusal(
        "serve",
        PORT=str(free_port),
        NRM_ENV="production",
        NRM_DATABASE_URL=f"sqlite:///{practice_instance / 'nrm.sqlite3'}",
        NRM_KEY_FILE=str(practice_instance / "keys" / "web.key"),
    )
    assert "holds the demonstration" in line
