"""What an actor may do and what it can find are one rule, counted over a seeded mechanism.

`test_policy.py` asks the same of its own world by chance. Here everyone there is asks for every
permission towards every record, strangers ask by chance, and the pairs are counted and printed;
NRM_PROOF=1 lets ten times as many strangers ask.
"""

import os
import sys
from contextlib import nullcontext
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from nrm.db import db
from nrm.domain.errors import NotFoundError
from nrm.domain.lifecycle import ReferralState
from nrm.domain.policy import may
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission, Role
from nrm.models import Case, Referral
from nrm.services import provision, referral, visibility
from tests import world as worlds
from tests.world import ACCOUNTS

STRANGERS = 500 if os.environ.get("NRM_PROOF") else 50


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
    return world


class Rule:
    """Asks the policy and the database the same question, and counts the records asked about."""

    def __init__(self):
        self.pairs = self.seen = 0
        self.records = {
            Case: (visibility.visible_cases, visibility.case_standing),
            Referral: (visibility.visible_referrals, visibility.referral_standing),
        }
        self.rows = {model: db.session.scalars(select(model)).all() for model in self.records}

    def holds_for(self, model, actor, permission):
        visible, standing = self.records[model]
        found = {record.id for record in db.session.scalars(visible(actor, permission))}
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


def test_whoever_may_sees_and_whoever_sees_may(seeded, capsys):
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
    with capsys.disabled():
        sys.stdout.write(f"\n  policy and visibility agree on {rule.pairs:,} pairs of actor, ")
        sys.stdout.write(f"permission and record; visible in {rule.seen:,} of them\n")
    assert rule.pairs >= 5_000
    # Were every answer the same, agreement would say nothing.
    assert 0 < rule.seen < rule.pairs


def test_a_record_that_one_may_not_see_is_as_absent_as_one_that_never_was(seeded):
    """A reference is found exactly where the rule says so, and what is hidden stays unnamed."""
    cases = db.session.scalars(select(Case)).all()
    sent = db.session.scalars(select(Referral)).all()
    assert {record.state for record in sent} == set(ReferralState) - {ReferralState.EXPIRED}
    for name in ACCOUNTS:
        actor = seeded.actor(name)
        for permission in (Permission.CASE_VIEW, Permission.FLAG_VIEW):
            for record in cases:
                allowed = may(actor, permission, visibility.case_standing(record)).allowed
                with expected(allowed=allowed):
                    visibility.case(actor, record.reference, permission)
        for record in sent:
            standing = visibility.referral_standing(record)
            with expected(allowed=may(actor, Permission.REFERRAL_VIEW, standing).allowed):
                visibility.referral(actor, record.reference)


def expected(*, allowed):
    return nullcontext() if allowed else pytest.raises(NotFoundError, match="not found")
