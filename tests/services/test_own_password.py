"""Choosing another password of one's own: who had the old one is out, and nobody guesses on."""

from dataclasses import replace

import pytest

from nrm.domain.errors import InvalidInputError, TooManyTriesError
from nrm.services import own_password
from tests import world as worlds
from tests.ledger import nothing_changes
from tests.services.test_limits import HERE, NEW, resumed, sign_in
from tests.world import PASSWORD


def test_changing_the_password_keeps_this_sitting_and_no_other(world, ledger):
    here, there = sign_in(world, "provider"), sign_in(world, "provider")
    bystander = sign_in(world, "colleague")
    token = own_password.change(resumed(here).viewer.actor, here.id, PASSWORD, NEW, HERE)
    assert resumed(here) is None
    assert resumed(replace(here, token=token)).viewer.actor.id == world.accounts["provider"]
    assert resumed(there) is None
    assert resumed(bystander) is not None
    assert worlds.knock(world, "provider", PASSWORD) is None
    assert worlds.knock(world, "provider", NEW) is not None
    assert "account:change-password" in ledger.actions()


def test_without_the_old_password_there_is_no_new_one_and_the_log_says_so(world, ledger):
    here, there = sign_in(world, "provider"), sign_in(world, "provider")
    with pytest.raises(InvalidInputError) as refused:
        own_password.change(resumed(here).viewer.actor, here.id, "wrong", NEW, HERE)
    assert refused.value.field == "old"
    assert ledger.entries()[-1].outcome == "failed"
    assert resumed(here) is not None
    assert resumed(there) is not None


@pytest.mark.parametrize("new", [PASSWORD, "short", "password1234", "practice-provider", "x" * 257])
def test_a_bad_new_password_changes_nothing(world, new):
    here = sign_in(world, "provider")
    with pytest.raises(InvalidInputError) as refused:
        own_password.change(resumed(here).viewer.actor, here.id, PASSWORD, new, HERE)
    assert refused.value.field == "password"
    assert resumed(here) is not None
    assert worlds.knock(world, "provider", PASSWORD) is not None


def test_whoever_found_a_sitting_open_does_not_guess_on_in_it(world, ledger):
    """Counted with the wrong ones at the door, and the right one waits then as well."""
    here = sign_in(world, "provider")
    me = resumed(here).viewer.actor
    for _ in range(3):
        with pytest.raises(InvalidInputError):
            own_password.change(me, here.id, "wrong", NEW, HERE)
    assert worlds.knock(world, "provider", "wrong") is None
    with pytest.raises(InvalidInputError):
        own_password.change(me, here.id, "wrong", NEW, HERE)
    with nothing_changes(), pytest.raises(TooManyTriesError):
        own_password.change(me, here.id, PASSWORD, NEW, HERE)
    with pytest.raises(TooManyTriesError):
        worlds.knock(world, "provider", PASSWORD)
    tried = [entry.outcome for entry in ledger.entries() if "change-password" in entry.action]
    assert tried == ["failed"] * 4
    # The sitting goes on, and nobody else waits.
    assert resumed(here) is not None
    assert worlds.knock(world, "colleague", PASSWORD) is not None


def test_trying_new_passwords_until_one_is_good_is_no_guessing(world):
    here = sign_in(world, "provider")
    me = resumed(here).viewer.actor
    for new in ["short", "password1234", "practice-provider"] * 3:
        with pytest.raises(InvalidInputError):
            own_password.change(me, here.id, PASSWORD, new, HERE)
    assert own_password.change(me, here.id, PASSWORD, NEW, HERE)
