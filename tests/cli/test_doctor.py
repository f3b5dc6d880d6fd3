"""`nrm doctor`: one line for each question, and what to do where something is amiss."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from nrm.cli import main
from tests.cli.conftest import checked_refusal, environment

NOT_SEPARATED = "keys are not separated: one user can read the key files of web, statistics, signer"
# As SQLite keeps a moment: in UTC, which it does not say.
LONG_AGO = datetime(2026, 1, 12, 8, tzinfo=UTC).replace(tzinfo=None)
OK, LOOK, BROKEN = "ok          ", "look at this", "broken      "


@pytest.fixture
def run(instance):
    def run(*arguments, **chosen):
        return CliRunner().invoke(main, arguments, env=environment(instance, **chosen))

    return run


@pytest.fixture
def ceremony(run, practice_instance):
    """Give the practice world a recovery copy, as an update of an older installation gets it."""
    done = run("init")
    assert done.exit_code == 0, done.output
    return practice_instance


def change(instance, *statements):
    with closing(sqlite3.connect(instance / "nrm.sqlite3")) as database, database:
        for statement in statements:
            database.execute(statement)


def flip(instance, table, column, where="1"):
    with closing(sqlite3.connect(instance / "nrm.sqlite3")) as database, database:
        ((row, value),) = database.execute(
            f"SELECT rowid, {column} FROM {table} WHERE {where} LIMIT 1"
        )
        database.execute(
            f"UPDATE {table} SET {column} = ? WHERE rowid = ?",
            (value[:-1] + bytes([value[-1] ^ 1]), row),
        )


def logged(instance, action, moment):
    """Write down that something happened; doctor reads no more of an entry than these columns."""
    columns = {
        "id": "0" * 32,
        "occurred_at": str(moment),
        "actor_role": "system",
        "session_ref": "",
        "action": action,
        "subject_type": "none",
        "compartments": "",
        "purpose": "",
        "outcome": "done",
        "rows": "[]",
        "detail_sha256": "",
    }
    names, values = ", ".join(columns), ", ".join(f"'{value}'" for value in columns.values())
    insert = f"INSERT INTO audit_entry ({names}, leaf_hash) VALUES ({values}, zeroblob(32))"
    change(instance, insert)


def drilled(instance, ago):
    made = datetime.now(UTC).replace(tzinfo=None) - ago - timedelta(days=1)
    change(instance, f"UPDATE key_holder SET created_at = '{made}' WHERE name = 'recovery'")
    logged(instance, "key:drill", made + timedelta(hours=1))


def in_old_age(instance):
    drilled(instance, timedelta(days=400))


def sign_log(instance):
    key = str(instance / "keys" / "signer.key")
    done = CliRunner().invoke(main, ["tick"], env=environment(instance, NRM_KEY_FILE=key))
    assert done.exit_code == 0, done.output


def signed_long_ago(instance):
    sign_log(instance)
    logged(instance, "case:list", LONG_AGO)


def spoilt_checkpoint(instance):
    sign_log(instance)
    change(
        instance,
        "DROP TRIGGER audit_checkpoint_no_update",
        "UPDATE audit_checkpoint SET note = 'x'",
    )


def well_kept(instance):
    drilled(instance, timedelta(days=30))
    sign_log(instance)
    for sheet in (instance / "keys" / "recovery").iterdir():
        sheet.unlink()
    for name in ("statistics", "signer"):
        (instance / "keys" / f"{name}.key").unlink()


NEW_KEY = """
    INSERT INTO key_ring (purpose, state, created_at)
    SELECT purpose, 'primary', created_at FROM key_ring WHERE purpose = 'case'
"""
SEALED_AS_THE_OLD = """
    INSERT INTO sealed_master_key SELECT (SELECT max(id) FROM key_ring), holder, sealed
    FROM sealed_master_key JOIN key_ring ON id = ring_id WHERE purpose = 'case'
