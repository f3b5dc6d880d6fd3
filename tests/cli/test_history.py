"""The practice world's past: drawn with a believable skew, and every file of it opens."""

from collections import Counter
from datetime import date, datetime, time
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from nrm.cli import demonstration
from nrm.cli.demonstration import history
from nrm.country import load
from nrm.country.demonstration import load_demonstration
from nrm.db import db
from nrm.domain import flag
from nrm.domain.vocabulary import (
    AGE_BAND,
    CLOSURE_REASON,
    ECONOMIC_SECTOR,
    EXPLOITATION,
    INDICATOR,
    REFERRAL_SOURCE,
    REFUGEE_STATUS,
    SEX,
    TRAFFICKING_FLOW,
    is_child,
)
from nrm.models import AuditEntry, Case, Organisation, Referral
from tests import ledger, vault
from tests import world as worlds
from tests.cli.conftest import HISTORY
from tests.page import PageClient
from tests.page_checks import words

PACK, WORLD = load("rw"), load_demonstration("rw")
TODAY = date(2026, 11, 28)
LABOUR = {"forced_labour", "child_labour", "servitude"}
ANSWERS = {"accepted", "declined", "expired", "withdrawn"}


def drawn(today, cases=demonstration.HISTORY):
    return list(history.pasts(PACK, WORLD, today, cases))


def day_of(moment):
    return moment.astimezone(PACK.zone).date()


def facts_of(one):
    return flag.documents(one.pages, day_of(one.flagged))["facts"] | one.known.facts


def share(rows, true):
    return sum(map(bool, map(true, rows))) / len(rows)


def test_the_past_is_skewed_as_in_the_figures_of_many_countries():
    cases = drawn(TODAY)
    facts = [facts_of(one) for one in cases]
    assert len(cases) == 1_500
    quarters = Counter(held["quarter"] for held in facts)
    assert (min(quarters), max(quarters), len(quarters)) == ("2023Q4", "2026Q3", 12)
    assert [quarters[name] for name in sorted(quarters)] == sorted(quarters.values())
    assert min(quarters.values()) >= 60

    known = [set(held["exploitation"]) for held in facts if "exploitation" in held]
    assert 0.62 <= share(known, LABOUR.intersection) <= 0.72
    assert 0.13 <= share(known, {"sexual_exploitation"}.intersection) <= 0.2
    assert 0.3 <= share(facts, lambda held: is_child(held["age_band"])) <= 0.37
    assert 0.57 <= share(facts, lambda held: held["sex"] == "female") <= 0.64
    assert 0.65 <= share(facts, lambda held: held["citizenship"] == "RW") <= 0.77
    assert 0.45 <= share(facts, lambda held: held["source"] in {"police", "border"}) <= 0.6
    assert 0.22 <= share(facts, lambda held: held["district"] in {"11", "12", "13"}) <= 0.34
    assert 0.01 <= share(cases, lambda one: one.denied) <= 0.03
    assert 0.02 <= share(cases, lambda one: one.reason == "not_a_victim") <= 0.06
    for name, codes in {
        "sex": SEX,
        "age_band": AGE_BAND,
        "source": REFERRAL_SOURCE,
        "district": PACK.districts,
        "flow": TRAFFICKING_FLOW,
        "sector": ECONOMIC_SECTOR,
        "refugee": REFUGEE_STATUS,
    }.items():
        assert {held[name] for held in facts if name in held} == set(codes)
    assert set().union(*known) == set(EXPLOITATION)
    assert {"RW", "BI", "CD", "UG", "TZ"} <= {held["citizenship"] for held in facts}
    assert {sign for held in facts for sign in held["indicators"]} == set(INDICATOR)

    assert {one.reason for one in cases} == set(CLOSURE_REASON)
    answers = Counter(asked.answer.value for one in cases for asked in one.asked)
    assert set(answers) == {"sent", *ANSWERS}
    assert answers["accepted"] > 5 * answers["declined"] > 5 * answers["sent"]
    assert any(len(one.asked) > 2 for one in cases)


