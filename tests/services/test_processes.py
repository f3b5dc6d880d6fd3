"""Each process has one key file and opens what that file opens, whatever it tries.

The children are programs of their own, each in a folder with its one key file; they report which
key files they ever looked at.
"""

import json
import shutil
import subprocess
import sys

import pytest

from nrm.db import db
from nrm.security.keyring import HELD_BY, Purpose
from nrm.services import rotation
from tests import ledger as ledgers
from tests import vault
from tests import world as worlds
from tests.databases import ROOT

# What a file opens does not hang on the database; a program of its own takes its time to start.
one_database = pytest.mark.databases("sqlite")

BEGIN = """
import json, sys
from pathlib import Path

looked_at = set()

def note(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".key"):
        looked_at.add(Path(str(arguments[0])).name)

sys.addaudithook(note)

from config import Environment, Settings
from nrm.application import create_app
from nrm.db import db
from nrm.domain.errors import DamagedError, LockedError
from nrm.security.keyfile import KeyFileError, read_key_file
from nrm.security.keyring import Purpose
from nrm.services import casefile, keys
from tests import vault

url, folder, name = sys.argv[1:]
settings = Settings(Environment.TEST, Path(folder), url, Path(folder) / name)
told = {}

def tell():
    print(json.dumps({**told, "looked_at": sorted(looked_at)}))
"""

# Every sealed row by the program's own way, then with every key put where it does not belong.
STATISTICS = """
from sqlalchemy import select, text
from nrm.db import Unit
from nrm.domain.roles import Actor, Role
from nrm.models import Case, CaseKey, FactsKey
from nrm.services.resealing import KINDS
from uuid import UUID

def opened(purpose):
    count = [0, 0]
    for kind in KINDS:
        if kind.purpose is purpose:
            for row in db.session.scalars(select(kind.model)):
                count[0] += 1
                try:
                    count[1] += isinstance(vault.opened(Unit(now=None), kind, row), dict)
                except (LockedError, DamagedError):
                    pass
    db.session.rollback()
    return count

def shown():
    count = 0
    actor = Actor(UUID(int=1), UUID(int=1), Role.COORDINATOR)
    for reference in list(db.session.scalars(select(Case.reference))):
        try:
            casefile.overview(actor, reference, {"identity": "safety"})
            count += 1
        except LockedError:
            pass
    return count

def copied(ring_id):
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        connection.execute(text(
            "UPDATE facts_key SET ring_id = :ring, "
            "wrapped = (SELECT wrapped FROM case_key WHERE owner_id = facts_key.case_id)"
        ), {"ring": ring_id})
    db.session.rollback()
    return opened(Purpose.FACTS)

app = create_app(settings, unlock=False)
with app.app_context():
    ring = keys.unlock(read_key_file(settings.key_file))
    told["purposes"] = sorted(ring.primary)
    told["facts"] = opened(Purpose.FACTS)
    told["case"] = opened(Purpose.CASE)
    told["pages"] = shown()
    case_ring = db.session.scalar(select(CaseKey.ring_id))
    told["copied"] = [copied(ring.primary[Purpose.FACTS]), copied(case_ring)]
tell()
"""

WEB = """
app = create_app(settings)
with app.app_context():
    told["purposes"] = sorted(keys.keyring().primary)
    told["opened"] = len(vault.contents())
told["pages"] = app.test_client().get("/sign-in").status_code
tell()
"""

SIGNER = """
app = create_app(settings, unlock=False)
with app.app_context():
    ring = keys.unlock(read_key_file(settings.key_file))
    told["purposes"] = sorted(ring.primary)
    told["key"] = len(ring.derived(Purpose.SIGNING, "checkpoints")[1])
    try:
        told["opened"] = len(vault.contents())
    except LockedError:
        told["opened"] = 0
tell()
"""


@pytest.fixture
def process(settings, tmp_path):
    """Run a program that has one key file and knows of no other."""

    def run(holder, script, name=None, instead_of=None):
        folder = tmp_path / f"process of {holder}"
        folder.mkdir()
        file = settings.key_file.with_name(f"{instead_of or holder}.key")
        shutil.copy(file, folder / (name or f"{holder}.key"))
        db.session.remove()
        return subprocess.run(
            [sys.executable, "-c", BEGIN + script, settings.database_url, folder, f"{holder}.key"],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def held(holder):
    return sorted(purpose for purpose, holders in HELD_BY.items() if holder in holders)


def test_the_statistics_process_opens_facts_and_nothing_else(world, process, counted):
    worlds.served(world)
    worlds.served(world)
    # The web process has renewed the key meanwhile, without the other's file.
    rotation.rotate(Purpose.FACTS)
    list(rotation.go_on(Purpose.FACTS))

    done = process("statistics", STATISTICS)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["looked_at"] == ["statistics.key"]
    assert told["purposes"] == held("statistics") == ["facts", "statistics"]
    tried, opened = told["facts"]
    assert tried == opened > 0
    elsewhere, never = told["case"]
    assert (never, told["pages"]) == (0, 0)
    assert elsewhere >= 10
    assert [copied for _, copied in told["copied"]] == [0, 0]
    counted(
        f"with the statistics file alone: {opened} of {tried} rows of facts opened, "
        f"0 of {elsewhere} others, 0 pages, 0 of {2 * tried} with a case's key in its place"
    )


def test_the_web_process_starts_without_the_other_files(world, process):
    worlds.served(world)
    rows = len(vault.contents())
    done = process("web", WEB)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {
        "purposes": held("web"),
        "opened": rows,
        "pages": 200,
        "looked_at": ["web.key"],
    }


@one_database
def test_the_signers_file_opens_the_signing_key_alone(world, process):
    worlds.served(world)
    done = process("signer", SIGNER)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {
        "purposes": ["signing"],
        "key": 32,
        "opened": 0,
        "looked_at": ["signer.key"],
    }


@one_database
@pytest.mark.parametrize(
    ("name", "instead_of", "why"),
    [
        ("another.key", None, "key file web.key is missing"),
        ("web.key", "statistics", "statistics does not hold the form key"),
        ("web.key", "signer", "signer does not hold the form key"),
    ],
)
def test_with_a_wrong_or_missing_key_the_program_does_not_serve(
    world, process, name, instead_of, why
):
    """It says why in one line; nothing is shown, and nothing is written in clear instead."""
    worlds.served(world)
    with ledgers.nothing_changes():
        done = process("web", WEB, name, instead_of)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].endswith(f"Error: {why}")
