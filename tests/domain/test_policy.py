import os
from collections import Counter
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nrm.domain.errors import NOTHING, RefusedError
from nrm.domain.lifecycle import ReferralState
from nrm.domain.policy import (
    AccountStanding,
    CaseStanding,
    GlassStanding,
    ReferralStanding,
    holds,
    may,
    relations,
    require,
)
from nrm.domain.roles import (
    APPOINTED,
    GRANTS,
    HOUSEKEEPING,
    HUMAN_ROLES,
    Actor,
    Permission,
    Relation,
    Role,
)
from tests.domain.policy_matrix import (
    ACCOUNT,
    CASE,
    COLLEAGUE,
    GLASS,
    GRANTED,
    MATRIX,
    ME,
    MINE,
    OF_ACCESS,
    OF_APPROVALS,
    OF_OFFERS,
    OVER,
    REFERRAL,
    SITUATIONS,
    actor,
    granted,
    referral,
    rows_of,
    written,
)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_who_may_do_what_in_which_situation(role, situation):
    allowed = {
        permission
        for permission in Permission
        if may(actor(role), permission, SITUATIONS[situation]).allowed
    }
    expected = {name for name, where in written(role).items() if situation in where}
    assert allowed == expected


@pytest.mark.parametrize("role", Role)
def test_the_grant_table_says_what_was_agreed(role):
    assert GRANTS[role] == granted(role)


@pytest.mark.parametrize("role", Role)
def test_a_role_holds_a_permission_exactly_where_some_situation_allows_it(role):
    matrix = written(role)
    assert {name for name in Permission if holds(actor(role), name)} == set(matrix)
    assert all(matrix.values())


def test_the_matrices_leave_out_no_situation():
    columns = [set(rows_of(matrix)["work:view"]) for matrix in MATRIX.values() if "work:" in matrix]
    accesses = [set(next(iter(rows_of(matrix).values()))) for matrix in OF_ACCESS.values()]
    [offers] = [set(next(iter(rows_of(matrix).values()))) for matrix in OF_OFFERS.values()]
    approvals = {"mywish", "wish", "aboutme", "barwish"}
    assert all(
        set(row) == approvals
        for rows in map(rows_of, OF_APPROVALS.values())
        for row in rows.values()
    )
    everywhere = set(SITUATIONS) - offers - approvals
    assert all(first | second == everywhere for first in columns for second in accesses)


def test_the_matrices_leave_out_no_role():
    assert set(MATRIX) == set(GRANTED) == set(Role)


# Deny by default.


def test_the_police_part_opens_to_a_coordinator_who_broke_the_glass_and_to_nobody_else():
    enforcement = Permission.COMPARTMENT_ENFORCEMENT
    opened = {
        (role, situation)
        for role in Role
        for situation, record in SITUATIONS.items()
        if may(actor(role), enforcement, record).allowed
    }
    assert opened == {(Role.COORDINATOR, "glass"), (Role.COORDINATOR, "night")}


def test_a_role_that_nobody_knows_gets_nothing():
    stranger = Actor(ME, MINE, "stranger")
    for permission in Permission:
        for record in SITUATIONS.values():
            with pytest.raises((RefusedError, KeyError)):
                require(stranger, permission, record)


def test_a_permission_that_nobody_knows_is_refused():
    for role in Role:
        assert not may(actor(role), "case:sell", SITUATIONS["case"]).allowed


def test_a_permission_over_a_record_is_not_one_over_none():
    assert not may(actor(Role.COORDINATOR), Permission.CASE_VIEW).allowed


