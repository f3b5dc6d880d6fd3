"""Another institution's sign-in lets in whom somebody here connected with it, and nobody else."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import delete, select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import ConflictError, FederationError, NotFoundError, TooManyTriesError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Account, AuthSession, FederatedIdentity, SecondFactor
from nrm.security import openid
from nrm.security.openid import Identity
from nrm.services import delays, federation, invitations, people, second_factor, sessions
from nrm.services import sign_in as signing_in
from nrm.services.audit import record
from nrm.services.sign_in import SignedIn
from tests import openid_provider
from tests import world as worlds
from tests.openid_provider import STRONG
from tests.services.test_races import meet
from tests.services.test_sign_in import HERE, LIMITS, code, step_two

BACK = "https://nrm.practice.example/sign-in/federated/back"
THERE = Identity("https://id.practice.example", "248289761001", strong=False)
STRONGLY = replace(THERE, strong=True)


def connected(world, name="coordinator", who=THERE):
    sitting = worlds.sitting(world, name)
    federation.connect(world.actor(name), sitting.id, who)
    return world.accounts[name]


def why(entries):
    return [one.purpose for one in entries if one.action == Action.SESSION_FAIL.value]


def test_whoever_is_connected_goes_on_to_the_second_factor(world, ledger):
    account_id = connected(world)
    opened = signing_in.federated(THERE, HERE, None)
    assert sessions.resume(opened.token, LIMITS).viewer is None
    waiting = (opened, sessions.resume(opened.token, LIMITS).data)
    done = step_two(waiting, second_factor.Code(code(1)))
    assert sessions.resume(done.opened.token, LIMITS).viewer.actor.id == account_id
    assert ledger.actions()[-3:] == ["federation:connect", "session:begin", "session:sign-in"]
    assert ledger.entries()[-2].purpose == "federated"


def test_a_second_factor_there_signs_in_but_confirms_nothing_here(world, ledger):
    account_id = connected(world)
    done = signing_in.federated(STRONGLY, HERE, None)
    assert isinstance(done, SignedIn)
    sitting = sessions.resume(done.opened.token, LIMITS)
    assert sitting.viewer.actor.id == account_id
    # What is sensitive asks for a second factor of ours all the same.
    assert not sessions.is_confirmed(sitting.id)
    assert ledger.entries()[-1].purpose == "federated"
    assert ledger.actions()[-2:] == ["federation:connect", "session:sign-in"]


def test_whoever_has_no_second_factor_here_sets_one_up_first(world):
    account_id = connected(world)
    with unit_of_work() as unit:
        db.session.execute(delete(SecondFactor).where(SecondFactor.account_id == account_id))
        record(unit, HOUSEKEEPING, Action.FACTOR_REMOVE)
    opened = signing_in.federated(STRONGLY, HERE, None)
    assert signing_in.waiting(sessions.resume(opened.token, LIMITS).data).seed


@pytest.mark.parametrize(
    "other",
    [
        replace(THERE, subject="somebody else"),
        replace(THERE, subject=THERE.subject.replace("1", "2")),
        replace(THERE, issuer="https://elsewhere.practice.example"),
    ],
)
def test_nobody_is_found_but_by_issuer_and_subject_together(world, ledger, other):
    connected(world)
    with pytest.raises(FederationError, match="unknown"):
        signing_in.federated(replace(other, strong=True), HERE, None)
    assert why(ledger.entries()) == ["federated-unknown"]
    assert ledger.entries()[-1].subject_id is None


def test_a_disabled_account_is_closed_this_way_too(world, ledger):
    account_id = connected(world)
    people.disable(world.actor("administrator"), account_id)
    with pytest.raises(FederationError):
        signing_in.federated(STRONGLY, HERE, None)
    assert why(ledger.entries()) == ["federated-disabled"]
    assert ledger.entries()[-1].subject_id == account_id
    db.session.rollback()
    assert db.session.scalars(select(AuthSession)).all() == []


def test_an_account_without_a_password_of_its_own_is_closed_this_way_too(world):
    account_id = connected(world)
    with unit_of_work() as unit:
        db.session.get_one(Account, account_id).password_hash = ""
        record(unit, HOUSEKEEPING, Action.ACCOUNT_INVITE)
    with pytest.raises(FederationError, match="disabled"):
        signing_in.federated(STRONGLY, HERE, None)


# Whoever is sent away need not be who comes back.


def _time_passes(_world, sitting):
    with unit_of_work():
        long_ago = datetime.now(UTC) - sessions.CONFIRMED_FOR
        at = update(AuthSession).where(AuthSession.id == sitting.id)
        db.session.execute(at.values(confirmed_at=long_ago))


def _signed_out(world, sitting):
    signing_in.sign_out(world.actor("coordinator"), sitting.id)


def _reset(world, _sitting):
    people.reset_factors(world.actor("administrator"), world.accounts["coordinator"])


def _disabled(world, _sitting):
    people.disable(world.actor("administrator"), world.accounts["coordinator"])


@pytest.mark.parametrize("meanwhile", [_time_passes, _signed_out, _reset, _disabled])
def test_a_sitting_that_is_not_confirmed_any_more_connects_nothing(world, ledger, meanwhile):
    sitting = worlds.sitting(world, "coordinator")
    meanwhile(world, sitting)
    with pytest.raises(FederationError, match="late"):
        federation.connect(world.actor("coordinator"), sitting.id, THERE)
    db.session.rollback()
    assert federation.of(world.accounts["coordinator"]) is None
    told = ledger.entries()[-1]
    assert (told.action, told.outcome) == ("federation:connect", "failed")
    assert (told.actor_id, told.purpose) == (world.accounts["coordinator"], "federated-late")


def test_of_two_who_connect_the_same_at_once_one_does(world):
    sittings = {
        name: worlds.sitting(world, name).id for name in ("coordinator", "second_coordinator")
    }
    done = []

    def connect(name):
        try:
            federation.connect(world.actor(name), sittings[name], THERE)
            done.append(name)
        except ConflictError:
            done.append("conflict")

    meet(world, *(partial(connect, name) for name in sittings))
    assert "conflict" in done
    assert len(set(done) & set(sittings)) == 1


def test_one_person_there_is_one_account_here_and_the_other_way_round(world):
    connected(world)
    with pytest.raises(ConflictError):
        connected(world, "second_coordinator")
    with pytest.raises(ConflictError):
        connected(world, who=replace(THERE, subject="another of mine"))
    federation.disconnect(world.actor("coordinator"))
    connected(world, "second_coordinator")


def test_whoever_has_connected_nothing_has_nothing_to_remove(world):
    connected(world)
    with pytest.raises(NotFoundError):
        federation.disconnect(world.actor("second_coordinator"))
    assert federation.of(world.accounts["coordinator"]) is not None


def _at_the_console(world, _account_id):
    second_factor.reset_by_email(world.email("coordinator"))


def _by_an_administrator(world, account_id):
    people.reset_factors(world.actor("administrator"), account_id)


def _taken_over(world, account_id):
    invitations.renew(world.actor("administrator"), account_id, taken_over=True)


def _disabled_as_taken_over(world, account_id):
    people.disable(world.actor("administrator"), account_id, people.TAKEN_OVER)


RESETS = [_at_the_console, _by_an_administrator, _taken_over, _disabled_as_taken_over]


@pytest.mark.parametrize("reset", RESETS)
def test_whatever_is_reset_for_fear_of_somebody_else_ends_the_connection(world, reset):
    account_id = connected(world)
    connected(world, "auditor", replace(THERE, subject="the auditor"))
    reset(world, account_id)
    db.session.rollback()
    left = db.session.scalars(select(FederatedIdentity.account_id)).all()
    assert left == [world.accounts["auditor"]]


@pytest.mark.parametrize("reset", RESETS)
def test_who_comes_in_while_it_is_reset_is_in_before_or_not_at_all(world, reset):
    account_id = connected(world)
    failed = []

    def come_in():
        try:
            signing_in.federated(STRONGLY, HERE, None)
        except FederationError as error:
            failed.append(error.why)

    meet(world, come_in, partial(reset, world, account_id))
    db.session.rollback()
    # Whoever was in first is out again: the reset ended every sitting.
    left = select(AuthSession.id).where(AuthSession.account_id == account_id)
    assert db.session.scalars(left).all() == []
    assert federation.of(account_id) is None
    assert set(failed) <= {"unknown", "disabled"}


# From the provider to the account.


@pytest.fixture
def provider():
    openid._descriptions.forget()
    with openid_provider.running() as running:
        yield running


def come_back(provider, address=HERE, **changed):
    to, asked = federation.ask(provider.settings(STRONG), BACK)
    answer = {**provider.approve(to), **changed}
    return federation.answered(provider.settings(STRONG), BACK, asked, answer, address)


def test_an_answer_leads_to_the_account(world, provider):
    connected(world, "analyst", Identity(provider.issuer, provider.subject, strong=False))
    provider.claims["acr"] = STRONG
    done = signing_in.federated(come_back(provider), HERE, None)
    viewer = sessions.resume(done.opened.token, LIMITS).viewer
    assert viewer.actor.id == world.accounts["analyst"]
    db.session.rollback()
    assert federation.of(world.accounts["analyst"]).used_at is not None


def test_an_e_mail_address_in_the_token_finds_nobody(world, provider):
    provider.claims["email"] = world.email("administrator")
    provider.claims["email_verified"] = True
    with pytest.raises(FederationError, match="unknown"):
        signing_in.federated(come_back(provider), HERE, None)


def test_a_false_answer_leaves_its_entry_and_nothing_else(provider, ledger):
    provider.claims["nonce"] = "of another browser"
    with pytest.raises(FederationError) as error:
        come_back(provider)
    federation.tell(error.value)
    assert why(ledger.entries()) == ["federated-token"]
    assert ledger.entries()[-1].outcome == "failed"


@pytest.mark.usefixtures("world")
def test_false_answers_are_slowed_down_and_right_ones_are_not(provider):
    for _ in range(3 * delays.NETWORK.free):
        come_back(provider)
    for _ in range(delays.NETWORK.free + 1):
        with pytest.raises(FederationError):
            come_back(provider, code="guessed")
    asked = len(provider.asked)
    with pytest.raises(TooManyTriesError):
        come_back(provider, code="guessed")
    # Their server is not asked on behalf of whoever has to wait.
    assert len(provider.asked) == asked
    assert come_back(provider, address="198.51.100.7").subject == provider.subject


def test_a_provider_that_is_silent_lets_nobody_in():
    openid._descriptions.forget()
    nobody = openid_provider.Provider(issuer="http://localhost:9").settings()
    with pytest.raises(FederationError, match="provider"):
        federation.ask(nobody, BACK)
