"""A record that is somebody else's, or nobody's, is not found: whatever the role, never a fault."""

import re
from uuid import uuid4

import pytest

from nrm.domain.flag import PAGES
from nrm.domain.roles import HUMAN_ROLES
from tests.guards.routes import all_routes, records, token
from tests.guards.seeded import logged, unchanged
from tests.guards.test_matrix import MAY_REACH
from tests.world import ONE_PER_ROLE, SERVICE

# Nobody's: one that could be somebody's, and some that could never be.
REFERENCES = ("7K4M-29QX-C", "R-7K4-M29-Q", "é \N{GRINNING FACE}", "\x00")
IDENTIFIERS = (uuid4(), "nonsense", "\x00")
NOBODYS = {
    "account_id": IDENTIFIERS,
    "approval_id": IDENTIFIERS,
    "bar_id": IDENTIFIERS,
    "compartment": ("facts", "nonsense", "\x00"),
    "document_id": IDENTIFIERS,
    "draft_id": IDENTIFIERS,
    "entry_id": IDENTIFIERS,
    "erasure_id": IDENTIFIERS,
    "glass_id": IDENTIFIERS,
    "factor_id": IDENTIFIERS,
    "field": ("given_name", "nonsense", "\x00"),
    "group": ("facts", "nonsense", "\x00"),
    "hand_over_id": IDENTIFIERS,
    "kind": ("pdf", "\x00"),
    "listing_id": IDENTIFIERS,
    "name": ("nobody-asks", "é", "\x00"),
    "notice_id": IDENTIFIERS,
    "number": ("R99", "é", "\x00"),
    "organisation_id": IDENTIFIERS,
    "other_id": IDENTIFIERS,
    "page": ("nonsense", "\x00"),
    "reference": REFERENCES,
    "release_id": IDENTIFIERS,
    "role": ("system", "nonsense", "\x00"),
    "sent": REFERENCES,
    "sitting_id": IDENTIFIERS,
    "to": IDENTIFIERS,
}
# Forms that are complete, so that only the record can stop them.
COMPLETE = {
    "approvals.reject": {"reason": "not_needed"},
    "bars.lift": {"reason": "placed_by_mistake", "words": "Practice words."},
    "casefile.close": {"reason": "plan_completed", "version": "1"},
    "casefile.open_fields": {
        f"{group}-reason": "safety" for group in ("facts", "identity", "nonsense")
    },
    "casefile.presume": {"basis": "indicators", "words": "Practice.", "version": "1"},
    "directory.approve": {"until": ["1", "1", "2099"], "version": "1"},
    "directory.suspend": {"reason": "Practice reason.", "version": "1"},
    "erasure.ask": {"reason": "court_order"},
    "erasure.carry_out": {"reference": REFERENCES[0]},
    "exploitation.record": {"exploitation": "servitude", "version": "1"},
    **{
        f"glass.{name}": {"reason": "danger_to_life", "words": "Practice words."}
        for name in ("case", "flag", "referral")
    },
    "glass_review.review": {"verdict": "justified"},
    "hand_over.offer": {"to": str(uuid4())},
    "left_drafts.give": {"to": str(uuid4())},
    "left_drafts.take": {"reason": "goes_on"},
    "ownership.assign": {"to": str(uuid4()), "reason": "workload"},
    "organisations.change": {"name": "Practice Place", "kind": "shelter", "district": "11"},
    "people.disable": {"reason": "left"},
    "people.renew": {"why": "lost"},
    "provision.decline": {"reason": "no_capacity"},
    "provision.record_service": {"service": SERVICE, "outcome": "given"},
    "referral.needs": {"now": SERVICE, "version": "1"},
    "referral.send": {"service": SERVICE, "version": "1"},
}
# What else than 404 is the answer, and why.
EXCEPT = {
    ("casefile.open_fields", "group"): {
        422: "without a reason nothing is looked for, and the case is shown as it is",
    },
    ("referral.choose", "reference"): {
        303: "what is looked for is remembered, and the page that follows finds no such case",
    },
    ("referral.prepare", "reference"): {
        302: "nothing is looked for yet, and the page that asks finds no such case",
    },
    ("referral.prepare", "to"): {302: "nothing is looked for yet, and the page that follows asks"},
    ("referral.send", "to"): {
        409: "a provider that is not in the directory is answered like one that left it just now",
    },
}


