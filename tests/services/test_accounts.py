import pytest
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import InvalidInputError, Subject
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.models import Account
from nrm.security import passwords
from nrm.services import accounts, organisations
from nrm.services import sign_in as signing_in
from nrm.services.audit import record
from tests.ledger import nothing_changes
from tests.world import PASSWORD


def new(world, **changed):
    usual = {
        "name": "Practice Newcomer",
        "email": "New@Practice.example ",
        "organisation_id": world.organisations["clinic"],
        "role": Role.PROVIDER,
        "password": PASSWORD,
    }
    return accounts.NewAccount(**usual | changed)


def create(world, **changed):
    """Create an account as the console does: with a password that its person typed."""
    with unit_of_work() as unit:
        account = accounts.add_account(unit, new(world, **changed))
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE, Subject("account", account.id))
        return account.id


def test_a_new_account_signs_in_with_its_first_password(world):
    create(world)
    assert signing_in.password("new@practice.example", PASSWORD, "192.0.2.1", None) is not None


def test_a_password_is_kept_as_its_hash(world):
    kept = db.session.get(Account, create(world)).password_hash
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("password", {"password": "short"}),
        ("password", {"password": "x" * 257}),
        ("email", {"email": " provider@PRACTICE.example"}),
        ("role", {"role": Role.SYSTEM}),
    ],
)
def test_an_account_that_cannot_be_is_refused_at_its_field(world, field, changed):
    with nothing_changes(), pytest.raises(InvalidInputError) as refused:
        create(world, **changed)
    assert refused.value.field == field


def test_an_organisation_is_known_by_one_name(world):
    with nothing_changes(), pytest.raises(InvalidInputError) as refused:
        organisations.create(
            world.actor("administrator"),
            world.organisation_name("lakes"),
            "shelter",
            "11",
            is_provider=True,
        )
    assert refused.value.field == "name"


def test_a_hash_that_is_weaker_than_todays_is_made_anew_at_sign_in(world, monkeypatch):
    before = db.session.scalar(
        select(Account.password_hash).where(Account.email == world.email("auditor"))
    )
    monkeypatch.setattr(passwords, "needs_rehash", lambda _: True)
    assert signing_in.password(world.email("auditor"), PASSWORD, "192.0.2.1", None) is not None
    after = db.session.scalar(
        select(Account.password_hash).where(Account.email == world.email("auditor"))
    )
    assert after != before
    assert signing_in.password(world.email("auditor"), PASSWORD, "192.0.2.1", None) is not None
