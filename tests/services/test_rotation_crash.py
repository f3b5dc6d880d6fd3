"""A process is killed while it rotates, again and again: every key opens, and the next goes on.

NRM_PROOF=1 kills two hundred times instead of twenty, on both databases together.
"""

import sqlite3
from contextlib import closing

from sqlalchemy import select
from sqlalchemy.engine import make_url

from nrm.db import db
from nrm.models import MasterKey
from nrm.security.keyring import Purpose
from nrm.services import key_use, keys, log_check, rotation
from tests import crash, vault
from tests import world as worlds

DEATHS = 100 if crash.PROOF else 10

# Three keys in a batch, so that every death falls between or within two of them.
ROTATES = """
from pathlib import Path
from config import Environment, Settings
from nrm.application import create_app
from nrm.db import db
from nrm.security.keyring import Purpose
from nrm.services import key_use, rotation

def acts(argv, say):
    url, key_file, instance = argv
    rotation.BATCH = 3
    app = create_app(Settings(Environment.TEST, Path(instance), url, Path(key_file)))
    with app.app_context():
        say("ready")
        while True:
            for purpose in (Purpose.CASE, Purpose.FACTS):
                if not rotation.unfinished(purpose):
                    say("made", rotation.rotate(purpose))
                for batch in rotation.go_on(purpose):
                    say("wrapped", batch.done)
                say("finished", purpose)
                for old in key_use.standings():
                    if old.purpose is purpose and old.state == "active":
                        rotation.retire(old.ring_id)
                        say("retired", old.ring_id)
                db.session.rollback()
"""


def test_a_rotation_that_is_killed_loses_no_key_and_is_finished_by_the_next(
    world, settings, database_kind, counted
):
    for _ in range(10):
        worlds.flag(world)
    worlds.draft(world)
    before = vault.contents()
    db.session.remove()

    arguments = [settings.database_url, settings.key_file, settings.instance]
    lives = list(crash.lives(ROTATES, arguments, DEATHS))
    said = [word for life in lives for word in life]
    interrupted = sum(last_of(life) == "wrapped" for life in lives)

    keys.look_again()
    assert vault.contents() == before
    states = dict(db.session.execute(select(MasterKey.id, MasterKey.state)).all())
    assert {int(word[1]) for word in said if word[0] == "made"} <= states.keys()
    assert {states[int(word[1])] for word in said if word[0] == "retired"} <= {"retired"}
    for purpose in (Purpose.CASE, Purpose.FACTS):
        list(rotation.go_on(purpose))
        assert not rotation.unfinished(purpose)
        assert vault.under(purpose) == {keys.keyring().current_id(purpose)}
    assert vault.contents() == before
    nobody_holds_what_is_retired()
    assert log_check.verify(lambda _: None).findings == []
    if database_kind == "sqlite":
        with closing(sqlite3.connect(make_url(settings.database_url).database)) as other:
            assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rotated = sum(word[0] == "finished" for word in said)
    counted(
        f"killed {DEATHS} times on {database_kind}, {interrupted} of them between two "
        f"batches; {rotated} rotations finished, {len(before)} rows open, 0 lost"
    )


def last_of(life):
    return life[-1][0]


def nobody_holds_what_is_retired():
    db.session.rollback()
    held = {one.ring_id: bool(one.holders) for one in key_use.standings()}
    states = {one.ring_id: one.state != "retired" for one in key_use.standings()}
    assert held == states
