"""How the practice people come and go: who signed in when, who is invited, gone or forgotten."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from nrm.audit.actions import Action
from nrm.cli.demonstration.acts import World
from nrm.cli.demonstration.foundation import LONG_AGO, create
from nrm.cli.demonstration.timeline import Script
from nrm.country.demonstration import DemoColleague, Demonstration
from nrm.db import db, unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.roles import Actor, Role
from nrm.models import Account
from nrm.services import dormancy, invitations, people
from nrm.services.accounts import NewAccount
from nrm.services.audit import record

# Everyone is seen before housekeeping looks for those who are not, and again in the last days.
_SEEN_BEFORE = timedelta(days=60)
_BETWEEN_TWO = timedelta(hours=5)
_INVITED = timedelta(hours=20)
_CAME = LONG_AGO - timedelta(days=3)
_LAST_SEEN = {
    "left": timedelta(days=40),
    "unseen": timedelta(days=45),
    "dormant": timedelta(days=120),
}
_DORMANT_AFTER = timedelta(days=90)


def scripts(world: World, demonstration: Demonstration) -> Iterator[tuple[datetime, Script]]:
    """Return when each of them begins to act, and what becomes of their account."""
    for at, who in enumerate(world.cast.actors.values()):
        yield world.now - _SEEN_BEFORE, _signs_in(who, _SEEN_BEFORE - (at + 1) * _BETWEEN_TWO)
    for colleague in demonstration.colleagues:
        invited = colleague.state == "invited"
        yield world.now - (_INVITED if invited else _CAME), _comes_and_goes(world, colleague)


def _signs_in(who: Actor, again: timedelta) -> Script:
    _seen(who)
    yield again
    _seen(who)


def _seen(who: Actor) -> None:
    """Let somebody have signed in: else everybody here would be dormant."""
    with unit_of_work() as unit:
        db.session.get_one(Account, who.id).seen_at = unit.now
        record(unit, who, Action.SESSION_SIGN_IN, Subject("account", who.id))


def _comes_and_goes(world: World, who: DemoColleague) -> Script:
    administrator = world.cast.of(Role.ADMINISTRATOR)[0]
    home = world.cast.organisations[who.organisation]
    new = NewAccount(who.name, who.email, home, Role(who.role))
    if who.state == "invited":
        invitations.invite(administrator, new)
        return
    # A password that nobody learns: these people do not come in again.
    kept = NewAccount(who.name, who.email, home, new.role, secrets.token_urlsafe())
    account_id = create(administrator, kept)
    yield _CAME - _LAST_SEEN[who.state]
    _seen(Actor(account_id, home, new.role))
    if who.state == "left":
        yield timedelta(days=10)
        people.disable(administrator, account_id, "left")
    if who.state == "dormant":
        yield from _is_forgotten()


def _is_forgotten() -> Script:
    yield _DORMANT_AFTER + timedelta(days=1)
    dormancy.disable_dormant(_DORMANT_AFTER)
