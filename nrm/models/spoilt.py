"""Columns of the log that are read even where somebody with the database file wrote nonsense.

SQLite keeps any value in any column. One spoilt entry must not hide all the others, so that what
cannot be read is read as something that says so, and an entry is asked with `readable`.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Dialect, LargeBinary, String, Text, Uuid
from sqlalchemy.types import TypeDecorator

from nrm.models.base import UtcDateTime

_Reading: TypeAlias = Callable[[Any], Any] | None

# Stands for an id that is none any more; nothing of ours has it.
SPOILT_ID = UUID(int=2**128 - 1)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# What stands for bytes that are no text; the log writes none of these.
_LOST = "\N{REPLACEMENT CHARACTER}"


class SpoiltMoment(datetime):
    """Stands for what is no moment any more: the last true one that sorts before it.

    So whoever reads on from there misses nothing that can be read, and does not go in circles.
    """


class SpoiltText(str):
    """Stands for what is no text any more, or shows what is left of one."""

    __slots__ = ()


def readable(*values: object) -> bool:
    """Say whether each of these was read as it stands."""
    return not any(
        value == SPOILT_ID or isinstance(value, SpoiltMoment | SpoiltText) for value in values
    )


class LogId(TypeDecorator[UUID]):
    """An id in the log."""

    impl = Uuid
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reading:
        """Read an id, or say that it is none any more."""
        return _lenient(super().result_processor(dialect, coltype), lambda _: SPOILT_ID)


class LogMoment(UtcDateTime):
    """A moment in the log."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reading:
        """Read a moment, or say that it is none any more."""
        return _lenient(super().result_processor(dialect, coltype), _before)


class LogText(TypeDecorator[str]):
    """A text in the log."""

    impl = String
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reading:
        """Read a text, or say that it is none any more; PostgreSQL keeps nothing else."""
        usual = super().result_processor(dialect, coltype)
        return _text if dialect.name == "sqlite" else usual


class LogLongText(LogText):
    """A text of any length in the log."""

    impl = Text
    cache_ok = True


class LogBytes(TypeDecorator[bytes]):
    """Bytes in the log."""

    impl = LargeBinary
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reading:
        """Read bytes, or none: no hash and nothing sealed is like those."""
        usual = super().result_processor(dialect, coltype)
        return _bytes if dialect.name == "sqlite" else usual


def _text(kept: Any) -> str:  # noqa: ANN401 - whatever the database holds
    if not isinstance(kept, str):
        return SpoiltText(_LOST)
    return SpoiltText(kept) if _LOST in kept else kept


def _bytes(kept: Any) -> bytes | None:  # noqa: ANN401 - whatever the database holds
    return kept if kept is None or isinstance(kept, bytes) else b""


def _lenient(read: _Reading, stand_in: Callable[[Any], Any]) -> _Reading:
    if read is None:
        return None

    def reading(value: Any) -> Any:  # noqa: ANN401 - whatever the database holds
        try:
            return read(value)
        except (AttributeError, TypeError, ValueError):
            return stand_in(value)

    return reading


def _before(kept: object) -> SpoiltMoment:
    """Find the last moment whose text, as SQLite keeps it, does not sort after this."""
    if not isinstance(kept, str):
        # SQLite sorts numbers before every text, and bytes after.
        return _spoilt(_LAST if isinstance(kept, bytes) else _FIRST)
    low, high = 0, (_LAST - _FIRST) // _MICROSECOND
    while low < high:
        middle = (low + high + 1) // 2
        moment = _FIRST + middle * _MICROSECOND
        if moment.replace(tzinfo=None).isoformat(" ", "microseconds") <= kept:
            low = middle
        else:
            high = middle - 1
    return _spoilt(_FIRST + low * _MICROSECOND)


def _spoilt(moment: datetime) -> SpoiltMoment:
    return SpoiltMoment.fromtimestamp(0, UTC) + (moment - datetime.fromtimestamp(0, UTC))
