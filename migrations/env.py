"""How Alembic reaches the database of the application that runs it."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, types

from nrm.models.base import UtcDateTime, Word


def plain_type(kind: str, item: Any, autogen: Any) -> str | bool:
    """Write our own column types by what they are in the database, so that history stands alone."""
    del autogen
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Word):
        return "sa.String(length=32)"
    return False


def same_type(
    migration: Any, column: Any, metadata_column: Any, stored: Any, wanted: Any
) -> bool | None:
    """Compare our own types by what they are in the database."""
    del migration, column, metadata_column
    if isinstance(wanted, UtcDateTime):
        return not isinstance(stored, types.DateTime)
    if isinstance(wanted, Word):
        return not isinstance(stored, types.String)
    return None


def run(connection: Connection) -> None:
    """Run the migrations in one transaction: all of them, or none."""
    database = current_app.extensions["migrate"].db
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        render_item=plain_type,
        compare_type=same_type,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


with current_app.extensions["migrate"].db.engine.connect() as connection:
    run(connection)
