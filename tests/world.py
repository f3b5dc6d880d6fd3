"""A small mechanism to test in: organisations, one account per role or two, approved providers.

Everything in it was made through the services, as an installation would make it. Its helpers act
through the services too, each as the person whose work it is, and return references.
"""

import contextlib
import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Flask, has_app_context
from sqlalchemy import select

from nrm import country
from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import db, unit_of_work
from nrm.domain.consent import Answer, GivenBy, may_receive
from nrm.domain.roles import HOUSEKEEPING, Actor, Role
from nrm.models import BrokenGlass, Case, SealedDocument
from nrm.security.second_factor import code_at, step_of
from nrm.services import (
    accounts,
    bars,
    consent,
    directory,
    documents,
    follow_up,
    glass,
    hand_over,
    identification,
    organisations,
    people,
    provision,
    referral,
    second_factor,
    sessions,
)
from nrm.services import sign_in as signing_in
from nrm.services.audit import record
from nrm.services.document_files import Incoming

DAY = timedelta(days=1)
# From which everybody's codes are made.
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "seven-quiet-herons"

# Name, kind, district, whether it gives services.
ORGANISATIONS = {
    "police": ("Practice Police Unit", "police", "11", False),
    "border": ("Practice Border Post", "border", "55", False),
    "coordination": ("Practice Coordination Unit", "ministry", "11", False),
    "northern": ("Practice Coordination Unit of the North", "ministry", "41", False),
    "ministry": ("Practice Ministry Office", "ministry", "11", False),
    "lakes": ("Practice Shelter of the Lakes", "shelter", "33", True),
    "hills": ("Practice Shelter of the Hills", "shelter", "11", True),
    "clinic": ("Practice Hill Clinic", "health_facility", "43", True),
}

# Who works where, in which role. Two of a role stand where one must not know of the other.
ACCOUNTS = {
    "first_responder": ("police", Role.FIRST_RESPONDER),
    "second_responder": ("police", Role.FIRST_RESPONDER),
    "other_responder": ("border", Role.FIRST_RESPONDER),
    "coordinator": ("coordination", Role.COORDINATOR),
    "second_coordinator": ("coordination", Role.COORDINATOR),
    "other_coordinator": ("northern", Role.COORDINATOR),
    "decision_maker": ("coordination", Role.DECISION_MAKER),
    "provider": ("lakes", Role.PROVIDER),
    "colleague": ("lakes", Role.PROVIDER),
    "other_provider": ("hills", Role.PROVIDER),
    "clinician": ("clinic", Role.PROVIDER),
    "directory_manager": ("ministry", Role.DIRECTORY_MANAGER),
    "second_manager": ("ministry", Role.DIRECTORY_MANAGER),
    "analyst": ("ministry", Role.ANALYST),
    "second_analyst": ("ministry", Role.ANALYST),
    "auditor": ("ministry", Role.AUDITOR),
    "administrator": ("ministry", Role.ADMINISTRATOR),
    "organisation_administrator": ("lakes", Role.ORGANISATION_ADMINISTRATOR),
}

# One account for each role that a person can hold.
ONE_PER_ROLE = {role: name for name, (_, role) in reversed(ACCOUNTS.items())}

# Approved providers: what they offer.
LISTINGS = {
    "lakes": ("emergency_shelter", "psychosocial_counselling"),
    "hills": ("emergency_shelter",),
    "clinic": ("medical_emergency", "medical_examination"),
}

SERVICE = "emergency_shelter"
# The least that is a PDF.
PDF = b"%PDF-1.4\n1 0 obj\n(Practice)\nendobj\n%%EOF\n"

