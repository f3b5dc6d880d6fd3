import os
import sys
from collections import Counter
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nrm.domain.errors import NOTHING, RefusedError, Subject
from nrm.domain.lifecycle import LIVE_REFERRALS, ReferralState
from nrm.domain.policy import (
    AccountStanding,
    ApprovalStanding,
    CaseStanding,
    ErasureStanding,
    GlassStanding,
    HandOverStanding,
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
APPROVAL = Subject("approval", UUID(int=91), UUID(int=21))
OFFER = Subject("handover", UUID(int=81), UUID(int=21))
GLASS = Subject("glass", UUID(int=81), UUID(int=21))
ACCOUNT = Subject("account", UUID(int=71))
SOMEBODY = UUID(int=3)
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
    # An emergency access of the actor, of a colleague, and of one on a case that is barred.
    "hr": GlassStanding(GLASS, ME),
    "rev": GlassStanding(GLASS, COLLEAGUE),
    "barrev": GlassStanding(GLASS, COLLEAGUE, barred=US),
    # An account: one's own, a colleague's, somebody's of another organisation.
    "self": AccountStanding(ACCOUNT, ME, MINE, Role.PROVIDER),
    "near": AccountStanding(ACCOUNT, COLLEAGUE, MINE, Role.PROVIDER),
    "far": AccountStanding(ACCOUNT, COLLEAGUE, ELSEWHERE, Role.PROVIDER),
    # An offer of a case: to the actor; by the actor; by another of a case that is the actor's now;
    # between two others; and to the actor, who is barred from the case.
    "tome": HandOverStanding(OFFER, COLLEAGUE, ME, THEM),
    "byme": HandOverStanding(OFFER, ME, COLLEAGUE, THEM),
    "ofmine": HandOverStanding(OFFER, COLLEAGUE, SOMEBODY, US),
    "others": HandOverStanding(OFFER, COLLEAGUE, SOMEBODY, THEM),
    "baroff": HandOverStanding(OFFER, COLLEAGUE, ME, THEM, barred=US),
    # What waits for a second person: asked for by the actor; by another; by another and about the
    # actor; and by another about a case from which the actor is barred.
    "mywish": ApprovalStanding(APPROVAL, ME, SOMEBODY),
    "wish": ApprovalStanding(APPROVAL, COLLEAGUE, SOMEBODY),
    "aboutme": ApprovalStanding(APPROVAL, COLLEAGUE, ME),
    "barwish": ApprovalStanding(APPROVAL, COLLEAGUE, SOMEBODY, barred=US),
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
        draft:take           yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        flag:view            .    yes  .    .    .   .   .    .     .   .    .    .      .   .
        glass:break          .    yes  .    .    .   .   .    .     .   .    .    .      .   .
        work:view            yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Owns every case and every referral of the country. Health is for whoever looks after the case;
    # the police part of a file opens in an emergency alone.
    Role.COORDINATOR: """
        permission              none flag case sent acc cov over other own list mine theirs new done
        absence:set             yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        approval:answer         .    .    .    .    .   .   .    .     .   .    .    .      .   .
        approval:ask            yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        approval:view           yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        bar:place               .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:assign             .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:close              .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:compare            .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:export             yes  yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:history            .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:merge              .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:presume            .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        case:print              .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
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
        draft:assign            yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        erasure:answer          .    .    .    .    .   .   .    .     .   .    .    yes    .   .
        erasure:ask             .    yes  yes  yes  yes yes yes  yes   .   .    yes  .      .   .
        erasure:view            yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        glass:break             .    yes  yes  yes  yes yes yes  yes   .   .    .    .      .   .
        handover:answer         .    .    .    .    .   .   .    .     .   .    .    .      .   .
        handover:retract        .    .    .    .    .   .   .    .     .   .    .    .      .   .
        merge:approve           .    .    .    .    .   .   .    .     .   .    .    .      .   .
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
        referral:print        .    .    .    .    yes yes .    .     .   .    .    .      .   .
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
        permission      none flag case sent acc cov over other own list mine theirs new done
        approval:answer .    .    .    .    .   .   .    .     .   .    .    .      .   .
        approval:view   yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        audit:export    yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        audit:search    yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        erasure:answer  .    .    .    .    .   .   .    .     .   .    .    yes    .   .
        erasure:view    yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        export:approve  .    .    .    .    .   .   .    .     .   .    .    .      .   .
        glass:review    yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        role:approve    .    .    .    .    .   .   .    .     .   .    .    .      .   .
        role:view       yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        work:view       yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Keeps accounts, and reaches no case.
    Role.ADMINISTRATOR: """
        permission          none flag case sent acc cov over other own list mine theirs new done
        account:manage      yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        approval:answer     .    .    .    .    .   .   .    .     .   .    .    .      .   .
        approval:ask        yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        approval:view       yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        organisation:manage yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        role:approve        .    .    .    .    .   .   .    .     .   .    .    .      .   .
        role:view           yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        work:view           yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # Keeps the accounts of the own organisation; never the own one, and no case.
    Role.ORGANISATION_ADMINISTRATOR: """
        permission     none flag case sent acc cov over other own list mine theirs new done
        account:manage yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        approval:ask   yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        approval:view  yes  .    .    .    .   .   .    .     .   .    .    .      .   .
        work:view      yes  .    .    .    .   .   .    .     .   .    .    .      .   .
    """,
    # The clock: it takes an unanswered referral back, and looks whether a flagged person is known
    # already, for which it reads names, papers and telephones. Nothing else. No bar is on it.
    Role.SYSTEM: """
        permission           none flag case sent acc cov over other own list mine theirs new done
        approval:lapse       .    .    .    .    .   .   .    .     .   .    .    .      .   .
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
        permission           held glass night barme barus barref hr rev barrev self near far
        compartment:contact  .    yes   yes   .     .     .      .  .   .      .    .    .
        compartment:identity .    yes   yes   .     .     .      .  .   .      .    .    .
    """,
    Role.COORDINATOR: """
        permission              held glass night barme barus barref hr rev barrev self near far
        bar:place               yes  yes   yes   .     .     .      .  .   .      .    .    .
        case:assign             yes  yes   yes   .     .     .      .  .   .      .    .    .
        case:close              yes  yes   yes   .     .     .      .  .   .      .    .    .
        case:compare            yes  yes   yes   .     .     .      .  .   .      .    .    .
        case:export             yes  yes   yes   .     .     .      .  .   .      .    .    .
        case:history            yes  yes   yes   .     .     .      .  .   .      .    .    .
        case:merge              yes  yes   yes   .     .     .      .  .   .      .    .    .
        case:presume            yes  yes   yes   .     .     .      .  .   .      .    .    .
        case:print              yes  yes   yes   .     .     .      .  .   .      .    .    .
        case:view               yes  yes   yes   .     .     .      .  .   .      .    .    .
        compartment:contact     yes  yes   yes   .     .     .      .  .   .      .    .    .
        compartment:enforcement .    yes   yes   .     .     .      .  .   .      .    .    .
        compartment:facts       yes  yes   yes   .     .     .      .  .   .      .    .    .
        compartment:health      .    yes   yes   .     .     .      .  .   .      .    .    .
        compartment:identity    yes  yes   yes   .     .     .      .  .   .      .    .    .
        compartment:narrative   yes  yes   yes   .     .     .      .  .   .      .    .    .
        consent:record          yes  yes   yes   .     .     .      .  .   .      .    .    .
        document:add            yes  yes   yes   .     .     .      .  .   .      .    .    .
        document:open           yes  yes   yes   .     .     .      .  .   .      .    .    .
        document:remove         yes  yes   yes   .     .     .      .  .   .      .    .    .
        erasure:ask             yes  yes   yes   .     .     .      .  .   .      .    .    .
        glass:break             yes  yes   yes   .     .     .      .  .   .      .    .    .
        needs:record            yes  yes   yes   .     .     .      .  .   .      .    .    .
        referral:send           yes  yes   yes   .     .     .      .  .   .      .    .    .
        referral:withdraw       yes  yes   yes   .     .     .      .  .   .      .    .    .
    """,
    Role.PROVIDER: """
        permission           held glass night barme barus barref hr rev barrev self near far
        compartment:contact  .    yes   yes   .     .     .      .  .   .      .    .    .
        compartment:identity .    yes   yes   .     .     .      .  .   .      .    .    .
        glass:break          .    .     yes   .     .     .      .  .   .      .    .    .
        referral:answer      .    .     yes   .     .     .      .  .   .      .    .    .
        referral:end         .    .     yes   .     .     .      .  .   .      .    .    .
        referral:view        .    .     yes   .     .     .      .  .   .      .    .    .
    """,
    Role.AUDITOR: """
        permission   held glass night barme barus barref hr rev barrev self near far
        glass:review .    .     .     .     .     .      .  yes .      .    .    .
    """,
    Role.ADMINISTRATOR: """
        permission     held glass night barme barus barref hr rev barrev self near far
        account:manage .    .     .     .     .     .      .  .   .      .    yes  yes
    """,
    Role.ORGANISATION_ADMINISTRATOR: """
        permission     held glass night barme barus barref hr rev barrev self near far
        account:manage .    .     .     .     .     .      .  .   .      .    yes  .
    """,
    Role.SYSTEM: """
        permission           held glass night barme barus barref hr rev barrev self near far
        case:compare         yes  yes   yes   yes   yes   yes    .  .   .      .    .    .
        compartment:contact  yes  yes   yes   yes   yes   yes    .  .   .      .    .    .
        compartment:identity yes  yes   yes   yes   yes   yes    .  .   .      .    .    .
        referral:expire      yes  yes   yes   yes   yes   yes    .  .   .      .    .    .
    """,
}

