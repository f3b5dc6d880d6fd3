"""Every act and every logged read of the services, as one table that the tests walk.

Every one is called alike, with the world, the actor and what it is about; few need all three.
"""

# ruff: noqa: ARG001, ARG005

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select

from nrm.audit.actions import Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.approval import ApprovalKind
from nrm.domain.consent import Answer, GivenBy
from nrm.domain.lifecycle import ApprovalState, ErasureState, ReferralState
from nrm.domain.roles import HUMAN_ROLES, Permission, Role
from nrm.models import Case, Notice
from nrm.security import search_tokens
from nrm.services import (
    absence,
    accounts,
    approvals,
    bars,
    bulletin,
    casefile,
    comparison,
    consent,
    directory,
    documents,
    erasure,
    exploitation,
    figures,
    follow_up,
    glass,
    glass_review,
    identification,
    invitations,
    keys,
    log_export,
    log_search,
    log_state,
    notices,
    organisations,
    own_password,
    people,
    printing,
    provision,
    questionnaires,
    referral,
    reveal,
    role_changes,
    search,
    second_factor,
    sessions,
    sightings,
    sign_in_history,
    signs,
    sittings,
    statistics_export,
)
from nrm.statistics.bulletin import Voice
from nrm.statistics.pictures import Ground
from tests import releases
from tests import world as worlds
from tests.services import ownership_acts, sign_in_acts
from tests.services.act import NOWHERE, Act
from tests.services.two_people import asked as _approval_asked
from tests.services.two_people import registered
from tests.world import CANARIES, SERVICE

ALL_COMPARTMENTS = "contact enforcement health identity narrative"


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
READER = bulletin.Reader(Voice(str, str, str), Ground("Practice", []), "en", practice=True)


def _nothing(world):
    del world


def _version_of(world, what, given):
    return given.pop("version", None) or worlds.version(world, what) or 1


def _save_page(world, actor, what, **_):
    return identification.save_page(actor, what, "person", {"given_name": CANARIES["given_name"]})


def _presume(world, actor, what, **given):
    return identification.presume(
        actor,
        what,
        basis=["indicators"],
        words=CANARIES["presumption_words"],
        version=_version_of(world, what, given),
        pack=world.pack,
        **given,
    )


def _consent(world, actor, what, **given):
    answer = consent.NewAnswer(
        "share_with_provider",
        Answer.GRANTED,
        world.organisations["lakes"],
        frozenset({"identity"}),
    )
    how = consent.How("oral", "run", GivenBy.PERSON, interpreter=CANARIES["interpreter"])
    return consent.record(actor, what, [answer], how, pack=world.pack, **given)


def _exception(world, actor, what, **given):
    answer = consent.NewAnswer(
        "share_with_provider",
        Answer.GRANTED,
        world.organisations["lakes"],
        frozenset({"contact"}),
    )
    how = consent.How(
        "oral",
        "run",
        GivenBy.PERSON,
        basis="vital_interests",
        reason=CANARIES["exception_reason"],
    )
    return consent.record(actor, what, [answer], how, pack=world.pack, **given)


def _needs(world, actor, what, **given):
    return referral.record_needs(
        actor,
        what,
        [SERVICE],
        version=_version_of(world, what, given),
        pack=world.pack,
        **given,
    )


def _exploitation(world, actor, what, **given):
    return exploitation.record_exploitation(
        actor,
        what,
        exploitation.Exploitation(("servitude",), "outbound", "domestic_work"),
        version=_version_of(world, what, given),
        **given,
    )


def _choose(world, actor, what, **_):
    return referral.choose(actor, what, SERVICE, world.pack)


def _prepare(world, actor, what, **_):
    return referral.prepare(actor, what, SERVICE, world.organisations["lakes"], world.pack)


def _send(world, actor, what, **given):
    return referral.send(
        actor,
        what,
        SERVICE,
        world.organisations["lakes"],
        referral.Words(CANARIES["safety"], CANARIES["arrangements"]),
        version=_version_of(world, what, given),
        pack=world.pack,
        **given,
    )


def _withdraw(world, actor, what, **given):
    case, sent = what
    return referral.withdraw(actor, case, sent, pack=world.pack, **given)


def _decline(world, actor, what, **given):
    words = CANARIES["decline_words"]
    return provision.decline(actor, what, "no_capacity", words, world.pack, **given)


def _service(world, actor, what, **given):
    new = provision.NewService(SERVICE, "given", world.today, CANARIES["service_words"])
    return provision.record_service(actor, what, new, world.pack, **given)


def _close(world, actor, what, **given):
    return follow_up.close(
        actor,
        what,
        "plan_completed",
        CANARIES["closure_words"],
        version=_version_of(world, what, given),
        pack=world.pack,
        **given,
    )


def _submit(world, actor, what, **given):
    new = directory.NewListing(what, (SERVICE,), ("female",), ("kin",), "11", 4)
    return directory.submit(actor, new, world.pack, **given)


def _unlisted(world):
    return organisations.create(
        world.actor("administrator"), "Practice Shelter of Trees", "shelter", "11", is_provider=True
    )


def _submitted(world):
    return _submit(world, world.actor("directory_manager"), _unlisted(world))


def _approve(world, actor, what, **given):
    given.setdefault("version", 1)
    until = world.today + timedelta(days=30)
    return directory.approve(actor, what, until, pack=world.pack, **given)


def _suspend(world, actor, what, **given):
    given.setdefault("version", 2)
    return directory.suspend(actor, what, "Practice reason.", **given)


def _invite(world, actor, what, **given):
    new = accounts.NewAccount("Practice Newcomer", "new@practice.example", what, Role.PROVIDER)
    return invitations.invite(actor, new, **given)


def _change_organisation(world, actor, what, **given):
    return organisations.change(actor, what, "Practice Other House", "ngo", "11", **given)


def _create_organisation(world, actor, what, **given):
    del what
    return organisations.create(
        actor, "Practice Legal Desk", "legal_aid", "11", is_provider=True, **given
    )


