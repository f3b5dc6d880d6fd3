"""Keys that were lost, sheets that were misread, and passphrases: from the console."""

import os
import re
import shutil
import sqlite3
import stat

import pytest
from click.testing import CliRunner

from config import Settings
from nrm.cli import main
from nrm.cli.demo import _remove
from nrm.security import passphrase as passphrases
from nrm.security.recovery import new_sheets
from tests.cli.conftest import checked_refusal, environment

PASSPHRASE = "a calm lake in the hills"
OTHER = new_sheets().words


@pytest.fixture
def run(instance):
    """Run a command in this process, which is quicker than in one of its own."""

    def invoke(*arguments, stdin="", **chosen):
        env = environment(instance, **chosen)
        # What this machine decides about the program is left out, and not only added to.
        gone = {name: None for name in os.environ if name not in env}
        return CliRunner().invoke(main, arguments, input=stdin, env={**env, **gone})

    return invoke


@pytest.fixture
def done(run):
    """Run a command that must succeed, and give what it says."""

    def invoke(*arguments, **given):
        result = run(*arguments, **given)
        assert result.exit_code == 0, result.output
        return result.stdout

    return invoke


@pytest.fixture
def refused(run):
    """Run a command that must refuse, and give the one line that says why."""

    def invoke(*arguments, **given):
        result = run(*arguments, **given)
        return checked_refusal(result.exit_code, result.stderr).removeprefix("nrm: ").rstrip("\n")

    return invoke


@pytest.fixture
def words(done, installed):
    """Read the words from the sheets, once `nrm init` has given an older installation its own."""
    done("init")
    return read_sheets(installed)


@pytest.fixture
def cheap(monkeypatch):
    monkeypatch.setattr(passphrases, "_MADE_WITH", {"memory": 64, "passes": 1, "lanes": 1})


def read_sheets(instance):
    sheets = sorted((instance / "keys" / "recovery").glob("custodian-*.html"))
    pages = [sheet.read_text(encoding="utf-8") for sheet in sheets]
    return [" ".join(re.findall(r"<li>([a-z]+)</li>", page)) for page in pages]


def lines(*sheets):
    return "".join(f"{sheet}\n" for sheet in sheets)


def log(instance):
    with sqlite3.connect(instance / "nrm.sqlite3") as database:
        return [row[0] for row in database.execute("SELECT action FROM audit_entry ORDER BY seq")]


# The sheets.


def test_init_gives_an_older_installation_its_sheets(done, installed):
    assert "Recovery sheets: made, with the mark " in done("init")
    assert log(installed)[-1] == "key:share"
    again = done("init")
    assert "Recovery sheets: there already, with the mark " in again
    # Said for as long as they lie there.
    assert "then destroy the files" in again
    shutil.rmtree(installed / "keys" / "recovery")
    assert "then destroy the files" not in done("init")
    assert log(installed).count("key:share") == 1


def test_each_sheet_is_whole_and_for_its_owner_alone(words, done, installed):
    folder = installed / "keys" / "recovery"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    mark = re.search(r"with the mark (\w{8})\.", done("init"))[1]
    for number in (1, 2, 3):
        sheet = folder / f"custodian-{number}.html"
        assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
        page = sheet.read_text(encoding="utf-8")
        assert f"<h1>Recovery sheet {number} of 3</h1>" in page
        assert f"<strong>{mark}</strong>" in page
        assert "nrm key drill" in page
        assert "nrm key recover" in page
        assert "$" not in page
        # It is printed from wherever it lies, and asks nobody for anything.
        assert not re.search(r"(?:src|href)=|@import|url\(|https?:", page)
        assert " ".join(words[number - 1].split()[4:7]) not in page.split("</ol>")[1]


def test_no_sheets_are_made_that_could_not_bring_every_key_back(refused, done, installed):
    statistics = installed / "keys" / "statistics.key"
    statistics.rename(installed / "statistics.key")
    assert re.fullmatch(r"the statistics key \d opens only with statistics.key", refused("init"))
    assert not (installed / "keys" / "recovery").exists()
    assert "key:share" not in log(installed)
    (installed / "statistics.key").rename(statistics)
    assert "Recovery sheets: made" in done("init")


def test_the_words_are_in_no_page_of_the_database(words, installed):
    stored = b"".join(file.read_bytes() for file in installed.glob("nrm.sqlite3*"))
    assert all(" ".join(sheet.split()[:2]).encode() not in stored for sheet in words)


# Lost, and back.


