"""The people pages find whom they should, and nobody is shut out who must not be."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError, RefusedError
from nrm.domain.policy import may
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission, Role
from nrm.domain.staff import AccountState
from nrm.models import Account, AuthSession, RecoveryCode, SecondFactor
from nrm.services import dormancy, invitations, people, visibility
from nrm.services import sign_in as signing_in
from nrm.services.accounts import NewAccount
from nrm.services.audit import record
from nrm.services.people import Asked
from tests import world as worlds
from tests.ledger import nothing_changes
from tests.world import PASSWORD


def names(found):
    return {person.account.email.partition("@")[0].replace(".", "_") for person in found[0]}


def listed(world, by="administrator", **asked):
    return names(people.listed(world.actor(by), Asked(**asked)))


def change(*names, **values):
    """Let accounts be as they would have become in time."""
    with unit_of_work() as unit:
        db.session.execute(update(Account).where(Account.id.in_(names)).values(**values))
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


def test_everyone_is_listed_in_pages_and_once(world, monkeypatch):
    monkeypatch.setattr(people, "PAGE", 5)
    seen, after = [], None
    while True:
        shown, after = people.listed(world.actor("administrator"), Asked(), after)
        seen += [person.account.email for person in shown]
        if after is None:
            break
    assert sorted(seen) == sorted(map(world.email, world.accounts))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("second", {"second_coordinator", "second_responder", "second_manager", "second_analyst"}),
        ("  SECOND.a ", {"second_analyst"}),
        ("ANALYST", {"analyst", "second_analyst"}),
        ("practice clin", {"clinician"}),
        ("lyst", set()),
        ("%", set()),
        ("_", set()),
    ],
)
def test_people_are_found_by_how_a_name_or_an_address_begins(world, text, found):
    assert listed(world, text=text) == found


def test_a_list_is_narrowed_by_organisation_role_and_state(world):
    assert listed(world, organisation_id=world.organisations["hills"]) == {"other_provider"}
    assert listed(world, role=Role.AUDITOR) == {"auditor"}
    assert listed(world, role=Role.AUDITOR, text="prov") == set()


def test_each_account_is_in_one_state_and_found_by_it(world):
    long_ago = datetime.now(UTC) - timedelta(days=31)
    change(world.accounts["analyst"], seen_at=long_ago)
    change(world.accounts["clinician"], created_at=long_ago)
    people.disable(world.actor("administrator"), world.accounts["colleague"])
    home = world.organisations["lakes"]
    new = NewAccount("Practice Guest", "guest@practice.example", home, Role.PROVIDER)
    invitations.invite(world.actor("administrator"), new)
    found = {state: listed(world, state=state) for state in AccountState}
    assert found[AccountState.INVITED] == {"guest"}
    assert found[AccountState.DISABLED] == {"colleague"}
    assert found[AccountState.UNSEEN] == {"analyst", "clinician"}
    assert sum(map(len, found.values())) == len(world.accounts) + 1
    shown, _ = people.listed(world.actor("administrator"))
    for person in shown:
        name = person.account.email.partition("@")[0].replace(".", "_")
        assert name in found[person.state]


def test_the_log_keeps_that_somebody_searched_and_never_what_was_typed(world, ledger):
    listed(world, text="clinic")
    entry = ledger.only()
    assert entry.action == "account:list"
    assert "clinic" not in repr(tuple(entry))


def test_an_organisation_administrator_sees_colleagues_and_themselves(world):
    assert listed(world, "organisation_administrator") == {
        "provider",
        "colleague",
        "organisation_administrator",
    }
    hills = world.organisations["hills"]
    assert listed(world, "organisation_administrator", organisation_id=hills) == set()


def test_the_page_of_somebody_elses_account_is_not_found(world):
    for name in ("other_provider", "administrator", "auditor"):
        with pytest.raises(NotFoundError):
            people.person(world.actor("organisation_administrator"), world.accounts[name])
    with pytest.raises(NotFoundError):
        people.person(world.actor("administrator"), uuid4())


def actors(world):
    return st.builds(
        Actor,
        st.sampled_from([*world.accounts.values(), None]) | st.uuids(),
        st.sampled_from([*world.organisations.values(), None]) | st.uuids(),
        st.sampled_from(Role),
    )


def test_whoever_may_manage_an_account_finds_it_and_nobody_else(world, counted):
    """The policy and the rows that are selected are one rule, for every role by chance."""
    every = db.session.scalars(select(Account)).all()
    db.session.rollback()
    pairs, seen = [0], [0]

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(actors(world) | st.sampled_from([*map(world.actor, world.accounts), HOUSEKEEPING]))
    def agree(actor):
        permission = Permission.ACCOUNT_MANAGE
        query = visibility.visible_accounts(actor, permission)
        found = {account.id for account in db.session.scalars(query)}
        allowed = {
            account.id
            for account in every
            if may(actor, permission, visibility.account_standing(account)).allowed
        }
        assert found == allowed
        pairs[0], seen[0] = pairs[0] + len(every), seen[0] + len(found)

    agree()
    counted(f"{pairs[0]:,} pairs of actor and account; visible in {seen[0]:,}")
    assert 0 < seen[0] < pairs[0]


@pytest.mark.parametrize("act", [people.disable, people.enable, people.reset_factors])
def test_nobody_manages_their_own_account(world, act):
    for name in ("administrator", "organisation_administrator"):
        with nothing_changes(), pytest.raises(RefusedError, match="own account"):
            act(world.actor(name), world.accounts[name])


def test_the_last_administrator_stays(world):
    second = worlds.another_administrator(world)
    people.disable(second, world.accounts["administrator"])
    third = Actor(uuid4(), second.organisation_id, Role.ADMINISTRATOR, "d" * 64)
    with nothing_changes(), pytest.raises(InvalidInputError, match="last administrator"):
        people.disable(third, second.id)
    with nothing_changes(), pytest.raises(InvalidInputError, match="last administrator"):
        invitations.renew(third, second.id, taken_over=True)


def test_of_two_administrators_who_disable_each_other_one_stays(app, world):
    first, second = world.actor("administrator"), worlds.another_administrator(world)
    db.session.rollback()
    together = Barrier(2)

    def act(who, whom):
        with app.app_context():
            together.wait()
            try:
                people.disable(who, whom.id)
            except InvalidInputError:
                return False
            finally:
                db.session.remove()
            return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(act, (first, second), (second, first)))
    assert sorted(done) == [False, True]


def test_why_an_account_is_disabled_is_kept_until_it_is_enabled(world):
    administrator, who = world.actor("administrator"), world.accounts["provider"]
    for reason in ("gold", "", people.DORMANT):
        with nothing_changes(), pytest.raises(InvalidInputError):
            people.disable(administrator, who, reason)
    people.disable(administrator, who, "on_leave")
    assert people.person(administrator, who).person.account.disabled_for == "on_leave"
    people.enable(administrator, who)
    assert signing_in.password(world.email("provider"), PASSWORD, "192.0.2.1", None) is not None


def test_an_account_that_somebody_else_used_needs_a_new_link(world):
    administrator, who = world.actor("administrator"), world.accounts["provider"]
    people.disable(administrator, who, people.TAKEN_OVER)
    people.enable(administrator, who)
    assert signing_in.password(world.email("provider"), PASSWORD, "192.0.2.1", None) is None
    assert people.person(administrator, who).person.state is AccountState.INVITED


def test_a_reset_forgets_factors_and_codes_and_ends_the_sittings(world):
    administrator, who = world.actor("administrator"), world.accounts["provider"]
    worlds.sitting(world, "provider")
    with unit_of_work() as unit:
        mine = {"account_id": who}
        made = {"added_at": unit.now, "confirmed_at": unit.now, "sign_count": 0}
        db.session.add(SecondFactor(kind="passkey", credential_id=b"1", **mine, **made))
        db.session.add(SecondFactor(kind="passkey", credential_id=b"2", **mine, **made))
        db.session.add(RecoveryCode(sealed_hash=b"1", made_at=unit.now, **mine))
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    shown = people.person(administrator, who)
    assert (shown.factors, shown.recovery_codes, shown.sittings) == ({"app": 1, "passkey": 2}, 1, 1)
    people.reset_factors(administrator, who)
    shown = people.person(administrator, who)
    assert (shown.factors, shown.recovery_codes, shown.sittings) == ({}, 0, 0)
    assert db.session.scalar(select(func.count()).select_from(AuthSession)) == 0


# Dormant accounts


DAYS = timedelta(days=90)


def test_an_account_that_nobody_uses_is_disabled_by_itself(world, ledger):
    old, new = datetime.now(UTC) - timedelta(days=91), datetime.now(UTC) - timedelta(days=89)
    change(*world.accounts.values(), created_at=old)
    change(*world.accounts.values(), seen_at=new)
    change(world.accounts["provider"], seen_at=old)
    change(world.accounts["clinician"], seen_at=None)
    assert dormancy.disable_dormant(DAYS) == 2
    assert dormancy.disable_dormant(DAYS) == 0
    gone = [entry for entry in ledger.entries() if entry.action == "account:disable"]
    assert {entry.subject_id for entry in gone} == {
        world.accounts["provider"],
        world.accounts["clinician"],
    }
    assert {(entry.purpose, entry.actor_id) for entry in gone} == {("dormant", None)}
    assert signing_in.password(world.email("provider"), PASSWORD, "192.0.2.1", None) is None
    administrator = world.actor("administrator")
    assert (
        people.person(administrator, world.accounts["provider"]).person.account.disabled_for
        == "dormant"
    )
    # Enabled again, the days begin anew.
    people.enable(administrator, world.accounts["provider"])
    assert dormancy.disable_dormant(DAYS) == 0


def test_the_last_administrator_is_never_dormant(world):
    change(*world.accounts.values(), created_at=datetime.now(UTC) - timedelta(days=400))
    assert dormancy.disable_dormant(DAYS) == len(world.accounts) - 1
    assert listed(world, state=AccountState.UNSEEN) == {"administrator"}


def test_signing_in_counts(world):
    long_ago = datetime.now(UTC) - timedelta(days=400)
    change(*world.accounts.values(), created_at=long_ago, seen_at=long_ago)
    worlds.sitting(world, "provider")
    dormancy.disable_dormant(DAYS)
    assert listed(world, state=AccountState.ACTIVE) >= {"provider"}
