"""The acts of sittings, sign-ins and passwords."""

# ruff: noqa: ARG001, ARG005

from datetime import timedelta
from uuid import uuid4

from nrm.audit.actions import Action
from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.services import own_password, sessions, sign_in_history, sittings
from tests import world as worlds
from tests.services.act import Act

LIMITS = sessions.Limits(timedelta(minutes=30), timedelta(hours=10))


def _sitting(world, name="provider"):
    return worlds.sitting(world, name).id


def _change_password(world, actor, what, **given):
    typed = worlds.PASSWORD, "nineteen-quiet-herons"
    return own_password.change(actor, what, *typed, "192.0.2.1", **given)


ACTS = [
    Act(
        "list where one is signed in",
        "provider",
        _sitting,
        lambda world, actor, what, **_: sittings.own(actor, LIMITS),
        Action.SESSION_LIST,
        "account",
        also=HUMAN_ROLES,
    ),
    Act(
        "end a sitting of one's own",
        "provider",
        _sitting,
        lambda world, actor, what, **given: sittings.end_own(actor, what, **given),
        Action.SESSION_END,
        "account",
        form=True,
        strangers=("colleague",),
        missing=lambda world, actor: sittings.end_own(actor, uuid4()),
    ),
    Act(
        "end all other sittings of one's own",
        "provider",
        _sitting,
        lambda world, actor, what, **given: sittings.end_own_others(actor, what, **given),
        Action.SESSION_END,
        "account",
        form=True,
        also=HUMAN_ROLES,
    ),
    Act(
        "read when one signed in",
        "provider",
        _sitting,
        lambda world, actor, what, **_: sign_in_history.own(actor),
        Action.SESSION_HISTORY,
        "account",
        also=HUMAN_ROLES,
    ),
    Act(
        "choose another password",
        "provider",
        _sitting,
        _change_password,
        Action.ACCOUNT_CHANGE_PASSWORD,
        "account",
        fields=("password",),
        form=True,
        also=HUMAN_ROLES,
    ),
    Act(
        "list where somebody is signed in",
        "administrator",
        _sitting,
        lambda world, actor, what, **_: sittings.of_person(
            actor, world.accounts["provider"], LIMITS
        ),
        Action.SESSION_LIST,
        "account",
        also=(Role.ORGANISATION_ADMINISTRATOR,),
        missing=lambda world, actor: sittings.of_person(actor, uuid4(), LIMITS),
    ),
    Act(
        "end a sitting of somebody",
        "administrator",
        _sitting,
        lambda world, actor, what, **given: sittings.end_of_person(
            actor, world.accounts["provider"], what, **given
        ),
        Action.SESSION_END,
        "account",
        form=True,
        also=(Role.ORGANISATION_ADMINISTRATOR,),
        missing=lambda world, actor: sittings.end_of_person(
            actor, world.accounts["provider"], uuid4()
        ),
    ),
    Act(
        "sign somebody out everywhere",
        "administrator",
        lambda world: world.accounts["provider"],
        lambda world, actor, what, **given: sittings.end_all_of_person(actor, what, **given),
        Action.SESSION_END,
        "account",
        form=True,
        also=(Role.ORGANISATION_ADMINISTRATOR,),
        missing=lambda world, actor: sittings.end_all_of_person(actor, uuid4()),
    ),
    Act(
        "read when somebody signed in",
        "administrator",
        _sitting,
        lambda world, actor, what, **_: sign_in_history.of_person(
            actor, world.accounts["provider"]
        ),
        Action.SESSION_HISTORY,
        "account",
        also=(Role.ORGANISATION_ADMINISTRATOR,),
        missing=lambda world, actor: sign_in_history.of_person(actor, uuid4()),
    ),
]
