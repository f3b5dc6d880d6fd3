"""The rows that somebody sees are exactly those towards which the policy lets them act."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from nrm.db import db
from nrm.domain.policy import may
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission, Role
from nrm.models import Case, Referral
from nrm.services import follow_up, provision, referral, visibility
from tests import world as worlds
from tests.world import ACCOUNTS

# What is asked about cases and about referrals; other permissions concern neither.
ABOUT_CASES = [
    permission
    for permission in Permission
    if permission.value.partition(":")[0] in {"case", "flag", "compartment", "consent", "needs"}
    or permission in {Permission.REFERRAL_SEND, Permission.REFERRAL_WITHDRAW}
]
ABOUT_REFERRALS = [
    Permission.REFERRAL_VIEW,
    Permission.REFERRAL_ANSWER,
    Permission.REFERRAL_END,
    Permission.REFERRAL_EXPIRE,
    Permission.SERVICE_RECORD,
    Permission.ENVELOPE_OPEN,
]


@pytest.fixture
def seeded(world):
    """A referral in every state, to two organisations, of flags by two units."""
    worlds.flag(world, "other_responder")
    worlds.referred(world, to="hills")
    worlds.accepted(world)
    _, declined = worlds.referred(world)
    provision.decline(world.actor("provider"), declined, "no_capacity", "", world.pack)
    case, withdrawn = worlds.referred(world)
    referral.withdraw(world.actor("coordinator"), case, withdrawn, pack=world.pack)
    _, ended = worlds.accepted(world)
    provision.end(world.actor("provider"), ended, world.pack)
    closed, _ = worlds.accepted(world, by="other_provider")
    follow_up.close(
        world.actor("coordinator"),
        closed,
        "contact_lost",
        "",
        version=worlds.version(world, closed),
        pack=world.pack,
    )
    return world


def actors(world):
    """Everyone there is, and people as nobody is: any role in any organisation."""
    anybody = st.builds(
        Actor,
        st.sampled_from(sorted(world.accounts.values())),
        st.sampled_from(sorted(world.organisations.values())),
        st.sampled_from(Role),
    )
    return st.sampled_from([*map(world.actor, ACCOUNTS), HOUSEKEEPING]) | anybody


def test_whoever_may_do_something_to_a_record_sees_it_and_nobody_else(seeded):
    """`may()` for each record agrees with the rows that the same grant table selects in SQL."""
    cases = db.session.scalars(select(Case)).all()
    referrals = db.session.scalars(select(Referral)).all()
    db.session.rollback()

    @settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(
        actor=actors(seeded),
        permission=st.sampled_from([(Case, each) for each in ABOUT_CASES])
        | st.sampled_from([(Referral, each) for each in ABOUT_REFERRALS]),
    )
    def agree(actor, permission):
        model, asked = permission
        if model is Case:
            records, standing = cases, visibility.case_standing
            query = visibility.visible_cases(actor, asked)
        else:
            records, standing = referrals, visibility.referral_standing
            query = visibility.visible_referrals(actor, asked)
        seen = {record.id for record in db.session.scalars(query)}
        allowed = {record.id for record in records if may(actor, asked, standing(record)).allowed}
        assert seen == allowed, f"{actor.role} {asked}"

    agree()


def test_the_world_of_this_property_holds_both_answers(seeded):
    """Were every answer yes, or every one no, the property above would say nothing."""
    received = db.session.scalars(
        visibility.visible_referrals(seeded.actor("provider"), Permission.REFERRAL_VIEW)
    ).all()
    live = db.session.scalars(
        visibility.visible_referrals(seeded.actor("provider"), Permission.ENVELOPE_OPEN)
    ).all()
    everything = db.session.scalars(select(Referral)).all()
    assert 0 < len(live) < len(received) < len(everything)
    assert {record.state.value for record in everything} == {
        "sent",
        "accepted",
        "declined",
        "withdrawn",
        "ended",
    }
