"""Documents of a case: what is taken, how it is kept, and that a file follows its row."""

import base64
import os
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.document import KINDS, LARGEST
from nrm.domain.errors import (
    DamagedError,
    IllegalStepError,
    InvalidInputError,
    LockedError,
    NotFoundError,
    RefusedError,
)
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Case, SealedDocument
from nrm.services import document_files, documents, follow_up, vault, visibility
from nrm.services.audit import record
from tests import attachments, ledger
from tests import world as worlds

PROOF = bool(os.environ.get("NRM_PROOF"))
ON_ONE = pytest.mark.databases("sqlite")


@pytest.fixture
def folder(settings):
    return settings.documents


@pytest.fixture
def case(world):
    return worlds.flag(world)


def add(world, case, content, title="Practice paper", name="paper.pdf", compartment="health"):
    new = documents.NewDocument(compartment, title, name, worlds.incoming(world, content))
    try:
        return documents.add(world.actor("coordinator"), case, new)
    finally:
        # As the end of the request does.
        new.file.discard()


def read(world, case, document_id, folder):
    opened = documents.open_document(world.actor("coordinator"), case, document_id, folder)
    try:
        return opened, b"".join(opened.chunks)
    finally:
        opened.close()


def listed(world, case):
    found = documents.attachments(world.actor("coordinator"), case)
    return [one for part in found.by_compartment.values() for one in part]


