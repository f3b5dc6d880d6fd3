"""The acts of bars, emergencies, and what people are told."""

# ruff: noqa: ARG001, ARG005

from uuid import uuid4

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db
from nrm.domain.roles import Role
from nrm.models import Notice
from nrm.services import bars, glass, glass_review, notices
from tests import world as worlds
from tests.services.act import NOWHERE, Act
from tests.services.acts.shared import sent
from tests.world import CANARIES


def _keep_out(world, actor, what, **given):
    whom = bars.Whom(organisation_id=world.organisations["hills"])
    words = CANARIES["bar_words"]
    return bars.place(actor, what, whom, "conflict_of_interest", words, pack=world.pack, **given)


def _kept_out(world):
    reference = worlds.flag(world)
    return reference, worlds.kept_out(world, reference, "hills")


def _lift(world, actor, what, **given):
    words = CANARIES["lift_words"]
    return bars.lift(actor, *what, "placed_by_mistake", words, **given)


def _break_case(world, actor, what, **given):
    return glass.break_case(actor, what, "danger_to_life", CANARIES["glass_words"], **given)


def _break_referral(world, actor, what, **given):
    return glass.break_referral(actor, what, "danger_to_life", CANARIES["glass_words"], **given)


def _opened(by):
    """A case or a referral that somebody opened in an emergency, for them to look at."""

    def prepare(world):
        what = worlds.referred(world)[1] if by == "provider" else worlds.flag(world)
        worlds.opened_in_emergency(world, what, by)
        return what

    return prepare


def _to_review(world):
    return worlds.opened_in_emergency(world, worlds.flag(world))


def _review(world, actor, what, **given):
    words = CANARIES["review_words"]
    return glass_review.review(actor, what, "needs_follow_up", words, **given)


def _told(world):
    """A notice to the coordinator: a responder opened a case that nobody looks after."""
    worlds.opened_in_emergency(world, worlds.flag(world), "first_responder")
    own = select(Notice.id).where(Notice.account_id == world.accounts["coordinator"])
    return db.session.scalars(own).one()


ACTS = [
    Act(
        "read who is kept out of a case",
        "coordinator",
        lambda world: _kept_out(world)[0],
        lambda world, actor, what, **_: bars.page(actor, what),
        Action.BAR_LIST,
        "case",
        "access contact facts",
        missing=lambda world, actor: bars.page(actor, NOWHERE),
    ),
    Act(
        "read about the bar that one is about to lift",
        "coordinator",
        _kept_out,
        lambda world, actor, what, **_: bars.lifting(actor, *what),
        Action.BAR_LIST,
        "case",
        "access contact facts",
        missing=lambda world, actor: bars.lifting(actor, NOWHERE, uuid4()),
    ),
    Act(
        "keep somebody out of a case",
        "coordinator",
        worlds.flag,
        _keep_out,
        Action.BAR_PLACE,
        "bar",
        "access",
        "conflict_of_interest",
        fields=("words",),
        form=True,
        missing=lambda world, actor: _keep_out(world, actor, NOWHERE),
    ),
    Act(
        "let somebody know of a case again",
        "coordinator",
        _kept_out,
        _lift,
        Action.BAR_LIFT,
        "bar",
        "access",
        "placed_by_mistake",
        fields=("words",),
        form=True,
        missing=lambda world, actor: _lift(world, actor, (NOWHERE, uuid4())),
    ),
    Act(
        "open one's own flag in an emergency",
        "first_responder",
        worlds.flag,
        _break_case,
        Action.GLASS_BREAK,
        "glass",
        "emergency",
        "danger_to_life",
        fields=("words",),
        form=True,
        strangers=("other_responder",),
        also=(Role.COORDINATOR,),
        missing=lambda world, actor: _break_case(world, actor, NOWHERE),
    ),
    Act(
        "open a referral in an emergency",
        "provider",
        sent,
        _break_referral,
        Action.GLASS_BREAK,
        "glass",
        "emergency",
        "danger_to_life",
        fields=("words",),
        form=True,
        strangers=("other_provider",),
        missing=lambda world, actor: _break_referral(world, actor, "R-0"),
    ),
    Act(
        "read what is open in an emergency of one's own flag",
        "first_responder",
        _opened("first_responder"),
        lambda world, actor, what, **_: glass.at_case(actor, what),
        Action.COMPARTMENT_OPEN,
        "case",
        "contact identity",
        "break_glass",
        strangers=("other_responder",),
        also=(Role.COORDINATOR,),
        missing=lambda world, actor: glass.at_case(actor, NOWHERE),
    ),
    Act(
        "read what is open in an emergency of a referral",
        "provider",
        _opened("provider"),
        lambda world, actor, what, **_: glass.at_referral(actor, what),
        Action.COMPARTMENT_OPEN,
        "referral",
        "contact identity",
        "break_glass",
        strangers=("other_provider",),
        missing=lambda world, actor: glass.at_referral(actor, "R-0"),
    ),
    Act(
        "list the emergency access to review",
        "auditor",
        _to_review,
        lambda world, actor, what, **_: glass_review.queue(actor),
        Action.GLASS_OPEN,
    ),
    Act(
        "read an emergency access",
        "auditor",
        _to_review,
        lambda world, actor, what, **_: glass_review.read(actor, what),
        Action.GLASS_OPEN,
        "glass",
        "emergency",
        missing=lambda world, actor: glass_review.read(actor, uuid4()),
    ),
    Act(
        "review an emergency access",
        "auditor",
        _to_review,
        _review,
        Action.GLASS_REVIEW,
        "glass",
        "emergency",
        "needs_follow_up",
        fields=("words",),
        form=True,
        missing=lambda world, actor: _review(world, actor, uuid4()),
    ),
    Act(
        "read one's notices",
        "coordinator",
        _told,
        lambda world, actor, what, **_: notices.waiting(actor),
        Action.NOTICE_LIST,
        also=tuple(Role),
    ),
    Act(
        "mark a notice as seen",
        "coordinator",
        _told,
        lambda world, actor, what, **given: notices.see(actor, what, **given),
        Action.NOTICE_SEE,
        "notice",
        form=True,
        strangers=("auditor",),
        missing=lambda world, actor: notices.see(actor, uuid4()),
    ),
]
