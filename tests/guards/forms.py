"""Every form of the program: who finds it where, and what a right answer to it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from nrm.db import db, unit_of_work
from nrm.domain.lifecycle import ApprovalState
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.models import Account, Approval, Notice, Organisation, SecondFactor
from nrm.security import passkeys
from nrm.security.openid import Identity
from nrm.services import (
    absence,
    directory,
    erasure,
    federation,
    identification,
    invitations,
    organisations,
    people,
    second_factor,
)
from nrm.services.accounts import NewAccount
from tests import releases
from tests import world as worlds
from tests.authenticator import Authenticator
from tests.journeys.people import HOW, answers_about
from tests.page import filled_in, find_form
from tests.services import two_people
from tests.world import PASSWORD, SERVICE


@dataclass(frozen=True)
class Form:
    """One address that takes a form."""

    endpoint: str
    by: str
    # Makes what the form is about, and goes to the page with it: where the form is sent.
    arrive: Callable
    right: dict = field(default_factory=dict)
    # The act that the log then holds; none where sending decides nothing.
    act: str = ""
    name: str = ""

    def __str__(self):
        return self.name or self.endpoint

    def opened(self, world, page):
        """Go to the form: its address, and what would be sent if nothing were touched."""
        path = self.arrive(world, page)
        form = find_form(
            page.html, page.path, path, "filter" if "choose" in self.endpoint else None
        )
        assert form, f"no form on {page.path} is sent to {path}"
        return path, form, filled_in(form)


def at(make, inner="", shown_at=None):
    """Make a record through the services; its form stands at `shown_at`, or at its own address."""

    def arrive(world, page):
        made = make(world)
        names = made if isinstance(made, tuple) else (made,)
        path = inner.format(*names)
        page.get((shown_at or inner).format(*names))
        return path

    return arrive


def nothing(world):
    del world
    return ()


def second_step(path, shown_at=None):
    """Give the password of somebody who has a passkey, and go to the page that comes next."""

    def arrive(world, page):
        a_passkey_of("other_provider")(world)
        page.post("/sign-in", {"email": world.email("other_provider"), "password": PASSWORD})
        page.get(shown_at or path)
        return path

    return arrive


def first_time(world, page):
    """Give the password of somebody who has no second factor."""
    with world.entered(), unit_of_work() as unit:
        second_factor.reset(unit, HOUSEKEEPING, world.accounts["colleague"])
    page.post("/sign-in", {"email": world.email("colleague"), "password": PASSWORD})
    page.get("/sign-in/set-up")
    return "/sign-in/set-up"


def a_passkey_of(name):
    """Give somebody a passkey: its id."""

    def make(world):
        site = passkeys.Site("Practice", "localhost", "http://localhost")
        account, challenge = world.accounts[name], passkeys.new_challenge()
        with world.entered():
            known = second_factor.passkeys_of(account)
            if not known:
                question = passkeys.to_register(site, challenge, account, name, [])
                answer = Authenticator().make(question)
                second_factor.add_passkey(world.actor(name), site, challenge, answer)
            mine = select(SecondFactor.id).where(SecondFactor.account_id == account)
            found = db.session.scalars(mine.where(SecondFactor.kind == "passkey")).first()
            db.session.rollback()
        return found

    return make


def connected_as(name):
    """Connect somebody's account with another institution's sign-in."""

    def make(world):
        with world.entered():
            if federation.of(world.accounts[name]) is None:
                elsewhere = Identity("https://id.practice.example", name, strong=False)
                sitting = worlds.sitting(world, name)
                federation.connect(world.actor(name), sitting.id, elsewhere)
            db.session.rollback()

    return make


def whole_draft(world):
    return worlds.draft(world)


def an_account(world):
    return world.accounts["analyst"]


def another_account(world):
    return world.accounts["second_analyst"]


def a_disabled_account(world):
    with world.entered():
        found = world.accounts["second_responder"]
        people.disable(world.actor("administrator"), found)
    return found


def a_sitting(world, name):
    """Sign somebody in at one more browser: the sitting's id."""
    with world.entered():
        return worlds.sitting(world, name).id


