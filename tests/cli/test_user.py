import sqlite3

import pytest
from click.testing import CliRunner

from nrm.cli import main

ADMINISTRATOR = (
    *("user", "create", "--name", "First Administrator", "--email", "First@practice.example"),
    *("--role", "administrator", "--organisation", "Practice Ministry"),
)
MINISTRY = ("--kind", "ministry", "--district", "gasabo")
PASSWORD = "seven-quiet-herons"


def test_the_first_administrator_and_a_colleague(nrm, installed):
    done = nrm(*ADMINISTRATOR, *MINISTRY, "--password-stdin", stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    assert "First Administrator can sign in as first@practice.example." in done.stdout
    # Whatever the options leave open is asked for, and a known organisation needs no more.
    typed = f"Second\nsecond@practice.example\nPractice Ministry\nauditor\n{PASSWORD}\n"
    done = nrm("user", "create", "--password-stdin", stdin=typed)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(installed / "nrm.sqlite3") as database:
        roles = database.execute("SELECT role FROM account ORDER BY created_at").fetchall()
        acts = database.execute("SELECT action FROM audit_entry ORDER BY seq").fetchall()
    assert roles == [("administrator",), ("auditor",)]
    assert acts[1:] == [("organisation:create",), ("account:create",), ("account:create",)]


def test_a_short_password_creates_nothing(refusal, installed):
    line = refusal(*ADMINISTRATOR, *MINISTRY, "--password-stdin", stdin="short\n")
    assert "between 12 and 256 characters" in line
    with sqlite3.connect(installed / "nrm.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM organisation").fetchone() == (0,)


@pytest.mark.usefixtures("installed")
def test_a_district_that_does_not_exist_is_named(nrm):
    done = nrm(*ADMINISTRATOR, *MINISTRY, "--district", "nowhere", "--password-stdin")
    assert done.returncode == 2
    assert "there is no district nowhere" in done.stderr


@pytest.mark.parametrize("wrong", [("--email", "nobody"), ("--role", "system"), ("--name", " ")])
def test_a_wrong_answer_is_named(wrong):
    done = CliRunner().invoke(main, [*ADMINISTRATOR, *wrong, "--password-stdin"])
    assert done.exit_code == 2
    assert wrong[0] in done.stderr


INVITED = (
    *("user", "invite", "--name", "First Administrator", "--email", "First@practice.example"),
    *("--role", "administrator", "--organisation", "Practice Ministry"),
)


def test_the_first_administrator_gets_a_link_and_no_password(nrm, installed):
    done = nrm(*INVITED, *MINISTRY, "--address", "https://nrm.example/")
    assert done.returncode == 0, done.stderr
    words, link = done.stdout.splitlines()
    assert words.startswith("Hand this link to first@practice.example alone.")
    assert link.startswith("https://nrm.example/welcome/")
    # Once more: the account is there, and only the newer link is good.
    again = nrm("user", "invite", "--email", "first@practice.example", PORT="5055")
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[1].startswith("http://localhost:5055/welcome/")
    with sqlite3.connect(installed / "nrm.sqlite3") as database:
        links = database.execute("SELECT ended_at IS NULL FROM invitation ORDER BY made_at")
        assert links.fetchall() == [(0,), (1,)]
        assert database.execute("SELECT password_hash FROM account").fetchall() == [("",)]
        acts = database.execute("SELECT action FROM audit_entry ORDER BY seq").fetchall()
        token = link.rpartition("/")[2]
        assert token not in "\n".join(database.iterdump())
    assert acts[1:] == [("organisation:create",), ("account:create",), ("account:invite",)]


def test_whoever_lost_everything_sets_up_anew(nrm, refusal, installed):
    assert nrm(*ADMINISTRATOR, *MINISTRY, "--password-stdin", stdin=PASSWORD + "\n").returncode == 0
    done = nrm("user", "reset-factor", "First@practice.example")
    assert done.returncode == 0, done.stderr
    assert "First Administrator sets up a telephone at the next sign-in" in done.stdout
    with sqlite3.connect(installed / "nrm.sqlite3") as database:
        acts = database.execute("SELECT action FROM audit_entry ORDER BY seq").fetchall()
    assert acts[-1] == ("factor:reset",)
    assert "there is no account" in refusal("user", "reset-factor", "no.one@practice.example")