def test_a_lost_key_folder_comes_back(done, refused, start, answers, practice_instance):
    done("init")
    sheets = read_sheets(practice_instance)
    keys = practice_instance / "keys"
    shutil.rmtree(keys)
    assert refused("tick") == "key file web.key is missing"
    recover = ("key", "recover", "--into", str(keys), "--words-stdin")
    back = done(*recover, stdin=lines(*sheets[1:]))
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()} == {
        "web.key": 0o600,
        "statistics.key": 0o600,
        "signer.key": 0o600,
    }
    start("serve")
    assert '"keys":"ok"' in answers()
    drill = done("key", "drill", "--words-stdin", stdin=lines(sheets[2], sheets[0]))
    tried = re.search(r"every key of a case that was tried: (\d+) of (\d+)\.", drill)
    assert tried[1] == tried[2]
    assert int(tried[1]) > 80
    assert log(practice_instance)[-2:] == ["key:recover", "key:drill"]
    assert not any(word in back + drill for word in sheets[0].split()[5:10])


def test_a_recovery_asks_for_the_words_until_they_fit(done, words, installed):
    shutil.rmtree(installed / "keys")
    slip = words[0].replace(words[0].split()[9], "qqqq", 1)
    typed = lines(slip, words[0], words[2].upper())
    told = done("key", "recover", "--into", str(installed / "keys"), stdin=typed)
    assert "The sheets of two custodians with the mark" in told
    assert told.count("All words of the first sheet") == 2
    assert told.count("All words of the second sheet") == 1
    assert "master keys are back" in told


def test_a_recovery_says_that_a_file_is_in_the_way_before_anybody_types(refused, words, installed):
    del words
    line = refused("key", "recover", "--into", str(installed / "keys"))
    assert line.endswith("web.key is there already: say another folder, or move it away")


FIT = r"the words of the (first|second) sheet do not fit together: one is another word, or two .*"


@pytest.mark.parametrize("command", [("recover", "--into", "INTO"), ("drill",), ("shares",)])
@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (lambda own: [own[0], own[1].replace(own[1].split()[6], "qqqq", 1)], "word 7 of the sec.*"),
        (lambda own: [own[0], f"academic {own[1].partition(' ')[2]}"], FIT),
        (lambda own: [own[0].rpartition(" ")[0], own[1]], "the first sheet has 32 words: 33 .*"),
        (lambda own: [own[0], own[0]], "the same sheet was typed twice: .*"),
        (lambda own: [own[0], OTHER[1]], "the two sheets are of different sets: .*"),
        (lambda _: OTHER[:2], r"these sheets have the mark \w{8}, and those of this database .*"),
        (lambda own: own[:1], "the words of 2 custodians are needed, one line for each"),
        (lambda own: own[:0], "the words of 2 custodians are needed, one line for each"),
        (lambda own: own[:3], "the words of 2 custodians are needed, one line for each"),
        (lambda _: ["x" * 20_000], "the words of 2 custodians are needed, one line for each"),
    ],
)
def test_wrong_words_are_one_line_and_change_nothing(
    refused, words, installed, command, typed, line
):
    shutil.rmtree(installed / "keys" / "recovery")
    before = log(installed)
    new = installed / "new"
    arguments = [str(new) if word == "INTO" else word for word in command]
    told = refused("key", *arguments, "--words-stdin", stdin=lines(*typed(words)))
    assert re.fullmatch(line, told)
    assert log(installed) == before
    assert not new.exists()
    assert not (installed / "keys" / "recovery").exists()


@pytest.mark.usefixtures("installed")
def test_a_database_without_sheets_says_so(refused):
    line = refused("key", "drill", "--words-stdin", stdin=lines(*OTHER[:2]))
    assert line == "this database has no recovery sheets: nrm init makes them"


# New sheets.


def test_new_sheets_replace_older_ones(done, refused, words, installed):
    folder = installed / "keys" / "recovery"
    assert "hand them over or destroy them first" in refused("key", "shares", "--words-stdin")
    shutil.rmtree(folder)
    done("key", "shares", "--words-stdin", stdin=lines(*words[:2]))
    newer = read_sheets(installed)
    line = refused("key", "drill", "--words-stdin", stdin=lines(*words[:2]))
    assert line.startswith("these sheets have the mark")
    done("key", "drill", "--words-stdin", stdin=lines(*newer[1:]))
    # Two of the custodians are gone with their sheets: the key files do it too.
    shutil.rmtree(folder)
    done("key", "shares", "--from-key-files")
    done("key", "drill", "--words-stdin", stdin=lines(*read_sheets(installed)[:2]))


