"""Somebody leaves: what they were at goes to a queue, and somebody sees it there."""

import pytest
from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError, RefusedError
from nrm.domain.lifecycle import ErasureState, HandOverState, ReferralState
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.models import Account, FlagDraft, Referral
from nrm.services import (
    absence,
    casefile,
    erasure,
    hand_over,
    identification,
    left_drafts,
    ownership,
    people,
    provision,
)
from nrm.services.audit import record
from nrm.services.casefile import Queue
from tests import world as worlds
from tests.access import case_of, told
from tests.services.test_absence import be_away
from tests.services.test_hand_over import state
from tests.services.test_ownership import listed


def leave(world, *names):
    for name in names:
        people.disable(world.actor("administrator"), world.accounts[name])


def test_the_cases_of_a_leaver_are_nobodys_and_say_whose_they_were(world):
    first, second = worlds.presumed(world), worlds.presumed(world)
    closed, _ = worlds.closed(world)
    leave(world, "coordinator")
    assert set(listed(world, "second_coordinator", Queue.NOBODYS)) == {first, second}
    case = case_of(first)
    assert (case.owner_id, case.left_by.name) == (None, world.person_name("coordinator"))
    # What is closed stays with whoever closed it.
    assert case_of(closed).owner_id == world.accounts["coordinator"]
    newest = casefile.timeline(case.id, 1)[0]
    assert newest.action is Action.CASE_LEAVE
    assert (newest.who, newest.about) == ("", world.person_name("coordinator"))
    casefile.reveal(world.actor("second_coordinator"), first, "health", "safety")


def test_whoever_takes_it_ends_the_mark(world):
    reference = worlds.presumed(world)
    leave(world, "coordinator")
    ownership.take(world.actor("second_coordinator"), reference)
    assert case_of(reference).left_by_id is None


def test_each_case_has_an_entry_of_its_own_and_the_administrator_names_none(world, ledger):
    references = [worlds.presumed(world) for _ in range(3)]
    leave(world, "coordinator")
    new = ledger.entries()
    left = [entry for entry in new if entry.action == Action.CASE_LEAVE]
    assert {entry.case_id for entry in left} == {case_of(one).id for one in references}
    assert {entry.actor_id for entry in left} == {None}
    disabled = [entry for entry in new if entry.action == Action.ACCOUNT_DISABLE]
    assert [entry.case_id for entry in disabled] == [None]


def test_an_offer_to_a_leaver_is_not_taken_and_who_offered_is_told(world):
    reference, offer = worlds.offered(world)
    leave(world, "other_coordinator")
    assert state(offer) is HandOverState.NOT_TAKEN
    assert told(world, "coordinator") == ["hand_over_not_taken"]
    assert case_of(reference).owner_id == world.accounts["coordinator"]


def test_an_offer_by_a_leaver_can_still_be_taken(world):
    reference, offer = worlds.offered(world)
    leave(world, "coordinator")
    hand_over.take_over(world.actor("other_coordinator"), offer)
    assert case_of(reference).owner_id == world.accounts["other_coordinator"]


def test_who_stood_in_stands_in_no_more(world):
    reference = worlds.presumed(world)
    be_away(world)
    leave(world, "second_coordinator")
    assert told(world, "coordinator") == ["stand_in_gone"]
    standing = absence.standing(world.actor("coordinator"), world.pack)
    assert (standing.until is not None, standing.stand_in) == (True, "")
    assert case_of(reference).owner_id == world.accounts["coordinator"]


def test_somebody_who_was_away_and_leaves_leaves_all_the_same(world):
    reference = worlds.presumed(world)
    be_away(world)
    leave(world, "coordinator")
    assert listed(world, "second_coordinator", Queue.MINE) == []
    assert listed(world, "second_coordinator", Queue.NOBODYS) == [reference]


def test_a_draft_stays_and_a_colleague_goes_on_with_it(world, ledger):
    draft = worlds.left_draft(world)
    seen = identification.my_flags(world.actor("second_responder")).left
    assert [(one.draft.id, one.left_by) for one in seen] == [
        (draft, world.person_name("first_responder"))
    ]
    assert identification.my_flags(world.actor("other_responder")).left == []
    left_drafts.take(world.actor("second_responder"), draft, "goes_on")
    entry = ledger.entries()[-1]
    assert (entry.action, entry.purpose) == (Action.DRAFT_TAKE, "goes_on")
    opened = identification.read_draft(world.actor("second_responder"), draft)
    assert opened.pages["person"]["family_name"] == "Person"
    reference = identification.send_flag(world.actor("second_responder"), draft, world.pack)
    assert case_of(reference).flagged_by_id == world.accounts["second_responder"]
    # Whoever comes back has lost it.
    people.enable(world.actor("administrator"), world.accounts["first_responder"])
    assert identification.my_flags(world.actor("first_responder")).drafts == []


