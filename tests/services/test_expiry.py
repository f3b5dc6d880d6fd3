"""A referral that nobody answers comes back by itself; whatever ends, its access ends with it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from nrm.db import acting_at, db
from nrm.domain.consent import Answer
from nrm.domain.errors import ConflictError, RefusedError
from nrm.domain.lifecycle import Assistance, ReferralState
from nrm.domain.policy import may
from nrm.domain.roles import HUMAN_ROLES, Actor, Permission
from nrm.models import Case, Referral
from nrm.services import (
    casefile,
    follow_up,
    housekeeping,
    provision,
    referral,
    sessions,
    visibility,
)
from tests import world as worlds
from tests.world import SERVICE

LIMITS = sessions.Limits(timedelta(minutes=30), timedelta(hours=10))
LONG_AGO = timedelta(days=60)


@pytest.fixture
def unanswered(world):
    """A referral whose time to answer ran out long ago: (case reference, referral reference)."""
    with acting_at(datetime.now(UTC) - LONG_AGO):
        return worlds.referred(world)


def tick(world):
    return housekeeping.tick(world.pack, LIMITS, world.app.config["NRM"]).referrals_expired


def case_now():
    db.session.rollback()
    return db.session.scalars(select(Case)).one()


def state_of(reference):
    db.session.rollback()
    return db.session.scalar(select(Referral.state).where(Referral.reference == reference))


def test_a_round_takes_back_what_is_late_and_the_next_finds_nothing(world, unanswered, ledger):
    _, late = unanswered
    waiting = worlds.referred(world)[1]
    made = len(ledger.entries())
    assert [tick(world) for _ in range(3)] == [1, 0, 0]
    rounds = [entry.action for entry in ledger.entries()[made:]]
    # The same first round looks whether the two persons are known already.
    assert rounds == ["referral:expire", "case:compare", "case:compare"]
    assert (state_of(late), state_of(waiting)) == (ReferralState.EXPIRED, ReferralState.SENT)


def test_the_case_comes_back_to_the_queue_with_a_new_time_to_act(world, unanswered):
    reference, _ = unanswered
    was_due = case_now().due_at
    before = datetime.now(UTC)
    tick(world)
    case = case_now()
    assert case.assistance is Assistance.NEEDS_RECORDED
    # Not late already, from the day on which it was sent: whoever finds it has the usual time.
    assert was_due < before < case.due_at
    queue = casefile.worklist(world.actor("coordinator"), casefile.Queue.NEEDS)
    assert [row.case.reference for row in queue.rows] == [reference]


def test_another_provider_that_helps_keeps_helping(world, unanswered):
    reference, _ = unanswered
    worlds.agree(world, reference, to="hills")
    helping = worlds.refer(world, reference, to="hills")
    provision.accept(world.actor("other_provider"), helping, world.pack)
    follow_up_due = case_now().due_at
    assert tick(world) == 1
    case = case_now()
    assert (case.assistance, state_of(helping)) == (Assistance.ASSISTED, ReferralState.ACCEPTED)
    # What came to nothing is still looked at, no later than the help would have been.
    assert case.due_at <= follow_up_due
    assert provision.read(world.actor("other_provider"), helping).opened


def expire(world, reference, sent):
    del reference, sent
    assert tick(world) == 1


def decline(world, reference, sent):
    del reference
    provision.decline(world.actor("provider"), sent, "no_capacity", "", world.pack)


def withdraw(world, reference, sent):
    referral.withdraw(world.actor("coordinator"), reference, sent, pack=world.pack)


def withdraw_what_was_accepted(world, reference, sent):
    provision.accept(world.actor("provider"), sent, world.pack)
    withdraw(world, reference, sent)


def end(world, reference, sent):
    del reference
    provision.accept(world.actor("provider"), sent, world.pack)
    provision.end(world.actor("provider"), sent, world.pack)


def close(world, reference, sent):
    del sent
    follow_up.close(
        world.actor("coordinator"),
        reference,
        "contact_lost",
        "",
        version=worlds.version(world, reference),
        pack=world.pack,
    )


@pytest.mark.parametrize(
    "loss", [expire, decline, withdraw, withdraw_what_was_accepted, end, close]
)
def test_however_a_referral_ends_its_receiver_opens_nothing_from_then_on(
    world, unanswered, ledger, loss
):
    reference, sent = unanswered
    loss(world, reference, sent)
    people = [world.actor("provider"), world.actor("colleague")]
    made = len(ledger.entries())
    for actor in people:
        received = provision.read(actor, sent)
        assert (received.envelope, received.opened, received.discloses) == ({}, {}, frozenset())
        assert [row.envelope for row in provision.closed(actor).rows] == [{}]
        for state in (ReferralState.SENT, ReferralState.ACCEPTED):
            assert provision.inbox(actor, state).rows == []
        with pytest.raises(RefusedError):
            provision.working_on(actor, sent)
        with pytest.raises(ConflictError):
            provision.accept(actor, sent, world.pack)
    # The log agrees: none of these reads opened anything.
    assert {entry.compartments for entry in ledger.entries()[made:]} == {""}


def test_a_consent_that_is_withdrawn_closes_the_file_with_the_next_read(world, ledger):
    reference, sent = worlds.accepted(world)
    actor = world.actor("provider")
    assert set(provision.read(actor, sent).opened) == {"contact", "identity"}
    worlds.agree(world, reference, compartments=(), answer=Answer.WITHDRAWN)
    for _ in range(2):
        received = provision.read(actor, sent)
        assert (received.opened, received.discloses) == ({}, frozenset())
        assert ledger.entries()[-1].compartments == "envelope"


def test_facts_are_appended_by_a_provider_and_never_opened(world, ledger):
    """An entry of a provider names at most the counted event that it appended."""
    reference, sent = worlds.served(world, compartments=("contact", "health", "identity"))
    worlds.agree(world, reference, to="hills")
    other = worlds.refer(world, reference, to="hills")
    made = len(ledger.entries())
    for actor, about in (("provider", sent), ("other_provider", other)):
        for state in ReferralState:
            provision.inbox(world.actor(actor), state)
        provision.closed(world.actor(actor))
        provision.read(world.actor(actor), about)
    decline_words = ("no_capacity", "", world.pack)
    provision.decline(world.actor("other_provider"), other, *decline_words)
    new = provision.NewService(SERVICE, "given", world.today)
    provision.record_service(world.actor("provider"), sent, new, world.pack)
    provision.end(world.actor("provider"), sent, world.pack)
    entries = ledger.entries()[made:]
    assert {entry.actor_role for entry in entries} == {"provider"}
    touched = [set(entry.compartments.split()) for entry in entries]
    assert [names for names in touched if "facts" in names] == []
    appending = {entry.action for entry in entries if "facts_event" in entry.compartments.split()}
    assert appending == {"referral:decline", "service:record"}


def test_only_housekeeping_takes_a_referral_back_for_its_time(world, unanswered):
    _, sent = unanswered
    standing = visibility.referral_standing(
        db.session.scalars(select(Referral).where(Referral.reference == sent)).one()
    )
    for role in HUMAN_ROLES:
        actor = Actor(world.accounts["provider"], world.organisations["lakes"], role)
        assert not may(actor, Permission.REFERRAL_EXPIRE, standing).allowed
