"""Two people erase a file: nothing opens it again, and no restored copy brings it back."""

import contextlib
import json
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, make_url, select, update

from nrm.db import db, unit_of_work
from nrm.domain.erasure import DamagedListError, Line, written
from nrm.domain.errors import (
    AlreadyDoneError,
    ConflictError,
    ErasedError,
    IllegalStepError,
    InvalidInputError,
    LockedError,
    NotFoundError,
    RefusedError,
)
from nrm.domain.lifecycle import Assistance, ErasureState, ReferralState
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import (
    AuditEntry,
    Case,
    CaseKey,
    CompartmentHead,
    Erasure,
    FactsKey,
    IdentifierToken,
    NameToken,
    Referral,
    SealedCompartment,
    SealedDocument,
    SealedEnvelope,
    SealedNote,
)
from nrm.services import (
    audit,
    casefile,
    document_files,
    documents,
    erasure,
    erasure_list,
    follow_up,
    identification,
    log_check,
    provision,
    referral,
    shredding,
    vault,
    visibility,
)
from nrm.services.document_files import Incoming
from tests import world as worlds
from tests.ledger import Ledger, nothing_changes
from tests.services.test_races import meet, refused
from tests.world import CANARIES

# What does not hang on the database is tried on one.
sqlite_alone = pytest.mark.databases("sqlite")


@pytest.fixture
def kept(world):
    """Name where this installation keeps what lies outside its database."""
    return world.app.config["NRM"]


def case_of(reference):
    db.session.rollback()
    return db.session.scalars(select(Case).where(Case.reference == reference)).one()


def erasure_of(erasure_id):
    db.session.rollback()
    return db.session.get_one(Erasure, erasure_id)


def ask(world, reference, by="coordinator", reason="asked_by_person", **given):
    return erasure.ask(world.actor(by), reference, reason, **given)


def asked(world):
    """A closed case with everything in it, and the request to erase it: (reference, request)."""
    reference, _ = worlds.closed(world)
    return reference, ask(world, reference)


def carry_out(world, kept, asked_for, by="second_coordinator", **given):
    reference, erasure_id = asked_for
    erasure.carry_out(world.actor(by), erasure_id, reference, kept, **given)


def how_many(model, *conditions):
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


def keys_of(case_id):
    db.session.rollback()
    return how_many(CaseKey, CaseKey.owner_id == case_id) + how_many(
        FactsKey, FactsKey.case_id == case_id
    )


# Two people.


def test_one_asks_and_another_carries_out(world, kept, ledger):
    asked_for = reference, erasure_id = asked(world)
    case_id = case_of(reference).id
    assert keys_of(case_id) == 2
    carry_out(world, kept, asked_for)
    assert keys_of(case_id) == 0
    case, done = case_of(reference), erasure_of(erasure_id)
    assert (done.state, done.answered_at) == (ErasureState.DONE, case.erased_at)
    assert (done.asked_by_id, done.answered_by_id) == (
        world.accounts["coordinator"],
        world.accounts["second_coordinator"],
    )
    assert ledger.actions()[-2:] == ["erasure:ask", "case:erase"]


@sqlite_alone
def test_the_auditor_can_be_the_second_person_and_never_opens_the_file(world, kept):
    asked_for = reference, erasure_id = asked(world)
    auditor = world.actor("auditor")
    opened = erasure.read(auditor, erasure_id)
    assert opened.request.case.reference == reference
    with pytest.raises(NotFoundError):
        casefile.overview(auditor, reference, {})
    carry_out(world, kept, asked_for, by="auditor")
    assert keys_of(case_of(reference).id) == 0


@sqlite_alone
def test_nobody_carries_out_or_refuses_their_own_request(world, kept):
    reference, erasure_id = asked(world)
    me = world.actor("coordinator")
    with nothing_changes():
        for act in (
            lambda: erasure.carry_out(me, erasure_id, reference, kept),
            lambda: erasure.refuse(me, erasure_id),
            lambda: erasure.answering(me, erasure_id),
        ):
            with pytest.raises(RefusedError):
                act()
        # Taking another's request back would be refusing it under a false name.
        with pytest.raises(RefusedError):
            erasure.take_back(world.actor("second_coordinator"), erasure_id)


