import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.domain.errors import InvalidInputError
from nrm.domain.roles import Role
from nrm.models import Account
from nrm.security import passwords
from nrm.services import accounts, organisations, people
from nrm.services import sign_in as signing_in
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


def test_a_new_account_signs_in_with_its_first_password(world):
    accounts.create_account(world.actor("administrator"), new(world))
    assert signing_in.password("new@practice.example", PASSWORD, "192.0.2.1", None) is not None


def test_a_password_is_kept_as_its_hash(world):
    account_id = accounts.create_account(world.actor("administrator"), new(world))
    kept = db.session.get(Account, account_id).password_hash
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
        accounts.create_account(world.actor("administrator"), new(world, **changed))
    assert refused.value.field == field


def test_nobody_disables_their_own_account(world):
    with nothing_changes(), pytest.raises(InvalidInputError):
        people.disable(world.actor("administrator"), world.accounts["administrator"])


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


def test_people_are_listed_in_pages_and_everyone_once(world, monkeypatch):
    monkeypatch.setattr(accounts, "PAGE", 5)
    seen, after = [], None
    while True:
        people, after = accounts.people(world.actor("administrator"), after)
        seen += [person.account.email for person in people]
        if after is None:
            break
    assert sorted(seen) == sorted(map(world.email, world.accounts))
