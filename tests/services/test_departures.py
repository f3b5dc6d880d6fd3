"""What leaves the database is in the log before it leaves, and again when it is known how."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from nrm.application import root
from nrm.audit.actions import Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Departure
from nrm.security.keyfile import read_key_file
from nrm.services import departures, housekeeping, keys, sessions
from tests import ledger as ledgers

NEVER = timedelta(days=1)


def begin(actor, **given):
    with unit_of_work() as unit:
        return departures.begin(unit, actor, Action.AUDIT_EXPORT, **given)


def departure(entry_id):
    db.session.rollback()
    return db.session.scalars(select(Departure).where(Departure.entry_id == entry_id)).one()


def test_an_act_that_leaves_has_two_entries_and_the_second_names_the_first(world, ledger):
    actor = world.actor("auditor")
    first = begin(actor, purpose="state", fields=["action"])
    # Whoever looks now sees that something is on its way.
    begun = ledger.only()
    assert (begun.id, begun.outcome, begun.purpose) == (first, Outcome.BEGUN, "state")
    assert departure(first).finished_at is None

    departures.finish(first, actor, Outcome.DONE, counts={"entries": 3})
    _begun, done = ledger.entries()
    assert (done.action, done.outcome) == (Action.AUDIT_EXPORT, Outcome.DONE)
    assert (done.subject_type, done.subject_id, done.actor_id) == ("entry", first, actor.id)
    assert ledgers.detail(done)["counts"] == {"entries": 3}
    assert departure(first).finished_at == done.occurred_at


def test_without_its_entry_nothing_begins(world):
    with (
        ledgers.nothing_changes(),
        ledgers.broken_log(),
        pytest.raises(ledgers.LogRefusedError),
    ):
        begin(world.actor("auditor"))
    assert db.session.scalars(select(Departure)).all() == []


def test_what_nobody_finished_is_closed_as_failed_and_not_known(world, ledger, monkeypatch):
    actor = world.actor("auditor")
    lost, over = begin(actor), begin(actor)
    departures.finish(over, actor, Outcome.DONE)
    # A file may take its time.
    assert departures.sweep() == 0
    monkeypatch.setattr(departures, "PATIENCE", -timedelta(minutes=1))
    assert departures.sweep() == 1
    closed = ledger.entries()[-1]
    assert (closed.action, closed.outcome, closed.purpose) == (
        Action.AUDIT_EXPORT,
        Outcome.FAILED,
        "unknown",
    )
    assert (closed.subject_type, closed.subject_id) == ("entry", lost)
    assert (closed.actor_id, closed.actor_role) == (None, "system")
    assert departure(lost).finished_at == closed.occurred_at
    # Once is enough.
    assert departures.sweep() == 0


def test_what_ends_after_it_was_given_up_says_so_too(world, ledger, monkeypatch):
    actor = world.actor("auditor")
    slow = begin(actor)
    monkeypatch.setattr(departures, "PATIENCE", -timedelta(minutes=1))
    departures.sweep()
    departures.finish(slow, actor, Outcome.DONE)
    assert [entry.outcome for entry in ledger.entries()] == ["begun", "failed", "done"]
    assert departure(slow).finished_at == ledger.entries()[1].occurred_at


def test_housekeeping_closes_them_and_says_how_many(world, settings, monkeypatch):
    begin(world.actor("auditor"))
    monkeypatch.setattr(departures, "PATIENCE", -timedelta(minutes=1))
    limits = sessions.Limits(NEVER, NEVER)
    assert housekeeping.tick(world.pack, limits, settings).departures_closed == 1
    assert housekeeping.tick(world.pack, limits, settings).departures_closed == 0


def test_a_process_without_the_key_of_the_log_tells_no_counts(world, settings, ledger):
    """The signer sends checkpoints and can seal nothing; what it did is known all the same."""
    del world
    keys.unlock(read_key_file(settings.key_file.with_name("signer.key")))
    first = begin(HOUSEKEEPING, subject=Subject("checkpoint"), fields=["x"], counts={"size": 9})
    departures.finish(first, HOUSEKEEPING, Outcome.FAILED, counts={"size": 9})
    keys.unlock(root(settings))
    assert [(entry.detail, entry.detail_sha256) for entry in ledger.entries()] == [(None, "")] * 2
    assert [entry.leaf_hash for entry in ledger.entries()] == [
        ledgers.true_leaf(entry) for entry in ledger.entries()
    ]
