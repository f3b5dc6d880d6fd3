"""The practice world: everything that can stand on a screen stands there once."""

import re
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import phonenumbers
import pytest
from sqlalchemy import func, select

from config import Environment, SettingsError
from nrm.application import create_app
from nrm.cli import demonstration
from nrm.cli.demonstration import people, stories
from nrm.country import load
from nrm.db import acting_at, db
from nrm.domain.lifecycle import (
    Assistance,
    HandOverState,
    Identification,
    ListingState,
    ReferralState,
)
from nrm.domain.roles import HUMAN_ROLES, Actor, Role
from nrm.domain.vocabulary import REFUGEE_STATUS, TRAFFICKING_FLOW
from nrm.models import (
    Account,
    AuditEntry,
    Case,
    ConsentAnswer,
    FlagDraft,
    HandOver,
    Listing,
    Organisation,
    Referral,
    SealedDocument,
    ServiceRecord,
)
from nrm.services import casefile, directory
from tests import databases
from tests.cli.conftest import HISTORY

ROOT = Path(__file__).resolve().parent.parent.parent
PACK = load("rw")
OF_THE_PAST = select(AuditEntry.case_id).where(AuditEntry.action == "demonstration:load")
OF_TODAY = Case.id.not_in(OF_THE_PAST)


@pytest.fixture
def world(practice_world):
    with practice_world.app.app_context():
        yield
        db.session.remove()


def distinct(column):
    return set(db.session.scalars(select(column).distinct()))


def count(model, *conditions):
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


@pytest.mark.usefixtures("world")
def test_every_state_of_every_lifecycle_is_there():
    assert distinct(Case.identification) == set(Identification)
    assert distinct(Case.assistance) == set(Assistance)
    assert distinct(Referral.state) == set(ReferralState)
    assert distinct(Listing.state) == set(ListingState)


@pytest.mark.usefixtures("world")
def test_about_forty_cases_of_the_last_weeks():
    now = datetime.now(UTC)
    assert count(Case) == len(stories.STORIES) + HISTORY
    assert 38 <= count(Case, OF_TODAY) <= 45
    oldest = db.session.scalar(select(func.min(Case.flagged_at)).where(OF_TODAY))
    assert 25 <= (now - oldest).days <= 31
    assert count(Case, Case.closed_at.is_(None), Case.due_at < now) >= 3
    assert distinct(Case.urgency) == {0, 1, 2}
    assert count(Case) - len(distinct(Case.incident_id)) >= 3
    # One of them was left behind by somebody who has gone.
    assert 3 <= count(FlagDraft) <= 4
    assert count(ServiceRecord) >= 10
    assert distinct(ConsentAnswer.basis) == {"consent", "child_best_interest"}
    assert count(SealedDocument) >= 5
    assert count(Case, Case.erased_at.is_not(None)) == 1


@pytest.mark.usefixtures("world")
def test_of_a_person_who_was_flagged_twice_each_file_names_the_other():
    assert count(Case, Case.compared_at.is_(None)) == 0
    who = db.session.scalars(select(Account).where(Account.role == Role.COORDINATOR)).first()
    actor = Actor(who.id, who.organisation_id, who.role)
    known = {}
    for reference in db.session.scalars(select(Case.reference).where(Case.erased_at.is_(None))):
        _, result, _ = casefile.comparison_page(actor, reference)
        known[reference] = [other.case.reference for other in result.alike]
    (one, other) = [reference for reference, others in known.items() if others]
    assert (known[one], known[other]) == ([other], [one])


@pytest.mark.usefixtures("world")
def test_what_they_were_exploited_for_is_known_of_most_who_are_presumed():
    """Two thirds for their labour, one in six sexually, as in the figures of many countries."""
    who = db.session.scalars(select(Account).where(Account.role == Role.COORDINATOR)).first()
    actor = Actor(who.id, who.organisation_id, who.role)
    presumed = select(Case.reference).where(Case.identification == Identification.PRESUMED)
    references = db.session.scalars(presumed.where(OF_TODAY))
    facts = [casefile.page(actor, reference).facts for reference in references]
    known = [set(held["exploitation"]) for held in facts if "exploitation" in held]
    assert 0 < len(facts) - len(known) <= 3
    labour = sum(bool(forms & {"forced_labour", "child_labour", "servitude"}) for forms in known)
    sexual = sum("sexual_exploitation" in forms for forms in known)
    assert 0.6 <= labour / len(known) <= 0.8
    assert 0.1 <= sexual / len(known) <= 0.25
    assert any(len(forms) > 1 for forms in known)
    for name, codes in (("flow", TRAFFICKING_FLOW), ("refugee", REFUGEE_STATUS)):
        assert {held[name] for held in facts if name in held} == set(codes)


