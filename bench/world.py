"""A database of a chosen size to measure in, made through the services."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from flask_migrate import upgrade

from config import Environment, Settings
from nrm import country
from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.consent import Answer, GivenBy
from nrm.domain.roles import HOUSEKEEPING, Actor, Role
from nrm.services import accounts, casefile, consent, directory, identification, keys, referral
from nrm.services.audit import record

PASSWORD = "bench-bench-bench"  # noqa: S105 - of accounts that live as long as one run
PACK = country.load("rw")
PAGES = {
    "report": {"source": "police", "district": "11"},
    "place": {"place": "street"},
    "person": {"given_name": "Bench", "sex": "female", "age_band": "18_24", "languages": ["kin"]},
    "signs": {"indicators": ["hurt"], "account": "A few plain words. " * 20},
    "risk": {"immediate_risk": "unsure", "needs": ["emergency_shelter"]},
    "contact": {"method": "in_person", "words": "mornings"},
    "consent": {"consent_asked": "yes", "agrees": "yes"},
}


@dataclass(frozen=True)
class World:
    """One database, who works in it, and one case and referral to look at."""

    app: Flask
    cases: int
    case: str
    emails: dict[Role, str]


@contextlib.contextmanager
def world(cases: int) -> Iterator[World]:
    """Make a database with this many open cases, each with a referral that waits."""
    with TemporaryDirectory(prefix="nrm-bench-") as folder:
        app = app_in(Path(folder))
        with app.app_context():
            actors = _people()
            listing = _provider(actors)
            references = [_case(actors, listing) for _ in range(cases)]
        emails = {role: f"{role}@practice.example" for role in actors}
        yield World(app, cases, references[0], emails)


def settings_in(folder: Path) -> Settings:
    url = f"sqlite:///{folder / 'nrm.sqlite3'}"
    return Settings(Environment.TEST, folder, url, folder / "keys" / "web.key")


def app_in(folder: Path) -> Flask:
    settings = settings_in(folder)
    empty = create_app(settings, unlock=False)
    with empty.app_context():
        upgrade()
        with unit_of_work() as unit:
            keys.create_keys(unit, folder / "keys")
            record(unit, HOUSEKEEPING, Action.KEY_CREATE)
        db.engine.dispose()
    return create_app(settings)


def _people() -> dict[Role, Actor]:
    with unit_of_work() as unit:
        office = accounts.add_organisation(unit, "Office", "police", "11", is_provider=False)
        shelter = accounts.add_organisation(unit, "Shelter", "shelter", "11", is_provider=True)
        made = {}
        for role in (
            Role.FIRST_RESPONDER,
            Role.COORDINATOR,
            Role.PROVIDER,
            Role.DIRECTORY_MANAGER,
            Role.AUDITOR,
        ):
            where = shelter if role is Role.PROVIDER else office
            new = accounts.NewAccount(
                role.value, f"{role}@practice.example", where.id, role, PASSWORD
            )
            account = accounts.add_account(unit, new)
            made[role] = Actor(account.id, where.id, role)
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE)
    return made


def _provider(actors: dict[Role, Actor]) -> Actor:
    shelter = actors[Role.PROVIDER]
    manager = actors[Role.DIRECTORY_MANAGER]
    new = directory.NewListing(
        shelter.organisation_id, ("emergency_shelter",), ("female",), ("kin",), "11", 12
    )
    listing = directory.submit(manager, new, PACK)
    # Anyone but the one who submitted it approves; an id that nobody else has stands for them.
    with unit_of_work() as unit:
        other = accounts.add_account(
            unit,
            accounts.NewAccount(
                "other",
                "other@practice.example",
                manager.organisation_id,
                Role.DIRECTORY_MANAGER,
                PASSWORD,
            ),
        )
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE)
    approver = Actor(other.id, other.organisation_id, Role.DIRECTORY_MANAGER)
    until = datetime.now(PACK.zone).date() + timedelta(days=99)
    directory.approve(approver, listing, until, version=1, pack=PACK)
    return shelter


def _case(actors: dict[Role, Actor], shelter: Actor) -> str:
    responder, coordinator = actors[Role.FIRST_RESPONDER], actors[Role.COORDINATOR]
    draft = identification.start_draft(responder)
    for page, answers in PAGES.items():
        identification.save_page(responder, draft, page, answers)
    reference = identification.send_flag(responder, draft, PACK)
    referral.record_needs(coordinator, reference, ["emergency_shelter"], version=1, pack=PACK)
    agreed = consent.NewAnswer(
        "share_with_provider", Answer.GRANTED, shelter.organisation_id, frozenset({"identity"})
    )
    how = consent.How("oral", "kin", GivenBy.PERSON)
    consent.record(coordinator, reference, [agreed], how)
    version = casefile.page(coordinator, reference).case.version
    referral.send(
        coordinator,
        reference,
        "emergency_shelter",
        shelter.organisation_id,
        referral.Words("quiet", "by day"),
        version=version,
        pack=PACK,
    )
    return reference