def requests_of(route):
    """List how a route can be asked: looked at, sent empty, and sent complete."""
    if "GET" in route.methods:
        yield "GET", {}
    if "POST" in route.methods:
        yield "POST", {}
        if route.endpoint in COMPLETE:
            yield "POST", COMPLETE[route.endpoint]


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_what_is_nobodys_is_not_found(mechanism, browser, role, counted):
    page = browser(ONE_PER_ROLE[role])
    csrf = {"csrf_token": token(page)}
    faults, times = [], 0
    with unchanged(mechanism.app):
        for route in all_routes(mechanism.app):
            if route.endpoint in MAY_REACH[role]:
                for name, where in addresses_of_nobody(mechanism, route):
                    allowed = {404, *EXCEPT.get((route.endpoint, name), ())}
                    for method, fields in requests_of(route):
                        status = page.client.open(
                            where, method=method, data=fields | csrf
                        ).status_code
                        times += 1
                        if status not in allowed:
                            faults.append(f"{method} {where} answered {status}")
    assert faults == []
    counted(f"row 19: {role}: nobody's records asked for {times} times, 0 opened")


def addresses_of_nobody(made, route):
    """Put into each place of an address, in turn, what is nobody's; the rest of it is real."""
    real = records(made, route)[0]
    for name in route.parameters:
        for value in NOBODYS[name]:
            yield name, route.at(**{**real, name: value})


# Somebody's, but not theirs: who asks for it, and what.
OTHERS = {
    "another responder's flag": (
        "first_responder",
        lambda made: {"reference": made.foreign_case},
        ("glass.flag", "identification.my_flag", "identification.sent"),
    ),
    "another responder's draft": (
        "first_responder",
        lambda made: {"draft_id": made.foreign_draft},
        ("identification.check", "identification.delete", "identification.tasks"),
    ),
    **{
        f"the page {page} of another responder's draft": (
            "first_responder",
            lambda made, page=page: {"draft_id": made.foreign_draft, "page": page},
            ("identification.question",),
        )
        for page in PAGES
    },
    "the draft of a responder who is there": (
        "first_responder",
        lambda made: {"draft_id": made.foreign_draft},
        ("left_drafts.take",),
    ),
    "an offer of a case between two others": (
        "coordinator",
        lambda made: {"hand_over_id": made.foreign_hand_over},
        ("hand_over.decline", "hand_over.read", "hand_over.retract", "hand_over.take"),
    ),
    "another organisation's referral": (
        "provider",
        lambda made: {
            "reference": made.foreign_referral[1],
            "compartment": "contact",
            "field": "phone",
        },
        (
            "printing.referral",
            "glass.referral",
            "provision.accept",
            "provision.decline",
            "provision.end",
            "provision.health",
            "provision.read",
            "provision.record_service",
            "provision.show_field",
        ),
    ),
    "an account of another organisation": (
        "organisation_administrator",
        lambda made: {"account_id": made.world.accounts["clinician"]},
        (
            "people.disable",
            "people.enable",
            "people.link",
            "people.person",
            "people.renew",
            "people.reset_factors",
            "role_changes.change",
            "sittings.end_all_of_person",
            "sittings.of_person",
            "sittings.sign_ins_of_person",
        ),
    ),
    "one account with the sitting of another": (
        "administrator",
        lambda made: {
            "account_id": made.world.accounts["analyst"],
            "sitting_id": made.sittings["active"],
        },
        ("sittings.end_of_person",),
    ),
    "one case with the document of another": (
        "coordinator",
        lambda made: {
            "reference": made.cases["flagged"],
            "document_id": made.documents["of a new case"][1],
        },
        ("documents.download", "documents.remove"),
    ),
    "one case with the bar of another": (
        "coordinator",
        lambda made: {"reference": made.cases["flagged"], "bar_id": made.bars["hills"][1]},
        ("bars.lift",),
    ),
    "another person's notice": (
        "coordinator",
        lambda made: {"notice_id": made.notices["auditor"]},
        ("notices.seen",),
    ),
    "one case with the referral of another": (
        "coordinator",
        lambda made: {"reference": made.cases["sent"], "sent": made.foreign_referral[1]},
        ("referral.withdraw",),
    ),
    "a case by its referral's reference": (
        "coordinator",
        lambda made: {"reference": made.foreign_referral[1]},
        ("casefile.overview", "consent.page", "referral.page"),
    ),
    "a referral by its case's reference": (
        "provider",
        lambda made: {"reference": made.referrals["accepted"][0]},
        ("provision.read",),
    ),
}


