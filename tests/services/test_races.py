"""Whoever meets whom: one act wins, the other side is told, and no page of a draft is lost.

`test_concurrency.py` holds the crowd that accepts at once; here two different acts meet, or one
form is sent many times over.
"""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from nrm.db import acting_at, db
from nrm.domain.errors import AlreadyDoneError, ConflictError, IllegalStepError
from nrm.domain.lifecycle import Assistance, Identification, ReferralState
from nrm.models import Case, FormReceipt, Referral, SealedNote, ServiceRecord
from nrm.services import follow_up, identification, provision, referral
from tests import world as worlds
from tests.ledger import Ledger
from tests.world import SERVICE


def meet(world, *acts):
    """Do all of these at the same moment, each in a thread with an application of its own.

    Gives what each returned, or the error by which the mechanism refused it; anything else that
    is raised is a fault, and raised here.
    """
    start = threading.Barrier(len(acts))
    outcomes = [None] * len(acts)

    def run(number, act):
        with world.app.app_context():
            start.wait()
            try:
                outcomes[number] = act()
            except Exception as error:  # noqa: BLE001 - a thread cannot raise it to the test
                outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(
            outcome, (AlreadyDoneError, ConflictError, IllegalStepError)
        ):
            raise outcome
    return outcomes


def refused(outcomes):
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


def now(model):
    """Give the one row of a table as it is now."""
    db.session.rollback()
    return db.session.scalars(select(model)).one()


def how_many(model, *conditions):
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


def test_of_two_coordinators_who_presume_on_one_version_one_does(world):
    reference = worlds.flag(world)
    book = Ledger()

    def presume(name):
        return lambda: identification.presume(
            world.actor(name),
            reference,
            basis=["indicators"],
            words=f"Practice grounds of the {name}.",
            version=1,
            pack=world.pack,
        )

    outcomes = meet(world, presume("coordinator"), presume("second_coordinator"))
    (lost,) = refused(outcomes)
    assert isinstance(lost, ConflictError)
    assert book.actions() == ["case:presume"]
    case = now(Case)
    assert (case.identification, case.version) == (Identification.PRESUMED, 2)
    assert how_many(SealedNote, SealedNote.kind == "presumption") == 1


def test_accepting_against_withdrawing_leaves_the_provider_with_nothing(world):
    """The coordinator may withdraw what was just accepted, so the withdrawal always stands."""
    reference, sent = worlds.referred(world)
    book = Ledger()
    outcomes = meet(
        world,
        lambda: provision.accept(world.actor("provider"), sent, world.pack),
        lambda: provision.accept(world.actor("colleague"), sent, world.pack),
        lambda: referral.withdraw(world.actor("coordinator"), reference, sent, pack=world.pack),
        lambda: referral.withdraw(
            world.actor("second_coordinator"), reference, sent, pack=world.pack
        ),
    )
    done = book.actions()
    assert done[-1] == "referral:withdraw"
    assert done[:-1] in ([], ["referral:accept"])
    assert len(refused(outcomes)) == 4 - len(done)
    assert now(Referral).state is ReferralState.WITHDRAWN
    assert now(Case).assistance is Assistance.NEEDS_RECORDED
    received = provision.read(world.actor("provider"), sent)
    assert (received.envelope, received.opened) == ({}, {})


def test_accepting_against_closing_leaves_a_closed_case(world):
    reference, sent = worlds.referred(world)
    version = worlds.version(world, reference)
    book = Ledger()

    def close():
        return follow_up.close(
            world.actor("coordinator"),
            reference,
            "contact_lost",
            "",
            version=version,
            pack=world.pack,
        )

    outcomes = meet(
        world, lambda: provision.accept(world.actor("provider"), sent, world.pack), close
    )
    # Either the case was closed first and the provider is told, or the coordinator is told that
    # the case has changed. Nobody accepts into a closed case.
    assert len(refused(outcomes)) == len(book.actions()) == 1
    ended = {
        "case:close": (ReferralState.WITHDRAWN, Assistance.CLOSED),
        "referral:accept": (ReferralState.ACCEPTED, Assistance.ASSISTED),
    }[book.actions()[0]]
    assert (now(Referral).state, now(Case).assistance) == ended