def an_own_sitting(world):
    return a_sitting(world, "clinician")


def anothers_sitting(world):
    return world.accounts["provider"], a_sitting(world, "provider")


def an_organisation(world):
    return world.organisations["hills"]


def a_link(world):
    """Invite somebody: the token of their link; they are named by how many there are."""
    with world.entered():
        email = f"guest{len(db.session.scalars(select(Account)).all())}@practice.example"
        home = world.organisations["lakes"]
        new = NewAccount("Practice Guest", email, home, Role.PROVIDER)
        return invitations.invite(world.actor("administrator"), new).link.token


def a_submitted_listing(world):
    with world.entered():
        manager = world.actor("directory_manager")
        new = directory.NewListing(a_shelter(world), (SERVICE,), ("female",), ("kin",), "11")
        return directory.submit(manager, new, world.pack)


def a_shelter(world):
    """Create one more provider without a listing; it is named by how many there are."""
    with world.entered():
        title = f"Practice Shelter {len(db.session.scalars(select(Organisation)).all())}"
        by = world.actor("administrator")
        return organisations.create(by, title, "shelter", "11", is_provider=True)


def a_shelter_to_list(world):
    a_shelter(world)
    return ()


def a_document(world):
    reference = worlds.flag(world)
    return reference, worlds.attach(world, reference)


def a_listing(world):
    return world.listings["clinic"]


def asked_erasure(world):
    """Close a case and let somebody ask for its erasure: the id of the request."""
    reference, _ = worlds.closed(world)
    with world.entered():
        return erasure.ask(world.actor("second_coordinator"), reference, "duplicate")


def own_erasure(world):
    reference, _ = worlds.closed(world)
    with world.entered():
        return erasure.ask(world.actor("coordinator"), reference, "duplicate")


def asked_approval(world):
    """Ask for a new role for somebody, unless that waits already: the id of the request."""
    with world.entered():
        waiting = select(Approval.id).where(Approval.state == ApprovalState.REQUESTED)
        found = db.session.scalars(waiting.where(Approval.kind == "role_change")).first()
    return found or two_people.asked(world)


def somebody_away(world):
    with world.entered():
        until, stand_in = world.today, world.accounts["other_coordinator"]
        absence.set_away(world.actor("coordinator"), until, stand_in, world.pack)
    return ()


def an_offer(world):
    return worlds.offered(world)[1]


def a_left_draft(world):
    return worlds.left_draft(world, "second_responder")


def case_and_lakes(world):
    return worlds.consented(world), world.organisations["lakes"]


def chosen(world, page):
    case, lakes = case_and_lakes(world)
    page.get(f"/cases/{case}/providers")
    choice = {"service": SERVICE, "to": str(lakes)}
    page.post(f"/cases/{case}/providers", choice, form="filter")
    page.follow()
    return f"/cases/{case}/providers/{lakes}"


def a_bar(world):
    reference = worlds.flag(world)
    return reference, worlds.kept_out(world, reference, "hills")


def case_and_hills(world):
    return worlds.flag(world), world.organisations["hills"]


def an_emergency(world):
    return worlds.opened_in_emergency(world, worlds.flag(world))


def a_notice(world):
    an_emergency(world)
    with world.entered():
        own = select(Notice.id).where(Notice.account_id == world.accounts["auditor"])
        return db.session.scalars(own.order_by(Notice.made_at.desc()).limit(1)).one()


def opened_contact(world, page):
    """Say why the part with the telephone is opened: its number is still masked."""
    case = worlds.flag(world)
    page.get(f"/cases/{case}")
    page.post(f"/cases/{case}/open/contact", {"contact-reason": "safety"})
    page.get(f"/cases/{case}")
    return f"/cases/{case}/show/contact/phone"


def empty_draft(world):
    with world.entered():
        return identification.start_draft(world.actor("first_responder"))


