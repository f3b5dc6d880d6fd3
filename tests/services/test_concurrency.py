"""Two people, or two windows, at once: exactly one act happens, and the other one is told."""

import threading
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from nrm.db import db
from nrm.domain.errors import AlreadyDoneError, ConflictError
from nrm.domain.lifecycle import ReferralState
from nrm.models import Case, FormReceipt, Referral
from nrm.services import identification, provision, referral
from tests import world as worlds
from tests.ledger import Ledger

TWENTY = 20


def at_once(world, act, times):
    """Do something in many threads that all begin together; give what each came to."""
    start = threading.Barrier(times)
    outcomes = [None] * times

    def run(number):
        with world.app.app_context():
            start.wait()
            try:
                outcomes[number] = act(number)
            except (ConflictError, AlreadyDoneError) as lost:
                outcomes[number] = lost

    threads = [threading.Thread(target=run, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_twenty_who_accept_at_once_exactly_one_wins(world, counted):
    _, sent = worlds.referred(world)
    book = Ledger()
    people = ["provider", "colleague"]

    outcomes = at_once(
        world,
        lambda number: provision.accept(world.actor(people[number % 2]), sent, world.pack),
        TWENTY,
    )

    won = [outcome for outcome in outcomes if isinstance(outcome, str)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
    assert (len(won), len(lost)) == (1, TWENTY - 1)
    assert book.actions() == ["referral:accept"]
    kept = db.session.scalars(select(Referral)).one()
    assert (kept.state, kept.version) == (ReferralState.ACCEPTED, 2)
    winner = {world.accounts[name]: world.person_name(name) for name in people}[kept.answered_by_id]
    assert {(error.words, error.who, error.when) for error in lost} == {
        ("This referral was accepted", winner, kept.answered_at)
    }
    counted(f"row 25: accepted by {TWENTY} at once: {len(won)} wins, {len(lost)} are told, 1 entry")


def test_accepting_and_declining_at_once_leaves_one_answer(world):
    _, sent = worlds.referred(world)
    book = Ledger()

    def answer(number):
        if number % 2:
            return provision.accept(world.actor("provider"), sent, world.pack)
        return provision.decline(world.actor("colleague"), sent, "no_capacity", "", world.pack)

    outcomes = at_once(world, answer, 8)
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert len(book.actions()) == 1


def test_one_form_sent_from_many_windows_at_once_has_one_result(world):
    draft = worlds.draft(world)
    form_id = uuid4()
    actor = world.actor("first_responder")
    outcomes = at_once(
        world,
        lambda _: identification.send_flag(actor, draft, world.pack, form_id=form_id),
        8,
    )
    made = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(made) == 1
    again = {error.outcome for error in outcomes if isinstance(error, AlreadyDoneError)}
    assert again == set(made)
    assert db.session.scalar(select(func.count()).select_from(Case)) == 1
    assert db.session.scalar(select(func.count()).select_from(FormReceipt)) == 1


def test_a_double_click_on_accepting_is_led_to_the_first_click(world, counted):
    """No later click hears that somebody else was faster: it was the same person (row 25)."""
    _, sent = worlds.referred(world)
    form_id, book = uuid4(), Ledger()
    outcomes = at_once(
        world,
        lambda _: provision.accept(world.actor("provider"), sent, world.pack, form_id=form_id),
        TWENTY,
    )
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    again = [outcome for outcome in outcomes if isinstance(outcome, AlreadyDoneError)]
    assert [error.outcome for error in again] == [sent] * (TWENTY - 1)
    assert book.actions() == ["referral:accept"]
    counted(f"row 25: clicked {TWENTY} times: 1 accepted, 1 entry, {len(again)} led to the first")


def test_of_two_who_read_the_same_version_the_second_is_told(world):
    reference = worlds.presumed(world)
    read = worlds.version(world, reference)

    def needs(name, need):
        referral.record_needs(world.actor(name), reference, [need], version=read, pack=world.pack)

    needs("coordinator", "emergency_shelter")
    with pytest.raises(ConflictError):
        needs("second_coordinator", "education")
    assert worlds.version(world, reference) == read + 1


def test_many_coordinators_on_one_version_leave_one_change(world):
    reference = worlds.presumed(world)
    read = worlds.version(world, reference)
    book = Ledger()
    at_once(
        world,
        lambda _: referral.record_needs(
            world.actor("coordinator"),
            reference,
            ["emergency_shelter"],
            version=read,
            pack=world.pack,
        ),
        8,
    )
    assert book.actions() == ["needs:record"]
    assert worlds.version(world, reference) == read + 1


def test_two_windows_on_one_draft_lose_no_page(world):
    actor = world.actor("first_responder")
    draft = worlds.draft(world)

    def save(number):
        page = ("person", "signs", "contact", "risk")[number]
        identification.save_page(actor, draft, page, {**worlds.pages()[page], "words": str(number)})
        return page

    saved = [outcome for outcome in at_once(world, save, 4) if isinstance(outcome, str)]
    assert saved
    kept = identification.read_draft(actor, draft).pages
    assert all(kept[page]["words"].isdigit() for page in saved)
