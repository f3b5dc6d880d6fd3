"""Who reaches what: the whole of it as one table, walked by everybody and by nobody."""

import pytest

from nrm.domain.roles import GRANTS, HUMAN_ROLES, Permission, Role
from nrm.web.context import NAVIGATION, place_of
from tests.guards.routes import address, all_routes, token
from tests.guards.seeded import logged, unchanged
from tests.world import ONE_PER_ROLE

EVERYBODY = {
    "account.sign_in",
    "health.healthz",
    "health.readyz",
    "pages.accessibility",
    "pages.help",
    "pages.privacy",
    # Whoever holds the link of an invitation; everybody else learns that it is over.
    "welcome.activate",
}
# The second step of signing in: whoever has not taken the first is led to it.
SECOND_STEP = {
    *("account.code", "account.passkey", "account.recovery", "account.set_up"),
    *("federation.back", "federation.begin"),
}
SIGNED_IN = {
    "account.sign_out",
    "confirm.code",
    "confirm.go_on",
    "confirm.passkey",
    "confirm.recovery",
    "federation.connect",
    "federation.remove",
    "home.index",
    "notices.page",
    "notices.seen",
    "roles.own",
    "sittings.end",
    "sittings.end_others",
    "sittings.extend",
    "sittings.mine",
    "sittings.password",
    "sittings.sign_ins",
    "ways.app",
    "ways.new_codes",
    "ways.page",
    "ways.passkey",
    "ways.remove",
    "ways.shown",
}
# Beside what everybody reaches, a role reaches what stands here and nothing else.
MAY_REACH = {
    # Flags people, and follows their own flags; never a case file.
    Role.FIRST_RESPONDER: {
        "glass.flag",
        "identification.check",
        "identification.delete",
        "identification.my_flag",
        "identification.my_work",
        "identification.question",
        "identification.sent",
        "identification.start",
        "identification.tasks",
        "left_drafts.take",
    },
    # Works with every case and reads the directory; never changes it, never answers a referral.
    Role.COORDINATOR: {
        "approvals.cancel",
        "approvals.confirm",
        "approvals.read",
        "approvals.reject",
        "approvals.requests",
        "absence.back",
        "absence.page",
        "bars.lift",
        "bars.page",
        "casefile.close",
        "casefile.find",
        "casefile.open_fields",
        "casefile.overview",
        "casefile.presume",
        "casefile.show_field",
        "casefile.worklist",
        "comparison.look_again",
        "comparison.page",
        "consent.page",
        "consent.record",
        "consent.share",
        "consent.withdraw",
        "directory.entries",
        "directory.entry",
        "documents.add",
        "documents.download",
        "documents.page",
        "documents.remove",
        "erasure.ask",
        "erasure.carry_out",
        "erasure.read",
        "erasure.refuse",
        "erasure.requests",
        "erasure.take_back",
        "exploitation.record",
        "glass.case",
        "hand_over.decline",
        "hand_over.offer",
        "hand_over.read",
        "hand_over.retract",
        "hand_over.take",
        "left_drafts.everywhere",
        "left_drafts.give",
        "ownership.assign",
        "ownership.page",
        "ownership.take",
        "printing.case",
        "referral.choose",
        "referral.needs",
        "referral.page",
        "referral.prepare",
        "referral.send",
        "referral.withdraw",
        "search.people",
        "sightings.history",
    },
    # Has a first page; decisions come with their own stage.
    Role.DECISION_MAKER: {"decision.index"},
    # Works with what was sent to their organisation; never with a case.
    Role.PROVIDER: {
        "glass.referral",
        "printing.referral",
        "provision.accept",
        "provision.decline",
        "provision.end",
        "provision.inbox",
        "provision.health",
        "provision.read",
        "provision.record_service",
        "provision.show_field",
    },
    # Keeps the directory; knows of no person.
    Role.DIRECTORY_MANAGER: {
        "directory.approve",
        "directory.entries",
        "directory.entry",
        "directory.submit",
        "directory.suspend",
    },
    # Reads what is published; no case is reachable.
    Role.ANALYST: {
        "bulletin.page",
        "bulletin.pdf",
        "questionnaires.answered",
        "questionnaires.file",
        "questionnaires.index",
        "questionnaires.release_file",
        "statistics.ask",
        "statistics.compare",
        "statistics.every",
        "statistics.index",
        "statistics.method",
        "statistics.newest_tables",
        "statistics.release",
        "statistics.sign",
        "statistics.table",
        "statistics.tables",
    },
    # Reads the log, and can be the second person of an erasure; no case is reachable through it.
    Role.AUDITOR: {
        "approvals.confirm",
        "approvals.read",
        "approvals.reject",
        "approvals.requests",
        "audit.ask",
        "audit.entry",
        "audit.export",
        "audit.search",
        "erasure.carry_out",
        "erasure.read",
        "erasure.refuse",
        "erasure.requests",
        "glass_review.queue",
        "glass_review.review",
        "log_state.standing",
        "log_state.worth_a_look",
        "roles.index",
        "roles.one",
        "sightings.account",
        "sightings.ask",
        "sightings.ask_account",
        "sightings.ask_file",
        "sightings.file",
    },
    # Keeps accounts and organisations; no case is reachable.
    Role.ADMINISTRATOR: {
        "approvals.cancel",
        "approvals.confirm",
        "approvals.read",
        "approvals.reject",
        "approvals.requests",
        "organisations.change",
        "organisations.create",
        "organisations.index",
        "people.ask",
        "people.disable",
        "people.enable",
        "people.index",
        "people.invite",
        "people.link",
        "people.person",
        "people.renew",
        "people.reset_factors",
        "role_changes.change",
        "roles.index",
        "roles.one",
        "sittings.end_all_of_person",
        "sittings.end_of_person",
        "sittings.of_person",
        "sittings.sign_ins_of_person",
    },
    # Keeps the accounts of its own organisation, and nothing of any other.
    Role.ORGANISATION_ADMINISTRATOR: {
        "approvals.cancel",
        "approvals.read",
        "approvals.requests",
        "people.ask",
        "people.disable",
        "people.enable",
        "people.index",
        "people.invite",
        "people.link",
        "people.person",
        "people.renew",
        "people.reset_factors",
        "role_changes.change",
        "sittings.end_all_of_person",
        "sittings.end_of_person",
        "sittings.of_person",
        "sittings.sign_ins_of_person",
    },
}


