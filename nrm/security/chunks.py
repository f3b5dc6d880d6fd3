"""Sealed files: chunks of one size under AES-256-GCM, each bound to its file, number and the end.

Stored form:  0x01 | file id (16 bytes) | chunk 0 | chunk 1 | … | last chunk
Chunk:        65,536 bytes of the file, the last one filled up with zero bytes, and the tag (16)
Nonce:        the chunk's number in 12 bytes; a key seals one file, once, and nothing else
Bound to:     ("nrm document v1", file id, chunk's number, 1 for the last chunk and else 0)

The length of the stored file says how many chunks there are; the true length is kept elsewhere.
"""

import io
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nrm.domain.errors import DamagedError
from nrm.security.framing import frame, number

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FORMAT = 1
CHUNK = 64 * 1024
_TAG = 16
_HEAD = 1 + 16
_WHAT = "a document"


def chunks_of(length: int) -> int:
    """Say in how many chunks a file of this length is kept; an empty one fills a chunk too."""
    return max(1, -(-length // CHUNK))


class ChunkWriter:
    """Seals what is written, a chunk at a time; the last chunk is sealed by `finish`."""

    def __init__(self, file: BinaryIO, key: bytes, file_id: UUID) -> None:
        self.length = 0
        self._file = file
        self._aead = AESGCM(key)
        self._file_id = file_id
        self._index = 0
        self._waiting = bytearray()
        file.write(_head(file_id))

    def write(self, data: bytes) -> None:
        """Take the next bytes of the file."""
        self.length += len(data)
        self._waiting += data
        # A chunk is sealed once more follows it: only then is it known not to be the last.
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def finish(self) -> None:
        """Seal the last chunk and see to it that the disk has all of them."""
        self._seal(bytes(self._waiting).ljust(CHUNK, b"\0"), last=True)
        self._waiting.clear()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        bound = _bound(self._file_id, self._index, last=last)
        self._file.write(self._aead.encrypt(_nonce(self._index), chunk, bound))
        self._index += 1


class ChunkReader(io.RawIOBase):
    """Reads a sealed file anywhere in it; raises DamagedError where it is not what was written."""

    def __init__(self, file: BinaryIO, key: bytes, file_id: UUID, length: int) -> None:
        super().__init__()
        self.length = length
        self._file = file
        self._aead = AESGCM(key)
        self._file_id = file_id
        self._count = chunks_of(length)
        self._at = 0
        # The chunk opened last, so that small reads open each chunk once.
        self._held: tuple[int, bytes] = (-1, b"")
        self._refuse_another_shape()

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the file."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.length}[whence]
        if start + offset < 0:
            raise ValueError("there is nothing before the beginning of a file")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """Say where the next bytes are read."""
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read as much as one chunk gives; nothing at the end."""
        if self._at >= self.length:
            return 0
        room = memoryview(buffer).cast("B")
        index, within = divmod(self._at, CHUNK)
        piece = self._chunk(index)[within : within + len(room)]
        room[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def chunks(self) -> Iterator[bytes]:
        """Go through the whole file, chunk by chunk."""
        for index in range(self._count):
            yield self._chunk(index)

    def verify(self) -> None:
        """Open every chunk, so that nothing of a damaged file is shown."""
        for _chunk in self.chunks():
            pass

    def close(self) -> None:
        """Close the stored file too."""
        if not self.closed:
            self._file.close()
        super().close()

    def _refuse_another_shape(self) -> None:
        """Find a chunk that was cut off or added before anything is read."""
        stored = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        if self._file.read(_HEAD) != _head(self._file_id):
            raise DamagedError(_WHAT)
        if stored != _HEAD + self._count * (CHUNK + _TAG):
            raise DamagedError(_WHAT)

    def _chunk(self, index: int) -> bytes:
        if self._held[0] != index:
            self._held = (index, self._open(index))
        return self._held[1]

    def _open(self, index: int) -> bytes:
        last = index == self._count - 1
        self._file.seek(_HEAD + index * (CHUNK + _TAG))
        sealed = self._file.read(CHUNK + _TAG)
        try:
            opened = self._aead.decrypt(
                _nonce(index), sealed, _bound(self._file_id, index, last=last)
            )
        except (InvalidTag, ValueError):
            raise DamagedError(_WHAT) from None
        return opened[: self.length - index * CHUNK] if last else opened


def _head(file_id: UUID) -> bytes:
    return bytes([FORMAT]) + file_id.bytes


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _bound(file_id: UUID, index: int, *, last: bool) -> bytes:
    return frame(b"nrm document v1", file_id.bytes, number(index), bytes([last]))