# One distinct value for every sensitive field of the main job, here once and nowhere else, so that
# wherever one is found outside its seal it tells which field leaked.
CANARIES = {
    "given_name": "Kanariyambere",
    "family_name": "Kanariyakabiri",
    "other_names": "Kanariyagatatu",
    "birth_date": "1987-03-19",
    "id_number": "1198770048151623",
    "contact_phone": "+250788481516",
    "contact_words": "ring twice before kanarisix",
    "code_word": "kanariseven",
    "account": "a door bolted by kanarieight",
    "place_words": "behind the mill of kanarinine",
    "found_on": "2026-02-13",
    "health_words": "a wound like kanariten",
    "station_reference": "OB-kanarieleven",
    "second_given_name": "Kanaritwelve",
    "second_family_name": "Kanarithirteen",
    "second_other_names": "Kanarifourteen",
    "second_id_number": "1199380023424815",
    "second_contact_phone": "+250788162342",
    "second_contact_words": "ask for kanarififteen",
    "second_code_word": "kanarisixteen",
    "second_account": "papers burnt by kanariseventeen",
    "second_place_words": "under the bridge of kanarieighteen",
    "second_health_words": "a fever like kanarinineteen",
    "second_station_reference": "OB-kanaritwenty",
    "draft_given_name": "Kanaritwentyone",
    "draft_account": "never sent by kanaritwentytwo",
    "presumption_words": "grounds seen by kanaritwentythree",
    "second_presumption_words": "grounds heard by kanaritwentyfour",
    "interpreter": "Kanaritwentyfive the interpreter",
    "exception_reason": "the law allows kanaritwentysix",
    "safety": "never call kanaritwentyseven",
    "arrangements": "meet at kanaritwentyeight",
    "second_safety": "avoid the road of kanaritwentynine",
    "second_arrangements": "come by the bus of kanarithirty",
    "decline_words": "no bed beside kanarithirtyone",
    "service_words": "a night in room kanarithirtytwo",
    "second_service_words": "a meal with kanarithirtythree",
    "closure_words": "went home to kanarithirtyfour",
    "second_closure_words": "moved on with kanarithirtyfive",
    "mistyped_phone": "0788 kanarithirtysix",
    "bar_words": "his cousin drives for kanarithirtyseven",
    "lift_words": "cleared by kanarithirtyeight",
    "glass_words": "at the door stands kanarithirtynine",
    "review_words": "asked the ward of kanariforty",
    "hand_over_words": "she trusts only kanarifortyone",
}


def pages(**changed):
    """Give a complete flag's answers by page; `changed` replaces answers page by page."""
    answers = {
        "report": {"source": "police", "district": "11", "station_reference": "OB-1"},
        "place": {"place": "street", "sector": "Gitega", "found_on": "2026-01-12"},
        "person": {
            "given_name": "Practice",
            "family_name": "Person",
            "age_band": "18_24",
            "sex": "female",
            "citizenship": "BI",
            "languages": ["run", "swa"],
        },
        "signs": {"indicators": ["cannot_leave", "papers_kept"], "account": "A practice account."},
        "risk": {
            "immediate_risk": "none",
            "needs": ["emergency_shelter"],
            "health_words": "A practice note.",
        },
        "contact": {"method": "phone", "phone": "+250788000000", "words": "In the morning."},
        "consent": {"consent_asked": "yes", "agrees": "yes"},
    }
    return {page: {**given, **changed.get(page, {})} for page, given in answers.items()}


@dataclass
class World:
    """The application with its people in it."""

    app: Flask
    pack: CountryPack
    organisations: dict[str, UUID] = field(default_factory=dict)
    accounts: dict[str, UUID] = field(default_factory=dict)
    listings: dict[str, UUID] = field(default_factory=dict)

    def actor(self, name):
        """Give someone as the services know them."""
        organisation, role = ACCOUNTS[name]
        return Actor(self.accounts[name], self.organisations[organisation], role, "f" * 64)

    def email(self, name):
        """Give someone's e-mail address."""
        return f"{name.replace('_', '.')}@practice.example"

    def organisation_name(self, name):
        return ORGANISATIONS[name][0]

    def person_name(self, name):
        return f"Practice {name.replace('_', ' ').title()}"

    @property
    def today(self):
        """Give the day in the country, as the services see it."""
        return datetime.now(UTC).astimezone(self.pack.zone).date()

    @contextlib.contextmanager
    def entered(self):
        """Be inside the application, unless one is already."""
        if has_app_context():
            yield
        else:
            with self.app.app_context():
                yield


def in_world(act):
    """Let a helper be called from a test of the pages, which stands outside the application."""

    @functools.wraps(act)
    def entering(world, *args, **kwargs):
        with world.entered():
            return act(world, *args, **kwargs)

    return entering


def build(app):
    """Fill an empty installation."""
    world = World(app, country.load("rw"))
    with world.entered():
        _add_people(world)
        for name in LISTINGS:
            _list_provider(world, name)
    return world


def _add_people(world):
    with unit_of_work() as unit:
        for name, (title, kind, district, is_provider) in ORGANISATIONS.items():
            made = organisations.add_organisation(
                unit, title, kind, district, is_provider=is_provider
            )
            world.organisations[name] = made.id
        for name, (organisation, role) in ACCOUNTS.items():
            new = accounts.NewAccount(
                world.person_name(name),
                world.email(name),
                world.organisations[organisation],
                role,
                PASSWORD,
            )
            world.accounts[name] = accounts.add_account(unit, new).id
            second_factor.add_app(unit, world.accounts[name], SEED)
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


def _list_provider(world, name):
    new = directory.NewListing(
        world.organisations[name],
        LISTINGS[name],
        ("female", "male"),
        ("kin", "run"),
        ORGANISATIONS[name][2],
        12,
    )
    listing = directory.submit(world.actor("directory_manager"), new, world.pack)
    world.listings[name] = listing
    until = world.today + timedelta(days=365)
    directory.approve(world.actor("second_manager"), listing, until, version=1, pack=world.pack)


