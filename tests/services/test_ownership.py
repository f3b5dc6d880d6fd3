"""Who looks after a case: it is taken, it is given to a colleague, and what that opens."""

import pytest
from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import ConflictError, IllegalStepError, InvalidInputError, RefusedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Account, Case, Notice
from nrm.services import casefile, identification, ownership, people, referral
from nrm.services.audit import record
from nrm.services.casefile import Queue
from tests import world as worlds
from tests.access import bar, case_of, told


def owner_name(world, reference):
    """Give the one who looks after a case, by the name that the tests know them by."""
    owner = case_of(reference).owner_id
    return {account: name for name, account in world.accounts.items()}.get(owner)


def give(world, reference, to="second_coordinator", by="coordinator", **given):
    given.setdefault("owner", case_of(reference).owner_id)
    given.setdefault("reason", "workload")
    ownership.assign(world.actor(by), reference, world.accounts[to], given.pop("reason"), **given)


def listed(world, name, queue, after=None):
    page = casefile.worklist(world.actor(name), queue, after)
    return [row.case.reference for row in page.rows]


def test_a_new_flag_is_nobodys_until_it_is_taken(world, ledger):
    reference = worlds.flag(world)
    assert owner_name(world, reference) is None
    ownership.take(world.actor("second_coordinator"), reference)
    assert owner_name(world, reference) == "second_coordinator"
    entry = ledger.entries()[-1]
    assert (entry.action, entry.subject_type) == (Action.CASE_ASSIGN, "owner")
    assert entry.subject_id == world.accounts["second_coordinator"]
    assert entry.case_id == case_of(reference).id


def test_whoever_presumes_first_looks_after_the_case(world):
    assert owner_name(world, worlds.presumed(world)) == "coordinator"


def test_whoever_records_needs_first_looks_after_the_case(world):
    reference = worlds.flag(world)
    actor = world.actor("second_coordinator")
    referral.record_needs(actor, reference, [worlds.SERVICE], version=1, pack=world.pack)
    assert owner_name(world, reference) == "second_coordinator"


def test_work_on_the_case_of_another_leaves_it_with_them(world):
    reference = worlds.flag(world)
    ownership.take(world.actor("second_coordinator"), reference)
    identification.presume(
        world.actor("coordinator"),
        reference,
        basis=["indicators"],
        words="Practice grounds.",
        version=worlds.version(world, reference),
        pack=world.pack,
    )
    assert owner_name(world, reference) == "second_coordinator"


def test_a_case_that_somebody_has_taken_says_who(world):
    reference = worlds.flag(world)
    ownership.take(world.actor("coordinator"), reference)
    with pytest.raises(ConflictError) as late:
        ownership.take(world.actor("second_coordinator"), reference)
    assert late.value.who == world.person_name("coordinator")
    assert late.value.when is not None


def test_a_colleague_has_the_case_at_once_and_is_told(world, ledger):
    reference = worlds.presumed(world)
    give(world, reference)
    assert owner_name(world, reference) == "second_coordinator"
    assert told(world, "second_coordinator") == ["case_assigned"]
    assert told(world, "coordinator") == []
    entry = ledger.entries()[-1]
    assert (entry.action, entry.purpose) == (Action.CASE_ASSIGN, "workload")


def test_taking_over_tells_whoever_had_it(world):
    reference = worlds.presumed(world)
    give(world, reference, by="second_coordinator")
    assert owner_name(world, reference) == "second_coordinator"
    assert told(world, "coordinator") == ["case_passed_on"]
    assert told(world, "second_coordinator") == []


@pytest.mark.parametrize("reason", ["", "because", None])
def test_from_an_owner_it_takes_a_reason(world, reason):
    reference = worlds.presumed(world)
    with pytest.raises(InvalidInputError) as refused:
        give(world, reference, reason=reason)
    assert refused.value.field == "reason"


def test_nobodys_case_is_given_without_one(world):
    reference = worlds.flag(world)
    give(world, reference, reason="")
    assert owner_name(world, reference) == "second_coordinator"


@pytest.mark.parametrize("to", ["other_coordinator", "provider", "auditor", "coordinator"])
def test_it_is_given_to_another_coordinator_of_the_organisation_and_nobody_else(world, to):
    reference = worlds.presumed(world)
    with pytest.raises(InvalidInputError) as refused:
        give(world, reference, to)
    assert refused.value.field == "to"
    assert owner_name(world, reference) == "coordinator"


def test_it_is_not_given_to_an_account_that_is_disabled(world):
    reference = worlds.presumed(world)
    people.disable(world.actor("administrator"), world.accounts["second_coordinator"])
    with pytest.raises(InvalidInputError):
        give(world, reference)


