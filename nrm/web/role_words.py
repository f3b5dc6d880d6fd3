"""A role in words, as a minister would ask for it: drawn from the grant table, never beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from nrm.domain.roles import GRANTS, ROLE_LABEL, Permission, Relation, Role
from nrm.web.log_words import PERMISSION_LABEL
from nrm.web.text import _, _l

# What somebody of this role comes for, in one sentence.
PURPOSE = {
    Role.FIRST_RESPONDER: _l(
        "Meets people who may have been trafficked, flags them, and follows how far it has come."
    ),
    Role.COORDINATOR: _l(
        "Looks after every case: what is presumed, what the person agreed to, who helps, the end."
    ),
    Role.DECISION_MAKER: _l("Decides on cases; the decisions themselves come in a later release."),
    Role.PROVIDER: _l(
        "Helps people as a shelter, a clinic or an adviser does, and answers what it is asked."
    ),
    Role.DIRECTORY_MANAGER: _l("Keeps the directory of those who help approved and current."),
    Role.ANALYST: _l("Works with figures in which nobody can be found."),
    Role.AUDITOR: _l("Watches over who did and read what, and never reads it."),
    Role.ADMINISTRATOR: _l("Looks after the accounts and organisations of the whole country."),
    Role.ORGANISATION_ADMINISTRATOR: _l("Looks after the accounts of their own organisation."),
    Role.SYSTEM: _l("What the program does by itself. Nobody signs in with this role."),
}
# Towards what a permission is good. What is about no one record needs no words.
RELATION_WORDS = {
    Relation.NO_RECORD: "",
    Relation.OWN_FLAG: _l("people whom they flagged themselves"),
    Relation.NATIONAL: _l("every case of the country"),
    Relation.ASSIGNED: _l(
        "cases that they look after, themselves or for somebody who is away, or that nobody does"
    ),
    Relation.BROKEN_GLASS: _l(
        "one case for an hour, opened in an emergency with a reason that others review"
    ),
    Relation.RECEIVER: _l("referrals to their organisation, whatever became of them"),
    Relation.LIVE_RECEIVER: _l("referrals to their organisation that are not over"),
    Relation.ACCEPTED: _l("people whom their organisation accepted, until the help ends"),
    Relation.CONSENTED: _l(
        "people whom their organisation accepted, as far as the person agreed to this"
    ),
    Relation.OTHERS_LISTING: _l("listings that somebody else submitted"),
    Relation.ANY_LISTING: _l("every listing of the directory"),
    Relation.OTHERS_ERASURE: _l("requests to erase that somebody else made"),
    Relation.OWN_ERASURE: _l("their own requests to erase"),
    Relation.UNSIGNED_RELEASE: _l("releases that they have not signed yet"),
    Relation.OFFERED_TO_ONESELF: _l("cases that another organisation offered to them"),
    Relation.OWN_OFFER: _l("offers of cases that they made or that they look after"),
    Relation.OTHERS_GLASS: _l("cases that somebody else opened in an emergency"),
    Relation.OTHERS_APPROVAL: _l("what somebody else asked for, and what is not about themselves"),
    Relation.OWN_APPROVAL: _l("what they asked for themselves"),
    Relation.COLLEAGUE: _l(
        "colleagues of their own organisation, except auditors and administrators; never their own"
    ),
    Relation.OTHERS_ACCOUNT: _l("everybody’s account except their own"),
}
# Under which heading a permission stands, by its scope; the headings in reading order.
_HEADINGS = {
    "case": _l("Cases"),
    "compartment": _l("What is kept of a person"),
    "referral": _l("Referrals and help"),
    "directory": _l("The directory"),
    "statistics": _l("Figures"),
    "audit": _l("The log"),
    "account": _l("Accounts"),
    "approval": _l("What takes two people"),
    "work": _l("Other work"),
}
_UNDER = {
    **dict.fromkeys(("bar", "consent", "document", "draft", "erasure", "flag"), "case"),
    **dict.fromkeys(("glass", "handover", "needs", "person"), "case"),
    **dict.fromkeys(("envelope", "service"), "referral"),
    **dict.fromkeys(("export", "merge"), "approval"),
    "listing": "directory",
    "organisation": "account",
    "role": "account",
}
# Whoever holds one of these towards any record can learn something of a person.
_OF_A_PERSON = ("case", "compartment", "document", "envelope", "flag", "person", "referral")


Granted: TypeAlias = Mapping[Permission, frozenset[Relation]]


@dataclass(frozen=True)
class Line:
    """One thing that a role can do, and towards what."""

    act: str
    towards: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """A role in words."""

    role: Role
    name: str
    purpose: str
    groups: tuple[tuple[str, tuple[Line, ...]], ...]
    # Parts of a file that stay closed to this role whatever happens.
    closed: tuple[str, ...]
    # Whether the role can come to know of any person at all.
    meets_people: bool


def told(role: Role) -> Told:
    """Say in words what a role can see and do."""
    granted = GRANTS[role]
    groups = {
        heading: [_line(one, granted[one]) for one in _under(heading, granted)]
        for heading in _HEADINGS
    }
    return Told(
        role,
        str(_(ROLE_LABEL[role])),
        str(PURPOSE[role]),
        tuple((str(_HEADINGS[key]), tuple(lines)) for key, lines in groups.items() if lines),
        tuple(str(PERMISSION_LABEL[part]) for part in _COMPARTMENTS if part not in granted),
        meets_people=any(_scope(permission) in _OF_A_PERSON for permission in granted),
    )


def _under(heading: str, granted: Granted) -> list[Permission]:
    """List what a role holds under a heading; to be here at all needs no line."""
    return [
        permission
        for permission in Permission
        if permission in granted
        and permission is not Permission.WORK_VIEW
        and _heading(permission) == heading
    ]


def _heading(permission: Permission) -> str:
    scope = _scope(permission)
    return scope if scope in _HEADINGS else _UNDER.get(scope, "work")


def _scope(permission: Permission) -> str:
    return permission.value.partition(":")[0]


_COMPARTMENTS = [one for one in Permission if _scope(one) == "compartment"]


def _line(permission: Permission, held: frozenset[Relation]) -> Line:
    towards = [str(RELATION_WORDS[one]) for one in Relation if one in held]
    return Line(str(PERMISSION_LABEL[permission]), tuple(filter(None, towards)))
