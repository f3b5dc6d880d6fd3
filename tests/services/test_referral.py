"""Who may be asked, what they are told, and that nobody is ever left with nobody."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.deadlines import flag_review_due
from nrm.domain.errors import ConflictError, IllegalStepError, NotFoundError, RefusedError
from nrm.domain.flag import quarter
from nrm.domain.lifecycle import Assistance, ReferralState
from nrm.domain.roles import HOUSEKEEPING
from nrm.domain.vocabulary import Urgency
from nrm.models import Case, Listing, Referral
from nrm.services import casefile, directory, follow_up, housekeeping, provision, referral, sessions
from nrm.services.audit import record
from nrm.statistics import reading
from tests import vault as sealed
from tests import world as worlds
from tests.world import CANARIES, SERVICE

LIMITS = sessions.Limits(timedelta(minutes=30), timedelta(hours=10))


def case_of(reference):
    db.session.rollback()
    return db.session.scalars(select(Case).where(Case.reference == reference)).one()


def referral_of(reference):
    db.session.rollback()
    return db.session.scalars(select(Referral).where(Referral.reference == reference)).one()


def pretend(statement):
    """Change what no act changes: the past."""
    with unit_of_work() as unit:
        db.session.execute(statement)
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


def approved_until(world, name, day):
    pretend(update(Listing).where(Listing.id == world.listings[name]).values(approved_until=day))


def candidates(world, reference):
    choice = referral.choose(world.actor("coordinator"), reference, SERVICE, world.pack)
    return [candidate.entry.name for candidate in choice.candidates]


def test_only_approved_providers_of_the_service_are_offered(world):
    reference = worlds.consented(world)
    lakes, hills = (world.organisation_name(name) for name in ("lakes", "hills"))
    assert sorted(candidates(world, reference)) == sorted([lakes, hills])
    directory.suspend(
        world.actor("directory_manager"), world.listings["lakes"], "Practice.", version=2
    )
    assert candidates(world, reference) == [hills]
    approved_until(world, "hills", world.today - timedelta(days=1))
    assert candidates(world, reference) == []


def test_on_the_last_day_of_its_approval_a_provider_is_still_offered(world):
    reference = worlds.consented(world)
    approved_until(world, "hills", world.today)
    assert world.organisation_name("hills") in candidates(world, reference)


@pytest.mark.parametrize("why", ["suspended", "expired", "submitted", "no such service"])
def test_a_provider_that_is_not_approved_receives_nothing(world, why):
    reference = worlds.consented(world)
    service = SERVICE
    if why == "suspended":
        directory.suspend(
            world.actor("directory_manager"), world.listings["lakes"], "Practice.", version=2
        )
    elif why == "expired":
        approved_until(world, "lakes", world.today - timedelta(days=1))
    elif why == "submitted":
        pretend(update(Listing).values(state="submitted", approved_until=None))
    else:
        service = "education"
    with pytest.raises(ConflictError):
        worlds.refer(world, reference, service=service)


def test_the_envelope_tells_no_name_no_story_and_no_exact_age(world):
    case, sent = worlds.referred(
        world,
        person={
            "given_name": CANARIES["given_name"],
            "family_name": CANARIES["family_name"],
            "birth_date": CANARIES["birth_date"],
            "id_number": CANARIES["id_number"],
        },
        signs={"account": CANARIES["account"]},
        contact={"phone": CANARIES["contact_phone"]},
    )
    received = provision.read(world.actor("provider"), sent)
    assert received.envelope["age"] == "adult"
    assert received.envelope["service"] == SERVICE
    told = repr(vars(received.referral)) + repr(received.envelope)
    assert not [name for name, canary in CANARIES.items() if canary in told]
    assert case not in repr(received.envelope)


def test_sex_is_told_only_where_it_decides_who_can_help(world):
    reference = worlds.consented(world, to="clinic")
    worlds.refer(world, reference, to="clinic", service="medical_emergency")
    waiting = provision.inbox(world.actor("clinician"), ReferralState.SENT).rows[0].envelope
    assert waiting["sex"] == ""


def test_a_referral_needs_recorded_needs(world):
    reference = worlds.presumed(world)
    worlds.agree(world, reference)
    with pytest.raises(IllegalStepError):
        worlds.refer(world, reference)


def test_one_provider_is_not_asked_twice_at_once_but_two_providers_are(world):
    reference, _ = worlds.referred(world)
    with pytest.raises(ConflictError):
        worlds.refer(world, reference)
    worlds.agree(world, reference, to="hills")
    worlds.refer(world, reference, to="hills")
    assert case_of(reference).assistance is Assistance.REFERRED


def test_a_declined_case_is_back_with_the_coordinator_at_once(world):
    reference, sent = worlds.referred(world)
    provision.decline(world.actor("provider"), sent, "no_capacity", "", world.pack)
    assert case_of(reference).assistance is Assistance.NEEDS_RECORDED
    queue = casefile.worklist(world.actor("coordinator"), casefile.Queue.NEEDS)
    assert [row.case.reference for row in queue.rows] == [reference]


@pytest.mark.parametrize("loss", ["decline", "withdraw", "expire"])
def test_while_another_provider_is_asked_the_case_stays_referred(world, loss):
    reference, sent = worlds.referred(world)
    worlds.agree(world, reference, to="hills")
    worlds.refer(world, reference, to="hills")
    lose(world, reference, sent, loss)
    assert case_of(reference).assistance is Assistance.REFERRED


def lose(world, reference, sent, loss):
    if loss == "decline":
        provision.decline(world.actor("provider"), sent, "no_capacity", "", world.pack)
    elif loss == "withdraw":
        referral.withdraw(world.actor("coordinator"), reference, sent, pack=world.pack)
    elif loss == "expire":
        overdue(sent)
        assert provision.expire(world.pack) == 1
    else:
        provision.end(world.actor("provider"), sent, world.pack)


def overdue(sent):
    hour = timedelta(hours=1)
    moment = referral_of(sent).sent_at - hour
    pretend(
        update(Referral)
        .where(Referral.reference == sent)
        .values(sent_at=moment, answer_due_at=moment + timedelta(minutes=1))
    )


@pytest.mark.parametrize("loss", ["decline", "withdraw", "expire", "end"])
def test_whoever_loses_the_last_provider_is_looked_after_again(world, loss):
    build = worlds.accepted if loss == "end" else worlds.referred
    reference, sent = build(world)
    lose(world, reference, sent, loss)
    case = case_of(reference)
    assert case.assistance is Assistance.NEEDS_RECORDED
    # The coordinator's clock starts again, as for a new flag.
    lost_at = referral_of(sent).ended_at or referral_of(sent).answered_at
    assert case.due_at == flag_review_due(lost_at, Urgency(case.urgency), world.pack.clocks)
    # And whoever lost the referral opens nothing of it any more.
    received = provision.read(world.actor("provider"), sent)
    assert (received.envelope, received.opened) == ({}, {})


def answers_counted(case_reference):
    """List what the statistics will count of the referrals of a case: which one, and its answer."""
    events = [
        held
        for place, held in sealed.contents(case_of(case_reference).id).items()
        if place[0] == "sealed_facts_event"
    ]
    found = reading.referrals({}, sorted(events, key=lambda held: held["event"] != "sent"))
    return {referral_id: record["answer"] for referral_id, (_, record) in found.items()}


@pytest.mark.parametrize(
    ("loss", "answer"),
    [("decline", "declined"), ("withdraw", "withdrawn"), ("expire", "expired")],
)
def test_a_referral_that_came_to_nothing_is_counted_as_what_it_is(world, loss, answer):
    reference, sent = worlds.referred(world)
    assert answers_counted(reference) == {str(referral_of(sent).id): "waiting"}
    lose(world, reference, sent, loss)
    assert answers_counted(reference) == {str(referral_of(sent).id): answer}


def test_what_is_counted_of_a_withdrawal_says_how_long_the_provider_was_asked(world):
    reference, sent = worlds.referred(world)
    moment = referral_of(sent).sent_at - timedelta(days=3)
    pretend(update(Referral).where(Referral.reference == sent).values(sent_at=moment))
    lose(world, reference, sent, "withdraw")
    contents = sealed.contents(case_of(reference).id).values()
    [event] = [held for held in contents if held.get("event") == "withdrawn"]
    assert event == {
        "event": "withdrawn",
        "quarter": quarter(world.today),
        "days": 3,
        "referral": str(referral_of(sent).id),
    }


def test_closing_counts_a_waiting_referral_as_withdrawn_and_an_accepted_one_as_accepted(world):
    reference, taken = worlds.accepted(world)
    worlds.agree(world, reference, to="hills")
    waiting = worlds.refer(world, reference, to="hills")
    version = worlds.version(world, reference)
    follow_up.close(
        world.actor("coordinator"),
        reference,
        "plan_completed",
        "",
        version=version,
        pack=world.pack,
    )
    assert answers_counted(reference) == {
        str(referral_of(taken).id): "accepted",
        str(referral_of(waiting).id): "withdrawn",
    }


def test_an_unanswered_referral_is_taken_back_once(world, ledger):
    reference, sent = worlds.referred(world)
    assert housekeeping.tick(world.pack, LIMITS, world.app.config["NRM"]).referrals_expired == 0
    overdue(sent)
    assert housekeeping.tick(world.pack, LIMITS, world.app.config["NRM"]).referrals_expired == 1
    assert housekeeping.tick(world.pack, LIMITS, world.app.config["NRM"]).referrals_expired == 0
    assert referral_of(sent).state is ReferralState.EXPIRED
    entry = next(entry for entry in ledger.entries() if entry.action == "referral:expire")
    assert (entry.actor_id, entry.actor_role) == (None, "system")
    assert case_of(reference).assistance is Assistance.NEEDS_RECORDED


def test_a_referral_that_ran_out_is_not_accepted(world):
    _, sent = worlds.referred(world)
    overdue(sent)
    provision.expire(world.pack)
    with pytest.raises(ConflictError):
        provision.accept(world.actor("provider"), sent, world.pack)


def test_closing_ends_everyones_access(world):
    reference, taken = worlds.accepted(world)
    worlds.agree(world, reference, to="hills")
    waiting = worlds.refer(world, reference, to="hills")
    follow_up.close(
        world.actor("coordinator"),
        reference,
        "plan_completed",
        "",
        version=worlds.version(world, reference),
        pack=world.pack,
    )
    assert case_of(reference).closed_at is not None
    assert referral_of(taken).state is ReferralState.ENDED
    assert referral_of(waiting).state is ReferralState.WITHDRAWN
    for name, sent in (("provider", taken), ("other_provider", waiting)):
        received = provision.read(world.actor(name), sent)
        assert (received.envelope, received.opened, received.discloses) == ({}, {}, frozenset())
    with pytest.raises(RefusedError):
        provision.record_service(
            world.actor("provider"),
            taken,
            provision.NewService(SERVICE, "given", world.today),
            world.pack,
        )
    with pytest.raises(ConflictError):
        provision.accept(world.actor("other_provider"), waiting, world.pack)
    queue = casefile.worklist(world.actor("coordinator"), casefile.Queue.ALL)
    assert queue.rows == []


def test_a_referral_is_withdrawn_only_through_its_own_case(world):
    _, sent = worlds.referred(world)
    other = worlds.flag(world)
    with pytest.raises(NotFoundError):
        referral.withdraw(world.actor("coordinator"), other, sent, pack=world.pack)
    assert referral_of(sent).state is ReferralState.SENT


def test_a_service_is_recorded_only_while_accepted(world):
    _, sent = worlds.referred(world)
    new = provision.NewService(SERVICE, "given", world.today)
    with pytest.raises(RefusedError):
        provision.record_service(world.actor("provider"), sent, new, world.pack)
    provision.accept(world.actor("provider"), sent, world.pack)
    provision.record_service(world.actor("colleague"), sent, new, world.pack)
    assert [given.service for given in provision.read(world.actor("provider"), sent).services] == [
        SERVICE
    ]


def test_no_entry_of_a_provider_ever_names_the_facts(world, ledger):
    """Facts are for the statistics: a provider opens envelopes and what consent covers."""
    reference, sent = worlds.served(world)
    worlds.agree(world, reference, to="hills")
    declined = worlds.refer(world, reference, to="hills")
    provision.decline(world.actor("other_provider"), declined, "no_capacity", "", world.pack)
    provision.inbox(world.actor("provider"), ReferralState.ACCEPTED)
    provision.closed(world.actor("other_provider"))
    provision.read(world.actor("provider"), sent)
    provision.end(world.actor("provider"), sent, world.pack)
    entries = [entry for entry in ledger.entries() if entry.actor_role == "provider"]
    assert len(entries) == 7
    assert not [entry for entry in entries if "facts" in entry.compartments.split()]
