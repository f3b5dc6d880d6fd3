"""One's own ways to sign in: added, removed, never the last one; and what is kept of them."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, WrongFactorError
from nrm.domain.roles import HOUSEKEEPING, HUMAN_ROLES
from nrm.models import MasterKey, RecoveryCode, SealedMasterKey, SecondFactor
from nrm.security import passkeys
from nrm.security import second_factor as codes
from nrm.security.keyring import Purpose
from nrm.security.passkeys import Site
from nrm.services import key_use, keys, rotation, second_factor
from nrm.services import sign_in as signing_in
from nrm.services.audit import record
from nrm.services.second_factor import Code, PaperCode
from tests import ledger as ledgers
from tests import world as worlds
from tests.authenticator import Authenticator, challenge_in
from tests.services.test_rotation import a_minute_ago
from tests.services.test_sign_in import HERE, step_one, step_two, with_passkey
from tests.world import ONE_PER_ROLE, SEED

SITE = Site("Practice", "localhost", "http://localhost")
sqlite_alone = pytest.mark.databases("sqlite")


def now_code(seed, steps=0):
    return codes.code_at(seed, codes.step_of(datetime.now(UTC)) + steps)


def factors(world, name="coordinator"):
    db.session.rollback()
    return db.session.scalars(
        select(SecondFactor)
        .where(SecondFactor.account_id == world.accounts[name])
        .order_by(SecondFactor.added_at)
    ).all()


@pytest.mark.parametrize("role", HUMAN_ROLES)
@sqlite_alone
def test_every_role_needs_one(world, role):
    name = ONE_PER_ROLE[role]
    with unit_of_work() as unit:
        second_factor.reset(unit, HOUSEKEEPING, world.accounts[name])
    opened, data = step_one(world, name)
    assert signing_in.waiting(data).seed
    with pytest.raises(WrongFactorError):
        signing_in.second(data, Code("000000"), HERE, opened.id)


def test_another_telephone_takes_the_place_of_the_old(world, ledger):
    seed = codes.new_seed()
    second_factor.set_up_app(world.actor("coordinator"), seed, now_code(seed))
    assert ledger.actions() == ["factor:remove", "factor:add"]
    assert len(factors(world)) == 1
    with pytest.raises(WrongFactorError):
        step_two(step_one(world), Code(now_code(SEED)))
    # The code that set it up is used up; the next one works.
    with pytest.raises(WrongFactorError):
        step_two(step_one(world), Code(now_code(seed)))
    step_two(step_one(world), Code(now_code(seed, 1)))


@sqlite_alone
def test_a_wrong_first_code_leaves_the_old_telephone(world):
    with ledgers.nothing_changes(), pytest.raises(WrongFactorError):
        second_factor.set_up_app(world.actor("coordinator"), codes.new_seed(), "000000")
    step_two(step_one(world), Code(now_code(SEED)))


def test_the_last_way_stays(world):
    (app,) = factors(world)
    with ledgers.nothing_changes(), pytest.raises(ConflictError):
        second_factor.remove(world.actor("coordinator"), app.id)
    with_passkey(world)
    second_factor.remove(world.actor("coordinator"), app.id)
    (left,) = factors(world)
    assert left.kind == "passkey"
    with pytest.raises(ConflictError):
        second_factor.remove(world.actor("coordinator"), left.id)


@sqlite_alone
def test_another_persons_factor_is_not_there(world):
    with_passkey(world, "auditor")
    theirs = factors(world, "auditor")[0].id
    for act in (second_factor.own, second_factor.remove):
        for unknown in (theirs, uuid4()):
            with ledgers.nothing_changes(), pytest.raises(NotFoundError):
                act(world.actor("coordinator"), unknown)


@pytest.mark.parametrize(
    "device",
    [
        Authenticator("https://elsewhere.example"),
        Authenticator("http://localhost:8080"),
        Authenticator(verifies=False),
    ],
    ids=["another site", "another address", "not verified"],
)
@sqlite_alone
def test_a_passkey_that_does_not_suit_is_not_added(world, device):
    question = passkeys.to_register(
        SITE, passkeys.new_challenge(), world.accounts["coordinator"], "Practice", []
    )
    with ledgers.nothing_changes(), pytest.raises(WrongFactorError):
        second_factor.add_passkey(
            world.actor("coordinator"), SITE, challenge_in(question), device.make(question)
        )


@sqlite_alone
def test_an_answer_to_another_question_adds_nothing(world):
    question = passkeys.to_register(
        SITE, passkeys.new_challenge(), world.accounts["coordinator"], "Practice", []
    )
    answer = Authenticator().make(question)
    for challenge in (passkeys.new_challenge(), ""):
        with ledgers.nothing_changes(), pytest.raises(WrongFactorError):
            second_factor.add_passkey(world.actor("coordinator"), SITE, challenge, answer)
    who = world.actor("coordinator")
    second_factor.add_passkey(who, SITE, challenge_in(question), answer)
    with ledgers.nothing_changes(), pytest.raises(WrongFactorError):
        second_factor.add_passkey(world.actor("auditor"), SITE, challenge_in(question), answer)


@sqlite_alone
def test_five_passkeys_are_enough(world):
    for _ in range(5):
        with_passkey(world)
    with pytest.raises(InvalidInputError):
        with_passkey(world)


def test_a_reset_leaves_nothing_that_signs_in(world, ledger):
    second_factor.make_codes(world.actor("coordinator"))
    with_passkey(world)
    with unit_of_work() as unit:
        assert second_factor.reset(unit, HOUSEKEEPING, world.accounts["coordinator"]) == 2
    assert ledger.actions()[-1] == "factor:reset"
    assert ledgers.detail(ledger.entries()[-1])["counts"] == {"factors": 2}
    assert factors(world) == []
    assert db.session.scalars(select(RecoveryCode)).all() == []


def test_neither_seed_nor_code_lies_open_in_the_database(world):
    made = second_factor.make_codes(world.actor("coordinator"))
    with db.engine.connect() as connection:
        rows = [
            *connection.execute(select(SecondFactor.__table__)),
            *connection.execute(select(RecoveryCode.__table__)),
        ]
    stored = b"".join(v if isinstance(v, bytes) else str(v).encode() for row in rows for v in row)
    assert SEED.encode() not in stored
    whose = world.accounts["coordinator"]
    for code in made:
        hashed = codes.recovery_hash(whose, code)
        assert not [part for part in (code, hashed) if part.encode() in stored]
        assert bytes.fromhex(hashed) not in stored


def test_a_new_key_locks_nobody_out_also_when_the_old_one_is_destroyed(world):
    papers = second_factor.make_codes(world.actor("coordinator"))
    old = keys.primary_id(Purpose.FACTOR)
    sealed = key_use.users(Purpose.FACTOR)
    assert sealed == {old: len(worlds.ACCOUNTS) + 10}
    new = rotation.rotate(Purpose.FACTOR)
    # Before anything is sealed anew, what is older opens.
    step_two(step_one(world), Code(now_code(SEED, -1)))
    assert rotation.left(Purpose.FACTOR) == sealed[old]
    assert rotation.unfinished(Purpose.FACTOR)
    (batch,) = rotation.go_on(Purpose.FACTOR)
    assert batch == rotation.Batch(sealed[old], 0)
    assert key_use.users(Purpose.FACTOR) == {new: sealed[old]}
    assert rotation.left(Purpose.FACTOR) == 0
    a_minute_ago(new)
    rotation.retire(old)
    step_two(step_one(world), Code(now_code(SEED)))
    step_two(step_one(world), PaperCode(papers[0]))


@sqlite_alone
def test_a_damaged_seed_is_told_of_and_stays(world):
    with unit_of_work() as unit:
        (app,) = factors(world)
        app.seed = app.seed[:-1] + bytes([app.seed[-1] ^ 1])
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    rotation.rotate(Purpose.FACTOR)
    (batch,) = rotation.go_on(Purpose.FACTOR)
    assert batch == rotation.Batch(len(worlds.ACCOUNTS) - 1, 1)
    assert rotation.left(Purpose.FACTOR) == 1


@sqlite_alone
def test_an_installation_from_before_gets_the_key_at_its_next_init(world, settings):
    """`nrm init` brings the tables up to date, and makes whichever key is missing."""
    with unit_of_work() as unit:
        gone = keys.primary_id(Purpose.FACTOR)
        for table, column in ((SealedMasterKey, "ring_id"), (MasterKey, "id")):
            for row in db.session.scalars(select(table).filter_by(**{column: gone})):
                db.session.delete(row)
            db.session.flush()
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    with unit_of_work() as unit:
        assert keys.create_keys(unit, settings.key_file.parent) == 1
        record(unit, HOUSEKEEPING, Action.KEY_CREATE)
    keys.look_again()
    assert second_factor.make_codes(world.actor("coordinator"))
