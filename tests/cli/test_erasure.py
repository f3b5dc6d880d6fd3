import contextlib
import sqlite3

import pytest
from sqlalchemy import select

from nrm.application import create_app
from nrm.cli import startup
from nrm.db import db
from nrm.domain.erasure import DamagedListError
from nrm.domain.lifecycle import Assistance
from nrm.domain.roles import Actor, Role
from nrm.models import Account, Case
from nrm.services import erasure
from tests import databases


def settings_of(instance):
    return databases.settings(f"sqlite:///{instance / 'nrm.sqlite3'}", instance)


def actor(role, number=0):
    query = select(Account).where(Account.role == role).order_by(Account.id)
    found = db.session.scalars(query).all()[number]
    return Actor(found.id, found.organisation_id, role)


@pytest.fixture
def erased(practice_instance):
    """A practice installation in which a second case was erased, and yesterday's copy beside it."""
    settings = settings_of(practice_instance)
    with create_app(settings).app_context():
        closed = select(Case.reference).where(
            Case.assistance == Assistance.CLOSED, Case.erased_at.is_(None)
        )
        reference = db.session.scalars(closed.order_by(Case.reference)).first()
        request = erasure.ask(actor(Role.COORDINATOR), reference, "court_order")
        with (
            contextlib.closing(sqlite3.connect(practice_instance / "nrm.sqlite3")) as now,
            contextlib.closing(sqlite3.connect(practice_instance / "yesterday")) as copy,
        ):
            now.backup(copy)
        erasure.carry_out(actor(Role.AUDITOR), request, reference, settings)
        db.session.remove()
        db.engine.dispose()
    return practice_instance, reference


def restore(instance):
    for name in ("nrm.sqlite3-wal", "nrm.sqlite3-shm"):
        (instance / name).unlink(missing_ok=True)
    (instance / "yesterday").rename(instance / "nrm.sqlite3")


def is_erased(instance, reference):
    """Say whether the case is erased, and how many keys it has, as the file itself tells."""
    with contextlib.closing(sqlite3.connect(instance / "nrm.sqlite3")) as database:
        [(case_id, erased_at)] = database.execute(
            "SELECT id, erased_at FROM case_file WHERE reference = ?", (reference,)
        )
        [(keys,)] = database.execute("SELECT count(*) FROM case_key WHERE owner_id = ?", (case_id,))
    return erased_at is not None, keys


def test_a_restored_database_is_replayed_and_once_more_does_nothing(nrm, erased):
    instance, reference = erased
    assert is_erased(instance, reference) == (True, 0)
    restore(instance)
    assert is_erased(instance, reference) == (False, 1)
    done = nrm("erasure", "replay")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "2 erasures listed: 1 carried out again, 1 were carried out already, 0 are of cases"
    )
    assert is_erased(instance, reference) == (True, 0)
    assert "0 carried out again, 2 were carried out already" in nrm("erasure", "replay").stdout
    verified = nrm("audit", "verify")
    assert verified.returncode == 0, verified.stdout


def test_a_list_that_was_kept_elsewhere_is_replayed_and_becomes_our_own(nrm, erased):
    instance, reference = erased
    told = nrm("erasure", "list").stdout
    assert told.count("\n") == 2
    assert f"UTC  {reference}  copies until " in told
    kept = instance / "kept-elsewhere"
    (instance / "erasures.jsonl").rename(kept)
    restore(instance)
    assert "1 carried out again" in nrm("erasure", "replay", str(kept)).stdout
    assert is_erased(instance, reference) == (True, 0)
    ours, theirs = (instance / "erasures.jsonl").read_bytes(), kept.read_bytes()
    assert sorted(ours.splitlines()) == sorted(theirs.splitlines())


def test_a_damaged_list_is_refused_by_its_line_and_changes_nothing(refusal, erased, free_port):
    instance, reference = erased
    restore(instance)
    kept = instance / "kept-elsewhere"
    kept.write_bytes((instance / "erasures.jsonl").read_bytes() + b"nonsense\n")
    line = refusal("erasure", "replay", str(kept))
    assert line == "nrm: line 3 of kept-elsewhere is damaged\n"
    kept.replace(instance / "erasures.jsonl")
    line = refusal("serve", PORT=str(free_port))
    assert line == "nrm: line 3 of erasures.jsonl is damaged\n"
    assert is_erased(instance, reference) == (False, 1)


def test_nothing_is_served_before_the_list_was_carried_out(erased):
    instance, reference = erased
    restore(instance)
    whole = (instance / "erasures.jsonl").read_bytes()
    (instance / "erasures.jsonl").write_bytes(whole[:-1])
    with pytest.raises(DamagedListError):
        startup.serving(settings_of(instance))
    (instance / "erasures.jsonl").write_bytes(whole)
    startup.serving(settings_of(instance))
    assert is_erased(instance, reference) == (True, 0)


def test_housekeeping_carries_it_out_too(nrm, erased):
    instance, reference = erased
    restore(instance)
    done = nrm("tick")
    assert "1 erasures carried out again after a restore" in done.stdout, done.stderr
    assert is_erased(instance, reference) == (True, 0)
