"""Two people erase a file, and nothing opens it again."""

import contextlib
import sqlite3
from uuid import uuid4

import pytest
from sqlalchemy import make_url, select

from nrm.db import db, unit_of_work
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
from nrm.domain.lifecycle import ErasureState
from nrm.models import (
    AuditEntry,
    CaseKey,
    CompartmentHead,
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
    vault,
    visibility,
)
from nrm.services.document_files import Incoming
from tests import world as worlds
from tests.ledger import nothing_changes
from tests.services.erasures import (
    ask,
    asked,
    carry_out,
    case_of,
    erasure_of,
    how_many,
    keys_of,
    sqlite_alone,
)
from tests.services.test_races import meet, refused
from tests.world import CANARIES

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
