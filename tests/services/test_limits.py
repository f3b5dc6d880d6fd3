"""A token is worth nothing once its sitting is over, however it ended (attack table, row 26).

Where the table asks for a 401, a browser is led to the door by a 303: people see these answers.
"""

from contextvars import Context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import NotFoundError, RefusedError
from nrm.domain.roles import HOUSEKEEPING, HUMAN_ROLES, Role
from nrm.domain.sitting import LASTS
from nrm.models import Account, AuthSession
from nrm.security import passwords
from nrm.services import own_password, people, sessions, sign_in_history, sittings
from nrm.services import sign_in as signing_in
from nrm.services.audit import record
from nrm.services.sessions import Click
from tests import world as worlds
from tests.world import ONE_PER_ROLE, PASSWORD

LIMITS = sessions.Limits(timedelta(minutes=30), timedelta(hours=10))
NEW, HERE = "nineteen-quiet-herons", "192.0.2.1"
SECOND = timedelta(seconds=1)


def sign_in(world, name, old=None):
    return worlds.sitting(world, name, old)


def moved(opened, **values):
    """Let time pass for one sitting."""
    with unit_of_work():
        db.session.execute(update(AuthSession).where(AuthSession.id == opened.id).values(**values))


def resumed(opened, limits=LIMITS):
    db.session.rollback()
    return sessions.resume(opened.token, limits)


def ago(span):
    return datetime.now(UTC) - span


def signed_out(world, name, opened):
    del world, name
    signing_in.sign_out(resumed(opened).viewer.actor, opened.id)


def password_changed(world, name, opened):
    """From another browser: the stolen one is not the one that goes on."""
    del opened
    other = sign_in(world, name)
    own_password.change(resumed(other).viewer.actor, other.id, PASSWORD, NEW, HERE)


def password_changed_here(world, name, opened):
    """Whoever copied the token of the very sitting that goes on is out as well."""
    del world, name
    own_password.change(resumed(opened).viewer.actor, opened.id, PASSWORD, NEW, HERE)


def disabled(world, name, opened):
    """By another administrator: nobody disables their own account."""
    del opened
    if world.actor(name).role is Role.ADMINISTRATOR:
        # The last one stays, whoever asks.
        worlds.another_administrator(world)
    people.disable(replace(world.actor("administrator"), id=uuid4()), world.accounts[name])


def role_changed(world, name, opened):
    """The act itself is another's; what it calls, within its own transaction, is this."""
    del opened
    with unit_of_work():
        assert sessions.end_all(world.accounts[name]) >= 1


def ended_elsewhere(world, name, opened):
    other = sign_in(world, name)
    sittings.end_own(resumed(other).viewer.actor, opened.id)


def others_ended(world, name, opened):
    del opened
    other = sign_in(world, name)
    sittings.end_own_others(resumed(other).viewer.actor, other.id)


def idle(world, name, opened):
    del world
    moved(opened, seen_at=ago(LASTS[role_of(name)].idle + SECOND))


def too_old(world, name, opened):
    del world
    moved(opened, created_at=ago(LASTS[role_of(name)].absolute + SECOND))


def replaced(world, name, opened):
    """Signing in anew in the same browser ends what was open there: fixation."""
    sign_in(world, name, opened.id)


def role_of(name):
    return next(role for role, person in ONE_PER_ROLE.items() if person == name)


def knocks(world, opened):
    """Send a token as a browser does, in a context of its own, which lends the request no user."""
    db.session.rollback()
    browser = world.app.test_client()
    browser.set_cookie("nrm", opened.token)
    answer = Context().run(browser.get, "/account/sittings")
    return answer.status_code, answer.headers.get("Location")


# The answer to whoever has no sitting.
DOOR = (303, "/sign-in")
ENDS = (
    signed_out,
    password_changed,
    password_changed_here,
    disabled,
    role_changed,
    ended_elsewhere,
    others_ended,
    idle,
    too_old,
    replaced,
)


