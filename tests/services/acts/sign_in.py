"""The acts by which somebody looks after how they sign in."""

# ruff: noqa: ARG001, ARG005

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import select

from nrm.audit.actions import Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.errors import FederationError
from nrm.domain.roles import HOUSEKEEPING, HUMAN_ROLES
from nrm.models import SecondFactor
from nrm.security import passkeys
from nrm.security.openid import Identity
from nrm.security.second_factor import code_at, step_of
from nrm.services import federation, second_factor
from tests import world as worlds
from tests.authenticator import Authenticator
from tests.services.act import Act
from tests.services.acts.shared import nothing
from tests.world import SEED

ELSEWHERE = Identity("https://id.practice.example", "248289761001", strong=False)
SITE = passkeys.Site("Practice", "localhost", "http://localhost")


def _without_app(world):
    with unit_of_work() as unit:
        second_factor.reset(unit, HOUSEKEEPING, world.accounts["coordinator"])


def _add_passkey(world, actor, what, **given):
    device, challenge = what
    question = passkeys.to_register(SITE, challenge, actor.id, "Practice", [])
    second_factor.add_passkey(actor, SITE, challenge, device.make(question), **given)


def app_of_the_coordinator(world):
    theirs = select(SecondFactor.id).where(SecondFactor.account_id == world.accounts["coordinator"])
    return db.session.scalars(theirs).one()


def _passkey_to_remove(world):
    who, new = world.actor("coordinator"), (Authenticator(), passkeys.new_challenge())
    _add_passkey(world, who, new)
    newest = select(SecondFactor.id).where(SecondFactor.account_id == who.id)
    found = db.session.scalars(newest.where(SecondFactor.kind == "passkey")).first()
    db.session.rollback()
    return found


def _connected(world):
    sitting = worlds.sitting(world, "coordinator")
    federation.connect(world.actor("coordinator"), sitting.id, ELSEWHERE)


def _everybodys_sitting(world):
    return {world.accounts[name]: worlds.sitting(world, name).id for name in world.accounts}


def _connect(world, actor, what, **_):
    federation.connect(actor, what[actor.id], ELSEWHERE)


ACTS = [
    Act(
        "look at one's own ways to sign in",
        "coordinator",
        nothing,
        lambda world, actor, what, **_: second_factor.ways(actor),
        Action.FACTOR_LIST,
        "account",
        also=tuple(HUMAN_ROLES),
    ),
    Act(
        "make recovery codes",
        "coordinator",
        nothing,
        lambda world, actor, what, **given: second_factor.make_codes(actor, **given),
        Action.RECOVERY_MAKE,
        "account",
        form=True,
        also=tuple(HUMAN_ROLES),
    ),
    Act(
        "set up an app",
        "coordinator",
        _without_app,
        lambda world, actor, what, **given: second_factor.set_up_app(
            actor, SEED, code_at(SEED, step_of(datetime.now(UTC))), **given
        ),
        Action.FACTOR_ADD,
        "factor",
        purpose="app",
        form=True,
        also=tuple(HUMAN_ROLES),
    ),
    Act(
        "add a passkey",
        "coordinator",
        lambda world: (Authenticator(), passkeys.new_challenge()),
        _add_passkey,
        Action.FACTOR_ADD,
        "factor",
        purpose="passkey",
        form=True,
        also=tuple(HUMAN_ROLES),
    ),
    Act(
        "remove a second factor",
        "coordinator",
        _passkey_to_remove,
        lambda world, actor, what, **given: second_factor.remove(actor, what, **given),
        Action.FACTOR_REMOVE,
        "factor",
        purpose="passkey",
        form=True,
        strangers=("second_coordinator",),
        missing=lambda world, actor: second_factor.remove(actor, uuid4()),
    ),
    Act(
        "connect another institution's sign-in",
        "coordinator",
        _everybodys_sitting,
        _connect,
        Action.FEDERATION_CONNECT,
        "account",
        also=tuple(HUMAN_ROLES),
    ),
    Act(
        "connect nothing with another institution's sign-in",
        "coordinator",
        nothing,
        lambda world, actor, what, **_: federation.not_connected(actor, FederationError("late")),
        Action.FEDERATION_CONNECT,
        "account",
        purpose="federated-late",
        outcome=Outcome.FAILED,
        also=tuple(HUMAN_ROLES),
    ),
    Act(
        "disconnect another institution's sign-in",
        "coordinator",
        _connected,
        lambda world, actor, what, **given: federation.disconnect(actor, **given),
        Action.FEDERATION_DISCONNECT,
        "account",
        form=True,
        strangers=("second_coordinator",),
        missing=lambda world, actor: federation.disconnect(actor),
    ),
]
