"""The declarative base, the column types that both databases share, and the audited tables."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    BindParameter,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    String,
    Uuid,
    bindparam,
)
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

E = TypeVar("E", bound=StrEnum)

# Explicit names, so that a migration can drop on PostgreSQL what it made on SQLite.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# Committing a change to one of these tables without an entry in the log is refused.
AUDITED_TABLES: set[str] = set()


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(naming_convention=_NAMES)


class Audited:
    """Marks a table whose every change is an act, and so has an entry in the log."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Remember the table's name for the guard."""
        super().__init_subclass__(**kwargs)
        AUDITED_TABLES.add(cls.__tablename__)  # type: ignore[attr-defined]


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone, and write UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read UTC, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def now() -> BindParameter[datetime]:
    """Give the moment at which a statement is sent, for what a mapped class says of itself."""
    return bindparam(None, callable_=lambda: datetime.now(UTC), type_=UtcDateTime)


class Word(TypeDecorator[E], Generic[E]):
    """A state or a role, kept as its plain word so that the table reads without the program."""

    impl = String(32)
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        """Remember which words may stand here."""
        super().__init__()
        self.words = words

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        """Write the word."""
        del dialect
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        """Read the word."""
        del dialect
        return None if value is None else self.words(value)


# SQLite counts only in INTEGER columns; PostgreSQL needs the width for a log that never shrinks.
Counter = BigInteger().with_variant(Integer, "sqlite")

Id = Annotated[UUID, mapped_column(Uuid, primary_key=True, default=uuid4)]
Moment = Annotated[datetime, mapped_column(UtcDateTime)]