@pytest.mark.usefixtures("world")
def test_everyone_has_a_part():
    assert distinct(Account.role) == set(HUMAN_ROLES)
    assert 10 <= count(Organisation) <= 16
    assert len(distinct(AuditEntry.actor_id)) >= 8


@pytest.mark.usefixtures("world")
def test_cases_have_owners_and_some_of_their_work_waits_for_somebody():
    owners = distinct(Case.owner_id)
    assert len(owners - {None}) == 2
    open_now = Case.closed_at.is_(None)
    assert count(Case, open_now, Case.owner_id.is_(None)) >= 3
    assert count(Case, open_now, Case.left_by_id.is_not(None)) == 1
    assert count(Account, Account.stand_in_id.is_not(None)) == 1
    assert distinct(HandOver.state) == {HandOverState.OFFERED}
    gone = select(Account.id).where(Account.disabled_at.is_not(None))
    assert count(FlagDraft, FlagDraft.account_id.in_(gone)) == 1


@pytest.mark.usefixtures("world")
def test_a_lapsed_a_suspended_and_a_waiting_provider_receive_nothing():
    today = datetime.now(UTC).date()
    approved = {entry.name for entry in directory.approved_for("transport", today)}
    assert approved == {"Practice Family Bridge"}
    shelters = {entry.name for entry in directory.approved_for("emergency_shelter", today)}
    assert "Practice Harbour House" not in shelters
    assert directory.approved_for("alternative_care", today) == []


@pytest.mark.usefixtures("world")
def test_the_log_reads_in_the_order_of_its_moments():
    # The keys were made before the past was told.
    told = select(AuditEntry.occurred_at).where(AuditEntry.action != "key:create")
    moments = list(db.session.scalars(told.order_by(AuditEntry.seq)))
    assert moments == sorted(moments)
    assert moments[-1] <= datetime.now(UTC)


def test_production_refuses_the_practice_world(installed):
    settings = databases.settings(f"sqlite:///{installed / 'nrm.sqlite3'}", installed)
    app = create_app(replace(settings, environment=Environment.PRODUCTION), unlock=False)
    with pytest.raises(SettingsError, match="never loaded"):
        demonstration.load(app)
    with app.app_context():
        assert count(Account) == 0
        db.session.remove()
        db.engine.dispose()


def test_it_is_loaded_once_only(practice_world):
    with pytest.raises(SettingsError, match="empty database only"):
        demonstration.load(practice_world.app)


def test_a_start_that_was_interrupted_is_noticed(practice_instance):
    with sqlite3.connect(practice_instance / "nrm.sqlite3") as database:
        database.execute("DELETE FROM case_file WHERE rowid = 1")
    url = f"sqlite:///{practice_instance / 'nrm.sqlite3'}"
    app = create_app(databases.settings(url, practice_instance), unlock=False)
    with app.app_context():
        assert demonstration.contents("rw") is demonstration.Contents.PART_OF_IT
        db.session.remove()
        db.engine.dispose()


def test_half_of_the_years_before_is_part_of_it(installed):
    url = f"sqlite:///{installed / 'nrm.sqlite3'}"
    app = create_app(databases.settings(url, installed), unlock=False)
    patience = iter(range(10))
    with pytest.raises(StopIteration):
        demonstration.load(app, lambda: next(patience), history=20)
    with app.app_context():
        assert 0 < count(Case) < 20
        assert demonstration.contents("rw") is demonstration.Contents.PART_OF_IT
        db.session.remove()
        db.engine.dispose()


def test_nobody_can_be_called_on_a_practice_number():
    written = [
        people.pages(PACK, number, story, datetime.now(UTC).date())
        for number, story in enumerate(stories.STORIES)
    ]
    numbers = [pages["contact"]["phone"] for pages in written if pages["contact"]["phone"]]
    assert len(numbers) >= 5
    for number in numbers:
        assert not phonenumbers.is_valid_number(phonenumbers.parse(number))
    assert all(
        PACK.has_sector(pages["report"]["district"], pages["place"]["sector"]) for pages in written
    )


def test_only_the_practice_world_can_act_in_the_past():
    callers = {
        str(file.relative_to(ROOT / "nrm").parent)
        for file in (ROOT / "nrm").rglob("*.py")
        if re.search(r"\bacting_at\b|\b_told_at\b", file.read_text(encoding="utf-8"))
    }
    assert callers == {".", "cli/demonstration"}


def test_nothing_acts_in_the_future():
    with pytest.raises(ValueError, match="future"), acting_at(datetime(2999, 1, 1, tzinfo=UTC)):
        pass
