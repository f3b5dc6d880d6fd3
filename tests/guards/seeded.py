"""A mechanism with a record in every state, for the guards that walk through all of it."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.approval import ApprovalKind
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.models import AuditEntry, Bar, BrokenGlass, Case, Departure, Notice, Referral, SecondFactor
from nrm.services import (
    directory,
    erasure,
    follow_up,
    hand_over,
    invitations,
    organisations,
    ownership,
    people,
    provision,
    referral,
)
from nrm.services.accounts import NewAccount
from nrm.services.audit import record
from tests import releases
from tests import world as worlds
from tests.ledger import Ledger, state
from tests.services import two_people

# Grows with the log wherever a file leaves: that it began, and whether it ended.
NOTED = {Departure.__tablename__}


@dataclass
class Mechanism:
    """The world, and its records by the name of their state."""

    world: worlds.World
    # References of cases that the first responder flagged.
    cases: dict[str, str] = field(default_factory=dict)
    # Referrals to the provider's organisation: the case's reference and the referral's.
    referrals: dict[str, tuple[str, str]] = field(default_factory=dict)
    # Another responder's case, and another organisation's referral.
    foreign_case: str = ""
    foreign_referral: tuple[str, str] = ("", "")
    # Documents: the case's reference and the document's id.
    documents: dict[str, tuple[str, UUID]] = field(default_factory=dict)
    drafts: dict[str, UUID] = field(default_factory=dict)
    foreign_draft: UUID | None = None
    # Drafts of a colleague of the first responder, who has gone.
    left_drafts: dict[str, UUID] = field(default_factory=dict)
    # Offers by the coordinator, in every state, and one between others.
    hand_overs: dict[str, UUID] = field(default_factory=dict)
    foreign_hand_over: UUID | None = None
    listings: dict[str, UUID] = field(default_factory=dict)
    accounts: dict[str, UUID] = field(default_factory=dict)
    # Links of people who were invited and have not come yet.
    links: dict[str, str] = field(default_factory=dict)
    entries: dict[str, UUID] = field(default_factory=dict)
    # Requests for approval that wait, by what is asked for.
    approvals: dict[str, UUID] = field(default_factory=dict)
    # Of the account that is active: at a browser that nobody has open any more.
    sittings: dict[str, UUID] = field(default_factory=dict)
    # The app of each account.
    factors: dict[str, UUID] = field(default_factory=dict)
    # Requests to erase, each by the second coordinator, in every state.
    erasures: dict[str, UUID] = field(default_factory=dict)
    # Cases of the first responder, and referrals to the provider's organisation, to which somebody
    # stands in a way of their own: barred, looking after it, with its glass broken.
    related_cases: dict[str, str] = field(default_factory=dict)
    related_referrals: dict[str, tuple[str, str]] = field(default_factory=dict)
    # Bars: the case's reference and the bar's id; and openings in an emergency, by who did it.
    bars: dict[str, tuple[str, UUID]] = field(default_factory=dict)
    glasses: dict[str, UUID] = field(default_factory=dict)
    # The notices that the openings made, by who was told.
    notices: dict[str, UUID] = field(default_factory=dict)
    # Releases of the statistics that have figures: one that is frozen, and one that waits.
    releases: dict[str, UUID] = field(default_factory=dict)

    @property
    def app(self):
        return self.world.app


def build(world):
    made = Mechanism(world)
    with world.entered():
        _add_cases(made)
        _add_lost_referrals(made)
        _add_closed(made)
        _add_erasures(made)
        _add_approvals(made)
        _add_others_work(made)
        _add_relations(made)
        _add_access(made)
        _add_hand_overs(made)
        _add_listings(made)
        _add_accounts(made)
        _add_entries(made)
        _add_factors(made)
        _add_releases(made)
    return made


def _add_cases(made):
    world, cases = made.world, made.cases
    cases["flagged"] = worlds.flag(world)
    cases["linked"] = worlds.flag(world, same_place_as=cases["flagged"])
    cases["urgent"] = worlds.flag(world, risk={"immediate_risk": "danger_now"})
    cases["presumed"] = worlds.presumed(world)
    cases["needs recorded"] = worlds.consented(world)
    made.referrals["sent"] = worlds.referred(world)
    made.referrals["accepted"] = worlds.accepted(world)
    made.referrals["served"] = worlds.served(world)
    made.drafts["begun"] = worlds.draft(world)
    for name, case in (("of a new case", "sent"), ("of one that is helped", "served")):
        reference = made.referrals[case][0]
        made.documents[name] = reference, worlds.attach(world, reference)


def _add_lost_referrals(made):
    world, provider = made.world, made.world.actor("provider")
    case, sent = made.referrals["declined"] = worlds.referred(world)
    provision.decline(provider, sent, "no_capacity", "No bed.", world.pack)
    case, sent = made.referrals["withdrawn"] = worlds.referred(world)
    referral.withdraw(world.actor("coordinator"), case, sent, pack=world.pack)
    _, sent = made.referrals["ended"] = worlds.served(world)
    provision.end(provider, sent, world.pack)
    _, sent = made.referrals["expired"] = worlds.referred(world)
    with unit_of_work() as unit:
        late = db.session.scalars(select(Referral).where(Referral.reference == sent)).one()
        late.answer_due_at = unit.now - timedelta(minutes=1)
        record(unit, HOUSEKEEPING, Action.REFERRAL_SEND)
    assert provision.expire(world.pack) == 1


def _add_closed(made):
    made.referrals["closed with its case"] = worlds.served(made.world)
    made.cases["closed early"] = worlds.flag(made.world)
    made.cases.update((name, case) for name, (case, _) in made.referrals.items())
    for name in ("closed with its case", "closed early"):
        follow_up.close(
            made.world.actor("coordinator"),
            made.cases[name],
            "plan_completed",
            "Practice words.",
            version=worlds.version(made.world, made.cases[name]),
            pack=made.world.pack,
        )


def _add_erasures(made):
    world, kept = made.world, made.app.config["NRM"]
    for name in ("asked", "taken_back", "refused", "done"):
        reference, _ = worlds.closed(world)
        made.erasures[name] = erasure.ask(world.actor("second_coordinator"), reference, "duplicate")
    erasure.take_back(world.actor("second_coordinator"), made.erasures["taken_back"])
    erasure.refuse(world.actor("auditor"), made.erasures["refused"])
    erasure.carry_out(world.actor("auditor"), made.erasures["done"], reference, kept)


def _add_approvals(made):
    """Ask for two files to be made one, and for a new role: each is shown to other roles."""
    by = "organisation_administrator"
    made.approvals["merge"] = two_people.asked(made.world, ApprovalKind.CASE_MERGE)
    made.approvals["role"] = two_people.asked(made.world, ApprovalKind.ROLE_CHANGE, by)


def _add_factors(made):
    names = {account: name for name, account in made.world.accounts.items()}
    for factor in db.session.scalars(select(SecondFactor)):
        made.factors[names[factor.account_id]] = factor.id
    db.session.rollback()


def _add_others_work(made):
    made.foreign_case = worlds.flag(made.world, "other_responder")
    made.foreign_draft = worlds.draft(made.world, "other_responder")
    made.foreign_referral = worlds.accepted(made.world, "other_provider")


def _add_relations(made):
    """Write each relation as its own row, because only the policy's answer to it is looked at."""
    world, cases, referrals = made.world, made.related_cases, made.related_referrals
    for name in ("first_responder", "coordinator", "second_coordinator"):
        cases[f"barred to the {name}"] = worlds.flag(world)
        _relate(world, cases[f"barred to the {name}"], bar=name)
        cases[f"opened in an emergency by the {name}"] = worlds.flag(world)
        _relate(world, cases[f"opened in an emergency by the {name}"], glass=name)
    for name in ("coordinator", "second_coordinator"):
        cases[f"looked after by the {name}"] = worlds.presumed(world)
        _relate(world, cases[f"looked after by the {name}"], owner=name)
    both = "opened in an emergency by the coordinator, who is barred"
    cases[both] = worlds.flag(world)
    _relate(world, cases[both], bar="coordinator", glass="coordinator", owner="coordinator")
    for name, ways in {
        "barred to the provider": {"bar": "provider"},
        "barred to the shelter": {"barred_organisation": "lakes"},
        "opened in an emergency by the provider": {"glass": "provider"},
    }.items():
        referrals[name] = worlds.accepted(world)
        _relate(world, referrals[name][0], **ways)