@in_world
def draft(world, by="first_responder", *, same_place_as=None, **changed):
    """Write a flag and leave it unsent; `changed` replaces answers page by page."""
    actor = world.actor(by)
    identifier = identification.start_draft(actor, same_place_as=same_place_as)
    for page, answers in pages(**changed).items():
        identification.save_page(actor, identifier, page, answers)
    return identifier


@in_world
def flag(world, by="first_responder", *, same_place_as=None, **changed):
    """Flag a person: the case's reference."""
    written = draft(world, by, same_place_as=same_place_as, **changed)
    return identification.send_flag(world.actor(by), written, world.pack)


@in_world
def presumed(world, words="Practice grounds.", **changed):
    """Flag and presume: the case's reference."""
    reference = flag(world, **changed)
    identification.presume(
        world.actor("coordinator"),
        reference,
        basis=["indicators"],
        words=words,
        version=version(world, reference),
        pack=world.pack,
    )
    return reference


@in_world
def incoming(world, content):
    """Receive a file as the upload of a form does."""
    file = Incoming(world.app.config["NRM"].documents)
    file.write(content)
    return file


@in_world
def attach(world, reference, compartment="health", title="Practice paper", content=PDF):
    """Add a document to a case: its id."""
    new = documents.NewDocument(compartment, title, "paper.pdf", incoming(world, content))
    documents.add(world.actor("coordinator"), reference, new)
    # As the end of a request does.
    new.file.discard()
    newest = select(SealedDocument.row_id).order_by(SealedDocument.added_at.desc()).limit(1)
    found = db.session.scalar(newest)
    db.session.rollback()
    return found


@in_world
def agree(world, reference, to="lakes", compartments=("identity", "contact"), **how):
    """Record that the person agrees to share these compartments with one provider."""
    answer = how.pop("answer", Answer.GRANTED)
    expires_at = how.pop("expires_at", None)
    consent.record(
        world.actor("coordinator"),
        reference,
        [
            consent.NewAnswer(
                "share_with_provider",
                answer,
                world.organisations[to],
                frozenset(compartments),
                expires_at,
            )
        ],
        consent.How("oral", "run", GivenBy.PERSON, **how),
        pack=world.pack,
    )


@in_world
def consented(world, to="lakes", compartments=("identity", "contact"), **changed):
    """Flag, presume, record needs and consent: the case's reference."""
    reference = presumed(world, **changed)
    referral.record_needs(
        world.actor("coordinator"),
        reference,
        [SERVICE, "medical_emergency"],
        version=version(world, reference),
        pack=world.pack,
    )
    agree(world, reference, to, compartments)
    return reference


@in_world
def refer(world, reference, to="lakes", service=None, **words):
    """Send a referral of a consented case: the referral's reference."""
    return referral.send(
        world.actor("coordinator"),
        reference,
        service or LISTINGS[to][0],
        world.organisations[to],
        referral.Words(**words),
        version=version(world, reference),
        pack=world.pack,
    )


def service_for(to, compartments):
    """Choose a service of a provider for which it may be told what was agreed to."""
    fitting = [one for one in LISTINGS[to] if set(compartments) <= may_receive([one])]
    return (fitting or LISTINGS[to])[0]


@in_world
def referred(world, to="lakes", compartments=("identity", "contact"), **changed):
    """Everything up to a referral that waits: (case reference, referral reference)."""
    reference = consented(world, to, compartments, **changed)
    return reference, refer(world, reference, to, service_for(to, compartments))


@in_world
def accepted(world, by="provider", compartments=("identity", "contact"), **changed):
    """Everything up to an accepted referral: (case reference, referral reference)."""
    to = ACCOUNTS[by][0]
    reference, sent = referred(world, to, compartments, **changed)
    provision.accept(world.actor(by), sent, world.pack)
    return reference, sent


@in_world
def served(world, by="provider", words="A practice note.", **changed):
    """Everything up to one service given: (case reference, referral reference)."""
    reference, sent = accepted(world, by, **changed)
    new = provision.NewService(SERVICE, "given", world.today, words)
    provision.record_service(world.actor(by), sent, new, world.pack)
    return reference, sent


@in_world
def closed(world, words="A practice note.", **changed):
    """Everything up to a case that is closed: (case reference, referral reference)."""
    reference, sent = served(world, **changed)
    follow_up.close(
        world.actor("coordinator"),
        reference,
        "plan_completed",
        words,
        version=version(world, reference),
        pack=world.pack,
    )
    return reference, sent


@in_world
def offered(world, words="A practice note.", **changed):
    """Everything up to a case that is offered to another unit: (case reference, the offer)."""
    reference = presumed(world, **changed)
    to = world.accounts["other_coordinator"]
    return reference, hand_over.offer(world.actor("coordinator"), reference, to, words)


