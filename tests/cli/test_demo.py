import json
import re
import signal
import sqlite3
from datetime import UTC, datetime

import pytest

from nrm.security import second_factor
from tests.cli.conftest import HISTORY

ACCOUNT = {"name", "organisation", "role", "email", "password", "totp_secret"}
READY = "Ctrl-C stops the demonstration; its data stay."
ROUND = re.compile(r"(Housekeeping|Log|Statistics): .+\.")


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
    # Housekeeping held the same pipe: it ended too, and on a slow machine had a round to tell of.
    assert all(ROUND.fullmatch(line) for line in process.stdout.read().splitlines())


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


@pytest.mark.parametrize("options", [(), ("--json",), ("--reset",), ("code", "somebody")])
def test_production_refuses_the_demonstration(early_refusal, options):
    line = early_refusal("demo", *options, NRM_ENV="production")
    assert "never runs where NRM_ENV is production" in line


def test_nobody_else_has_a_code(early_refusal):
    line = early_refusal("demo", "code", "no.one@practice.example", NRM_ENV="")
    assert "is nobody in the demonstration" in line


def test_the_code_is_the_one_that_signs_in_also_when_the_last_was_used(nrm, practice_instance):
    told = json.loads(nrm("demo", "--json", NRM_ENV="").stdout)["accounts"]
    coordinator = next(one for one in told if one["role"] == "coordinator")
    seed, email = coordinator["totp_secret"], coordinator["email"]

    def asked():
        done = nrm("demo", "code", email, NRM_ENV="")
        assert done.returncode == 0, done.stderr
        now = second_factor.step_of(datetime.now(UTC))
        steps = [second_factor.code_at(seed, now + ahead) for ahead in range(-1, 4)]
        return steps.index(done.stdout.strip()) - 1, done.stderr

    def use_up(ahead):
        used = second_factor.step_of(datetime.now(UTC)) + ahead
        with sqlite3.connect(practice_instance / "nrm.sqlite3") as database:
            database.execute(
                "UPDATE second_factor SET used_step = ? WHERE account_id ="
                " (SELECT id FROM account WHERE email = ?)",
                (used, email),
            )

    # A test may stand between two steps.
    assert asked()[0] in {-1, 0}
    use_up(0)
    ahead, said = asked()
    assert ahead in {0, 1}
    assert "each works once" in said or not ahead
    use_up(2)
    ahead, said = asked()
    assert ahead in {2, 3}
    assert "It works in" in said


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
    assert f"Open http://localhost:{free_port}" in lines[-4]
    assert "nrm demo code coordinator@practice.example" in lines[-2]
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
