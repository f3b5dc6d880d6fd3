"""Which roles an organisation's people may hold, who gives them, and when two people decide."""

from collections.abc import Mapping
from datetime import timedelta
from enum import IntEnum, StrEnum

from nrm.domain.roles import APPOINTED, HUMAN_ROLES, Role
from nrm.domain.text import N_

# A link is opened at the next day of work, also over a weekend; after that it is only a risk.
INVITATION_LASTS = timedelta(hours=72)
# Who has not signed in for so long is shown apart, in time to ask before the account is disabled.
UNSEEN_AFTER = timedelta(days=30)
# Who has not signed in for so long is disabled, unless a setting says otherwise.
DORMANT_AFTER = timedelta(days=90)


class AccountState(StrEnum):
    """How an account stands, as the people pages sort it."""

    INVITED = "invited"
    ACTIVE = "active"
    UNSEEN = "unseen"
    DISABLED = "disabled"


ACCOUNT_STATE_LABEL: Mapping[AccountState, str] = {
    AccountState.INVITED: N_("Invited"),
    AccountState.ACTIVE: N_("Active"),
    AccountState.UNSEEN: N_("Not seen for 30 days"),
    AccountState.DISABLED: N_("Disabled"),
}


class LastSeen(StrEnum):
    """When somebody last signed in, as the people pages ask for it."""

    WEEK = "7"
    MONTH = "30"
    QUARTER = "90"
    LONGER = "longer"
    NEVER = "never"


LAST_SEEN_LABEL: Mapping[LastSeen, str] = {
    LastSeen.WEEK: N_("In the last 7 days"),
    LastSeen.MONTH: N_("In the last 30 days"),
    LastSeen.QUARTER: N_("In the last 90 days"),
    LastSeen.LONGER: N_("Longer ago"),
    LastSeen.NEVER: N_("Never"),
}


class Reach(IntEnum):
    """How much of what is kept a role can come to see; the higher, the more."""

    # Figures and providers: no person.
    NO_PERSON = 0
    # The people whom one flagged, or who agreed that one's organisation is told of them.
    SOME_PEOPLE = 1
    # The accounts of one organisation: whoever has them can become anybody in it.
    ORGANISATION = 2
    # Every case, every decision, the whole log, or every account.
    COUNTRY = 3


REACH: Mapping[Role, Reach] = {
    Role.FIRST_RESPONDER: Reach.SOME_PEOPLE,
    Role.COORDINATOR: Reach.COUNTRY,
    Role.DECISION_MAKER: Reach.COUNTRY,
    Role.PROVIDER: Reach.SOME_PEOPLE,
    Role.DIRECTORY_MANAGER: Reach.NO_PERSON,
    Role.ANALYST: Reach.NO_PERSON,
    Role.AUDITOR: Reach.COUNTRY,
    Role.ADMINISTRATOR: Reach.COUNTRY,
    Role.ORGANISATION_ADMINISTRATOR: Reach.ORGANISATION,
}


def is_elevation(before: Role, after: Role) -> bool:
    """Say whether a change of role lets somebody see more, and so takes two people.

    From one role that reaches the whole country to another is one too: it opens another whole.
    """
    if before is after:
        return False
    return REACH[after] > REACH[before] or REACH[after] is Reach.COUNTRY


_RESPONDER = frozenset({Role.FIRST_RESPONDER})
_PROVIDER = frozenset({Role.PROVIDER})
_OFFICE = frozenset({Role.COORDINATOR, Role.DECISION_MAKER, Role.DIRECTORY_MANAGER, Role.ANALYST})
_DECIDING = frozenset({Role.FIRST_RESPONDER, Role.DECISION_MAKER})

# Which roles the people of an organisation may hold, by its kind; beside the appointed ones.
HELD_AT: Mapping[str, frozenset[Role]] = {
    "police": _RESPONDER,
    "investigation": _DECIDING,
    "border": _RESPONDER,
    "labour_inspection": _RESPONDER,
    "prosecution": _DECIDING,
    "court": _DECIDING,
    "ministry": _OFFICE,
    "local_authority": _RESPONDER,
    "child_protection": _RESPONDER | _PROVIDER,
    "one_stop_centre": _RESPONDER | _PROVIDER,
    "health_facility": _RESPONDER | _PROVIDER,
    "shelter": _PROVIDER,
    "legal_aid": _PROVIDER,
    "school": _PROVIDER,
    "refugee_camp": _RESPONDER | _PROVIDER,
    "transit_centre": _RESPONDER | _PROVIDER,
    "embassy": _RESPONDER,
    "ngo": _RESPONDER | _PROVIDER,
    "international_organisation": _RESPONDER | _PROVIDER,
    "other": _RESPONDER | _PROVIDER,
}
# The log and the accounts of the country are kept where the mechanism is run.
_KEPT_AT = frozenset({"ministry"})


def held_at(kind: str) -> frozenset[Role]:
    """Say which roles an organisation's people may hold, the appointed ones included."""
    national = {Role.AUDITOR, Role.ADMINISTRATOR} if kind in _KEPT_AT else set()
    return HELD_AT[kind] | national | {Role.ORGANISATION_ADMINISTRATOR}


def given_by(giver: Role, kind: str) -> tuple[Role, ...]:
    """List the roles that somebody may give to people of a kind of organisation."""
    if giver is Role.ADMINISTRATOR:
        allowed = held_at(kind)
    elif giver is Role.ORGANISATION_ADMINISTRATOR:
        allowed = HELD_AT[kind] - APPOINTED
    else:
        allowed = frozenset()
    return tuple(role for role in HUMAN_ROLES if role in allowed)
