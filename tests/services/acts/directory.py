"""The acts of the directory of providers."""

# ruff: noqa: ARG001

from datetime import timedelta
from uuid import uuid4

from nrm.audit.actions import Action
from nrm.services import directory, organisations
from tests.services.act import Act
from tests.world import SERVICE


def _submit(world, actor, what, **given):
    new = directory.NewListing(what, (SERVICE,), ("female",), ("kin",), "11", 4)
    return directory.submit(actor, new, world.pack, **given)


def _unlisted(world):
    return organisations.create(
        world.actor("administrator"), "Practice Shelter of Trees", "shelter", "11", is_provider=True
    )


def _submitted(world):
    return _submit(world, world.actor("directory_manager"), _unlisted(world))


def _approve(world, actor, what, **given):
    given.setdefault("version", 1)
    until = world.today + timedelta(days=30)
    return directory.approve(actor, what, until, pack=world.pack, **given)


def _suspend(world, actor, what, **given):
    given.setdefault("version", 2)
    return directory.suspend(actor, what, "Practice reason.", **given)


ACTS = [
    Act(
        "submit a listing",
        "directory_manager",
        _unlisted,
        _submit,
        Action.LISTING_SUBMIT,
        "listing",
        form=True,
        missing=lambda world, actor: _submit(world, actor, uuid4()),
    ),
    Act(
        "approve a listing",
        "second_manager",
        _submitted,
        _approve,
        Action.LISTING_APPROVE,
        "listing",
        fields=("until",),
        form=True,
        versioned=True,
        missing=lambda world, actor: _approve(world, actor, uuid4()),
    ),
    Act(
        "suspend a listing",
        "directory_manager",
        lambda world: world.listings["lakes"],
        _suspend,
        Action.LISTING_SUSPEND,
        "listing",
        fields=("reason",),
        form=True,
        versioned=True,
        missing=lambda world, actor: _suspend(world, actor, uuid4()),
    ),
]
