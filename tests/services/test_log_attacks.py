"""Somebody with the whole database alters the log, and is found by whoever kept one checkpoint.

They compute every leaf and tile anew, throw the stored checkpoints away and forge another: with a
key of their own, or even with the signer's. NRM_PROOF=1 tries two hundred places instead of twenty.
"""

import os
import random
from uuid import uuid4

import pytest

from nrm.audit.actions import Action
from nrm.audit.verify import NotAsSignedError, Root, Trusted, read_root, verify_file
from nrm.db import unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.services import checkpoints, log_bundle, log_check
from nrm.services.audit import record
from tests import log

PLACES = 200 if os.environ.get("NRM_PROOF") else 20
# So many entries come before the checkpoint that somebody kept, and so many after it.
BEFORE, AFTER = 60, 15


def edited(rows, place, chance):
    other = chance.choice(["purpose", "action", "actor_role", "outcome"])
    return [*rows[:place], log.altered(rows[place], **{other: "other"}), *rows[place + 1 :]]


def deleted(rows, place, chance):
    del chance
    return [*rows[:place], *rows[place + 1 :]]


def reordered(rows, place, chance):
    other = chance.choice([at for at in range(len(rows)) if at != place])
    moved = list(rows)
    moved[place], moved[other] = moved[other], moved[place]
    return moved


def inserted(rows, place, chance):
    del chance
    new = log.altered(rows[place], id=uuid4(), seq=10_000, purpose="never happened")
    return [*rows[:place], new, *rows[place:]]


def truncated(rows, place, chance):
    del chance
    return rows[:place]


def recomputed(rows, place, chance):
    """From one place on every entry is another."""
    del chance
    return [*rows[:place], *(log.altered(row, purpose="other") for row in rows[place:])]


ATTACKS = (edited, deleted, reordered, inserted, truncated, recomputed)


@pytest.fixture
def kept(world, settings, tmp_path):
    """Make a log, and give the checkpoint that somebody took home before its last entries."""
    del world
    write(BEFORE)
    folder = tmp_path / "second place"
    taken_home = log.sign(settings, folder)
    write(AFTER)
    log.sign(settings, folder)
    assert log_check.verify(lambda _: None, taken_home).findings == []
    return taken_home


def write(number):
    for place in range(number):
        with unit_of_work() as unit:
            record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD, purpose=f"practice {place}")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("key", ["a key of their own", "the signer's own key"])
def test_what_was_altered_is_found_against_a_checkpoint_from_outside(
    kept, settings, tmp_path, counted, attack, key
):
    seed = bytes(32) if key == "a key of their own" else log.signing_seed(settings)
    published = log_check.verify(lambda _: None).key
    rows, chance, found, found_at_home = log.entries(), random.Random(attack.__name__), 0, 0
    for turn in range(PLACES):
        place = chance.randrange(1, kept.size)
        log.rewrite(attack([dict(row) for row in rows], place, chance), (kept.origin, seed))
        found += bool(log_check.verify(lambda _: None, kept).findings)
        bundle = tmp_path / f"{turn}.bundle"
        log_bundle.export(bundle, lambda *_: None)
        try:
            verify_file(bundle, Trusted((published,), kept))
        except NotAsSignedError:
            found_at_home += 1
        bundle.unlink()
    log.rewrite(rows, (kept.origin, seed))
    counted(
        f"row 11, {attack.__name__}, {key}: {found} of {PLACES} found by "
        f"nrm audit verify, {found_at_home} by verify.py"
    )
    assert (found, found_at_home) == (PLACES, PLACES)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_altered_is_found_against_a_root_from_an_email(kept, settings, tmp_path, attack):
    """It holds no signature: the number of entries and their root hash say enough."""
    noted, chance = read_root(f"{kept.size} {kept.root.hex()}"), random.Random(attack.__name__)
    assert log_check.verify(lambda _: None, noted).findings == []
    place = chance.randrange(1, kept.size)
    forged = kept.origin, log.signing_seed(settings)
    log.rewrite(attack(log.entries(), place, chance), forged)
    for only_since in (False, True):
        found = log_check.verify(lambda _: None, noted, only_since=only_since).findings
        assert "the root hash that you kept" in found[0]
    log_bundle.export(tmp_path / "log.bundle", lambda *_: None)
    with pytest.raises(NotAsSignedError, match=r"^what you kept (does not fit: among|covers) "):
        verify_file(tmp_path / "log.bundle", Trusted(noted=noted))


def test_a_root_and_a_checkpoint_are_held_in_the_order_of_the_log(kept, settings, tmp_path):
    write(AFTER)
    newest = log.sign(settings, tmp_path / "second place")
    for one, other in ((kept, newest), (newest, kept), (kept, kept)):
        noted = Root(other.size, other.root)
        verdict = log_check.verify(lambda _: None, one, noted, only_since=True)
        assert (verdict.since, verdict.findings) == (min(one.size, other.size), [])
        found = log_check.verify(lambda _: None, one, noted._replace(root=bytes(32))).findings
        assert ["the root hash that you kept" in finding for finding in found] == [True]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_signer_signs_none_of_it(kept, settings, tmp_path, attack):
    """It remembers in the second place what it signed, whatever the database says."""
    chance = random.Random(attack.__name__)
    newest = checkpoints.newest_in(tmp_path / "second place")
    rows = log.entries()
    log.rewrite(attack([dict(row) for row in rows], chance.randrange(1, kept.size), chance))
    write(AFTER)
    with pytest.raises(NotAsSignedError, match="nothing is signed"):
        log.sign(settings, tmp_path / "second place")
    assert checkpoints.newest() is None
    assert checkpoints.newest_in(tmp_path / "second place") == newest


def test_an_entry_that_was_changed_alone_is_named(kept, world):
    del world
    rows = log.entries()
    place = kept.size // 2
    changed = [*rows[:place], rows[place] | {"purpose": "other"}, *rows[place + 1 :]]
    log.rewrite([dict(row) for row in changed])
    findings = log_check.verify(lambda _: None).findings
    assert f"entry {rows[place]['seq']} is not as it was written" in findings
    log.rewrite(rows)


def test_a_place_that_is_missing_is_named(kept):
    rows = log.entries()
    with log.owner() as connection:
        gone = log.ENTRIES.delete().where(log.ENTRIES.c.seq == rows[kept.size // 2]["seq"])
        connection.execute(gone)
    # What comes after it was not read, so nothing is said of it: least of all that it is cut off.
    (missing,) = log_check.verify(lambda _: None, kept).findings
    assert missing == (
        f"between place {kept.size // 2} and place {kept.size // 2 + 1} entries are missing, "
        "and nothing after them was checked"
    )


def test_without_a_checkpoint_from_outside_only_the_published_key_tells(kept, settings):
    """Whoever rewrites all of it is not found by the database alone, as the docs say."""
    published = log_check.verify(lambda _: None).key
    rows = log.entries()
    other = [log.altered(rows[0], purpose="other"), *rows[1:]]
    log.rewrite(other, (kept.origin, bytes(32)))
    assert log_check.verify(lambda _: None).findings == []
    assert log_check.verify(lambda _: None, key=published).findings
    log.rewrite(other, (kept.origin, log.signing_seed(settings)))
    assert log_check.verify(lambda _: None, key=published).findings == []
    assert log_check.verify(lambda _: None, kept, key=published).findings
