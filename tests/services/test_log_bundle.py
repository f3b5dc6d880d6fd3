"""The log taken home from either database is the same to whoever checks it."""

import tracemalloc
from functools import partial

import pytest
from sqlalchemy import insert, select

from nrm.audit.actions import Action, Outcome
from nrm.audit.checkpoint import cosign
from nrm.audit.entry import leaf_hash
from nrm.audit.verify import Trusted, verify_file
from nrm.db import db, unit_of_work
from nrm.domain.errors import RefusedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry
from nrm.security.keyfile import Holder, read_key_file
from nrm.services import checkpoints, keys, log_bundle, sequencing, witnesses
from nrm.services.audit import record
from tests import bundles
from tests.bundles import NOON, WITNESS, WITNESS_SEED

_SILENT = lambda done, total: None  # noqa: ARG005, E731


@pytest.fixture
def sign(world, tmp_path):
    """Be the signer, and the web process again afterwards."""
    files = world.app.config["NRM"].key_file.parent
    keys.unlock(read_key_file(files / f"{Holder.SIGNER}.key"))
    yield partial(placed_and_signed, tmp_path / "second place")
    keys.unlock(read_key_file(files / f"{Holder.WEB}.key"))


def placed_and_signed(folder):
    sequencing.sequence()
    return checkpoints.sign(folder)


def filled(begin, end):
    """Write many entries at once, as acts would have left them."""
    rows = []
    for number in range(begin, end):
        entry = bundles.entry(number)
        rows.append({**vars(entry), "leaf_hash": leaf_hash(entry)})
    with db.engine.begin() as connection:
        connection.execute(insert(AuditEntry), rows)


def act():
    with unit_of_work() as unit:
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


def outcomes():
    taken = select(AuditEntry.outcome).where(AuditEntry.action == Action.AUDIT_EXPORT.value)
    return db.session.scalars(taken.order_by(AuditEntry.seq)).all()


def test_a_bundle_and_a_proof_check_out(sign, tmp_path):
    filled(0, 300)
    signed = sign()
    key = checkpoints.signing_key()
    file = tmp_path / "log.bundle"
    assert log_bundle.export(file, _SILENT) == signed
    told = verify_file(file, Trusted(keys=(key,)))
    assert told.startswith(f"All {signed.size} entries of {signed.origin} are as they were signed.")
    places = dict(db.session.execute(select(AuditEntry.seq, AuditEntry.id)).all())
    for seq in (1, 2, max(places) - 2):
        for named in (str(seq), str(places[seq])):
            file.write_text(log_bundle.prove(named))
            assert f"  id: {places[seq]}\n" in verify_file(file, Trusted(keys=(key,)))
    assert outcomes() == [Outcome.BEGUN, Outcome.DONE] * 7


def test_a_witness_is_kept_with_what_it_cosigned(sign, tmp_path):
    sign()
    with pytest.raises(RefusedError, match="no key of a witness that is called"):
        witnesses.add("another.example", WITNESS)
    witnesses.add(WITNESS.name, WITNESS)
    assert [(one.name, last) for one, last in witnesses.known()] == [(WITNESS.name, None)]
    key, last = checkpoints.signing_key(), None
    for _ in range(3):
        act()
        sign()
        asked = witnesses.request(last.size if last else 0)
        last, line = cosign(asked, key, last, WITNESS.name, WITNESS_SEED, NOON)
        # The log is already further when the line comes back.
        act()
        sign()
        kept = witnesses.keep(line)
        assert (kept.size, kept.cosigned_at) == (last.size, NOON)
        with pytest.raises(RefusedError, match="already"):
            witnesses.keep(line)
        ((_, newest),) = witnesses.known()
        assert newest.size == last.size
    act()
    sign()
    assert witnesses.with_cosignatures(last).splitlines()[-1] == line
    assert witnesses.with_cosignatures(checkpoints.newest()).count("\N{EM DASH}") == 1
    file = tmp_path / "log.bundle"
    log_bundle.export(file, _SILENT)
    assert "court.example" not in verify_file(file, Trusted(keys=(key,)))


@pytest.mark.databases("sqlite")
def test_a_longer_log_takes_no_more_memory(sign, tmp_path):
    peaks = []
    for begin, end in ((0, 2_000), (2_000, 20_000)):
        filled(begin, end)
        sign()
        tracemalloc.start()
        log_bundle.export(tmp_path / f"{end}.bundle", _SILENT)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.3
