"""Another role: at once where it shows less, by two people where it shows more."""

import pytest
from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.models import Account, Approval, AuthSession
from nrm.services import approvals, people, role_changes
from nrm.services.audit import record
from tests import world as worlds
from tests.ledger import nothing_changes


def role_of(world, name):
    db.session.rollback()
    return db.session.get_one(Account, world.accounts[name]).role


def sittings(world, name):
    mine = AuthSession.account_id == world.accounts[name]
    return db.session.scalars(select(AuthSession).where(mine)).all()


def request(world, name):
    of_it = select(Approval.id).where(Approval.subject_id == world.accounts[name])
    return db.session.scalars(of_it).one()


def elevated(world, name="analyst", role=Role.COORDINATOR):
    assert not role_changes.change(world.actor("administrator"), world.accounts[name], role)
    return request(world, name)


def test_a_role_that_shows_less_is_given_at_once_and_ends_the_sittings(world, ledger):
    worlds.sitting(world, "second_coordinator")
    who = world.accounts["second_coordinator"]
    assert role_changes.change(world.actor("administrator"), who, Role.DIRECTORY_MANAGER)
    assert role_of(world, "second_coordinator") is Role.DIRECTORY_MANAGER
    assert sittings(world, "second_coordinator") == []
    last = ledger.entries()[-1]
    assert (last.action, last.purpose) == ("account:role", "directory_manager")


def test_a_role_that_shows_more_waits_for_a_second_person(world):
    worlds.sitting(world, "analyst")
    asked = elevated(world)
    assert role_of(world, "analyst") is Role.ANALYST
    assert sittings(world, "analyst") != []
    with nothing_changes(), pytest.raises(RefusedError):
        approvals.confirm(world.actor("administrator"), asked)
    approvals.confirm(world.actor("auditor"), asked)
    assert role_of(world, "analyst") is Role.COORDINATOR
    assert sittings(world, "analyst") == []


def test_it_is_asked_for_once(world):
    elevated(world)
    with nothing_changes(), pytest.raises(ConflictError, match="asked for already"):
        role_changes.change(
            world.actor("administrator"), world.accounts["analyst"], Role.COORDINATOR
        )


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"role": Role.DIRECTORY_MANAGER},
        {"disabled": True},
    ],
    ids=["another role", "disabled"],
)
def test_what_does_not_fit_any_more_is_not_done(world, meanwhile):
    asked = elevated(world)
    if "role" in meanwhile:
        who = world.accounts["analyst"]
        role_changes.change(world.actor("administrator"), who, meanwhile["role"])
    else:
        people.disable(world.actor("administrator"), world.accounts["analyst"])
    with nothing_changes(), pytest.raises(ConflictError, match="changed since"):
        approvals.confirm(world.actor("auditor"), asked)


def test_an_organisation_that_is_another_kind_now_has_no_such_role(world):
    asked = elevated(world)
    with unit_of_work() as unit:
        home = world.organisations["ministry"]
        analyst = Account.id == world.accounts["analyst"]
        db.session.execute(
            update(Account).where(analyst).values(organisation_id=world.organisations["lakes"])
        )
        assert home
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    with nothing_changes(), pytest.raises(ConflictError, match="changed since"):
        approvals.confirm(world.actor("auditor"), asked)


@pytest.mark.parametrize(
    ("by", "name", "role", "error"),
    [
        ("administrator", "provider", Role.COORDINATOR, InvalidInputError),
        ("administrator", "provider", Role.PROVIDER, InvalidInputError),
        ("administrator", "administrator", Role.ANALYST, RefusedError),
        ("organisation_administrator", "organisation_administrator", Role.PROVIDER, RefusedError),
        ("organisation_administrator", "colleague", Role.ADMINISTRATOR, InvalidInputError),
        ("organisation_administrator", "clinician", Role.PROVIDER, NotFoundError),
        ("organisation_administrator", "administrator", Role.PROVIDER, NotFoundError),
        ("coordinator", "provider", Role.PROVIDER, RefusedError),
    ],
)
def test_what_cannot_be_is_refused(world, by, name, role, error):
    with nothing_changes(), pytest.raises(error):
        role_changes.change(world.actor(by), world.accounts[name], role)


def test_nobody_but_those_who_may_is_offered_a_role(world):
    who = world.accounts["colleague"]
    _, roles = role_changes.offered(world.actor("administrator"), who)
    assert roles == (Role.PROVIDER, Role.ORGANISATION_ADMINISTRATOR)
    _, roles = role_changes.offered(world.actor("organisation_administrator"), who)
    assert roles == (Role.PROVIDER,)