@sqlite_alone
def test_asking_again_for_one_another_asked_for_does_not_make_one_its_second_person(world, kept):
    reference, erasure_id = asked(world)
    with pytest.raises(ConflictError):
        ask(world, reference, by="second_coordinator")
    erasure.take_back(world.actor("coordinator"), erasure_id)
    again = ask(world, reference, by="second_coordinator")
    with pytest.raises(RefusedError):
        carry_out(world, kept, (reference, again), by="second_coordinator")
    carry_out(world, kept, (reference, again), by="coordinator")


@sqlite_alone
def test_a_request_that_was_answered_is_not_answered_again(world, kept):
    coordinator, second = world.actor("coordinator"), world.actor("second_coordinator")
    reference, _ = worlds.closed(world)
    answers = {
        "taken back": lambda erasure_id: erasure.take_back(coordinator, erasure_id),
        "refused": lambda erasure_id: erasure.refuse(second, erasure_id),
        "erased": lambda erasure_id: erasure.carry_out(second, erasure_id, reference, kept),
    }
    for first in answers.values():
        erasure_id = ask(world, reference)
        first(erasure_id)
        for answer in answers.values():
            with nothing_changes(), pytest.raises(ConflictError):
                answer(erasure_id)


@sqlite_alone
def test_only_a_closed_case_is_erased(world):
    for reference in (worlds.flag(world), worlds.accepted(world)[0]):
        with nothing_changes(), pytest.raises(IllegalStepError):
            ask(world, reference)


@sqlite_alone
@pytest.mark.parametrize("typed", ["", "7K4M-29QX-C", "\x00"])
def test_another_reference_erases_nothing(world, kept, typed):
    _, erasure_id = asked(world)
    with nothing_changes(), pytest.raises(InvalidInputError):
        carry_out(world, kept, (typed, erasure_id))


@sqlite_alone
def test_the_reference_is_taken_as_it_is_said(world, kept):
    reference, erasure_id = asked(world)
    carry_out(world, kept, (f" {reference.replace('-', '').lower()} ", erasure_id))


def test_of_all_who_answer_at_once_one_wins(world, kept):
    reference, erasure_id = asked(world)

    def erase(name):
        return lambda: erasure.carry_out(world.actor(name), erasure_id, reference, kept)

    outcomes = meet(
        world,
        erase("second_coordinator"),
        erase("auditor"),
        lambda: erasure.refuse(world.actor("second_coordinator"), erasure_id),
        lambda: erasure.take_back(world.actor("coordinator"), erasure_id),
    )
    assert len(refused(outcomes)) == 3
    state = erasure_of(erasure_id).state
    assert state is not ErasureState.ASKED
    assert (keys_of(case_of(reference).id) == 0) == (state is ErasureState.DONE)
    assert len(erasure_list.read(kept.erasures)) == (state is ErasureState.DONE)


def test_a_form_that_many_windows_send_erases_once(world, kept):
    reference, erasure_id = asked(world)
    form_id = uuid4()

    def erase():
        erasure.carry_out(world.actor("auditor"), erasure_id, reference, kept, form_id=form_id)

    outcomes = meet(world, *[erase] * 4)
    again = refused(outcomes)
    assert [type(error) for error in again] == [AlreadyDoneError] * 3
    assert {error.outcome for error in again} == {str(erasure_id)}
    assert len(erasure_list.read(kept.erasures)) == 1


# Nothing opens it again.


