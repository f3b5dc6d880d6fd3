import sqlite3
import stat


def test_init_makes_the_database_and_three_key_files(nrm, instance):
    done = nrm("init")
    assert done.returncode == 0, done.stderr
    assert "Database: made." in done.stdout
    keys = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (instance / "keys").iterdir()}
    files = {"web.key": 0o600, "statistics.key": 0o600, "signer.key": 0o600}
    assert keys == {**files, "recovery": 0o700}
    with sqlite3.connect(instance / "nrm.sqlite3") as database:
        acts = database.execute("SELECT action FROM audit_entry ORDER BY seq").fetchall()
    # In this order, so that no master key was ever without its recovery copy.
    assert acts == [("key:share",), ("key:create",)]


def test_init_again_says_what_is_there_and_changes_nothing(nrm, installed):
    before = (installed / "keys" / "web.key").read_bytes()
    done = nrm("init")
    assert done.returncode == 0, done.stderr
    assert "Database: up to date already." in done.stdout
    assert "Keys: there already" in done.stdout
    assert (installed / "keys" / "web.key").read_bytes() == before


def test_init_never_replaces_a_lost_key_file(refusal, installed):
    (installed / "keys" / "web.key").unlink()
    assert "web.key is missing" in refusal("init")
    assert not (installed / "keys" / "web.key").exists()


def test_init_wants_the_other_keys_beside_the_web_key(refusal, tmp_path):
    assert "must end in web.key" in refusal("init", NRM_KEY_FILE=str(tmp_path / "our.key"))
