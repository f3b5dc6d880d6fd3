"""Reads that the log does not know, each with who may do it."""

# ruff: noqa: ARG005

from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.services import (
    absence,
    accounts,
    directory,
    erasure,
    invitations,
    log_search,
    organisations,
    people,
    provision,
    questionnaires,
    referral,
    role_changes,
    second_factor,
    sign_in_history,
    sittings,
)
from tests import world as worlds
from tests.services.acts.shared import erasure_asked, taken
from tests.services.acts.sign_in import app_of_the_coordinator

# Reads that open nothing and are about nobody: no entry, but a permission all the same.
UNLOGGED = {
    "accounts.email_of": (
        lambda world, actor: accounts.email_of(actor),
        set(HUMAN_ROLES),
    ),
    "second_factor.own": (
        lambda world, actor: second_factor.own(actor, app_of_the_coordinator(world)),
        {Role.COORDINATOR},
    ),
    "directory.entries": (
        lambda world, actor: directory.entries(actor),
        {Role.COORDINATOR, Role.DIRECTORY_MANAGER},
    ),
    "directory.entry": (
        lambda world, actor: directory.entry(actor, world.listings["lakes"]),
        {Role.COORDINATOR, Role.DIRECTORY_MANAGER},
    ),
    "directory.approved_providers": (
        lambda world, actor: directory.approved_providers(actor, world.today),
        {Role.COORDINATOR, Role.DIRECTORY_MANAGER},
    ),
    "people.person": (
        lambda world, actor: people.person(actor, world.accounts["provider"]),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "people.subject": (
        lambda world, actor: people.subject(actor, world.accounts["provider"]),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "invitations.homes": (
        lambda world, actor: invitations.homes(actor),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "organisations.organisation": (
        lambda world, actor: organisations.organisation(actor, world.organisations["lakes"]),
        {Role.ADMINISTRATOR},
    ),
    "log_search.is_account": (
        lambda world, actor: log_search.is_account(actor, world.accounts["provider"]),
        {Role.AUDITOR},
    ),
    "sign_in_history.failed_since_last": (
        lambda world, actor: sign_in_history.failed_since_last(actor),
        set(HUMAN_ROLES),
    ),
    "sittings.kept_account": (
        lambda world, actor: sittings.kept_account(actor, world.accounts["provider"]),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "role_changes.offered": (
        lambda world, actor: role_changes.offered(actor, world.accounts["provider"]),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "log_search.account_id": (
        lambda world, actor: log_search.account_id(actor, world.email("provider")),
        {Role.AUDITOR},
    ),
    "erasure.answering": (
        lambda world, actor: erasure.answering(actor, erasure_asked(world)[1]),
        {Role.COORDINATOR, Role.AUDITOR},
    ),
    "provision.ending": (
        lambda world, actor: provision.ending(actor, taken(world)),
        {Role.PROVIDER},
    ),
    "absence.standing": (
        lambda world, actor: absence.standing(actor, world.pack),
        {Role.COORDINATOR},
    ),
    "questionnaires.every": (
        lambda world, actor: questionnaires.every(actor, world.pack.code),
        {Role.ANALYST},
    ),
    "referral.live_referral": (
        lambda world, actor: referral.live_referral(actor, *worlds.referred(world)),
        {Role.COORDINATOR},
    ),
}
