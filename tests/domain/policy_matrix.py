"""Who may do what in which situation, as it was agreed, in tables that people can read."""

from uuid import UUID

from nrm.domain.errors import Subject
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
)
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission, Relation, Role

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
