"""The link of an invitation: once, for three days, the newest alone, and nobody learns why not."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import select

from nrm.db import acting_at, db
from nrm.domain.errors import (
    AlreadyDoneError,
    InvalidInputError,
    LinkOverError,
    RefusedError,
)
from nrm.domain.lifecycle import ApprovalState
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.domain.staff import INVITATION_LASTS
from nrm.models import Account, Approval, AuthSession, Invitation
from nrm.services import approvals, invitations, people
from nrm.services import sign_in as signing_in
from nrm.services.accounts import NewAccount
from tests import world as worlds
from tests.ledger import nothing_changes
from tests.world import PASSWORD

CHOSEN = "four plain words here"
EMAIL = "new@practice.example"


def new(world, at="lakes", role=Role.PROVIDER, email=EMAIL):
    return NewAccount("Practice Newcomer", email, world.organisations[at], role)


def invited(world, by="administrator", **changed):
    return invitations.invite(world.actor(by), new(world, **changed)).link


def kept(account_id):
    db.session.rollback()
    return db.session.get_one(Account, account_id)


def tried_in_vain(ledger):
    return [
        (entry.purpose, entry.subject_id)
        for entry in ledger.entries()
        if entry.action == "invitation:fail"
    ]


def test_an_invited_person_chooses_a_password_and_signs_in(world):
    link = invited(world)
    assert signing_in.password(EMAIL, CHOSEN, "192.0.2.1", None) is None
    assert invitations.guest(link.token) == invitations.Guest(EMAIL, known=False)
    invitations.activate(link.token, CHOSEN)
    assert signing_in.password(EMAIL, CHOSEN, "192.0.2.1", None) is not None
    # The person is seen with the second step, and not before.
    assert kept(link.account_id).seen_at is None


def test_only_the_hash_of_a_link_is_kept(world):
    link = invited(world)
    row = db.session.scalars(select(Invitation)).one()
    assert row.token_hash == hashlib.sha256(link.token.encode()).digest()
    # 256 bits, as long as a URL needs for them.
    assert len(link.token) == 43
    assert row.expires_at - row.made_at == INVITATION_LASTS == timedelta(hours=72)


def test_nobody_signs_in_with_an_account_that_was_never_activated(world):
    invited(world)
    for password in ("", "nobody signs in with this", PASSWORD):
        assert signing_in.password(EMAIL, password, "192.0.2.1", None) is None


def test_looking_uses_nothing_up(world, ledger):
    link = invited(world)
    with nothing_changes():
        for _ in range(5):
            invitations.guest(link.token)
    invitations.activate(link.token, CHOSEN)
    assert tried_in_vain(ledger) == []


def test_a_used_link_is_over_and_the_log_knows(world, ledger):
    link = invited(world)
    invitations.activate(link.token, CHOSEN)
    with pytest.raises(LinkOverError):
        invitations.guest(link.token)
    with pytest.raises(LinkOverError):
        invitations.activate(link.token, "another four plain words")
    assert signing_in.password(EMAIL, CHOSEN, "192.0.2.1", None) is not None
    assert tried_in_vain(ledger) == [("ended", link.account_id)] * 2


def test_a_link_that_is_too_old_is_over(world, ledger):
    with acting_at(datetime.now(UTC) - INVITATION_LASTS - timedelta(seconds=1)):
        link = invited(world)
    for use in (invitations.guest, lambda token: invitations.activate(token, CHOSEN)):
        with pytest.raises(LinkOverError):
            use(link.token)
    assert tried_in_vain(ledger) == [("expired", link.account_id)] * 2
    assert kept(link.account_id).password_hash == ""


def test_a_newer_link_ends_the_older(world, ledger):
    older = invited(world)
    newer = invitations.renew(world.actor("administrator"), older.account_id).link
    with pytest.raises(LinkOverError):
        invitations.activate(older.token, CHOSEN)
    invitations.activate(newer.token, CHOSEN)
    assert tried_in_vain(ledger) == [("ended", older.account_id)]


def test_a_link_that_never_was_leaves_no_entry(world, ledger):
    del world
    for token in ("x" * 43, "", "\N{GRINNING FACE}"):
        with nothing_changes(), pytest.raises(LinkOverError):
            invitations.guest(token)
        with nothing_changes(), pytest.raises(LinkOverError):
            invitations.activate(token, CHOSEN)
    assert ledger.entries() == []


def test_disabling_ends_the_link(world, ledger):
    link = invited(world)
    people.disable(world.actor("administrator"), link.account_id)
    with pytest.raises(LinkOverError):
        invitations.activate(link.token, CHOSEN)
    people.enable(world.actor("administrator"), link.account_id)
    with pytest.raises(LinkOverError):
        invitations.activate(link.token, CHOSEN)
    assert [why for why, _ in tried_in_vain(ledger)] == ["disabled", "ended"]


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 257])
def test_a_password_that_is_refused_uses_nothing_up(world, password):
    link = invited(world)
    with nothing_changes(), pytest.raises(InvalidInputError) as refused:
        invitations.activate(link.token, password)
    assert refused.value.field == "password"
    invitations.activate(link.token, CHOSEN)


def test_a_double_click_leads_to_the_same_place(world):
    link, form_id = invited(world), uuid4()
    invitations.activate(link.token, CHOSEN, form_id=form_id)
    with pytest.raises(AlreadyDoneError):
        invitations.activate(link.token, CHOSEN, form_id=form_id)


def test_of_two_who_use_a_link_at_once_one_wins(app, world):
    link = invited(world)
    db.session.rollback()
    together = Barrier(2)

    def use(password):
        with app.app_context():
            together.wait()
            try:
                invitations.activate(link.token, password)
            except LinkOverError:
                return None
            finally:
                db.session.remove()
            return password

    with ThreadPoolExecutor(2) as pool:
        done = [one for one in pool.map(use, ("first four plain words", CHOSEN)) if one]
    assert len(done) == 1
    assert signing_in.password(EMAIL, done[0], "192.0.2.1", None) is not None


def test_activation_ends_every_sitting(world):
    who = world.accounts["provider"]
    worlds.sitting(world, "provider")
    link = invitations.renew(world.actor("administrator"), who).link
    # Nobody is shut out by a link that they did not ask for.
    assert signing_in.password(world.email("provider"), PASSWORD, "192.0.2.1", None) is not None
    invitations.activate(link.token, CHOSEN)
    assert db.session.scalars(select(AuthSession).where(AuthSession.account_id == who)).all() == []
    assert signing_in.password(world.email("provider"), PASSWORD, "192.0.2.1", None) is None
    assert signing_in.password(world.email("provider"), CHOSEN, "192.0.2.1", None) is not None


def test_a_password_that_somebody_else_knows_ends_at_once(world):
    who = world.accounts["provider"]
    worlds.sitting(world, "provider")
    invitations.renew(world.actor("administrator"), who, taken_over=True)
    assert signing_in.password(world.email("provider"), PASSWORD, "192.0.2.1", None) is None
    assert db.session.scalars(select(AuthSession).where(AuthSession.account_id == who)).all() == []


def test_an_organisation_administrator_invites_into_their_own_organisation_alone(world):
    assert invited(world, by="organisation_administrator")
    with nothing_changes(), pytest.raises(RefusedError):
        invited(world, by="organisation_administrator", at="hills", email="b@practice.example")


@pytest.mark.parametrize(
    ("by", "at", "role"),
    [
        ("organisation_administrator", "lakes", Role.FIRST_RESPONDER),
        ("organisation_administrator", "lakes", Role.ORGANISATION_ADMINISTRATOR),
        ("organisation_administrator", "lakes", Role.ADMINISTRATOR),
        ("administrator", "lakes", Role.COORDINATOR),
        ("administrator", "police", Role.AUDITOR),
        ("administrator", "ministry", Role.SYSTEM),
    ],
)
def test_a_role_that_is_not_held_there_is_refused(world, by, at, role):
    with nothing_changes(), pytest.raises(InvalidInputError) as refused:
        invited(world, by=by, at=at, role=role)
    assert refused.value.field == "role"


def test_an_address_belongs_to_one_account(world):
    with nothing_changes(), pytest.raises(InvalidInputError) as refused:
        invited(world, email=f" {world.email('colleague').upper()}")
    assert refused.value.field == "email"


def test_a_role_that_sees_the_country_has_no_link_before_a_second_person_agrees(world):
    administrator = world.actor("administrator")
    made = invitations.invite(administrator, new(world, "coordination", Role.COORDINATOR))
    assert made.link is None
    waiting = select(Approval.id).where(Approval.subject_id == made.account_id)
    request = db.session.scalars(waiting).one()
    approvals.confirm(world.actor("auditor"), request)
    link = invitations.renew(administrator, made.account_id).link
    invitations.activate(link.token, CHOSEN)
    assert signing_in.password(EMAIL, CHOSEN, "192.0.2.1", None) is not None


def test_where_the_second_person_said_no_a_new_link_asks_anew(world):
    administrator = world.actor("administrator")
    made = invitations.invite(administrator, new(world, "ministry", Role.ADMINISTRATOR))
    of_it = select(Approval).where(Approval.subject_id == made.account_id)
    approvals.reject(world.actor("auditor"), db.session.scalars(of_it).one().id, "not_needed")
    assert invitations.renew(administrator, made.account_id).link is None
    states = [one.state for one in db.session.scalars(of_it.order_by(Approval.asked_at))]
    assert states == [ApprovalState.REJECTED, ApprovalState.REQUESTED]


def test_one_person_makes_no_link_and_resets_no_factor_of_the_same_account(world):
    administrator, who = world.actor("administrator"), world.accounts["provider"]
    invitations.renew(administrator, who)
    with nothing_changes(), pytest.raises(InvalidInputError, match="Another administrator"):
        people.reset_factors(administrator, who)
    people.reset_factors(world.actor("organisation_administrator"), who)
    with nothing_changes(), pytest.raises(InvalidInputError, match="Another administrator"):
        invitations.renew(world.actor("organisation_administrator"), who)
    # Elsewhere the same person does the one or the other.
    people.reset_factors(administrator, world.accounts["clinician"])


def test_the_console_makes_a_link_for_an_account_that_is_there(world, ledger):
    link = invitations.link_for(f" {world.email('auditor').upper()} ")
    entry = ledger.only()
    assert (entry.action, entry.actor_id) == ("account:invite", HOUSEKEEPING.id)
    invitations.activate(link.token, CHOSEN)
    assert signing_in.password(world.email("auditor"), CHOSEN, "192.0.2.1", None) is not None
