"""A page asks the database a bounded number of things, however much there is, and by its index."""

import re
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.services import absence, accounts, comparison, ownership
from nrm.services.accounts import NewAccount
from nrm.services.audit import record
from tests import world as worlds

MOST, MOST_OF_THE_LOG = 12, 10
FEW, MANY = 5, 60
# Turning transactions on and off, and settings of a connection, ask for no data.
NOT_COUNTED = ("BEGIN", "PRAGMA", "SET ", "SAVEPOINT", "RELEASE")

PEOPLE = ("coordinator", "provider", "auditor", "administrator", "organisation_administrator")
WORKLIST_INDEXES = {
    "all": "ix_case_file_open",
    "incoming": "ix_case_file_open_by_identification",
    "mine": "ix_case_file_open_by_owner",
    "nobodys": "ix_case_file_open_by_owner",
    "needs": "ix_case_file_open_by_assistance",
    "referred": "ix_case_file_open_by_assistance",
    "assisted": "ix_case_file_open_by_assistance",
}


@contextmanager
def noted(world):
    """Collect every statement that the database is asked meanwhile, with what it carries."""
    asked = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if not statement.startswith(NOT_COUNTED):
            asked.append((statement, parameters))

    with world.entered():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def asked_for(world, page, path):
    """Open a page as someone who works here already; the first click of a sitting asks more."""
    page.get(path)
    with noted(world) as asked:
        page.get(path)
    return asked


@pytest.fixture
def pages(signed_in):
    return {name: signed_in(name) for name in PEOPLE}


def counts(world, pages, reference):
    """Count the statements of each page."""
    paths = {
        "/cases": "coordinator",
        "/cases?queue=mine": "coordinator",
        "/cases?queue=nobodys": "coordinator",
        f"/cases/{reference}": "coordinator",
        f"/cases/{reference}/consent": "coordinator",
        f"/cases/{reference}/known": "coordinator",
        f"/cases/{reference}/help": "coordinator",
        f"/cases/{reference}/documents": "coordinator",
        f"/cases/{reference}/access": "coordinator",
        f"/cases/{reference}/owner": "coordinator",
        "/away": "coordinator",
        "/left-drafts": "coordinator",
        "/inbox": "provider",
        "/audit": "auditor",
        f"/audit/seen/file/{reference}": "auditor",
    }
    return {
        path.replace(reference, "…"): len(asked_for(world, pages[name], path))
        for path, name in paths.items()
    }


def test_the_number_of_statements_does_not_grow_with_the_number_of_cases(world, pages, counted):
    references = [worlds.referred(world)[0] for _ in range(FEW)]
    reference = references[0]
    with world.entered():
        comparison.compare_new()
    few = counts(world, pages, reference)
    for _ in range(MANY - FEW):
        worlds.referred(world)
    assert counts(world, pages, reference) == few
    counted(f"statements with {FEW} and with {MANY} cases: {few}")
    log = few.pop("/audit")
    assert 0 < log <= MOST_OF_THE_LOG
    assert all(0 < count <= MOST for count in few.values()), few


def test_the_number_of_statements_does_not_grow_with_the_number_of_people(world, pages, counted):
    def counted_pages():
        someone = f"/people/{world.accounts['provider']}"
        return {
            (name, path): len(asked_for(world, pages[name], path))
            for name in ("administrator", "organisation_administrator")
            for path in ("/people", someone, f"{someone}/role")
        }

    few = counted_pages()
    with world.entered(), unit_of_work() as unit:
        home = world.organisations["lakes"]
        for number in range(MANY):
            email = f"colleague.{number}@practice.example"
            new = NewAccount(f"Practice Colleague {number}", email, home, Role.PROVIDER)
            accounts.add_account(unit, new)
        record(unit, HOUSEKEEPING, Action.DIRECTORY_LOAD)
    assert counted_pages() == few
    counted(f"statements with few people and with {MANY} more: {few}")
    assert all(0 < count <= MOST for count in few.values()), few


