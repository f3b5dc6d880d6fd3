"""Who looks after the practice cases: somebody is away, a case is offered, and two have left."""

import secrets
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select

from nrm.cli.demonstration import people, plots
from nrm.cli.demonstration.acts import World
from nrm.cli.demonstration.foundation import create
from nrm.cli.demonstration.story import Story
from nrm.cli.demonstration.timeline import Script
from nrm.db import db
from nrm.domain.roles import Actor, Role
from nrm.models import Case
from nrm.services import absence, hand_over, identification, ownership
from nrm.services.accounts import NewAccount
from nrm.services.people import disable

# Beside no other person of the practice world.
_NUMBER = 60
_SOMEONE = Story(timedelta(), plots.flagged, "unsure", "female", 20, ("emergency_shelter",))
_WORDS = "Practice text: her family lives in the north. The shelter there has room from Monday."


def scripts(world: World) -> Iterator[tuple[timedelta, Script]]:
    """Give each script with how long ago it begins."""
    yield timedelta(days=4), _draft_is_left(world)
    yield timedelta(hours=30), _somebody_is_away(world)
    yield timedelta(hours=3), _case_is_offered(world)
    yield timedelta(hours=2), _case_is_left(world)


def _draft_is_left(world: World) -> Script:
    """Let a first responder begin a flag, and leave before it is sent."""
    colleague = world.cast.actors["investigator"]
    leaver = _newcomer(world, "K. Leaver (practice)", colleague)
    on = (world.now - timedelta(days=4)).astimezone(world.pack.zone).date()
    pages = people.pages(world.pack, _NUMBER, _SOMEONE, on)
    draft_id = identification.start_draft(leaver)
    for page in list(pages)[:4]:
        yield timedelta(minutes=2)
        identification.save_page(leaver, draft_id, page, pages[page])
    yield timedelta(days=1)
    _leave(world, leaver)


def _somebody_is_away(world: World) -> Script:
    """Let one coordinator be away for some days, and the other stand in."""
    stand_in, away = world.cast.coordinators
    absence.set_away(away, world.today + timedelta(days=5), stand_in.id, world.pack)
    yield timedelta()


def _case_is_offered(world: World) -> Script:
    """Offer a case to the unit of the north, which has not answered yet."""
    owner = world.cast.coordinators[0]
    reference = _open_case(owner)
    if reference is not None:
        north = world.cast.actors["coordinator-north"]
        hand_over.offer(owner, reference, north.id, _WORDS)
    yield timedelta()


def _case_is_left(world: World) -> Script:
    """Let a coordinator take a new flag, and leave."""
    leaver = _newcomer(world, "L. Leaver (practice)", world.cast.coordinators[0])
    reference = _open_case(None)
    if reference is not None:
        ownership.take(leaver, reference)
    yield timedelta(minutes=30)
    _leave(world, leaver)


def _open_case(owner: Actor | None) -> str | None:
    """Take the newest open case of somebody, or of nobody."""
    query = select(Case.reference).where(
        Case.owner_id.is_not_distinct_from(owner.id if owner else None), Case.closed_at.is_(None)
    )
    return db.session.scalars(query.order_by(Case.flagged_at.desc(), Case.id).limit(1)).first()


def _newcomer(world: World, name: str, beside: Actor) -> Actor:
    """Add somebody who works beside a colleague and has gone since: nobody signs in as them."""
    if beside.organisation_id is None:
        raise ValueError("a colleague works for an organisation")
    new = NewAccount(
        name,
        f"{name[0].lower()}-leaver@practice.example",
        beside.organisation_id,
        beside.role,
        secrets.token_urlsafe(24),
    )
    account_id = create(_administrator(world), new)
    return Actor(account_id, beside.organisation_id, beside.role)


def _leave(world: World, leaver: Actor) -> None:
    if leaver.id is not None:
        disable(_administrator(world), leaver.id)


def _administrator(world: World) -> Actor:
    return world.cast.of(Role.ADMINISTRATOR)[0]
