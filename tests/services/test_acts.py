"""Whatever the services do: one entry, nobody else, nothing without the log, once per form."""

import json
from uuid import uuid4

import pytest

from nrm.audit.actions import Outcome
from nrm.domain.errors import AlreadyDoneError, ConflictError, NotFoundError, RefusedError
from tests import ledger as ledgers
from tests.services.acts import ACTS, NOWHERE
from tests.world import ACCOUNTS, CANARIES, ONE_PER_ROLE

named = pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
with_form = pytest.mark.parametrize(
    "act", [act for act in ACTS if act.form], ids=lambda act: act.name
)
versioned = pytest.mark.parametrize(
    "act", [act for act in ACTS if act.versioned], ids=lambda act: act.name
)
with_record = pytest.mark.parametrize(
    "act", [act for act in ACTS if act.missing], ids=lambda act: act.name
)


@named
def test_an_act_leaves_exactly_one_entry_that_says_who_did_what(world, act):
    what = act.prepare(world)
    actor = world.actor(act.by)
    before = set(ledgers.sealed_rows())
    book = ledgers.Ledger()
    act.do(world, actor, what)

    entry = book.only()
    assert entry.action == act.action
    assert (entry.actor_id, entry.actor_organisation_id) == (actor.id, actor.organisation_id)
    assert (entry.actor_role, entry.session_ref) == (actor.role, actor.session_ref)
    assert (entry.subject_type, entry.outcome) == (act.subject, Outcome.DONE)
    assert (entry.subject_id is None) == (act.subject == "none")
    assert (entry.case_id is not None) == (act.subject in {"case", "referral"})
    assert (entry.compartments, entry.purpose) == (act.compartments, act.purpose)
    assert entry.leaf_hash == ledgers.true_leaf(entry)

    # Every sealed row that came into being is named, with the hash of what was written.
    stored = ledgers.sealed_rows()
    touched = ledgers.rows_touched(entry)
    assert {row: stored[row] for row in set(stored) - before} == {
        row: hashed for row, hashed in touched.items() if hashed and row in stored
    }
    if act.compartments and act.action != "compartment:open":
        assert touched


@named
def test_an_entry_names_fields_and_never_their_values(world, act):
    what = act.prepare(world)
    book = ledgers.Ledger()
    act.do(world, world.actor(act.by), what)

    entry = book.only()
    said = ledgers.detail(entry)
    assert tuple(said.get("fields", ())) == act.fields
    assert all(isinstance(count, int) for count in said.get("counts", {}).values())
    everything = json.dumps(said) + repr(tuple(entry))
    assert [name for name, canary in CANARIES.items() if canary in everything] == []


@named
def test_nobody_else_does_it(world, act):
    what = act.prepare(world)
    permitted = {ACCOUNTS[act.by][1], *act.also}
    others = [name for role, name in ONE_PER_ROLE.items() if role not in permitted]
    with ledgers.nothing_changes():
        for name in others:
            with pytest.raises((RefusedError, NotFoundError)):
                act.do(world, world.actor(name), what)
        for name in act.strangers:
            with pytest.raises(NotFoundError):
                act.do(world, world.actor(name), what)


@with_record
def test_what_is_not_there_is_not_found(world, act):
    # Something of everything is there, but not what is asked for.
    act.prepare(world)
    actor = world.actor(act.by)
    with ledgers.nothing_changes() if act.by != "coordinator" else _unchecked():
        with pytest.raises(NotFoundError):
            act.missing(world, actor)


@named
def test_without_its_entry_nothing_is_done_and_nothing_is_shown(world, act):
    what = act.prepare(world)
    shown = None
    with ledgers.nothing_changes(), ledgers.broken_log(), pytest.raises(ledgers.LogRefusedError):
        shown = act.do(world, world.actor(act.by), what)
    assert shown is None


@with_form
def test_a_form_that_is_sent_twice_has_one_result(world, act):
    what = act.prepare(world)
    form_id = uuid4()
    actor = world.actor(act.by)
    act.do(world, actor, what, form_id=form_id)

    book = ledgers.Ledger()
    with ledgers.nothing_changes(), pytest.raises(AlreadyDoneError) as again:
        act.do(world, actor, what, form_id=form_id)
    assert again.value.outcome
    assert book.entries() == []


@with_form
def test_anothers_form_number_is_not_mistaken_for_ones_own(world, act):
    """A receipt is for one account: a number copied from elsewhere hides nobody's act."""
    what = act.prepare(world)
    form_id = uuid4()
    stranger = "auditor" if act.by != "auditor" else "analyst"
    with pytest.raises((RefusedError, NotFoundError)):
        act.do(world, world.actor(stranger), what, form_id=form_id)
    book = ledgers.Ledger()
    act.do(world, world.actor(act.by), what, form_id=form_id)
    assert book.only().action == act.action


@versioned
def test_what_somebody_else_changed_meanwhile_is_a_conflict(world, act):
    what = act.prepare(world)
    with ledgers.nothing_changes(), pytest.raises(ConflictError):
        act.do(world, world.actor(act.by), what, version=99)


def test_the_unknown_reference_of_these_tests_is_one_that_could_exist():
    assert len(NOWHERE) == len("7KQ4-M2XD-9")
