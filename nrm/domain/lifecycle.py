"""The states of the mechanism and the steps between them: tables, readable without code.

Identification and assistance are two axes, because assistance never waits for a decision
(Ministerial Order 13/2021, art. 2: a person suspected to be trafficked receives basic help).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from nrm.domain.errors import IllegalStepError
from nrm.domain.roles import Permission
from nrm.domain.text import N_

S = TypeVar("S", bound=StrEnum)


class Identification(StrEnum):
    """How far the question "is this a victim of trafficking?" has come."""

    FLAGGED = "flagged"
    PRESUMED = "presumed"


class Assistance(StrEnum):
    """How far help has come."""

    WAITING = "waiting"
    NEEDS_RECORDED = "needs_recorded"
    REFERRED = "referred"
    ASSISTED = "assisted"
    CLOSED = "closed"


class ReferralState(StrEnum):
    """Where one referral to one organisation stands."""

    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


class ListingState(StrEnum):
    """Where a service provider's listing in the directory stands."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    SUSPENDED = "suspended"


class ErasureState(StrEnum):
    """Where a request to erase a closed case stands."""

    ASKED = "asked"
    TAKEN_BACK = "taken_back"
    REFUSED = "refused"
    DONE = "done"


class ReleaseState(StrEnum):
    """Where a release of the statistics stands."""

    QUEUED = "queued"
    TOO_FEW = "too_few"
    DRAFT = "draft"
    SIGNED_ONCE = "signed_once"
    SIGNED = "signed"
    FROZEN = "frozen"


class HandOverState(StrEnum):
    """Where an offer of a case to a coordinator of another organisation stands."""

    OFFERED = "offered"
    TAKEN = "taken"
    NOT_TAKEN = "not_taken"
    RETRACTED = "retracted"


