"""Checkpoints and witnesses: what is signed, what is cosigned, and what a witness never signs."""

import shutil
from datetime import timedelta

import pytest

from nrm.audit import witness
from nrm.audit.checkpoint import cosign, request, signed, verifier_key, witness_key
from nrm.audit.verify import (
    NotAsSignedError,
    UnreadableError,
    check,
    read_checkpoint,
    read_key,
    read_signature,
)
from tests import bundles
from tests.bundles import KEY, NOON, OTHER_SEED, SEED, WITNESS, WITNESS_SEED

LOG = bundles.entries(9)
RENEWED = verifier_key(KEY.name, OTHER_SEED)


# The log signs.


def test_the_form_of_a_checkpoint_never_changes():
    note = signed("nrm.log/one", 3, b"\x01" * 32, NOON, SEED)
    body, signature, end = note.split("\n\n")[0], note.split("\n\n")[1][:-1], note[-1]
    assert body == (
        "nrm.log/one\n3\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\ntime 2026-11-24T12:00:00Z"
    )
    assert signature.startswith("\N{EM DASH} nrm.log/one ")
    assert end == "\n"
    assert str(read_checkpoint(note)) == note
    check(read_checkpoint(note), verifier_key("nrm.log/one", SEED))


def test_a_key_is_written_as_signed_notes_write_it():
    # The example of golang.org/x/mod/sumdb/note.
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(read_key(text)) == text
    for key in (KEY, WITNESS):
        assert read_key(str(key)) == key
    for wrong in (text.replace("c74", "c75"), text[:-4], "", "x", str(KEY).replace("+A", "+B")):
        with pytest.raises(UnreadableError):
            read_key(wrong)


def test_a_witness_signs_the_time_and_the_checkpoint():
    checkpoint = read_checkpoint(bundles.cosigned(LOG))
    check(checkpoint, KEY)
    check(checkpoint, WITNESS)
    line = read_signature(bundles.cosigned(LOG).splitlines()[-1])
    assert line.name == WITNESS.name
    assert int.from_bytes(line.signature[:8], "big") == int(NOON.timestamp())
    later = line.signature[7:8] + line.signature[:7] + line.signature[8:]
    with pytest.raises(NotAsSignedError, match="is not genuine"):
        check(checkpoint._replace(signatures=(line._replace(signature=later),)), WITNESS)


# The witness looks first.


def asked(old, new, **chosen):
    path = bundles.tree(new).consistency(len(old))
    return request(len(old), path, bundles.note(new, **chosen))


def answer(text, last=None):
    return cosign(text, KEY, last, WITNESS.name, WITNESS_SEED, NOON)


@pytest.mark.parametrize("old_size", range(1, len(LOG) + 1))
def test_a_log_that_only_grew_is_cosigned(old_size):
    old = LOG[:old_size]
    checkpoint, line = answer(asked(old, LOG), bundles.checkpoint(old))
    assert checkpoint == bundles.checkpoint(LOG)
    check(checkpoint._replace(signatures=(read_signature(line),)), WITNESS)


REWRITTEN = [bundles.entry(77), *LOG[1:]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (asked(LOG[:5], REWRITTEN), "the log is not the one that this witness signed before"),
        (asked(LOG[:5], LOG[::-1]), "the log is not the one that this witness signed before"),
        (asked(LOG[:5], REWRITTEN[:5]), "the log is not the one that this witness signed before"),
        (asked(LOG[:3], LOG[:4]), "had 5: its end was cut off, or this is an older request"),
        (asked(LOG[:5], LOG, origin="nrm.log/another"), "did not sign this checkpoint"),
        (asked(LOG[:5], LOG, seed=OTHER_SEED), "did not sign this checkpoint"),
    ],
)
def test_another_log_than_the_one_before_is_never_cosigned(text, said):
    with pytest.raises(NotAsSignedError, match=said):
        answer(text, bundles.checkpoint(LOG[:5]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is no request to a witness"),
        (bundles.note(LOG), "this is no request to a witness"),
        (asked(LOG[:5], LOG).replace("old 5", "old five"), "the request says no beginning"),
        (asked(LOG[:5], LOG).replace("old 5\n", "old 5\nx\n"), "a hash of the proof cannot be"),
        (asked(LOG[:4], LOG), "begins at 4 entries and this witness last signed 5"),
    ],
)
def test_a_request_that_is_none_is_refused(text, said):
    with pytest.raises(UnreadableError, match=said):
        answer(text, bundles.checkpoint(LOG[:5]))


# ... and remembers.


@pytest.fixture
def folder(tmp_path):
    witness.create(tmp_path / "witness", "court.example")
    return tmp_path / "witness"


def cosigned_by(folder, text, key=None):
    return witness.cosign_request(folder, text, key, NOON + timedelta(hours=1))


