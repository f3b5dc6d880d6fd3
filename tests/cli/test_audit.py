"""`nrm audit`: what it says of a log, good or altered, and what can be taken home from it."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from nrm.audit.verify import Trusted, read_key, verify_file
from nrm.services import log_bundle
from tests import bundles
from tests.cli.conftest import environment

ENTRIES = "SELECT count(*) FROM audit_entry"
NOTHING_SIGNED = "nrm: nothing was signed yet: run nrm tick with the signer's key file\n"


def ask(instance, question):
    with closing(sqlite3.connect(instance / "nrm.sqlite3")) as database, database:
        return database.execute(question).fetchall()


def tamper(instance, *statements):
    """Change the log as whoever has the whole database can."""
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'"
    for (trigger,) in ask(instance, triggers):
        ask(instance, f"DROP TRIGGER {trigger}")
    for statement in statements:
        ask(instance, statement)


def count(instance):
    ((number,),) = ask(instance, ENTRIES)
    return number


def newest(instance):
    """Give the number and the id of the newest entry."""
    ((seq, entry_id),) = ask(instance, "SELECT seq, id FROM audit_entry ORDER BY seq DESC LIMIT 1")
    return seq, entry_id


def exports(instance):
    return ask(
        instance,
        "SELECT outcome, subject_type FROM audit_entry WHERE action = 'audit:export' ORDER BY seq",
    )


@pytest.fixture
def signed(sign, practice_instance):
    sign()
    return practice_instance


@pytest.fixture
def key(at_console, signed):
    del signed
    return at_console("audit", "key").stdout.strip()


@pytest.fixture
def kept(at_console, signed, tmp_path):
    """A checkpoint that somebody took home."""
    del signed
    file = tmp_path / "kept.checkpoint"
    file.write_text(at_console("audit", "checkpoint").stdout)
    return file


# Checking.


def test_a_log_that_nobody_signed_yet(at_console, practice_instance):
    done = at_console("audit", "verify")
    entries = f"{count(practice_instance):,}".replace(",", " ")
    assert (done.exit_code, done.stdout) == (
        0,
        (
            f"{entries} entries checked: every one is as it was written.\n"
            "Nothing is signed yet, so an entry that was removed, or rewritten together with its "
            "hash, would not be found.\n"
        ),
    )
    for command in (["key"], ["checkpoint"], ["checkpoint", "--for-witness", "0"], ["prove", "1"]):
        assert at_console("audit", *command).stderr == NOTHING_SIGNED
    assert at_console("audit", "export", practice_instance / "new").stderr == NOTHING_SIGNED
    assert not (practice_instance / "new").exists()
    assert exports(practice_instance) == []


def test_a_log_that_nobody_touched(at_console, nrm, signed, kept, key):
    size = count(signed)
    number = f"{size:,}".replace(",", " ")
    done = nrm("audit", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{number} entries checked: every one is as it was written."
    assert re.fullmatch(f"The first {number} are those that were signed on 20.* UTC.", lines[1])
    assert lines[2] == "0 were written since then and wait for the next checkpoint."
    # What lies in the second place is held against it without being asked.
    assert lines[3] == f"The first {number} are those of the checkpoint that you kept."
    assert lines[4].endswith(f"say that with --key: {key}")

    at_console("audit", "prove", "1")
    done = at_console("audit", "verify", "--checkpoint", kept, "--key", key, "--rows")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "2 were written since then" in done.stdout
    assert f"The first {number} are those of the checkpoint that you kept.\n" in done.stdout
    assert "the database alone" not in done.stdout
    assert "sealed rows checked: every one is as the log says that it was sealed." in done.stdout
    done = at_console("audit", "verify", "--checkpoint", kept, "--since")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"2 entries checked, those after the first {number}: every one")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE audit_entry SET actor_role = 'x' WHERE seq = 40", "entry 40 is not as it was"),
        # What can no longer be read as an id or a moment is named like any other change.
        ("UPDATE audit_entry SET id = 'nobody' WHERE seq = 40", "entry 40 is not as it was"),
        *(
            (
                f"UPDATE audit_entry SET {changed} WHERE seq = 40",
                "entry 40 is not as it was written",
            )
            for changed in (
                "occurred_at = 'once'",
                "occurred_at = ''",
                "occurred_at = 7",
                "occurred_at = x'00ff'",
                "actor_id = 'nobody'",
                "subject_id = x''",
                "outcome = x'00ff'",
                "outcome = cast(x'ff' as text)",
                "rows = 7",
                "detail = 'text'",
                "leaf_hash = 1000000000000",
            )
        ),
        ("UPDATE audit_entry SET leaf_index = 'x' WHERE seq = 40", "entries are missing"),
        ("DELETE FROM audit_entry WHERE seq = 40", "entries are missing"),
        ("DELETE FROM audit_tile WHERE level = 1", "the stored tree is not that"),
        ("UPDATE audit_checkpoint SET note = 'x'", "this is no checkpoint of a log"),
    ],
)
def test_what_was_changed_is_found(at_console, signed, change, found):
    tamper(signed, change)
    done = at_console("audit", "verify")
    assert (done.exit_code, done.stderr) == (1, "")
    findings = [line for line in done.stdout.splitlines() if line.startswith("FOUND: ")]
    assert found in findings[0]
    assert "every one" not in done.stdout


EDITED = "UPDATE audit_entry SET actor_role = 'x'{} WHERE seq = {}"
FORGED = EDITED.format(", leaf_hash = zeroblob(32)", "{}")


@pytest.mark.parametrize(
    ("edited", "fits"),
    [
        # The hashes are those that were signed, so that the one entry alone is wrong.
        (EDITED.format("", 40), "newest"),
        (EDITED.format("", "(SELECT max(seq) FROM audit_entry)"), "newest"),
        # From a changed hash on no checkpoint fits any more.
        (FORGED.format("(SELECT max(seq) FROM audit_entry)"), "first"),
        (FORGED.format(40), "none"),
        # What is missing ends the check before the first of them.
        ("DELETE FROM audit_entry WHERE seq = 30", "none"),
        ("DELETE FROM audit_checkpoint", "missing"),
    ],
)
def test_of_an_altered_log_it_is_said_which_checkpoint_is_the_last_that_fits(
    at_console, sign, signed, edited, fits
):
    at_console("audit", "prove", "1")
    sign()
    sizes = [size for (size,) in ask(signed, "SELECT size FROM audit_checkpoint ORDER BY size")]
    assert len(sizes) == 2
    tamper(signed, edited, EDITED.format("", 40))
    told = at_console("audit", "verify").stdout
    assert "No signed checkpoint fits." not in told
    first, newest = (f"{size:,}".replace(",", " ") for size in sizes)
    last = "The last checkpoint that fits is that of 20"
    if fits == "newest":
        assert last in told
        assert f"the hashes of the first {newest} entries are those that were signed" in told
    elif fits == "first":
        assert last in told
        assert f"the hashes of the first {first} entries are those that were signed" in told
    elif fits == "none":
        assert "No signed checkpoint fits, not even the first one." in told
    else:
        assert "There is no signed checkpoint to hold the log against." in told


def test_an_entry_that_was_removed_before_anybody_signed_shows_on_a_kept_checkpoint_alone(
    at_console, sign, signed, kept
):
    """Everything is made anew, so that the database contradicts itself nowhere."""
    tamper(
        signed,
        "DELETE FROM audit_entry WHERE seq = 40",
        "UPDATE audit_entry SET leaf_index = NULL",
        "DELETE FROM audit_tile",
        "DELETE FROM audit_sight",
        "DELETE FROM audit_checkpoint",
    )
    for file in (signed / "checkpoints").iterdir():
        file.unlink()
    sign()
    assert at_console("audit", "verify").exit_code == 0
    done = at_console("audit", "verify", "--checkpoint", kept)
    assert done.exit_code == 1
    assert "FOUND: " in done.stdout
    assert "the checkpoint that you kept covers" in done.stdout


@pytest.mark.parametrize("which", ["all of them", "the one that was kept"])
def test_checkpoints_that_were_removed_are_missed_by_whoever_kept_one(
    at_console, sign, signed, kept, which
):
    at_console("audit", "prove", "1")
    sign()
    oldest = "(SELECT min(size) FROM audit_checkpoint)"
    where = "" if which == "all of them" else f" WHERE size = {oldest}"
    tamper(signed, f"DELETE FROM audit_checkpoint{where}")
    # The second place holds the newest alone of each day.
    assert at_console("audit", "verify").exit_code == (1 if which == "all of them" else 0)
    for more in ([], ["--since"]):
        done = at_console("audit", "verify", "--checkpoint", kept, *more)
        assert done.exit_code == 1
        assert "FOUND: the checkpoint that you kept, at " in done.stdout
        assert "entries, is not in the database: it was removed" in done.stdout
        assert "every one" not in done.stdout
        assert "Nothing is signed yet" not in done.stdout


def test_sealed_rows_that_were_changed_are_found(at_console, signed):
    ask(signed, "UPDATE sealed_compartment SET sealed = x'00' WHERE rowid = 1")
    assert at_console("audit", "verify").exit_code == 0
    done = at_console("audit", "verify", "--rows")
    assert done.exit_code == 1
    assert "FOUND: 1 row is not what the log says was sealed; the first: " in done.stdout
    ask(signed, "UPDATE sealed_compartment SET sealed = x'00' WHERE rowid = 2")
    done = at_console("audit", "verify", "--rows")
    assert "FOUND: 2 rows are not what the log says was sealed; the first: " in done.stdout


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("nothing of the kind\n", 2, "nrm: this is no checkpoint of a log\n"),
        (b"\xff", 2, "nrm: kept.checkpoint is no text, as checkpoints are\n"),
        (None, 2, "nrm: kept.checkpoint cannot be opened: No such file or directory\n"),
        (bundles.note(bundles.entries(3)), 1, "nrm: what you kept is of another log: "),
    ],
)
def test_a_checkpoint_that_does_not_belong_here(at_console, kept, content, code, said):
    kept.unlink()
    if content is not None:
        kept.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = at_console("audit", "verify", "--checkpoint", kept)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith(said)


@pytest.fixture
def root(kept):
    """Give the three lines that say what the log was: its name, the number of entries, the root."""
    return kept.read_text().split()[:3]


def test_a_root_is_held_against_the_log_in_the_words_of_whoever_has_it(at_console, root):
    at_console("audit", "prove", "1")
    origin, size, line = root
    groups = bundles.read_checkpoint(at_console("audit", "checkpoint").stdout).root.hex(" ", 2)
    number = f"{int(size):,}".replace(",", " ")
    for typed in ([size, line], [f"{size} {line}"], [origin, size, line], [size, *groups.split()]):
        done = at_console("audit", "verify", "--root", *typed)
        assert (done.exit_code, done.stderr) == (0, ""), typed
        assert f"The first {number} have the root hash that you kept.\n" in done.stdout
        # The second place is held against it all the same.
        assert "are those of the checkpoint that you kept.\n" in done.stdout
    done = at_console("audit", "verify", "--since", "--root", size, line, "--rows")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"2 entries checked, those after the first {number}: every one")
    assert "sealed rows checked: every one" in done.stdout


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["SIZE"], "after the number of entries come the 64 digits of the root hash, or its line"),
        (["LINE"], "the root hash comes after the number of entries"),
        (["SIZE", "7074", "7a95"], "after the number of entries come the 64 digits of the root"),
        (["0", "LINE"], "the root hash of 0 entries says nothing of a log"),
        (["-1", "LINE"], "the root hash comes after the number of entries"),
        (["", "LINE"], "the root hash comes after the number of entries"),
        (["nrm.log/another", "SIZE", "LINE"], "what you kept is of another log: nrm.log/another"),
    ],
)
def test_what_is_no_root_of_this_log_is_said_in_one_line(at_console, root, typed, said):
    words = {"SIZE": root[1], "LINE": root[2]}
    done = at_console("audit", "verify", "--root", *(words.get(word, word) for word in typed))
    assert (done.exit_code, done.stdout) == (1 if "another" in said else 2, "")
    assert (done.stderr.startswith(f"nrm: {said}"), done.stderr.count("\n")) == (True, 1)


def test_a_root_hash_needs_to_be_told_from_other_words(at_console, signed, root):
    del signed
    for words in (root[2:], root[1:]):
        done = at_console("audit", "verify", *words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "a root hash needs --root, and the number of entries" in done.stderr


def test_a_root_that_is_not_of_this_log_or_covers_more_is_found(at_console, signed, root):
    del signed
    _, size, line = root
    other = bundles.checkpoint(bundles.entries(3)).root.hex()
    done = at_console("audit", "verify", "--root", size, other)
    assert done.exit_code == 1
    (found,) = [one for one in done.stdout.splitlines() if one.startswith("FOUND: ")]
    assert found.startswith("FOUND: the log is not that of the root hash that you kept: among the ")
    assert "or that is the root hash of another log" in found
    assert "\nCompare the root hash and the number of entries with where you have" in done.stdout
    assert "checkpoint fits" not in done.stdout
    assert "that you kept.\n" not in done.stdout
    done = at_console("audit", "verify", "--root", f"{size}0", line)
    assert done.exit_code == 1
    (found,) = [one for one in done.stdout.splitlines() if one.startswith("FOUND: ")]
    assert f"the root hash that you kept covers {size}0 entries, and the log has {size}: " in found


def test_an_altered_log_is_found_by_a_root_alone(at_console, sign, signed, root):
    """Everything is made anew, and the second place is emptied as well."""
    at_console("audit", "prove", "1")
    tamper(
        signed,
        "DELETE FROM audit_entry WHERE seq = 40",
        "UPDATE audit_entry SET leaf_index = NULL",
        *(f"DELETE FROM audit_{table}" for table in ("tile", "sight", "checkpoint")),
    )
    for file in (signed / "checkpoints").iterdir():
        file.unlink()
    sign()
    assert at_console("audit", "verify").exit_code == 0
    for more in ([], ["--since"]):
        done = at_console("audit", "verify", *more, "--root", *root[1:])
        assert done.exit_code == 1
        assert "FOUND: the log is not that of the root hash that you kept: among" in done.stdout


def test_a_checkpoint_that_was_changed_on_the_way_accuses_nobody(at_console, kept):
    text = kept.read_text()
    kept.write_text(text.replace("time 20", "time 19"))
    done = at_console("audit", "verify", "--checkpoint", kept)
    assert done.exit_code == 1
    assert "under the checkpoint is not genuine" in done.stderr


def test_a_key_that_does_not_belong_here(at_console, signed, key):
    del signed
    assert at_console("audit", "verify", "--key", "x").exit_code == 2
    changed = at_console("audit", "verify", "--key", key.replace("nrm.log/", "nrm.log/0"))
    assert (changed.exit_code, changed.stdout) == (2, "")
    other = str(bundles.verifier_key(read_key(key).name, bundles.OTHER_SEED))
    done = at_console("audit", "verify", "--key", other)
    assert done.exit_code == 1
    assert "did not sign this checkpoint with the key that was given" in done.stdout
    done = at_console("audit", "verify", "--since")
    assert done.exit_code == 2
    assert "--since needs --checkpoint or --root" in done.stderr


# Taking home.


def test_a_bundle_is_taken_home_and_checked_there(at_console, signed, kept, key, tmp_path):
    size, file = count(signed), tmp_path / "log.bundle"
    done = at_console("audit", "export", file)
    assert done.exit_code == 0, done.stderr
    assert f"are in {file}, signed on 20" in done.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))
    older = bundles.read_checkpoint(kept.read_text())
    told = verify_file(file, Trusted(keys=(read_key(key),), older=older))
    assert told.startswith(f"All {size} entries of {older.origin} are as they were signed.\n")
    # It leaves the database, so the log says so before and after.
    assert exports(signed) == [("begun", "none"), ("done", "entry")]

    before = file.read_bytes()
    done = at_console("audit", "export", file)
    assert done.stderr == "nrm: log.bundle is there already, and is not overwritten\n"
    assert file.read_bytes() == before


def test_a_bundle_is_there_whole_or_not_at_all(at_console, signed, tmp_path, monkeypatch):
    tamper(signed, "DELETE FROM audit_entry WHERE leaf_index = 40")
    file = tmp_path / "log.bundle"
    done = at_console("audit", "export", file)
    assert done.exit_code == 1
    assert "an entry is missing or cannot be read: run nrm audit verify" in done.stderr
    assert list(tmp_path.glob("log.bundle*")) == []
    assert exports(signed) == [("begun", "none"), ("failed", "entry")]

    tamper(signed, "UPDATE audit_entry SET occurred_at = 'once' WHERE leaf_index = 7")
    monkeypatch.setattr(log_bundle, "BATCH", 20)
    done = at_console("audit", "export", file)
    assert "nrm: after place 0 an entry is missing or cannot be read" in done.stderr
    nowhere = at_console("audit", "export", tmp_path / "nowhere" / "log.bundle")
    wanted = tmp_path / "nowhere" / "log.bundle"
    assert nowhere.stderr == f"nrm: No such file or directory: {wanted}\n"


@pytest.mark.parametrize("command", ["nrm audit verify --rows", "nrm audit key --help"])
def test_whoever_stops_reading_ends_a_command_without_a_word(signed, command):
    """As any program of Unix ends whose reader has gone away."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "nrm.cli", *command.split()[1:]],
        env=environment(signed),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_bundle_grows_in_batches(at_console, signed, tmp_path, monkeypatch):
    at_console("audit", "export", tmp_path / "one")
    monkeypatch.setattr(log_bundle, "BATCH", 17)
    at_console("audit", "export", tmp_path / "two")
    assert count(signed) > 50
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_one_entry_is_proved_by_its_number_or_its_id(at_console, signed, key, tmp_path):
    seq, entry_id = newest(signed)
    by_number = at_console("audit", "prove", seq)
    file = tmp_path / "one.proof"
    by_id = at_console("audit", "prove", entry_id, "--output", file)
    assert (by_number.exit_code, by_id.exit_code, by_id.stdout) == (0, 0, "")
    assert file.read_text() == by_number.stdout
    told = verify_file(file, Trusted(keys=(read_key(key),)))
    assert told.startswith("This entry is number ")
    assert f"  id: {entry_id[:8]}-" in told
    assert exports(signed) == [("begun", "entry"), ("done", "entry")] * 2
    again = at_console("audit", "prove", seq, "--output", file)
    assert again.stderr.startswith("nrm: File exists")