@pytest.mark.parametrize("whom", ["account", "organisation"])
def test_whoever_is_barred_cannot_be_given_it(world, whom):
    reference = worlds.flag(world)
    bar(world, reference, **{whom: "other_coordinator" if whom == "account" else "northern"})
    with pytest.raises(InvalidInputError):
        give(world, reference, "other_coordinator", "coordinator", reason="")
    again = worlds.flag(world)
    bar(world, again, account="second_coordinator")
    with pytest.raises(InvalidInputError):
        give(world, again, reason="")
    assert "second_coordinator" not in {
        one.account.email.split("@")[0].replace(".", "_")
        for one in ownership.page(world.actor("coordinator"), again).colleagues
    }


def test_the_case_of_another_organisation_is_neither_taken_nor_given(world):
    reference = worlds.presumed(world)
    with pytest.raises(RefusedError):
        give(world, reference, "other_coordinator", by="other_coordinator")
    with pytest.raises(ConflictError):
        ownership.take(world.actor("other_coordinator"), reference)
    assert owner_name(world, reference) == "coordinator"


def test_a_closed_case_does_not_change_hands(world):
    reference, _ = worlds.closed(world)
    with pytest.raises(IllegalStepError):
        give(world, reference)


def test_a_form_that_names_an_owner_of_before_is_overtaken(world):
    reference = worlds.presumed(world)
    give(world, reference, by="second_coordinator")
    with pytest.raises(ConflictError) as late:
        give(world, reference, "coordinator", owner=world.accounts["coordinator"])
    assert late.value.who == world.person_name("second_coordinator")
    with pytest.raises(ConflictError):
        give(world, reference, "coordinator", owner=None)


def test_health_is_for_whoever_looks_after_the_case(world):
    reference = worlds.presumed(world)
    other = world.actor("second_coordinator")
    with pytest.raises(RefusedError) as refused:
        casefile.reveal(other, reference, "health", "safety")
    assert "looks after" in refused.value.reason
    assert "health" in casefile.page(other, reference).closed_to_actor
    give(world, reference)
    casefile.reveal(other, reference, "health", "safety")
    page = casefile.overview(other, reference, {"health": "safety"})
    assert page.opened["health"]["health_words"] == "A practice note."


def test_what_was_open_closes_with_the_case_that_went_to_another(world):
    reference = worlds.presumed(world)
    actor = world.actor("coordinator")
    assert "health" in casefile.overview(actor, reference, {"health": "safety"}).opened
    give(world, reference)
    page = casefile.overview(actor, reference, {"health": "safety", "identity": "safety"})
    assert set(page.opened) == {"identity"}


def test_the_tabs_tell_mine_from_nobodys(world):
    mine, nobodys = worlds.presumed(world), worlds.flag(world)
    theirs = worlds.presumed(world)
    give(world, theirs)
    assert listed(world, "coordinator", Queue.MINE) == [mine]
    assert listed(world, "second_coordinator", Queue.MINE) == [theirs]
    assert listed(world, "coordinator", Queue.NOBODYS) == [nobodys]
    assert set(listed(world, "coordinator", Queue.ALL)) == {mine, nobodys, theirs}


def test_every_page_of_mine_and_nobodys_follows_the_one_before(world, monkeypatch):
    monkeypatch.setattr("nrm.services.casefile.PAGE", 2)
    risks = ("none", "danger_now", "none", "danger_now", "none")
    for risk in risks:
        worlds.presumed(world, risk={"immediate_risk": risk})
        worlds.flag(world, risk={"immediate_risk": risk})
    for queue in (Queue.MINE, Queue.NOBODYS):
        whole, after = [], None
        while True:
            page = casefile.worklist(world.actor("coordinator"), queue, after)
            whole += [row.case for row in page.rows]
            after = page.more
            if after is None:
                break
        assert len(whole) == len(set(whole)) == len(risks)
        assert whole == sorted(whole, key=lambda case: (case.urgency, case.due_at, case.id))


def test_the_timeline_says_to_whom_and_why(world):
    reference = worlds.presumed(world)
    give(world, reference)
    newest = casefile.overview(world.actor("coordinator"), reference, {}).timeline[0]
    assert newest.action is Action.CASE_ASSIGN
    assert newest.about == world.person_name("second_coordinator")
    assert newest.purpose == "workload"


def test_no_name_stands_in_the_entry_or_the_notice(world, ledger):
    reference = worlds.presumed(world)
    give(world, reference)
    kept = repr([tuple(entry) for entry in ledger.entries()])
    notice = db.session.scalars(select(Notice)).one()
    for name in ("coordinator", "second_coordinator"):
        assert world.person_name(name) not in kept + repr(vars(notice))
    db.session.rollback()
    with unit_of_work() as unit:
        db.session.execute(update(Account).values(name="Practice Renamed"))
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    newest = casefile.timeline(db.session.scalars(select(Case.id)).one(), 1)[0]
    assert newest.about == "Practice Renamed"
