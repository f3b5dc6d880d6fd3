"""A case is offered to another organisation: until it is taken over, nothing changes."""

from uuid import uuid4

import pytest
from sqlalchemy import select, update

from nrm.db import db
from nrm.domain.errors import (
    ConflictError,
    IllegalStepError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
)
from nrm.domain.lifecycle import HandOverState
from nrm.models import HandOver, SealedNote
from nrm.services import casefile, follow_up, hand_over, ownership
from nrm.services.casefile import Queue
from tests import world as worlds
from tests.access import bar, case_of, told
from tests.services.test_ownership import owner_name


def state(identifier):
    db.session.rollback()
    return db.session.get_one(HandOver, identifier).state


def offers(world, name):
    page = casefile.worklist(world.actor(name), Queue.ALL)
    return [one.case.reference for one in page.offers]


def test_until_it_is_taken_over_the_owner_goes_on(world):
    reference, offer = worlds.offered(world, "Call her sister first.")
    assert owner_name(world, reference) == "coordinator"
    assert told(world, "other_coordinator") == ["hand_over_offered"]
    assert offers(world, "other_coordinator") == [reference]
    assert offers(world, "second_coordinator") == []
    with pytest.raises(RefusedError):
        casefile.reveal(world.actor("other_coordinator"), reference, "health", "safety")
    read = hand_over.read(world.actor("other_coordinator"), offer)
    assert read.words == "Call her sister first."
    assert read.offer.offered_by == world.person_name("coordinator")


def test_taking_over_moves_the_case_and_what_it_opens(world):
    reference, offer = worlds.offered(world)
    hand_over.take_over(world.actor("other_coordinator"), offer)
    assert owner_name(world, reference) == "other_coordinator"
    assert state(offer) is HandOverState.TAKEN
    assert told(world, "coordinator") == ["hand_over_taken"]
    assert offers(world, "other_coordinator") == []
    casefile.reveal(world.actor("other_coordinator"), reference, "health", "safety")
    with pytest.raises(RefusedError):
        casefile.reveal(world.actor("coordinator"), reference, "health", "safety")


def test_declining_leaves_it_where_it_is(world):
    reference, offer = worlds.offered(world)
    hand_over.not_take_over(world.actor("other_coordinator"), offer)
    assert owner_name(world, reference) == "coordinator"
    assert state(offer) is HandOverState.NOT_TAKEN
    assert told(world, "coordinator") == ["hand_over_not_taken"]


def test_an_offer_can_be_taken_back_and_made_again(world):
    reference, offer = worlds.offered(world)
    hand_over.retract(world.actor("coordinator"), offer)
    assert state(offer) is HandOverState.RETRACTED
    assert told(world, "other_coordinator") == ["hand_over_offered", "hand_over_retracted"]
    to = world.accounts["other_coordinator"]
    again = hand_over.offer(world.actor("coordinator"), reference, to, "")
    assert state(again) is HandOverState.OFFERED


def test_one_case_is_offered_to_one_at_a_time(world):
    reference, _ = worlds.offered(world)
    to = world.accounts["other_coordinator"]
    with pytest.raises(ConflictError):
        hand_over.offer(world.actor("coordinator"), reference, to, "")


def test_whoever_it_was_offered_to_answers_and_whoever_offered_takes_back(world):
    _, offer = worlds.offered(world)
    for act in (hand_over.take_over, hand_over.not_take_over):
        with pytest.raises(RefusedError):
            act(world.actor("coordinator"), offer)
        with pytest.raises(NotFoundError):
            act(world.actor("second_coordinator"), offer)
    with pytest.raises(RefusedError):
        hand_over.retract(world.actor("other_coordinator"), offer)


def test_a_new_owner_of_the_case_can_take_the_offer_back(world):
    reference, offer = worlds.offered(world)
    owner, new = world.accounts["coordinator"], world.accounts["second_coordinator"]
    ownership.assign(world.actor("coordinator"), reference, new, "absent", owner=owner)
    hand_over.retract(world.actor("second_coordinator"), offer)
    assert state(offer) is HandOverState.RETRACTED