def _case_or_draft(make):
    return lambda world: make(
        world,
        person={"given_name": CANARIES["given_name"]},
        signs={"account": CANARIES["account"]},
    )


def _search(world, actor, what, **_):
    return search.find(actor, "Practice Person", "", world.pack)


def _case_ids(world):
    worlds.flag(world)
    return list(db.session.scalars(select(Case.id)))


def _compared(world):
    """Flag one person twice, and let housekeeping see that."""
    worlds.flag(world)
    reference = worlds.flag(world)
    comparison.compare_new()
    return reference


def _sent(world):
    return worlds.referred(world)[1]


def _over(world):
    """A referral under which a service was given, and whose part has ended."""
    _, sent = worlds.served(world)
    provision.end(world.actor("provider"), sent, world.pack)
    return sent


def _taken(world):
    return worlds.accepted(world)[1]


def _add_document(world, actor, what, **given):
    new = documents.NewDocument(
        "health", CANARIES["health_words"], "paper.pdf", worlds.incoming(world, worlds.PDF)
    )
    return documents.add(actor, what, new, **given)


def _attached(world):
    reference = worlds.flag(world)
    return reference, worlds.attach(world, reference)


def _open_document(world, actor, reference, document_id):
    folder = world.app.config["NRM"].documents
    opened = documents.open_document(actor, reference, document_id, folder)
    opened.close()
    return opened


def _remove_document(world, actor, reference, document_id, **given):
    folder = world.app.config["NRM"].documents
    return documents.remove(actor, reference, document_id, folder, **given)


def _ask_for_approval(world, actor, form_id=None):
    """Ask as an act of another stage does, in its own unit of work."""
    wanted = {"from": "provider", "to": "coordinator"}
    registered()
    with unit_of_work(actor, form_id) as unit:
        kind, about = ApprovalKind.ROLE_CHANGE, world.accounts["clinician"]
        unit.outcome = str(approvals.ask(unit, actor, kind, about, wanted))


def _closed(world):
    return worlds.closed(world)[0]


LIMITS = sessions.Limits(timedelta(minutes=30), timedelta(hours=10))


def _sitting(world, name="provider"):
    return worlds.sitting(world, name).id


def _change_password(world, actor, what, **given):
    typed = worlds.PASSWORD, "nineteen-quiet-herons"
    return own_password.change(actor, what, *typed, "192.0.2.1", **given)


def _erasure_asked(world, by="second_coordinator"):
    """A closed case whose erasure somebody asked for: (reference, request)."""
    reference = _closed(world)
    return reference, erasure.ask(world.actor(by), reference, "asked_by_person")


def _carry_out(world, actor, what, **given):
    reference, request = what
    return erasure.carry_out(actor, request, reference, world.app.config["NRM"], **given)


def _frozen(world):
    releases.flagged(40)
    return releases.frozen(world, world.app.config["NRM"])


def _read_bulletin(world, actor, what, **_):
    return bulletin.read(actor, what, world.pack, READER)


def _take_bulletin(world, actor, what, **_):
    return bulletin.take_out(actor, what, world.pack, READER)


def _take_release(world, actor, what, **_):
    return statistics_export.take_release(actor, what, "csv", world.pack, number="R3")


def _take_questionnaire(world, actor, what, **_):
    return statistics_export.take_questionnaire(actor, "us-tip", what, "json", world.pack)


def _keep_out(world, actor, what, **given):
    whom = bars.Whom(organisation_id=world.organisations["hills"])
    words = CANARIES["bar_words"]
    return bars.place(actor, what, whom, "conflict_of_interest", words, pack=world.pack, **given)


def _kept_out(world):
    reference = worlds.flag(world)
    return reference, worlds.kept_out(world, reference, "hills")


def _lift(world, actor, what, **given):
    words = CANARIES["lift_words"]
    return bars.lift(actor, *what, "placed_by_mistake", words, **given)


def _break_case(world, actor, what, **given):
    return glass.break_case(actor, what, "danger_to_life", CANARIES["glass_words"], **given)


def _break_referral(world, actor, what, **given):
    return glass.break_referral(actor, what, "danger_to_life", CANARIES["glass_words"], **given)


def _opened(by):
    """A case or a referral that somebody opened in an emergency, for them to look at."""

    def prepare(world):
        what = worlds.referred(world)[1] if by == "provider" else worlds.flag(world)
        worlds.opened_in_emergency(world, what, by)
        return what

    return prepare


def _to_review(world):
    return worlds.opened_in_emergency(world, worlds.flag(world))


def _review(world, actor, what, **given):
    words = CANARIES["review_words"]
    return glass_review.review(actor, what, "needs_follow_up", words, **given)


def _told(world):
    """A notice to the coordinator: a responder opened a case that nobody looks after."""
    worlds.opened_in_emergency(world, worlds.flag(world), "first_responder")
    own = select(Notice.id).where(Notice.account_id == world.accounts["coordinator"])
    return db.session.scalars(own).one()


