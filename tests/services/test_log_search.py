"""Whatever the log is asked, one index answers, however many entries there are."""

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from sqlalchemy import event, insert, select, text

from nrm.audit.actions import Action, Outcome
from nrm.db import db
from nrm.domain.roles import Role
from nrm.models import AuditEntry, Case, Referral
from nrm.services import log_search
from nrm.services.log_search import Search
from tests import world as worlds

ENTRIES = 3_000
BEGAN = datetime(2026, 1, 5, tzinfo=UTC)
PERIOD = {"since": BEGAN + timedelta(hours=7), "until": BEGAN + timedelta(hours=30)}


@pytest.fixture
def asked(world):
    """Fill the log, and give every question by its name: what is asked, and which index answers."""
    case, referral = worlds.accepted(world)
    fill(world, case)
    refused_by = list(world.accounts.values())[300 % len(world.accounts)]
    most = next(iter(world.organisations.values()))
    questions = {
        "nothing": (Search(), "occurred_at_seq"),
        "account": (Search(account_id=world.accounts["provider"]), "actor_id_occurred_at_seq"),
        "organisation": (
            Search(organisation_id=world.organisations["clinic"]),
            "actor_organisation_id_occurred_at_seq",
        ),
        "case": (Search(case_reference=case), "case_id_occurred_at_seq"),
        "act": (Search(action=Action.CASE_CLOSE), "action_occurred_at_seq"),
        "refused": (Search(outcome=Outcome.REFUSED), "not_done"),
        "begun": (Search(outcome=Outcome.BEGUN), "not_done"),
        "done": (Search(outcome=Outcome.DONE), "occurred_at_seq"),
        "account and act": (
            Search(account_id=world.accounts["provider"], action=Action.CASE_OPEN),
            "actor_id_action",
        ),
        "account and act that it never did": (
            Search(account_id=world.accounts["provider"], action=Action.CASE_ERASE),
            "actor_id_action",
        ),
        "organisation and act": (
            Search(organisation_id=most, action=Action.CASE_OPEN),
            "actor_organisation_id_action",
        ),
        "account and refused": (
            Search(account_id=refused_by, outcome=Outcome.REFUSED),
            "actor_id_not_done",
        ),
        "organisation and refused": (
            Search(organisation_id=most, outcome=Outcome.REFUSED),
            "actor_organisation_id_not_done",
        ),
        "act and refused": (
            Search(action=Action.CASE_OPEN, outcome=Outcome.REFUSED),
            "action_not_done",
        ),
        "case and act": (
            Search(case_reference=case, action=Action.CASE_OPEN),
            "case_id_occurred_at_seq",
        ),
        "account and organisation and act and done": (
            Search(
                account_id=world.accounts["provider"],
                organisation_id=most,
                action=Action.CASE_OPEN,
                outcome=Outcome.DONE,
            ),
            "actor_id_action",
        ),
        "a case that is not there": (Search(case_reference="ZZZZ-ZZZZ-Z"), "case_id_occurred_at"),
    }
    in_time = {
        f"{name}, in a time": (replace(search, **PERIOD), index)
        for name, (search, index) in questions.items()
    }
    # A referral is found among the entries of its case, which are few.
    questions["referral"] = (Search(referral_reference=referral), "case_id_occurred_at_seq")
    return questions | in_time


