"""The folder of documents: sealed files under random names, and nothing in it in clear.

A file comes and goes with the row that names it. While it is on its way it lies, or is marked, in
`incoming`; after the commit its mark is taken away. Whatever a crash leaves there is settled by
`sweep`, which asks the database which files are named.
"""

import io
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from nrm.db import db
from nrm.domain.document import LARGEST
from nrm.domain.errors import DamagedError, LockedError
from nrm.models import SealedDocument
from nrm.security.chunks import ChunkReader, ChunkWriter
from nrm.security.keyring import new_key

# Longer than any upload and any act lasts; what still lies in `incoming` then was left behind.
LEFT_BEHIND_SECONDS = 3600
# How many names one question to the database holds.
_BATCH = 500
_INCOMING = "incoming"
_OWNER_ONLY = 0o600


def path_of(folder: Path, file_id: UUID) -> Path:
    """Say where a document's file lies: under a random name, in one of 256 folders."""
    return folder / file_id.hex[:2] / file_id.hex


def incoming_path(folder: Path, file_id: UUID) -> Path:
    """Say where a file lies, or is marked, as long as its act is not done."""
    return folder / _INCOMING / file_id.hex


class Incoming:
    """A file on its way in: sealed as it arrives under a key in memory, never in clear on disk.

    Takes the calls that a form's parser makes: `write`, and `seek` once everything was written.
    What is larger than the limit is not kept, only counted.
    """

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self.folder = folder
        self.file_id = uuid4()
        self.key = new_key()
        self.length = 0
        self.failed = False
        self._largest = largest
        self._file: BinaryIO | None = None
        self._writer: ChunkWriter | None = None
        self._reader: io.BufferedReader | None = None

    @property
    def too_large(self) -> bool:
        """Whether more came than is taken."""
        return self.length > self._largest

    def write(self, data: bytes) -> int:
        """Seal the next bytes; a disk that takes no more is remembered, and said by `reader`."""
        self.length += len(data)
        if self.too_large or self.failed:
            self.discard()
            return len(data)
        try:
            self._begun().write(data)
        except OSError:
            self.failed = True
            self.discard()
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go back to what was written, which ends the writing."""
        return self.reader().seek(offset, whence) if self._finished() else 0

    def read(self, size: int = -1) -> bytes:
        """Read what was written."""
        return self.reader().read(size)

    def reader(self) -> io.BufferedReader:
        """Open what was written; raises LockedError where the disk did not take it."""
        if not self._finished() or self._reader is None:
            raise LockedError("the folder of documents cannot be written")
        return self._reader

    def close(self) -> None:
        """Take away what did not become a document, however the request ended."""
        self.discard()

    def discard(self) -> None:
        """Remove the file, unless it was released to become a document."""
        if self._file is not None:
            self.release()
            incoming_path(self.folder, self.file_id).unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the file where it lies: from now on its act answers for it."""
        for opened in (self._reader, self._file):
            if opened is not None:
                opened.close()
        self._file = self._writer = self._reader = None

    def _begun(self) -> ChunkWriter:
        if self._writer is None:
            path = incoming_path(self.folder, self.file_id)
            _make_folder(path.parent)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
            self._file = os.fdopen(handle, "w+b")
            self._writer = ChunkWriter(self._file, self.key, self.file_id)
        return self._writer

    def _finished(self) -> bool:
        """End the writing once; says whether there is anything to read."""
        if self._writer is not None and self._reader is None and self._file is not None:
            try:
                self._writer.finish()
            except OSError:
                self.failed = True
                self.discard()
                return False
            path = incoming_path(self.folder, self.file_id)
            self._reader = _reader(path, self.key, self.file_id, self.length)
        return self._reader is not None


