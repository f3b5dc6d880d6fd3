"""The signer is killed in mid-sequencing, before it signs and before it writes it down elsewhere.

NRM_PROOF=1 kills a hundred times instead of ten, on each database. Whatever was left half-way, the
next round heals: every entry in its place, one tree, one checkpoint that both places know.
"""

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.audit.verify import read_checkpoint
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditCheckpoint, AuditEntry
from nrm.services import checkpoints, log_check
from nrm.services.audit import record
from tests import crash, log

DEATHS = 100 if crash.PROOF else 10

# Three entries in a batch and pauses between the steps, so that deaths fall into and between them.
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
    url, key_file, instance, folder = argv
    sequencing.BATCH = 3
    signer = Path(key_file).with_name("signer.key")
    settings = Settings(Environment.TEST, Path(instance), url, signer)
    app = create_app(settings, unlock=False)
    write, place = checkpoints._write, sequencing._put

    def slow_write(*arguments):
        say("signed")
        time.sleep(0.01)
        write(*arguments)

    def slow_place(*arguments):
        place(*arguments)
        time.sleep(0.01)

    checkpoints._write, sequencing._put = slow_write, slow_place
    with app.app_context():
        keys.unlock(read_key_file(signer))
        say("ready")
        while True:
            for _ in range(8):
                with unit_of_work() as unit:
                    record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
                say("written")
            say("placed", sequencing.sequence(lambda total: say("batch", total)))
            checkpoint = checkpoints.sign(Path(folder))
            say("kept", checkpoint.size if checkpoint else 0)
"""


def test_a_signer_that_is_killed_leaves_a_log_that_the_next_round_heals(
    world, settings, tmp_path, counted
):
    del world
    db.session.remove()
    folder = tmp_path / "second place"
    arguments = [settings.database_url, settings.key_file, settings.instance, folder]
    lives = list(crash.lives(KEEPS, arguments, DEATHS, longest=0.3))
    said = [word for life in lives for word in life]
    left = {word: sum(life[-1][0] == word for life in lives) for word in ("batch", "signed")}

    broken_off = log_check.verify(lambda _: None)
    assert broken_off.findings == []
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
    written = sum(word[0] == "written" for word in said)
    with db.engine.connect() as connection:
        acts = select(AuditEntry.seq).where(AuditEntry.action == Action.DIRECTORY_LOAD.value)
        assert len(connection.scalars(acts).all()) >= written
    counted(
        f"killed {DEATHS} times, {left['batch']} of them between two batches and "
        f"{left['signed']} between signing and the second place: {len(found)} entries, "
        f"{len(stored)} checkpoints, 0 lost"
    )