def test_a_stolen_token_is_refused_however_its_sitting_ended(world, counted):
    """Each end, for each role, before housekeeping sweeps and after, and once by a request."""
    refused = 0
    for role in HUMAN_ROLES:
        name = ONE_PER_ROLE[role]
        for ends in ENDS:
            opened = sign_in(world, name)
            assert resumed(opened) is not None
            assert knocks(world, opened) == (200, None)
            ends(world, name, opened)
            assert resumed(opened) is None, (role, ends.__name__)
            assert knocks(world, opened) == DOOR, (role, ends.__name__)
            sessions.sweep(LIMITS)
            assert resumed(opened) is None
            refused += 3
            restored(world, name)
    # A token that somebody planted before the sign-in is not the one after it.
    for role in HUMAN_ROLES:
        planted = sessions.open_anonymous({}, LIMITS)
        opened = sign_in(world, ONE_PER_ROLE[role], planted.id)
        assert opened.token != planted.token
        assert resumed(planted) is None
        assert knocks(world, planted) == DOOR
        refused += 2
    expected = len(HUMAN_ROLES) * (3 * len(ENDS) + 2)
    assert refused == expected
    counted(f"row 26: tokens of ended sittings tried {refused} times, refused {refused} times")


def restored(world, name):
    """Give the account its old password again, and let it in."""
    with unit_of_work() as unit:
        account = db.session.get_one(Account, world.accounts[name])
        account.password_hash = passwords.hash_password(PASSWORD)
        account.disabled_at = None
        sessions.end_all(account.id)
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


# The limits of a role


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_a_sitting_lasts_as_long_as_the_table_says(world, role):
    name, lasts = ONE_PER_ROLE[role], LASTS[role]
    opened = sign_in(world, name)
    for values, good in (
        ({"seen_at": ago(lasts.idle - 5 * SECOND)}, True),
        ({"seen_at": ago(lasts.idle + SECOND)}, False),
        ({"seen_at": ago(SECOND), "created_at": ago(lasts.absolute - 5 * SECOND)}, True),
        ({"created_at": ago(lasts.absolute + SECOND)}, False),
    ):
        moved(opened, **values)
        assert (resumed(opened) is not None) == good
        # Housekeeping removes what cannot be resumed, and nothing else.
        assert sessions.sweep(LIMITS) == (0 if good else 1)
        if not good:
            opened = sign_in(world, name)


def test_settings_make_it_shorter_for_everybody_and_longer_for_nobody(world):
    short = sessions.Limits(timedelta(minutes=3), timedelta(hours=1))
    long = sessions.Limits(timedelta(hours=9), timedelta(hours=20))
    for role in HUMAN_ROLES:
        assert short.of(role) == short
        assert long.of(role) == sessions.Limits(LASTS[role].idle, LASTS[role].absolute)
    opened = sign_in(world, "analyst")
    moved(opened, seen_at=ago(timedelta(minutes=4)))
    assert resumed(opened) is not None
    assert resumed(opened, short) is None


def test_every_role_has_its_limits_and_who_sees_persons_the_shorter_ones():
    assert set(LASTS) == set(HUMAN_ROLES)
    for role in (Role.COORDINATOR, Role.PROVIDER, Role.DECISION_MAKER):
        assert LASTS[role].idle < LASTS[Role.ANALYST].idle
        assert LASTS[role].cover < LASTS[Role.ANALYST].cover


# The clock


def test_pressing_moves_the_clock_at_once_and_a_page_by_itself_never(world):
    opened = sign_in(world, "coordinator")
    for click, moves in ((Click.NONE, False), (Click.USUAL, True), (Click.PRESSED, True)):
        before = ago(timedelta(minutes=5))
        moved(opened, seen_at=before)
        sitting = resumed(opened)
        sessions.save(sitting, {"practice": 1}, click)
        assert (resumed(opened).seen_at > before) == moves, click
        assert resumed(opened).data == {"practice": 1}
    soon = ago(timedelta(seconds=20))
    for click, moves in ((Click.NONE, False), (Click.USUAL, False), (Click.PRESSED, True)):
        moved(opened, seen_at=soon)
        sessions.save(resumed(opened), None, click)
        assert (resumed(opened).seen_at > soon) == moves, click


def test_pressing_does_not_make_a_sitting_longer_than_it_may_last(world):
    opened = sign_in(world, "coordinator")
    moved(opened, created_at=ago(LASTS[Role.COORDINATOR].absolute - 5 * SECOND))
    ends_at = resumed(opened).ends_at
    sessions.save(resumed(opened), None, Click.PRESSED)
    assert resumed(opened).ends_at == ends_at
    moved(opened, created_at=ago(LASTS[Role.COORDINATOR].absolute))
    assert resumed(opened) is None


def test_another_token_makes_no_sitting_younger(world):
    opened = sign_in(world, "coordinator")
    ends_at = resumed(opened).ends_at
    with unit_of_work():
        renewed = sessions.renew(opened.id)
    assert resumed(opened) is None
    again = replace(opened, token=renewed)
    assert resumed(again).ends_at == ends_at
    assert resumed(again).viewer.actor.session_ref == opened.reference


