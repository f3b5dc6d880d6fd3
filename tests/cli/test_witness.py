"""A second institution cosigns our checkpoints, and what it cosigned is kept with them."""

import sqlite3
from contextlib import closing

import pytest

from nrm.audit.verify import Trusted, check, read_checkpoint, read_key, verify_file
from tests import bundles

NAME = "court.example"


def ask(instance, question):
    with closing(sqlite3.connect(instance / "nrm.sqlite3")) as database, database:
        return database.execute(question).fetchall()


@pytest.fixture
def court(at_console, tmp_path):
    """A witness at its own institution: its folder, and its key."""
    folder = tmp_path / "court"
    done = at_console("witness", "create", folder, "--name", NAME)
    assert done.exit_code == 0, done.stderr
    assert "Give this line to the people who run the log" in done.stderr
    return folder, done.stdout.strip()


@pytest.fixture
def request_from(at_console, tmp_path):
    """Take a request to the witness, as a file."""

    def ask_for(size):
        done = at_console("audit", "checkpoint", "--for-witness", size)
        assert done.exit_code == 0, done.stderr
        file = tmp_path / f"request-{size}"
        file.write_text(done.stdout)
        return file

    return ask_for


@pytest.fixture
def key(at_console, sign, practice_instance):
    del practice_instance
    sign()
    return at_console("audit", "key").stdout.strip()


def test_a_witness_cosigns_the_first_checkpoint_and_the_next(
    at_console, sign, key, court, request_from, practice_instance
):
    folder, witness = court
    line, bundle = folder.with_name("line"), folder.with_name("log.bundle")
    done = at_console("audit", "witness", "list")
    assert done.stdout == "There is no witness yet: nrm audit witness add\n"
    done = at_console("audit", "witness", "add", NAME, witness)
    assert done.stdout == f"{NAME} is a witness now.\n"
    assert at_console("audit", "witness", "list").stdout == (
        f"{NAME}: has cosigned nothing yet\n  {witness}\n"
    )
    done = at_console("witness", "cosign", request_from(0), "--folder", folder, "--log", key)
    assert (done.exit_code, done.stderr.split(":")[0]) == (0, "Cosigned")
    line.write_text(done.stdout)
    first = read_checkpoint(at_console("audit", "checkpoint").stdout)
    # Meanwhile the log goes on; what comes back belongs to the older checkpoint all the same.
    sign()
    done = at_console("audit", "witness", "keep", line)
    assert done.exit_code == 0, done.stderr
    assert f"{NAME} has cosigned the checkpoint of " in done.stdout
    assert ask(practice_instance, "SELECT size FROM audit_cosignature") == [(first.size,)]

    request = request_from(first.size)
    done = at_console("witness", "cosign", request, "--folder", folder, "--output", line)
    assert done.stderr.startswith("nrm: File exists")
    line.unlink()
    # Nothing is lost by that: what it has signed, it signs again. Messages come back like this.
    request = request_from(first.size + 1)
    request.write_text("\N{ZERO WIDTH NO-BREAK SPACE}" + request.read_text() + "\n\n")
    done = at_console("witness", "cosign", request, "--folder", folder)
    assert done.exit_code == 0, done.stderr
    line.write_text(done.stdout)
    assert at_console("audit", "witness", "keep", line).exit_code == 0
    second = read_checkpoint(at_console("audit", "checkpoint").stdout)
    assert second.size == first.size + 1
    check(second, read_key(witness))
    assert (
        f"{NAME}: {second.size:,}".replace(",", " ")
        in at_console("audit", "witness", "list").stdout
    )

    # Bundles and proofs carry it home.
    at_console("audit", "export", bundle)
    told = verify_file(bundle, Trusted(keys=(read_key(key),), witnesses=(read_key(witness),)))
    assert f"Cosigned by the witness {NAME}.\n" in told
    assert ask(
        practice_instance,
        "SELECT action, outcome, purpose FROM audit_entry WHERE action LIKE 'witness%'"
        " ORDER BY seq",
    ) == [("witness:add", "done", NAME), *[("witness:cosign", "done", NAME)] * 2]


