"""The practice world: invented people and cases, acted out by the services so that all is real.

Only the cases of the years before are written as the services would have left them.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum, auto

from flask import Flask
from sqlalchemy import func, select

from config import Settings, SettingsError
from nrm import country
from nrm.application import root
from nrm.audit.actions import Action
from nrm.cli.demonstration import (
    directory,
    drafts,
    foundation,
    history,
    keeping,
    published,
    staff,
    stories,
    timeline,
)
from nrm.cli.demonstration.acts import CaseActs, World
from nrm.country.demonstration import DemoAccount, load_demonstration
from nrm.db import db
from nrm.models import Account, AuditEntry, Case, Organisation
from nrm.services import comparison, keys

# How many cases of the years before there are, unless somebody wants fewer.
HISTORY = history.CASES


class Contents(Enum):
    """What a database holds, as far as the practice world is concerned."""

    NOTHING = auto()
    PART_OF_IT = auto()
    ALL_OF_IT = auto()
    SOMETHING_ELSE = auto()


def accounts(code: str) -> list[dict[str, str]]:
    """Name everyone who can sign in to the practice world, with all that they need for it."""
    world = load_demonstration(code)
    names = {organisation.code: organisation.name for organisation in world.organisations}
    return [_told(account, names) for account in world.accounts]


def _told(account: DemoAccount, names: dict[str, str]) -> dict[str, str]:
    return {
        "name": account.name,
        "organisation": names[account.organisation],
        "role": account.role,
        "email": account.email,
        "password": account.password,
        "totp_secret": account.totp_secret,
    }


def contents(code: str) -> Contents:
    """Say whether a database holds the practice world, part of it, nothing, or something else."""
    if db.session.scalars(select(Organisation.id).limit(1)).first() is None:
        return Contents.NOTHING
    if not holds_practice_people(code):
        return Contents.SOMETHING_ELSE
    return Contents.ALL_OF_IT if _acted_out() >= len(stories.STORIES) else Contents.PART_OF_IT


def _acted_out() -> int:
    """Count the cases that are no history: they come last, so all of it is there with them."""
    cases = select(func.count()).select_from(Case)
    of_the_past = (
        select(func.count())
        .select_from(AuditEntry)
        .where(AuditEntry.action == Action.DEMONSTRATION_LOAD)
    )
    return db.session.scalars(cases).one() - db.session.scalars(of_the_past).one()


def holds_practice_people(code: str) -> bool:
    """Say whether accounts whose passwords stand in a public file are in this database."""
    emails = [account.email for account in load_demonstration(code).accounts]
    known = select(Account.id).where(Account.email.in_(emails)).limit(1)
    return db.session.scalars(known).first() is not None


def length(cases: int) -> int:
    """Say how many scripts there are to play, with so many cases of the years before."""
    return cases + len(stories.STORIES) + len(drafts.DRAFTS)


def load(
    app: Flask, finished: Callable[[], object] = lambda: None, *, history: int = HISTORY
) -> None:
    """Fill an empty database with the practice world; `finished` is told of each script.

    `history` says how many cases of the years before there are.
    """
    settings: Settings = app.config["NRM"]
    if not settings.practice:
        raise SettingsError("the demonstration is never loaded where NRM_ENV is production")
    with app.app_context():
        keys.unlock(root(settings))
        if contents(settings.country) is not Contents.NOTHING:
            raise SettingsError("the demonstration is loaded into an empty database only")
        world = _play(settings, finished, history)
        comparison.compare_new()
        published.publish(world)
        keys.unlock(root(settings))


def _play(settings: Settings, finished: Callable[[], object], past: int) -> World:
    code, now = settings.country, datetime.now(UTC)
    demonstration, pack = load_demonstration(code), country.load(code)
    districts = {place.code: place.district for place in demonstration.organisations}
    world = World(pack, foundation.found(demonstration, now), now, districts, settings)
    play = timeline.Play(now)
    for listing in demonstration.listings:
        play.add(*directory.script(world, listing))
    for begins, acts in staff.scripts(world, demonstration):
        play.add(begins, acts)
    for one in history.pasts(pack, demonstration, world.today, past):
        play.add(one.closed, history.script(world, one), finished)
    cases: list[CaseActs] = []
    for number, story in enumerate(stories.STORIES):
        neighbour = cases[-1] if story.same_place else None
        cases.append(CaseActs(world, number, story, neighbour))
        play.add(cases[-1].begins, story.plot(cases[-1]), finished)
    for number, draft in enumerate(drafts.DRAFTS):
        play.add(now - draft.ago, drafts.script(world, number, draft), finished)
    for ago, script in keeping.scripts(world):
        play.add(now - ago, script)
    play.run()
    return world
