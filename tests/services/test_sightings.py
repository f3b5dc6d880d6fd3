"""Who has seen what, held against what a test knows because it did it."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from nrm.audit.actions import Action, Outcome, across_files
from nrm.db import acting_at, db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError, RefusedError, Subject
from nrm.domain.lifecycle import ReferralState
from nrm.models import AuditEntry, Case, Referral, SealedEnvelope
from nrm.services import (
    casefile,
    comparison,
    documents,
    erasure,
    log_search,
    provision,
    search,
    sightings,
)
from nrm.services.audit import record
from nrm.services.casefile import Queue
from nrm.services.sequencing import touched_rows
from tests import world as worlds
from tests.guards.test_statements import explained
from tests.ledger import SEALED_TABLES
from tests.log import sign
from tests.services.acts import ACTS
from tests.services.test_log_search import noted

FILES, RANDOM_ACTS, MOST_STATEMENTS = 8, 120, 10
# After the files were made, so that only what the test does falls into the time asked about.
BEGAN = datetime(2026, 1, 12, 8, tzinfo=UTC)
READERS = ("coordinator", "second_coordinator", "provider", "other_provider", "clinician")


@pytest.fixture
def mechanism(world):
    """Make files in several states: their references, and those of their referrals."""
    made = []
    with acting_at(BEGAN - timedelta(hours=1)):
        for number in range(FILES):
            person = {"given_name": "Practice", "id_number": f"77{number:05}"}
            if number % 4 == 0:
                made.append((worlds.flag(world, person=person), ""))
            else:
                to = ("lakes", "hills", "clinic")[number % 4 - 1]
                made.append(worlds.referred(world, to, person=person))
    return made


class Truth:
    """What somebody saw, by who saw and what: every time, and among others."""

    def __init__(self, world, numbers):
        self.world = world
        # Of each file, the number of the person's paper.
        self.numbers = numbers
        self.seen = Counter()
        self.among = Counter()

    def opened(self, who, reference):
        self.seen[who, reference] += 1

    def listed(self, who, references):
        for reference in set(references):
            self.seen[who, reference] += 1
            self.among[who, reference] += 1

    def one_act(self, chosen, mechanism):
        """Do one thing that a person does all day, and note what they thereby saw."""
        who = chosen.choice(READERS)
        actor = self.world.actor(who)
        if "coordinator" in who:
            chosen.choice((self._file, self._part, self._list, self._search, self._alike))(
                who, actor, chosen.choice(mechanism)[0]
            )
        else:
            self._inbox(who, actor)

    def _file(self, who, actor, reference):
        casefile.overview(actor, reference, {})
        self.opened(who, reference)

    def _part(self, who, actor, reference):
        casefile.reveal(actor, reference, "narrative", "safety")
        documents.attachments(actor, reference)
        self.opened(who, reference)
        self.opened(who, reference)

    def _list(self, who, actor, _reference):
        shown = casefile.worklist(actor, Queue.ALL)
        self.listed(who, [row.case.reference for row in shown.rows])

    def _search(self, who, actor, reference):
        number = self.numbers[reference]
        found = search.find(actor, "", number, self.world.pack)
        assert [match.reference for match in found.matches] == [reference]
        self.listed(who, [reference])

    def _alike(self, who, actor, reference):
        """Everybody here has one name, so a comparison opens every other file."""
        comparison.run(actor, reference)
        self.opened(who, reference)
        self.listed(who, [other for other in self.numbers if other != reference])

    def _inbox(self, who, actor):
        waiting = provision.inbox(actor, ReferralState.SENT)
        sent = [one.referral.case_id for one in waiting.rows]
        query = select(Case.reference).where(Case.id.in_(sent))
        self.listed(who, db.session.scalars(query).all())
        db.session.rollback()
        for one in waiting.rows[:1]:
            received = provision.read(actor, one.referral.reference)
            assert received.referral.id == one.referral.id
            reference = db.session.scalar(
                select(Case.reference).where(Case.id == one.referral.case_id)
            )
            db.session.rollback()
            self.opened(who, reference)


def numbers(mechanism):
    return {reference: f"77{number:05}" for number, (reference, _) in enumerate(mechanism)}


def by_file(world, references):
    """Ask of every file who saw it: how often, and how often among others."""
    seen, among = Counter(), Counter()
    names = {world.accounts[name]: name for name in READERS}
    for reference in references:
        for one in sightings.of_file(world.actor("auditor"), reference):
            if one.account_id in names:
                seen[names[one.account_id], reference] = one.sight.times
                among[names[one.account_id], reference] = one.sight.in_lists
    return seen, among


def by_account(world, since, until):
    """Ask of every account what it saw between two moments."""
    seen, among = Counter(), Counter()
    for name, account_id in world.accounts.items():
        saw = sightings.of_account(world.actor("auditor"), account_id, since, until)
        for file in saw.files:
            seen[name, file.reference] = file.sight.times
            among[name, file.reference] = file.sight.in_lists
    return seen, among


@pytest.mark.parametrize("seed", [1, 2])
def test_who_saw_a_file_and_what_an_account_saw_are_exactly_what_happened(
    world, mechanism, settings, tmp_path, seed, counted
):
    papers = numbers(mechanism)
    before = by_file(world, papers)
    chosen, truth = random.Random(seed), Truth(world, papers)
    moment = BEGAN
    for number in range(RANDOM_ACTS):
        # Half of the entries are in the tree, the rest wait for the sequencer.
        if number == RANDOM_ACTS // 2:
            sign(settings, tmp_path)
        moment += timedelta(seconds=chosen.randint(1, 900))
        with acting_at(moment):
            truth.one_act(chosen, mechanism)
    until = moment + timedelta(seconds=1)
    assert by_account(world, BEGAN, until) == (truth.seen, truth.among)
    after = by_file(world, papers)
    assert (after[0] - before[0], after[1] - before[1]) == (truth.seen, truth.among)
    # Once all is in the tree the answers are the same.
    sign(settings, tmp_path)
    assert by_account(world, BEGAN, until) == (truth.seen, truth.among)
    assert by_file(world, papers) == after
    counted(
        f"row 40: {RANDOM_ACTS} acts of {len(READERS)} accounts on {FILES} files: "
        f"{truth.seen.total()} sights, {truth.among.total()} of them among others, all told"
    )


def test_an_answer_ends_where_the_time_asked_about_ends(world):
    reference = worlds.flag(world)
    coordinator = world.actor("coordinator")
    for hours in (0, 1, 2):
        with acting_at(BEGAN + timedelta(hours=hours)):
            casefile.overview(coordinator, reference, {})

    def times(begin, end):
        span = BEGAN + timedelta(hours=begin), BEGAN + timedelta(hours=end)
        saw = sightings.of_account(world.actor("auditor"), coordinator.id, *span)
        return [(file.reference, file.sight.times) for file in saw.files]

    assert times(0, 3) == [(reference, 3)]
    assert times(0, 2) == [(reference, 2)]
    assert times(1, 2) == [(reference, 1)]
    assert times(3, 9) == []


def test_an_answer_names_the_parts_that_were_opened(world):
    reference, sent = worlds.accepted(world)
    provision.read(world.actor("provider"), sent)
    casefile.reveal(world.actor("second_coordinator"), reference, "narrative", "safety")
    parts = {
        one.who: one.sight.parts for one in sightings.of_file(world.actor("auditor"), reference)
    }
    assert "narrative" in parts[world.person_name("second_coordinator")]
    assert "narrative" not in parts[world.person_name("provider")]
    assert {"identity", "contact"} <= parts[world.person_name("provider")]
    assert world.person_name("clinician") not in parts


def test_what_was_refused_is_told_apart_from_what_was_seen(world):
    reference = worlds.flag(world)
    case_id = db.session.scalar(select(Case.id).where(Case.reference == reference))
    db.session.rollback()
    with unit_of_work() as unit:
        record(
            unit,
            world.actor("clinician"),
            Action.ACCESS_REFUSED,
            Subject("case", case_id, case_id),
            outcome=Outcome.REFUSED,
        )
    [one] = [
        one
        for one in sightings.of_file(world.actor("auditor"), reference)
        if one.account_id == world.accounts["clinician"]
    ]
    assert (one.sight.times, one.sight.refused, one.sight.parts) == (0, 1, set())


def test_reading_the_log_about_a_file_is_not_seeing_it(world):
    reference = worlds.flag(world)
    auditor = world.actor("auditor")
    for _ in range(2):
        people = {one.who for one in sightings.of_file(auditor, reference)}
        assert people == {world.person_name("first_responder")}
    history = sightings.history(world.actor("coordinator"), reference)
    assert world.person_name("auditor") not in {one.who for one in history.people}
    until = datetime.now(UTC) + timedelta(days=1)
    saw = sightings.of_account(auditor, auditor.id, until - timedelta(days=2), until)
    assert saw.files == []
    # The log itself forgets nothing: who asked is found by a search.
    asked = log_search.Search(case_reference=reference, account_id=auditor.id)
    found = log_search.search(auditor, asked)
    assert [line.entry.action for line in found.lines] == [Action.AUDIT_SEARCH] * 2


def test_who_saw_a_file_is_known_when_the_file_is_no_more(world, settings, tmp_path):
    reference, _ = worlds.closed(world)
    casefile.worklist(world.actor("coordinator"), Queue.ALL)
    search.find(world.actor("second_coordinator"), "Practice Person", "", world.pack)
    sign(settings, tmp_path)
    seen = {one.who: one.sight for one in sightings.of_file(world.actor("auditor"), reference)}
    asked = erasure.ask(world.actor("second_coordinator"), reference, "duplicate")
    erasure.carry_out(world.actor("auditor"), asked, reference, world.app.config["NRM"])
    left = {one.who: one.sight for one in sightings.of_file(world.actor("auditor"), reference)}
    for who, sight in seen.items():
        assert left[who].times >= sight.times
        assert left[who].in_lists == sight.in_lists
        assert left[who].parts >= sight.parts


def test_a_file_that_is_not_there_is_said_at_its_field(world):
    with pytest.raises(InvalidInputError) as refused:
        sightings.of_file(world.actor("auditor"), "7K4M-29QX-C")
    assert refused.value.field == "reference"


def test_an_account_that_is_not_there_is_not_found(world):
    with pytest.raises(NotFoundError):
        sightings.of_account(world.actor("auditor"), uuid4(), BEGAN, BEGAN)


def test_a_coordinator_reads_who_saw_a_case_and_what_was_done_page_by_page(world, monkeypatch):
    monkeypatch.setattr(sightings, "PAGE", 3)
    reference, _ = worlds.referred(world)
    coordinator = world.actor("coordinator")
    found = sightings.history(coordinator, reference)
    assert found.file.case.reference == reference
    who = {one.who for one in found.people}
    assert who == {world.person_name("first_responder"), world.person_name("coordinator")}
    lines, pages = list(found.lines), 1
    while found.older:
        found = sightings.history(coordinator, reference, found.older)
        lines += found.lines
        pages += 1
    acts = [line.entry.action for line in lines]
    # Each page that was read meanwhile is newer than where the reading began.
    assert acts[-1] == Action.CASE_FLAG
    assert len(acts) == len({line.entry.id for line in lines})
    assert pages == -(-len(acts) // 3)


@pytest.mark.parametrize("role", ["provider", "first_responder", "auditor", "administrator"])
def test_nobody_else_reads_the_history_of_a_case(world, role):
    reference = worlds.flag(world)
    with pytest.raises((RefusedError, NotFoundError)):
        sightings.history(world.actor(role), reference)


def test_the_answers_walk_indexes_and_ask_few_things(world, mechanism, settings, tmp_path):
    casefile.worklist(world.actor("coordinator"), Queue.ALL)
    sign(settings, tmp_path)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    auditor, until = world.actor("auditor"), datetime.now(UTC) + timedelta(days=1)
    asks = {
        "file": lambda: sightings.of_file(auditor, mechanism[1][0]),
        "account": lambda: sightings.of_account(
            auditor, world.accounts["coordinator"], BEGAN - timedelta(days=99), until
        ),
        "history": lambda: sightings.history(world.actor("coordinator"), mechanism[1][0]),
    }
    for name, ask in asks.items():
        with noted() as sent:
            ask()
        asked = [one for one in sent if one[0].startswith(("SELECT", "INSERT", "WITH"))]
        assert len(asked) <= MOST_STATEMENTS + (3 if name == "history" else 0), name
        for statement, parameters in asked:
            if "audit_entry" in statement and statement.startswith("SELECT"):
                plan = explained(world, statement, parameters)
                assert "SCAN audit_" not in plan, plan
                assert "Seq Scan on audit_" not in plan, plan


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_an_act_on_one_case_touches_that_case_alone_or_is_known_as_one_across(world, act):
    """What an act opens of another file must be found by that file's history."""
    what = act.prepare(world)
    db.session.rollback()
    before = db.session.scalar(select(func.max(AuditEntry.seq)))
    db.session.rollback()
    act.do(world, world.actor(act.by), what)
    with db.engine.connect() as connection:
        entries = connection.execute(
            select(AuditEntry.__table__).where(AuditEntry.seq > before)
        ).all()
        for entry in entries:
            if entry.case_id is not None and not across_files(entry.action, entry.purpose):
                touched = {cases_of(connection, row_id) for row_id in touched_rows(entry.rows)}
                # The row of a draft is gone once it is sent.
                assert touched <= {entry.case_id, None}
    assert entries


def cases_of(connection, row_id):
    """Say which case a sealed row is of; an envelope is of its referral's."""
    for table in SEALED_TABLES:
        if "row_id" not in table.columns:
            continue
        if "case_id" in table.columns:
            query = select(table.c.case_id).where(table.c.row_id == row_id)
        else:
            query = (
                select(Referral.case_id)
                .join(SealedEnvelope, SealedEnvelope.referral_id == Referral.id)
                .where(SealedEnvelope.row_id == row_id)
            )
        if found := connection.scalar(query):
            return found
    return None