def test_a_witness_never_cosigns_a_log_that_was_rewritten(
    at_console, sign, key, court, request_from, practice_instance
):
    folder, _ = court
    at_console("witness", "cosign", request_from(0), "--folder", folder, "--log", key)
    size = read_checkpoint(at_console("audit", "checkpoint").stdout).size
    for (trigger,) in ask(
        practice_instance,
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'",
    ):
        ask(practice_instance, f"DROP TRIGGER {trigger}")
    # The signer is in it as well: it forgets what it signed, and signs another log.
    for statement in (
        "DELETE FROM audit_entry WHERE seq = 40",
        "UPDATE audit_entry SET leaf_index = NULL",
        *(f"DELETE FROM {table}" for table in ("audit_tile", "audit_sight", "audit_checkpoint")),
    ):
        ask(practice_instance, statement)
    for file in (practice_instance / "checkpoints").iterdir():
        file.unlink()
    # And it grows, so that a smaller size does not give it away.
    for name in ("one", "two", "three"):
        at_console("audit", "witness", "add", name, bundles.witness_key(name, b"1" * 32))
    sign()
    done = at_console("witness", "cosign", request_from(size), "--folder", folder)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "the log is not the one that this witness signed before" in done.stderr


def test_what_a_witness_refuses(at_console, key, court, request_from, tmp_path):
    folder, witness = court
    request = request_from(0)
    refused = {
        "say the log's key with --log the first time": (request, folder),
        "there is no witness.key in this folder": (request, tmp_path / "nowhere"),
        "this is the key of a witness": (request, folder, "--log", witness),
        "did not sign this checkpoint": (
            *(request, folder, "--log"),
            bundles.verifier_key(read_key(key).name, bundles.OTHER_SEED),
        ),
    }
    for said, (file, where, *more) in refused.items():
        done = at_console("witness", "cosign", file, "--folder", where, *more)
        assert (done.exit_code, done.stdout) == (1, "")
        assert said in done.stderr
    no_request = tmp_path / "no request"
    for content, said in ((b"nothing\n", "this is no request"), (b"\xff", "is no text")):
        no_request.write_bytes(content)
        done = at_console("witness", "cosign", no_request, "--folder", folder, "--log", key)
        assert said in done.stderr
    assert sorted(file.name for file in folder.iterdir()) == ["witness.key"]
    done = at_console("witness", "create", folder, "--name", NAME)
    assert done.stderr.startswith("nrm: File exists")
    done = at_console("witness", "create", tmp_path / "new", "--name", "the court")
    assert done.stderr == "nrm: a witness's name has no spaces and no plus sign\n"


def test_what_is_kept_of_a_witness_is_checked_first(
    at_console, key, court, request_from, practice_instance, tmp_path
):
    folder, witness = court
    line = tmp_path / "line"
    request = request_from(0)
    at_console("witness", "cosign", request, "--folder", folder, "--log", key, "--output", line)

    def kept(text):
        line.write_text(text)
        done = at_console("audit", "witness", "keep", line)
        assert done.exit_code == 1
        return done.stderr

    genuine = line.read_text()
    assert "there is no witness court.example: nrm audit witness add" in kept(genuine)
    for name, its_key in (("other.example", witness), (NAME, key), (NAME, "x")):
        assert at_console("audit", "witness", "add", name, its_key).exit_code == 1
    at_console("audit", "witness", "add", NAME, witness)
    again = at_console("audit", "witness", "add", NAME, witness)
    assert again.stderr == f"nrm: there is a witness {NAME} already\n"
    other = bundles.cosigned(bundles.entries(3)).splitlines()[-1]
    assert "cosigned none of our checkpoints" in kept(other)
    assert "a signature line of the checkpoint cannot be read" in kept("nothing")
    # A genuine name and fingerprint, and another's signature.
    forged = genuine[:40] + ("A" if genuine[40] != "A" else "B") + genuine[41:]
    assert "cosigned none of our checkpoints" in kept(forged)
    assert ask(practice_instance, "SELECT count(*) FROM audit_cosignature") == [(0,)]
    line.write_text(genuine)
    assert at_console("audit", "witness", "keep", line).exit_code == 0
    assert "has cosigned" in kept(genuine)


def test_a_request_begins_within_what_was_signed(at_console, key):
    del key
    done = at_console("audit", "checkpoint", "--for-witness", "99999999")
    assert done.exit_code == 1
    assert "the newest checkpoint covers " in done.stderr
    assert at_console("audit", "checkpoint", "--for-witness", "-1").exit_code == 2
