"""A database of a chosen size to measure in, made through the services."""

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event, select

from config import Environment, Settings
from nrm import country
from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.consent import Answer, GivenBy
from nrm.domain.roles import HOUSEKEEPING, Actor, Role
from nrm.models import Account
from nrm.security.second_factor import code_at, step_of
from nrm.services import (
    accounts,
    casefile,
    consent,
    directory,
    identification,
    keys,
    organisations,
    referral,
    second_factor,
)
from nrm.services.audit import record

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "seven-quiet-herons"  # noqa: S105 - of accounts that live as long as one run
PACK = country.load("rw")
MILLISECONDS = 1e6
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


def settings_in(folder: Path, url: str = "") -> Settings:
    url = url or f"sqlite:///{folder / 'nrm.sqlite3'}"
    return Settings(Environment.TEST, folder, url, folder / "keys" / "web.key")


def app_in(folder: Path, url: str = "") -> Flask:
    settings = settings_in(folder, url)
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
        office = organisations.add_organisation(unit, "Office", "police", "11", is_provider=False)
        shelter = organisations.add_organisation(unit, "Shelter", "shelter", "11", is_provider=True)
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
    consent.record(coordinator, reference, [agreed], how, pack=PACK)
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


def signed_in(app: Flask, email: str) -> FlaskClient:
    """Sign in as one of the accounts, with the code that its app would show."""
    client = app.test_client()
    with app.app_context():
        used = _used_step(email)
        db.session.remove()
    _fill_in(client, "/sign-in", {"email": email, "password": PASSWORD})
    # A code works once: whoever signs in again within half a minute shows the next one.
    step = max(step_of(datetime.now(UTC)), used + 1)
    _fill_in(client, "/sign-in/code", {"code": code_at(SEED, step)})
    return client


def _used_step(email: str) -> int:
    """Say up to which step the codes of an account are used; one without an app is given one."""
    whose = db.session.execute(select(Account.id).where(Account.email == email)).scalar_one()
    if second_factor.needed(whose):
        with unit_of_work() as unit:
            second_factor.add_app(unit, whose, SEED)
            record(unit, HOUSEKEEPING, Action.FACTOR_ADD)
    return second_factor.last_used_step(email) or 0


def _fill_in(client: FlaskClient, address: str, answers: dict[str, str]) -> None:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(address).text)
    if token is None:
        sys.exit(f"the page {address} has no form")
    data = {"csrf_token": token[1], **answers}
    if client.post(address, data=data).status_code != 303:  # noqa: PLR2004 - see other
        sys.exit("could not sign in")


def asked_by(client: FlaskClient, address: str, app: Flask) -> tuple[float, int]:
    """Ask for one page; returns CPU milliseconds and the number of statements."""
    seen: list[str] = []

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        del connection, cursor, rest
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    began = time.process_time_ns()
    answer = client.get(address)
    spent = (time.process_time_ns() - began) / MILLISECONDS
    event.remove(engine, "before_cursor_execute", count)
    if answer.status_code != 200:  # noqa: PLR2004 - as asked
        sys.exit(f"{address} answered {answer.status_code}")
    return spent, len([statement for statement in seen if not statement.startswith("BEGIN")])
