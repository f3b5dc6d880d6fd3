"""Whatever the services do: one entry, nobody else, nothing without the log, once per form."""

import importlib
import inspect
import json
import pkgutil
from pathlib import Path
from uuid import uuid4

import pytest

from nrm import services
from nrm.domain.emergency import BREAK_GLASS
from nrm.domain.errors import (
    AlreadyDoneError,
    ConflictError,
    NotFoundError,
    RefusedError,
    UnloggedError,
)
from tests import ledger as ledgers
from tests.services import acts
from tests.services.acts import ACTS, UNLOGGED
from tests.world import ACCOUNTS, CANARIES, ONE_PER_ROLE

# What belongs to a case: its entries are found with those of the case.
OF_A_CASE = {
    "bar",
    "case",
    "document",
    "erasure",
    "glass",
    "handover",
    "notice",
    "owner",
    "referral",
}
# The reason to open is given first, and what is open in an emergency is read under it.
GIVES_A_REASON = "compartment:open"


def each(acts):
    return pytest.mark.parametrize("act", list(acts), ids=lambda act: act.name)


@each(ACTS)
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
    assert (entry.subject_type, entry.outcome) == (act.subject, act.outcome)
    assert (entry.subject_id is None) == (act.subject == "none")
    assert (entry.case_id is not None) == (act.subject in OF_A_CASE)
    purpose = act.purpose() if callable(act.purpose) else act.purpose
    assert (entry.compartments, entry.purpose) == (act.compartments, purpose)
    assert entry.leaf_hash == ledgers.true_leaf(entry)

    # Every sealed row that came into being is named, with the hash of what was written; whatever
    # else is named was read.
    touched, stored = ledgers.rows_touched(entry), ledgers.sealed_rows()
    written = {row: stored[row] for row in set(stored) - before}
    assert {row: hashed for row, hashed in touched.items() if hashed} == written
    reads = act.action != GIVES_A_REASON or act.purpose == BREAK_GLASS
    assert bool(touched) == (bool(act.compartments) and reads)

    # The names of the fields, and never what was typed into them.
    said = ledgers.detail(entry)
    assert tuple(said.get("fields", ())) == act.fields
    assert all(isinstance(count, int) for count in said.get("counts", {}).values())
    everything = json.dumps(said) + repr(tuple(entry))
    assert [name for name, canary in CANARIES.items() if canary in everything] == []


@each(ACTS)
def test_nobody_else_does_it_and_nothing_happens_without_the_log(world, act, counted):
    what = act.prepare(world)
    with ledgers.nothing_changes():
        for role, name in ONE_PER_ROLE.items():
            if role is ACCOUNTS[act.by][1] or role in act.also:
                continue
            if act.empty_for_others:
                assert act.do(world, world.actor(name), what).rows == []
            else:
                with pytest.raises((RefusedError, NotFoundError)):
                    act.do(world, world.actor(name), what)
        # The same role elsewhere: the record does not exist for them.
        for name in act.strangers:
            with pytest.raises(NotFoundError):
                act.do(world, world.actor(name), what)

        shown = None
        with ledgers.full_log(), pytest.raises(UnloggedError):
            shown = act.do(world, world.actor(act.by), what)
        assert shown is None
    counted("row 16: an act while the log takes nothing: refused, nothing shown, nothing changed")


@each(act for act in ACTS if act.missing)
def test_what_is_not_there_is_not_found(world, act):
    with ledgers.nothing_changes(), pytest.raises(NotFoundError):
        act.missing(world, world.actor(act.by))


@each(act for act in ACTS if act.form)
def test_a_form_that_is_sent_twice_has_one_result(world, act):
    what = act.prepare(world)
    form_id = uuid4()
    actor = world.actor(act.by)
    act.do(world, actor, what, form_id=form_id)

    book = ledgers.Ledger()
    with ledgers.nothing_changes(), pytest.raises(AlreadyDoneError) as again:
        act.do(world, actor, what, form_id=form_id)
    # A deleted draft leaves nothing that one could be led to.
    assert bool(again.value.outcome) == (act.action != "draft:delete")
    assert book.entries() == []


@each(act for act in ACTS if act.versioned)
def test_what_somebody_else_changed_meanwhile_is_a_conflict(world, act):
    what = act.prepare(world)
    with ledgers.nothing_changes(), pytest.raises(ConflictError):
        act.do(world, world.actor(act.by), what, version=99)


@pytest.mark.parametrize("name", UNLOGGED)
def test_what_opens_nothing_has_no_entry_but_its_readers_are_few(world, name):
    read, readers = UNLOGGED[name]
    permitted = set()
    for role, person in ONE_PER_ROLE.items():
        try:
            read(world, world.actor(person))
        except (RefusedError, NotFoundError):
            continue
        permitted.add(role)
    assert permitted == readers


# A lone entry is for refusals, a message goes to a mail server, and figures, releases, signing in
# and what is seen have tests of their own, some of several people at once.
TESTED_ELSEWHERE = {
    *("audit.record_alone", "invitation_mail.send", "statistics.attacked_by"),
    *("figures.compared", "figures.overview", "figures.read"),
    *("keeping.fall_to", "sign_in.confirm", "sign_in.sign_out"),
    *("releases.ask", "releases.every", "releases.sign", "releases.waiting"),
    *("visibility.barred_cases", "visibility.case", "visibility.emergency_until"),
    *("visibility.is_barred", "visibility.looks_after", "visibility.referral"),
    *("visibility.visible_accounts", "visibility.visible_approvals"),
    *("visibility.visible_cases", "visibility.visible_referrals"),
}


def every_service():
    return [f"nrm.services.{one.name}" for one in pkgutil.iter_modules(services.__path__)]


def test_every_act_of_the_services_stands_in_the_table():
    """A function that somebody calls as an actor is walked by the tests above, or it fails here."""
    table = "".join(
        one.read_text(encoding="utf-8") for one in Path(acts.__file__).parent.glob("*.py")
    )
    missing = [
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in map(importlib.import_module, every_service())
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "actor"
        and f"{module.__name__.rpartition('.')[2]}.{name}(" not in table
    ]
    assert set(missing) == TESTED_ELSEWHERE