@pytest.mark.parametrize("today", [TODAY, date(2024, 2, 29), date(2027, 1, 1)])
def test_everything_happens_in_its_order_and_before_today(today):
    cases = drawn(today)
    assert cases == drawn(today)
    midnight = datetime.combine(today, time(), PACK.zone)
    for one in cases:
        last = one.presumed or one.flagged
        assert one.flagged <= last <= one.closed <= midnight
        for asked in one.asked:
            assert last < asked.sent <= one.closed
            last = asked.answered or one.closed
            moments = [asked.sent, last, *(moment for moment, _ in asked.served), one.closed]
            assert moments == sorted(moments)


@pytest.fixture
def past(practice_world):
    """A case of the past whose person is named and was helped, with all that was written of it."""
    with practice_world.app.app_context():
        loaded = select(AuditEntry).where(AuditEntry.action == "demonstration:load")
        cases = [entry.case_id for entry in db.session.scalars(loaded)]
        assert len(set(cases)) == len(cases) == HISTORY
        ended = select(Referral.case_id).where(Referral.state == "ended")
        helped = db.session.scalars(ended.where(Referral.case_id.in_(cases)).distinct()).all()
        opened = ((case_id, vault.contents(case_id)) for case_id in helped)
        case_id, documents = next(one for one in opened if identity_in(one[1]))
        acts = select(AuditEntry.action).where(AuditEntry.case_id == case_id)
        found = SimpleNamespace(
            case=db.session.get(Case, case_id),
            entry=db.session.scalars(loaded.where(AuditEntry.case_id == case_id)).one(),
            documents=documents,
            stored=ledger.sealed_rows(),
            by_nobody=db.session.scalars(acts.where(AuditEntry.actor_role == "system")).all(),
            helpers=db.session.scalars(
                select(Organisation.name)
                .join(Referral, Referral.organisation_id == Organisation.id)
                .where(Referral.case_id == case_id)
            ).all(),
        )
        db.session.remove()
    return found


def identity_in(documents):
    return next((held for held in documents.values() if "given_name" in held), None)


def of_table(documents, table):
    return [held for place, held in documents.items() if place[0] == table]


def test_a_case_of_the_past_is_whole(past):
    assert (past.case.assistance, past.case.identification) == ("closed", "presumed")
    assert len(of_table(past.documents, "sealed_compartment")) == 5
    [facts] = of_table(past.documents, "sealed_facts")
    assert facts["quarter"] == flag.quarter(day_of(past.case.flagged_at))
    assert {"sex", "age_band", "district", "source", "indicators", "needs"} <= set(facts)

    events = of_table(past.documents, "sealed_facts_event")
    named = Counter(held["event"] for held in events)
    assert (named["flagged"], named["presumed"], named["closed"]) == (1, 1, 1)
    assert named["sent"] == named["consented"] == len(past.helpers) >= named["accepted"] > 0
    assert len(of_table(past.documents, "sealed_envelope")) == len(past.helpers)
    sent = {held["referral"] for held in events if held["event"] == "sent"}
    answered = [held["referral"] for held in events if held["event"] in ANSWERS]
    assert len(set(answered)) == len(answered)
    # Closing a case takes back what nobody answered.
    assert sent == set(answered)
    assert min(held["days"] for held in events) == 0
    assert min(held["quarter"] for held in events) == facts["quarter"]


def test_one_entry_tells_of_all_that_was_written_of_a_case(past):
    assert past.by_nobody == ["demonstration:load"]
    assert past.entry.occurred_at == past.case.closed_at
    assert past.entry.leaf_hash == ledger.true_leaf(past.entry)
    written = {place[1:]: past.stored[place[1:]] for place in past.documents}
    assert ledger.rows_touched(past.entry) == written


def test_a_case_of_the_past_opens_and_its_person_is_found(practice_world, past):
    coordinator = next(one for one in WORLD.accounts if one.role == "coordinator")
    page = PageClient(practice_world.app.test_client())
    worlds.sign_in(page, coordinator.email, coordinator.password, coordinator.totp_secret)
    file = f"/cases/{past.case.reference}"
    for tail in ("/consent", "/known", "/documents", "/access", "/erase"):
        page.get(file + tail)
    told = words(page.get(file))
    assert "Practice case of the past loaded" in told
    assert "the demonstration, in which everyone is invented" in told
    told = words(page.get(file + "/help"))
    assert all(name in told for name in past.helpers)

    identity = identity_in(past.documents)
    names = f"{identity['family_name']} {identity['given_name']}"
    page.post("/search", {"names": names}, status=200)
    assert past.case.reference in words(page.html)
