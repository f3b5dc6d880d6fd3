"""Checkpoints: who signs them, when, where they are kept, and what is never signed."""

from functools import partial

import pytest
from sqlalchemy import text

from nrm.audit.actions import Action
from nrm.audit.verify import NotAsSignedError, check, read_checkpoint, read_key
from nrm.db import db, unit_of_work
from nrm.domain.errors import LockedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditCheckpoint
from nrm.security.keyfile import Holder, read_key_file
from nrm.security.keyring import Purpose
from nrm.services import checkpoints, keys, log_check, log_keeping, rotation, sequencing
from nrm.services.audit import record


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "second place"


@pytest.fixture
def sign(world, folder):
    """Be the process of the signer, which signs; and the web process again afterwards."""
    files = world.app.config["NRM"].key_file.parent
    keys.unlock(read_key_file(files / f"{Holder.SIGNER}.key"))
    yield partial(placed_and_signed, folder)
    keys.unlock(read_key_file(files / f"{Holder.WEB}.key"))


def act():
    with unit_of_work() as unit:
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


def placed_and_signed(folder):
    sequencing.sequence()
    return checkpoints.sign(folder)


def stored():
    with db.engine.connect() as connection:
        return connection.execute(
            AuditCheckpoint.__table__.select().order_by(AuditCheckpoint.size)
        ).all()


def as_owner(*statements):
    """Do what only whoever owns the database can: past the triggers."""
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for trigger in connection.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'")
            ).all():
                connection.execute(text(f"DROP TRIGGER {trigger}"))
        for statement in statements:
            connection.execute(text(statement))


def test_a_checkpoint_says_how_large_the_log_is_and_is_signed(sign, folder):
    made = sign()
    (row,) = stored()
    assert (row.size, row.root) == (made.size, made.root)
    assert read_checkpoint(row.note) == made
    check(made, read_key(row.verifier_key))
    assert checkpoints.newest() == checkpoints.newest_in(folder) == made


def test_what_has_not_grown_is_not_signed_again(sign):
    sign()
    assert sign() is None
    assert len(stored()) == 1
    act()
    assert sign().size == stored()[0].size + 1


def test_the_second_place_keeps_one_file_for_each_day_and_catches_up(sign, folder):
    sign()
    (file,) = checkpoints.files_in(folder)
    file.unlink()
    assert sign() is None
    assert checkpoints.newest_in(folder) == checkpoints.newest()
    act()
    sign()
    assert len(checkpoints.files_in(folder)) == 1
    assert checkpoints.newest_in(folder) == checkpoints.newest()


def test_the_web_process_signs_nothing(world, folder):
    del world
    with pytest.raises(LockedError, match="signing"):
        placed_and_signed(folder)
    assert stored() == []
    assert not folder.exists()


def test_a_log_that_was_rewritten_is_not_signed(sign, folder):
    """Not even when the checkpoints of the database were taken away with it."""
    old = sign()
    as_owner(
        "DELETE FROM audit_checkpoint",
        "DELETE FROM audit_tile",
        "UPDATE audit_entry SET leaf_index = NULL",
        "UPDATE audit_entry SET leaf_hash = (SELECT leaf_hash FROM audit_entry "
        "ORDER BY seq DESC LIMIT 1) WHERE seq = (SELECT min(seq) FROM audit_entry)",
    )
    act()
    with pytest.raises(NotAsSignedError, match="is not the one that was signed on"):
        sign()
    assert stored() == []
    assert checkpoints.newest_in(folder) == old


def test_a_log_that_was_cut_off_is_not_signed(sign):
    old = sign()
    as_owner("DELETE FROM audit_tile", "DELETE FROM audit_checkpoint", "DELETE FROM audit_entry")
    act()
    with pytest.raises(NotAsSignedError, match=f"1 entries in its tree, and {old.size} were"):
        sign()


def test_a_second_place_of_another_log_is_refused(sign, folder):
    made = sign()
    (file,) = checkpoints.files_in(folder)
    file.write_text(str(made).replace(made.origin, "nrm.log/another"))
    act()
    with pytest.raises(NotAsSignedError, match="holds checkpoints of another log"):
        sign()


def test_while_the_key_is_renewed_whoever_knows_either_can_check(sign):
    old = sign()
    old_key = read_key(stored()[0].verifier_key)
    rotation.rotate(Purpose.SIGNING)
    both = sign()
    new_key = read_key(stored()[1].verifier_key)
    assert both.origin == old.origin
    assert new_key.public != old_key.public
    check(both, old_key)
    check(both, new_key)
    for key in (old_key, new_key):
        assert log_check.verify(lambda _: None, old, key=key).findings == []
    with pytest.raises(NotAsSignedError):
        check(old, new_key)


def test_how_far_the_log_is_signed(sign):
    before = log_keeping.standing()
    assert before.signed is None
    assert before.waits_since is not None
    made = sign()
    assert log_keeping.standing() == log_keeping.Standing(made, None)
    act()
    sequencing.sequence()
    placed = log_keeping.standing()
    act()
    assert placed.waits_since is not None
    assert log_keeping.standing() == placed
