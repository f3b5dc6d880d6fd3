"""What an actor may do and what it can find are one rule, over random worlds and a seeded one.

Random worlds hold cases with owners and their stand-ins, with referrals in every state, with bars
on accounts and organisations, lifted and in force, and with emergency access, live and over. Their
pairs of an actor and a record are counted and printed; NRM_PROOF=1 asks ten times as many.
"""

import os
import random
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import NotFoundError
from nrm.domain.lifecycle import Assistance, Identification, ReferralState
from nrm.domain.policy import may
from nrm.domain.reference import new_case_reference, new_referral_reference
from nrm.domain.roles import GRANTS, HOUSEKEEPING, Actor, Permission, Relation, Role
from nrm.models import Account, Bar, BrokenGlass, Case, Referral
from nrm.services import provision, referral, visibility
from nrm.services.audit import record
from tests import world as worlds
from tests.world import ACCOUNTS

PROOF = bool(os.environ.get("NRM_PROOF"))
STRANGERS = 500 if PROOF else 50
WORLDS, PAIRS_OF_A_WORLD = (100, 50) if PROOF else (10, 50)
NOT_ABOUT_A_CASE = {"account", "directory", "listing", "statistics"}
# The permissions that somebody holds towards some case or referral.
ABOUT_A_CASE = sorted(
    {
        permission
        for granted in GRANTS.values()
        for permission, relations in granted.items()
        if relations - {Relation.NO_RECORD} and permission.partition(":")[0] not in NOT_ABOUT_A_CASE
    }
)
ACCESS = {"owner", "stand-in", "bar", "lifted", "on people", "on organisations", "live", "over"}


@pytest.fixture
def seeded(world):
    """Flags by two units; referrals to three organisations, in every state but expired."""
    worlds.flag(world, "other_responder")
    for by in ("provider", "other_provider", "clinician"):
        worlds.referred(world, to=ACCOUNTS[by][0])
        worlds.accepted(world, by)
    _, declined = worlds.referred(world)
    provision.decline(world.actor("colleague"), declined, "no_capacity", "", world.pack)
    case, withdrawn = worlds.referred(world, to="hills")
    referral.withdraw(world.actor("coordinator"), case, withdrawn, pack=world.pack)
    _, ended = worlds.accepted(world, by="clinician")
    provision.end(world.actor("clinician"), ended, world.pack)
    kept_from, _ = worlds.accepted(world)
    worlds.kept_out(world, kept_from, "provider")
    worlds.kept_out(world, kept_from, "second_coordinator")
    worlds.opened_in_emergency(world, ended, "clinician")
    return world


class Rule:
    """Asks the policy and the database the same question, and counts the records asked about."""

    def __init__(self, case_ids=None):
        self.pairs = self.seen = 0
        self.records = {
            Case: (visibility.visible_cases, visibility.case_standing, Case.id),
            Referral: (
                visibility.visible_referrals,
                visibility.referral_standing,
                Referral.case_id,
            ),
        }
        self.among = {
            model: column.in_(case_ids) if case_ids is not None else column.is_not(None)
            for model, (_visible, _standing, column) in self.records.items()
        }
        self.rows = {
            model: db.session.scalars(select(model).where(self.among[model])).all()
            for model in self.records
        }

    def holds_for(self, model, actor, permission):
        visible, standing, _column = self.records[model]
        query = visible(actor, permission).where(self.among[model])
        found = {record.id for record in db.session.scalars(query)}
        allowed = {
            record.id
            for record in self.rows[model]
            if may(actor, permission, standing(record)).allowed
        }
        assert found == allowed, f"{actor.role} {permission} {model.__name__}"
        self.pairs += len(self.rows[model])
        self.seen += len(found)


def strangers(world):
    """People as there are none: any role in any organisation, known or unknown, or in none."""
    return st.builds(
        Actor,
        st.sampled_from([*world.accounts.values(), None]) | st.uuids(),
        st.sampled_from([*world.organisations.values(), None]) | st.uuids(),
        st.sampled_from(Role),
    )


def test_whoever_may_sees_and_whoever_sees_may(seeded, counted):
    rule = Rule()
    people = [*map(seeded.actor, ACCOUNTS), HOUSEKEEPING]
    for asked in product((Case, Referral), people, Permission):
        rule.holds_for(*asked)

    @settings(
        max_examples=STRANGERS,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from((Case, Referral)), strangers(seeded), st.sampled_from(Permission))
    def for_strangers(model, actor, permission):
        rule.holds_for(model, actor, permission)

    for_strangers()
    counted(
        f"policy and visibility agree on {rule.pairs:,} pairs of actor, "
        f"permission and record; visible in {rule.seen:,} of them"
    )
    assert rule.pairs >= 5_000
    # Were every answer the same, agreement would say nothing.
    assert 0 < rule.seen < rule.pairs