@sqlite_alone
def test_every_way_to_an_erased_file_says_that_it_is_gone(world, kept):
    reference, sent = worlds.closed(world)
    carry_out(world, kept, (reference, ask(world, reference)))
    coordinator, provider = world.actor("coordinator"), world.actor("provider")
    ways = (
        lambda: casefile.overview(coordinator, reference, {"identity": "safety"}),
        lambda: casefile.page(coordinator, reference),
        lambda: casefile.find(coordinator, reference),
        lambda: casefile.consent_page(coordinator, reference),
        lambda: casefile.referrals_page(coordinator, reference),
        lambda: casefile.reveal(coordinator, reference, "identity", "safety"),
        lambda: worlds.agree(world, reference),
        lambda: referral.choose(coordinator, reference, "", world.pack),
        lambda: referral.withdraw(coordinator, reference, sent, pack=world.pack),
        lambda: ask(world, reference),
        lambda: follow_up.close(coordinator, reference, "other", "", version=1, pack=world.pack),
        lambda: identification.my_flag(world.actor("first_responder"), reference),
        lambda: provision.read(provider, sent),
        lambda: provision.accept(provider, sent, world.pack),
        lambda: provision.end(provider, sent, world.pack),
    )
    for way in ways:
        with nothing_changes(), pytest.raises(ErasedError) as gone:
            way()
        assert gone.value.reference in {reference, sent}
        assert gone.value.erased_at == case_of(reference).erased_at


@sqlite_alone
def test_the_lists_go_on_without_it(world, kept):
    reference, sent = worlds.closed(world)
    carry_out(world, kept, (reference, ask(world, reference)))
    for queue in casefile.Queue:
        assert casefile.worklist(world.actor("coordinator"), queue).rows == []
    (flagged,) = identification.my_flags(world.actor("first_responder")).flags
    assert flagged.erased_at is not None
    (over,) = provision.closed(world.actor("provider")).rows
    assert over.referral.reference == sent


@sqlite_alone
def test_the_vault_opens_nothing_of_it_even_when_asked_directly(world, kept):
    reference, sent = worlds.closed(world)
    erasure_id = ask(world, reference)
    shown = None
    case = case_of(reference)
    actor = world.actor("coordinator")
    standing = visibility.case_standing(case)
    referral_id = db.session.scalar(select(Referral.id).where(Referral.reference == sent))
    ways = {
        name: lambda unit, name=name: vault.open_compartments(
            unit, actor, case.id, {name: standing}
        )
        for name in vault.CASE_COMPARTMENTS
        if name != "enforcement"
    }
    ways["facts"] = lambda unit: vault.open_facts(unit, actor, {case.id: standing})
    ways["envelope"] = lambda unit: vault.open_envelopes(unit, actor, {referral_id: standing})
    ways["notes"] = lambda unit: vault.open_notes(
        unit, actor, case.id, ["consent", "closure", "service", "presumption"], standing
    )
    for way in ways.values():
        with unit_of_work() as unit:
            assert way(unit)
            audit.record(unit, actor, audit.Action.CASE_OPEN)
    carry_out(world, kept, (reference, erasure_id))
    for way in ways.values():
        with pytest.raises(LockedError), unit_of_work() as unit:
            shown = way(unit)
        assert shown is None
    # Nor does anything new go under a key: there is none.
    for seal in (
        lambda unit: vault.seal_facts(unit, case.id, {}),
        lambda unit: vault.append_facts_event(unit, case.id, {"event": "closed"}),
    ):
        with nothing_changes(), pytest.raises(LockedError), unit_of_work() as unit:
            seal(unit)


def test_its_tokens_are_gone_and_those_of_others_stay(world, kept):
    reference, _ = worlds.closed(world, person={"id_number": CANARIES["id_number"]})
    other = worlds.flag(world)
    case_id, other_id = case_of(reference).id, case_of(other).id

    def both(found):
        return [how_many(table, table.case_id == found) for table in (NameToken, IdentifierToken)]

    before, others = both(case_id), both(other_id)
    assert all(before)
    carry_out(world, kept, (reference, ask(world, reference)))
    assert (both(case_id), both(other_id)) == ([0, 0], others)
    assert keys_of(other_id) == 2
    assert casefile.overview(world.actor("coordinator"), other, {"identity": "safety"}).opened


