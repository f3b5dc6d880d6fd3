"""What somebody writes into the log with the file of SQLite, which keeps any value in any column.

Nobody who checks or reads the log stumbles over it: the check names the entry, the auditor's pages
show what is left of it and all the others, and the signer goes on. What stands there in another
spelling, so that no search finds it any more, is named as well.
"""

import contextlib
import csv
import io
import sqlite3
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from nrm.audit.actions import Action
from nrm.audit.entry import RowTouched
from nrm.audit.verify import NotAsSignedError, Trusted, UnreadableError, verify_file
from nrm.db import db, unit_of_work
from nrm.domain.errors import RefusedError, Subject
from nrm.models import AuditEntry, Case
from nrm.models.spoilt import readable
from nrm.services import audit, log_bundle, log_check, log_rows
from tests import log
from tests import world as worlds
from tests.page_checks import words
from tests.web.test_audit import the_table
from tests.world import in_world

# What stands in the place of a value. The last is no UTF-8, which the driver refuses to read.
VALUES = ("''", "7", "-2.5", "x'00ff'", "x''", "'nonsense'", "'9999'", "cast(x'ff' as text)")
# What stands there already, in another spelling: the database finds it no more.
SPELLINGS = {
    "occurred_at": ("cast(occurred_at as blob)", "replace(occurred_at, ' ', 'T')"),
    "case_id": ("cast(case_id as blob)", "upper(case_id)", "''", "case_id || char(0)"),
    "actor_id": ("cast(actor_id as blob)", "upper(actor_id)", "actor_id || ' '"),
    # Of these entries it names none: nothing is not the same as a text without letters.
    "actor_organisation_id": ("''", "x''"),
    "action": ("cast(action as blob)", "action || char(0)"),
    "outcome": ("cast(outcome as blob)",),
    "detail": ("cast(detail as text)",),
    "leaf_hash": ("cast(leaf_hash as text)",),
}
COLUMNS = (
    *("id", "occurred_at", "actor_id", "actor_organisation_id", "actor_role", "session_ref"),
    *("action", "subject_type", "subject_id", "case_id", "compartments", "purpose", "outcome"),
    *("rows", "detail_sha256", "detail", "leaf_hash"),
)
REFUSED = (NotAsSignedError, UnreadableError, RefusedError)


@pytest.fixture
def page(signed_in):
    return signed_in("auditor")


@pytest.fixture
def reference(world):
    """Give the reference of a case about which the log says much."""
    worlds.flag(world)
    fill(world)
    with world.entered():
        return db.session.scalars(select(Case.reference)).one()


@in_world
def fill(world):
    """Write as many entries as there are values, in which every column says something."""
    case_id = db.session.scalars(select(Case.id)).one()
    for _ in VALUES:
        with unit_of_work() as unit:
            unit.rows += [RowTouched(uuid4(), 1), RowTouched(uuid4(), 1)]
            unit.compartments.add("identity")
            audit.record(
                unit,
                world.actor("coordinator"),
                Action.COMPARTMENT_OPEN,
                Subject("case", case_id, case_id),
                purpose="casefile.overview",
                fields=["name"],
            )


@in_world
def newest(world):
    del world
    return db.session.scalar(select(func.max(AuditEntry.seq)))


def spoil(world, column, *values):
    """Give each of the newest entries a value that it cannot have; returns which."""
    last = newest(world)
    spoilt = range(last - len(values) + 1, last + 1)
    file = make_url(world.app.config["NRM"].database_url).database
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TRIGGER IF EXISTS audit_entry_no_update")
        for seq, value in zip(spoilt, values, strict=True):
            connection.execute(f"UPDATE audit_entry SET {column} = {value} WHERE seq = {seq}")
    return list(spoilt)


@in_world
def named(world):
    """Give the numbers of the entries that the check names."""
    del world
    findings = log_check.verify(lambda _: None).findings
    return [int(finding.split()[1].rstrip(",")) for finding in findings if "entry " in finding]


@in_world
def sign(world, folder):
    return log.sign(world.app.config["NRM"], folder)


@in_world
def taken_home(world, numbers, folder):
    """Take out the log, and the proof of each of these entries, as far as that is not refused."""
    del world
    log_rows.check(lambda _: None)
    taken = []
    with contextlib.suppress(*REFUSED):
        log_bundle.export(folder / "log.bundle", lambda *_: None)
        taken.append(folder / "log.bundle")
    for number in numbers:
        with contextlib.suppress(*REFUSED):
            proof = log_bundle.prove(str(number))
            taken.append(folder / f"{number}.proof")
            taken[-1].write_text(proof)
    return taken


@pytest.mark.parametrize("column", COLUMNS)
def test_the_check_names_each_entry_and_nothing_stumbles(world, reference, tmp_path, column):
    del reference
    sign(world, tmp_path / "second place")
    spoilt = spoil(world, column, *VALUES)
    assert named(world) == spoilt
    # What is sealed in an entry stays here.
    for file in [] if column == "detail" else taken_home(world, spoilt, tmp_path):
        with pytest.raises((NotAsSignedError, UnreadableError)):
            verify_file(file, Trusted())
    fill(world)
    assert sign(world, tmp_path / "second place").size > max(spoilt)
    assert named(world) == spoilt


@pytest.mark.parametrize("column", COLUMNS)
def test_what_is_spoilt_before_it_was_signed_stops_no_signer(world, reference, tmp_path, column):
    del reference
    spoilt = spoil(world, column, *VALUES)
    assert named(world) == spoilt
    assert sign(world, tmp_path / "second place").size == max(spoilt)
    assert named(world) == spoilt


@pytest.mark.parametrize("column", sorted(SPELLINGS))
def test_the_same_in_another_spelling_is_named_too(world, reference, column):
    del reference
    assert named(world) == []
    spoilt = spoil(world, column, *SPELLINGS[column])
    assert named(world) == spoilt


@pytest.mark.parametrize("column", COLUMNS)
def test_the_pages_show_what_is_left_and_all_the_others(world, page, signed_in, reference, column):
    spoilt = spoil(world, column, *VALUES)
    html = page.get("/audit")
    tagged = {
        int(row.find("td").get_text().split()[-1]): "Not as it was written" in row.get_text()
        for row in html.select("tbody tr")
    }
    # A time that is none has no place in the order of the page; all else is shown.
    hidden = set(spoilt) if column == "occurred_at" else set()
    assert set(range(1, max(spoilt))) - set(tagged) <= hidden
    assert not any(said for seq, said in tagged.items() if seq not in spoilt)
    if column not in {"detail", "leaf_hash"}:
        assert all(tagged[seq] for seq in tagged if seq == spoilt[3])
    with world.entered():
        query = select(AuditEntry.id).where(AuditEntry.seq.in_(spoilt))
        ids = [entry_id for entry_id in db.session.scalars(query) if readable(entry_id)]
    for entry_id in ids:
        assert isinstance(entry_id, UUID)
        told = words(page.get(f"/audit/{entry_id}").main)
        assert "This entry is not as it was written." in told
    answer = page.post_raw(*the_table(page.get("/audit")), status=200)
    table = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert {int(row["number"]) for row in table} >= set(tagged)
    for address in ("/audit/state", "/audit/signs", f"/audit/seen/file/{reference}"):
        page.get(address)
    signed_in("coordinator").get(f"/cases/{reference}/access")
