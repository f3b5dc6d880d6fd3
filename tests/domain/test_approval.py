"""What takes two people: who asks, who can be the second, and never one person for both."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.approval import RULES, ApprovalKind, lapses_at
from nrm.domain.errors import Subject
from nrm.domain.policy import ApprovalStanding, holds, may, relations
from nrm.domain.roles import GRANTS, HUMAN_ROLES, Actor, Permission, Relation, Role

ME, OTHER, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)
MINE, ELSEWHERE = UUID(int=11), UUID(int=12)
REQUEST = Subject("approval", UUID(int=71), UUID(int=21))

# Who asks, and who can be the second person, of each kind.
WHO = """
    kind        | asks                                       | approves
    role_change | administrator, organisation_administrator  | administrator, auditor
    case_merge  | coordinator                                | coordinator
    bulk_export | coordinator                                | auditor
"""


def table():
    _, *rows = [line.split("|") for line in WHO.strip().splitlines()]
    return [
        (ApprovalKind(kind.strip()), roles_of(asks), roles_of(approves))
        for kind, asks, approves in rows
    ]


def roles_of(cell):
    return {Role(name.strip()) for name in cell.split(",")}


@pytest.mark.parametrize(("kind", "asks", "approves"), table())
def test_who_asks_and_who_is_the_second_person(kind, asks, approves):
    rule = RULES[kind]
    assert {role for role in Role if rule.asks in GRANTS[role]} == asks
    assert {role for role in Role if rule.approves in GRANTS[role]} == approves
    # Whoever asks may ask for approvals at all, and whoever approves may answer.
    assert all(Permission.APPROVAL_ASK in GRANTS[role] for role in asks)
    assert all(Permission.APPROVAL_ANSWER in GRANTS[role] for role in approves)
    assert all(Permission.APPROVAL_VIEW in GRANTS[role] for role in asks | approves)


def test_the_table_names_every_kind_and_each_has_words():
    assert {kind for kind, _, _ in table()} == set(ApprovalKind) == set(RULES)
    assert len({rule.label for rule in RULES.values()}) == len(RULES)
    assert all(rule.warning for rule in RULES.values())


def test_a_request_waits_a_week():
    asked_at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    for kind in ApprovalKind:
        assert lapses_at(kind, asked_at) == asked_at + timedelta(days=7)


@pytest.mark.parametrize(
    ("asked_by", "about", "barred", "expected"),
    [
        (ME, THIRD, (), {Relation.OWN_APPROVAL}),
        (OTHER, THIRD, (), {Relation.OTHERS_APPROVAL}),
        # Nobody approves what is done to themselves, whoever asked.
        (OTHER, ME, (), set()),
        # A bar beats both.
        (OTHER, THIRD, (ME,), set()),
        (OTHER, THIRD, (MINE,), set()),
        (ME, THIRD, (ME,), set()),
        (OTHER, THIRD, (ELSEWHERE, THIRD), {Relation.OTHERS_APPROVAL}),
    ],
)
def test_how_somebody_stands_to_a_request(asked_by, about, barred, expected):
    standing = ApprovalStanding(REQUEST, asked_by, about, frozenset(barred))
    assert relations(Actor(ME, MINE, Role.ADMINISTRATOR), standing) == expected


@given(
    st.sampled_from(HUMAN_ROLES),
    st.sampled_from(ApprovalKind),
    st.uuids(),
    st.uuids(),
)
def test_nobody_is_both_people_whatever_their_role(role, kind, person, about):
    own = ApprovalStanding(REQUEST, person, about)
    actor = Actor(person, MINE, role)
    assert not may(actor, RULES[kind].approves, own).allowed
    assert not may(actor, Permission.APPROVAL_ANSWER, own).allowed
    assert may(actor, Permission.APPROVAL_ASK, own).allowed == holds(actor, Permission.APPROVAL_ASK)
