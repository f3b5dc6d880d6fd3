import base64
import json
import stat
from pathlib import Path

import pytest

from nrm.security import passphrase as passphrases
from nrm.security.keyfile import (
    Holder,
    KeyFileError,
    PassphraseNeededError,
    create_key_file,
    protect_key_file,
    read_key,
    read_key_file,
)

PASSPHRASE = "a calm lake in the hills"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def web_file(folder):
    return create_key_file(folder / "web.key", Holder.WEB)


@pytest.fixture
def cheap(monkeypatch):
    """Let a passphrase cost little; one test below looks at what it costs in earnest."""
    monkeypatch.setattr(passphrases, "_MADE_WITH", {"memory": 64, "passes": 1, "lanes": 1})


@pytest.fixture
def protected(folder, web_file, cheap):
    """Give the path of a key file with a passphrase."""
    del web_file, cheap
    protect_key_file(folder / "web.key", "", PASSPHRASE)
    return folder / "web.key"


def refusal(path, passphrase=""):
    """Return why a key file is refused, after checking that it says so in one plain line."""
    with pytest.raises(KeyFileError) as refused:
        read_key_file(path, passphrase)
    message = str(refused.value)
    assert "\n" not in message
    # The cause is cut off too: its text could quote the file.
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return message


def test_a_key_file_is_for_its_owner_alone(folder, web_file):
    assert web_file.holder is Holder.WEB
    assert stat.S_IMODE((folder / "web.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_key_file_reads_back(folder, web_file):
    again = read_key_file(folder / "web.key")
    assert (again.holder, again.public) == (web_file.holder, web_file.public)
    # X25519 is 32 bytes, ML-KEM-768 is 1,184.
    assert len(web_file.public) == 1184 + 32


def test_a_key_file_is_never_overwritten(folder, web_file):
    before = (folder / "web.key").read_bytes()
    with pytest.raises(FileExistsError):
        create_key_file(folder / "web.key", Holder.WEB)
    assert (folder / "web.key").read_bytes() == before
    assert read_key_file(folder / "web.key").public == web_file.public


def test_two_key_files_have_nothing_in_common(folder, web_file):
    assert create_key_file(folder / "other.key", Holder.WEB).public != web_file.public


@pytest.mark.usefixtures("web_file")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666, 0o610, 0o601, 0o777])
def test_a_key_file_that_others_can_use_is_refused(folder, mode):
    (folder / "web.key").chmod(mode)
    assert refusal(folder / "web.key") == "key file web.key can be read by others: chmod 600 it"


@pytest.mark.usefixtures("web_file")
def test_a_key_file_may_be_read_only(folder):
    (folder / "web.key").chmod(0o400)
    assert read_key_file(folder / "web.key").holder is Holder.WEB


def test_a_missing_key_file_is_missing(folder):
    assert refusal(folder / "web.key") == "key file web.key is missing"


@pytest.mark.usefixtures("web_file")
def test_a_key_file_that_this_user_cannot_read_is_refused(folder, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", refuse)
    assert refusal(folder / "web.key") == "key file web.key cannot be read by this user"


@pytest.mark.usefixtures("web_file")
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda _: "SECRET",
        lambda _: "null",
        lambda _: "[]",
        lambda _: '"SECRET"',
        lambda _: "17",
        lambda _: "{}",
        lambda file: json.dumps({**file, "holder": "SECRET"}),
        lambda file: json.dumps({**file, "holder": None}),
        lambda file: json.dumps({**file, "x25519": "SECRET?"}),
        lambda file: json.dumps({**file, "x25519": 17}),
        lambda file: json.dumps({**file, "x25519": base64.b64encode(bytes(31)).decode()}),
        lambda file: json.dumps({**file, "mlkem768": ""}),
        lambda file: json.dumps({**file, "mlkem768": base64.b64encode(bytes(63)).decode()}),
        lambda file: json.dumps({name: file[name] for name in ("format", "holder", "x25519")}),
        lambda file: json.dumps(file)[:-20],
    ],
)
def test_a_damaged_key_file_is_refused_without_quoting_it(folder, damage):
    path = folder / "web.key"
    secret = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(damage(secret), encoding="utf-8")
    message = refusal(path)
    assert message == "key file web.key is not a key file of this program"
    assert "SECRET" not in message


@pytest.mark.usefixtures("web_file")
def test_a_key_file_of_other_bytes_is_refused(folder):
    (folder / "web.key").write_bytes(b"\xff\xfe\x00SECRET")
    assert refusal(folder / "web.key") == "key file web.key is not a key file of this program"


# The same from the environment.


def test_the_environment_can_bring_a_key_files_content(folder, web_file):
    content = (folder / "web.key").read_text(encoding="utf-8")
    assert read_key(content).public == web_file.public
    for wrong in ("SECRET", content[:-20], "{}"):
        with pytest.raises(KeyFileError) as refused:
            read_key(wrong)
        assert str(refused.value) == "key file in NRM_KEY is not a key file of this program"


# With a passphrase.