# How an actor stands to a record.


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ("none", "no record"),
        ("flag", "national, own flag, assigned"),
        ("case", "national, assigned"),
        ("sent", "national, receiver, live receiver"),  # consent opens nothing before acceptance
        ("acc", "national, receiver, live receiver, accepted"),
        ("cov", "national, receiver, live receiver, accepted, consented"),
        ("over", "national, receiver"),
        ("other", "national"),
        ("own", "any listing"),
        ("list", "any listing, another's listing"),
        ("mine", "own erasure"),
        ("theirs", "another's erasure"),
        ("held", "national"),
        ("glass", "national, broken glass"),
        ("night", "national, receiver, broken glass"),
        # A bar beats every grant: whoever is barred stands in no relation at all.
        ("barme", ""),
        ("barus", ""),
        ("barref", ""),
        ("hr", ""),
        ("rev", "another's emergency"),
        ("barrev", ""),
        ("self", ""),
        ("near", "colleague, another's account"),
        ("far", "another's account"),
        ("tome", "offered to oneself"),
        ("byme", "own offer"),
        ("ofmine", "own offer"),
        ("others", ""),
        ("baroff", ""),
    ],
)
def test_how_an_actor_stands_to_a_record(situation, expected):
    held = relations(actor(Role.PROVIDER), SITUATIONS[situation])
    assert held == {Relation(name) for name in expected.split(", ") if name}


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_auditors_and_administrators_are_nobodys_colleague(role):
    """Else whoever keeps one organisation's accounts could shut out whoever keeps all of them."""
    account = AccountStanding(ACCOUNT, COLLEAGUE, MINE, role)
    held = relations(actor(Role.ORGANISATION_ADMINISTRATOR), account)
    assert (Relation.COLLEAGUE in held) is (role not in APPOINTED)
    assert Relation.OTHERS_ACCOUNT in held


def test_housekeeping_flagged_nothing_and_receives_nothing():
    assert relations(HOUSEKEEPING, SITUATIONS["held"]) == {Relation.NATIONAL}
    for state in ReferralState:
        held = relations(HOUSEKEEPING, referral(MINE, state, consented=True))
        assert held == {Relation.NATIONAL}


@pytest.mark.parametrize("state", OVER)
def test_when_a_referral_is_over_every_door_closes_at_once(state):
    # Declined, not answered in time, withdrawn or ended: consent given before changes nothing.
    over = referral(MINE, state, consented=True)
    provider = actor(Role.PROVIDER)
    doors = [name for name in GRANTS[Role.PROVIDER] if may(provider, name, over).allowed]
    assert set(doors) == {
        Permission.GLASS_BREAK,  # with a reason that somebody else reviews
        Permission.REFERRAL_ANSWER,  # refused afterwards by the lifecycle, with who and when
        Permission.REFERRAL_END,
        Permission.REFERRAL_VIEW,
    }


@given(
    st.sampled_from(Permission),
    st.sampled_from(ReferralState),
    st.booleans(),
    st.uuids().filter(lambda organisation: organisation != MINE),
)
def test_another_organisations_referral_gives_a_provider_nothing(
    permission, state, consented, organisation_id
):
    record = referral(organisation_id, state, consented=consented)
    assert not may(actor(Role.PROVIDER), permission, record).allowed


@given(st.sampled_from(Permission), st.sampled_from(ReferralState), st.booleans())
def test_a_provider_without_an_organisation_receives_nothing(permission, state, consented):
    nowhere = Actor(ME, None, Role.PROVIDER)
    assert not may(nowhere, permission, referral(MINE, state, consented=consented)).allowed


# Whatever may be said of a record: 5,000 cases with NRM_PROOF=1, a tenth without.

CASES = 5_000 if os.environ.get("NRM_PROOF") else 500
# Few enough people and organisations that they meet.
PEOPLE = [UUID(int=number) for number in range(1, 5)]
PLACES = [UUID(int=number) for number in range(11, 14)]
anybody = st.builds(
    Actor, st.sampled_from([*PEOPLE, None]), st.sampled_from([*PLACES, None]), st.sampled_from(Role)
)
some_people = st.frozensets(st.sampled_from(PEOPLE), max_size=2)
barred = st.frozensets(st.sampled_from([*PEOPLE, *PLACES]), max_size=3)
records = st.one_of(
    st.builds(
        CaseStanding,
        st.just(CASE),
        st.sampled_from(PEOPLE),
        owners=some_people,
        barred=barred,
        broken_glass=some_people,
    ),
    st.builds(
        ReferralStanding,
        st.just(REFERRAL),
        st.sampled_from(PLACES),
        st.sampled_from(ReferralState),
        st.booleans(),
        barred=barred,
        broken_glass=some_people,
    ),
    st.builds(GlassStanding, st.just(GLASS), st.sampled_from(PEOPLE), barred=barred),
)