class ApprovalState(StrEnum):
    """Where an act that takes two people stands."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"


STATE_LABEL: dict[StrEnum, str] = {
    Identification.FLAGGED: N_("Flagged"),
    Identification.PRESUMED: N_("Presumed victim"),
    Assistance.WAITING: N_("Needs not recorded"),
    Assistance.NEEDS_RECORDED: N_("Needs a provider"),
    Assistance.REFERRED: N_("Referred"),
    Assistance.ASSISTED: N_("Assisted"),
    Assistance.CLOSED: N_("Closed"),
    ReferralState.SENT: N_("Waiting for an answer"),
    ReferralState.ACCEPTED: N_("Accepted"),
    ReferralState.DECLINED: N_("Declined"),
    ReferralState.EXPIRED: N_("Not answered in time"),
    ReferralState.WITHDRAWN: N_("Withdrawn"),
    ReferralState.ENDED: N_("Ended"),
    ListingState.SUBMITTED: N_("Waiting for approval"),
    ListingState.APPROVED: N_("Approved"),
    ListingState.SUSPENDED: N_("Suspended"),
    ErasureState.ASKED: N_("Asked for"),
    ErasureState.TAKEN_BACK: N_("Taken back"),
    ErasureState.REFUSED: N_("Refused"),
    ErasureState.DONE: N_("Erased"),
    ReleaseState.QUEUED: N_("Waiting to be counted"),
    ReleaseState.TOO_FEW: N_("Too few new cases"),
    ReleaseState.DRAFT: N_("Draft"),
    ReleaseState.SIGNED_ONCE: N_("Signed by one person"),
    ReleaseState.SIGNED: N_("Signed, waiting to be frozen"),
    ReleaseState.FROZEN: N_("Frozen"),
    HandOverState.OFFERED: N_("Offered"),
    HandOverState.TAKEN: N_("Taken over"),
    HandOverState.NOT_TAKEN: N_("Not taken over"),
    HandOverState.RETRACTED: N_("Offer taken back"),
    ApprovalState.REQUESTED: N_("Waiting for a second person"),
    ApprovalState.CONFIRMED: N_("Approved by a second person"),
    ApprovalState.REJECTED: N_("Not approved"),
    ApprovalState.CANCELLED: N_("Taken back by who asked"),
    ApprovalState.LAPSED: N_("Lapsed: nobody answered in time"),
}


class NextAction(StrEnum):
    """What a case asks of the coordinator now."""

    READ_FLAG = "read_flag"
    RECORD_NEEDS = "record_needs"
    FIND_PROVIDER = "find_provider"
    AWAIT_ANSWER = "await_answer"
    FOLLOW_UP = "follow_up"
    NOTHING = "nothing"


NEXT_ACTION_LABEL: dict[NextAction, str] = {
    NextAction.READ_FLAG: N_("Read the new flag"),
    NextAction.RECORD_NEEDS: N_("Record what the person needs"),
    NextAction.FIND_PROVIDER: N_("Find a provider"),
    NextAction.AWAIT_ANSWER: N_("Wait for the provider’s answer"),
    NextAction.FOLLOW_UP: N_("Ask how the help is going"),
    NextAction.NOTHING: N_("Nothing: the case is closed"),
}

# Help comes first: only a flag that nobody has read yet asks about identification.
_NEXT_ACTION: dict[Assistance, NextAction] = {
    Assistance.WAITING: NextAction.RECORD_NEEDS,
    Assistance.NEEDS_RECORDED: NextAction.FIND_PROVIDER,
    Assistance.REFERRED: NextAction.AWAIT_ANSWER,
    Assistance.ASSISTED: NextAction.FOLLOW_UP,
    Assistance.CLOSED: NextAction.NOTHING,
}


def next_action(identification: Identification, assistance: Assistance) -> NextAction:
    """Say what the coordinator does next, from where the two axes of a case stand."""
    if (identification, assistance) == (Identification.FLAGGED, Assistance.WAITING):
        return NextAction.READ_FLAG
    return _NEXT_ACTION[assistance]


# In these states the organisation that received the referral has something to do with it.
LIVE_REFERRALS = frozenset({ReferralState.SENT, ReferralState.ACCEPTED})
OPEN_ASSISTANCE = frozenset(Assistance) - {Assistance.CLOSED}


@dataclass(frozen=True)
class Step(Generic[S]):
    """One permitted move. A step that leaves nothing begins a lifecycle.

    `stays` names the states in which the act is also allowed but changes no state: a second
    referral while the first is accepted leaves the person assisted.
    """

    name: str
    leaves: frozenset[S]
    enters: S
    needs: Permission
    label: str
    done: str
    stays: frozenset[S] = field(default_factory=frozenset)


FLAG = Step(
    "flag",
    leaves=frozenset[Identification](),
    enters=Identification.FLAGGED,
    needs=Permission.CASE_FLAG,
    label=N_("Flag a person"),
    done=N_("The flag was sent. The coordinator has it now."),
)
PRESUME = Step(
    "presume",
    leaves=frozenset({Identification.FLAGGED}),
    enters=Identification.PRESUMED,
    needs=Permission.CASE_PRESUME,
    label=N_("Record the presumption"),
    done=N_("The person is now a presumed victim."),
)

OPEN_FILE = Step(
    "open the file",
    leaves=frozenset[Assistance](),
    enters=Assistance.WAITING,
    needs=Permission.CASE_FLAG,
    label=N_("Open the case file"),
    done=N_("The case file is open."),
)
RECORD_NEEDS = Step(
    "record needs",
    leaves=frozenset({Assistance.WAITING}),
    enters=Assistance.NEEDS_RECORDED,
    needs=Permission.NEEDS_RECORD,
    label=N_("Record needs"),
    done=N_("The needs are recorded."),
    stays=frozenset({Assistance.NEEDS_RECORDED, Assistance.REFERRED, Assistance.ASSISTED}),
)
REFER = Step(
    "refer",
    leaves=frozenset({Assistance.NEEDS_RECORDED}),
    enters=Assistance.REFERRED,
    needs=Permission.REFERRAL_SEND,
    label=N_("Send a referral"),
    done=N_("The referral was sent."),
    stays=frozenset({Assistance.REFERRED, Assistance.ASSISTED}),
)
ASSIST = Step(
    "assist",
    leaves=frozenset({Assistance.NEEDS_RECORDED, Assistance.REFERRED}),
    enters=Assistance.ASSISTED,
    needs=Permission.REFERRAL_ANSWER,
    label=N_("A provider accepts"),
    done=N_("A provider is helping."),
    stays=frozenset({Assistance.ASSISTED}),
)
SEEK_AGAIN = Step(
    "seek again",
    leaves=frozenset({Assistance.REFERRED, Assistance.ASSISTED}),
    enters=Assistance.NEEDS_RECORDED,
    needs=Permission.REFERRAL_SEND,
    label=N_("No provider is left: find another"),
    done=N_("The case is back in the coordinator’s queue."),
    stays=frozenset({Assistance.NEEDS_RECORDED, Assistance.WAITING}),
)
WAIT_FOR_OTHERS = Step(
    "wait for others",
    leaves=frozenset({Assistance.ASSISTED}),
    enters=Assistance.REFERRED,
    needs=Permission.REFERRAL_SEND,
    label=N_("The helping provider is gone, another has yet to answer"),
    done=N_("The case waits for another provider’s answer."),
    stays=frozenset({Assistance.REFERRED}),
)
CLOSE = Step(
    "close",
    leaves=OPEN_ASSISTANCE,
    enters=Assistance.CLOSED,
    needs=Permission.CASE_CLOSE,
    label=N_("Close the case"),
    done=N_("The case is closed."),
)

SEND = Step(
    "send",
    leaves=frozenset[ReferralState](),
    enters=ReferralState.SENT,
    needs=Permission.REFERRAL_SEND,
    label=N_("Send the referral"),
    done=N_("The referral was sent."),
)
ACCEPT = Step(
    "accept",
    leaves=frozenset({ReferralState.SENT}),
    enters=ReferralState.ACCEPTED,
    needs=Permission.REFERRAL_ANSWER,
    label=N_("Accept and open"),
    done=N_("You have accepted this referral."),
)
DECLINE = Step(
    "decline",
    leaves=frozenset({ReferralState.SENT}),
    enters=ReferralState.DECLINED,
    needs=Permission.REFERRAL_ANSWER,
    label=N_("Decline"),
    done=N_("You have declined. The coordinator will ask another provider."),
)
EXPIRE = Step(
    "expire",
    leaves=frozenset({ReferralState.SENT}),
    enters=ReferralState.EXPIRED,
    needs=Permission.REFERRAL_EXPIRE,
    label=N_("The time to answer runs out"),
    done=N_("The referral was not answered in time."),
)
WITHDRAW = Step(
    "withdraw",
    leaves=LIVE_REFERRALS,
    enters=ReferralState.WITHDRAWN,
    needs=Permission.REFERRAL_WITHDRAW,
    label=N_("Withdraw the referral"),
    done=N_("The referral was withdrawn. The provider’s access ended."),
)
END = Step(
    "end",
    leaves=frozenset({ReferralState.ACCEPTED}),
    enters=ReferralState.ENDED,
    needs=Permission.REFERRAL_END,
    label=N_("End our part"),
    done=N_("Your part has ended. The file is closed to you."),
)

SUBMIT_LISTING = Step(
    "submit",
    leaves=frozenset[ListingState](),
    enters=ListingState.SUBMITTED,
    needs=Permission.LISTING_SUBMIT,
    label=N_("Submit a listing"),
    done=N_("The listing waits for someone else’s approval."),
)
APPROVE_LISTING = Step(
    "approve",
    leaves=frozenset({ListingState.SUBMITTED, ListingState.APPROVED, ListingState.SUSPENDED}),
    enters=ListingState.APPROVED,
    needs=Permission.LISTING_APPROVE,
    label=N_("Approve"),
    done=N_("The listing is approved."),
)
SUSPEND_LISTING = Step(
    "suspend",
    leaves=frozenset({ListingState.SUBMITTED, ListingState.APPROVED}),
    enters=ListingState.SUSPENDED,
    needs=Permission.LISTING_SUSPEND,
    label=N_("Suspend"),
    done=N_("The listing is suspended. It receives nothing new."),
)

ASK_ERASURE = Step(
    "ask to erase",
    leaves=frozenset[ErasureState](),
    enters=ErasureState.ASKED,
    needs=Permission.ERASURE_ASK,
    label=N_("Ask for the erasure"),
    done=N_("The erasure was asked for. Another person carries it out or refuses it."),
)
TAKE_BACK_ERASURE = Step(
    "take back",
    leaves=frozenset({ErasureState.ASKED}),
    enters=ErasureState.TAKEN_BACK,
    needs=Permission.ERASURE_ASK,
    label=N_("Take the request back"),
    done=N_("The request was taken back. Nothing was erased."),
)
REFUSE_ERASURE = Step(
    "refuse",
    leaves=frozenset({ErasureState.ASKED}),
    enters=ErasureState.REFUSED,
    needs=Permission.ERASURE_ANSWER,
    label=N_("Refuse the erasure"),
    done=N_("The erasure was refused. Nothing was erased."),
)
ERASE = Step(
    "erase",
    leaves=frozenset({ErasureState.ASKED}),
    enters=ErasureState.DONE,
    needs=Permission.ERASURE_ANSWER,
    label=N_("Erase the file for good"),
    done=N_("The file was erased. Nobody can read it any more."),
)

ASK_RELEASE = Step(
    "ask for the release",
    leaves=frozenset[ReleaseState](),
    enters=ReleaseState.QUEUED,
    needs=Permission.STATISTICS_ASK,
    label=N_("Prepare a release"),
    done=N_("The release is being counted. It takes about a minute."),
)
COUNT_RELEASE = Step(
    "count",
    leaves=frozenset({ReleaseState.QUEUED}),
    enters=ReleaseState.DRAFT,
    needs=Permission.STATISTICS_COUNT,
    label=N_("Count and protect"),
    done=N_("The release is counted, and waits for two signatures."),
)
FIND_TOO_FEW = Step(
    "find too few",
    leaves=frozenset({ReleaseState.QUEUED}),
    enters=ReleaseState.TOO_FEW,
    needs=Permission.STATISTICS_COUNT,
    label=N_("Put off: too few new cases"),
    done=N_("There are too few new cases. The next release counts them."),
)
SIGN_FIRST = Step(
    "sign",
    leaves=frozenset({ReleaseState.DRAFT}),
    enters=ReleaseState.SIGNED_ONCE,
    needs=Permission.STATISTICS_SIGN,
    label=N_("Sign the release"),
    done=N_("You have signed. A second person signs as well."),
)
SIGN_SECOND = Step(
    "sign second",
    leaves=frozenset({ReleaseState.SIGNED_ONCE}),
    enters=ReleaseState.SIGNED,
    needs=Permission.STATISTICS_SIGN,
    label=N_("Sign the release as the second person"),
    done=N_("You have signed as the second person. The release is frozen within a minute."),
)
FREEZE_RELEASE = Step(
    "freeze",
    leaves=frozenset({ReleaseState.SIGNED}),
    enters=ReleaseState.FROZEN,
    needs=Permission.STATISTICS_COUNT,
    label=N_("Freeze"),
    done=N_("The release is frozen. No figure of it changes any more."),
)

REQUEST_APPROVAL = Step(
    "request approval",
    leaves=frozenset[ApprovalState](),
    enters=ApprovalState.REQUESTED,
    needs=Permission.APPROVAL_ASK,
    label=N_("Ask for a second person’s approval"),
    done=N_("Nothing has happened yet: it waits for a second person."),
)
CONFIRM = Step(
    "confirm",
    leaves=frozenset({ApprovalState.REQUESTED}),
    enters=ApprovalState.CONFIRMED,
    needs=Permission.APPROVAL_ANSWER,
    label=N_("Approve"),
    done=N_("You have approved it, and it is done."),
)
REJECT = Step(
    "reject",
    leaves=frozenset({ApprovalState.REQUESTED}),
    enters=ApprovalState.REJECTED,
    needs=Permission.APPROVAL_ANSWER,
    label=N_("Do not approve"),
    done=N_("You have not approved it. Nothing was changed."),
)
CANCEL = Step(
    "cancel",
    leaves=frozenset({ApprovalState.REQUESTED}),
    enters=ApprovalState.CANCELLED,
    needs=Permission.APPROVAL_ASK,
    label=N_("Take the request back"),
    done=N_("The request was taken back. Nothing was changed."),
)
LAPSE = Step(
    "lapse",
    leaves=frozenset({ApprovalState.REQUESTED}),
    enters=ApprovalState.LAPSED,
    needs=Permission.APPROVAL_LAPSE,
    label=N_("The time to answer runs out"),
    done=N_("Nobody answered in time. Nothing was changed."),
)
OFFER = Step(
    "offer",
    leaves=frozenset[HandOverState](),
    enters=HandOverState.OFFERED,
    needs=Permission.CASE_ASSIGN,
    label=N_("Offer the case to another organisation"),
    done=N_("The case was offered. Until it is taken over, nothing changes."),
)
TAKE_OVER = Step(
    "take over",
    leaves=frozenset({HandOverState.OFFERED}),
    enters=HandOverState.TAKEN,
    needs=Permission.HANDOVER_ANSWER,
    label=N_("Take the case over"),
    done=N_("You look after this case now."),
)
NOT_TAKE_OVER = Step(
    "not take over",
    leaves=frozenset({HandOverState.OFFERED}),
    enters=HandOverState.NOT_TAKEN,
    needs=Permission.HANDOVER_ANSWER,
    label=N_("Do not take the case over"),
    done=N_("You did not take the case over. Whoever looked after it still does."),
)
RETRACT_OFFER = Step(
    "retract",
    leaves=frozenset({HandOverState.OFFERED}),
    enters=HandOverState.RETRACTED,
    needs=Permission.HANDOVER_RETRACT,
    label=N_("Take the offer back"),
    done=N_("The offer was taken back. The case stays where it is."),
)


@dataclass(frozen=True)
class Lifecycle(Generic[S]):
    """One table of states and steps, with the name that it has in the documents."""

    name: str
    states: type[S]
    steps: tuple[Step[S], ...]


IDENTIFICATION = Lifecycle("Identification", Identification, (FLAG, PRESUME))
ASSISTANCE = Lifecycle(
    "Assistance",
    Assistance,
    (OPEN_FILE, RECORD_NEEDS, REFER, ASSIST, WAIT_FOR_OTHERS, SEEK_AGAIN, CLOSE),
)
REFERRAL = Lifecycle("Referral", ReferralState, (SEND, ACCEPT, DECLINE, EXPIRE, WITHDRAW, END))
LISTING = Lifecycle(
    "Listing in the directory", ListingState, (SUBMIT_LISTING, APPROVE_LISTING, SUSPEND_LISTING)
)
ERASURE = Lifecycle(
    "Erasure of a closed case",
    ErasureState,
    (ASK_ERASURE, TAKE_BACK_ERASURE, REFUSE_ERASURE, ERASE),
)
RELEASE = Lifecycle(
    "Release of the statistics",
    ReleaseState,
    (ASK_RELEASE, COUNT_RELEASE, FIND_TOO_FEW, SIGN_FIRST, SIGN_SECOND, FREEZE_RELEASE),
)
APPROVAL = Lifecycle(
    "Approval by a second person",
    ApprovalState,
    (REQUEST_APPROVAL, CONFIRM, REJECT, CANCEL, LAPSE),
)
HAND_OVER = Lifecycle(
    "Hand-over of a case",
    HandOverState,
    (OFFER, TAKE_OVER, NOT_TAKE_OVER, RETRACT_OFFER),
)
LIFECYCLES = (
    IDENTIFICATION,
    ASSISTANCE,
    REFERRAL,
    LISTING,
    ERASURE,
    RELEASE,
    APPROVAL,
    HAND_OVER,
)


def allows(state: S, step: Step[S]) -> bool:
    """Say whether the step may be taken from this state."""
    return state in step.leaves or state in step.stays


def advance(state: S, step: Step[S]) -> S:
    """Return the state after the step; raises IllegalStepError where it may not be taken."""
    if state in step.stays:
        return state
    if state not in step.leaves:
        raise IllegalStepError(step.name, state.value)
    return step.enters
