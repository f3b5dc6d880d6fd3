"""The guard reads the statement itself: no spelling of a change goes past it unrecorded.

`test_audited.py` walks the usual ways of writing, and the same ways with their entry.
"""

from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import UnauditedError
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import Case, ListingService, Organisation
from nrm.services import vault
from nrm.services.audit import record
from tests import ledger as ledgers
from tests import world as worlds

# Where the tables live, by what each database calls it.
SCHEMA = {"sqlite": "main", "postgresql": "public"}

ON_BOTH = (
    "UPDATE ORGANISATION SET district = '12'",
    "update\n\torganisation\nset district = '12'",
    "UPDATE {schema}.organisation SET district = '12'",
    'UPDATE "{schema}"."organisation" SET district = \'12\'',
    "DELETE FROM {schema}.listing_service",
    "INSERT INTO {schema}.listing_service SELECT id, 'education' FROM listing",
)
ON_SQLITE = (
    "UPDATE OR REPLACE organisation SET district = '12'",
    "UPDATE [organisation] SET district = '12'",
    "UPDATE `organisation` SET district = '12'",
    "INSERT OR IGNORE INTO listing_service SELECT id, 'education' FROM listing",
    "REPLACE INTO listing_service SELECT id, 'education' FROM listing",
)
ON_POSTGRESQL = (
    "UPDATE ONLY organisation SET district = '12'",
    "DELETE FROM ONLY listing_service",
    "TRUNCATE TABLE ONLY listing_service",
    "WITH moved AS (UPDATE organisation SET district = '12' RETURNING id) SELECT * FROM moved",
    "MERGE INTO listing_service s USING listing l ON s.listing_id = l.id WHEN MATCHED THEN DELETE",
)


@pytest.mark.usefixtures("world")
def test_however_a_statement_is_spelled_it_needs_its_entry(database_kind):
    own = {"sqlite": ON_SQLITE, "postgresql": ON_POSTGRESQL}[database_kind]
    for statement in ON_BOTH + own:
        with ledgers.nothing_changes(), pytest.raises(UnauditedError), unit_of_work():
            db.session.execute(text(statement.format(schema=SCHEMA[database_kind])))


def by_insert_or_update(world, kind):
    """Insert what is there already, and so change it."""
    chosen = {"sqlite": sqlite, "postgresql": postgresql}[kind]
    row = {"listing_id": world.listings["lakes"], "service": "emergency_shelter"}
    db.session.execute(
        chosen.insert(ListingService)
        .values(row)
        .on_conflict_do_update(index_elements=list(row), set_={"service": "education"})
    )


def by_insert_or_nothing(world, kind):
    chosen = {"sqlite": sqlite, "postgresql": postgresql}[kind]
    row = {"listing_id": world.listings["lakes"], "service": "education"}
    db.session.execute(chosen.insert(ListingService).values(row).on_conflict_do_nothing())


def by_many_rows(world, kind):
    del kind
    db.session.execute(
        insert(ListingService),
        [
            {"listing_id": listing, "service": service}
            for listing in world.listings.values()
            for service in ("education", "legal_aid")
        ],
    )


def by_core_delete(world, kind):
    del world, kind
    db.session.execute(delete(ListingService.__table__))


def by_update_that_returns(world, kind):
    del world, kind
    db.session.scalars(update(Organisation).values(district="12").returning(Organisation.id)).all()


def by_deleting_an_object(world, kind):
    del kind
    db.session.delete(
        db.session.get(ListingService, (world.listings["hills"], "emergency_shelter"))
    )


@pytest.mark.parametrize(
    "way",
    [
        by_insert_or_update,
        by_insert_or_nothing,
        by_many_rows,
        by_core_delete,
        by_update_that_returns,
        by_deleting_an_object,
    ],
    ids=lambda way: way.__name__,
)
def test_a_change_that_the_library_wrote_needs_its_entry(world, database_kind, way):
    with ledgers.nothing_changes(), pytest.raises(UnauditedError), unit_of_work():
        way(world, database_kind)


@pytest.mark.usefixtures("world")
def test_a_connection_of_ones_own_is_guarded_and_goes_back_clean():
    organisation = Organisation(
        id=uuid4(), name="Practice Unasked", kind="ngo", district="11", created_at=datetime.now(UTC)
    )
    with ledgers.nothing_changes():
        with pytest.raises(UnauditedError), db.engine.begin() as connection:
            connection.execute(update(Organisation.__table__).values(district="12"))
        with pytest.raises(UnauditedError), Session(db.engine) as session, session.begin():
            session.add(organisation)
        # Whoever takes the connection next finds neither the change nor its lock on it.
        with db.engine.begin() as connection:
            connection.execute(text("SELECT 1"))
    with unit_of_work() as unit:
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)


def undone_entry(world):
    """Change something, write its entry, and take the entry back to a savepoint."""
    with unit_of_work() as unit:
        by_core_delete(world, "")
        with suppress(ZeroDivisionError), db.session.begin_nested():
            record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
            raise ZeroDivisionError


def test_an_entry_that_was_undone_pays_for_nothing(world):
    with ledgers.nothing_changes(), pytest.raises(UnauditedError):
        undone_entry(world)


def seal_without_entry(unit, actor, case_id):
    del unit, actor, case_id


def seal_after_entry(unit, actor, case_id):
    del case_id
    record(unit, actor, Action.CASE_OPEN)


@pytest.mark.parametrize("first", [seal_without_entry, seal_after_entry])
def test_a_sealed_row_that_its_entry_does_not_name_is_refused(world, ledger, first):
    """Written without an entry, or after the entry: the log would not say what was touched."""
    worlds.flag(world)
    case_id = db.session.scalars(select(Case.id)).one()
    actor = world.actor("coordinator")
    before = ledger.entries()

    def seal():
        with unit_of_work() as unit:
            first(unit, actor, case_id)
            vault.seal_note(
                unit, actor, case_id, {}, kind="closure", compartment="health", subject_id=case_id
            )

    with ledgers.nothing_changes(), pytest.raises(UnauditedError, match="sealed rows"):
        seal()
    assert ledger.entries() == before