def test_the_worklist_and_the_inbox_walk_their_indexes(world, pages, subtests):
    """The statements are those that the pages send; a copy of them would prove nothing."""
    for _ in range(FEW):
        worlds.flag(world)
        worlds.consented(world)
        worlds.referred(world)
        worlds.accepted(world)
    for queue, index in WORKLIST_INDEXES.items():
        with subtests.test(queue):
            listed = listing(world, pages["coordinator"], f"/cases?queue={queue}", "case_file")
            assert len(listed) == 1
            walks(world, listed, index)
    for tab, branches in {"sent": 1, "accepted": 1, "closed": 4}.items():
        with subtests.test(tab):
            listed = listing(world, pages["provider"], f"/inbox?state={tab}", "referral")
            assert len(listed) == branches
            walks(world, listed, "ix_referral_inbox")


def test_the_second_page_of_the_worklist_walks_its_index_too(world, pages, monkeypatch, subtests):
    monkeypatch.setattr("nrm.services.casefile.PAGE", 2)
    for _ in range(FEW):
        worlds.flag(world)
    for queue in ("all", "incoming", "nobodys"):
        with subtests.test(queue):
            html = pages["coordinator"].get(f"/cases?queue={queue}")
            [more] = [link["href"] for link in html.select("a[href*='after=']")]
            listed = listing(world, pages["coordinator"], more, "case_file")
            assert len(listed) == 1
            walks(world, listed, WORKLIST_INDEXES[queue])


def test_whoever_stands_in_reads_one_branch_for_each_owner(world, pages, monkeypatch):
    """Each branch walks the index and reads keys alone; the rows come in one statement for all."""
    monkeypatch.setattr("nrm.services.casefile.PAGE", 3)
    for _ in range(FEW):
        worlds.presumed(world)
    away(world, "second_coordinator", "coordinator")
    alone = len(asked_for(world, pages["coordinator"], "/cases?queue=mine"))
    with world.entered():
        for reference in [worlds.flag(world) for _ in range(FEW)]:
            ownership.take(world.actor("other_coordinator"), reference)
    away(world, "other_coordinator", "coordinator")
    path = "/cases?queue=mine"
    # One branch more, and one statement for the names of who stands in.
    assert len(asked_for(world, pages["coordinator"], path)) <= alone + 2
    html = pages["coordinator"].get(path)
    [more] = [link["href"] for link in html.select("a[href*='after=']")]
    for where in (path, more):
        listed = listing(world, pages["coordinator"], where, "case_file")
        assert len(listed) == 3
        walks(world, listed, "ix_case_file_open_by_owner")


def away(world, name, stand_in):
    with world.entered():
        absence.set_away(world.actor(name), world.today, world.accounts[stand_in], world.pack)


def test_without_its_index_a_list_would_be_found_out(world, pages):
    worlds.referred(world)
    with world.entered(), db.engine.begin() as connection:
        for index in ("ix_case_file_open", "ix_referral_inbox"):
            connection.exec_driver_sql(f"DROP INDEX {index}")
    lists = {
        "ix_case_file_open": listing(world, pages["coordinator"], "/cases", "case_file"),
        "ix_referral_inbox": listing(world, pages["provider"], "/inbox", "referral"),
    }
    for index, listed in lists.items():
        [(statement, parameters)] = listed
        plan = explained(world, statement, parameters)
        assert not re.search(rf"\b{index}\b", plan), plan
        assert "TEMP B-TREE" in plan or "Sort" in plan


def listing(world, page, path, table):
    """Give the statements of a page that list rows of a table in order."""
    return [
        (statement, parameters)
        for statement, parameters in asked_for(world, page, path)
        if f"FROM {table} " in statement.replace("\n", " ") and "ORDER BY" in statement
    ]


def walks(world, listed, index):
    """Ask the database how it would answer: by this index, in its order, sorting nothing."""
    for statement, parameters in listed:
        plan = explained(world, statement, parameters)
        assert re.search(rf"\b{index}\b", plan), plan
        assert "TEMP B-TREE" not in plan, plan
        assert "Sort" not in plan, plan


def explained(world, statement, parameters):
    with world.entered(), db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(row.detail for row in rows)
        # So few rows are read fastest in one go; what counts is what a full table would do.
        for dear in ("seqscan", "bitmapscan"):
            connection.exec_driver_sql(f"SET LOCAL enable_{dear} = off")
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return "\n".join(rows.scalars())