def kept(folder):
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_a_witness_makes_its_key_once_and_for_itself_alone(tmp_path):
    key = witness.create(tmp_path / "new", "court.example")
    file = tmp_path / "new" / "witness.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert file.read_text().startswith(f"PRIVATE+KEY+court.example+{key.fingerprint.hex()}+")
    assert read_key(str(key)) == key
    with pytest.raises(FileExistsError):
        witness.create(tmp_path / "new", "court.example")


@pytest.mark.parametrize("name", ["", "the court", "a+b", "a\nb", "\x1b[2J"])
def test_a_witness_has_a_name_that_a_signature_line_can_hold(tmp_path, name):
    with pytest.raises(UnreadableError, match="no spaces and no plus sign"):
        witness.create(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_a_witness_remembers_what_it_signed_and_by_which_key(folder):
    with pytest.raises(UnreadableError, match="say the log's key with --log the first time"):
        cosigned_by(folder, asked([], LOG[:5]))
    assert cosigned_by(folder, asked([], LOG[:5]), KEY).checkpoint.size == 5
    remembered = kept(folder)
    assert remembered["log.key"] == f"{KEY}\n"
    assert remembered["last.checkpoint"] == bundles.note(LOG[:5])
    # Whatever is refused changes nothing, and what was signed may be signed again.
    for text in (asked(LOG[:5], REWRITTEN), asked([], LOG[:4]), asked(LOG[:3], LOG)):
        with pytest.raises((NotAsSignedError, UnreadableError)):
            cosigned_by(folder, text)
        assert kept(folder) == remembered
    assert cosigned_by(folder, asked(LOG[:5], LOG[:5])).checkpoint.size == 5
    assert cosigned_by(folder, asked(LOG[:5], LOG)).checkpoint.size == 9


def test_a_renewed_key_is_taken_up_while_both_sign(folder):
    cosigned_by(folder, asked([], LOG[:5]), KEY)
    new_alone = asked(LOG[:5], LOG, seed=OTHER_SEED)
    with pytest.raises(NotAsSignedError, match="did not sign"):
        cosigned_by(folder, new_alone, RENEWED)
    with pytest.raises(NotAsSignedError, match="did not sign"):
        cosigned_by(folder, asked(LOG[:5], LOG), RENEWED)
    assert kept(folder)["log.key"] == f"{KEY}\n"
    both = bundles.note(LOG) + bundles.note(LOG, seed=OTHER_SEED).splitlines()[-1] + "\n"
    path = bundles.tree(LOG).consistency(5)
    cosigned_by(folder, request(5, path, both), RENEWED)
    assert kept(folder)["log.key"] == f"{RENEWED}\n"


def test_a_witness_that_has_forgotten_signs_nothing(folder):
    cosigned_by(folder, asked([], LOG[:5]), KEY)
    (folder / "last.checkpoint").unlink()
    with pytest.raises(UnreadableError, match=r"last.checkpoint is gone: put it back"):
        cosigned_by(folder, asked([], REWRITTEN))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("witness.key", "PRIVATE+KEY+x", "witness.key is no key of a witness"),
        ("witness.key", "PRIVATE+KEY+court.example+00000000+BAAA", "is no key of a witness"),
        ("log.key", "nothing", "log.key is no key of a log"),
        ("last.checkpoint", "nothing", "this is no checkpoint of a log"),
    ],
)
def test_a_damaged_folder_signs_nothing(folder, name, content, said):
    cosigned_by(folder, asked([], LOG[:5]), KEY)
    (folder / name).write_text(content)
    with pytest.raises(UnreadableError, match=said):
        cosigned_by(folder, asked(LOG[:5], LOG))


def test_a_key_that_others_can_read_signs_nothing(folder):
    (folder / "witness.key").chmod(0o640)
    with pytest.raises(UnreadableError, match="can be read by others"):
        cosigned_by(folder, asked([], LOG), KEY)


def test_no_folder_no_signature(tmp_path, folder):
    with pytest.raises(UnreadableError, match=r"there is no witness\.key in this folder"):
        cosigned_by(tmp_path / "nowhere", asked([], LOG), KEY)
    with pytest.raises(UnreadableError, match="this is the key of a witness"):
        cosigned_by(folder, asked([], LOG), WITNESS)


def test_a_signature_leaves_only_after_it_is_remembered(folder, monkeypatch):
    """Killed at any moment, a witness has signed at most what its folder says."""
    cosigned_by(folder, asked([], LOG[:5]), KEY)
    spare = shutil.copytree(folder, folder.with_name("spare"))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(witness.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        cosigned_by(folder, asked(LOG[:5], LOG))
    monkeypatch.undo()
    assert kept(folder)["last.checkpoint"] == kept(spare)["last.checkpoint"]
    assert cosigned_by(folder, asked(LOG[:5], LOG)).checkpoint.size == 9


def test_two_witnesses_sign_under_their_own_names():
    other = witness_key("ombudsman.example", OTHER_SEED)
    _, line = cosign(asked([], LOG), KEY, None, other.name, OTHER_SEED, NOON)
    both = read_checkpoint(bundles.cosigned(LOG) + line + "\n")
    check(both, WITNESS)
    check(both, other)