# The situations of an offer of a case: whoever it was made to answers, whose it is takes it back.
OF_OFFERS = {
    Role.COORDINATOR: """
        permission       tome byme ofmine others baroff
        handover:answer  yes  .    .      .      .
        handover:retract .    yes  yes    .      .
    """,
}

# The situations of what takes two people: whoever asked takes it back, and another person answers.
OF_APPROVALS = {
    Role.COORDINATOR: """
        permission      mywish wish aboutme barwish
        approval:answer .      yes  .       .
        approval:ask    yes    .    .       .
        merge:approve   .      yes  .       .
    """,
    Role.AUDITOR: """
        permission      mywish wish aboutme barwish
        approval:answer .      yes  .       .
        export:approve  .      yes  .       .
        role:approve    .      yes  .       .
    """,
    Role.ADMINISTRATOR: """
        permission      mywish wish aboutme barwish
        approval:answer .      yes  .       .
        approval:ask    yes    .    .       .
        role:approve    .      yes  .       .
    """,
    Role.ORGANISATION_ADMINISTRATOR: """
        permission      mywish wish aboutme barwish
        approval:ask    yes    .    .       .
    """,
    Role.SYSTEM: """
        permission      mywish wish aboutme barwish
        approval:lapse  yes    yes  yes     yes
    """,
}

