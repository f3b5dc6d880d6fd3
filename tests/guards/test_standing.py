"""Every route, every person, every relation to the record: the page answers what the policy says.

The addresses come from the map of the program, the permission from the route, the relations from
rows of the database, and what is right from the policy alone. NRM_PROOF=1 asks for every record
instead of one for each way in which somebody stands to it.
"""

import os
from collections import Counter

import pytest

from nrm.domain.policy import AccountStanding, holds, relations
from nrm.domain.roles import Permission, Relation
from tests.databases import ROOT
from tests.guards.routes import address, all_routes, token
from tests.guards.seeded import unchanged
from tests.guards.standings import (
    KINDS,
    PART_DECIDES,
    PARTS,
    WALKED_ELSEWHERE,
    DraftStanding,
    address_of,
    allowed,
    kind_of,
    standings,
)
from tests.guards.test_relations import COMPLETE, EXCEPT
from tests.world import ACCOUNTS

PROOF = bool(os.environ.get("NRM_PROOF"))
# What a page answers to whoever may: here it is, it leads on, somebody was faster, it is gone.
OPEN = frozenset({200, 302, 303, 409, 410})
REFUSED, NOT_FOUND = frozenset({403}), frozenset({404})
# What is not there as long as nobody has set up another institution's sign-in.
SET_UP_FIRST = {"federation.connect"}
# One's own account may be shown, with why one cannot do this to it.
NOTHING_DONE = frozenset({200, 403, 404, 409, 422})
# The guard let it pass; the form's own protection is next.
AT_THE_FORM = frozenset({400})


def judged(actor, permission, kind, standing):
    """Give what the policy says: the statuses that are right, and why, in a word."""
    if kind is None:
        return "no record", OPEN
    if isinstance(standing, DraftStanding):
        own = standing.author == actor.id
        return ("own draft", OPEN) if own else ("another's draft", NOT_FOUND)
    if allowed(actor, permission, standing):
        return _stands(actor, standing), OPEN
    if isinstance(standing, AccountStanding) and standing.account_id == actor.id:
        return "own account", NOTHING_DONE
    return _stands(actor, standing), REFUSED if KINDS[kind].seen(actor, standing) else NOT_FOUND


def _stands(actor, standing):
    return ", ".join(sorted(relations(actor, standing))) or "in no relation"


def test_every_address_says_which_record_it_is_about(app):
    """A new route says what stands in its address, or this fails."""
    kinds = {route.endpoint: kind_of(route) for route in all_routes(app)}
    assert set(filter(None, kinds.values())) == set(KINDS)
    named = {name for route in all_routes(app) for name in route.parameters}
    assert named <= PARTS | KINDS.keys() | WALKED_ELSEWHERE.keys() | {"reference"}
    assert all((ROOT / path).is_file() for path in WALKED_ELSEWHERE.values())


def test_every_relation_stands_in_the_world(mechanism):
    """A relation that no record of the world shows would be walked past."""
    found = standings(mechanism)
    shown = {
        relation
        for name in ACCOUNTS
        for records in found.values()
        for standing in records.values()
        if not isinstance(standing, DraftStanding)
        for relation in relations(mechanism.world.actor(name), standing)
    }
    # Consent decides on a compartment, which is a part of a page; an offer of a case and what
    # takes two people are walked elsewhere (tests/guards/standings.py).
    elsewhere = {
        Relation.OFFERED_TO_ONESELF,
        Relation.OWN_OFFER,
        Relation.OTHERS_APPROVAL,
        Relation.OWN_APPROVAL,
    }
    assert shown >= set(Relation) - {Relation.NO_RECORD, Relation.CONSENTED} - elsewhere


@pytest.mark.parametrize("name", sorted(set(ACCOUNTS) - {"colleague", "second_responder"}))
def test_every_route_answers_what_the_policy_says(mechanism, browser, name, counted):
    actor, page = mechanism.world.actor(name), browser(name)
    csrf, found = {"csrf_token": token(page)}, standings(mechanism)
    faults, asked, ways = [], 0, Counter()
    with unchanged(mechanism.app):
        for route in all_routes(mechanism.app):
            if isinstance(route.declares, Permission):
                for where, way, right in questions(mechanism, actor, route, found):
                    for method, fields, answers in requests_of(route, right):
                        data = fields | (csrf if right is not OPEN else {})
                        status = page.client.open(where, method=method, data=data).status_code
                        if status not in answers:
                            faults.append(f"{method} {route.endpoint} ({way}): {status} {where}")
                        asked += 1
                    ways[way] += 1
    assert faults == []
    counted(f"{asked} requests, {len(ways)} ways to stand to a record, 0 against the policy")


def questions(made, actor, route, found):
    """List addresses of a route with what is right; without proof, one for each way to stand."""
    kind = kind_of(route)
    # A draft that was left behind is its organisation's (tests/services/test_leavers.py).
    left = route.endpoint.startswith("left_drafts.")
    if left or WALKED_ELSEWHERE.keys() & set(route.parameters):
        return
    if not holds(actor, route.declares):
        # One account of each role is sent away from all of these by tests/guards/test_matrix.py.
        if PROOF:
            yield address(made, route), "no part in it", REFUSED
        return
    seen = set()
    for named, standing in found[kind].items() if kind else [(None, None)]:
        way, right = judged(actor, route.declares, kind, standing)
        where, opens = address_of(made, route, named) if kind else (address(made, route), True)
        if (opens or right is not OPEN) and (PROOF or (way, right) not in seen):
            seen.add((way, right))
            yield where, way, right


def requests_of(route, right):
    """List how a route is asked: what is open is looked at, what is not is also sent complete."""
    if route.endpoint in PART_DECIDES and right is OPEN:
        right = right | REFUSED
    if route.endpoint in SET_UP_FIRST and right is OPEN:
        right = right | NOT_FOUND
    aside = EXCEPT.get((route.endpoint, "reference"), {}) if right is NOT_FOUND else {}
    if "GET" in route.methods:
        yield "GET", {}, right | aside.keys()
    if "POST" in route.methods:
        fields = {} if right >= OPEN else COMPLETE.get(route.endpoint, {})
        yield "POST", fields, AT_THE_FORM if right >= OPEN else right | aside.keys()
