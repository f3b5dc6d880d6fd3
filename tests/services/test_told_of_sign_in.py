"""Whoever's way to sign in was changed is told of it, whoever did it, and from which sitting."""

import pytest

from nrm.db import db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Notice
from nrm.security import second_factor as codes
from nrm.services import (
    federation,
    invitations,
    notices,
    own_password,
    people,
    second_factor,
    sessions,
)
from nrm.services import sign_in as signing_in
from nrm.services.second_factor import Code
from tests import access
from tests import world as worlds
from tests.services.test_federation import connected
from tests.services.test_invitations import CHOSEN, EMAIL, invited
from tests.services.test_second_factor import factors, now_code
from tests.services.test_sign_in import HERE, LIMITS, with_passkey
from tests.world import PASSWORD


def seen_before(world, name="provider"):
    """Let somebody have signed in once; returns the sitting."""
    return worlds.sitting(world, name)


def resumed(opened):
    return sessions.resume(opened.token, LIMITS)


def reset_at_the_console(world):
    second_factor.reset_by_email(world.email("provider"))


def link_at_the_console(world):
    invitations.link_for(world.email("provider"))


def link_used(world):
    link = invitations.renew(world.actor("administrator"), world.accounts["provider"]).link
    invitations.activate(link.token, CHOSEN)


def passkey_removed(world):
    with_passkey(world, "provider")
    removed = factors(world, "provider")[-1]
    second_factor.remove(world.actor("provider"), removed.id)


def app_removed(world):
    with_passkey(world, "provider")
    removed = factors(world, "provider")[0]
    second_factor.remove(world.actor("provider"), removed.id)


def another_app(world):
    seed = codes.new_seed()
    second_factor.set_up_app(world.actor("provider"), seed, now_code(seed))


def another_password(world):
    here = worlds.sitting(world, "provider")
    own_password.change(world.actor("provider"), here.id, PASSWORD, CHOSEN, HERE)


def disconnected(world):
    connected(world, "provider")
    federation.disconnect(world.actor("provider"))


def by_the_administrator(act):
    return lambda world: act(world.actor("administrator"), world.accounts["provider"])


CHANGES = {
    "another password": (another_password, ["password_changed"]),
    "a link that is used": (link_used, ["link_made", "password_changed"]),
    "a link": (by_the_administrator(invitations.renew), ["link_made"]),
    "a link at the console": (link_at_the_console, ["link_made"]),
    "another app": (another_app, ["app_added"]),
    "the app removed": (app_removed, ["app_removed", "passkey_added"]),
    "a passkey": (lambda world: with_passkey(world, "provider"), ["passkey_added"]),
    "a passkey removed": (passkey_removed, ["passkey_added", "passkey_removed"]),
    "new codes": (lambda w: second_factor.make_codes(w.actor("provider")), ["codes_made"]),
    "a connection": (lambda world: connected(world, "provider"), ["connection_added"]),
    "a connection removed": (disconnected, ["connection_added", "connection_removed"]),
    "a reset": (by_the_administrator(people.reset_factors), ["factors_reset"]),
    "a reset at the console": (reset_at_the_console, ["factors_reset"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whoevers_way_to_sign_in_was_changed_is_told_and_nobody_else(world, change):
    act, kinds = CHANGES[change]
    seen_before(world)
    act(world)
    assert sorted(access.told(world, "provider")) == kinds
    assert {*db.session.scalars(db.select(Notice.account_id))} == {world.accounts["provider"]}
    [*subjects] = db.session.execute(db.select(Notice.subject_id, Notice.case_id))
    assert {*map(tuple, subjects)} == {(world.accounts["provider"], None)}


def test_whoever_comes_in_for_the_first_time_has_nothing_to_be_told(world):
    """An invitation, a second link, the first password, the first app, the first codes."""
    administrator = world.actor("administrator")
    account_id = invited(world).account_id
    link = invitations.renew(administrator, account_id).link
    invitations.activate(link.token, CHOSEN)
    opened = signing_in.password(EMAIL, CHOSEN, HERE, None)
    data = resumed(opened).data
    seed = data[signing_in.KEPT_AS]["seed"]
    here = signing_in.set_up(data, now_code(seed), HERE, opened.id).opened
    assert not resumed(here).viewer.to_know
    assert db.session.scalars(db.select(Notice)).all() == []


def test_a_change_that_is_refused_is_not_told(world):
    here = seen_before(world)
    with pytest.raises(InvalidInputError):
        own_password.change(resumed(here).viewer.actor, here.id, "wrong", CHOSEN, HERE)
    assert access.told(world, "provider") == []


def test_other_sittings_are_told_at_once_and_the_one_that_did_it_is_not(world):
    """Whoever sits there knows it, and must not be the one who marks it as seen."""
    here, there = seen_before(world), seen_before(world)
    me, other = resumed(here).viewer.actor, resumed(there).viewer.actor
    second_factor.make_codes(me)
    assert [resumed(one).viewer.to_know for one in (here, there)] == [False, True]
    assert notices.waiting(me) == []
    [one] = notices.waiting(other)
    with pytest.raises(NotFoundError):
        notices.see(me, one.notice.id)
    notices.see(other, one.notice.id)
    assert not resumed(there).viewer.to_know


def test_the_sitting_that_did_it_is_told_whatever_else_there_is(world):
    here = seen_before(world)
    me = resumed(here).viewer.actor
    second_factor.make_codes(me)
    invitations.renew(world.actor("administrator"), me.id)
    assert resumed(here).viewer.to_know
    assert [one.notice.kind for one in notices.waiting(me)] == ["link_made"]
    after = seen_before(world)
    waiting = notices.waiting(resumed(after).viewer.actor)
    assert [one.notice.kind for one in waiting] == ["link_made", "codes_made"]


def test_a_new_telephone_after_a_reset_is_told_from_the_next_sign_in_on(world):
    seen_before(world)
    people.reset_factors(world.actor("administrator"), world.accounts["provider"])
    opened = signing_in.password(world.email("provider"), PASSWORD, HERE, None)
    data = resumed(opened).data
    seed = data[signing_in.KEPT_AS]["seed"]
    here = signing_in.set_up(data, now_code(seed, -1), HERE, opened.id).opened
    waiting = notices.waiting(resumed(here).viewer.actor)
    assert [one.notice.kind for one in waiting] == ["factors_reset"]
    opened = signing_in.password(world.email("provider"), PASSWORD, HERE, None)
    data = resumed(opened).data
    after = signing_in.second(data, Code(now_code(seed)), HERE, opened.id).opened
    waiting = notices.waiting(resumed(after).viewer.actor)
    assert {one.notice.kind for one in waiting} == {"factors_reset", "app_added", "codes_made"}


def test_a_disabled_account_is_told_once_it_is_enabled(world):
    administrator, who = world.actor("administrator"), world.accounts["provider"]
    seen_before(world)
    people.disable(administrator, who, "on_leave")
    people.reset_factors(administrator, who)
    people.enable(administrator, who)
    assert access.told(world, "provider") == ["factors_reset"]


def test_there_is_no_notice_of_a_kind_without_words(world):
    seen_before(world)
    with unit_of_work() as unit, pytest.raises(ValueError, match="no such kind"):
        notices.tell_of_sign_in(unit, HOUSEKEEPING, world.accounts["provider"], "gossip")
