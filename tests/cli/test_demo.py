import json
import signal
import sqlite3

import pytest

from tests.cli.conftest import HISTORY

ACCOUNT = {"name", "organisation", "role", "email", "password"}
READY = "Ctrl-C stops the demonstration; its data stay."


def read_until_ready(process):
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith(READY):
            return lines
    raise AssertionError("\n".join(lines))


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    # Housekeeping held the same pipe: it ended too.
    assert process.stdout.read() == ""


def references(instance):
    with sqlite3.connect(instance / "nrm.sqlite3") as database:
        return {row[0] for row in database.execute("SELECT reference FROM case_file")}


def test_json_names_everyone_and_creates_nothing(nrm, instance):
    done = nrm("demo", "--json", PORT="5055", NRM_ENV="")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"url", "accounts"}
    assert told["url"] == "http://localhost:5055"
    assert all(set(account) == ACCOUNT for account in told["accounts"])
    assert all(account["email"].endswith("@practice.example") for account in told["accounts"])
    assert not instance.exists()


@pytest.mark.parametrize("options", [(), ("--json",), ("--reset",)])
def test_production_refuses_the_demonstration(early_refusal, options):
    line = early_refusal("demo", *options, NRM_ENV="production")
    assert "never runs where NRM_ENV is production" in line


def test_a_database_named_elsewhere_is_left_alone(early_refusal, tmp_path):
    url = f"sqlite:///{tmp_path / 'nrm.sqlite3'}"
    assert "NRM_DATABASE_URL is set" in early_refusal("demo", NRM_ENV="", NRM_DATABASE_URL=url)
    assert "own data are thrown away" in early_refusal("demo", "--reset", NRM_DATABASE_URL=url)


def test_what_is_not_the_demonstration_is_left_alone(nrm, refusal, installed, free_port):
    person = ("--name", "A", "--email", "a@real.example", "--role", "auditor")
    place = ("--organisation", "Real", "--kind", "ngo", "--district", "11")
    typed = "seven-quiet-herons\n"
    assert nrm("user", "create", *person, *place, "--password-stdin", stdin=typed).returncode == 0
    demo = nrm("demo", PORT=str(free_port))
    assert demo.returncode == 1
    assert "something other than the demonstration" in demo.stderr
    assert "nothing was removed" in refusal("demo", "--reset", PORT=str(free_port))
    assert (installed / "nrm.sqlite3").exists()


def test_another_start_keeps_the_data(start, answers, practice_instance, free_port):
    before = references(practice_instance)
    process = start("demo", NRM_ENV="")
    lines = read_until_ready(process)
    assert "4/5 Practice world: there already." in lines
    assert any("coordinator@practice.example" in line for line in lines)
    assert f"Open http://localhost:{free_port}" in lines[-2]
    table = lines[lines.index("") :]
    assert max(map(len, table)) <= 100
    assert '"database":"ok"' in answers()
    stop(process)
    assert references(practice_instance) == before


def test_a_reset_begins_anew(start, practice_instance):
    before = references(practice_instance)
    process = start("demo", "--reset", "--history", str(HISTORY))
    assert "2/5 Database: made." in read_until_ready(process)
    stop(process)
    assert len(references(practice_instance)) == len(before)
    assert not references(practice_instance) & before
