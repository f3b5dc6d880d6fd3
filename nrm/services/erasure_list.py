"""The file of the erasure list: read whole or not at all, and only ever added to."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from nrm.domain.erasure import DamagedListError, Line, parsed, written

_OWNER_ONLY = 0o600


def read(path: Path) -> dict[UUID, Line]:
    """Read which cases were erased; where no list was begun yet, none were."""
    try:
        return parsed(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        raise DamagedListError(f"the erasure list {path.name} cannot be read") from None


def append(path: Path, lines: Sequence[Line]) -> None:
    """Add erased cases to the list; what could not be written whole is taken off it again."""
    if not lines:
        return
    new = not path.exists()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        _write_whole(handle, "".join(map(written, lines)).encode())
    finally:
        os.close(handle)
    if new:
        _keep_name(path.parent)


def _write_whole(handle: int, text: bytes) -> None:
    before = os.fstat(handle).st_size
    try:
        while text:
            text = text[os.write(handle, text) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, before)
        raise


def _keep_name(folder: Path) -> None:
    """Let the new file's name survive a power cut too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
