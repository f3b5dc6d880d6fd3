"""Which record each address is about, and how the policy sees it.

Nothing here says who may do what: that is asked of the policy. A route whose address names
something that stands in none of these tables fails the guard until somebody says what it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from nrm.db import db
from nrm.domain.errors import Subject
from nrm.domain.policy import ReleaseStanding, may
from nrm.domain.roles import GRANTS, Permission, Relation
from nrm.models import (
    Account,
    BrokenGlass,
    Case,
    Erasure,
    FlagDraft,
    Listing,
    Referral,
    Release,
    ReleaseSignature,
)
from nrm.services import visibility
from tests.guards.routes import asked, records

# What an address names beside its record: a part of it, or what belongs to nobody.
PARTS = {
    "bar_id",
    "compartment",
    "field",
    "document_id",
    "entry_id",
    "group",
    "kind",
    "name",
    "number",
    "other_id",
    "page",
    "sent",
    "to",
}


# Pages that open for the first record alone, whoever asks, and why.
ONE_OPENS = {
    "bulletin.pdf": "nothing of a draft leaves as a file",
    "consent.withdraw": "there is something to take back only where somebody agreed",
}
# Pages of a part that has a rule of its own, which may refuse whoever may open the record.
PART_DECIDES = {
    "documents.download": "a document on health is for whoever looks after the case",
    "documents.remove": "the same",
}


@dataclass(frozen=True)
class DraftStanding:
    """Nobody but its author knows of a draft, which is no record of the mechanism yet."""

    author: UUID


@dataclass(frozen=True)
class Kind:
    """One kind of record: which of them there are, and how the policy sees each."""

    column: Any
    of: Callable
    standing: Callable
    # Whoever holds none of these towards a record does not learn that it is there.
    seen_by: tuple[Permission, ...] = ()

    def seen(self, actor, standing):
        return any(allowed(actor, sight, standing) for sight in self.seen_by)


def allowed(actor, permission, standing):
    """Ask the policy, about the record where the grant is about records at all."""
    towards = GRANTS[actor.role].get(permission, frozenset()) - {Relation.NO_RECORD}
    return may(actor, permission, standing if towards else None).allowed


def _release_standing(found):
    signed = select(ReleaseSignature.account_id).where(ReleaseSignature.release_id == found.id)
    return ReleaseStanding(
        Subject("release", found.id), frozenset(db.session.scalars(signed).all())
    )


KINDS = {
    "case": Kind(
        Case.reference,
        lambda made: [
            *made.cases.values(),
            *made.related_cases.values(),
            *(case for case, _ in made.related_referrals.values()),
            made.foreign_case,
            made.foreign_referral[0],
        ],
        visibility.case_standing,
        (Permission.CASE_VIEW, Permission.FLAG_VIEW),
    ),
    "referral": Kind(
        Referral.reference,
        lambda made: [
            *(sent for _, sent in made.referrals.values()),
            *(sent for _, sent in made.related_referrals.values()),
            made.foreign_referral[1],
        ],
        visibility.referral_standing,
        (Permission.REFERRAL_VIEW,),
    ),
    "draft_id": Kind(
        FlagDraft.id,
        lambda made: [*made.drafts.values(), made.foreign_draft],
        lambda found: DraftStanding(found.account_id),
    ),
    "listing_id": Kind(
        Listing.id,
        lambda made: list(made.listings.values()),
        visibility.listing_standing,
        (Permission.DIRECTORY_VIEW,),
    ),
    "erasure_id": Kind(
        Erasure.id,
        lambda made: list(made.erasures.values()),
        visibility.erasure_standing,
        (Permission.ERASURE_VIEW,),
    ),
    "release_id": Kind(
        Release.id,
        lambda made: list(made.releases.values()),
        _release_standing,
        (Permission.STATISTICS_VIEW,),
    ),
    "account_id": Kind(
        Account.id,
        lambda made: list(made.world.accounts.values()),
        visibility.account_standing,
        (Permission.ACCOUNT_MANAGE,),
    ),
    "glass_id": Kind(
        BrokenGlass.id,
        lambda made: list(made.glasses.values()),
        lambda found: visibility.glass_standing(found, db.session.get_one(Case, found.case_id)),
        (Permission.GLASS_REVIEW,),
    ),
}
# What an address names that is somebody's own, or an organisation's, and where it is walked.
WALKED_ELSEWHERE = {
    "approval_id": "tests/web/test_approvals.py",
    "hand_over_id": "tests/guards/test_relations.py",
    "factor_id": "tests/web/test_ways.py",
    "notice_id": "tests/services/test_glass.py",
    "organisation_id": "tests/guards/test_matrix.py",
    "role": "tests/guards/test_matrix.py",
    "sitting_id": "tests/services/test_limits.py",
    "token": "tests/web/test_welcome.py",
}


def parameter_of(route):
    """Name the part of an address that names its record; None where it is about no one record."""
    [*named] = [name for name in route.parameters if name not in PARTS | WALKED_ELSEWHERE.keys()]
    assert len(named) <= 1, f"{route.endpoint}: which of {named} is its record?"
    return named[0] if named else None


# Addresses of a referral beside those of its provision.
OF_REFERRALS = {"glass.referral", "printing.referral"}


def _is_provision(route):
    return route.endpoint.startswith("provision.")


def kind_of(route):
    """Say of what kind of record a route is; raises KeyError for one that nobody has named."""
    name = parameter_of(route)
    if name == "reference":
        return "referral" if route.endpoint in OF_REFERRALS or _is_provision(route) else "case"
    if name is not None and name not in KINDS:
        raise KeyError(f"{route.endpoint}: {name} stands in no table of tests/guards/standings.py")
    return name


def standings(made):
    """Give every record of the seeded world as the policy sees it: by kind, by name."""
    with made.app.app_context():
        found = {
            name: {
                named: kind.standing(
                    db.session.scalars(select(kind.column.class_).where(kind.column == named)).one()
                )
                for named in dict.fromkeys(kind.of(made))
            }
            for name, kind in KINDS.items()
        }
        db.session.rollback()
    return found


def address_of(made, route, named):
    """Write the address of a record, and say whether its page can open as far as it is asked."""
    own, known = parameter_of(route), records(made, route)
    fitting = [values for values in known if values[own] == named]
    values = {**known[0], **(fitting[0] if fitting else {}), own: named}
    # A child belongs to its own parent, and the page that opens with a question to one record.
    opens = bool(fitting) if route.endpoint not in ONE_OPENS else values == known[0]
    opens = opens or (len(values) == 1 and route.endpoint not in ONE_OPENS)
    return route.at(**values) + asked(made, route), opens