# Lists


def test_the_list_shows_where_one_is_signed_in_and_marks_this_one(world):
    here, there, over = (sign_in(world, "provider") for _ in range(3))
    sessions.save(resumed(there), None, device="Firefox on Android")
    moved(over, seen_at=ago(timedelta(minutes=16)))
    sign_in(world, "colleague")
    places = sittings.own(resumed(here).viewer.actor, LIMITS)
    assert {(place.id, place.device, place.here) for place in places} == {
        (here.id, "", True),
        (there.id, "Firefox on Android", False),
    }


def test_the_device_is_the_one_at_which_somebody_signed_in(world):
    opened = sign_in(world, "provider")
    for said in ("Firefox on Android", "Chrome on Windows"):
        sessions.save(resumed(opened), None, device=said)
        assert resumed(opened).device == "Firefox on Android"


def test_nobody_ends_the_sitting_of_somebody_else_by_its_id(world):
    mine, theirs = sign_in(world, "provider"), sign_in(world, "colleague")
    with pytest.raises(NotFoundError):
        sittings.end_own(resumed(mine).viewer.actor, theirs.id)
    with pytest.raises(NotFoundError):
        sittings.end_of_person(world.actor("administrator"), world.accounts["provider"], theirs.id)
    assert resumed(theirs) is not None


def test_whoever_keeps_an_account_sees_and_ends_its_sittings(world, ledger):
    opened = [sign_in(world, "provider") for _ in range(3)]
    for keeper in ("administrator", "organisation_administrator"):
        _, places = sittings.of_person(world.actor(keeper), world.accounts["provider"], LIMITS)
        assert {place.id for place in places} == {one.id for one in opened}
        assert not any(place.here for place in places)
    sittings.end_of_person(world.actor("administrator"), world.accounts["provider"], opened[0].id)
    assert [resumed(one) is not None for one in opened] == [False, True, True]
    sittings.end_all_of_person(
        world.actor("organisation_administrator"), world.accounts["provider"]
    )
    assert [resumed(one) for one in opened] == [None, None, None]
    assert ledger.actions().count("session:end") == 2


def test_an_organisation_administrator_knows_of_no_account_elsewhere(world):
    sign_in(world, "clinician")
    for act in (sittings.of_person, sign_in_history.of_person):
        options = (LIMITS,) if act is sittings.of_person else ()
        with pytest.raises(NotFoundError):
            act(world.actor("organisation_administrator"), world.accounts["clinician"], *options)


def test_nobody_keeps_their_own_account(world):
    for name in ("administrator", "organisation_administrator"):
        with pytest.raises(RefusedError):
            sittings.of_person(world.actor(name), world.accounts[name], LIMITS)


# History


def test_failed_attempts_since_the_last_sign_in_are_counted(world):
    def attempts():
        opened = sign_in(world, "provider")
        return sign_in_history.failed_since_last(resumed(opened).viewer.actor)

    assert attempts().times == 0
    for _ in range(2):
        worlds.knock(world, "provider", "wrong")
    worlds.knock(world, "colleague", "wrong")
    told = attempts()
    assert told.times == 2
    assert told.since is not None
    assert attempts().times == 0


def test_the_history_goes_on_page_by_page_and_holds_one_account_alone(world, monkeypatch):
    monkeypatch.setattr(sign_in_history, "PAGE", 3)
    for wrong in (False, True, False, True, False):
        sign_in(world, "colleague")
        if wrong:
            worlds.knock(world, "provider", "wrong")
        else:
            sign_in(world, "provider")
    seen, before = [], None
    while True:
        found = sign_in_history.own(world.actor("provider"), before)
        # A password that was accepted stands there as well, before each of the codes.
        seen += [event.action for event in found.events if event.action != "session:begin"]
        before = found.older
        if before is None:
            break
    good, bad = "session:sign-in", "session:fail"
    assert seen == [good, bad, good, bad, good]


def test_a_process_that_may_not_read_the_log_says_so_instead_of_failing(world, monkeypatch):
    monkeypatch.setattr(sign_in_history, "readable", lambda: False)
    opened = sign_in(world, "analyst")
    assert sign_in_history.failed_since_last(resumed(opened).viewer.actor).times == 0
    assert db.session.scalars(select(AuthSession)).first() is not None
