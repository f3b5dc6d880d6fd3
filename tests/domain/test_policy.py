from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.domain.errors import NOTHING, RefusedError, Subject
from nrm.domain.lifecycle import LIVE_REFERRALS, ReferralState
from nrm.domain.policy import (
    AccountStanding,
    CaseStanding,
    ErasureStanding,
    ListingStanding,
    ReferralStanding,
    ReleaseStanding,
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

ME, COLLEAGUE = UUID(int=1), UUID(int=2)
MINE, ELSEWHERE = UUID(int=11), UUID(int=12)
CASE = Subject("case", UUID(int=21), UUID(int=21))
REFERRAL = Subject("referral", UUID(int=31), UUID(int=21))
LISTING = Subject("listing", UUID(int=41))
ERASURE = Subject("erasure", UUID(int=51), UUID(int=21))
RELEASE = Subject("release", UUID(int=61))
ACCOUNT = Subject("account", UUID(int=71))
US = frozenset({ME})
THEM = frozenset({COLLEAGUE})
OVER = sorted(set(ReferralState) - LIVE_REFERRALS)


def referral(organisation_id, state, *, consented=False, **access):
    return ReferralStanding(REFERRAL, organisation_id, state, consented, **access)


def case(flagged_by, **access):
    return CaseStanding(CASE, flagged_by, **access)


# The situations in which somebody may stand towards a record; the columns of the matrix below.
SITUATIONS = {
    # The act has no record of its own: a list, a new flag, the log.
    "none": None,
    # A case that the actor flagged, and one that somebody else flagged.
    "flag": CaseStanding(CASE, ME),
    "case": CaseStanding(CASE, COLLEAGUE),
    # A referral to the actor's organisation: waiting; accepted, but consent does not cover what
    # is asked for; accepted and covered; over. And one to another organisation, at its widest.
    "sent": referral(MINE, ReferralState.SENT, consented=True),
    "acc": referral(MINE, ReferralState.ACCEPTED),
    "cov": referral(MINE, ReferralState.ACCEPTED, consented=True),
    "over": referral(MINE, ReferralState.ENDED, consented=True),
    "other": referral(ELSEWHERE, ReferralState.ACCEPTED, consented=True),
    # A listing that the actor submitted, and somebody else's.
    "own": ListingStanding(LISTING, ME),
    "list": ListingStanding(LISTING, COLLEAGUE),
    # A request to erase that the actor made, and somebody else's.
    "mine": ErasureStanding(ERASURE, ME),
    "theirs": ErasureStanding(ERASURE, COLLEAGUE),
    "new": ReleaseStanding(RELEASE, frozenset({COLLEAGUE})),
    "done": ReleaseStanding(RELEASE, frozenset({ME, COLLEAGUE})),
    # A case that a colleague looks after; the same while the actor has broken its glass.
    "held": case(COLLEAGUE, owners=THEM),
    "glass": case(COLLEAGUE, owners=THEM, broken_glass=US),
    # A referral that is over, of a case whose glass the actor has broken.
    "night": referral(MINE, ReferralState.ENDED, consented=True, broken_glass=US),
    # At its widest, and barred: the actor from a case, their organisation from it, and so from
    # a referral.
    "barme": case(ME, owners=US, broken_glass=US, barred=US),
    "barus": case(ME, owners=US, broken_glass=US, barred=frozenset({MINE})),
    "barref": referral(
        MINE, ReferralState.ACCEPTED, consented=True, broken_glass=US, barred=frozenset({MINE})
    ),
    # An account: one's own, a colleague's, somebody's of another organisation.
    "self": AccountStanding(ACCOUNT, ME, MINE, Role.PROVIDER),
    "near": AccountStanding(ACCOUNT, COLLEAGUE, MINE, Role.PROVIDER),
    "far": AccountStanding(ACCOUNT, COLLEAGUE, ELSEWHERE, Role.PROVIDER),
}

# Who may do what in which situation. A permission that does not stand under a role is refused to
# it everywhere; "." is a refusal where the role has the permission, but not in this situation.
MATRIX = {
    # Flags, and sees how the own flags stand: not the file that grows from them; in an emergency,
    # who it is.
    Role.FIRST_RESPONDER: """
        permission           none flag case sent acc cov over other own list mine theirs new done
        case:flag            yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        compartment:contact  .    .    .    .    .   .   .    .     .   .    .    .      .   .
        compartment:identity .    .    .    .    .   .   .    .     .   .    .    .      .   .
        flag:view            .    yes  .    .    .   .   .    .     .   .    .    .      .   .
        glass:break          .    yes  .    .    .   .   .    .     .   .    .    .      .   .
        work:view            yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Owns every case and every referral of the country. Health is for whoever looks after the case;
    # the police part of a file opens in an emergency alone.
    Role.COORDINATOR: """
        permission              none flag case sent acc cov over other own list mine theirs new done
        case:close              .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:compare            .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:history            .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:presume            .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:view               .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        compartment:contact     .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        compartment:enforcement .    .    .    .    .   .   .    .     .   .    .    .      .   .
        compartment:facts       .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        compartment:health      .    yes  yes  .    .   .   .    .     .   .    .    .      .   .
        compartment:identity    .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        compartment:narrative   .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        consent:record          .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        directory:view          yes  .    .    .    .   .   .    .     yes yes  .    .      .   .
        document:add            .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        document:open           .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        document:remove         .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        erasure:answer          .    .    .    .    .   .   .    .     .   .    .    yes    .   .
        erasure:ask             .    yes  yes  yes  yes yes yes  yes   .   .    yes  .      .   .
        erasure:view            yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        glass:break             .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        needs:record            .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        person:search           yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        referral:send           .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        referral:withdraw       .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        work:view               yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Has a first page, and no case yet.
    Role.DECISION_MAKER: """
        permission    none flag case sent acc cov over other own list mine theirs new done
        decision:view yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        work:view     yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Acts for its organisation alone. Before acceptance the envelope, after it what consent
    # covers, and when the referral is over nothing but that it once was.
    Role.PROVIDER: """
        permission            none flag case sent acc cov over other own list mine theirs new done
        compartment:contact   .    .    .    .    .   yes .    .     .   .    .    .      .   .
        compartment:health    .    .    .    .    .   yes .    .     .   .    .    .      .   .
        compartment:identity  .    .    .    .    .   yes .    .     .   .    .    .      .   .
        compartment:narrative .    .    .    .    .   yes .    .     .   .    .    .      .   .
        envelope:open         .    .    .    yes  yes yes .    .     .   .    .    .      .   .
        glass:break           .    .    .    yes  yes yes yes  .     .   .    .    .      .   .
        referral:answer       .    .    .    yes  yes yes yes  .     .   .    .    .      .   .
        referral:end          .    .    .    yes  yes yes yes  .     .   .    .    .      .   .
        referral:view         .    .    .    yes  yes yes yes  .     .   .    .    .      .   .
        service:record        .    .    .    .    yes yes .    .     .   .    .    .      .   .
        work:view             yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Keeps the directory; nobody approves what they submitted themselves.
    Role.DIRECTORY_MANAGER: """
        permission      none flag case sent acc cov over other own list mine theirs new done
        directory:view  yes  .    .    .    .   .   .    .     yes yes  .    .      .   .
        listing:approve .    .    .    .    .   .   .    .     .   yes  .    .      .   .
        listing:submit  yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        listing:suspend .    .    .    .    .   .   .    .     yes yes  .    .      .   .
        work:view       yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Sees published figures, and no way to a person.
    Role.ANALYST: """
        permission        none flag case sent acc cov over other own list mine theirs new done
        statistics:ask    yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        statistics:export yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        statistics:sign   .    .    .    .    .   .   .    .     .   .    .    .      yes .
        statistics:view   yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        work:view         yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Sees who did and read what, and nothing of what was read; can be the second person of an
    # erasure without opening the file.
    Role.AUDITOR: """
        permission     none flag case sent acc cov over other own list mine theirs new done
        audit:export   yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        audit:search   yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        erasure:answer .    .    .    .    .   .   .    .     .   .    .    yes    .   .
        erasure:view   yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        role:view      yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        work:view      yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Keeps accounts, and reaches no case.
    Role.ADMINISTRATOR: """
        permission          none flag case sent acc cov over other own list mine theirs new done
        account:manage      yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        organisation:manage yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        role:view           yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        work:view           yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Keeps the accounts of the own organisation; never the own one, and no case.
    Role.ORGANISATION_ADMINISTRATOR: """
        permission     none flag case sent acc cov over other own list mine theirs new done
        account:manage yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        work:view      yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # The clock: it takes an unanswered referral back, and looks whether a flagged person is known
    # already, for which it reads names, papers and telephones. Nothing else. No bar is on it.
    Role.SYSTEM: """
        permission           none flag case sent acc cov over other own list mine theirs new done
        case:compare         .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        compartment:contact  .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        compartment:identity .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        referral:expire      .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        statistics:ask       yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        statistics:count     yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        statistics:view      yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
}

# The situations of who looks after a case, of broken glass, of bars and of accounts. A permission
# that does not stand under a role, and a role that does not stand here, is refused in all of them.
OF_ACCESS = {
    Role.FIRST_RESPONDER: """
        permission           held glass night barme barus barref self near far
        compartment:contact  .    yes   yes   .     .     .      .    .    .
        compartment:identity .    yes   yes   .     .     .      .    .    .
    """,
    Role.COORDINATOR: """
        permission              held glass night barme barus barref self near far
        case:close              yes  yes   yes   .     .     .      .    .    .
        case:compare            yes  yes   yes   .     .     .      .    .    .
        case:history            yes  yes   yes   .     .     .      .    .    .
        case:presume            yes  yes   yes   .     .     .      .    .    .
        case:view               yes  yes   yes   .     .     .      .    .    .
        compartment:contact     yes  yes   yes   .     .     .      .    .    .
        compartment:enforcement .    yes   yes   .     .     .      .    .    .
        compartment:facts       yes  yes   yes   .     .     .      .    .    .
        compartment:health      .    yes   yes   .     .     .      .    .    .
        compartment:identity    yes  yes   yes   .     .     .      .    .    .
        compartment:narrative   yes  yes   yes   .     .     .      .    .    .
        consent:record          yes  yes   yes   .     .     .      .    .    .
        document:add            yes  yes   yes   .     .     .      .    .    .
        document:open           yes  yes   yes   .     .     .      .    .    .
        document:remove         yes  yes   yes   .     .     .      .    .    .
        erasure:ask             yes  yes   yes   .     .     .      .    .    .
        glass:break             yes  yes   yes   .     .     .      .    .    .
        needs:record            yes  yes   yes   .     .     .      .    .    .
        referral:send           yes  yes   yes   .     .     .      .    .    .
        referral:withdraw       yes  yes   yes   .     .     .      .    .    .
    """,
    Role.PROVIDER: """
        permission           held glass night barme barus barref self near far
        compartment:contact  .    yes   yes   .     .     .      .    .    .
        compartment:identity .    yes   yes   .     .     .      .    .    .
        glass:break          .    .     yes   .     .     .      .    .    .
        referral:answer      .    .     yes   .     .     .      .    .    .
        referral:end         .    .     yes   .     .     .      .    .    .
        referral:view        .    .     yes   .     .     .      .    .    .
    """,
    Role.ADMINISTRATOR: """
        permission     held glass night barme barus barref self near far
        account:manage .    .     .     .     .     .      .    yes  yes
    """,
    Role.ORGANISATION_ADMINISTRATOR: """
        permission     held glass night barme barus barref self near far
        account:manage .    .     .     .     .     .      .    yes  .
    """,
    Role.SYSTEM: """
        permission           held glass night barme barus barref self near far
        case:compare         yes  yes   yes   yes   yes   yes    .    .    .
        compartment:contact  yes  yes   yes   yes   yes   yes    .    .    .
        compartment:identity yes  yes   yes   yes   yes   yes    .    .    .
        referral:expire      yes  yes   yes   yes   yes   yes    .    .    .
    """,
}

# The grant table, written a second time by hand: what stands in the program must say the same.
GRANTED = {
    Role.FIRST_RESPONDER: """
        work:view, case:flag: no record
        flag:view, glass:break: own flag
        compartment:identity, compartment:contact: broken glass
    """,
    Role.COORDINATOR: """
        work:view: no record
        case:view, case:presume, case:close, case:compare, case:history: national
        consent:record, needs:record: national
        referral:send, referral:withdraw: national
        compartment:identity, compartment:contact, compartment:narrative: national
        compartment:facts, glass:break: national
        compartment:health: assigned, broken glass
        compartment:enforcement: broken glass
        directory:view: no record, any listing
        person:search: no record
        document:add, document:open, document:remove: national
        erasure:view: no record
        erasure:ask: national, own erasure
        erasure:answer: another's erasure
    """,
    Role.DECISION_MAKER: """
        work:view, decision:view: no record
    """,
    Role.PROVIDER: """
        work:view: no record
        referral:view, referral:answer, referral:end, glass:break: receiver
        envelope:open: live receiver
        service:record: accepted
        compartment:identity, compartment:contact: consented, broken glass
        compartment:narrative, compartment:health: consented
    """,
    Role.DIRECTORY_MANAGER: """
        work:view, listing:submit: no record
        directory:view: no record, any listing
        listing:approve: another's listing
        listing:suspend: any listing
    """,
    Role.ANALYST: """
        work:view, statistics:view, statistics:ask, statistics:export: no record
        statistics:sign: release not signed by oneself
    """,
    Role.AUDITOR: """
        work:view, audit:search, audit:export, erasure:view, role:view: no record
        erasure:answer: another's erasure
    """,
    Role.ADMINISTRATOR: """
        work:view, organisation:manage, role:view: no record
        account:manage: no record, another's account
    """,
    Role.ORGANISATION_ADMINISTRATOR: """
        work:view: no record
        account:manage: no record, colleague
    """,
    Role.SYSTEM: """
        referral:expire, case:compare: national
        compartment:identity, compartment:contact: national
        statistics:ask, statistics:count, statistics:view: no record
    """,
}


def actor(role):
    return HOUSEKEEPING if role is Role.SYSTEM else Actor(ME, MINE, role)


def written(role):
    """Read the matrices of one role as permission → the situations in which it is allowed."""
    first, second = rows_of(MATRIX[role]), rows_of(OF_ACCESS.get(role, "permission"))
    assert set(second) <= set(first)
    return {
        Permission(name): {
            situation
            for rows in (first, second)
            for situation, cell in rows.get(name, {}).items()
            if cell == "yes"
        }
        for name in first
    }


def rows_of(matrix):
    head, *rows = [line.split() for line in matrix.strip().splitlines()]
    assert all(set(cells) <= {"yes", "."} for _, *cells in rows)
    return {name: dict(zip(head[1:], cells, strict=True)) for name, *cells in rows}


def granted(role):
    """Read the hand-written grants of one role."""
    table = {}
    for line in GRANTED[role].strip().splitlines():
        permissions, _, held = line.rpartition(": ")
        for permission in permissions.split(","):
            table[Permission(permission.strip())] = {
                Relation(relation.strip()) for relation in held.split(",")
            }
    return table


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
    assert all(first | second == set(SITUATIONS) for first in columns for second in accesses)


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
        ("self", ""),
        ("near", "colleague, another's account"),
        ("far", "another's account"),
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
