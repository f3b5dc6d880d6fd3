import sqlite3

import pytest


def tamper(instance, change):
    with sqlite3.connect(instance / "nrm.sqlite3") as database:
        database.execute("DROP TRIGGER audit_entry_no_update")
        database.execute(f"UPDATE audit_entry SET {change} WHERE seq = 40")


@pytest.mark.usefixtures("practice_instance")
def test_a_log_that_nobody_touched(nrm):
    done = nrm("audit", "verify")
    assert done.returncode == 0, done.stderr
    assert "entries checked: every one is as written." in done.stdout
    assert "cannot find a deletion" in done.stdout


@pytest.mark.parametrize(
    "change", ["actor_role = 'auditor'", "occurred_at = '2020-01-01 00:00:00.000000'"]
)
def test_a_changed_entry_is_named(nrm, practice_instance, change):
    tamper(practice_instance, change)
    done = nrm("audit", "verify")
    assert done.returncode == 1
    assert "1 not as written. The first is entry 40, dated 20" in done.stdout
    assert done.stderr == ""


def test_an_entry_that_cannot_be_read_is_one_line(refusal, practice_instance):
    tamper(practice_instance, "id = 'nobody'")
    assert "cannot even be read" in refusal("audit", "verify")