def test_before_it_is_taken_nobody_reads_it(world):
    draft = worlds.left_draft(world)
    for name in ("second_responder", "other_responder"):
        with pytest.raises(NotFoundError):
            identification.read_draft(world.actor(name), draft)


@pytest.mark.parametrize("reason", ["", "because"])
def test_it_takes_a_reason(world, reason):
    draft = worlds.left_draft(world)
    with pytest.raises(InvalidInputError):
        left_drafts.take(world.actor("second_responder"), draft, reason)


def test_the_draft_of_somebody_who_is_there_is_nobody_elses(world):
    draft = worlds.draft(world)
    assert identification.my_flags(world.actor("second_responder")).left == []
    for act in (
        lambda: left_drafts.take(world.actor("second_responder"), draft, "goes_on"),
        lambda: left_drafts.give(
            world.actor("coordinator"), draft, world.accounts["second_responder"]
        ),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_a_draft_of_somebody_in_another_role_now_is_left_too(world):
    draft = worlds.draft(world)
    with unit_of_work() as unit:
        db.session.execute(
            update(Account)
            .where(Account.id == world.accounts["first_responder"])
            .values(role=Role.ANALYST)
        )
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    seen = identification.my_flags(world.actor("second_responder")).left
    assert [one.draft.id for one in seen] == [draft]


def test_where_nobody_is_left_a_coordinator_finds_somebody(world):
    draft = worlds.left_draft(world, "other_responder")
    page = casefile.worklist(world.actor("coordinator"), Queue.ALL)
    assert page.drafts_left == 1
    [left] = left_drafts.everywhere(world.actor("coordinator"))
    assert (left.organisation, left.has_colleagues) == ("Practice Border Post", False)
    with pytest.raises(RefusedError):
        identification.read_draft(world.actor("coordinator"), draft)
    to = world.accounts["first_responder"]
    left_drafts.give(world.actor("coordinator"), draft, to)
    assert told(world, "first_responder") == ["draft_given"]
    identification.send_flag(world.actor("first_responder"), draft, world.pack)
    assert casefile.worklist(world.actor("coordinator"), Queue.ALL).drafts_left == 0


def test_where_colleagues_are_left_it_goes_to_one_of_them(world):
    draft = worlds.left_draft(world)
    coordinator = world.actor("coordinator")
    for name in ("other_responder", "provider", "first_responder"):
        with pytest.raises(InvalidInputError):
            left_drafts.give(coordinator, draft, world.accounts[name])
    left_drafts.give(coordinator, draft, world.accounts["second_responder"])
    assert db.session.get_one(FlagDraft, draft).account_id == world.accounts["second_responder"]


def test_a_referral_belongs_to_the_organisation_that_goes_on(world):
    reference, sent = worlds.accepted(world)
    waiting_case, waiting = worlds.referred(world)
    leave(world, "provider")
    assert told(world, "coordinator") == []
    colleague = world.actor("colleague")
    assert provision.read(colleague, sent).opened
    provision.accept(colleague, waiting, world.pack)
    states = set(db.session.scalars(select(Referral.state)))
    assert states == {ReferralState.ACCEPTED}
    assert {case_of(one).closed_at for one in (reference, waiting_case)} == {None}


def test_where_the_last_of_a_provider_goes_whoever_looks_after_the_person_is_told(world):
    worlds.referred(world)
    worlds.accepted(world)
    worlds.served(world)
    worlds.closed(world)
    leave(world, "provider", "colleague")
    assert told(world, "coordinator") == ["provider_gone"] * 3
    assert told(world, "second_coordinator") == []


def test_of_nobodys_case_every_coordinator_is_told_and_of_an_absent_ones_the_stand_in(world):
    worlds.referred(world)
    be_away(world)
    leave(world, "provider", "colleague")
    assert told(world, "second_coordinator") == ["stands_in", "provider_gone"]
    worlds.referred(world, to="hills")
    leave(world, "coordinator", "other_provider")
    assert told(world, "second_coordinator")[2:] == ["provider_gone"]
    assert told(world, "other_coordinator") == ["provider_gone"]


def test_what_a_leaver_asked_for_is_answered_by_another(world):
    reference, _ = worlds.closed(world)
    asked = erasure.ask(world.actor("coordinator"), reference, "duplicate")
    leave(world, "coordinator")
    waiting = erasure.requests(world.actor("second_coordinator"), ErasureState.ASKED)
    assert [row.erasure.id for row in waiting.rows] == [asked]
    erasure.carry_out(world.actor("second_coordinator"), asked, reference, world.app.config["NRM"])