def test_the_demonstration_takes_its_sheets_away(words, installed, monkeypatch):
    assert words
    for name, value in environment(installed).items():
        monkeypatch.setenv(name, value)
    _remove(Settings.from_environment())
    assert list((installed / "keys").iterdir()) == []


# Passphrases, and a key from the environment.


@pytest.mark.usefixtures("cheap", "installed")
def test_a_key_file_gets_a_passphrase_and_loses_it(done, refused):
    assert "opens with its new passphrase only" in done(
        "key", "protect", "--passphrase-stdin", stdin=f"{PASSPHRASE}\n"
    )
    said = {"NRM_KEY_PASSPHRASE": PASSPHRASE}
    assert refused("tick") == "key file web.key has a passphrase: say it in NRM_KEY_PASSPHRASE"
    wrong = refused("tick", NRM_KEY_PASSPHRASE=PASSPHRASE.upper())
    assert wrong == "the passphrase of key file web.key is another one"
    assert "Housekeeping" in done("tick", **said)
    assert "Keys: there already" in done("init", **said)
    assert "has no passphrase now" in done("key", "protect", "--remove", **said)
    assert "Housekeeping" in done("tick")


@pytest.mark.usefixtures("cheap", "installed")
def test_the_passphrase_is_asked_for_where_somebody_can_answer(done, run, monkeypatch):
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    done("key", "protect", stdin=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    told = done("tick", stdin=f"{PASSPHRASE}\n")
    assert "Passphrase of the key" in told
    assert PASSPHRASE not in told
    newer = "another lake in the hills"
    told = done("key", "protect", stdin=f"{PASSPHRASE}\n{newer}\n{newer}\n")
    assert newer not in told
    assert run("tick", stdin=f"{PASSPHRASE}\n").exit_code == 1
    assert run("tick", stdin=f"{newer}\n").exit_code == 0


@pytest.mark.usefixtures("cheap")
def test_another_processes_key_file_can_be_protected_too(done, refused, installed):
    statistics = installed / "keys" / "statistics.key"
    asked = ("key", "protect", "--file", str(statistics), "--passphrase-stdin")
    done(*asked, stdin=f"{PASSPHRASE}\n")
    assert "Housekeeping" in done("tick")
    assert "key file statistics.key has a passphrase" in refused(*asked, stdin="x\n")


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("short\n", "a passphrase has between 12 and 1024 characters"),
        ("\n", "a passphrase has between 12 and 1024 characters"),
        ("", "a passphrase has between 12 and 1024 characters"),
        ("x" * 1025, "a passphrase has between 12 and 1024 characters"),
    ],
)
def test_a_passphrase_has_some_length(refused, installed, typed, line):
    before = (installed / "keys" / "web.key").read_bytes()
    assert refused("key", "protect", "--passphrase-stdin", stdin=typed) == line
    assert (installed / "keys" / "web.key").read_bytes() == before


@pytest.mark.usefixtures("cheap")
def test_the_environment_brings_the_key(done, refused, installed):
    folder = installed / "keys"
    clear = (folder / "web.key").read_text(encoding="utf-8")
    done("key", "protect", "--passphrase-stdin", stdin=f"{PASSPHRASE}\n")
    protected = (folder / "web.key").read_text(encoding="utf-8")
    shutil.rmtree(folder)
    assert "Housekeeping" in done("tick", NRM_KEY=clear)
    assert "Housekeeping" in done("tick", NRM_KEY=protected, NRM_KEY_PASSPHRASE=PASSPHRASE)
    assert refused("tick", NRM_KEY=protected).startswith("key file in NRM_KEY has a passphrase")
    assert refused("tick", NRM_KEY="nonsense").endswith("is not a key file of this program")
    both = refused("tick", NRM_KEY=clear, NRM_KEY_FILE=str(folder / "web.key"))
    assert both == "NRM_KEY_FILE and NRM_KEY are both set: say one of them"


def test_no_keys_are_made_where_the_environment_brings_one(refused, instance):
    line = refused("init", NRM_KEY="{}")
    assert line == "NRM_KEY is set, and the database has no keys yet: use NRM_KEY_FILE"
    assert not (instance / "keys").exists()


def test_the_settings_show_no_secret(monkeypatch, instance):
    env = environment(instance, NRM_KEY="SECRET KEY", NRM_KEY_PASSPHRASE=PASSPHRASE)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert (settings.key, settings.key_passphrase) == ("SECRET KEY", PASSPHRASE)
    assert "SECRET" not in repr(settings)
    assert PASSPHRASE not in repr(settings)
