"""Nothing changes without an entry, whichever way the change comes; and no entry changes at all."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import UnauditedError
from nrm.domain.roles import HOUSEKEEPING, Permission
from nrm.models import (
    AUDITED_TABLES,
    AuditEntry,
    AuthSession,
    Base,
    Case,
    Departure,
    FormReceipt,
    Organisation,
    ReleaseProgress,
    SignInDelay,
)
from nrm.services import vault, visibility
from nrm.services.audit import record
from tests import ledger as ledgers
from tests import world as worlds


def by_flush(world):
    organisation = db.session.get(Organisation, world.organisations["police"])
    organisation.district = "12"


def by_new_row(world):
    del world
    db.session.add(
        Organisation(
            name="Practice Unasked", kind="ngo", district="11", created_at=datetime.now(UTC)
        )
    )


def by_bulk_update(world):
    del world
    db.session.execute(update(Organisation).values(district="12"))


def by_bulk_delete(world):
    del world
    db.session.execute(delete(FormReceipt))
    db.session.execute(text("DELETE FROM listing_service"))


def by_core(world):
    del world
    db.session.execute(update(Organisation.__table__).values(district="12"))


def by_text(world):
    del world
    db.session.execute(text("UPDATE organisation SET district = '12'"))


def by_quoted_text(world):
    del world
    db.session.execute(text("update \"organisation\" set district = '12'"))


def by_text_with_a_common_table(world):
    del world
    db.session.execute(
        text("WITH chosen AS (SELECT 1) UPDATE organisation SET district = '12' WHERE 1 = 1")
    )


WAYS = (
    by_flush,
    by_new_row,
    by_bulk_update,
    by_bulk_delete,
    by_core,
    by_text,
    by_quoted_text,
    by_text_with_a_common_table,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_an_unaudited_change_is_refused(world, way):
    with ledgers.nothing_changes(), pytest.raises(UnauditedError), unit_of_work():
        way(world)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_same_change_with_its_entry_is_kept(world, way):
    before = ledgers.state()
    with unit_of_work() as unit:
        way(world)
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    assert ledgers.state() != before


def test_a_session_made_by_hand_is_refused_as_well(world):
    with ledgers.nothing_changes(), Session(db.engine) as session:
        session.execute(update(Organisation).values(district="12"))
        with pytest.raises(UnauditedError):
            session.commit()
    with (
        ledgers.nothing_changes(),
        db.engine.connect() as connection,
        pytest.raises(UnauditedError),
        connection.begin(),
    ):
        connection.execute(text("UPDATE organisation SET district = '12'"))
    assert world.organisations


def test_an_entry_in_one_transaction_does_not_pay_for_the_next(world):
    with unit_of_work() as unit:
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    with ledgers.nothing_changes(), pytest.raises(UnauditedError), unit_of_work():
        by_core(world)


def test_what_was_rolled_back_does_not_burden_the_next(world):
    with pytest.raises(ZeroDivisionError), unit_of_work():
        by_core(world) or 1 / 0
    with unit_of_work():
        pass


def test_opening_a_sealed_row_without_an_entry_is_refused(world):
    reference = worlds.flag(world)
    actor = world.actor("coordinator")
    case = visibility.case(actor, reference, Permission.CASE_VIEW)
    standings = {case.id: visibility.case_standing(case)}
    with pytest.raises(UnauditedError), unit_of_work() as unit:
        vault.open_facts(unit, actor, standings)


def test_every_table_is_audited_but_those_that_no_act_is_about():
    plain = {AuthSession.__tablename__, Departure.__tablename__, FormReceipt.__tablename__}
    # How far a counting is says nothing of anybody.
    plain.add(ReleaseProgress.__tablename__)
    # Whoever failed at the door stands in the log; how long they wait is forgotten again.
    plain.add(SignInDelay.__tablename__)
    log = {name for name in Base.metadata.tables if name.startswith("audit_")}
    assert set(Base.metadata.tables) - AUDITED_TABLES == plain | log


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET purpose = 'nothing'",
        "UPDATE audit_entry SET actor_id = NULL",
        "DELETE FROM audit_entry",
    ],
)
def test_the_database_itself_refuses_to_change_an_entry(world, ledger, statement):
    worlds.flag(world)
    before = ledger.entries()
    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(text(statement))
    assert ledger.entries() == before


@pytest.mark.databases("postgresql")
def test_the_database_refuses_to_empty_the_log(world, ledger):
    worlds.flag(world)
    before = ledger.entries()
    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(text("TRUNCATE audit_entry"))
    assert ledger.entries() == before


def test_an_entry_finds_its_place_in_the_tree_once(world, ledger):
    worlds.flag(world)
    first = ledger.entries()[0].seq
    place = text("UPDATE audit_entry SET leaf_index = :place WHERE seq = :seq")
    with db.engine.begin() as connection:
        connection.execute(place, {"place": 7, "seq": first})
    with pytest.raises(DBAPIError, match="keeps its place"), db.engine.begin() as connection:
        connection.execute(place, {"place": 8, "seq": first})


def test_an_entry_that_is_inserted_with_a_used_number_is_refused(world, ledger):
    worlds.flag(world)
    entry = ledger.entries()[0]
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.execute(insert(AuditEntry.__table__).values(**entry._mapping))


def test_cases_are_changed_by_acts_alone(world):
    reference = worlds.flag(world)
    with ledgers.nothing_changes(), pytest.raises(UnauditedError), unit_of_work():
        db.session.execute(update(Case).where(Case.reference == reference).values(urgency=0))
