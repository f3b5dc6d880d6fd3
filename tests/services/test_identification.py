import pytest
from sqlalchemy import func, select

from nrm.db import db
from nrm.domain.consent import Answer
from nrm.domain.deadlines import flag_review_due
from nrm.domain.errors import InvalidInputError, NotFoundError
from nrm.domain.lifecycle import Assistance, Identification
from nrm.domain.vocabulary import Urgency
from nrm.models import (
    Case,
    CaseKey,
    ConsentAnswer,
    FlagDraft,
    SealedCompartment,
    SealedDraft,
    SealedFactsEvent,
)
from nrm.services import casefile, identification
from tests import world as worlds
from tests.world import CANARIES


def case_of(reference):
    return db.session.scalars(select(Case).where(Case.reference == reference)).one()


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_a_flag_opens_a_case_in_the_coordinators_queue(world):
    reference = worlds.flag(world, risk={"immediate_risk": "danger_now"})
    case = case_of(reference)
    assert (case.identification, case.assistance) == (Identification.FLAGGED, Assistance.WAITING)
    assert case.urgency == Urgency.IMMEDIATE
    due = flag_review_due(case.flagged_at, Urgency.IMMEDIATE, world.pack.clocks)
    assert case.due_at == due
    queue = casefile.worklist(world.actor("coordinator"), casefile.Queue.INCOMING)
    assert [row.case.reference for row in queue.rows] == [reference]


def test_the_answers_lie_in_their_compartments_and_facts_hold_codes_alone(world):
    reference = worlds.flag(
        world,
        person={"given_name": CANARIES["given_name"], "birth_date": CANARIES["birth_date"]},
        place={"place_words": CANARIES["place_words"], "found_on": CANARIES["found_on"]},
        signs={"account": CANARIES["account"]},
        risk={"health_words": CANARIES["health_words"]},
        contact={"phone": CANARIES["contact_phone"]},
    )
    opened = dict.fromkeys(("identity", "contact", "narrative", "health"), "assess_needs")
    file = casefile.overview(world.actor("coordinator"), reference, opened)
    assert file.opened["identity"]["given_name"] == CANARIES["given_name"]
    assert file.opened["contact"]["phone"].told == CANARIES["contact_phone"][-3:]
    assert file.opened["narrative"]["account"] == CANARIES["account"]
    assert file.opened["health"] == {"health_words": CANARIES["health_words"]}
    facts = file.file.facts
    assert (facts["age_band"], facts["sex"], facts["district"]) == ("35_44", "female", "11")
    assert not [value for value in CANARIES.values() if value in repr(facts)]
    # The police part stays closed to the coordinator.
    assert file.file.closed_to_actor == ("enforcement",)


def test_a_flag_is_sent_only_when_every_page_is_answered(world):
    actor = world.actor("first_responder")
    draft = identification.start_draft(actor)
    for page, answers in list(worlds.pages().items())[:-1]:
        identification.save_page(actor, draft, page, answers)
    with pytest.raises(InvalidInputError) as refused:
        identification.send_flag(actor, draft, world.pack)
    assert refused.value.field == "pages"
    assert identification.read_draft(actor, draft).open_pages == ["consent"]


def test_sending_destroys_the_draft_with_its_key(world):
    draft = worlds.draft(world)
    assert count(SealedDraft) > 1
    identification.send_flag(world.actor("first_responder"), draft, world.pack)
    assert (count(FlagDraft), count(SealedDraft)) == (0, 0)
    assert db.session.scalars(select(CaseKey).where(CaseKey.owner_id == draft)).all() == []


def test_a_page_that_is_saved_again_replaces_only_itself(world):
    actor = world.actor("first_responder")
    draft = worlds.draft(world)
    identification.save_page(actor, draft, "person", {"given_name": "Renamed"})
    pages = identification.read_draft(actor, draft).pages
    assert pages["person"] == {"given_name": "Renamed"}
    assert pages["signs"] == worlds.pages()["signs"]


def test_an_unknown_page_is_not_found(world):
    draft = worlds.draft(world)
    with pytest.raises(NotFoundError):
        identification.save_page(world.actor("first_responder"), draft, "decision", {})


def test_another_person_at_the_same_place_shares_the_incident(world):
    first = worlds.flag(world)
    second = worlds.flag(world, same_place_as=first)
    elsewhere = worlds.flag(world)
    assert case_of(second).incident_id == case_of(first).incident_id
    assert case_of(elsewhere).incident_id != case_of(first).incident_id


def test_nobody_links_to_a_flag_that_is_not_their_own(world):
    first = worlds.flag(world)
    with pytest.raises(NotFoundError):
        worlds.flag(world, "other_responder", same_place_as=first)


@pytest.mark.parametrize(
    ("consent", "answers"),
    [
        ({"consent_asked": "yes", "agrees": "yes"}, [Answer.GRANTED]),
        ({"consent_asked": "yes", "agrees": "no"}, [Answer.REFUSED]),
        ({"consent_asked": "no", "not_asked_reason": "unwell"}, []),
    ],
)
def test_what_the_person_said_at_the_flag_is_their_first_answer(world, consent, answers):
    worlds.flag(world, consent=consent)
    rows = db.session.scalars(select(ConsentAnswer)).all()
    assert [(row.purpose, row.answer) for row in rows] == [("refer_nrm", said) for said in answers]


def test_every_case_is_born_with_all_compartments_so_that_absence_tells_nothing(world):
    worlds.flag(world, risk={"health_words": ""}, report={"station_reference": ""})
    kinds = db.session.scalars(select(SealedCompartment.compartment)).all()
    assert sorted(kinds) == ["contact", "enforcement", "health", "identity", "narrative"]
    sizes = {len(row) for row in db.session.scalars(select(SealedCompartment.sealed))}
    assert len(sizes) == 1


def test_the_responder_sees_their_own_flags_and_no_others(world):
    own = worlds.flag(world)
    worlds.flag(world, "other_responder")
    flags = identification.my_flags(world.actor("first_responder"))
    assert [case.reference for case in flags.flags] == [own]


def test_my_flags_come_in_pages_newest_first(world, monkeypatch):
    monkeypatch.setattr(identification, "PAGE", 2)
    sent = [worlds.flag(world) for _ in range(5)]
    actor = world.actor("first_responder")
    seen, after = [], None
    for _ in range(3):
        page = identification.my_flags(actor, after)
        seen += [case.reference for case in page.flags]
        after = page.older
    assert (seen, after) == (sent[::-1], None)


def test_a_presumption_is_one_step_and_counted(world):
    reference = worlds.flag(world)
    before = count(SealedFactsEvent)
    identification.presume(
        world.actor("coordinator"),
        reference,
        basis=["indicators", "self_identified"],
        words="Practice grounds.",
        version=1,
        pack=world.pack,
    )
    case = case_of(reference)
    assert case.identification is Identification.PRESUMED
    assert case.presumed_at is not None
    # Assistance does not wait for it, nor move with it.
    assert case.assistance is Assistance.WAITING
    assert count(SealedFactsEvent) == before + 1