@pytest.mark.parametrize("to", ["second_coordinator", "provider", "coordinator", "nobody"])
def test_it_is_offered_to_a_coordinator_elsewhere_and_nobody_else(world, to):
    reference = worlds.presumed(world)
    whom = world.accounts.get(to, uuid4())
    with pytest.raises(InvalidInputError):
        hand_over.offer(world.actor("coordinator"), reference, whom, "")


@pytest.mark.parametrize("whom", ["account", "organisation"])
def test_whoever_is_barred_is_offered_nothing(world, whom):
    reference = worlds.presumed(world)
    bar(world, reference, **{whom: "other_coordinator" if whom == "account" else "northern"})
    with pytest.raises(InvalidInputError):
        hand_over.offer(
            world.actor("coordinator"), reference, world.accounts["other_coordinator"], ""
        )
    assert ownership.page(world.actor("coordinator"), reference).others == []


def test_a_bar_after_the_offer_hides_it(world):
    reference, offer = worlds.offered(world)
    bar(world, reference, account="other_coordinator")
    assert offers(world, "other_coordinator") == []
    for act in (hand_over.read, hand_over.take_over, hand_over.not_take_over):
        with pytest.raises(NotFoundError):
            act(world.actor("other_coordinator"), offer)
    hand_over.retract(world.actor("coordinator"), offer)
    assert owner_name(world, reference) == "coordinator"


def test_what_is_nobodys_or_anothers_is_not_offered(world):
    reference = worlds.flag(world)
    to = world.accounts["other_coordinator"]
    with pytest.raises(RefusedError):
        hand_over.offer(world.actor("coordinator"), reference, to, "")
    ownership.take(world.actor("other_coordinator"), reference)
    with pytest.raises(RefusedError):
        hand_over.offer(world.actor("coordinator"), reference, to, "")


def test_a_case_that_closes_takes_its_offer_with_it(world):
    reference, offer = worlds.offered(world)
    follow_up.close(
        world.actor("coordinator"),
        reference,
        "contact_lost",
        "",
        version=worlds.version(world, reference),
        pack=world.pack,
    )
    assert state(offer) is HandOverState.RETRACTED
    with pytest.raises(ConflictError):
        hand_over.take_over(world.actor("other_coordinator"), offer)
    with pytest.raises(IllegalStepError):
        hand_over.offer(
            world.actor("coordinator"), reference, world.accounts["other_coordinator"], ""
        )


@pytest.mark.parametrize("first", [hand_over.take_over, hand_over.not_take_over])
def test_an_offer_is_answered_once(world, first):
    reference, offer = worlds.offered(world)
    first(world.actor("other_coordinator"), offer)
    before = case_of(reference).owner_id
    for act in (hand_over.take_over, hand_over.not_take_over):
        with pytest.raises(ConflictError) as late:
            act(world.actor("other_coordinator"), offer)
        assert late.value.when is not None
    # Whoever had the case may have lost sight of nothing: they offered it.
    with pytest.raises(ConflictError):
        hand_over.retract(world.actor("coordinator"), offer)
    assert case_of(reference).owner_id == before


def test_the_words_are_sealed(world):
    worlds.offered(world, worlds.CANARIES["hand_over_words"])
    note = db.session.scalars(select(SealedNote).where(SealedNote.kind == "hand_over")).one()
    assert worlds.CANARIES["hand_over_words"].encode() not in note.sealed
    db.session.rollback()


def test_the_database_holds_no_second_offer_of_a_case(world):
    """What the service looks for, the database forbids: two that come at once cannot both stand."""
    reference, offer = worlds.offered(world)
    hand_over.retract(world.actor("coordinator"), offer)
    to = world.accounts["other_coordinator"]
    hand_over.offer(world.actor("coordinator"), reference, to, "")
    change = update(HandOver).where(HandOver.id == offer).values(state=HandOverState.OFFERED)
    with pytest.raises(Exception, match=r"(?i)unique"):
        db.session.execute(change)
    db.session.rollback()
