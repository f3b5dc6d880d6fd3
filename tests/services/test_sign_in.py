"""Two steps, and nobody is signed in between them; what was shown once opens one sitting."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import StartAgainError, TooManyTriesError, WrongFactorError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Account, AuthSession, SecondFactor
from nrm.security import passkeys, passwords
from nrm.security import second_factor as codes
from nrm.security.passkeys import Site
from nrm.services import people, second_factor, sessions
from nrm.services import sign_in as signing_in
from nrm.services.audit import record
from nrm.services.second_factor import Code, PaperCode, PasskeyAnswer
from tests import ledger as ledgers
from tests import world as worlds
from tests.authenticator import Authenticator, challenge_in
from tests.world import PASSWORD, SEED

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
SITE = Site("Practice", "localhost", "http://localhost")
LIMITS = sessions.Limits(timedelta(hours=1), timedelta(hours=10))
sqlite_alone = pytest.mark.databases("sqlite")


def step_one(world, name="coordinator", address=HERE):
    """Give the password: the sitting that waits, and what it remembers."""
    opened = signing_in.password(world.email(name), PASSWORD, address, None)
    return opened, sessions.resume(opened.token, LIMITS).data


def code(steps=0, seed=SEED):
    return codes.code_at(seed, codes.step_of(datetime.now(UTC)) + steps)


def step_two(waiting, shown, address=HERE):
    opened, data = waiting
    return signing_in.second(data, shown, address, opened.id)


def reason(waiting, shown):
    """Say why the log says that it failed."""
    with pytest.raises(WrongFactorError) as wrong:
        step_two(waiting, shown)
    return wrong.value.why


def with_passkey(world, name="coordinator", **bent):
    device = Authenticator(**bent)
    question = passkeys.to_register(SITE, passkeys.new_challenge(), world.accounts[name], name, [])
    answer = device.make(question)
    second_factor.add_passkey(world.actor(name), SITE, challenge_in(question), answer)
    return device


def shown_by(device, challenge=None):
    question = passkeys.to_sign_in(SITE, challenge or passkeys.new_challenge(), [device.id])
    return PasskeyAnswer(device.show(question), challenge_in(question), SITE)


def test_between_the_two_steps_nobody_is_signed_in(world, ledger):
    opened, data = step_one(world)
    assert sessions.resume(opened.token, LIMITS).viewer is None
    db.session.rollback()
    assert db.session.scalars(select(AuthSession.account_id)).all() == [None]
    done = step_two((opened, data), Code(code()))
    assert sessions.resume(opened.token, LIMITS) is None
    sitting = sessions.resume(done.opened.token, LIMITS)
    assert sitting.viewer.actor.id == world.accounts["coordinator"]
    assert sitting.data == {}
    assert ledger.actions() == ["session:begin", "session:sign-in"]
    first, second = ledger.entries()
    assert (first.actor_id, second.actor_id) == (None, world.accounts["coordinator"])
    assert second.purpose == "app"


def test_the_account_knows_when_it_was_last_used(world):
    worlds.sitting(world, "auditor")
    db.session.rollback()
    seen = db.session.get_one(Account, world.accounts["auditor"]).seen_at
    assert abs(seen - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_code_works_once_and_no_older_one_after_it(world, counted):
    step_two(step_one(world), Code(code()))
    waiting = step_one(world)
    refused = [reason(waiting, Code(typed)) for typed in (code(), code(), code(-1))]
    assert refused == ["code-used"] * 3
    assert step_two(waiting, Code(code(1))).proven.by == "app"
    counted(f"row 27: a code that was used, or an older one: refused {len(refused)} of 3")


def test_two_at_once_with_one_code_open_one_sitting(world):
    waiting, results = [step_one(world), step_one(world)], []
    typed, ready = code(), threading.Barrier(2)

    def race(which):
        with world.app.app_context():
            ready.wait()
            try:
                results.append(step_two(which, Code(typed)).opened)
            except WrongFactorError as wrong:
                results.append(wrong.why)

    threads = [threading.Thread(target=race, args=(one,)) for one in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "code-used" in results
    assert sum(isinstance(one, sessions.Opened) for one in results) == 1


@pytest.mark.parametrize(("steps", "why"), [(5, "code-clock"), (-5, "code-clock"), (500, "code")])
@sqlite_alone
def test_a_telephone_with_a_wrong_clock_is_known_to_the_log(world, ledger, steps, why):
    assert reason(step_one(world), Code(code(steps))) == why
    failed = ledger.entries()[-1]
    assert (failed.action, failed.outcome, failed.purpose) == ("session:fail", "failed", why)
    assert failed.subject_id == world.accounts["coordinator"]


@sqlite_alone
def test_the_second_step_wants_the_first_to_be_fresh(world):
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        waiting = step_one(world)
        clock.shift(timedelta(minutes=9, seconds=59))
        assert signing_in.waiting(waiting[1]).email == world.email("coordinator")
        clock.shift(timedelta(seconds=1))
        with pytest.raises(StartAgainError):
            step_two(waiting, Code(code()))


@pytest.mark.parametrize("change", ["disabled", "reset", "another password"])
@sqlite_alone
def test_what_changes_between_the_steps_counts(world, change):
    waiting = step_one(world)
    if change == "disabled":
        people.disable(world.actor("administrator"), world.accounts["coordinator"])
    elif change == "reset":
        people.reset_factors(world.actor("administrator"), world.accounts["coordinator"])
    else:
        with unit_of_work() as unit:
            account = db.session.get_one(Account, world.accounts["coordinator"])
            account.password_hash = passwords.hash_password("another-practice")
            record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    with pytest.raises(StartAgainError):
        step_two(waiting, Code(code()))


@pytest.mark.parametrize("data", [{}, {"csrf_token": "practice"}])
@sqlite_alone
def test_without_the_first_step_there_is_no_second(world, data):
    opened, _ = step_one(world)
    with pytest.raises(StartAgainError):
        signing_in.second(data, Code(code()), HERE, opened.id)


def test_an_account_that_was_never_activated_opens_to_no_password(world, ledger):
    """Not even to the one whose hash stands in for those of unknown accounts."""
    with unit_of_work() as unit:
        account = db.session.get_one(Account, world.accounts["analyst"])
        account.password_hash = ""
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    for typed in ("", PASSWORD, "nobody signs in with this"):
        assert signing_in.password(world.email("analyst"), typed, HERE, None) is None
    assert ledger.actions()[1:] == ["session:fail"] * 3


# Setting up


def without_factor(world, name="coordinator"):
    with unit_of_work() as unit:
        second_factor.reset(unit, HOUSEKEEPING, world.accounts[name])


def test_whoever_has_no_second_factor_sets_one_up_first(world, ledger):
    without_factor(world)
    opened, data = step_one(world)
    seed = signing_in.waiting(data).seed
    with pytest.raises(WrongFactorError):
        step_two((opened, data), Code(code(seed=seed)))
    done = signing_in.set_up(data, code(seed=seed), HERE, opened.id)
    assert sessions.resume(done.opened.token, LIMITS).viewer is not None
    assert len(set(done.recovery_codes)) == 10
    assert ledger.actions() == [
        "factor:reset", "session:begin", "session:fail",
        "factor:add", "recovery:make", "session:sign-in",
    ]  # fmt: skip
    # The code that set it up is used up, and so is the seed of that first step.
    waiting = step_one(world)
    assert reason(waiting, Code(code(seed=seed))) == "code-used"
    assert signing_in.waiting(waiting[1]).seed is None


def test_of_two_windows_that_set_up_one_counts(world):
    without_factor(world)
    first, second = step_one(world), step_one(world)
    seeds = [signing_in.waiting(data).seed for _, data in (first, second)]
    assert seeds[0] != seeds[1]
    signing_in.set_up(first[1], code(seed=seeds[0]), HERE, first[0].id)
    with pytest.raises(StartAgainError):
        signing_in.set_up(second[1], code(seed=seeds[1]), HERE, second[0].id)
    db.session.rollback()
    kept = select(SecondFactor).where(SecondFactor.account_id == world.accounts["coordinator"])
    assert len(db.session.scalars(kept).all()) == 1


@sqlite_alone
def test_a_wrong_first_code_sets_nothing_up(world):
    without_factor(world)
    opened, data = step_one(world)
    with ledgers.nothing_changes(), pytest.raises(WrongFactorError):
        signing_in.set_up(data, "000000", HERE, opened.id)
    assert second_factor.needed(world.accounts["coordinator"])


# Codes on paper


def test_a_code_on_paper_works_once(world, ledger):
    made = second_factor.make_codes(world.actor("coordinator"))
    done = step_two(step_one(world), PaperCode(made[3].lower().replace("-", " ")))
    assert done.proven.codes_left == 9
    used = next(one for one in ledger.entries() if one.action == "recovery:use")
    assert ledgers.detail(used)["counts"] == {"left": 9}
    assert reason(step_one(world), PaperCode(made[3])) == "recovery-used"
    assert reason(step_one(world), PaperCode("AAAA-AAAA-AAAA")) == "recovery"
    assert step_two(step_one(world), PaperCode(made[4])).proven.codes_left == 8


@sqlite_alone
def test_another_persons_code_on_paper_is_worth_nothing(world):
    made = second_factor.make_codes(world.actor("auditor"))
    assert reason(step_one(world), PaperCode(made[0])) == "recovery"


@sqlite_alone
def test_new_codes_end_the_old_ones(world):
    old = second_factor.make_codes(world.actor("coordinator"))
    second_factor.make_codes(world.actor("coordinator"))
    assert reason(step_one(world), PaperCode(old[0])) == "recovery"


# Passkeys


def test_a_passkey_signs_in(world, ledger):
    device = with_passkey(world)
    done = step_two(step_one(world), shown_by(device))
    assert done.proven.by == "passkey"
    assert ledger.actions() == ["factor:add", "session:begin", "session:sign-in"]


def test_a_passkey_is_refused_when_anything_about_it_is_wrong(world):
    device = with_passkey(world)
    waiting = step_one(world)
    other_site = Authenticator("https://elsewhere.example")
    other_site.key, other_site.id = device.key, device.id
    other_port = Authenticator("http://localhost:8080")
    other_port.key, other_port.id = device.key, device.id
    unverified = Authenticator(verifies=False)
    unverified.key, unverified.id = device.key, device.id
    forged = Authenticator()
    forged.id = device.id
    for attack in (other_site, other_port, unverified, forged, Authenticator()):
        assert reason(waiting, shown_by(attack)) == "passkey"
    someone_elses = with_passkey(world, "second_coordinator")
    assert reason(waiting, shown_by(someone_elses)) == "passkey"
    answered = shown_by(device)
    replayed = PasskeyAnswer(answered.answer, passkeys.new_challenge(), SITE)
    assert reason(waiting, replayed) == "passkey"
    for broken in ("", "{}", "[]", "null", '{"rawId": 1}', '{"rawId": "AA"}', "\x00"):
        assert reason(waiting, PasskeyAnswer(broken, passkeys.new_challenge(), SITE)) == "passkey"
    assert step_two(waiting, answered).proven.by == "passkey"


@pytest.mark.parametrize(
    ("kept", "told", "let_in", "doubted"),
    [
        (0, 0, True, False),
        (0, 5, True, False),
        (5, 6, True, False),
        (5, 0, True, True),
        (5, 5, False, False),
        (5, 3, False, False),
    ],
)
@sqlite_alone
def test_a_passkey_that_counts_from_an_older_count_was_copied(
    world, ledger, kept, told, let_in, doubted
):
    device = with_passkey(world)
    with unit_of_work() as unit:
        db.session.execute(
            update(SecondFactor)
            .where(SecondFactor.credential_id == device.id)
            .values(sign_count=kept)
        )
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    device.count = told - 1
    if told == 0:
        device.show = _without_count(device)
    waiting = step_one(world)
    if let_in:
        step_two(waiting, shown_by(device))
    else:
        assert reason(waiting, shown_by(device)) == "passkey-count"
    assert ("factor:doubt" in ledger.actions()) == doubted


def _without_count(device):
    show = device.show

    def shown(question):
        device.count = -1
        return show(question)

    return shown


# Guessing


def wrong_code():
    """Give six digits that are right at no time near this one."""
    near = {code(steps) for steps in range(-3, 4)}
    return next(f"{guess:06}" for guess in range(1_000_000) if f"{guess:06}" not in near)


@sqlite_alone
def test_guessing_codes_is_slowed_and_a_passkey_still_works_from_another_address(world):
    device = with_passkey(world)
    waiting = step_one(world)
    for _ in range(5):
        with pytest.raises(WrongFactorError):
            step_two(waiting, Code(wrong_code()), ELSEWHERE)
    with pytest.raises(TooManyTriesError) as waits:
        step_two(waiting, Code(wrong_code()), ELSEWHERE)
    assert waits.value.wait <= timedelta(seconds=5)
    # Neither the right code nor one on paper is looked at meanwhile.
    made = second_factor.make_codes(world.actor("coordinator"))
    for shown in (Code(code()), PaperCode(made[0])):
        with pytest.raises(TooManyTriesError):
            step_two(waiting, shown, ELSEWHERE)
    assert step_two(waiting, shown_by(device), ELSEWHERE).proven.by == "passkey"
    # And the code from where the person always is.
    assert step_two(step_one(world), Code(code())).proven.by == "app"


# Confirming once more


def test_confirming_changes_the_token_and_counts_for_ten_minutes(world, ledger):
    opened = worlds.sitting(world, "coordinator")
    assert sessions.is_confirmed(opened.id)
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    with unit_of_work():
        db.session.execute(update(AuthSession).values(confirmed_at=long_ago))
    assert not sessions.is_confirmed(opened.id)
    actor = sessions.resume(opened.token, LIMITS).viewer.actor
    with pytest.raises(WrongFactorError):
        signing_in.confirm(actor, opened.id, Code("000000"), HERE)
    assert not sessions.is_confirmed(opened.id)
    token, proven = signing_in.confirm(actor, opened.id, Code(code(1)), HERE)
    assert proven.by == "app"
    assert sessions.is_confirmed(opened.id)
    assert sessions.resume(opened.token, LIMITS) is None
    resumed = sessions.resume(token, LIMITS)
    # The same sitting in the log, under another token.
    assert resumed.viewer.actor.session_ref == opened.reference
    said = [(one.action, one.outcome, one.purpose) for one in ledger.entries()[-2:]]
    assert said == [("session:confirm", "failed", "code"), ("session:confirm", "done", "app")]


@sqlite_alone
def test_a_sitting_that_never_showed_a_factor_is_not_confirmed(world):
    opened, _ = step_one(world)
    assert not sessions.is_confirmed(opened.id)
