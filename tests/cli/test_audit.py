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
    ("change", "named"),
    [
        ("actor_role = 'auditor'", "entry 40, dated 20"),
        ("occurred_at = '2020-01-01 00:00:00.000000'", "entry 40, dated 2020-01-01"),
        # What can no longer be read as an id or a moment is named like any other change.
        ("id = 'nobody'", "entry 40, dated 20"),
        ("occurred_at = 'once'", "entry 40."),
    ],
)
def test_a_changed_entry_is_named(nrm, practice_instance, change, named):
    tamper(practice_instance, change)
    done = nrm("audit", "verify")
    assert done.returncode == 1
    assert f"1 not as written. The first is {named}" in done.stdout
    assert done.stderr == ""
