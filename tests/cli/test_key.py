"""`nrm key`: seen from the console, on an installation with the practice world in it."""

import re
import sqlite3

import pytest
from click.testing import CliRunner

from nrm.cli import main
from tests.cli.conftest import checked_refusal, environment


@pytest.fixture
def run(practice_instance):
    """Run a command in this process: a dozen of them take no longer than one of their own."""

    def run(*arguments, **chosen):
        return CliRunner().invoke(main, arguments, env=environment(practice_instance, **chosen))

    return run


@pytest.fixture
def table(practice_instance):
    def table(name, columns):
        with sqlite3.connect(practice_instance / "nrm.sqlite3") as database:
            return database.execute(f"SELECT {columns} FROM {name}").fetchall()

    return table


def test_status_says_on_one_screen_how_every_key_stands(run, table):
    done = run("key", "status")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert re.split(r"\s{2,}", lines[0]) == [
        "Key",
        "Purpose",
        "State",
        "Made on",
        "Held by",
        "Needed by",
    ]
    number = len(table("case_key", "id"))
    assert re.search(rf"^1 +case +primary +\d{{4}}-\d\d-\d\d +web +{number} case keys$", lines[1])
    assert any(
        re.search(r"facts +primary .* statistics web +\d+ facts keys$", line) for line in lines
    )
    assert any(re.search(r"log +primary .* web +[\d ]+ log entries$", line) for line in lines)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in done.output


@pytest.mark.parametrize(("purpose", "name"), [("case", "case_key"), ("facts", "facts_key")])
def test_rotating_wraps_every_key_anew_and_then_the_old_one_can_go(run, table, purpose, name):
    before = table(name, "id, ring_id, wrapped")
    old = {ring for _, ring, _ in before}
    done = run("key", "rotate", purpose)
    assert done.exit_code == 0, done.output
    assert f"is the {purpose} key now." in done.output
    assert f"{len(before)} {purpose} keys made anew." in done.output
    after = table(name, "id, ring_id, wrapped")
    assert len({ring for _, ring, _ in after} | old) == 2
    assert not {wrapped for *_, wrapped in before} & {wrapped for *_, wrapped in after}

    (ring,) = old
    retired = run("key", "retire", str(ring))
    assert retired.output.startswith(f"Key {ring} is destroyed"), retired.output
    status = run("key", "status").output
    assert re.search(rf"^{ring} +{purpose} +retired .* – +–$", status, re.MULTILINE)
    assert run("doctor").exit_code == 0


def test_resuming_makes_no_key(run, table):
    keys = table("key_ring", "id")
    done = run("key", "rotate", "case", "--resume")
    assert done.output == "0 case keys made anew.\n"
    assert table("key_ring", "id") == keys


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        ("log", "New entries are sealed under it"),
        ("session", "stays signed in"),
        ("form", "the next start of nrm serve"),
        ("statistics", "is the statistics key now"),
    ],
)
def test_the_other_keys_say_what_follows(run, purpose, words):
    done = run("key", "rotate", purpose)
    assert done.exit_code == 0, done.output
    assert words in done.output


def test_a_case_is_keyed_anew_by_its_reference(run, table):
    (reference, case) = table("case_file", "reference, id")[0]
    before = table("case_key", "id, owner_id")
    done = run("key", "rekey", reference.lower().replace("-", " "))
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"Case {reference} is sealed anew: ")
    changed = set(table("case_key", "id, owner_id")) ^ set(before)
    assert {owner for _, owner in changed} == {case}
    assert run("doctor").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("retire", "1"), "key 1 is the case key in use: rotate it first"),
        (("retire", "99"), "there is no key 99 that could be retired"),
        (("rekey", "7K4M-29QX-C"), "there is no case 7K4M-29QX-C"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, arguments, words):
    done = run("key", *arguments)
    assert checked_refusal(done.exit_code, done.stderr) == f"nrm: {words}\n"


def test_a_key_that_is_needed_says_by_how_much(run, table):
    number = len(table("case_key", "id"))
    with_old = table("case_key", "ring_id")[0][0]
    assert run("key", "rotate", "log").exit_code == 0
    log_key = next(ring for ring, purpose in table("key_ring", "id, purpose") if purpose == "log")
    done = run("key", "retire", str(log_key))
    assert re.fullmatch(rf"nrm: key {log_key} is still needed by [\d ]+ log entries\n", done.stderr)
    assert number
    assert with_old


@pytest.mark.parametrize(
    "arguments",
    [
        ("rotate", "everything"),
        ("retire", "0"),
        ("rekey", "7K4M"),
        ("rekey",),
    ],
)
def test_a_slip_of_the_hand_changes_nothing(run, table, arguments):
    before = table("key_ring", "*"), table("case_key", "*")
    assert run("key", *arguments).exit_code == 2
    assert (table("key_ring", "*"), table("case_key", "*")) == before


def test_with_another_holders_key_nothing_is_rotated(run, practice_instance, table):
    before = table("key_ring", "*")
    other = str(practice_instance / "keys" / "statistics.key")
    done = run("key", "rotate", "case", NRM_KEY_FILE=other)
    refused = checked_refusal(done.exit_code, done.stderr)
    assert refused == "nrm: statistics does not hold the case key\n"
    assert table("key_ring", "*") == before


def test_no_output_of_any_command_holds_a_key(run, practice_instance, table):
    secrets = [
        value.hex() for name in ("case_key", "facts_key") for (value,) in table(name, "wrapped")
    ]
    outputs = "".join(
        run("key", *arguments).output
        for arguments in (("status",), ("rotate", "case"), ("rotate", "facts"), ("retire", "1"))
    )
    outputs += run("doctor").output
    assert not [secret for secret in secrets if secret[:16] in outputs.lower()]
    private = (practice_instance / "keys" / "web.key").read_text(encoding="utf-8")
    for word in re.findall(r"[A-Za-z0-9+/=]{40,}", private):
        assert word not in outputs


def test_the_web_process_cannot_renew_the_signing_key(run, practice_instance, table):
    del practice_instance
    before = table("key_ring", "*")
    done = run("key", "rotate", "signing")
    assert (done.exit_code, done.stderr) == (1, "nrm: web does not hold the signing key\n")
    assert table("key_ring", "*") == before


def test_while_the_signing_key_is_renewed_both_keys_sign(run, practice_instance, table):
    """Whoever knows the old key sees the new one take over, and nobody is left with neither."""
    signer = {"NRM_KEY_FILE": str(practice_instance / "keys" / "signer.key")}

    def signatures():
        assert run("tick", **signer).exit_code == 0
        note = max(table("audit_checkpoint", "size, note"))[1]
        return note.count("\N{EM DASH} ")

    assert signatures() == 1
    ((old, _),) = [row for row in table("key_ring", "id, purpose") if row[1] == "signing"]
    assert run("key", "rotate", "signing", **signer).exit_code == 0
    refused = run("key", "retire", str(old), **signer)
    assert refused.stderr == (
        f"nrm: key {old} is still needed: nothing was signed with the new one\n"
    )
    assert signatures() == 2
    assert run("key", "retire", str(old), **signer).stderr == (
        f"nrm: key {old} was in use a moment ago: try again in a minute\n"
    )
