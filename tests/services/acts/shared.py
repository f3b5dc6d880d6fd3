"""What several stages need before their acts, and do after them."""

from nrm.services import erasure
from tests import world as worlds


def nothing(world):
    del world


def version_of(world, what, given):
    return given.pop("version", None) or worlds.version(world, what) or 1


def sent(world):
    return worlds.referred(world)[1]


def taken(world):
    return worlds.accepted(world)[1]


def closed(world):
    return worlds.closed(world)[0]


def erasure_asked(world, by="second_coordinator"):
    """A closed case whose erasure somebody asked for: (reference, request)."""
    reference = closed(world)
    return reference, erasure.ask(world.actor(by), reference, "asked_by_person")