# The grant table, written a second time by hand: what stands in the program must say the same.
GRANTED = {
    Role.FIRST_RESPONDER: """
        work:view, case:flag: no record
        draft:take: no record
        flag:view, glass:break: own flag
        compartment:identity, compartment:contact: broken glass
    """,
    Role.COORDINATOR: """
        work:view: no record
        absence:set, draft:assign: no record
        case:assign, case:view, case:presume, case:close, case:compare, case:history: national
        handover:answer: offered to oneself
        handover:retract: own offer
        approval:view: no record
        approval:ask: no record, own request for approval
        approval:answer, merge:approve: another's request for approval
        case:print, case:merge: national
        case:export: no record, national
        consent:record, needs:record: national
        referral:send, referral:withdraw: national
        compartment:identity, compartment:contact, compartment:narrative: national
        compartment:facts, glass:break, bar:place: national
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
        service:record, referral:print: accepted
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
        work:view, audit:search, audit:export, erasure:view: no record
        erasure:answer: another's erasure
        glass:review: no record, another's emergency
        approval:view, role:view: no record
        approval:answer, export:approve, role:approve: another's request for approval
    """,
    Role.ADMINISTRATOR: """
        work:view, organisation:manage: no record
        account:manage: no record, another's account
        approval:view, role:view: no record
        approval:ask: no record, own request for approval
        approval:answer, role:approve: another's request for approval
    """,
    Role.ORGANISATION_ADMINISTRATOR: """
        work:view: no record
        account:manage: no record, colleague
        approval:view: no record
        approval:ask: no record, own request for approval
    """,
    Role.SYSTEM: """
        referral:expire, case:compare: national
        approval:lapse: another's request for approval
        compartment:identity, compartment:contact: national
        statistics:ask, statistics:count, statistics:view: no record
    """,
}


def actor(role):
    return HOUSEKEEPING if role is Role.SYSTEM else Actor(ME, MINE, role)


def written(role):
    """Read the matrices of one role as permission → the situations in which it is allowed."""
    first, second = rows_of(MATRIX[role]), rows_of(OF_ACCESS.get(role, "permission"))
    third = rows_of(OF_OFFERS.get(role, "permission"))
    fourth = rows_of(OF_APPROVALS.get(role, "permission"))
    assert set(second) | set(third) | set(fourth) <= set(first)
    return {
        Permission(name): {
            situation
            for rows in (first, second, third, fourth)
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


def test_no_relation_is_without_its_cause_and_a_bar_beats_every_grant(capsys):
    counted = Counter()

    @settings(max_examples=CASES, deadline=None, phases=[Phase.generate], database=None)
    @given(anybody, records)
    def holds_always(who, record):
        held = relations(who, record)
        allowed = {one for one in Permission if may(who, one, record).allowed}
        assert allowed == {one for one, wanted in GRANTS[who.role].items() if held & wanted}
        counted["cases"] += 1
        counted["allowed"] += bool(allowed)
        if {who.id, who.organisation_id} & record.barred:
            counted["barred"] += 1
            assert (held, allowed) == (frozenset(), set())
            return
        assert held == caused(who, record)

    holds_always()
    with capsys.disabled():
        sys.stdout.write(
            f"\n  policy: {counted['cases']:,} cases, {counted['barred']:,} of them barred, "
            f"something is allowed in {counted['allowed']:,}\n"
        )
    assert counted["cases"] >= CASES
    assert counted["barred"]
    assert counted["allowed"]


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