@in_world
def left_draft(world, by="first_responder", **changed):
    """Write a flag, and let its writer leave before it is sent: the draft's id."""
    written = draft(world, by, **changed)
    people.disable(world.actor("administrator"), world.accounts[by])
    return written


@in_world
def version(world, reference):  # noqa: ARG001 - `in_world` enters it
    """Give the version of a case that a page would show now; looking leaves no entry."""
    found = db.session.scalar(select(Case.version).where(Case.reference == reference))
    db.session.rollback()
    return found


@in_world
def kept_out(world, reference, who, by="coordinator"):
    """Keep an account, or an organisation, out of a case; returns the bar's id."""
    whom = (
        bars.Whom(account_id=world.accounts[who])
        if who in world.accounts
        else bars.Whom(organisation_id=world.organisations[who])
    )
    return bars.place(
        world.actor(by), reference, whom, "suspected_complicity", CANARIES["bar_words"],
        pack=world.pack,
    )  # fmt: skip


@in_world
def let_in(world, reference, bar_id, by="coordinator"):
    """Lift a bar."""
    words = CANARIES["lift_words"]
    bars.lift(world.actor(by), reference, bar_id, "suspicion_cleared", words)


@in_world
def opened_in_emergency(world, reference, by="coordinator"):
    """Open a case, or a referral for a provider, in an emergency; returns its id."""
    give = glass.break_referral if ACCOUNTS[by][1] is Role.PROVIDER else glass.break_case
    give(world.actor(by), reference, "danger_to_life", CANARIES["glass_words"])
    newest = select(BrokenGlass.id).where(BrokenGlass.account_id == world.accounts[by])
    return db.session.scalars(newest.order_by(BrokenGlass.broken_at.desc())).first()


@in_world
def another_administrator(world):
    """Make a second administrator, as the console does."""
    with unit_of_work() as unit:
        home = world.organisations["ministry"]
        new = accounts.NewAccount(
            "Practice Second", "second@practice.example", home, Role.ADMINISTRATOR, PASSWORD
        )
        account = accounts.add_account(unit, new)
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE)
        return Actor(account.id, home, Role.ADMINISTRATOR, "e" * 64)


def sign_in(page, email, password=PASSWORD, seed=SEED):
    """Sign in through both forms, as a person would."""
    page.post("/sign-in", {"email": email, "password": password})
    assert page.response.headers["Location"] == "/sign-in/code", f"{email} has another password"
    page.post("/sign-in/code", {"code": fresh_code(page.client.application, email, seed)})
    assert page.response.headers["Location"] == "/", f"{email} could not sign in"
    return page


def enter(page, world, name):
    """Let somebody be signed in, by the services: the two forms have tests of their own."""
    page.client.set_cookie("nrm", sitting(world, name).token)
    return page


def sign_in_first(page, email, password=PASSWORD):
    """Sign in for the first time: the telephone is set up from the key on the page; its seed."""
    page.post("/sign-in", {"email": email, "password": password})
    page.follow(status=303)
    seed = page.follow().find(id="seed").get_text().replace(" ", "")
    code = code_at(seed, step_of(datetime.now(UTC)))
    page.post("/sign-in/set-up", {"code": code})
    page.follow()
    return seed


@in_world
def sitting(world, name, old=None, address="192.0.2.1"):
    """Open a sitting through the services; None where the password is not taken."""
    email = world.email(name)
    opened = signing_in.password(email, PASSWORD, address, old)
    if opened is None:
        return None
    data = sessions.resume(opened.token, sessions.Limits(DAY, DAY)).data
    shown = second_factor.Code(fresh_code(world.app, email))
    return signing_in.second(data, shown, address, opened.id).opened


@in_world
def knock(world, name, password, address="192.0.2.1"):
    """Type a password at the door; None where it is not taken."""
    return signing_in.password(world.email(name), password, address, None)


def fresh_code(app, email, seed=SEED):
    """Give a code that an account can use now, however often it has signed in this minute."""
    with app.app_context():
        forget_used_codes(email)
    return code_at(seed, step_of(datetime.now(UTC)))


def forget_used_codes(email):
    """Let the code of this moment be used once more: a test signs in faster than a person.

    Past the session, because nothing that the program does could do it.
    """
    mark = "?" if db.engine.dialect.name == "sqlite" else "%s"
    connection = db.engine.raw_connection()
    try:
        connection.cursor().execute(
            "UPDATE second_factor SET used_step = NULL WHERE used_step IS NOT NULL AND account_id"
            f" = (SELECT id FROM account WHERE email = {mark})",
            (email,),
        )
        connection.commit()
    finally:
        connection.close()