def _relate(world, reference, *, bar=None, barred_organisation=None, glass=None, owner=None):
    with unit_of_work() as unit:
        case = db.session.scalars(select(Case).where(Case.reference == reference)).one()
        whom = {
            "account_id": world.accounts.get(bar),
            "organisation_id": world.organisations.get(barred_organisation),
        }
        if any(whom.values()):
            row = Bar(
                id=uuid4(),
                case_id=case.id,
                reason="practice",
                placed_by_id=world.accounts["second_coordinator"],
                placed_at=unit.now,
                **whom,
            )
            db.session.add(row)
        if glass:
            row = BrokenGlass(
                id=uuid4(),
                case_id=case.id,
                account_id=world.accounts[glass],
                reason="practice",
                broken_at=unit.now,
                # As long as a run may take: how soon it closes is looked at elsewhere.
                expires_at=unit.now + timedelta(days=1),
                review_due_at=unit.now + timedelta(days=3),
            )
            db.session.add(row)
        if owner:
            case.owner_id = world.accounts[owner]
        record(unit, HOUSEKEEPING, Action.CASE_FLAG)


def _add_access(made):
    """Keep people out of cases of their own, and let three open one in an emergency."""
    world = made.world
    for name in ("second_coordinator", "hills"):
        reference = worlds.flag(world, "other_responder")
        made.bars[name] = reference, worlds.kept_out(world, reference, name)
    lifted = made.bars["hills"]
    worlds.let_in(world, *lifted)
    case, sent = worlds.accepted(world, "other_provider")
    made.glasses["coordinator"] = worlds.opened_in_emergency(world, case, "second_coordinator")
    made.glasses["provider"] = worlds.opened_in_emergency(world, sent, "other_provider")
    own = worlds.flag(world, "other_responder")
    made.glasses["responder"] = worlds.opened_in_emergency(world, own, "other_responder")
    for who, account_id in world.accounts.items():
        told = db.session.scalars(select(Notice.id).where(Notice.account_id == account_id)).first()
        if told is not None:
            made.notices[who] = told


