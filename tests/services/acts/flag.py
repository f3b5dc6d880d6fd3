"""The acts of identifying somebody, from a draft to a flag."""

# ruff: noqa: ARG001, ARG005

from uuid import uuid4

from nrm.audit.actions import Action
from nrm.services import identification
from tests import world as worlds
from tests.services.act import NOWHERE, Act
from tests.services.acts.shared import nothing
from tests.world import CANARIES


def _save_page(world, actor, what, **_):
    return identification.save_page(actor, what, "person", {"given_name": CANARIES["given_name"]})


def _case_or_draft(make):
    return lambda world: make(
        world,
        person={"given_name": CANARIES["given_name"]},
        signs={"account": CANARIES["account"]},
    )


ACTS = [
    Act(
        "start a draft",
        "first_responder",
        nothing,
        lambda world, actor, what, **given: identification.start_draft(actor, **given),
        Action.DRAFT_SAVE,
        "draft",
        "draft",
        form=True,
    ),
    Act(
        "start a draft for another person at the same place",
        "first_responder",
        worlds.flag,
        lambda world, actor, what, **given: identification.start_draft(
            actor, same_place_as=what, **given
        ),
        Action.DRAFT_SAVE,
        "draft",
        "draft",
        form=True,
        strangers=("other_responder",),
        missing=lambda world, actor: identification.start_draft(actor, same_place_as=NOWHERE),
    ),
    Act(
        "save a page of a draft",
        "first_responder",
        worlds.draft,
        _save_page,
        Action.DRAFT_SAVE,
        "draft",
        "draft",
        fields=("given_name",),
        strangers=("other_responder",),
        missing=lambda world, actor: identification.save_page(actor, uuid4(), "person", {}),
    ),
    Act(
        "read a draft",
        "first_responder",
        worlds.draft,
        lambda world, actor, what, **_: identification.read_draft(actor, what),
        Action.DRAFT_OPEN,
        "draft",
        "draft",
        strangers=("other_responder",),
        missing=lambda world, actor: identification.read_draft(actor, uuid4()),
    ),
    Act(
        "delete a draft",
        "first_responder",
        worlds.draft,
        lambda world, actor, what, **given: identification.delete_draft(actor, what, **given),
        Action.DRAFT_DELETE,
        "draft",
        form=True,
        strangers=("other_responder",),
        missing=lambda world, actor: identification.delete_draft(actor, uuid4()),
    ),
    Act(
        "send a flag",
        "first_responder",
        _case_or_draft(worlds.draft),
        lambda world, actor, what, **given: identification.send_flag(
            actor, what, world.pack, **given
        ),
        Action.CASE_FLAG,
        "case",
        "consent contact draft enforcement facts facts_event health identity narrative",
        form=True,
        strangers=("other_responder",),
        missing=lambda world, actor: identification.send_flag(actor, uuid4(), world.pack),
    ),
    Act(
        "list one's own flags",
        "first_responder",
        worlds.flag,
        lambda world, actor, what, **_: identification.my_flags(actor),
        Action.FLAG_LIST,
    ),
    Act(
        "read one's own flag",
        "first_responder",
        worlds.flag,
        lambda world, actor, what, **_: identification.my_flag(actor, what),
        Action.FLAG_VIEW,
        "case",
        strangers=("other_responder",),
        missing=lambda world, actor: identification.my_flag(actor, NOWHERE),
    ),
]
