"""Emergency access: a reason, an hour, one case; told in the same act and reviewed by another.

Row 36 of the attack table: without a reason, expired or barred it is refused; a valid one is told
in the transaction that opens, and waits in the review queue.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.emergency import LASTS, REVIEW_WITHIN
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from nrm.domain.roles import HOUSEKEEPING, Actor, Role
from nrm.models import AuditEntry, BrokenGlass, Case, Notice, SealedNote
from nrm.services import casefile, glass, glass_review, notices
from nrm.services.audit import record
from tests import ledger as ledgers
from tests import world as worlds
from tests.world import CANARIES

WORDS = "Practice words."


def look_after(reference, account_id):
    with unit_of_work() as unit:
        case = db.session.scalars(select(Case).where(Case.reference == reference)).one()
        case.owner_id = account_id
        record(unit, HOUSEKEEPING, Action.CASE_OPEN)


def told(world, kind="glass_broken"):
    """Name everybody who was told, by their name in the world."""
    db.session.rollback()
    names = {account_id: name for name, account_id in world.accounts.items()}
    rows = db.session.scalars(select(Notice.account_id).where(Notice.kind == kind))
    return sorted(names[account_id] for account_id in rows)


@pytest.mark.parametrize(
    ("reason", "words", "field"),
    [("", WORDS, "reason"), ("curious", WORDS, "reason"), ("danger_to_life", "  ", "words")],
)
def test_without_a_reason_and_words_nothing_opens(world, reason, words, field):
    reference = worlds.flag(world)
    with ledgers.nothing_changes(), pytest.raises(InvalidInputError) as refused:
        glass.break_case(world.actor("coordinator"), reference, reason, words)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("by", "make", "look", "opens"),
    [
        ("first_responder", worlds.flag, glass.at_case, {"identity", "contact"}),
        ("coordinator", worlds.flag, glass.at_case, {"enforcement"}),
        ("provider", lambda world: worlds.referred(world)[1], glass.at_referral,
         {"identity", "contact"}),
    ],
)  # fmt: skip
def test_who_opens_what_and_no_more(world, by, make, look, opens):
    what = make(world)
    actor = world.actor(by)
    before = look(actor, what)
    assert (before.until, before.opened, set(before.compartments)) == (None, None, opens)
    worlds.opened_in_emergency(world, what, by)
    door = look(actor, what)
    assert set(door.opened) == opens
    assert timedelta(minutes=59) < door.until - datetime.now(UTC) <= LASTS


def test_a_colleagues_case_opens_its_health_too(world):
    reference = worlds.flag(world)
    look_after(reference, world.accounts["second_coordinator"])
    coordinator = world.actor("coordinator")
    with pytest.raises(RefusedError):
        casefile.reveal(coordinator, reference, "health", "safety")
    worlds.opened_in_emergency(world, reference)
    door = glass.at_case(coordinator, reference)
    assert set(door.compartments) == {"health", "enforcement"}
    assert door.opened["health"]["health_words"] == "A practice note."
    file = casefile.overview(coordinator, reference, {}).file
    assert file.emergency_until == door.until
    owner = casefile.overview(world.actor("second_coordinator"), reference, {}).file
    assert owner.emergency_until is None


def test_after_an_hour_it_closes_by_itself_and_was_one_case_alone(world):
    reference, other = worlds.flag(world), worlds.flag(world)
    actor = world.actor("first_responder")
    worlds.opened_in_emergency(world, reference, "first_responder")
    assert glass.at_case(actor, other).opened is None
    assert glass.at_case(actor, reference).opened is not None
    assert glass.at_case(world.actor("coordinator"), reference).opened is None
    if db.engine.dialect.name == "sqlite":
        with time_machine.travel(datetime.now(UTC) + LASTS, tick=True):
            assert glass.at_case(actor, reference).opened is None
    with unit_of_work() as unit:
        one = db.session.scalars(select(BrokenGlass)).one()
        one.expires_at = unit.now
        record(unit, HOUSEKEEPING, Action.GLASS_BREAK)
    book = ledgers.Ledger()
    assert glass.at_case(actor, reference).opened is None
    assert book.entries() == []
    # It can be opened anew, and that is another act with another reason.
    worlds.opened_in_emergency(world, reference, "first_responder")
    assert glass.at_case(actor, reference).opened is not None


def test_what_is_open_is_not_opened_again(world):
    reference = worlds.flag(world)
    worlds.opened_in_emergency(world, reference)
    with ledgers.nothing_changes(), pytest.raises(ConflictError):
        worlds.opened_in_emergency(world, reference)


def test_whoever_has_no_part_in_it_cannot(world):
    case, sent = worlds.referred(world)
    with ledgers.nothing_changes():
        for name in ("other_responder", "provider", "auditor", "administrator", "analyst"):
            with pytest.raises(NotFoundError):
                glass.break_case(world.actor(name), case, "danger_to_life", WORDS)
        for name in ("other_provider", "coordinator", "auditor"):
            with pytest.raises(NotFoundError):
                glass.break_referral(world.actor(name), sent, "danger_to_life", WORDS)


def test_those_who_look_after_the_case_and_all_reviewers_are_told_in_the_same_act(world):
    reference = worlds.flag(world)
    with ledgers.broken_log(), pytest.raises(ledgers.LogRefusedError):
        worlds.opened_in_emergency(world, reference, "first_responder")
    assert told(world) == []
    worlds.opened_in_emergency(world, reference, "first_responder")
    # Nobody looks after it yet, so every coordinator is told.
    assert told(world) == ["auditor", "coordinator", "other_coordinator", "second_coordinator"]


def test_of_a_case_that_has_an_owner_the_owner_is_told_and_nobody_else_of_the_unit(world):
    reference = worlds.flag(world)
    look_after(reference, world.accounts["second_coordinator"])
    worlds.opened_in_emergency(world, reference)
    assert told(world) == ["auditor", "second_coordinator"]


def test_whoever_is_barred_is_not_told_and_reviews_nothing(world):
    reference = worlds.flag(world)
    worlds.kept_out(world, reference, "auditor")
    glass_id = worlds.opened_in_emergency(world, reference)
    assert told(world) == ["other_coordinator", "second_coordinator"]
    auditor = world.actor("auditor")
    assert glass_review.queue(auditor) == []
    for act in (
        lambda: glass_review.read(auditor, glass_id),
        lambda: glass_review.review(auditor, glass_id, "justified", ""),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_a_bar_that_comes_later_closes_what_is_open(world):
    reference = worlds.flag(world)
    worlds.opened_in_emergency(world, reference, "first_responder")
    worlds.kept_out(world, reference, "first_responder")
    with pytest.raises(NotFoundError):
        glass.at_case(world.actor("first_responder"), reference)


# The review.


def test_it_waits_for_a_review_with_its_words_and_what_was_opened(world):
    reference = worlds.flag(world)
    glass_id = worlds.opened_in_emergency(world, reference, "first_responder")
    glass.at_case(world.actor("first_responder"), reference)
    auditor = world.actor("auditor")
    [waiting] = glass_review.queue(auditor)
    assert waiting.case.reference == reference
    assert waiting.glass.review_due_at - waiting.glass.broken_at == REVIEW_WITHIN
    found = glass_review.read(auditor, glass_id)
    assert found.words == CANARIES["glass_words"]
    assert [parts for _, parts in found.openings] == ["contact identity"]
    opened = db.session.scalars(
        select(AuditEntry.purpose).where(AuditEntry.action == Action.COMPARTMENT_OPEN)
    ).all()
    assert opened == ["break_glass"]
    kinds = db.session.scalars(
        select(SealedNote.compartment).where(SealedNote.kind == "break_glass")
    ).all()
    assert kinds == ["emergency"]


def test_nobody_reviews_their_own_whatever_their_role_has_become(world):
    glass_id = worlds.opened_in_emergency(world, worlds.flag(world))
    self = world.actor("coordinator")
    now_auditor = Actor(self.id, self.organisation_id, Role.AUDITOR, self.session_ref)
    with ledgers.nothing_changes(), pytest.raises(RefusedError, match="other than the person"):
        glass_review.review(now_auditor, glass_id, "justified", "")


def test_a_review_is_made_once_and_says_why_where_it_was_not_right(world):
    glass_id = worlds.opened_in_emergency(world, worlds.flag(world))
    auditor = world.actor("auditor")
    for verdict, field in (("", "verdict"), ("not_justified", "words")):
        with ledgers.nothing_changes(), pytest.raises(InvalidInputError) as refused:
            glass_review.review(auditor, glass_id, verdict, " ")
        assert refused.value.field == field
    glass_review.review(auditor, glass_id, "not_justified", CANARIES["review_words"])
    with ledgers.nothing_changes(), pytest.raises(ConflictError):
        glass_review.review(auditor, glass_id, "justified", "")
    assert glass_review.queue(auditor) == []
    [done] = glass_review.queue(auditor, reviewed=True)
    assert (done.glass.verdict, done.reviewed_by) == (
        "not_justified",
        world.person_name("auditor"),
    )
    assert glass_review.read(auditor, glass_id).verdict_words == CANARIES["review_words"]
    assert told(world, "glass_reviewed") == ["coordinator"]


def test_an_overdue_review_is_told_once_to_those_who_can_see_to_it(world):
    reference = worlds.flag(world)
    worlds.opened_in_emergency(world, reference)
    assert glass.escalate() == 0
    with unit_of_work() as unit:
        one = db.session.scalars(select(BrokenGlass)).one()
        one.review_due_at = unit.now - timedelta(minutes=1)
        record(unit, HOUSEKEEPING, Action.GLASS_BREAK)
    assert glass.escalate() == 1
    assert glass.escalate() == 0
    # Never an administrator, who learns nothing of any case.
    assert told(world, "glass_overdue") == ["auditor", "other_coordinator", "second_coordinator"]
    [waiting] = glass_review.queue(world.actor("auditor"))
    assert waiting.overdue


# Notices.


def test_a_notice_is_seen_by_whoever_it_is_for_and_then_gone(world):
    worlds.opened_in_emergency(world, worlds.flag(world), "first_responder")
    coordinator, auditor = world.actor("coordinator"), world.actor("auditor")
    [one] = notices.waiting(coordinator)
    with ledgers.nothing_changes(), pytest.raises(NotFoundError):
        notices.see(auditor, one.notice.id)
    notices.see(coordinator, one.notice.id)
    assert notices.waiting(coordinator) == []
    assert len(notices.waiting(auditor)) == 1


def test_a_bar_that_comes_later_takes_the_notice_away(world):
    reference = worlds.flag(world)
    worlds.opened_in_emergency(world, reference, "first_responder")
    second = world.actor("second_coordinator")
    [one] = notices.waiting(second)
    worlds.kept_out(world, reference, "second_coordinator")
    assert notices.waiting(second) == []
    with ledgers.nothing_changes(), pytest.raises(NotFoundError):
        notices.see(second, one.notice.id)


def test_a_kind_that_nobody_can_read_is_refused(world):
    with pytest.raises(ValueError, match="no such kind"), unit_of_work() as unit:
        notices.tell(unit, [world.accounts["auditor"]], "gossip", uuid4(), None)


def test_attack_row_36_counted(world, counted):
    """Every way to open without right, on every kind of record; a right one is told in its act."""
    case, sent = worlds.referred(world)
    barred_case, barred_sent = worlds.referred(world)
    for name in ("coordinator", "first_responder", "provider"):
        worlds.kept_out(world, barred_case, name, by="second_coordinator")
    ways = {
        "coordinator": (glass.break_case, case, barred_case),
        "first_responder": (glass.break_case, case, barred_case),
        "provider": (glass.break_referral, sent, barred_sent),
    }
    looks = {"coordinator": glass.at_case, "first_responder": glass.at_case,
             "provider": glass.at_referral}  # fmt: skip
    refused = expired = notified = 0
    with ledgers.nothing_changes():
        for name, (act, open_to, barred) in ways.items():
            for what, reason, words in (
                (open_to, "", WORDS),
                (open_to, "nonsense", WORDS),
                (open_to, "danger_to_life", ""),
                (open_to, "danger_to_life", " \n"),
                (barred, "danger_to_life", WORDS),
            ):
                with pytest.raises((InvalidInputError, NotFoundError)):
                    act(world.actor(name), what, reason, words)
                refused += 1
    for name, (act, open_to, _barred) in ways.items():
        book, before = ledgers.Ledger(), len(told(world))
        act(world.actor(name), open_to, "danger_to_life", WORDS)
        # One entry is one transaction: whoever is told was told in the act that opened.
        assert book.actions() == ["glass:break"]
        notified += len(told(world)) - before
        assert looks[name](world.actor(name), open_to).opened is not None
        over(name, world)
        assert looks[name](world.actor(name), open_to).opened is None
        expired += 1
    assert len(glass_review.queue(world.actor("auditor"))) == len(ways)
    assert (refused, expired) == (15, 3)
    assert notified > len(ways)
    counted(
        f"row 36: without a reason, without words or barred: refused {refused} of {refused}; "
        f"expired: closed {expired} of {expired}; {notified} notices in the {len(ways)} acts"
    )


def over(name, world):
    """Let the hour of somebody's emergency pass."""
    with unit_of_work() as unit:
        mine = select(BrokenGlass).where(BrokenGlass.account_id == world.accounts[name])
        db.session.scalars(mine).one().expires_at = unit.now
        record(unit, HOUSEKEEPING, Action.GLASS_BREAK)