ACTS = [
    Act(
        "start a draft",
        "first_responder",
        _nothing,
        lambda world, actor, what, **given: identification.start_draft(actor, **given),
        Action.DRAFT_SAVE,
        "draft",
        "draft",
        form=True,
    ),
    Act(
        "start a draft for another person at the same place",
        "first_responder",
        worlds.flag,
        lambda world, actor, what, **given: identification.start_draft(
            actor, same_place_as=what, **given
        ),
        Action.DRAFT_SAVE,
        "draft",
        "draft",
        form=True,
        strangers=("other_responder",),
        missing=lambda world, actor: identification.start_draft(actor, same_place_as=NOWHERE),
    ),
    Act(
        "save a page of a draft",
        "first_responder",
        worlds.draft,
        _save_page,
        Action.DRAFT_SAVE,
        "draft",
        "draft",
        fields=("given_name",),
        strangers=("other_responder",),
        missing=lambda world, actor: identification.save_page(actor, uuid4(), "person", {}),
    ),
    Act(
        "read a draft",
        "first_responder",
        worlds.draft,
        lambda world, actor, what, **_: identification.read_draft(actor, what),
        Action.DRAFT_OPEN,
        "draft",
        "draft",
        strangers=("other_responder",),
        missing=lambda world, actor: identification.read_draft(actor, uuid4()),
    ),
    Act(
        "delete a draft",
        "first_responder",
        worlds.draft,
        lambda world, actor, what, **given: identification.delete_draft(actor, what, **given),
        Action.DRAFT_DELETE,
        "draft",
        form=True,
        strangers=("other_responder",),
        missing=lambda world, actor: identification.delete_draft(actor, uuid4()),
    ),
    Act(
        "send a flag",
        "first_responder",
        _case_or_draft(worlds.draft),
        lambda world, actor, what, **given: identification.send_flag(
            actor, what, world.pack, **given
        ),
        Action.CASE_FLAG,
        "case",
        "consent contact draft enforcement facts facts_event health identity narrative",
        form=True,
        strangers=("other_responder",),
        missing=lambda world, actor: identification.send_flag(actor, uuid4(), world.pack),
    ),
    Act(
        "list one's own flags",
        "first_responder",
        worlds.flag,
        lambda world, actor, what, **_: identification.my_flags(actor),
        Action.FLAG_LIST,
    ),
    Act(
        "read one's own flag",
        "first_responder",
        worlds.flag,
        lambda world, actor, what, **_: identification.my_flag(actor, what),
        Action.FLAG_VIEW,
        "case",
        strangers=("other_responder",),
        missing=lambda world, actor: identification.my_flag(actor, NOWHERE),
    ),
    Act(
        "record a presumption",
        "coordinator",
        worlds.flag,
        _presume,
        Action.CASE_PRESUME,
        "case",
        "facts_event narrative",
        # Nobody looked after the case until now.
        fields=("basis", "owner", "words"),
        form=True,
        versioned=True,
        missing=lambda world, actor: _presume(world, actor, NOWHERE, version=1),
    ),
    Act(
        "read the worklist",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.worklist(actor, casefile.Queue.INCOMING),
        Action.CASE_LIST,
        compartments="facts",
        purpose="incoming",
        empty_for_others=True,
    ),
    Act(
        "find a case",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.find(actor, what),
        Action.CASE_LIST,
        "case",
        purpose="find",
    ),
    Act(
        "list the cases that a search found",
        "coordinator",
        _case_ids,
        lambda world, actor, what, **_: casefile.listed(actor, what),
        Action.CASE_LIST,
        compartments="facts",
        purpose="search",
        empty_for_others=True,
    ),
    Act(
        "search for a person",
        "coordinator",
        worlds.flag,
        _search,
        Action.PERSON_SEARCH,
        compartments="identity",
        purpose=lambda: search_tokens.query_fingerprint(keys.keyring(), "person practice"),
    ),
    Act(
        "open a case file",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.overview(actor, what, {}),
        Action.CASE_OPEN,
        "case",
        "contact facts",
        missing=lambda world, actor: casefile.overview(actor, NOWHERE, {}),
    ),
    Act(
        "open a closed part of a case file",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.overview(
            actor, what, {"identity": "arrange_referral"}
        ),
        Action.CASE_OPEN,
        "case",
        "contact facts identity",
        "arrange_referral",
    ),
    Act(
        "give a reason to open a closed part",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **given: casefile.reveal(
            actor, what, "narrative", "safety", **given
        ),
        Action.COMPARTMENT_OPEN,
        "case",
        "narrative",
        "safety",
        form=True,
        missing=lambda world, actor: casefile.reveal(actor, NOWHERE, "narrative", "safety"),
    ),
    Act(
        "open an inner page of a case file",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: casefile.page(actor, what, Permission.CASE_PRESUME),
        Action.CASE_OPEN,
        "case",
        "contact facts",
        missing=lambda world, actor: casefile.page(actor, NOWHERE),
    ),
    Act(
        "read what a person agreed to",
        "coordinator",
        worlds.consented,
        lambda world, actor, what, **_: casefile.consent_page(actor, what),
        Action.CASE_OPEN,
        "case",
        "consent contact facts",
        "consent",
        missing=lambda world, actor: casefile.consent_page(actor, NOWHERE),
    ),
    Act(
        "read the referrals of a case",
        "coordinator",
        lambda world: worlds.served(world)[0],
        lambda world, actor, what, **_: casefile.referrals_page(actor, what),
        Action.CASE_OPEN,
        "case",
        "contact envelope facts service",
        "referrals",
        missing=lambda world, actor: casefile.referrals_page(actor, NOWHERE),
    ),
    Act(
        "read whether a person is known already",
        "coordinator",
        _compared,
        lambda world, actor, what, **_: casefile.comparison_page(actor, what),
        Action.CASE_OPEN,
        "case",
        "comparison contact facts",
        "comparison",
        missing=lambda world, actor: casefile.comparison_page(actor, NOWHERE),
    ),
    Act(
        "look again whether a person is known already",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **given: comparison.run(actor, what, **given),
        Action.CASE_COMPARE,
        "case",
        "comparison identity",
        form=True,
        missing=lambda world, actor: comparison.run(actor, NOWHERE),
    ),
    Act(
        "record consent",
        "coordinator",
        worlds.presumed,
        _consent,
        Action.CONSENT_RECORD,
        "case",
        "consent facts facts_event",
        "consent",
        fields=("share_with_provider",),
        form=True,
        missing=lambda world, actor: _consent(world, actor, NOWHERE),
    ),
    Act(
        "record an exception of the law",
        "coordinator",
        worlds.presumed,
        _exception,
        Action.CONSENT_EXCEPTION,
        "case",
        "consent facts facts_event",
        "vital_interests",
        fields=("share_with_provider",),
        form=True,
        missing=lambda world, actor: _exception(world, actor, NOWHERE),
    ),
    Act(
        "read who is kept out of a case",
        "coordinator",
        lambda world: _kept_out(world)[0],
        lambda world, actor, what, **_: bars.page(actor, what),
        Action.BAR_LIST,
        "case",
        "access contact facts",
        missing=lambda world, actor: bars.page(actor, NOWHERE),
    ),
    Act(
        "read about the bar that one is about to lift",
        "coordinator",
        _kept_out,
        lambda world, actor, what, **_: bars.lifting(actor, *what),
        Action.BAR_LIST,
        "case",
        "access contact facts",
        missing=lambda world, actor: bars.lifting(actor, NOWHERE, uuid4()),
    ),
    Act(
        "keep somebody out of a case",
        "coordinator",
        worlds.flag,
        _keep_out,
        Action.BAR_PLACE,
        "bar",
        "access",
        "conflict_of_interest",
        fields=("words",),
        form=True,
        missing=lambda world, actor: _keep_out(world, actor, NOWHERE),
    ),
    Act(
        "let somebody know of a case again",
        "coordinator",
        _kept_out,
        _lift,
        Action.BAR_LIFT,
        "bar",
        "access",
        "placed_by_mistake",
        fields=("words",),
        form=True,
        missing=lambda world, actor: _lift(world, actor, (NOWHERE, uuid4())),
    ),
    Act(
        "open one's own flag in an emergency",
        "first_responder",
        worlds.flag,
        _break_case,
        Action.GLASS_BREAK,
        "glass",
        "emergency",
        "danger_to_life",
        fields=("words",),
        form=True,
        strangers=("other_responder",),
        also=(Role.COORDINATOR,),
        missing=lambda world, actor: _break_case(world, actor, NOWHERE),
    ),
    Act(
        "open a referral in an emergency",
        "provider",
        _sent,
        _break_referral,
        Action.GLASS_BREAK,
        "glass",
        "emergency",
        "danger_to_life",
        fields=("words",),
        form=True,
        strangers=("other_provider",),
        missing=lambda world, actor: _break_referral(world, actor, "R-0"),
    ),
    Act(
        "read what is open in an emergency of one's own flag",
        "first_responder",
        _opened("first_responder"),
        lambda world, actor, what, **_: glass.at_case(actor, what),
        Action.COMPARTMENT_OPEN,
        "case",
        "contact identity",
        "break_glass",
        strangers=("other_responder",),
        also=(Role.COORDINATOR,),
        missing=lambda world, actor: glass.at_case(actor, NOWHERE),
    ),
    Act(
        "read what is open in an emergency of a referral",
        "provider",
        _opened("provider"),
        lambda world, actor, what, **_: glass.at_referral(actor, what),
        Action.COMPARTMENT_OPEN,
        "referral",
        "contact identity",
        "break_glass",
        strangers=("other_provider",),
        missing=lambda world, actor: glass.at_referral(actor, "R-0"),
    ),
    Act(
        "list the emergency access to review",
        "auditor",
        _to_review,
        lambda world, actor, what, **_: glass_review.queue(actor),
        Action.GLASS_OPEN,
    ),
    Act(
        "read an emergency access",
        "auditor",
        _to_review,
        lambda world, actor, what, **_: glass_review.read(actor, what),
        Action.GLASS_OPEN,
        "glass",
        "emergency",
        missing=lambda world, actor: glass_review.read(actor, uuid4()),
    ),
    Act(
        "review an emergency access",
        "auditor",
        _to_review,
        _review,
        Action.GLASS_REVIEW,
        "glass",
        "emergency",
        "needs_follow_up",
        fields=("words",),
        form=True,
        missing=lambda world, actor: _review(world, actor, uuid4()),
    ),
    Act(
        "read one's notices",
        "coordinator",
        _told,
        lambda world, actor, what, **_: notices.waiting(actor),
        Action.NOTICE_LIST,
        also=tuple(Role),
    ),
    Act(
        "mark a notice as seen",
        "coordinator",
        _told,
        lambda world, actor, what, **given: notices.see(actor, what, **given),
        Action.NOTICE_SEE,
        "notice",
        form=True,
        strangers=("auditor",),
        missing=lambda world, actor: notices.see(actor, uuid4()),
    ),
    Act(
        "record needs",
        "coordinator",
        worlds.presumed,
        _needs,
        Action.NEEDS_RECORD,
        "case",
        "facts",
        fields=("needs",),
        form=True,
        versioned=True,
        missing=lambda world, actor: _needs(world, actor, NOWHERE, version=1),
    ),
    Act(
        "record the kind of exploitation",
        "coordinator",
        worlds.presumed,
        _exploitation,
        Action.EXPLOITATION_RECORD,
        "case",
        "facts",
        fields=("exploitation", "flow", "sector"),
        form=True,
        versioned=True,
        missing=lambda world, actor: _exploitation(world, actor, NOWHERE, version=1),
    ),
    Act(
        "choose a provider",
        "coordinator",
        worlds.consented,
        _choose,
        Action.REFERRAL_PREPARE,
        "case",
        "facts",
        missing=lambda world, actor: _choose(world, actor, NOWHERE),
    ),
    Act(
        "see what would be disclosed",
        "coordinator",
        worlds.consented,
        _prepare,
        Action.REFERRAL_PREPARE,
        "case",
        "facts",
        missing=lambda world, actor: _prepare(world, actor, NOWHERE),
    ),
    Act(
        "send a referral",
        "coordinator",
        worlds.consented,
        _send,
        Action.REFERRAL_SEND,
        "referral",
        "envelope facts facts_event",
        form=True,
        versioned=True,
        missing=lambda world, actor: _send(world, actor, NOWHERE, version=1),
    ),
    Act(
        "withdraw a referral",
        "coordinator",
        worlds.referred,
        _withdraw,
        Action.REFERRAL_WITHDRAW,
        "referral",
        "facts_event",
        form=True,
        missing=lambda world, actor: _withdraw(world, actor, (NOWHERE, "R-ZZZ-ZZZ-Z")),
    ),
    Act(
        "read the inbox",
        "provider",
        _sent,
        lambda world, actor, what, **_: provision.inbox(actor, ReferralState.SENT),
        Action.REFERRAL_LIST,
        compartments="envelope",
        empty_for_others=True,
    ),
    Act(
        "open a referral before answering",
        "provider",
        _sent,
        lambda world, actor, what, **_: provision.read(actor, what),
        Action.REFERRAL_OPEN,
        "referral",
        "envelope",
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: provision.read(actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "open a referral after accepting",
        "provider",
        _taken,
        lambda world, actor, what, **_: provision.read(actor, what),
        Action.REFERRAL_OPEN,
        "referral",
        "contact envelope identity",
        strangers=("other_provider", "clinician"),
    ),
    Act(
        "list what is over",
        "provider",
        _over,
        lambda world, actor, what, **_: provision.closed(actor),
        Action.REFERRAL_LIST,
        empty_for_others=True,
    ),
    Act(
        "open a referral that is over",
        "provider",
        _over,
        lambda world, actor, what, **_: provision.read(actor, what),
        Action.REFERRAL_OPEN,
        "referral",
        "service",
        strangers=("other_provider", "clinician"),
    ),
    Act(
        "open the envelope to record a service",
        "provider",
        _taken,
        lambda world, actor, what, **_: provision.working_on(actor, what),
        Action.REFERRAL_OPEN,
        "referral",
        "envelope",
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: provision.working_on(actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "accept a referral",
        "provider",
        _sent,
        lambda world, actor, what, **given: provision.accept(actor, what, world.pack, **given),
        Action.REFERRAL_ACCEPT,
        "referral",
        "facts_event",
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: provision.accept(actor, "R-ZZZ-ZZZ-Z", world.pack),
    ),
    Act(
        "decline a referral",
        "provider",
        _sent,
        _decline,
        Action.REFERRAL_DECLINE,
        "referral",
        "facts_event service",
        fields=("reason", "words"),
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: _decline(world, actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "record a service",
        "provider",
        _taken,
        _service,
        Action.SERVICE_RECORD,
        "referral",
        "facts_event service",
        fields=("given_on", "outcome", "service", "words"),
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: _service(world, actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "end one's part",
        "provider",
        _taken,
        lambda world, actor, what, **given: provision.end(actor, what, world.pack, **given),
        Action.REFERRAL_END,
        "referral",
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: provision.end(actor, "R-ZZZ-ZZZ-Z", world.pack),
    ),
    Act(
        "close a case",
        "coordinator",
        lambda world: worlds.accepted(world)[0],
        _close,
        Action.CASE_CLOSE,
        "case",
        "facts_event narrative",
        fields=("reason", "words"),
        form=True,
        versioned=True,
        missing=lambda world, actor: _close(world, actor, NOWHERE, version=1),
    ),
    *ownership_acts.ACTS,
    Act(
        "add a document",
        "coordinator",
        worlds.flag,
        _add_document,
        Action.DOCUMENT_ADD,
        "document",
        "health",
        fields=("file", "title"),
        form=True,
        missing=lambda world, actor: _add_document(world, actor, NOWHERE),
    ),
    Act(
        "list the documents of a case",
        "coordinator",
        lambda world: _attached(world)[0],
        lambda world, actor, what, **_: documents.attachments(actor, what),
        Action.DOCUMENT_LIST,
        "case",
        "contact facts health",
        missing=lambda world, actor: documents.attachments(actor, NOWHERE),
    ),
    Act(
        "look at a document before it is removed",
        "coordinator",
        _attached,
        lambda world, actor, what, **_: documents.attached(actor, *what),
        Action.DOCUMENT_LIST,
        "document",
        "contact facts health",
        missing=lambda world, actor: documents.attached(actor, NOWHERE, uuid4()),
    ),
    Act(
        "open a document",
        "coordinator",
        _attached,
        lambda world, actor, what, **_: _open_document(world, actor, *what),
        Action.DOCUMENT_OPEN,
        "document",
        "health",
        missing=lambda world, actor: _open_document(world, actor, NOWHERE, uuid4()),
    ),
    Act(
        "remove a document",
        "coordinator",
        _attached,
        lambda world, actor, what, **given: _remove_document(world, actor, *what, **given),
        Action.DOCUMENT_REMOVE,
        "document",
        form=True,
        missing=lambda world, actor: _remove_document(world, actor, NOWHERE, uuid4()),
    ),
    Act(
        "ask for an erasure",
        "coordinator",
        _closed,
        lambda world, actor, what, **given: erasure.ask(actor, what, "court_order", **given),
        Action.ERASURE_ASK,
        "erasure",
        purpose="court_order",
        form=True,
        missing=lambda world, actor: erasure.ask(actor, NOWHERE, "court_order"),
    ),
    Act(
        "list the erasures",
        "auditor",
        _erasure_asked,
        lambda world, actor, what, **_: erasure.requests(actor, ErasureState.ASKED),
        Action.ERASURE_LIST,
        purpose="asked",
        also=(Role.COORDINATOR,),
    ),
    Act(
        "read a request to erase",
        "auditor",
        _erasure_asked,
        lambda world, actor, what, **_: erasure.read(actor, what[1]),
        Action.ERASURE_LIST,
        "erasure",
        also=(Role.COORDINATOR,),
        missing=lambda world, actor: erasure.read(actor, uuid4()),
    ),
    Act(
        "take a request to erase back",
        "coordinator",
        lambda world: _erasure_asked(world, "coordinator"),
        lambda world, actor, what, **given: erasure.take_back(actor, what[1], **given),
        Action.ERASURE_TAKE_BACK,
        "erasure",
        form=True,
        missing=lambda world, actor: erasure.take_back(actor, uuid4()),
    ),
    Act(
        "refuse an erasure",
        "auditor",
        lambda world: _erasure_asked(world, "coordinator"),
        lambda world, actor, what, **given: erasure.refuse(actor, what[1], **given),
        Action.ERASURE_REFUSE,
        "erasure",
        form=True,
        missing=lambda world, actor: erasure.refuse(actor, uuid4()),
    ),
    Act(
        "erase a case",
        "auditor",
        lambda world: _erasure_asked(world, "coordinator"),
        _carry_out,
        Action.CASE_ERASE,
        "case",
        purpose="asked_by_person",
        form=True,
        missing=lambda world, actor: _carry_out(world, actor, (NOWHERE, uuid4())),
    ),
    Act(
        "ask for a second person's approval",
        "administrator",
        _nothing,
        lambda world, actor, what, **given: _ask_for_approval(world, actor, **given),
        Action.APPROVAL_ASK,
        "approval",
        purpose="role_change",
        fields=("from", "to"),
        form=True,
        also=(Role.ORGANISATION_ADMINISTRATOR,),
    ),
    Act(
        "list the requests for approval",
        "auditor",
        _approval_asked,
        lambda world, actor, what, **_: approvals.requests(actor, ApprovalState.REQUESTED),
        Action.APPROVAL_LIST,
        purpose="requested",
        also=(Role.ADMINISTRATOR, Role.COORDINATOR, Role.ORGANISATION_ADMINISTRATOR),
    ),
    Act(
        "read a request for approval",
        "auditor",
        _approval_asked,
        lambda world, actor, what, **_: approvals.read(actor, what),
        Action.APPROVAL_LIST,
        "approval",
        purpose="role_change",
        also=(Role.ADMINISTRATOR,),
        missing=lambda world, actor: approvals.read(actor, uuid4()),
    ),
    Act(
        "approve as the second person",
        "auditor",
        _approval_asked,
        lambda world, actor, what, **given: approvals.confirm(actor, what, **given),
        Action.APPROVAL_CONFIRM,
        "account",
        purpose="role_change",
        form=True,
        missing=lambda world, actor: approvals.confirm(actor, uuid4()),
    ),
    Act(
        "do not approve",
        "auditor",
        _approval_asked,
        lambda world, actor, what, **given: approvals.reject(actor, what, "too_wide", **given),
        Action.APPROVAL_REJECT,
        "approval",
        purpose="too_wide",
        form=True,
        missing=lambda world, actor: approvals.reject(actor, uuid4(), "too_wide"),
    ),
    Act(
        "take a request for approval back",
        "administrator",
        _approval_asked,
        lambda world, actor, what, **given: approvals.cancel(actor, what, **given),
        Action.APPROVAL_CANCEL,
        "approval",
        purpose="role_change",
        form=True,
        missing=lambda world, actor: approvals.cancel(actor, uuid4()),
    ),
    Act(
        "submit a listing",
        "directory_manager",
        _unlisted,
        _submit,
        Action.LISTING_SUBMIT,
        "listing",
        form=True,
        missing=lambda world, actor: _submit(world, actor, uuid4()),
    ),
    Act(
        "approve a listing",
        "second_manager",
        _submitted,
        _approve,
        Action.LISTING_APPROVE,
        "listing",
        fields=("until",),
        form=True,
        versioned=True,
        missing=lambda world, actor: _approve(world, actor, uuid4()),
    ),
    Act(
        "suspend a listing",
        "directory_manager",
        lambda world: world.listings["lakes"],
        _suspend,
        Action.LISTING_SUSPEND,
        "listing",
        fields=("reason",),
        form=True,
        versioned=True,
        missing=lambda world, actor: _suspend(world, actor, uuid4()),
    ),
    Act(
        "print a case",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: printing.of_case(actor, what, {"identity": "safety"}),
        Action.CASE_PRINT,
        "case",
        "contact facts identity",
        purpose="safety",
        missing=lambda world, actor: printing.of_case(actor, NOWHERE, {}),
    ),
    Act(
        "print an accepted referral",
        "provider",
        _taken,
        lambda world, actor, what, **_: printing.of_referral(actor, what),
        Action.CASE_PRINT,
        "referral",
        "contact envelope identity",
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: printing.of_referral(actor, "R-ZZZ-ZZZ-Z"),
    ),
    Act(
        "show a masked field of a case",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **given: reveal.of_case(
            actor, what, "contact", "phone", "safety", **given
        ),
        Action.FIELD_REVEAL,
        "case",
        "contact",
        purpose="safety",
        fields=("phone",),
        form=True,
        missing=lambda world, actor: reveal.of_case(actor, NOWHERE, "contact", "phone", "safety"),
    ),
    Act(
        "show a masked field under a referral",
        "provider",
        _taken,
        lambda world, actor, what, **given: reveal.of_referral(
            actor, what, "contact", "phone", **given
        ),
        Action.FIELD_REVEAL,
        "referral",
        "contact envelope",
        fields=("phone",),
        form=True,
        strangers=("other_provider", "clinician"),
        missing=lambda world, actor: reveal.of_referral(actor, "R-ZZZ-ZZZ-Z", "contact", "phone"),
    ),
    Act(
        "list people",
        "administrator",
        _nothing,
        lambda world, actor, what, **_: people.listed(actor),
        Action.ACCOUNT_LIST,
        also=(Role.ORGANISATION_ADMINISTRATOR,),
    ),
    Act(
        "invite somebody",
        "administrator",
        lambda world: world.organisations["clinic"],
        _invite,
        Action.ACCOUNT_CREATE,
        "account",
        form=True,
    ),
    Act(
        "invite a colleague",
        "organisation_administrator",
        lambda world: world.organisations["lakes"],
        _invite,
        Action.ACCOUNT_CREATE,
        "account",
        form=True,
        also=(Role.ADMINISTRATOR,),
    ),
    Act(
        "make a new link",
        "administrator",
        lambda world: world.accounts["clinician"],
        lambda world, actor, what, **given: invitations.renew(actor, what, **given),
        Action.ACCOUNT_INVITE,
        "account",
        form=True,
        missing=lambda world, actor: invitations.renew(actor, uuid4()),
    ),
    Act(
        "disable an account",
        "administrator",
        lambda world: world.accounts["clinician"],
        lambda world, actor, what, **given: people.disable(actor, what, **given),
        Action.ACCOUNT_DISABLE,
        "account",
        purpose="left",
        form=True,
        missing=lambda world, actor: people.disable(actor, uuid4()),
    ),
    Act(
        "disable a colleague's account",
        "organisation_administrator",
        lambda world: world.accounts["provider"],
        lambda world, actor, what, **given: people.disable(actor, what, "on_leave", **given),
        Action.ACCOUNT_DISABLE,
        "account",
        purpose="on_leave",
        form=True,
        also=(Role.ADMINISTRATOR,),
    ),
    Act(
        "enable an account",
        "administrator",
        lambda world: world.accounts["clinician"],
        lambda world, actor, what, **given: people.enable(actor, what, **given),
        Action.ACCOUNT_ENABLE,
        "account",
        form=True,
        missing=lambda world, actor: people.enable(actor, uuid4()),
    ),
    Act(
        "list where one is signed in",
        "provider",
        _sitting,
        lambda world, actor, what, **_: sittings.own(actor, LIMITS),
        Action.SESSION_LIST,
        "account",
        also=HUMAN_ROLES,
    ),
    Act(
        "end a sitting of one's own",
        "provider",
        _sitting,
        lambda world, actor, what, **given: sittings.end_own(actor, what, **given),
        Action.SESSION_END,
        "account",
        form=True,
        strangers=("colleague",),
        missing=lambda world, actor: sittings.end_own(actor, uuid4()),
    ),
    Act(
        "end all other sittings of one's own",
        "provider",
        _sitting,
        lambda world, actor, what, **given: sittings.end_own_others(actor, what, **given),
        Action.SESSION_END,
        "account",
        form=True,
        also=HUMAN_ROLES,
    ),
    Act(
        "read when one signed in",
        "provider",
        _sitting,
        lambda world, actor, what, **_: sign_in_history.own(actor),
        Action.SESSION_HISTORY,
        "account",
        also=HUMAN_ROLES,
    ),
    Act(
        "choose another password",
        "provider",
        _sitting,
        _change_password,
        Action.ACCOUNT_CHANGE_PASSWORD,
        "account",
        fields=("password",),
        form=True,
        also=HUMAN_ROLES,
    ),
    Act(
        "list where somebody is signed in",
        "administrator",
        _sitting,
        lambda world, actor, what, **_: sittings.of_person(
            actor, world.accounts["provider"], LIMITS
        ),
        Action.SESSION_LIST,
        "account",
        also=(Role.ORGANISATION_ADMINISTRATOR,),
        missing=lambda world, actor: sittings.of_person(actor, uuid4(), LIMITS),
    ),
    Act(
        "end a sitting of somebody",
        "administrator",
        _sitting,
        lambda world, actor, what, **given: sittings.end_of_person(
            actor, world.accounts["provider"], what, **given
        ),
        Action.SESSION_END,
        "account",
        form=True,
        also=(Role.ORGANISATION_ADMINISTRATOR,),
        missing=lambda world, actor: sittings.end_of_person(
            actor, world.accounts["provider"], uuid4()
        ),
    ),
    Act(
        "sign somebody out everywhere",
        "administrator",
        lambda world: world.accounts["provider"],
        lambda world, actor, what, **given: sittings.end_all_of_person(actor, what, **given),
        Action.SESSION_END,
        "account",
        form=True,
        also=(Role.ORGANISATION_ADMINISTRATOR,),
        missing=lambda world, actor: sittings.end_all_of_person(actor, uuid4()),
    ),
    Act(
        "read when somebody signed in",
        "administrator",
        _sitting,
        lambda world, actor, what, **_: sign_in_history.of_person(
            actor, world.accounts["provider"]
        ),
        Action.SESSION_HISTORY,
        "account",
        also=(Role.ORGANISATION_ADMINISTRATOR,),
        missing=lambda world, actor: sign_in_history.of_person(actor, uuid4()),
    ),
    Act(
        "reset a second factor",
        "administrator",
        lambda world: world.accounts["clinician"],
        lambda world, actor, what, **given: people.reset_factors(actor, what, **given),
        Action.ACCOUNT_RESET,
        "account",
        form=True,
        missing=lambda world, actor: people.reset_factors(actor, uuid4()),
    ),
    Act(
        "change a role",
        "administrator",
        lambda world: world.accounts["second_coordinator"],
        lambda world, actor, what, **given: role_changes.change(actor, what, Role.ANALYST, **given),
        Action.ACCOUNT_ROLE,
        "account",
        purpose="analyst",
        form=True,
        missing=lambda world, actor: role_changes.change(actor, uuid4(), Role.ANALYST),
    ),
    Act(
        "create an organisation",
        "administrator",
        _nothing,
        _create_organisation,
        Action.ORGANISATION_CREATE,
        "organisation",
        form=True,
    ),
    Act(
        "change an organisation",
        "administrator",
        lambda world: world.organisations["hills"],
        _change_organisation,
        Action.ORGANISATION_CHANGE,
        "organisation",
        fields=("kind", "name"),
        form=True,
        missing=lambda world, actor: _change_organisation(world, actor, uuid4()),
    ),
    Act(
        "search the log",
        "auditor",
        worlds.flag,
        lambda world, actor, what, **_: log_search.search(
            actor, log_search.Search(case_reference=what)
        ),
        Action.AUDIT_SEARCH,
        fields=("case_reference",),
    ),
    Act(
        "take entries out of the log",
        "auditor",
        worlds.flag,
        lambda world, actor, what, **given: log_export.take_out(
            actor, log_search.Search(case_reference=what), **given
        ),
        Action.AUDIT_EXPORT,
        fields=("case_reference",),
        form=True,
        outcome=Outcome.BEGUN,
    ),
    Act(
        "read how the log stands",
        "auditor",
        _nothing,
        lambda world, actor, what, **_: log_state.read(actor),
        Action.AUDIT_SEARCH,
        purpose="state",
    ),
    Act(
        "look for signs in the log",
        "auditor",
        _nothing,
        lambda world, actor, what, **_: signs.of_week(
            actor, date(2026, 11, 16), ZoneInfo("Africa/Kigali")
        ),
        Action.AUDIT_SEARCH,
        purpose="signs",
    ),
    Act(
        "ask who has seen a file",
        "auditor",
        worlds.flag,
        lambda world, actor, what, **_: sightings.of_file(actor, what),
        Action.AUDIT_SEARCH,
        "case",
        purpose="file",
    ),
    Act(
        "ask what an account saw",
        "auditor",
        _nothing,
        lambda world, actor, what, **_: sightings.of_account(
            actor, world.accounts["provider"], LONG_AGO, LONG_AGO + timedelta(days=1)
        ),
        Action.AUDIT_SEARCH,
        "account",
        purpose="account",
        missing=lambda world, actor: sightings.of_account(actor, uuid4(), LONG_AGO, LONG_AGO),
    ),
    Act(
        "read the access history of a case",
        "coordinator",
        worlds.flag,
        lambda world, actor, what, **_: sightings.history(actor, what),
        Action.CASE_HISTORY,
        "case",
        "contact facts",
        missing=lambda world, actor: sightings.history(actor, NOWHERE),
    ),
    Act(
        "open an entry of the log",
        "auditor",
        lambda world: (
            log_search.search(world.actor("auditor"), log_search.Search()).lines[0].entry.id
        ),
        lambda world, actor, what, **_: log_search.entry(actor, what),
        Action.AUDIT_SEARCH,
        "entry",
        missing=lambda world, actor: log_search.entry(actor, uuid4()),
    ),
    Act(
        "answer a questionnaire",
        "analyst",
        _frozen,
        lambda world, actor, what, **_: questionnaires.fill(actor, "us-tip", what, world.pack.code),
        Action.STATISTICS_VIEW,
        "release",
        purpose="us-tip",
        missing=lambda world, actor: questionnaires.fill(actor, "us-tip", uuid4(), "rw"),
    ),
    Act(
        "read a release as a bulletin",
        "analyst",
        _frozen,
        _read_bulletin,
        Action.STATISTICS_VIEW,
        "release",
        purpose=" ".join(one for one in figures.listed("rw") if one != "R8a"),
        missing=lambda world, actor: _read_bulletin(world, actor, uuid4()),
    ),
    Act(
        "take a bulletin out",
        "analyst",
        _frozen,
        _take_bulletin,
        Action.STATISTICS_EXPORT,
        "release",
        purpose="pdf bulletin",
        missing=lambda world, actor: _take_bulletin(world, actor, uuid4()),
        outcome=Outcome.BEGUN,
    ),
    Act(
        "take a release of the statistics out",
        "analyst",
        _frozen,
        _take_release,
        Action.STATISTICS_EXPORT,
        "release",
        purpose="csv R3",
        missing=lambda world, actor: _take_release(world, actor, uuid4()),
        outcome=Outcome.BEGUN,
    ),
    Act(
        "take a questionnaire out",
        "analyst",
        _frozen,
        _take_questionnaire,
        Action.STATISTICS_EXPORT,
        "release",
        purpose="json us-tip",
        missing=lambda world, actor: _take_questionnaire(world, actor, uuid4()),
        outcome=Outcome.BEGUN,
    ),
    *sign_in_acts.ACTS,
]

# Reads that open nothing and are about nobody: no entry, but a permission all the same.
UNLOGGED = {
    "accounts.email_of": (
        lambda world, actor: accounts.email_of(actor),
        set(HUMAN_ROLES),
    ),
    "second_factor.own": (
        lambda world, actor: second_factor.own(actor, sign_in_acts.app_of_the_coordinator(world)),
        {Role.COORDINATOR},
    ),
    "directory.entries": (
        lambda world, actor: directory.entries(actor),
        {Role.COORDINATOR, Role.DIRECTORY_MANAGER},
    ),
    "directory.entry": (
        lambda world, actor: directory.entry(actor, world.listings["lakes"]),
        {Role.COORDINATOR, Role.DIRECTORY_MANAGER},
    ),
    "directory.approved_providers": (
        lambda world, actor: directory.approved_providers(actor, world.today),
        {Role.COORDINATOR, Role.DIRECTORY_MANAGER},
    ),
    "people.person": (
        lambda world, actor: people.person(actor, world.accounts["provider"]),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "people.subject": (
        lambda world, actor: people.subject(actor, world.accounts["provider"]),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "invitations.homes": (
        lambda world, actor: invitations.homes(actor),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "organisations.organisation": (
        lambda world, actor: organisations.organisation(actor, world.organisations["lakes"]),
        {Role.ADMINISTRATOR},
    ),
    "log_search.is_account": (
        lambda world, actor: log_search.is_account(actor, world.accounts["provider"]),
        {Role.AUDITOR},
    ),
    "sign_in_history.failed_since_last": (
        lambda world, actor: sign_in_history.failed_since_last(actor),
        set(HUMAN_ROLES),
    ),
    "sittings.kept_account": (
        lambda world, actor: sittings.kept_account(actor, world.accounts["provider"]),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "role_changes.offered": (
        lambda world, actor: role_changes.offered(actor, world.accounts["provider"]),
        {Role.ADMINISTRATOR, Role.ORGANISATION_ADMINISTRATOR},
    ),
    "log_search.account_id": (
        lambda world, actor: log_search.account_id(actor, world.email("provider")),
        {Role.AUDITOR},
    ),
    "erasure.answering": (
        lambda world, actor: erasure.answering(actor, _erasure_asked(world)[1]),
        {Role.COORDINATOR, Role.AUDITOR},
    ),
    "provision.ending": (
        lambda world, actor: provision.ending(actor, _taken(world)),
        {Role.PROVIDER},
    ),
    "absence.standing": (
        lambda world, actor: absence.standing(actor, world.pack),
        {Role.COORDINATOR},
    ),
    "questionnaires.every": (
        lambda world, actor: questionnaires.every(actor, world.pack.code),
        {Role.ANALYST},
    ),
    "referral.live_referral": (
        lambda world, actor: referral.live_referral(actor, *worlds.referred(world)),
        {Role.COORDINATOR},
    ),
}
