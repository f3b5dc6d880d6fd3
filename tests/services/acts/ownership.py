"""The acts by which somebody looks after a case, stands in, or goes on with a leaver's draft."""

# ruff: noqa: ARG001, ARG005

from datetime import timedelta
from uuid import uuid4

from nrm.audit.actions import Action
from nrm.services import absence, hand_over, left_drafts, ownership
from tests import world as worlds
from tests.services.act import NOWHERE, Act
from tests.world import CANARIES


def _offered(world):
    return worlds.offered(world, CANARIES["hand_over_words"])[1]


def _left(world):
    """A draft of a colleague of the second responder, who is there for the role."""
    return worlds.left_draft(world, "second_responder")


def _assign(world, actor, what, **given):
    to = world.accounts["second_coordinator"]
    owner = world.accounts["coordinator"]
    return ownership.assign(actor, what, to, "workload", owner=owner, **given)


def _offer(world, actor, what, **given):
    to = world.accounts["other_coordinator"]
    return hand_over.offer(actor, what, to, CANARIES["hand_over_words"], **given)


def _away(world, actor, what, **given):
    until = world.today + timedelta(days=7)
    return absence.set_away(actor, until, world.accounts["second_coordinator"], world.pack, **given)


ACTS = [
    Act(
        "take a case",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **given: ownership.take(actor, what, **given),
        Action.CASE_ASSIGN,
        "owner",
        form=True,
        missing=lambda world, actor: ownership.take(actor, NOWHERE),
    ),
    Act(
        "give a case to a colleague",
        "coordinator",
        worlds.presumed,
        _assign,
        Action.CASE_ASSIGN,
        "owner",
        purpose="workload",
        form=True,
        missing=lambda world, actor: _assign(world, actor, NOWHERE),
    ),
    Act(
        "read who looks after a case",
        "coordinator",
        worlds.presumed,
        lambda world, actor, what, **_: ownership.page(actor, what),
        Action.CASE_OPEN,
        "case",
        "contact facts",
        "owner",
        missing=lambda world, actor: ownership.page(actor, NOWHERE),
    ),
    Act(
        "offer a case",
        "coordinator",
        worlds.presumed,
        _offer,
        Action.HANDOVER_OFFER,
        "handover",
        "narrative",
        fields=("words",),
        form=True,
        missing=lambda world, actor: _offer(world, actor, NOWHERE),
    ),
    Act(
        "read an offer of a case",
        "other_coordinator",
        _offered,
        lambda world, actor, what, **_: hand_over.read(actor, what),
        Action.HANDOVER_LIST,
        "handover",
        "narrative",
        strangers=("second_coordinator",),
        missing=lambda world, actor: hand_over.read(actor, uuid4()),
    ),
    Act(
        "take a case over",
        "other_coordinator",
        _offered,
        lambda world, actor, what, **given: hand_over.take_over(actor, what, **given),
        Action.HANDOVER_TAKE,
        "handover",
        form=True,
        strangers=("second_coordinator",),
        missing=lambda world, actor: hand_over.take_over(actor, uuid4()),
    ),
    Act(
        "not take a case over",
        "other_coordinator",
        _offered,
        lambda world, actor, what, **given: hand_over.not_take_over(actor, what, **given),
        Action.HANDOVER_DECLINE,
        "handover",
        form=True,
        strangers=("second_coordinator",),
        missing=lambda world, actor: hand_over.not_take_over(actor, uuid4()),
    ),
    Act(
        "take an offer back",
        "coordinator",
        _offered,
        lambda world, actor, what, **given: hand_over.retract(actor, what, **given),
        Action.HANDOVER_RETRACT,
        "handover",
        form=True,
        strangers=("second_coordinator",),
        missing=lambda world, actor: hand_over.retract(actor, uuid4()),
    ),
    Act(
        "be away",
        "coordinator",
        worlds.flag,
        _away,
        Action.ACCOUNT_AWAY,
        "account",
        form=True,
    ),
    Act(
        "be back",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **given: absence.end(actor, **given),
        Action.ACCOUNT_BACK,
        "account",
        form=True,
    ),
    Act(
        "list the drafts that were left behind",
        "coordinator",
        _left,
        lambda world, actor, what, **_: left_drafts.everywhere(actor),
        Action.DRAFT_LIST,
    ),
    Act(
        "look at a draft before it is given to somebody",
        "coordinator",
        _left,
        lambda world, actor, what, **_: left_drafts.to_give(actor, what),
        Action.DRAFT_LIST,
        "draft",
        missing=lambda world, actor: left_drafts.to_give(actor, uuid4()),
    ),
    Act(
        "give a draft to somebody",
        "coordinator",
        _left,
        lambda world, actor, what, **given: left_drafts.give(
            actor, what, world.accounts["first_responder"], **given
        ),
        Action.DRAFT_ASSIGN,
        "draft",
        form=True,
        missing=lambda world, actor: left_drafts.give(actor, uuid4(), None),
    ),
    Act(
        "look at a colleague's draft before it is taken over",
        "first_responder",
        _left,
        lambda world, actor, what, **_: left_drafts.to_take(actor, what),
        Action.DRAFT_LIST,
        "draft",
        strangers=("other_responder",),
        missing=lambda world, actor: left_drafts.to_take(actor, uuid4()),
    ),
    Act(
        "take a colleague's draft over",
        "first_responder",
        _left,
        lambda world, actor, what, **given: left_drafts.take(actor, what, "goes_on", **given),
        Action.DRAFT_TAKE,
        "draft",
        purpose="goes_on",
        form=True,
        strangers=("other_responder",),
        missing=lambda world, actor: left_drafts.take(actor, uuid4(), "goes_on"),
    ),
]
