"""Two act on one case at once: one wins, and the other hears who."""

import pytest
from sqlalchemy import func, select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError
from nrm.domain.lifecycle import HandOverState
from nrm.domain.roles import Role
from nrm.models import FlagDraft
from nrm.services import absence, accounts, hand_over, left_drafts, ownership
from nrm.services.audit import record
from tests import world as worlds
from tests.access import case_of
from tests.services.test_hand_over import state
from tests.services.test_races import meet, refused
from tests.world import PASSWORD

ROUNDS = 5


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_of_two_who_take_a_case_one_has_it_and_the_other_hears_who(world, round_, ledger):
    del round_
    reference = worlds.flag(world)
    names = ("coordinator", "second_coordinator")
    outcomes = meet(
        world,
        *(lambda name=name: ownership.take(world.actor(name), reference) for name in names),
    )
    (lost,) = refused(outcomes)
    winner = names[outcomes.index(None)]
    assert isinstance(lost, ConflictError)
    assert lost.who == world.person_name(winner)
    assert case_of(reference).owner_id == world.accounts[winner]
    assert ledger.actions().count(Action.CASE_ASSIGN) == 1


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_an_offer_that_is_taken_and_taken_back_at_once_has_one_end(world, round_):
    del round_
    reference, offer = worlds.offered(world)
    outcomes = meet(
        world,
        lambda: hand_over.take_over(world.actor("other_coordinator"), offer),
        lambda: hand_over.not_take_over(world.actor("other_coordinator"), offer),
        lambda: hand_over.retract(world.actor("coordinator"), offer),
    )
    assert len(refused(outcomes)) == 2
    owner = case_of(reference).owner_id
    taken = state(offer) is HandOverState.TAKEN
    assert owner == world.accounts["other_coordinator" if taken else "coordinator"]
    assert taken is not isinstance(outcomes[0], Exception)


def test_two_offers_of_one_case_at_once_leave_one(world):
    reference = worlds.presumed(world)
    new = accounts.NewAccount(
        "Practice Third",
        "third@practice.example",
        world.organisations["northern"],
        Role.COORDINATOR,
        PASSWORD,
    )
    with unit_of_work() as unit:
        third = accounts.add_account(unit, new).id
        record(unit, world.actor("administrator"), Action.ACCOUNT_CREATE)
    whom = (world.accounts["other_coordinator"], third)
    outcomes = meet(
        world,
        *(
            lambda to=to: hand_over.offer(world.actor("coordinator"), reference, to, "")
            for to in whom
        ),
    )
    assert len(refused(outcomes)) == 1


def test_two_who_name_each_other_at_once_are_not_both_away(world):
    def away(name, stand_in):
        return lambda: _told(world, name, stand_in)

    outcomes = meet(
        world,
        away("coordinator", "second_coordinator"),
        away("second_coordinator", "coordinator"),
    )
    assert sorted(outcomes, key=str) == ["away", "refused"]


def _told(world, name, stand_in):
    try:
        absence.set_away(world.actor(name), world.today, world.accounts[stand_in], world.pack)
    except InvalidInputError:
        return "refused"
    return "away"


def test_one_draft_goes_to_one_of_two_colleagues(world):
    draft = worlds.left_draft(world, "other_responder")
    coordinator = world.actor("coordinator")

    def give(name):
        def act():
            try:
                left_drafts.give(coordinator, draft, world.accounts[name])
            except NotFoundError as gone:
                # Once it has a writer, it is left no more.
                raise ConflictError("gone") from gone

        return act

    outcomes = meet(world, give("first_responder"), give("second_responder"))
    assert len(refused(outcomes)) == 1
    assert db.session.scalar(select(func.count()).select_from(FlagDraft)) == 1