"""


def half_rotated(instance):
    old_key = "UPDATE key_ring SET state = 'active' WHERE purpose = 'case'"
    change(instance, old_key, NEW_KEY, SEALED_AS_THE_OLD)


# What is done to an installation, what doctor then says, and whether it is broken.
FINDINGS = {
    "all is well": (
        well_kept,
        [
            rf"^{OK}  the key of web is at hand$",
            rf"^{OK}  all 7 master keys of web open$",
            rf"^{OK}  [\d ]+ case keys tried, and all of them open$",
            rf"^{OK}  [\d ]+ facts keys tried, and all of them open$",
            rf"^{OK}  keys are separated: this user can read one key file$",
            rf"^{OK}  the recovery copy \w+ was made on [\d-]+ and tried on [\d-]+$",
            rf"^{OK}  no rotation is under way$",
            rf"^{OK}  the search index keeps \d+ bits of a name, for \d+ people$",
            rf"^{OK}  \d+ entries of the log are signed, the last checkpoint is of [\d: -]+ UTC$",
        ],
        0,
    ),
    "as nrm init leaves it": (
        lambda _: None,
        [
            rf"^{LOOK}  {NOT_SEPARATED} \(as in every demonstration\)$",
            rf"^{LOOK}  the recovery copy \w+ was made on [\d-]+ and was never tried: nrm key ",
            rf"^{LOOK}  the custodians' sheets still lie in .*recovery: print them, then delete",
        ],
        0,
    ),
    "a log that was never signed": (
        lambda _: None,
        [rf"^{LOOK}  the log was never signed: run nrm tick with the signer's key$"],
        0,
    ),
    "a log that was never signed for long": (
        lambda instance: logged(instance, "case:list", LONG_AGO),
        [rf"^{LOOK}  the log was never signed: run nrm tick with the signer's key$"],
        0,
    ),
    "a log that nobody has signed for long": (
        signed_long_ago,
        [rf"^{LOOK}  entries of the log wait to be signed since 2026-01-12 08:00 UTC: run nrm "],
        0,
    ),
    "a checkpoint that was spoilt": (
        spoilt_checkpoint,
        [rf"^{BROKEN}  the newest checkpoint in the database is damaged: .*: run nrm audit "],
        1,
    ),
    "a drill long ago": (in_old_age, [rf"^{LOOK}  .* was last tried on [\d-]+: nrm key drill$"], 0),
    "no recovery copy": (
        lambda instance: change(
            instance,
            "DELETE FROM sealed_master_key WHERE holder = 'recovery'",
            "DELETE FROM key_holder WHERE name = 'recovery'",
        ),
        [rf"^{LOOK}  there is no recovery copy of the keys: nrm init makes one$"],
        0,
    ),
    "a key file that others can read": (
        lambda instance: (instance / "keys" / "web.key").chmod(0o640),
        [rf"^{BROKEN}  key file web.key can be read by others: chmod 600 it$"],
        1,
    ),
    "a lost key file": (
        lambda instance: (instance / "keys" / "web.key").unlink(),
        [rf"^{BROKEN}  key file web.key is missing$", rf"^{LOOK}  the recovery copy "],
        1,
    ),
    "another database's key file": (
        lambda instance: (
            (instance / "keys" / "statistics.key").replace(instance / "keys" / "web.key")
            and change(instance, "UPDATE key_holder SET public_key = x'00' WHERE name != 'web'")
        ),
        [rf"^{BROKEN}  the key file does not belong to this database$"],
        1,
    ),
    "a damaged master key": (
        lambda instance: flip(instance, "sealed_master_key", "sealed", "holder = 'web'"),
        [rf"^{BROKEN}  damaged, and opens no more: case key 1$"],
        1,
    ),
    "a damaged case key": (
        lambda instance: flip(instance, "case_key", "wrapped"),
        [rf"^{BROKEN}  1 of [\d ]+ case keys do not open, the first is \d+$"],
        1,
    ),
    "case keys under a key that is not in the ring": (
        lambda instance: change(instance, "UPDATE facts_key SET ring_id = 99"),
        [rf"^{BROKEN}  (\d+) of \1 facts keys do not open, the first is \d+$"],
        1,
    ),
    "a purpose without its key": (
        lambda instance: change(
            instance, "UPDATE key_ring SET state = 'active' WHERE purpose = 'signing'"
        ),
        [rf"^{BROKEN}  no key for signing: run nrm init$"],
        1,
    ),
    "a key that its holder never got": (
        lambda instance: change(
            instance, "DELETE FROM sealed_master_key WHERE ring_id = 2 AND holder != 'web'"
        ),
        [rf"^{BROKEN}  facts key 2 is not sealed to recovery, statistics$"],
        1,
    ),
    "a rotation that stopped": (
        half_rotated,
        [rf"^{LOOK}  rotating case is not finished: nrm key rotate case --resume$"],
        1,
    ),
    "a new index that is being built": (
        lambda instance: change(instance, "UPDATE name_index SET state = 'building'"),
        [rf"^{LOOK}  rotating index is not finished: nrm key rotate index --resume$"],
        0,
    ),
    "far more people than the index was made for": (
        lambda instance: change(instance, "UPDATE name_index SET bits = 1"),
        [rf"^{LOOK}  the search index keeps 1 bits of a name, .*: nrm key rotate index chooses "],
        0,
    ),
}


@pytest.mark.parametrize("what", FINDINGS)
def test_doctor_says_what_it_finds(run, ceremony, what):
    harm, lines, code = FINDINGS[what]
    harm(ceremony)
    done = run("doctor")
    for line in lines:
        assert re.search(line, done.output, re.MULTILINE), done.output
    assert done.exit_code == code
    said = done.output.splitlines()
    assert all(line.startswith((OK, LOOK, BROKEN)) for line in said)
    assert ("broken" in done.output) == bool(code)
    if what == "all is well":
        assert len(lines) == len(said)


def test_in_production_too_keys_that_are_not_separated_are_to_be_looked_at(run, ceremony):
    done = run(
        "doctor",
        NRM_ENV="production",
        NRM_DATABASE_URL=f"sqlite:///{ceremony / 'nrm.sqlite3'}",
        NRM_KEY_FILE=str(ceremony / "keys" / "web.key"),
    )
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.output.splitlines() if "separated" in line]
    assert line == f"{LOOK}  {NOT_SEPARATED}"


def test_doctor_changes_nothing(run, ceremony):
    with closing(sqlite3.connect(ceremony / "nrm.sqlite3")) as database:
        before = list(database.iterdump())
    assert run("doctor").exit_code == 0
    with closing(sqlite3.connect(ceremony / "nrm.sqlite3")) as database:
        assert list(database.iterdump()) == before


def test_without_a_database_there_is_nothing_to_look_at(run, instance):
    done = run("doctor")
    line = checked_refusal(done.exit_code, done.stderr)
    assert line == "nrm: there is no database yet: run nrm init\n"
    assert not (instance / "keys").exists()
