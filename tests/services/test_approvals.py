"""What cannot be undone: one person asks, another approves, and it happens in the same breath."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.approval import RULES, ApprovalKind
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from nrm.domain.lifecycle import ApprovalState
from nrm.domain.policy import may
from nrm.domain.roles import HOUSEKEEPING, HUMAN_ROLES, Actor, Permission, Role
from nrm.models import Account, Approval, Bar, Case
from nrm.services import approvals, people, visibility
from nrm.services.audit import record
from tests import ledger as ledgers
from tests import world as worlds
from tests.services.two_people import APPROVED_BY, ASKED_BY, asked, case_id, registered
from tests.world import ACCOUNTS

EACH = pytest.mark.parametrize("kind", ApprovalKind)


def state(approval_id):
    found = db.session.scalar(select(Approval.state).where(Approval.id == approval_id))
    db.session.rollback()
    return found


def change(statement):
    """Change something as an act of nobody's would."""
    with unit_of_work() as unit:
        db.session.execute(statement)
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


def bar(world, case, **whom):
    with unit_of_work() as unit:
        db.session.add(
            Bar(
                id=uuid4(),
                case_id=case,
                reason="practice",
                placed_by_id=world.accounts["coordinator"],
                placed_at=unit.now,
                **whom,
            )
        )
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


@EACH
def test_it_happens_with_the_second_persons_word_and_leaves_one_entry(world, kind):
    approval_id = asked(world, kind)
    second = world.actor(APPROVED_BY[kind])
    book = ledgers.Ledger()
    approvals.confirm(second, approval_id)
    assert state(approval_id) is ApprovalState.CONFIRMED
    entry = book.only()
    assert (entry.action, entry.purpose) == (Action.APPROVAL_CONFIRM, kind)
    assert entry.subject_type == RULES[kind].subject
    assert (entry.case_id is not None) == (kind is ApprovalKind.CASE_MERGE)


@EACH
def test_whoever_asked_is_never_the_second_person(world, kind):
    approval_id = asked(world, kind)
    first = world.actor(ASKED_BY[kind])
    # In any role that they may have by now.
    for role in HUMAN_ROLES:
        same = Actor(first.id, first.organisation_id, role, first.session_ref)
        with ledgers.nothing_changes(), pytest.raises(RefusedError):
            approvals.confirm(same, approval_id)
        with ledgers.nothing_changes(), pytest.raises(RefusedError):
            approvals.reject(same, approval_id, "not_needed")
    assert state(approval_id) is ApprovalState.REQUESTED


def test_nobody_approves_their_own_new_role(world):
    registered()
    first, about = world.actor("administrator"), world.actor("auditor")
    with unit_of_work() as unit:
        wanted = {"from": "auditor", "to": "administrator"}
        request = approvals.ask(unit, first, ApprovalKind.ROLE_CHANGE, about.id, wanted)
    with ledgers.nothing_changes(), pytest.raises(NotFoundError):
        approvals.confirm(about, request)
    assert approvals.requests(about, ApprovalState.REQUESTED).rows == []


def test_the_role_changes_with_the_approval_and_not_before(world):
    approval_id = asked(world)
    account = select(Account.role).where(Account.id == world.accounts["analyst"])
    assert db.session.scalar(account) is Role.ANALYST
    approvals.confirm(world.actor("auditor"), approval_id)
    assert db.session.scalar(account) is Role.COORDINATOR


def test_what_has_changed_since_is_not_done_and_can_still_be_refused(world):
    approval_id = asked(world)
    account = Account.id == world.accounts["analyst"]
    change(update(Account).where(account).values(role=Role.DIRECTORY_MANAGER))
    with ledgers.nothing_changes(), pytest.raises(ConflictError, match="changed since"):
        approvals.confirm(world.actor("auditor"), approval_id)
    assert state(approval_id) is ApprovalState.REQUESTED
    approvals.reject(world.actor("auditor"), approval_id, "wrong_record")
    assert state(approval_id) is ApprovalState.REJECTED


@pytest.mark.parametrize("how", ["left", "has another role"])
def test_nothing_is_done_for_somebody_who_may_not_ask_any_more(world, how):
    approval_id = asked(world, ApprovalKind.CASE_MERGE)
    if how == "left":
        people.disable(world.actor("administrator"), world.accounts["coordinator"])
    else:
        mine = Account.id == world.accounts["coordinator"]
        change(update(Account).where(mine).values(role=Role.ANALYST))
    with ledgers.nothing_changes(), pytest.raises(ConflictError, match="may not ask"):
        approvals.confirm(world.actor("second_coordinator"), approval_id)


