import re

import pytest

from nrm.domain.roles import (
    GRANTS,
    HOUSEKEEPING,
    HUMAN_ROLES,
    ROLE_LABEL,
    Permission,
    Relation,
    Role,
)

# Whoever has one of these can learn something about a person.
ABOUT_A_PERSON = {
    permission
    for permission in Permission
    if permission.startswith(
        (
            "case:",
            "compartment:",
            "consent:",
            "document:",
            "envelope:",
            "flag:",
            "needs:",
            "person:",
            "referral:",
        )
    )
}


def test_permissions_are_scope_and_action_in_alphabetical_order():
    values = [permission.value for permission in Permission]
    assert values == sorted(values)
    assert all(re.fullmatch(r"[a-z]+:[a-z]+", value) for value in values)
    assert all(
        permission.name == permission.value.replace(":", "_").upper() for permission in Permission
    )


def test_every_role_has_a_name_for_people_and_a_place_in_the_grant_table():
    assert set(ROLE_LABEL) == set(Role)
    assert len(set(ROLE_LABEL.values())) == len(Role)
    assert set(GRANTS) == set(Role)


def test_a_grant_names_at_least_one_relation():
    # An empty set would look like a grant in the table and refuse everything.
    assert [
        (role, permission)
        for role, granted in GRANTS.items()
        for permission, relations in granted.items()
        if not relations
    ] == []


def test_every_relation_is_used_by_a_grant():
    used = {
        relation
        for granted in GRANTS.values()
        for relations in granted.values()
        for relation in relations
    }
    assert used == set(Relation)


def test_every_permission_is_granted_to_somebody():
    assert {permission for grants in GRANTS.values() for permission in grants} == set(Permission)


def test_the_police_part_of_a_file_opens_in_an_emergency_alone():
    opened = {
        role: granted[Permission.COMPARTMENT_ENFORCEMENT]
        for role, granted in GRANTS.items()
        if Permission.COMPARTMENT_ENFORCEMENT in granted
    }
    assert opened == {Role.COORDINATOR: {Relation.BROKEN_GLASS}}


def test_no_account_can_be_housekeeping():
    assert Role.SYSTEM not in HUMAN_ROLES
    assert set(HUMAN_ROLES) | {Role.SYSTEM} == set(Role)
    assert (HOUSEKEEPING.id, HOUSEKEEPING.organisation_id) == (None, None)
    assert HOUSEKEEPING.role is Role.SYSTEM


def test_housekeeping_lets_time_run_out_compares_and_counts_and_does_no_more():
    assert set(GRANTS[Role.SYSTEM]) == {
        Permission.REFERRAL_EXPIRE,
        Permission.APPROVAL_LAPSE,
        Permission.CASE_COMPARE,
        # What tells people apart: their names and papers, and their telephone.
        Permission.COMPARTMENT_IDENTITY,
        Permission.COMPARTMENT_CONTACT,
        # The figures of everybody, and nobody's file.
        Permission.STATISTICS_ASK,
        Permission.STATISTICS_COUNT,
        Permission.STATISTICS_VIEW,
    }


@pytest.mark.parametrize(
    "role",
    [
        # Figures, proof and accounts need no case, so these roles reach none.
        Role.ANALYST,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
        Role.ORGANISATION_ADMINISTRATOR,
        # The directory is about organisations.
        Role.DIRECTORY_MANAGER,
        # Decisions are prepared by the coordinator until a later issue gives deciders a file.
        Role.DECISION_MAKER,
    ],
)
def test_a_role_without_a_part_in_a_case_reaches_no_case(role):
    assert not set(GRANTS[role]) & ABOUT_A_PERSON


def test_who_flags_does_not_read_the_file_that_follows_but_who_it_is_in_an_emergency():
    held = GRANTS[Role.FIRST_RESPONDER]
    assert set(held) & ABOUT_A_PERSON == {
        Permission.CASE_FLAG,
        Permission.FLAG_VIEW,
        Permission.COMPARTMENT_CONTACT,
        Permission.COMPARTMENT_IDENTITY,
    }
    for opened in (Permission.COMPARTMENT_CONTACT, Permission.COMPARTMENT_IDENTITY):
        assert held[opened] == {Relation.BROKEN_GLASS}


def test_every_compartment_of_a_provider_hangs_on_consent_or_broken_glass():
    consented, broken = Relation.CONSENTED, Relation.BROKEN_GLASS
    assert {
        permission: relations
        for permission, relations in GRANTS[Role.PROVIDER].items()
        if permission.startswith("compartment:")
    } == {
        Permission.COMPARTMENT_CONTACT: {consented, broken},
        Permission.COMPARTMENT_HEALTH: {consented},
        Permission.COMPARTMENT_IDENTITY: {consented, broken},
        Permission.COMPARTMENT_NARRATIVE: {consented},
    }


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_everyone_who_signs_in_has_a_page_of_work(role):
    assert Permission.WORK_VIEW in GRANTS[role]
