"""A coordinator is away: who stands in sees the cases and what they open, until it is over."""

from datetime import timedelta

import pytest

from nrm.db import db
from nrm.domain.errors import InvalidInputError, NotFoundError, RefusedError
from nrm.domain.policy import may
from nrm.domain.roles import Permission
from nrm.services import absence, casefile, ownership, people, visibility
from nrm.services.casefile import Queue
from tests import world as worlds
from tests.access import bar, case_of, let_it_pass, told
from tests.services.test_ownership import listed


def be_away(world, name="coordinator", stand_in="second_coordinator", days=7):
    until = world.today + timedelta(days=days)
    absence.set_away(world.actor(name), until, world.accounts[stand_in], world.pack)


def opens_health(world, name, reference):
    """Say whether somebody may open the part on health: in the policy, and in the SQL alike."""
    actor, case = world.actor(name), case_of(reference)
    rows = visibility.visible_cases(actor, Permission.COMPARTMENT_HEALTH)
    in_sql = reference in {one.reference for one in db.session.scalars(rows)}
    standing = visibility.case_standing(case)
    in_policy = may(actor, Permission.COMPARTMENT_HEALTH, standing).allowed
    assert in_sql == in_policy
    return in_policy


def test_who_stands_in_sees_the_cases_as_their_own(world):
    reference = worlds.presumed(world)
    assert listed(world, "second_coordinator", Queue.MINE) == []
    assert not opens_health(world, "second_coordinator", reference)
    be_away(world)
    assert listed(world, "second_coordinator", Queue.MINE) == [reference]
    assert opens_health(world, "second_coordinator", reference)
    assert opens_health(world, "coordinator", reference)
    assert not opens_health(world, "other_coordinator", reference)
    casefile.reveal(world.actor("second_coordinator"), reference, "health", "safety")
    assert told(world, "second_coordinator") == ["stands_in"]
    assert case_of(reference).owner_id == world.accounts["coordinator"]


def test_it_ends_by_itself(world):
    reference = worlds.presumed(world)
    be_away(world)
    let_it_pass(world, "coordinator")
    assert listed(world, "second_coordinator", Queue.MINE) == []
    assert not opens_health(world, "second_coordinator", reference)
    assert absence.standing(world.actor("coordinator"), world.pack).until is None


def test_it_ends_when_somebody_is_back(world):
    reference = worlds.presumed(world)
    be_away(world)
    absence.end(world.actor("coordinator"))
    assert listed(world, "second_coordinator", Queue.MINE) == []
    assert not opens_health(world, "second_coordinator", reference)


def test_the_last_day_belongs_to_it(world):
    be_away(world, days=0)
    assert absence.standing(world.actor("coordinator"), world.pack).until == world.today
    until = case_of(worlds.presumed(world)).owner.away_until
    over = until.astimezone(world.pack.zone)
    assert (over.date(), over.hour) == (world.today + timedelta(days=1), 0)


def test_a_barred_stand_in_does_not_see_that_one(world):
    seen, hidden = worlds.presumed(world), worlds.presumed(world)
    bar(world, hidden, account="second_coordinator")
    be_away(world)
    assert listed(world, "second_coordinator", Queue.MINE) == [seen]
    assert not opens_health(world, "second_coordinator", hidden)
    with pytest.raises(NotFoundError):
        casefile.overview(world.actor("second_coordinator"), hidden, {})


def test_a_barred_owner_sees_it_no_more_and_neither_do_they_under_mine(world):
    reference = worlds.presumed(world)
    bar(world, reference, account="coordinator")
    assert listed(world, "coordinator", Queue.MINE) == []


@pytest.mark.parametrize("who", ["coordinator", "auditor", "provider", "nobody"])
def test_nobody_but_another_coordinator_stands_in(world, who):
    until = world.today + timedelta(days=1)
    with pytest.raises(InvalidInputError) as refused:
        absence.set_away(world.actor("coordinator"), until, world.accounts.get(who), world.pack)
    assert refused.value.field == "to"


def test_nobody_stands_in_who_is_away_or_gone(world):
    be_away(world, "second_coordinator", "other_coordinator")
    with pytest.raises(InvalidInputError):
        be_away(world)
    people.disable(world.actor("administrator"), world.accounts["other_coordinator"])
    with pytest.raises(InvalidInputError):
        be_away(world, stand_in="other_coordinator")
    let_it_pass(world, "second_coordinator")
    be_away(world)


@pytest.mark.parametrize("days", [-1, -400, 121, 4000])
def test_it_is_for_some_weeks_from_today(world, days):
    with pytest.raises(InvalidInputError) as refused:
        be_away(world, days=days)
    assert refused.value.field == "until"


def test_who_stands_in_and_goes_away_passes_it_on(world):
    """Nobody's cases are left to somebody who is away too."""
    reference = worlds.presumed(world)
    be_away(world)
    be_away(world, "second_coordinator", "other_coordinator")
    assert listed(world, "other_coordinator", Queue.MINE) == [reference]
    assert opens_health(world, "other_coordinator", reference)
    assert not opens_health(world, "second_coordinator", reference)
    assert told(world, "coordinator") == ["stand_in_changed"]
    standing = absence.standing(world.actor("other_coordinator"), world.pack)
    assert {one.id for one in standing.standing_in_for} == {
        world.accounts["coordinator"],
        world.accounts["second_coordinator"],
    }


def test_the_cases_of_several_stand_in_their_order(world, monkeypatch):
    monkeypatch.setattr("nrm.services.casefile.PAGE", 3)
    for number in range(8):
        reference = worlds.flag(world)
        by = ("coordinator", "second_coordinator")[number % 2]
        ownership.take(world.actor(by), reference)
    be_away(world)
    pages, after = [], None
    while True:
        page = casefile.worklist(world.actor("second_coordinator"), Queue.MINE, after)
        pages.append([row.case for row in page.rows])
        after = page.more
        if after is None:
            break
    whole = [case for page in pages for case in page]
    assert [len(page) for page in pages] == [3, 3, 2]
    assert whole == sorted(whole, key=lambda case: (case.urgency, case.due_at, case.id))
    assert len({case.id for case in whole}) == 8


def test_being_away_is_for_coordinators(world):
    for name in ("provider", "auditor", "first_responder"):
        with pytest.raises(RefusedError):
            absence.standing(world.actor(name), world.pack)