@pytest.mark.parametrize(
    ("first", "then"),
    [("confirm", "reject"), ("reject", "confirm"), ("cancel", "confirm"), ("confirm", "cancel")],
)
def test_a_second_answer_is_told_what_became_of_it(world, first, then):
    approval_id = asked(world)
    answers = {
        "confirm": lambda: approvals.confirm(world.actor("auditor"), approval_id),
        "reject": lambda: approvals.reject(world.actor("auditor"), approval_id, "too_wide"),
        "cancel": lambda: approvals.cancel(world.actor("administrator"), approval_id),
    }
    answers[first]()
    with ledgers.nothing_changes(), pytest.raises(ConflictError) as late:
        answers[then]()
    assert late.value.who.startswith("Practice")
    assert late.value.when is not None


def test_only_who_asked_takes_a_request_back(world):
    approval_id = asked(world)
    with ledgers.nothing_changes(), pytest.raises(RefusedError):
        approvals.cancel(world.actor("auditor"), approval_id)
    approvals.cancel(world.actor("administrator"), approval_id)
    assert state(approval_id) is ApprovalState.CANCELLED


def test_the_same_is_asked_for_once_at_a_time(world):
    approval_id = asked(world)
    with ledgers.nothing_changes(), pytest.raises(ConflictError, match="already"):
        asked(world)
    approvals.cancel(world.actor("administrator"), approval_id)
    asked(world)


def test_a_reason_of_no_list_is_refused(world):
    approval_id = asked(world)
    with ledgers.nothing_changes(), pytest.raises(InvalidInputError):
        approvals.reject(world.actor("auditor"), approval_id, "because")


def test_what_nobody_could_carry_out_cannot_be_asked_for(world, monkeypatch):
    monkeypatch.setattr(approvals, "APPROVED", {})
    actor = world.actor("coordinator")
    with ledgers.nothing_changes(), pytest.raises(LookupError), unit_of_work() as unit:
        approvals.ask(unit, actor, ApprovalKind.BULK_EXPORT, uuid4(), {})


@EACH
def test_after_a_week_a_request_lapses_and_no_answer_counts(world, kind):
    approval_id = asked(world, kind)
    assert approvals.lapse() == 0
    week = RULES[kind].lives + timedelta(minutes=1)
    asked_at = db.session.scalar(select(Approval.asked_at).where(Approval.id == approval_id))
    mine = Approval.id == approval_id
    change(update(Approval).where(mine).values(asked_at=asked_at - week))
    with ledgers.nothing_changes(), pytest.raises(ConflictError, match="ran out"):
        approvals.confirm(world.actor(APPROVED_BY[kind]), approval_id)
    book = ledgers.Ledger()
    assert approvals.lapse() == 1
    assert (book.only().action, book.only().actor_id) == (Action.APPROVAL_LAPSE, None)
    assert state(approval_id) is ApprovalState.LAPSED
    assert approvals.lapse() == 0


@pytest.mark.parametrize("whom", ["account_id", "organisation_id"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_bar_from_either_file_hides_the_request(world, which, whom):
    registered()
    cases = [case_id(worlds.flag(world)) for _ in range(2)]
    first = world.actor("coordinator")
    with unit_of_work() as unit:
        wanted = {"cases": [str(case) for case in cases]}
        request = approvals.ask(unit, first, ApprovalKind.CASE_MERGE, cases[0], wanted, cases[0])
    second = world.actor("second_coordinator")
    assert len(approvals.requests(second, ApprovalState.REQUESTED).rows) == 1
    kept_from = {"account_id": second.id, "organisation_id": second.organisation_id}
    bar(world, cases[which], **{whom: kept_from[whom]})
    assert approvals.requests(second, ApprovalState.REQUESTED).rows == []
    for act in (approvals.read, approvals.confirm):
        with ledgers.nothing_changes(), pytest.raises(NotFoundError):
            act(second, request)
    assert db.session.get_one(Case, cases[1]).closed_at is None


def test_what_is_asked_for_is_sealed(world):
    asked(world)
    (sealed,) = db.session.scalars(select(Approval.wanted)).all()
    assert b"coordinator" not in sealed
    assert len(sealed) > 512


def test_whoever_may_answer_or_take_back_sees_a_request_and_nobody_else(world):
    for kind in ApprovalKind:
        asked(world, kind)
    every = db.session.scalars(select(Approval)).all()
    seen = 0
    for name in ACCOUNTS:
        actor = world.actor(name)
        found = {one.id for one in db.session.scalars(visibility.visible_approvals(actor))}
        allowed = {
            one.id
            for one in every
            if may(actor, RULES[one.kind].approves, visibility.approval_standing(one)).allowed
            or may(actor, Permission.APPROVAL_ASK, visibility.approval_standing(one)).allowed
        }
        assert found == allowed, name
        seen += len(found)
    assert 0 < seen < len(every) * len(ACCOUNTS)
