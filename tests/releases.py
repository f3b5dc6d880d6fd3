"""Facts of made-up cases in the database, sealed as those of real ones are, and their releases."""

import contextlib
from random import Random
from uuid import UUID

from sqlalchemy.engine import make_url

from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.domain.vocabulary import (
    AGE_BAND,
    EXPLOITATION,
    INDICATOR,
    NEED,
    REFERRAL_SOURCE,
    SEX,
    TRAFFICKING_FLOW,
)
from nrm.models import FactsHead, SealedFacts
from nrm.security.keyfile import Holder, read_key_file
from nrm.security.keyring import Purpose
from nrm.services import keys, releases, statistics, vault
from nrm.services.audit import record
from nrm.services.database_roles import STATISTICS
from tests import roles

QUARTER = "2025Q3"


@contextlib.contextmanager
def statistics_of(settings):
    """Be the process of the statistics, and the web process again afterwards."""
    folder = settings.key_file.parent
    try:
        with its_role(settings):
            keys.unlock(read_key_file(folder / f"{Holder.STATISTICS}.key"))
            yield
    finally:
        keys.unlock(read_key_file(folder / f"{Holder.WEB}.key"))


@contextlib.contextmanager
def its_role(settings):
    """Where each process has a role of its own in the database, take that of the statistics."""
    if "options" not in make_url(settings.database_url).query:
        yield
        return
    app = create_app(roles.settings_of(settings, STATISTICS), unlock=False)
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def facts_of(chance, quarter=QUARTER):
    """Draw the facts of a case."""
    return {
        "quarter": quarter,
        "sex": chance.choices(SEX.codes, (60, 36, 2, 2))[0],
        "age_band": chance.choices(AGE_BAND.codes, (8, 12, 13, 30, 20, 10, 5, 2))[0],
        "source": chance.choice(REFERRAL_SOURCE.codes[:6]),
        "citizenship": chance.choices(("RW", "BI", "CD", "unknown"), (70, 14, 14, 2))[0],
        "district": chance.choice(("11", "12", "13", "33", "55")),
        "indicators": chance.sample(INDICATOR.codes, 3),
        "exploitation": [chance.choices(EXPLOITATION.codes[:5], (60, 16, 14, 4, 6))[0]],
        "flow": chance.choice(TRAFFICKING_FLOW.codes),
    }


def events_of(chance, quarter=QUARTER):
    """Draw what was counted of a case."""
    referral = str(UUID(int=chance.getrandbits(128)))
    sent = {"service": chance.choice(NEED.codes[:3]), "referral": referral}
    events = [
        {"event": "flagged", "days": 0},
        {"event": "presumed", "days": chance.randrange(12)},
        {"event": "consented", "days": chance.randrange(12)},
        {"event": "sent", "days": chance.randrange(12), **sent},
        {"event": "accepted", "days": chance.randrange(5), "referral": referral},
    ]
    return [{**event, "quarter": quarter} for event in events[: chance.randint(2, 5)]]


def flagged(number, quarter=QUARTER, seed=1, **changed):
    """Seal the facts of so many cases, in one act; returns the ids of the cases."""
    chance, ids = Random(seed), []
    with unit_of_work() as unit:
        for _ in range(number):
            case_id = UUID(int=chance.getrandbits(128))
            keys.new_facts_key(unit, case_id)
            unit.newest[Purpose.CASE, case_id] = unit.newest[Purpose.FACTS, case_id]
            head = FactsHead(row_id=UUID(int=case_id.int ^ 1), case_id=case_id, current_revision=1)
            row = SealedFacts(row_id=head.row_id, case_id=case_id, revision=1)
            db.session.add(head)
            facts = facts_of(chance, quarter) | changed
            vault._seal(unit, case_id, vault.FACTS, row, facts, Purpose.FACTS)
            for event in events_of(chance, quarter):
                vault.append_facts_event(unit, case_id, event)
            ids.append(case_id)
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    return ids


def counted(world, settings, period=QUARTER, edition="provisional"):
    """Let the analyst ask for a release, and the statistics' process count it."""
    release_id = releases.ask(world.actor("analyst"), period, edition, world.pack)
    with statistics_of(settings):
        statistics.go_on(world.pack)
    return release_id


def frozen(world, settings, period=QUARTER, edition="provisional"):
    """Let two people sign a release, and the statistics' process freeze it."""
    release_id = counted(world, settings, period, edition)
    for who in ("analyst", "second_analyst"):
        releases.sign(world.actor(who), release_id)
    with statistics_of(settings):
        statistics.go_on(world.pack)
    return release_id