@pytest.mark.databases("sqlite")
def test_the_table_names_every_route_and_every_role(app):
    named = EVERYBODY.union(SECOND_STEP, SIGNED_IN, *MAY_REACH.values())
    assert named == {route.endpoint for route in all_routes(app)}
    assert set(MAY_REACH) == set(HUMAN_ROLES)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_the_table_says_what_the_grants_say(app, role):
    """What a route needs and what a role holds make the same table as the one above."""
    held = {
        route.endpoint
        for route in all_routes(app)
        if isinstance(route.declares, Permission)
        and route.declares in GRANTS[role]
        and route.endpoint not in SIGNED_IN
    }
    assert held == MAY_REACH[role]


# Read by the auditor from the page about the own role; there is no place for them.
OF_NO_PLACE = {Role.AUDITOR: {"roles.index", "roles.one"}}


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_every_page_of_a_role_says_in_the_navigation_where_one_is(role):
    lost = {one for one in MAY_REACH[role] if place_of(NAVIGATION[role], one) is None}
    assert lost == OF_NO_PLACE.get(role, set())


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_what_is_everybodys_belongs_to_no_place(role):
    everybodys = EVERYBODY | SIGNED_IN
    found = {one for one in everybodys if place_of(NAVIGATION[role], one) is not None}
    # What one's own role can see stands among the roles, for whoever reads them all.
    assert found == ({"roles.own"} if role is Role.ADMINISTRATOR else set())


def closed_to(made, role):
    open_to_it = EVERYBODY | SECOND_STEP | SIGNED_IN | MAY_REACH[role]
    return [route for route in all_routes(made.app) if route.endpoint not in open_to_it]


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_a_role_is_refused_everything_else_and_the_log_says_so(mechanism, browser, role, counted):
    page = browser(ONE_PER_ROLE[role])
    form = {"csrf_token": token(page)}
    expected = []
    with unchanged(mechanism.app), logged(mechanism.app) as entries:
        for route in closed_to(mechanism, role):
            where = address(mechanism, route)
            for method in sorted(route.methods):
                answer = page.client.open(where, method=method, data=form)
                assert answer.status_code == 403, f"{method} {where}"
                expected.append(("access:refused", "refused", str(route.declares)))
    assert [(entry.action, entry.outcome, entry.purpose) for entry in entries] == expected
    counted(
        f"row 18: {role}: refused {len(expected)} of {len(expected)} ways to what is not theirs"
    )


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_a_role_reaches_what_the_table_gives_it(mechanism, browser, role, counted):
    reached = 0
    page = browser(ONE_PER_ROLE[role])
    with unchanged(mechanism.app), logged(mechanism.app) as entries:
        for route in all_routes(mechanism.app):
            if route.endpoint in MAY_REACH[role]:
                where = address(mechanism, route, role)
                if "GET" in route.methods:
                    answer = page.client.get(where)
                    # One that leads on leads on within, and not to the door.
                    assert answer.status_code in {200, 302, 303}, where
                    assert answer.headers.get("Location") != "/sign-in", where
                    reached += 1
                if "POST" in route.methods:
                    # The guard lets it pass; the form's own protection is next.
                    assert page.client.post(where).status_code == 400, where
                    reached += 1
    assert "access:refused" not in {entry.action for entry in entries}
    counted(f"row 18: {role}: {reached} ways to what is theirs, none refused")


def test_whoever_is_signed_out_is_asked_to_sign_in(mechanism, browser, counted):
    page, asked = browser(), 0
    form = {"csrf_token": token(page)}
    with unchanged(mechanism.app), logged(mechanism.app) as entries:
        for route in all_routes(mechanism.app):
            where = address(mechanism, route)
            if route.endpoint in EVERYBODY:
                assert page.client.get(where).status_code == 200, where
                continue
            for method in sorted(route.methods):
                answer = page.client.open(where, method=method, data=form)
                assert answer.status_code == 303, f"{method} {where}"
                assert answer.headers["Location"] == "/sign-in"
                asked += 1
    assert entries == []
    counted(f"row 18: nobody: {asked} requests led to the door")