def test_no_relation_is_without_its_cause_and_a_bar_beats_every_grant(counted):
    met = Counter()

    @settings(max_examples=CASES, deadline=None, phases=[Phase.generate], database=None)
    @given(anybody, records)
    def holds_always(who, record):
        held = relations(who, record)
        allowed = {one for one in Permission if may(who, one, record).allowed}
        assert allowed == {one for one, wanted in GRANTS[who.role].items() if held & wanted}
        met["cases"] += 1
        met["allowed"] += bool(allowed)
        if {who.id, who.organisation_id} & record.barred:
            met["barred"] += 1
            assert (held, allowed) == (frozenset(), set())
            return
        assert held == caused(who, record)

    holds_always()
    counted(
        f"policy: {met['cases']:,} cases, {met['barred']:,} of them barred, "
        f"something is allowed in {met['allowed']:,}"
    )
    assert met["cases"] >= CASES
    assert met["barred"]
    assert met["allowed"]


def caused(who, record):
    """Say from the facts of a record alone which relations have a cause."""
    if isinstance(record, GlassStanding):
        return set() if record.broken_by == who.id else {Relation.OTHERS_GLASS}
    causes = {Relation.NATIONAL: True, Relation.BROKEN_GLASS: who.id in record.broken_glass}
    if isinstance(record, CaseStanding):
        causes[Relation.OWN_FLAG] = who.id == record.flagged_by
        causes[Relation.ASSIGNED] = not record.owners or who.id in record.owners
    else:
        received = who.organisation_id == record.organisation_id
        live = received and record.state in {ReferralState.SENT, ReferralState.ACCEPTED}
        accepted = live and record.state is ReferralState.ACCEPTED
        causes[Relation.RECEIVER] = received
        causes[Relation.LIVE_RECEIVER] = live
        causes[Relation.ACCEPTED] = accepted
        # What the person agreed to opens nothing that was not accepted.
        causes[Relation.CONSENTED] = accepted and record.consented
    return {relation for relation, holds_true in causes.items() if holds_true}


# What a refusal says.


@pytest.mark.parametrize(
    ("role", "permission", "situation", "reason"),
    [
        (Role.ANALYST, "case:view", "case", "Your role cannot do this."),
        (
            Role.DIRECTORY_MANAGER,
            "listing:approve",
            "own",
            "Someone other than the person who submitted a listing approves it.",
        ),
        (
            Role.COORDINATOR,
            "erasure:answer",
            "mine",
            "Someone other than the person who asked for an erasure carries it out.",
        ),
        (
            Role.PROVIDER,
            "service:record",
            "sent",
            "Services are recorded while your organisation is helping under this referral.",
        ),
        (
            Role.PROVIDER,
            "envelope:open",
            "over",
            "This referral is closed. Its envelope can no longer be opened.",
        ),
        (
            Role.FIRST_RESPONDER,
            "flag:view",
            "case",
            "You have no part in this record that allows this.",
        ),
    ],
)
def test_a_refusal_says_why_in_plain_words(role, permission, situation, reason):
    record = SITUATIONS[situation]
    decision = may(actor(role), Permission(permission), record)
    assert (decision.allowed, decision.reason) == (False, reason)
    with pytest.raises(RefusedError) as refused:
        require(actor(role), Permission(permission), record)
    # The page gets the reason, the log the permission and the record.
    assert refused.value.reason == reason
    assert refused.value.permission == permission
    assert refused.value.subject == record.subject


def test_a_refusal_without_a_record_is_about_nothing():
    with pytest.raises(RefusedError) as refused:
        require(actor(Role.ANALYST), Permission.AUDIT_SEARCH)
    assert refused.value.subject == NOTHING


def test_what_is_allowed_passes_in_silence():
    require(actor(Role.AUDITOR), Permission.AUDIT_SEARCH)
    assert may(actor(Role.AUDITOR), Permission.AUDIT_SEARCH).reason == ""