# Both records of the address belong to everybody who may ask: none is the other's.
BESIDE = {
    "referral.prepare": "every approved provider can be chosen for every case",
    "referral.send": "the same",
    "statistics.compare": "every analyst reads every release; one without the table is not found",
}


@pytest.mark.databases("sqlite")
def test_a_record_within_another_is_asked_for_within_a_third(app):
    """Every address that names two records is among those of somebody else, or says why not."""
    named = {name for name, values in NOBODYS.items() if values in (REFERENCES, IDENTIFIERS)}
    nested = {route.endpoint for route in all_routes(app) if len(named & {*route.parameters}) > 1}
    asked = {endpoint for _, _, endpoints in OTHERS.values() for endpoint in endpoints}
    assert nested - asked == set(BESIDE)
    assert asked & set(BESIDE) == set()


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_somebody_elses_is_not_found(mechanism, browser, what, counted):
    who, values, endpoints = OTHERS[what]
    page = browser(who)
    csrf = {"csrf_token": token(page)}
    asked = [route for route in all_routes(mechanism.app) if route.endpoint in endpoints]
    assert len(asked) == len(endpoints)
    times = 0
    with unchanged(mechanism.app), logged(mechanism.app) as entries:
        for route in asked:
            for method, fields in requests_of(route):
                address = route.at(**values(mechanism))
                answer = page.client.open(address, method=method, data=fields | csrf)
                assert answer.status_code == 404, f"{method} {address}"
                times += 1
    assert [entry.outcome for entry in entries if entry.outcome != "done"] == ["not_found"] * times
    counted(f"row 19: {what}: not found {times} times of {times}")


def test_a_flag_found_at_anothers_place_cannot_be_begun(mechanism, browser):
    page = browser("first_responder")
    page.get("/flags")
    with unchanged(mechanism.app):
        page.post("/flags/start", {"same_place_as": mechanism.foreign_case}, status=404)


def test_looking_for_a_provider_for_nobodys_case_leads_to_what_is_not_found(mechanism, browser):
    page = browser("coordinator")
    fields = {"csrf_token": token(page), "service": SERVICE}
    with unchanged(mechanism.app):
        page.post_raw("/cases/7K4M-29QX-C/providers", fields, status=303)
        page.follow(status=404)


def test_not_found_looks_the_same_whether_it_is_there_or_not(mechanism, browser):
    page = browser("provider")
    pages = []
    for reference in (mechanism.foreign_referral[1], "R-7K4-M29-Q"):
        page.get(f"/referrals/{reference}", status=404)
        # The token of the form to sign out is another on every page.
        pages.append(re.sub(r'value="[^"]{60,}"', "", page.response.get_data(as_text=True)))
    assert pages[0] == pages[1]