def test_a_protected_key_file_opens_with_its_passphrase_alone(protected, web_file):
    sealed = web_file.wrap(b"a master key", b"bound")
    assert read_key_file(protected, PASSPHRASE).unwrap(sealed, b"bound") == b"a master key"
    assert read_key(protected.read_text(encoding="utf-8"), PASSPHRASE).public == web_file.public
    for other in (PASSPHRASE.upper(), PASSPHRASE + " ", "x"):
        assert refusal(protected, other) == "the passphrase of key file web.key is another one"


def test_a_passphrase_that_nobody_said_is_asked_for(protected):
    with pytest.raises(PassphraseNeededError) as refused:
        read_key_file(protected)
    line = "key file web.key has a passphrase: say it in NRM_KEY_PASSPHRASE"
    assert str(refused.value) == line


@pytest.mark.usefixtures("web_file", "cheap")
def test_a_protected_key_file_holds_no_secret_in_clear(folder):
    path = folder / "web.key"
    clear = json.loads(path.read_text(encoding="utf-8"))
    protect_key_file(path, "", PASSPHRASE)
    text = path.read_text(encoding="utf-8")
    assert set(json.loads(text)) == {"format", "holder", "argon2id", "sealed"}
    assert clear["mlkem768"] not in text
    assert clear["x25519"] not in text
    assert PASSPHRASE not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["web.key"]


def test_a_passphrase_is_changed_and_taken_away(protected, web_file):
    protect_key_file(protected, PASSPHRASE, "another lake in the hills")
    assert refusal(protected, PASSPHRASE) == "the passphrase of key file web.key is another one"
    protect_key_file(protected, "another lake in the hills", "")
    assert read_key_file(protected).public == web_file.public


def test_a_wrong_passphrase_changes_nothing(protected):
    before = protected.read_bytes()
    with pytest.raises(KeyFileError):
        protect_key_file(protected, "something else", "another lake in the hills")
    assert protected.read_bytes() == before


def test_a_run_that_was_killed_leaves_the_file_and_hinders_no_later_run(protected, web_file):
    left_behind = protected.with_name(".web.key.new")
    left_behind.write_text("half of a", encoding="utf-8")
    protect_key_file(protected, PASSPHRASE, "")
    assert read_key_file(protected).public == web_file.public
    assert not left_behind.exists()


@pytest.mark.usefixtures("cheap")
def test_one_passphrase_typed_on_two_keyboards_is_one(folder, web_file):
    path = folder / "web.key"
    protect_key_file(path, "", "h\u00e9lo\u00efse aux collines")
    assert read_key_file(path, "he\u0301loi\u0308se aux collines").public == web_file.public


@pytest.mark.usefixtures("web_file")
def test_a_passphrase_costs_a_guesser_64_mebibytes_and_three_passes(folder):
    path = folder / "web.key"
    protect_key_file(path, "", PASSPHRASE)
    parameters = json.loads(path.read_text(encoding="utf-8"))["argon2id"]
    salt = base64.b64decode(parameters.pop("salt"))
    assert len(salt) == 16
    assert parameters == {"memory": 65536, "passes": 3, "lanes": 1}
    assert read_key_file(path, PASSPHRASE).holder is Holder.WEB


def altered(file, **parameters):
    return json.dumps({**file, "argon2id": {**file["argon2id"], **parameters}})


WRONG, FOREIGN = "the passphrase of key file", "is not a key file of this program"


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        # Whatever stands beside the sealed part is bound to it.
        (lambda file: json.dumps({**file, "holder": "statistics"}), WRONG),
        (lambda file: altered(file, passes=2), WRONG),
        (lambda file: altered(file, memory=128), WRONG),
        (lambda file: altered(file, salt=base64.b64encode(bytes(16)).decode()), WRONG),
        (lambda file: json.dumps({**file, "sealed": ""}), FOREIGN),
        # No file makes this program work without end, or take all memory.
        (lambda file: altered(file, memory=2**30), FOREIGN),
        (lambda file: altered(file, passes=10**6), FOREIGN),
        (lambda file: altered(file, lanes=0), FOREIGN),
        (lambda file: altered(file, lanes=1.0), FOREIGN),
        (lambda file: altered(file, memory="64"), FOREIGN),
        (lambda file: altered(file, salt="short"), FOREIGN),
        (lambda file: json.dumps({**file, "argon2id": None}), FOREIGN),
        (lambda file: json.dumps({**file, "sealed": 17}), FOREIGN),
    ],
)
def test_an_altered_protected_key_file_opens_nothing(protected, damage, line):
    file = json.loads(protected.read_text(encoding="utf-8"))
    protected.write_text(damage(file), encoding="utf-8")
    message = refusal(protected, PASSPHRASE)
    assert line in message
    assert PASSPHRASE not in message


def test_every_cut_of_the_sealed_part_is_refused(protected):
    file = json.loads(protected.read_text(encoding="utf-8"))
    sealed = base64.b64decode(file["sealed"])
    for length in range(0, len(sealed), 7):
        cut = {**file, "sealed": base64.b64encode(sealed[:length]).decode()}
        protected.write_text(json.dumps(cut), encoding="utf-8")
        assert refusal(protected, PASSPHRASE)