def test_what_cannot_be_proved_is_said_in_one_line(at_console, signed):
    for unknown in ("0", "99999999", "9" * 30, "x", "00000000-0000-0000-0000-000000000000"):
        done = at_console("audit", "prove", unknown)
        assert (done.exit_code, done.stderr) == (1, f"nrm: there is no entry {unknown}\n")
    at_console("audit", "prove", "1")
    seq, _ = newest(signed)
    done = at_console("audit", "prove", seq)
    assert done.stderr == (
        f"nrm: entry {seq} is not in the tree yet: the next nrm tick puts it in\n"
    )
    tamper(signed, f"UPDATE audit_entry SET leaf_index = 999999 WHERE seq = {seq}")
    done = at_console("audit", "prove", seq)
    assert done.stderr == f"nrm: no checkpoint covers entry {seq} yet: the next one will\n"
    tamper(signed, "UPDATE audit_entry SET leaf_hash = zeroblob(32) WHERE seq = 40")
    done = at_console("audit", "prove", "40")
    assert done.stderr == "nrm: entry 40 is not what was signed: run nrm audit verify\n"
    tamper(signed, "DELETE FROM audit_tile WHERE level = 0 AND position = 0")
    done = at_console("audit", "prove", "41")
    assert done.stderr == "nrm: the stored tree has a gap: run nrm audit verify\n"


def test_the_key_and_the_newest_checkpoint(at_console, signed, key):
    done = at_console("audit", "key")
    assert read_key(done.stdout).name == read_key(key).name
    assert "Publish it" in done.stderr
    done = at_console("audit", "checkpoint")
    checkpoint = bundles.read_checkpoint(done.stdout)
    assert checkpoint.size == count(signed)
    (file,) = (signed / "checkpoints").iterdir()
    assert done.stdout == file.read_text()