def _add_hand_overs(made):
    world = made.world
    mine, theirs = world.actor("coordinator"), world.actor("other_coordinator")
    for name in ("offered", "taken", "not taken", "retracted"):
        made.cases[name], made.hand_overs[name] = worlds.offered(world)
    hand_over.take_over(theirs, made.hand_overs["taken"])
    hand_over.not_take_over(theirs, made.hand_overs["not taken"])
    hand_over.retract(mine, made.hand_overs["retracted"])
    foreign = worlds.flag(world, "other_responder")
    ownership.take(theirs, foreign)
    to = world.accounts["second_coordinator"]
    made.foreign_hand_over = hand_over.offer(theirs, foreign, to, "")
    made.left_drafts["begun"] = worlds.left_draft(world, "second_responder")


def _add_listings(made):
    world = made.world
    administrator, manager = world.actor("administrator"), world.actor("directory_manager")
    for name in ("Practice Shelter of Trees", "Practice Shelter of Birds"):
        accounts_of = organisations.create(administrator, name, "shelter", "11", is_provider=True)
        new = directory.NewListing(accounts_of, (worlds.SERVICE,), ("female",), ("kin",), "11", 4)
        made.listings[name] = directory.submit(manager, new, world.pack)
    suspended = made.listings["Practice Shelter of Birds"]
    until = world.today + timedelta(days=30)
    directory.approve(world.actor("second_manager"), suspended, until, version=1, pack=world.pack)
    directory.suspend(manager, suspended, "Practice reason.", version=2)
    made.listings["approved"] = world.listings["lakes"]


def _add_accounts(made):
    world = made.world
    made.accounts["active"] = world.accounts["provider"]
    opened = worlds.sitting(world, "provider")
    made.sittings["active"] = opened.id
    made.accounts["own"] = world.accounts["administrator"]
    made.accounts["disabled"] = world.accounts["colleague"]
    people.disable(world.actor("administrator"), made.accounts["disabled"])
    new = NewAccount(
        "Practice Guest", "guest@practice.example", world.organisations["lakes"], Role.PROVIDER
    )
    invited = invitations.invite(world.actor("organisation_administrator"), new)
    made.accounts["invited"] = invited.account_id
    made.links["not used yet"] = invited.link.token


def _add_releases(made):
    """Count people of a year that is over, and freeze one of two releases."""
    settings = made.app.config["NRM"]
    releases.flagged(60)
    made.releases["frozen"] = releases.frozen(made.world, settings)
    made.releases["draft"] = releases.counted(made.world, settings, "2025")


def _add_entries(made):
    """One entry of each kind that the log holds so far."""
    for entry_id, action in db.session.execute(select(AuditEntry.id, AuditEntry.action)):
        made.entries.setdefault(action, entry_id)
    db.session.rollback()


@contextmanager
def unchanged(app):
    """Assert that no row of the mechanism changes while its pages are used.

    Each page must stand alone: an application context held around them would lend them one user.
    """
    with app.app_context():
        before = state()
    yield
    with app.app_context():
        after = state()
    changed = [name for name, rows in before.items() if rows != after[name] and name not in NOTED]
    assert not changed, f"changed: {', '.join(changed)}"


@contextmanager
def logged(app):
    """Give the entries of the log that were written meanwhile, in a list that is filled after."""
    entries = []
    with app.app_context():
        ledger = Ledger()
    yield entries
    with app.app_context():
        entries.extend(ledger.entries())
