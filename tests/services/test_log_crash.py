"""The signer is killed wherever it can leave a thing half-way, and wherever it happens to be.

NRM_PROOF=1 kills a hundred times instead of ten, on each database. Whatever was left half-way, the
next round heals: every entry in its place, one tree, one checkpoint that both places know.
"""

from collections import Counter

from sqlalchemy import func, select

from nrm.audit.actions import Action
from nrm.audit.verify import read_checkpoint
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditCheckpoint, AuditEntry
from nrm.services import checkpoints, log_check
from nrm.services.audit import record
from tests import crash, log

DEATHS = 100 if crash.PROOF else 10

# Where a life waits for its death, in turn, by the word that it says there.
PLACES = {
    "placing": "in mid-batch",
    "batch": "between two batches",
    "placed": "between tile and checkpoint",
    "signed": "between signing and the second place",
    crash.ANYWHERE: "elsewhere",
}

# Three entries in a batch, and pauses between the steps for those that die anywhere.
KEEPS = """
import time
from pathlib import Path
from config import Environment, Settings
from nrm.application import create_app
from nrm.audit.actions import Action
from nrm.db import unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.security.keyfile import read_key_file
from nrm.services import checkpoints, keys, sequencing
from nrm.services.audit import record

def acts(argv, say):
    url, key_file, instance, folder, place_to_die = argv
    sequencing.BATCH = 3
    signer = Path(key_file).with_name("signer.key")
    settings = Settings(Environment.TEST, Path(instance), url, signer)
    app = create_app(settings, unlock=False)
    write, place = checkpoints._write, sequencing._put

    def pass_by(where):
        say(where)
        time.sleep(60 if where == place_to_die else 0.01)

    def slow_write(*arguments):
        pass_by("signed")
        write(*arguments)

    def slow_place(*arguments):
        place(*arguments)
        pass_by("placing")

    checkpoints._write, sequencing._put = slow_write, slow_place
    with app.app_context():
        keys.unlock(read_key_file(signer))
        say("ready")
        while True:
            for _ in range(8):
                with unit_of_work() as unit:
                    record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
                say("written")
            sequencing.sequence(lambda total: pass_by("batch"))
            pass_by("placed")
            checkpoint = checkpoints.sign(Path(folder))
            say("kept", checkpoint.size if checkpoint else 0)
"""


def test_a_signer_that_is_killed_leaves_a_log_that_the_next_round_heals(
    world, settings, tmp_path, counted
):
    del world
    folder = tmp_path / "second place"
    arguments = [settings.database_url, settings.key_file, settings.instance, folder]
    before, said, died, broken_off = acts_in_the_log(), [], Counter(), 0
    for life in crash.lives(KEEPS, arguments, DEATHS, longest=0.3, places=tuple(PLACES)):
        said += life
        died[life[-1][0]] += 1
        broken_off += nothing_is_lost_or_made_up(before, said, sum(died.values()))
    with unit_of_work() as unit:
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    log.sign(settings, folder)

    with db.engine.connect() as connection:
        places = connection.scalars(select(AuditEntry.leaf_index).order_by(AuditEntry.leaf_index))
        found = list(places)
        stored = connection.scalars(
            select(AuditCheckpoint.note).order_by(AuditCheckpoint.size)
        ).all()
    assert found == list(range(len(found)))
    assert log.tiles_fit()
    # What was told of as kept is there, and both places know the same last one.
    sizes = {read_checkpoint(note).size for note in stored}
    assert {int(size) for word, *rest in said if word == "kept" for size in rest} - {0} <= sizes
    assert checkpoints.newest_in(folder) == checkpoints.newest()
    assert checkpoints.newest().size == len(found)
    verdict = log_check.verify(lambda _: None, checkpoints.newest_in(folder))
    assert (verdict.findings, verdict.waiting) == ([], 0)
    for word in PLACES.keys() - {crash.ANYWHERE}:
        assert died[word] >= DEATHS // len(PLACES), f"nobody died {PLACES[word]}"
    died[crash.ANYWHERE] = DEATHS - sum(died[word] for word in PLACES)
    where = ", ".join(f"{died[word]} {name}" for word, name in PLACES.items())
    counted(
        f"killed {DEATHS} times, {where}; {broken_off} logs left half-way, all healed: "
        f"{len(found)} entries, {len(stored)} checkpoints, 0 lost"
    )


def acts_in_the_log():
    loads = select(func.count()).where(AuditEntry.action == Action.DIRECTORY_LOAD.value)
    with db.engine.connect() as connection:
        return connection.scalar(loads)


def nothing_is_lost_or_made_up(before, said, deaths):
    """Hold the log against what was acknowledged; says whether something waits for its place.

    A life may write an entry and die before it has said so, but no more than one.
    """
    db.session.remove()
    acknowledged = sum(word[0] == "written" for word in said)
    assert acknowledged <= acts_in_the_log() - before <= acknowledged + deaths
    verdict = log_check.verify(lambda _: None)
    assert verdict.findings == []
    assert log.tiles_fit()
    return verdict.waiting > 0
