"""The acts of people, their accounts and organisations."""

# ruff: noqa: ARG001, ARG005

from uuid import uuid4

from nrm.audit.actions import Action
from nrm.domain.roles import Role
from nrm.services import accounts, invitations, organisations, people, role_changes
from tests.services.act import Act
from tests.services.acts.shared import nothing


def _invite(world, actor, what, **given):
    new = accounts.NewAccount("Practice Newcomer", "new@practice.example", what, Role.PROVIDER)
    return invitations.invite(actor, new, **given)


def _change_organisation(world, actor, what, **given):
    return organisations.change(actor, what, "Practice Other House", "ngo", "11", **given)


def _create_organisation(world, actor, what, **given):
    del what
    return organisations.create(
        actor, "Practice Legal Desk", "legal_aid", "11", is_provider=True, **given
    )


ACTS = [
    Act(
        "list people",
        "administrator",
        nothing,
        lambda world, actor, what, **_: people.listed(actor),
        Action.ACCOUNT_LIST,
        also=(Role.ORGANISATION_ADMINISTRATOR,),
    ),
    Act(
        "invite somebody",
        "administrator",
        lambda world: world.organisations["clinic"],
        _invite,
        Action.ACCOUNT_CREATE,
        "account",
        form=True,
    ),
    Act(
        "invite a colleague",
        "organisation_administrator",
        lambda world: world.organisations["lakes"],
        _invite,
        Action.ACCOUNT_CREATE,
        "account",
        form=True,
        also=(Role.ADMINISTRATOR,),
    ),
    Act(
        "make a new link",
        "administrator",
        lambda world: world.accounts["clinician"],
        lambda world, actor, what, **given: invitations.renew(actor, what, **given),
        Action.ACCOUNT_INVITE,
        "account",
        form=True,
        missing=lambda world, actor: invitations.renew(actor, uuid4()),
    ),
    Act(
        "disable an account",
        "administrator",
        lambda world: world.accounts["clinician"],
        lambda world, actor, what, **given: people.disable(actor, what, **given),
        Action.ACCOUNT_DISABLE,
        "account",
        purpose="left",
        form=True,
        missing=lambda world, actor: people.disable(actor, uuid4()),
    ),
    Act(
        "disable a colleague's account",
        "organisation_administrator",
        lambda world: world.accounts["provider"],
        lambda world, actor, what, **given: people.disable(actor, what, "on_leave", **given),
        Action.ACCOUNT_DISABLE,
        "account",
        purpose="on_leave",
        form=True,
        also=(Role.ADMINISTRATOR,),
    ),
    Act(
        "enable an account",
        "administrator",
        lambda world: world.accounts["clinician"],
        lambda world, actor, what, **given: people.enable(actor, what, **given),
        Action.ACCOUNT_ENABLE,
        "account",
        form=True,
        missing=lambda world, actor: people.enable(actor, uuid4()),
    ),
    Act(
        "reset a second factor",
        "administrator",
        lambda world: world.accounts["clinician"],
        lambda world, actor, what, **given: people.reset_factors(actor, what, **given),
        Action.ACCOUNT_RESET,
        "account",
        form=True,
        missing=lambda world, actor: people.reset_factors(actor, uuid4()),
    ),
    Act(
        "change a role",
        "administrator",
        lambda world: world.accounts["second_coordinator"],
        lambda world, actor, what, **given: role_changes.change(actor, what, Role.ANALYST, **given),
        Action.ACCOUNT_ROLE,
        "account",
        purpose="analyst",
        form=True,
        missing=lambda world, actor: role_changes.change(actor, uuid4(), Role.ANALYST),
    ),
    Act(
        "create an organisation",
        "administrator",
        nothing,
        _create_organisation,
        Action.ORGANISATION_CREATE,
        "organisation",
        form=True,
    ),
    Act(
        "change an organisation",
        "administrator",
        lambda world: world.organisations["hills"],
        _change_organisation,
        Action.ORGANISATION_CHANGE,
        "organisation",
        fields=("kind", "name"),
        form=True,
        missing=lambda world, actor: _change_organisation(world, actor, uuid4()),
    ),
]