def test_policy_and_visibility_agree_over_random_worlds(world, counted):
    """Each pair of an actor and a record is asked about every permission that can be about it."""
    chance = random.Random(20261128)
    pairs = answers = permitted = made = 0
    met = set()
    while made < WORLDS or met != ACCESS:
        # Whatever decides about access was met, however the dice fell.
        assert made < 10 * WORLDS
        made += 1
        case_ids, present = a_random_world(world, chance)
        met |= present
        rule = Rule(case_ids)
        standings = [
            (model, one, rule.records[model][1](one))
            for model in rule.rows
            for one in rule.rows[model]
        ]
        people = [*map(world.actor, ACCOUNTS), HOUSEKEEPING]
        for _pair in range(PAIRS_OF_A_WORLD):
            actor, (model, one, standing) = chance.choice(people), chance.choice(standings)
            visible = rule.records[model][0]
            for permission in ABOUT_A_CASE:
                query = visible(actor, permission).where(model.id == one.id)
                found = db.session.scalars(query).one_or_none() is not None
                allowed = may(actor, permission, standing).allowed
                assert found == allowed, f"{actor.role} {permission} {standing}"
                answers += 1
                permitted += allowed
            pairs += 1
        db.session.rollback()
    counted(
        f"{pairs:,} pairs of actor and record over {made} random worlds: "
        f"{answers:,} answers agree, {permitted:,} of them yes"
    )
    assert pairs == made * PAIRS_OF_A_WORLD
    assert 0 < permitted < answers
    assert met == ACCESS


def a_random_world(world, chance):
    """Write a few cases with everything that decides about access; returns what there is of it."""
    met = set()
    accounts, organisations = (
        sorted(world.accounts.values()),
        sorted(world.organisations.values()),
    )
    with unit_of_work() as unit:
        _let_some_be_away(unit, chance, accounts)
        case_ids = []
        for _ in range(chance.randint(3, 6)):
            case = _a_case(unit, chance, world)
            case_ids.append(case.id)
            if case.owner_id is not None:
                met.add("owner")
            for _referral in range(chance.randint(0, 3)):
                _a_referral(unit, chance, case, world)
            met |= _bars(unit, chance, case, accounts, organisations)
            met |= _glass(unit, chance, case, accounts)
        record(unit, HOUSEKEEPING, Action.CASE_LIST)
    found = db.session.scalars(select(Case).where(Case.id.in_(case_ids))).all()
    if any(case.deputy_id is not None for case in found):
        met.add("stand-in")
    db.session.rollback()
    return case_ids, met


def _let_some_be_away(unit, chance, accounts):
    for account in db.session.scalars(select(Account)):
        away = chance.random() < 0.5
        account.stand_in_id = chance.choice(accounts) if away else None
        account.away_until = unit.now + timedelta(hours=chance.choice((-2, 2))) if away else None


def _a_case(unit, chance, world):
    coordinators = [world.accounts[name] for name in ("coordinator", "second_coordinator")]
    responders = ("first_responder", "other_responder")
    flagged_by = chance.choice(responders)
    case = Case(
        id=uuid4(),
        reference=new_case_reference(),
        incident_id=uuid4(),
        identification=Identification.FLAGGED,
        assistance=Assistance.WAITING,
        urgency=1,
        due_at=unit.now,
        flagged_by_id=world.accounts[flagged_by],
        flagged_by_organisation_id=world.organisations[ACCOUNTS[flagged_by][0]],
        flagged_at=unit.now,
        owner_id=chance.choice([None, *coordinators]),
        version=1,
    )
    db.session.add(case)
    db.session.flush()
    return case


def _a_referral(unit, chance, case, world):
    db.session.add(
        Referral(
            id=uuid4(),
            reference=new_referral_reference(),
            case_id=case.id,
            organisation_id=world.organisations[chance.choice(("lakes", "hills", "clinic"))],
            state=chance.choice(list(ReferralState)),
            urgency=1,
            sent_by_id=world.accounts["coordinator"],
            sent_at=unit.now,
            answer_due_at=unit.now,
            version=1,
        )
    )


def _bars(unit, chance, case, accounts, organisations):
    met = set()
    for field, whom, kind in (
        ("account_id", accounts, "on people"),
        ("organisation_id", organisations, "on organisations"),
    ):
        for one in chance.sample(whom, chance.randint(0, 2)):
            lifted = chance.random() < 0.3
            db.session.add(
                Bar(
                    case_id=case.id,
                    reason="other",
                    placed_by_id=accounts[0],
                    placed_at=unit.now,
                    lifted_at=unit.now if lifted else None,
                    **{field: one},
                )
            )
            met |= {kind, "lifted" if lifted else "bar"}
    return met


def _glass(unit, chance, case, accounts):
    met = set()
    for one in chance.sample(accounts, chance.randint(0, 4)):
        minutes = chance.choice((-1, 30))
        db.session.add(
            BrokenGlass(
                case_id=case.id,
                account_id=one,
                reason="other",
                broken_at=unit.now - timedelta(minutes=61 if minutes < 0 else 30),
                expires_at=datetime.now(UTC) + timedelta(minutes=minutes),
                review_due_at=unit.now,
                verdict="",
            )
        )
        met.add("live" if minutes > 0 else "over")
    return met


def test_a_record_that_one_may_not_see_is_as_absent_as_one_that_never_was(seeded):
    """A reference is found exactly where the rule says so, and what is hidden stays unnamed."""
    cases = db.session.scalars(select(Case)).all()
    sent = db.session.scalars(select(Referral)).all()
    assert {one.state for one in sent} == set(ReferralState) - {ReferralState.EXPIRED}
    for name in ACCOUNTS:
        actor = seeded.actor(name)
        for permission in (Permission.CASE_VIEW, Permission.FLAG_VIEW, Permission.GLASS_BREAK):
            for one in cases:
                allowed = may(actor, permission, visibility.case_standing(one)).allowed
                with expected(allowed=allowed):
                    visibility.case(actor, one.reference, permission)
        for one in sent:
            standing = visibility.referral_standing(one)
            with expected(allowed=may(actor, Permission.REFERRAL_VIEW, standing).allowed):
                visibility.referral(actor, one.reference)


def expected(*, allowed):
    return nullcontext() if allowed else pytest.raises(NotFoundError, match="not found")