def stored(folder):
    """Name every file of the folder, with its length."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def untouched(case, folder):
    """Give a case, and assert that neither the folder nor a table changes."""
    before = stored(folder)
    with ledger.nothing_changes():
        yield case
    assert stored(folder) == before


def test_a_photo_is_kept_without_its_place_and_opened(world, case, folder):
    add(world, case, attachments.photo(orientation=6), title="", name="C:\\photo.pdf")
    [document] = listed(world, case)
    assert (document.title, document.kind) == ("photo.pdf", KINDS["jpeg"])
    opened, given = read(world, case, document.id, folder)
    assert (opened.name, opened.media_type) == (
        f"{case}-document-{document.id.hex[:8]}.jpg",
        "image/jpeg",
    )
    assert len(given) == opened.length == document.length
    assert b"kanariphoto" not in given


@ON_ONE
def test_what_is_refused_leaves_nothing_behind(world, untouched, subtests):
    refused = {
        "an empty file": b"",
        "a file that is too large": attachments.pdf(size=LARGEST + 1),
        "a picture that unfolds without end": attachments.bomb(),
    }
    for what, content in (attachments.REFUSED | attachments.BROKEN | refused).items():
        with subtests.test(what), pytest.raises(InvalidInputError) as error:
            add(world, untouched, content)
        assert error.value.field == "file"
    with subtests.test("a name too long for a title"), pytest.raises(InvalidInputError) as error:
        add(world, untouched, worlds.PDF, title="", name="x" * 300)
    assert error.value.field == "title"


# Limits.


@ON_ONE
def test_the_largest_document_is_taken(world, case):
    assert LARGEST == 25 * 1024 * 1024
    add(world, case, attachments.pdf(size=LARGEST))
    [document] = listed(world, case)
    assert document.length == LARGEST


@ON_ONE
def test_what_is_too_large_is_not_stored_to_its_end(world, folder):
    file = worlds.incoming(world, b"")
    for _ in range(LARGEST // 2**16 + 1):
        file.write(bytes(2**16))
    assert file.too_large
    assert stored(folder) == {}
    for _ in range(20):
        file.write(bytes(2**16))
    assert stored(folder) == {}


@ON_ONE
def test_a_case_holds_so_many_documents_and_no_more(world, case, folder, monkeypatch):
    monkeypatch.setattr(documents, "MOST_DOCUMENTS", 2)
    add(world, case, worlds.PDF)
    add(world, case, worlds.PDF)
    before = stored(folder)
    with pytest.raises(InvalidInputError, match="as many documents"):
        add(world, case, worlds.PDF)
    assert stored(folder) == before


# Who, and when.


def test_each_part_lists_its_own(world, case):
    for part in ("identity", "contact", "narrative", "health"):
        add(world, case, worlds.PDF, title=f"Practice {part}", compartment=part)
    found = documents.attachments(world.actor("coordinator"), case)
    assert {part: [one.title for one in all_] for part, all_ in found.by_compartment.items()} == {
        part: [f"Practice {part}"] for part in ("identity", "contact", "narrative", "health")
    }
    [one] = found.by_compartment["health"]
    assert one.added_by == world.person_name("coordinator")
    assert found.file.closed_to_actor == ("enforcement",)


def test_the_police_part_stays_closed(world, untouched):
    with pytest.raises(RefusedError):
        add(world, untouched, worlds.PDF, compartment="enforcement")


def test_a_closed_case_is_read_and_not_added_to(world, folder):
    case = worlds.flag(world)
    document = worlds.attach(world, case)
    follow_up.close(
        world.actor("coordinator"),
        case,
        "contact_lost",
        "",
        version=worlds.version(world, case),
        pack=world.pack,
    )
    before = stored(folder)
    with pytest.raises(IllegalStepError):
        add(world, case, worlds.PDF)
    assert stored(folder) == before
    assert read(world, case, document, folder)[1] == worlds.PDF


def test_a_document_of_another_case_is_not_found(world, case, folder):
    document = worlds.attach(world, worlds.flag(world))
    coordinator = world.actor("coordinator")
    with pytest.raises(NotFoundError):
        documents.open_document(coordinator, case, document, folder)
    with pytest.raises(NotFoundError):
        documents.attached(coordinator, case, document)
    with pytest.raises(NotFoundError):
        documents.remove(coordinator, case, document, folder)


# A file follows its row.


def test_a_removed_document_is_gone_from_the_disk(world, case, folder):
    kept, removed = worlds.attach(world, case), worlds.attach(world, case)
    both = stored(folder)
    documents.remove(world.actor("coordinator"), case, removed, folder)
    assert len(stored(folder)) == len(both) - 1
    assert [one.id for one in listed(world, case)] == [kept]
    assert read(world, case, kept, folder)[1] == worlds.PDF
    with pytest.raises(NotFoundError):
        documents.remove(world.actor("coordinator"), case, removed, folder)


def test_without_its_entry_a_document_neither_comes_nor_goes(world, case, folder):
    document = worlds.attach(world, case)
    before = stored(folder)
    with ledger.broken_log(), pytest.raises(ledger.LogRefusedError):
        add(world, case, worlds.PDF)
    assert stored(folder) == before
    with ledger.broken_log(), pytest.raises(ledger.LogRefusedError):
        documents.remove(world.actor("coordinator"), case, document, folder)
    assert stored(folder) == before
    assert read(world, case, document, folder)[1] == worlds.PDF


def lost_connection(*_args, **_options):
    """Break off as a commit does whose answer never came."""
    raise OperationalError("", {}, Exception())


def test_where_nobody_knows_whether_it_was_done_the_sweep_asks(world, case, folder, monkeypatch):
    """Neither act is undone on a guess: a file that a row names must never be the one that goes."""
    document = worlds.attach(world, case)
    before = stored(folder)
    with monkeypatch.context() as patch:
        patch.setattr(documents, "record", lost_connection)
        with pytest.raises(OperationalError):
            add(world, case, worlds.PDF)
        with pytest.raises(OperationalError):
            documents.remove(world.actor("coordinator"), case, document, folder)
    # What came lies in both places, and what was to go is marked.
    assert len(stored(folder)) == len(before) + 3
    assert document_files.sweep(folder) == 0
    monkeypatch.setattr(document_files, "LEFT_BEHIND_SECONDS", 0)
    assert document_files.sweep(folder) == 2
    assert stored(folder) == before
    assert read(world, case, document, folder)[1] == worlds.PDF


def test_the_sweep_takes_what_broke_off_and_leaves_what_is_not_ours(
    world, case, folder, monkeypatch
):
    document = worlds.attach(world, case)
    half = worlds.incoming(world, b"%PDF-1.4 half")
    other = folder / "incoming" / "notes.txt"
    other.write_text("kept")
    monkeypatch.setattr(document_files, "LEFT_BEHIND_SECONDS", 0)
    assert document_files.sweep(folder) == 1
    assert sorted(path.name for path in (folder / "incoming").iterdir()) == ["notes.txt"]
    assert read(world, case, document, folder)[1] == worlds.PDF
    half.discard()


@ON_ONE
def test_a_full_disk_takes_nothing_and_says_so(world, untouched, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    for where in ("write", "finish"):
        with monkeypatch.context() as patch:
            patch.setattr(document_files.ChunkWriter, where, full)
            with pytest.raises(LockedError):
                add(world, untouched, worlds.PDF)


@ON_ONE
def test_the_folder_is_its_owners_alone(world, case, folder):
    worlds.attach(world, case)
    modes = {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))}
    assert modes == {0}


# Attacks on what is stored.


def rows():
    return db.session.scalars(select(SealedDocument).order_by(SealedDocument.added_at)).all()


@pytest.fixture
def two(world, case, folder):
    """Two documents of one case, each of two chunks, and their files."""
    content = [attachments.pdf("one", size=70_000), attachments.pdf("two", size=70_001)]
    ids = [worlds.attach(world, case, content=made) for made in content]
    with world.entered():
        paths = [document_files.path_of(folder, row.file_id) for row in rows()]
        db.session.rollback()
    return ids, paths


@ON_ONE
def test_a_damaged_file_is_not_shown_at_all(world, case, folder, two, counted):
    (first, second), (path, other) = two
    whole = path.read_bytes()
    half = len(whole) // 2
    # The tag of the first chunk ends where the second chunk begins.
    cut = 17 + 65_536 + 16
    broken = {
        "the last bit flipped": whole[:-1] + bytes([whole[-1] ^ 1]),
        "a bit flipped in the head": bytes([whole[0] ^ 1]) + whole[1:],
        "cut short": whole[:half],
        "the last chunk dropped": whole[:cut],
        "the chunks swapped": whole[:17] + whole[cut:] + whole[17:cut],
        "the first chunk repeated": whole[:cut] + whole[17:cut],
        "another document's file": other.read_bytes(),
        "nothing": b"",
    }
    refused = 0
    for content in broken.values():
        path.write_bytes(content)
        with pytest.raises(DamagedError):
            read(world, case, first, folder)
        refused += 1
    path.unlink()
    with pytest.raises(DamagedError):
        read(world, case, first, folder)
    counted(f"damaged files: {len(broken) + 1}, refused: {refused + 1}")
    # The list still opens, so that what is damaged can be removed.
    assert len(listed(world, case)) == 2
    documents.remove(world.actor("coordinator"), case, first, folder)
    assert read(world, case, second, folder)[1] == attachments.pdf("two", size=70_001)


MOVED = {
    "to the other document's file": lambda _row, other: {"file_id": other.file_id},
    "to another part of the file": lambda _row, _other: {"compartment": "identity"},
    "the other's seal": lambda _row, other: {"sealed": other.sealed},
    "another revision": lambda _row, _other: {"revision": 2},
}


@ON_ONE
@pytest.mark.parametrize("what", MOVED)
def test_a_row_that_was_moved_opens_nothing(world, case, folder, two, what):
    ids, _paths = two
    with world.entered():
        row, other = rows()
        changed = MOVED[what](row, other)
        with unit_of_work() as unit:
            # The name of a file is unique: the other document gives it up.
            if "file_id" in changed:
                db.session.execute(
                    update(SealedDocument)
                    .where(SealedDocument.row_id == ids[1])
                    .values(file_id=UUID(int=1))
                )
            db.session.execute(
                update(SealedDocument).where(SealedDocument.row_id == ids[0]).values(**changed)
            )
            record(unit, HOUSEKEEPING, Action.CASE_OPEN)
        with pytest.raises(DamagedError):
            read(world, case, ids[0], folder)


def test_a_row_of_another_case_opens_nothing(world, case, folder):
    elsewhere = worlds.flag(world)
    document = worlds.attach(world, case)
    worlds.attach(world, elsewhere)
    with world.entered():
        stolen, own = rows()
        with unit_of_work() as unit:
            db.session.execute(
                update(SealedDocument)
                .where(SealedDocument.row_id == document)
                .values(case_id=own.case_id, key_id=own.key_id)
            )
            record(unit, HOUSEKEEPING, Action.CASE_OPEN)
        assert stolen.row_id == document
        with pytest.raises((DamagedError, LockedError)):
            read(world, elsewhere, document, folder)


def test_a_file_sealed_anew_has_another_key_and_place(world, case, folder):
    document = worlds.attach(world, case)
    before = stored(folder)
    with world.entered():
        with document_files.moving(folder) as files, unit_of_work() as unit:
            [row] = rows()
            old_id = row.file_id
            standing = standing_of(case)
            [(row, held)] = vault.open_documents(
                unit, world.actor("coordinator"), standing, ["health"]
            )
            row.file_id, renewed = documents.sealed_anew(files, row.file_id, held)
            vault._seal(unit, row.case_id, "health", row, renewed)
            record(unit, HOUSEKEEPING, Action.CASE_REKEY)
        assert row.file_id != old_id
        assert renewed["key"] != held["key"]
        assert len(base64.b64decode(renewed["key"])) == 32
        assert documents.files_of(row.case_id) == [row.file_id]
    assert read(world, case, document, folder)[1] == worlds.PDF
    assert len(stored(folder)) == len(before)
    assert set(stored(folder)).isdisjoint(before)


def standing_of(case):
    found = select(Case).where(Case.reference == case)
    return visibility.case_standing(db.session.scalars(found).one())
