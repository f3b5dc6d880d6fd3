"""Every route of the program, with addresses of real records to walk them by."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from nrm.domain.flag import PAGES
from nrm.domain.masking import FIELD_LABEL
from nrm.domain.roles import HUMAN_ROLES, Role
from nrm.services.statistics_files import Kind
from nrm.statistics import questionnaires
from nrm.web.access import declared
from nrm.web.casefile import GROUPS

# Tables of the statistics: a total, by one thing, by two, by three, a picture of its own, days.
NUMBERS = ("R1", "R2", "R3", "R5a", "R7", "R11")
# Compiled style sheets and scripts, which no view of ours serves.
NOT_OURS = {"static"}


@dataclass(frozen=True)
class Route:
    """One view at one address, and what it declares."""

    endpoint: str
    address: str
    methods: frozenset[str]
    declares: object

    @property
    def parameters(self):
        return tuple(re.findall(r"(\w+)>", self.address))

    def at(self, **values):
        """Write the address with these values in it, however little they fit."""
        return re.sub(
            r"<[^>]*?(\w+)>", lambda found: quote(str(values[found[1]]), safe=""), self.address
        )


def all_routes(app):
    return sorted(
        (
            Route(
                rule.endpoint,
                rule.rule,
                frozenset(rule.methods & {"GET", "POST"}),
                declared(app.view_functions[rule.endpoint]),
            )
            for rule in app.url_map.iter_rules()
            if rule.endpoint not in NOT_OURS
        ),
        key=lambda route: (route.endpoint, route.address),
    )


def records(made, route):
    """List what a route can be about, as values for its address; the liveliest record first."""
    return [dict(zip(route.parameters, found, strict=True)) for found in _records(made, route)]


def _records(made, route):
    if route.endpoint == "printing.referral":
        return [(made.referrals["accepted"][1],)]
    if route.endpoint.startswith(("provision.", "glass.referral")) and route.parameters:
        accepted = made.referrals["accepted"][1]
        if "field" in route.parameters:
            return [(accepted, *field) for field in FIELD_LABEL]
        return each(dict.fromkeys([accepted, *(sent for _, sent in made.referrals.values())]))
    if route.endpoint.startswith("left_drafts.") and route.parameters:
        return each(made.left_drafts.values())
    # The case with a referral that waits is the one that every page of a case opens.
    cases = list(dict.fromkeys([made.cases["sent"], *made.cases.values()]))
    return {
        (): [()],
        ("reference",): each(cases),
        ("reference", "group"): [(cases[0], group) for group in GROUPS],
        ("reference", "compartment", "field"): [(cases[0], *field) for field in FIELD_LABEL],
        ("reference", "to"): [(case, made.world.organisations["lakes"]) for case in cases],
        ("reference", "sent"): list(made.referrals.values()),
        ("reference", "document_id"): list(made.documents.values()),
        ("draft_id",): each(made.drafts.values()),
        ("draft_id", "page"): [(draft, page) for draft in made.drafts.values() for page in PAGES],
        ("reference", "bar_id"): list(made.bars.values()),
        ("glass_id",): each(made.glasses.values()),
        ("notice_id",): each(made.notices.values()),
        ("hand_over_id",): each(made.hand_overs.values()),
        ("listing_id",): each(made.listings.values()),
        ("account_id",): each(made.accounts.values()),
        ("account_id", "sitting_id"): [(made.accounts["active"], made.sittings["active"])],
        ("sitting_id",): each(made.sittings.values()),
        ("organisation_id",): each(made.world.organisations.values()),
        ("role",): each(HUMAN_ROLES),
        ("token",): each(made.links.values()),
        ("entry_id",): each(made.entries.values()),
        ("approval_id",): each(made.approvals.values()),
        ("factor_id",): each(made.factors.values()),
        ("erasure_id",): each(made.erasures.values()),
        ("release_id",): each(made.releases.values()),
        ("release_id", "number"): [
            (release, number) for release in made.releases.values() for number in NUMBERS
        ],
        ("release_id", "kind"): [(made.releases["frozen"], kind) for kind in Kind],
        ("name",): each(questionnaires.names()),
        ("name", "kind"): [(name, kind) for name in questionnaires.names() for kind in Kind],
        ("release_id", "number", "other_id"): [
            (made.releases["draft"], number, made.releases["frozen"]) for number in NUMBERS
        ],
    }[route.parameters]


def each(values):
    return [(value,) for value in values]


def address(made, route, role=None):
    """Write the address of a route for a record with which its page opens, to this role."""
    found = records(made, route)[0]
    if "approval_id" in found and role is not Role.COORDINATOR:
        # Only coordinators are asked whether two files are one person's.
        found = {"approval_id": made.approvals["role"]}
    return route.at(**found) + asked(made, route)


def asked(made, route):
    """Write the question without which a page does not open."""
    return {
        "consent.withdraw": f"?recipient={made.world.organisations['lakes']}",
        "sightings.account": "?since=20260101T0000Z&until=20270101T0000Z",
    }.get(route.endpoint, "")


def token(page):
    """Fetch a token with which this browser may send forms."""
    # Whoever is signed in can sign out on every page; whoever is not can only sign in.
    for path in ("/help", "/sign-in"):
        field = page.get(path).find("input", attrs={"name": "csrf_token"})
        if field:
            return field["value"]
    raise AssertionError("no page has a form")