def begun_draft(world):
    """Write the first page, because the second offers the sectors of its district."""
    draft = empty_draft(world)
    with world.entered():
        answers = worlds.pages()["report"]
        identification.save_page(world.actor("first_responder"), draft, "report", answers)
    return draft


def a_period(world):
    """Leave a quarter to be asked for: those that are over are offered."""
    del world
    return ()


def a_draft_release(world):
    with world.entered():
        releases.flagged(40)
        return releases.counted(world, world.app.config["NRM"])


# A file is named, not held: each sending opens it anew.
PAPER = str(Path(__file__).resolve().parent.parent / "files" / "practice.pdf")
_LATER = datetime.now(UTC) + timedelta(days=7)
NEXT_WEEK = [str(part) for part in (_LATER.day, _LATER.month, _LATER.year)]
CASE, REFERRAL = "/cases/{0}", "/referrals/{1}"
NEW_PERSON = {
    "name": "Practice Newcomer",
    "email": "form.newcomer@practice.example",
    "role": "provider",
}
LISTING = {
    "services": [SERVICE],
    "sexes": ["female"],
    "ages": ["18_24"],
    "languages": ["kin"],
    "district": "11",
}
WAYS = "/account/ways"
FORMS = [
    Form(
        "absence.page",
        "second_coordinator",
        at(nothing, "/away"),
        {"until": NEXT_WEEK},
        "account:away",
    ),
    Form(
        "absence.back",
        "coordinator",
        at(somebody_away, "/away/back", shown_at="/away"),
        act="account:back",
    ),
    Form("account.code", "", second_step("/sign-in/code")),
    Form("account.passkey", "", second_step("/sign-in/passkey", "/sign-in/code")),
    Form("account.recovery", "", second_step("/sign-in/recovery")),
    Form("account.set_up", "", first_time),
    Form("account.sign_in", "", at(nothing, "/sign-in")),
    Form(
        "approvals.cancel",
        "administrator",
        at(asked_approval, "/approvals/{0}/cancel", shown_at="/approvals/{0}"),
        act="approval:cancel",
    ),
    Form(
        "approvals.confirm",
        "auditor",
        at(asked_approval, "/approvals/{0}/confirm", shown_at="/approvals/{0}"),
        act="approval:confirm",
    ),
    Form(
        "approvals.reject",
        "auditor",
        at(asked_approval, "/approvals/{0}/reject", shown_at="/approvals/{0}"),
        {"reason": "not_needed"},
        "approval:reject",
    ),
    Form("audit.ask", "auditor", at(nothing, "/audit")),
    Form("audit.export", "auditor", at(nothing, "/audit/export", shown_at="/audit")),
    Form(
        "bars.page",
        "coordinator",
        at(case_and_hills, CASE + "/kept-out?whom=organisation:{1}"),
        {"reason": "suspected_complicity", "words": "Practice words."},
        "bar:place",
    ),
    Form(
        "bars.lift",
        "coordinator",
        at(a_bar, CASE + "/kept-out/{1}/lift"),
        {"reason": "placed_by_mistake", "words": "Practice words."},
        "bar:lift",
    ),
    Form("casefile.find", "coordinator", at(nothing, "/cases/find")),
    Form(
        "casefile.open_fields",
        "coordinator",
        at(worlds.flag, CASE + "/open/identity", shown_at=CASE),
        {"identity-reason": "safety"},
        "compartment:open",
    ),
    Form(
        "casefile.presume",
        "coordinator",
        at(worlds.flag, CASE + "/presume"),
        {"basis": ["indicators"], "words": "Practice grounds."},
        "case:presume",
    ),
    Form(
        "casefile.close",
        "coordinator",
        at(worlds.presumed, CASE + "/close"),
        {"reason": "contact_lost", "words": "Practice words."},
        "case:close",
    ),
    Form("confirm.code", "decision_maker", at(nothing, "/confirm")),
    Form(
        "confirm.passkey",
        "clinician",
        at(a_passkey_of("clinician"), "/confirm/passkey", "/confirm"),
    ),
    Form("confirm.recovery", "decision_maker", at(nothing, "/confirm/recovery")),
    Form("casefile.show_field", "coordinator", opened_contact),
    Form(
        "exploitation.record",
        "coordinator",
        at(worlds.presumed, CASE + "/exploitation"),
        {"exploitation": ["servitude"], "flow": "outbound"},
        "exploitation:record",
    ),
    *(
        Form(
            f"glass.{name}",
            by,
            at(make, where + "/emergency"),
            {"reason": "danger_to_life", "words": "Practice words."},
            "glass:break",
        )
        for name, by, make, where in (
            ("case", "coordinator", worlds.flag, CASE),
            ("flag", "first_responder", worlds.flag, "/flags/{0}"),
            ("referral", "provider", worlds.referred, REFERRAL),
        )
    ),
    Form(
        "glass_review.review",
        "auditor",
        at(an_emergency, "/emergency/{0}"),
        {"verdict": "justified"},
        "glass:review",
    ),
    Form(
        "notices.seen",
        "auditor",
        at(a_notice, "/notices/{0}/seen", shown_at="/notices"),
        act="notice:see",
    ),
    Form(
        "hand_over.offer",
        "coordinator",
        at(worlds.presumed, CASE + "/offer"),
        {"words": "Practice words."},
        "handover:offer",
    ),
    Form(
        "hand_over.take",
        "other_coordinator",
        at(an_offer, "/hand-overs/{0}/take", shown_at="/hand-overs/{0}"),
        act="handover:take",
    ),
    Form(
        "hand_over.decline",
        "other_coordinator",
        at(an_offer, "/hand-overs/{0}/decline", shown_at="/hand-overs/{0}"),
        act="handover:decline",
    ),
    Form(
        "hand_over.retract",
        "coordinator",
        at(an_offer, "/hand-overs/{0}/retract", shown_at="/hand-overs/{0}"),
        act="handover:retract",
    ),
    Form(
        "left_drafts.give",
        "coordinator",
        at(a_left_draft, "/left-drafts/{0}/give"),
        act="draft:assign",
    ),
    Form(
        "left_drafts.take",
        "first_responder",
        at(a_left_draft, "/left-drafts/{0}/take"),
        {"reason": "goes_on"},
        "draft:take",
    ),
    Form(
        "ownership.assign",
        "coordinator",
        at(worlds.presumed, CASE + "/assign"),
        {"reason": "workload"},
        "case:assign",
    ),
    Form(
        "ownership.take",
        "coordinator",
        at(worlds.flag, CASE + "/take", shown_at=CASE + "/owner"),
        act="case:assign",
    ),
    Form(
        "statistics.ask",
        "second_analyst",
        at(a_period, "/statistics/releases"),
        {"period": "2025", "edition": "final"},
        "statistics:ask",
    ),
    Form(
        "statistics.sign",
        "second_analyst",
        at(a_draft_release, "/statistics/releases/{0}/sign", "/statistics/releases/{0}"),
        act="statistics:sign",
    ),
    Form(
        "comparison.look_again",
        "coordinator",
        at(worlds.flag, CASE + "/known"),
        act="case:compare",
    ),
    Form(
        "consent.record",
        "coordinator",
        at(worlds.presumed, CASE + "/consent/record"),
        {"purpose_record": "yes", **HOW},
        "consent:record",
    ),
    Form(
        "consent.share",
        "coordinator",
        at(case_and_lakes, CASE + "/consent/share?to={1}"),
        {"basis": "consent", "compartments": ["identity"], **HOW},
        "consent:record",
    ),
    Form(
        "consent.withdraw",
        "coordinator",
        at(case_and_lakes, CASE + "/consent/withdraw?recipient={1}"),
        HOW,
        "consent:record",
    ),
    Form(
        "documents.add",
        "coordinator",
        at(worlds.flag, CASE + "/documents/new"),
        {"file": (PAPER, "paper.pdf"), "compartment": "health", "title": "Practice paper"},
        "document:add",
    ),
    Form(
        "documents.remove",
        "coordinator",
        at(a_document, CASE + "/documents/{1}/remove"),
        act="document:remove",
    ),
    Form(
        "directory.submit",
        "directory_manager",
        at(a_shelter_to_list, "/directory/submit"),
        LISTING,
        "listing:submit",
    ),
    Form(
        "directory.approve",
        "second_manager",
        at(a_submitted_listing, "/directory/{0}/approve", shown_at="/directory/{0}"),
        {"until": ["31", "12", "2099"]},
        "listing:approve",
    ),
    Form(
        "directory.suspend",
        "second_manager",
        at(a_listing, "/directory/{0}/suspend", shown_at="/directory/{0}"),
        {"reason": "Practice reason."},
        "listing:suspend",
    ),
    Form(
        "erasure.ask",
        "coordinator",
        at(worlds.closed, CASE + "/erase"),
        {"reason": "court_order"},
        "erasure:ask",
    ),
    Form(
        "erasure.carry_out",
        "auditor",
        at(asked_erasure, "/erasures/{0}/erase"),
        {"reference": "7K4M-29QX-C"},
        act="case:erase",
    ),
    Form(
        "erasure.refuse",
        "auditor",
        at(asked_erasure, "/erasures/{0}/refuse", shown_at="/erasures/{0}"),
        act="erasure:refuse",
    ),
    Form(
        "erasure.take_back",
        "coordinator",
        at(own_erasure, "/erasures/{0}/take-back", shown_at="/erasures/{0}"),
        act="erasure:take-back",
    ),
    Form(
        "sightings.ask_file",
        "auditor",
        at(nothing, "/audit/seen/file", shown_at="/audit/seen"),
        {"reference": "7K4M-29QX-C"},
    ),
    Form(
        "sightings.ask_account",
        "auditor",
        at(nothing, "/audit/seen/account", shown_at="/audit/seen"),
        {
            "email": "provider@practice.example",
            "since": ["1", "2", "2026"],
            "until": ["2", "2", "2026"],
        },
    ),
    Form(
        "identification.start",
        "first_responder",
        at(nothing, "/flags/start", shown_at="/flags"),
        act="draft:save",
    ),
    *(
        Form(
            "identification.question",
            "first_responder",
            at(begun_draft, f"/flags/drafts/{{0}}/{name}"),
            typed,
            name=f"identification.question {name}",
        )
        for name, typed in answers_about().items()
    ),
    Form(
        "identification.check",
        "first_responder",
        at(whole_draft, "/flags/drafts/{0}/check"),
        act="case:flag",
    ),
    Form(
        "identification.delete",
        "first_responder",
        at(empty_draft, "/flags/drafts/{0}/delete"),
        act="draft:delete",
    ),
    Form(
        "organisations.change",
        "administrator",
        at(an_organisation, "/organisations/{0}"),
        {"name": "Practice Other House", "kind": "shelter", "district": "11"},
        "organisation:change",
    ),
    Form(
        "organisations.create",
        "administrator",
        at(nothing, "/organisations/new"),
        {"name": "Practice Form House", "kind": "shelter", "district": "11"},
        "organisation:create",
    ),
    Form(
        "people.ask",
        "administrator",
        at(nothing, "/people"),
        {"text": "practice"},
    ),
    Form(
        "people.disable",
        "administrator",
        at(an_account, "/people/{0}/disable"),
        {"reason": "left"},
        "account:disable",
    ),
    Form(
        "people.enable",
        "administrator",
        at(a_disabled_account, "/people/{0}/enable"),
        act="account:enable",
    ),
    Form(
        "people.invite",
        "administrator",
        at(nothing, "/people/new"),
        NEW_PERSON,
        "account:create",
    ),
    Form(
        "people.renew",
        "administrator",
        at(another_account, "/people/{0}/invite"),
        {"why": "lost"},
        "account:invite",
    ),
    Form(
        "people.reset_factors",
        "administrator",
        at(an_account, "/people/{0}/reset"),
        act="account:reset",
    ),
    Form(
        "role_changes.change",
        "administrator",
        at(another_account, "/people/{0}/role"),
        {"role": "directory_manager"},
        "account:role",
    ),
    Form(
        "provision.accept",
        "provider",
        at(worlds.referred, REFERRAL + "/accept", shown_at=REFERRAL),
        act="referral:accept",
    ),
    Form(
        "provision.decline",
        "provider",
        at(worlds.referred, REFERRAL + "/decline", shown_at=REFERRAL),
        {"reason": "no_capacity", "words": "Practice words."},
        "referral:decline",
    ),
    Form(
        "provision.record_service",
        "provider",
        at(worlds.accepted, REFERRAL + "/service"),
        {"outcome": "given", "words": "Practice words."},
        "service:record",
    ),
    Form(
        "provision.show_field",
        "provider",
        at(worlds.accepted, REFERRAL + "/show/contact/phone", shown_at=REFERRAL),
    ),
    Form("provision.end", "provider", at(worlds.accepted, REFERRAL + "/end"), act="referral:end"),
    Form(
        "referral.needs",
        "coordinator",
        at(worlds.presumed, CASE + "/needs"),
        {"now": [SERVICE, "transport"]},
        "needs:record",
    ),
    Form(
        "referral.choose",
        "coordinator",
        at(worlds.consented, CASE + "/providers"),
        {"service": SERVICE},
    ),
    Form(
        "referral.send",
        "coordinator",
        chosen,
        {"safety": "Practice words.", "arrangements": "Practice words."},
        "referral:send",
    ),
    Form(
        "referral.withdraw",
        "coordinator",
        at(worlds.referred, CASE + "/referrals/{1}/withdraw"),
        act="referral:withdraw",
    ),
    Form(
        "sittings.end",
        "clinician",
        at(an_own_sitting, "/account/sittings/{0}/end", shown_at="/account/sittings"),
        act="session:end",
    ),
    Form(
        "sittings.end_others",
        "clinician",
        at(an_own_sitting, "/account/sittings/end-others", shown_at="/account/sittings"),
        act="session:end",
    ),
    Form("sittings.extend", "clinician", at(nothing, "/extend", shown_at="/inbox")),
    Form(
        "sittings.password",
        "second_manager",
        at(nothing, "/account/password"),
        {"old": worlds.PASSWORD, "password": "nineteen-quiet-herons"},
        act="account:change-password",
    ),
    Form(
        "sittings.end_of_person",
        "administrator",
        at(
            anothers_sitting,
            "/people/{0}/sittings/{1}/end",
            shown_at="/people/{0}/sittings",
        ),
        act="session:end",
    ),
    Form(
        "sittings.end_all_of_person",
        "administrator",
        at(
            anothers_sitting,
            "/people/{0}/sittings/end-all",
            shown_at="/people/{0}/sittings",
        ),
        act="session:end",
    ),
    Form(
        "federation.remove",
        "clinician",
        at(connected_as("clinician"), WAYS + "/federated/remove"),
        act="federation:disconnect",
    ),
    Form("search.people", "coordinator", at(nothing, "/search"), {"names": "Practice Person"}),
    Form(
        "welcome.activate",
        "",
        at(a_link, "/welcome/{0}"),
        {"password": "four plain words here", "again": "four plain words here"},
        "account:activate",
    ),
    Form("ways.app", "decision_maker", at(nothing, WAYS + "/app")),
    Form("ways.new_codes", "clinician", at(nothing, WAYS + "/codes"), act="recovery:make"),
    Form("ways.passkey", "decision_maker", at(nothing, WAYS + "/passkey")),
    Form(
        "ways.remove",
        "clinician",
        at(a_passkey_of("clinician"), WAYS + "/{0}/remove"),
        act="factor:remove",
    ),
    Form("account.sign_out", "clinician", at(nothing, "/sign-out", shown_at="/inbox")),
]