def a_document(world, kept, reference):
    """Attach a practice document: the path of its sealed file."""
    file = Incoming(kept.documents)
    file.write(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< >>\n%%EOF\n")
    new = documents.NewDocument("narrative", "A practice letter", "letter.pdf", file)
    documents.add(world.actor("coordinator"), reference, new)
    file_id = db.session.scalar(
        select(SealedDocument.file_id).where(SealedDocument.case_id == case_of(reference).id)
    )
    return document_files.path_of(kept.documents, file_id)


@sqlite_alone
def test_its_documents_are_gone_from_the_disk_too(world, kept):
    reference, others = worlds.flag(world), worlds.flag(world)
    path, other_path = (a_document(world, kept, name) for name in (reference, others))
    follow_up.close(world.actor("coordinator"), reference, "other", "", version=1, pack=world.pack)
    asked_for = reference, ask(world, reference)
    assert path.exists()
    # What fails takes nothing away.
    with pytest.raises(InvalidInputError):
        carry_out(world, kept, ("7K4M-29QX-C", asked_for[1]))
    assert path.exists()
    carry_out(world, kept, asked_for)
    assert (path.exists(), other_path.exists()) == (False, True)
    assert how_many(SealedDocument) == 1


def test_what_is_left_of_it_is_ciphertext_and_the_log_still_holds(world, kept, ledger):
    rows = (SealedCompartment, SealedEnvelope, SealedNote, CompartmentHead)
    reference, _ = worlds.closed(world)
    case_id = case_of(reference).id
    before = [how_many(table, table.case_id == case_id) for table in rows]
    assert all(before)
    carry_out(world, kept, (reference, ask(world, reference)))
    assert [how_many(table, table.case_id == case_id) for table in rows] == before
    verdict = log_check.verify(lambda _: None)
    assert (verdict.findings, verdict.placed + verdict.waiting) == ([], how_many(AuditEntry))
    told = casefile.timeline(case_id, 50)
    assert [event.action for event in told][:2] == ["case:erase", "erasure:ask"]
    # Who did what is known still; the entry says why, and nothing of whom.
    entry = ledger.entries()[-1]
    assert (entry.action, entry.case_id, entry.purpose) == (
        "case:erase",
        case_id,
        "asked_by_person",
    )


@sqlite_alone
def test_no_byte_of_its_keys_is_left_in_the_files_of_the_database(
    world, kept, database_url, tmp_path
):
    file = make_url(database_url).database
    reference, _ = worlds.closed(world)
    case_id = case_of(reference).id
    wrapped = [
        *db.session.scalars(select(CaseKey.wrapped).where(CaseKey.owner_id == case_id)),
        *db.session.scalars(select(FactsKey.wrapped).where(FactsKey.case_id == case_id)),
    ]
    assert len(wrapped) == 2

    def found():
        places = [path.read_bytes() for path in tmp_path.glob("nrm.sqlite3*")]
        return [key for key in wrapped if any(key in place for place in places)]

    assert found() == wrapped
    carry_out(world, kept, (reference, ask(world, reference)))
    assert found() == []
    # Nor do other acts, or a database packed anew, bring a remnant to light.
    worlds.flag(world)
    db.session.remove()
    db.engine.dispose()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM")
    assert found() == []


# The list, and what a restored database has forgotten.


@sqlite_alone
def test_the_list_names_the_case_its_moment_and_its_keys_and_nothing_else(world, kept):
    reference, _ = worlds.closed(world)
    case_id = case_of(reference).id
    case_keys = list(db.session.scalars(select(CaseKey.id).where(CaseKey.owner_id == case_id)))
    facts_keys = list(db.session.scalars(select(FactsKey.id).where(FactsKey.case_id == case_id)))
    carry_out(world, kept, (reference, ask(world, reference)))
    assert kept.erasures.stat().st_mode & 0o777 == 0o600
    (told,) = map(json.loads, kept.erasures.read_text(encoding="utf-8").splitlines())
    assert set(told) == {"format", "case", "erased_at", "case_keys", "facts_keys", "sha256"}
    assert erasure_list.read(kept.erasures) == {
        case_id: Line(case_id, case_of(reference).erased_at, case_keys, facts_keys)
    }
    everything = kept.erasures.read_text(encoding="utf-8")
    assert reference not in everything
    assert [name for name, canary in CANARIES.items() if canary in everything] == []


class Yesterday:
    """A copy of the database as it was, to be put in the place of today's."""

    def __init__(self, url):
        self.file = make_url(url).database if make_url(url).drivername == "sqlite" else None
        db.session.rollback()
        if self.file:
            with (
                contextlib.closing(sqlite3.connect(self.file)) as now,
                contextlib.closing(sqlite3.connect(f"{self.file}.copy")) as copy,
            ):
                now.backup(copy)
            return
        self.rows = {
            model: [dict(row) for row in db.session.execute(select(model.__table__)).mappings()]
            for model in (CaseKey, FactsKey, NameToken, IdentifierToken)
        }
        self.cases = dict(db.session.execute(select(Case.id, Case.closed_at)).all())
        db.session.rollback()

    def restore(self):
        db.session.remove()
        db.engine.dispose()
        if self.file:
            for name in (self.file, f"{self.file}-wal", f"{self.file}-shm"):
                Path(name).unlink(missing_ok=True)
            shutil.copyfile(f"{self.file}.copy", self.file)
            return
        with db.engine.begin() as connection:
            # What a restore does leaves no entry, and so is done past the guard.
            connection.info["nrm_recorded"] = True
            connection.execute(delete(Erasure))
            for model, rows in self.rows.items():
                connection.execute(delete(model))
                if rows:
                    connection.execute(model.__table__.insert(), rows)
            for case_id in self.cases:
                connection.execute(
                    update(Case.__table__).where(Case.id == case_id).values(erased_at=None)
                )


def opens(world, reference):
    """Say whether the file opens, to whoever may open it."""
    try:
        page = casefile.overview(world.actor("coordinator"), reference, {"identity": "safety"})
    except ErasedError:
        return False
    return page.opened["identity"]["given_name"] == CANARIES["given_name"]


def flagged_and_closed(world):
    return worlds.closed(world, person={"given_name": CANARIES["given_name"]})


def test_yesterdays_copy_opens_the_file_until_the_list_is_replayed(world, kept, database_url):
    reference, sent = flagged_and_closed(world)
    asked_for = reference, ask(world, reference)
    yesterday = Yesterday(database_url)
    carry_out(world, kept, asked_for)
    erased_at = case_of(reference).erased_at
    assert not opens(world, reference)

    yesterday.restore()
    assert opens(world, reference)
    book = Ledger()
    assert shredding.reconcile(kept) == 1
    assert not opens(world, reference)
    assert (keys_of(case_of(reference).id), case_of(reference).erased_at) == (0, erased_at)
    assert how_many(NameToken) == 0
    (entry,) = book.entries()
    assert (entry.action, entry.actor_role) == ("erasure:replay", HOUSEKEEPING.role)
    assert log_check.verify(lambda _: None).findings == []
    with pytest.raises(ErasedError):
        provision.read(world.actor("provider"), sent)
    done = erasure.read(world.actor("auditor"), erasure.done_for(case_of(reference).id))
    assert done.request.erasure.state is ErasureState.DONE

    # Once more does nothing more.
    book = Ledger()
    with nothing_changes():
        assert shredding.reconcile(kept) == 0
    assert book.entries() == []


@sqlite_alone
def test_a_copy_from_when_the_case_was_open_is_closed_with_it(world, kept, database_url):
    reference, sent = worlds.referred(world, person={"given_name": CANARIES["given_name"]})
    yesterday = Yesterday(database_url)
    provision.accept(world.actor("provider"), sent, world.pack)
    version = worlds.version(world, reference)
    coordinator = world.actor("coordinator")
    follow_up.close(coordinator, reference, "other", "", version=version, pack=world.pack)
    carry_out(world, kept, (reference, ask(world, reference)))
    yesterday.restore()
    assert shredding.reconcile(kept) == 1
    assert not opens(world, reference)
    assert case_of(reference).assistance is Assistance.CLOSED
    assert casefile.worklist(coordinator, casefile.Queue.ALL).rows == []
    assert provision.inbox(world.actor("provider"), ReferralState.SENT).rows == []
    # Who had asked, and why, that copy cannot know.
    request = erasure.requests(coordinator, ErasureState.DONE).rows[0]
    assert (request.asked_by, request.answered_by, request.erasure.reason) == ("", "", "")


def test_keys_that_come_back_alone_are_destroyed_again(world, kept):
    reference, _ = flagged_and_closed(world)
    case_id = case_of(reference).id
    rows = [dict(row) for row in db.session.execute(select(CaseKey.__table__)).mappings()]
    carry_out(world, kept, (reference, ask(world, reference)))
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        connection.execute(CaseKey.__table__.insert(), rows)
    assert keys_of(case_id) == 1
    assert shredding.reconcile(kept) == 1
    assert keys_of(case_id) == 0


@sqlite_alone
def test_a_list_that_a_crash_left_behind_is_completed(world, kept):
    references = [flagged_and_closed(world)[0] for _ in range(2)]
    for reference in references:
        carry_out(world, kept, (reference, ask(world, reference)))
    whole = erasure_list.read(kept.erasures)
    lines = kept.erasures.read_text(encoding="utf-8").splitlines(keepends=True)
    for left in ([], lines[:1], lines[1:]):
        kept.erasures.write_text("".join(left), encoding="utf-8")
        assert shredding.reconcile(kept) == 0
        assert erasure_list.read(kept.erasures) == whole


@sqlite_alone
def test_a_disk_that_takes_no_line_undoes_no_erasure(world, kept, monkeypatch):
    reference, _ = worlds.closed(world)
    asked_for = reference, ask(world, reference)

    def full(handle, data):
        written_part(handle, data[:40])
        raise OSError(28, "No space left on device")

    written_part = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        carry_out(world, kept, asked_for)
    # Nothing of the line stays, so that the list can still be read.
    assert erasure_list.read(kept.erasures) == {}
    assert not opens(world, reference)
    shredding.reconcile(kept)
    assert list(erasure_list.read(kept.erasures)) == [case_of(reference).id]


@sqlite_alone
def test_cases_that_the_database_does_not_know_are_counted_and_left(world, kept, ledger):
    worlds.flag(world)
    before = ledger.actions()
    lines = {(other := uuid4()): Line(other, datetime.now(UTC), [1], [1]) for _ in range(3)}
    with nothing_changes():
        done = shredding.replay(lines, kept)
    assert (done.destroyed, done.unknown) == (0, 3)
    assert ledger.actions() == before


@sqlite_alone
def test_a_damaged_list_is_named_and_nothing_is_done(world, kept, database_url):
    reference, _ = flagged_and_closed(world)
    yesterday = Yesterday(database_url)
    carry_out(world, kept, (reference, ask(world, reference)))
    yesterday.restore()
    whole = kept.erasures.read_bytes()
    other = written(Line(uuid4(), datetime.now(UTC), [], [])).encode()
    for damaged, line in (
        (whole[:-1], 1),
        (whole.replace(b"T", b"t", 1), 1),
        (other + whole.replace(str(case_of(reference).id).encode(), str(uuid4()).encode()), 2),
        (whole + b"\n" + other, 2),
    ):
        kept.erasures.write_bytes(damaged)
        with nothing_changes(), pytest.raises(DamagedListError, match=f"line {line} of"):
            shredding.reconcile(kept)
    kept.erasures.write_bytes(b"\xff")
    with nothing_changes(), pytest.raises(DamagedListError, match="cannot be read"):
        shredding.reconcile(kept)


# The list of requests.


@sqlite_alone
def test_requests_are_listed_by_state_newest_first_page_by_page(world, monkeypatch):
    monkeypatch.setattr(erasure, "PAGE", 2)
    references = []
    for _ in range(5):
        references.append(worlds.closed(world)[0])
        ask(world, references[-1])
    found, after = [], None
    while True:
        page = erasure.requests(world.actor("auditor"), ErasureState.ASKED, after)
        found += [row.case.reference for row in page.rows]
        after = page.more
        if after is None:
            break
    assert found == references[::-1]
    assert erasure.requests(world.actor("auditor"), ErasureState.DONE).rows == []


@sqlite_alone
def test_a_request_that_does_not_exist_is_not_found(world, kept):
    for name in ("coordinator", "auditor"):
        actor = world.actor(name)
        for act in (
            lambda actor=actor: erasure.read(actor, uuid4()),
            lambda actor=actor: erasure.refuse(actor, uuid4()),
            lambda actor=actor: erasure.carry_out(actor, uuid4(), "", kept),
        ):
            with nothing_changes(), pytest.raises(NotFoundError):
                act()