def test_two_coordinators_ask_one_provider_once(world):
    reference = worlds.consented(world)
    version = worlds.version(world, reference)
    book = Ledger()

    def send(name):
        return lambda: referral.send(
            world.actor(name),
            reference,
            SERVICE,
            world.organisations["lakes"],
            referral.Words(),
            version=version,
            pack=world.pack,
        )

    (lost,) = refused(meet(world, send("coordinator"), send("second_coordinator")))
    assert isinstance(lost, ConflictError)
    assert (book.actions(), how_many(Referral)) == (["referral:send"], 1)


def flag_form(world):
    draft = worlds.draft(world)
    actor = world.actor("first_responder")
    return lambda form_id: identification.send_flag(actor, draft, world.pack, form_id=form_id)


def accept_form(world):
    _, sent = worlds.referred(world)
    actor = world.actor("provider")
    return lambda form_id: provision.accept(actor, sent, world.pack, form_id=form_id)


def referral_form(world):
    reference = worlds.consented(world)
    version = worlds.version(world, reference)
    return lambda form_id: referral.send(
        world.actor("coordinator"),
        reference,
        SERVICE,
        world.organisations["lakes"],
        referral.Words(),
        version=version,
        pack=world.pack,
        form_id=form_id,
    )


def service_form(world):
    """Nothing but its form tells a service that was given twice from one that was sent twice."""
    _, sent = worlds.accepted(world)
    new = provision.NewService(SERVICE, "given", world.today)
    actor = world.actor("provider")
    return lambda form_id: provision.record_service(actor, sent, new, world.pack, form_id=form_id)


@pytest.mark.parametrize(
    ("form", "made"),
    [
        (flag_form, Case),
        (accept_form, Referral),
        (referral_form, Referral),
        (service_form, ServiceRecord),
    ],
)
def test_a_form_that_eight_windows_send_has_one_result_and_all_are_led_to_it(world, form, made):
    send, form_id = form(world), uuid4()
    book = Ledger()
    outcomes = meet(world, *[lambda: send(form_id)] * 8)
    (first,) = [outcome for outcome in outcomes if isinstance(outcome, str)]
    again = refused(outcomes)
    assert [type(error) for error in again] == [AlreadyDoneError] * 7
    assert {error.outcome for error in again} == {first}
    assert len(book.actions()) == 1
    assert how_many(made) == how_many(FormReceipt, FormReceipt.form_id == form_id) == 1


def test_two_windows_that_save_two_pages_of_one_draft_are_both_kept(world):
    actor = world.actor("first_responder")
    draft = worlds.draft(world)

    def save(page, answers):
        return lambda: identification.save_page(actor, draft, page, answers)

    for number in range(3):
        outcomes = meet(
            world,
            save("signs", {"account": f"practice {number}"}),
            save("contact", {"words": f"practice {number}"}),
        )
        assert refused(outcomes) == []
        kept = identification.read_draft(actor, draft).pages
        assert kept["signs"]["account"] == kept["contact"]["words"] == f"practice {number}"


def unanswered(world):
    """A referral whose time to answer ran out long ago: (case reference, referral reference)."""
    with acting_at(datetime.now(UTC) - timedelta(days=60)):
        return worlds.referred(world)


def test_two_rounds_of_housekeeping_at_once_take_a_referral_back_once(world):
    unanswered(world)
    book = Ledger()
    outcomes = meet(world, *[lambda: provision.expire(world.pack)] * 4)
    assert sorted(outcomes) == [0, 0, 0, 1]
    assert book.actions() == ["referral:expire"]
    assert now(Referral).state is ReferralState.EXPIRED


def test_an_answer_in_the_last_moment_and_the_expiry_do_not_both_count(world):
    _, sent = unanswered(world)
    book = Ledger()
    meet(
        world,
        lambda: provision.accept(world.actor("provider"), sent, world.pack),
        lambda: provision.expire(world.pack),
    )
    state, assistance = {
        "referral:accept": (ReferralState.ACCEPTED, Assistance.ASSISTED),
        "referral:expire": (ReferralState.EXPIRED, Assistance.NEEDS_RECORDED),
    }[book.actions()[0]]
    assert len(book.actions()) == 1
    assert (now(Referral).state, now(Case).assistance) == (state, assistance)