def fill(world, case):
    """Write thousands of entries, three to each moment, the rare among them all long ago."""
    case_id = db.session.scalar(select(Case.id).where(Case.reference == case))
    referral_id = db.session.scalar(select(Referral.id))
    # What was read before this holds on to the log as it was.
    db.session.rollback()
    people = list(world.accounts.values())
    houses = list(world.organisations.values())
    rows = [
        {
            "id": uuid4(),
            "occurred_at": BEGAN + timedelta(minutes=number // 3),
            "actor_id": people[number % len(people)],
            "actor_organisation_id": houses[0] if number % 400 else world.organisations["clinic"],
            "actor_role": Role.COORDINATOR.value,
            "session_ref": "",
            "action": (Action.CASE_OPEN if number % 500 else Action.CASE_CLOSE).value,
            "subject_type": "case" if number % 200 else "referral",
            "subject_id": uuid4() if number % 200 else referral_id,
            "case_id": uuid4() if number % 100 else case_id,
            "compartments": "",
            "purpose": "",
            "outcome": (Outcome.DONE if number % 300 else Outcome.REFUSED).value,
            "rows": "[]",
            "detail_sha256": "",
            "leaf_hash": bytes(32),
        }
        for number in range(ENTRIES)
    ]
    with db.engine.begin() as connection:
        connection.execute(insert(AuditEntry), rows)
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as connection:
            connection.execute(text("ANALYZE"))


@contextmanager
def noted():
    """Collect what the database is asked meanwhile, with what it carries."""
    sent = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def explained(statement, parameters):
    """Ask the database how it answers, with the figures that it has of its tables."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(row.detail for row in rows)
        return "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())


def entries(search):
    """Read the whole log, and pick by hand what was asked for."""
    case_id = db.session.scalar(select(Case.id).where(Case.reference == search.case_reference))
    sent = db.session.scalar(
        select(Referral.id).where(Referral.reference == search.referral_reference)
    )
    wanted = (
        ("case_id", case_id or (search.case_reference and "none")),
        ("subject_id", sent),
        ("actor_id", search.account_id),
        ("actor_organisation_id", search.organisation_id),
        ("action", search.action),
        ("outcome", search.outcome),
    )
    picked = [
        (kept.occurred_at, kept.seq)
        for kept in db.session.scalars(select(AuditEntry))
        if all(getattr(kept, name) == value for name, value in wanted if value)
        and (search.since is None or kept.occurred_at >= search.since)
        and (search.until is None or kept.occurred_at < search.until)
    ]
    return sorted(picked, reverse=True)


def test_every_question_finds_what_is_there_newest_first_page_by_page(asked, subtests):
    for name, (search, _index) in asked.items():
        with subtests.test(name):
            expected = entries(search)
            empty = ("begun", "a case that is not there", "account and act that it never did")
            assert bool(expected) == (name.split(",")[0] not in empty)
            found, page = [], log_search.lines(search, 100)
            while page:
                found += [line.point for line in page]
                page = log_search.lines(replace(search, before=found[-1]), 100)
            assert found == expected


def test_one_index_answers_and_nothing_is_sorted(asked, subtests, database_kind):
    referral, index = asked.pop("referral")
    assert index in how(referral)
    for name, (search, index) in asked.items():
        for place in (None, (BEGAN + timedelta(hours=9), 1_200)):
            with subtests.test(f"{name}, {'a later page' if place else 'the first page'}"):
                plan = how(replace(search, before=place))
                few = " and " in name or "case" in name
                if few and database_kind == "postgresql":
                    # Where it expects few entries, it may read and sort them all.
                    assert re.search(r"Index Scan .*ix_audit_entry_\w+", plan), plan
                    assert "Seq Scan" not in plan
                    continue
                walked = rf"(?:USING INDEX|Backward using) ix_audit_entry_{index}"
                assert re.search(walked, plan), plan
                assert not re.search(r"SCAN audit_entry(?! USING)|Seq Scan|Bitmap", plan), plan
                assert not re.search(r"TEMP B-TREE|Sort", plan), plan


def how(search):
    """Ask the database how it chooses a page; the names of a page's fifty entries come after."""
    with noted() as sent:
        log_search.lines(search, 51)
    [(statement, parameters)] = [one for one in sent if "FROM audit_entry" in one[0]]
    page = statement[statement.index("(SELECT") + 1 : statement.rindex(") AS anon_1")]
    return explained(page, parameters)


def test_without_its_index_a_question_would_be_found_out(asked):
    search, index = asked["account"]
    with db.engine.begin() as connection:
        connection.execute(text(f"DROP INDEX ix_audit_entry_{index}"))
    assert re.search(r"TEMP B-TREE|Sort", how(search))


def test_conditions_narrow_together(world, asked):
    del asked
    search = Search(
        account_id=world.accounts["provider"],
        organisation_id=world.organisations["lakes"],
        action=Action.REFERRAL_ACCEPT,
        outcome=Outcome.DONE,
    )
    assert [line.point for line in log_search.lines(search, 51)] == entries(search)
    assert len(entries(search)) == 1


def test_a_page_begins_below_the_last_entry_of_the_one_before(asked):
    """Three entries share each moment, so that a page ends in the midst of one."""
    search, _index = asked["nothing"]
    pages = [log_search.lines(search, 50)]
    for _ in range(3):
        pages.append(log_search.lines(replace(search, before=pages[-1][-1].point), 50))
    shown = [line.point for page in pages for line in page]
    assert all(newer > older for newer, older in pairwise(shown))
    assert any(newer[0] == older[0] for newer, older in pairwise(shown))