@dataclass
class Moving:
    """The files that one act brings and takes."""

    folder: Path
    _come: list[UUID] = field(default_factory=list)
    _gone: list[UUID] = field(default_factory=list)

    def arrive(self, incoming: Incoming) -> None:
        """Give a finished incoming file its place; its row follows in the same act."""
        incoming.reader()
        incoming.release()
        final = path_of(self.folder, incoming.file_id)
        _make_folder(final.parent)
        self._come.append(incoming.file_id)
        # Its name in `incoming` stays until the commit, so that a crash leaves a trace of it.
        os.link(incoming_path(self.folder, incoming.file_id), final)
        _flush_folder(final.parent)

    def leave(self, file_ids: Iterable[UUID]) -> None:
        """Mark files whose rows the same act deletes; they are unlinked after the commit."""
        for file_id in file_ids:
            mark = incoming_path(self.folder, file_id)
            _make_folder(mark.parent)
            with suppress(FileExistsError, FileNotFoundError):
                os.link(path_of(self.folder, file_id), mark)
            self._gone.append(file_id)
        if self._gone:
            _flush_folder(self.folder / _INCOMING)

    def settle(self, *, committed: bool) -> None:
        """Keep what came and unlink what went, or the other way round where nothing was done."""
        kept, dropped = (self._come, self._gone) if committed else (self._gone, self._come)
        for file_id in dropped:
            path_of(self.folder, file_id).unlink(missing_ok=True)
        for file_id in (*kept, *dropped):
            incoming_path(self.folder, file_id).unlink(missing_ok=True)


@contextmanager
def moving(folder: Path) -> Iterator[Moving]:
    """Move files together with the rows that name them.

    It stands outside the unit of work, so that it settles after the commit or the rollback:
    `with moving(folder) as files, unit_of_work() as unit: …`.
    """
    files = Moving(folder)
    try:
        yield files
    except OperationalError:
        # Whether the commit arrived is not known: `sweep` asks the database, later.
        raise
    except Exception:
        files.settle(committed=False)
        raise
    files.settle(committed=True)


def open_file(folder: Path, file_id: UUID, key: bytes, length: int) -> ChunkReader:
    """Open a document's file; raises DamagedError where it is gone or of another shape."""
    try:
        file = path_of(folder, file_id).open("rb")
    except OSError:
        raise DamagedError("the file of a document is missing") from None
    try:
        return ChunkReader(file, key, file_id, length)
    except DamagedError:
        file.close()
        raise


def copy_under_new_key(files: Moving, file_id: UUID, key: bytes, length: int) -> tuple[UUID, bytes]:
    """Seal a document's file anew: returns (new file id, new key), and marks the old file to go."""
    copy = Incoming(files.folder, largest=length)
    try:
        with open_file(files.folder, file_id, key, length) as old:
            for chunk in old.chunks():
                copy.write(chunk)
        files.arrive(copy)
    finally:
        copy.discard()
    files.leave([file_id])
    return copy.file_id, copy.key


def sweep(folder: Path) -> int:
    """Settle what a crash left in `incoming`: a file that no row names is removed everywhere."""
    left = _left_behind(folder)
    for start in range(0, len(left), _BATCH):
        batch = left[start : start + _BATCH]
        named = _named(batch)
        files = Moving(folder, [*named], [name for name in batch if name not in named])
        files.settle(committed=True)
    return len(left)


def _named(file_ids: list[UUID]) -> set[UUID]:
    """Ask the database, as it stands now, which of these files a row names."""
    db.session.rollback()
    query = select(SealedDocument.file_id).where(SealedDocument.file_id.in_(file_ids))
    named = set(db.session.scalars(query))
    db.session.rollback()
    return named


def _left_behind(folder: Path) -> list[UUID]:
    """List what has lain in `incoming` for too long; by the moment of its name, not its content."""
    before = time.time() - LEFT_BEHIND_SECONDS
    found = []
    for path in (folder / _INCOMING).glob("*"):
        # What was settled meanwhile, or is none of ours, is left alone.
        with suppress(FileNotFoundError, ValueError):
            if path.stat().st_ctime <= before:
                found.append(UUID(path.name))
    return found


def _reader(path: Path, key: bytes, file_id: UUID, length: int) -> io.BufferedReader:
    return io.BufferedReader(ChunkReader(path.open("rb"), key, file_id, length))


def _make_folder(folder: Path) -> None:
    """Make a folder within the folder of documents, both their owner's alone."""
    for path in (folder.parent, folder):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _flush_folder(folder: Path) -> None:
    """See to it that the disk knows the names in a folder, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
