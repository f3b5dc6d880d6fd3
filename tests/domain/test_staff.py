"""Who gives which role to whom, and which change of a role takes two people."""

from itertools import product

import pytest

from nrm.domain.roles import APPOINTED, GRANTS, HUMAN_ROLES, Permission, Role
from nrm.domain.staff import (
    ACCOUNT_STATE_LABEL,
    HELD_AT,
    REACH,
    AccountState,
    Reach,
    given_by,
    held_at,
    is_elevation,
)
from nrm.domain.vocabulary import ORGANISATION_TYPE

ADMINISTRATORS = {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR}


def test_every_kind_of_organisation_and_every_role_stands_in_the_tables():
    assert set(HELD_AT) == set(ORGANISATION_TYPE.codes)
    assert set(REACH) == set(HUMAN_ROLES)
    assert set(ACCOUNT_STATE_LABEL) == set(AccountState)


def test_every_role_is_held_somewhere():
    assert set().union(*map(held_at, HELD_AT)) == set(HUMAN_ROLES)


@pytest.mark.parametrize("kind", HELD_AT)
def test_an_organisation_administrator_gives_fewer_roles_than_the_national_one(kind):
    own = set(given_by(Role.ORGANISATION_ADMINISTRATOR, kind))
    national = set(given_by(Role.ADMINISTRATOR, kind))
    assert own < national
    assert own.isdisjoint(APPOINTED)
    assert national - own <= APPOINTED
    assert Role.ORGANISATION_ADMINISTRATOR in national


@pytest.mark.parametrize("role", sorted(set(HUMAN_ROLES) - ADMINISTRATORS))
def test_nobody_else_gives_any_role(role):
    assert [given_by(role, kind) for kind in HELD_AT if given_by(role, kind)] == []


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("shelter", {Role.PROVIDER}),
        ("police", {Role.FIRST_RESPONDER}),
        (
            "ministry",
            {Role.COORDINATOR, Role.DECISION_MAKER, Role.DIRECTORY_MANAGER, Role.ANALYST},
        ),
        ("ngo", {Role.FIRST_RESPONDER, Role.PROVIDER}),
    ],
)
def test_which_roles_a_kind_of_organisation_has(kind, roles):
    assert set(given_by(Role.ORGANISATION_ADMINISTRATOR, kind)) == roles


def test_the_log_and_all_accounts_are_kept_in_a_ministry_alone():
    assert {kind for kind in HELD_AT if Role.AUDITOR in held_at(kind)} == {"ministry"}
    assert {kind for kind in HELD_AT if Role.ADMINISTRATOR in held_at(kind)} == {"ministry"}


@pytest.mark.parametrize(
    ("before", "after", "two"),
    [
        (Role.PROVIDER, Role.FIRST_RESPONDER, False),
        (Role.ANALYST, Role.DIRECTORY_MANAGER, False),
        (Role.ANALYST, Role.PROVIDER, True),
        (Role.PROVIDER, Role.ORGANISATION_ADMINISTRATOR, True),
        (Role.PROVIDER, Role.COORDINATOR, True),
        (Role.COORDINATOR, Role.PROVIDER, False),
        (Role.COORDINATOR, Role.AUDITOR, True),
        (Role.ADMINISTRATOR, Role.COORDINATOR, True),
        (Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR, False),
        (Role.COORDINATOR, Role.COORDINATOR, False),
    ],
)
def test_which_change_takes_two_people(before, after, two):
    assert is_elevation(before, after) is two


def test_whoever_reaches_the_whole_country_never_got_there_by_one_person():
    country = [role for role in HUMAN_ROLES if REACH[role] is Reach.COUNTRY]
    for before, after in product(HUMAN_ROLES, country):
        assert is_elevation(before, after) is (before is not after)


def test_whoever_holds_a_permission_towards_every_case_reaches_the_country():
    """The table of reach is written by hand; it must not fall behind the grant table."""
    for role in HUMAN_ROLES:
        national = {Permission.CASE_VIEW, Permission.AUDIT_SEARCH, Permission.ORGANISATION_MANAGE}
        if national & set(GRANTS[role]):
            assert REACH[role] is Reach.COUNTRY
