"""A release is counted once, signed by two, frozen, and never changed."""

import contextlib

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from nrm.audit.actions import Action, Outcome
from nrm.db import db
from nrm.domain.errors import (
    IllegalStepError,
    InvalidInputError,
    LockedError,
    NotFoundError,
    RefusedError,
)
from nrm.domain.lifecycle import ReleaseState
from nrm.models import AuditEntry, Release, ReleaseCell
from nrm.services import releases, statistics
from nrm.statistics.attack import Proved
from nrm.statistics.catalogue import Counts
from nrm.statistics.protection import FEWEST_OF_A_MEDIAN
from tests.releases import QUARTER, counted, flagged, frozen, statistics_of


def stored(release_id):
    return db.session.get_one(Release, release_id, populate_existing=True)


def cells(release_id):
    db.session.rollback()
    query = select(ReleaseCell).where(ReleaseCell.release_id == release_id)
    return {(cell.counts, cell.by, cell.codes): cell.figure for cell in db.session.scalars(query)}


@contextlib.contextmanager
def behind_the_guard():
    """Do what somebody with the database's own password can do: it leaves no entry."""
    with db.engine.begin() as connection:
        connection.info["nrm_recorded"] = True
        yield connection


def ask(world, period=QUARTER, edition="provisional", who="analyst"):
    return releases.ask(world.actor(who), period, edition, world.pack)


def test_a_quarter_is_counted_signed_by_two_and_frozen(world, settings):
    flagged(120)
    release_id = frozen(world, settings)
    release = stored(release_id)
    assert release.state is ReleaseState.FROZEN
    assert release.left_out == ""
    made = cells(release_id)
    assert abs(made["persons", "", ""] - 120) <= 8
    assert {counts for counts, _, _ in made} == set(Counts)


def test_no_figure_tells_of_few(world, settings):
    flagged(120)
    for (counts, _, _), figure in cells(counted(world, settings)).items():
        if counts != Counts.DAYS:
            assert figure is None or (figure >= 10 and figure % 5 == 0)


def test_the_log_says_what_was_opened_and_what_was_frozen(world, settings, ledger):
    flagged(40)
    release_id = frozen(world, settings)
    written = [
        (entry.action, entry.outcome)
        for entry in ledger.entries()
        if entry.action.startswith("statistics:")
    ]
    assert written == [
        (Action.STATISTICS_ASK, Outcome.DONE),
        (Action.STATISTICS_COUNT, Outcome.BEGUN),
        (Action.STATISTICS_COUNT, Outcome.DONE),
        (Action.STATISTICS_SIGN, Outcome.DONE),
        (Action.STATISTICS_SIGN, Outcome.DONE),
        (Action.STATISTICS_FREEZE, Outcome.DONE),
    ]
    by_action = {entry.action: entry for entry in ledger.entries()}
    frozen_as = by_action[Action.STATISTICS_FREEZE].purpose
    assert frozen_as == f"sha256 {statistics.content_hash(release_id)}"


def test_changing_a_case_afterwards_changes_no_figure(world, settings):
    flagged(60)
    release_id = frozen(world, settings)
    before = cells(release_id)
    flagged(60, seed=2)
    with statistics_of(settings):
        statistics.go_on(world.pack)
    assert cells(release_id) == before


def test_each_edition_has_noise_of_its_own(world, settings):
    flagged(120)
    provisional, final = (counted(world, settings, edition=e) for e in ("provisional", "final"))
    assert cells(provisional) != cells(final)
    assert cells(provisional).keys() == cells(final).keys()


def test_counting_begins_anew_where_it_was_broken_off(world, settings, monkeypatch):
    flagged(60)
    release_id = ask(world)

    def broken(*_):
        raise RuntimeError("killed")

    with statistics_of(settings):
        with monkeypatch.context() as patch:
            patch.setattr(statistics, "_keep", broken)
            with pytest.raises(RuntimeError):
                statistics.go_on(world.pack)
        assert stored(release_id).state is ReleaseState.QUEUED
        assert cells(release_id) == {}
        statistics.go_on(world.pack)
    assert stored(release_id).state is ReleaseState.DRAFT


def test_a_quarter_of_few_cases_is_counted_with_the_next(world, settings):
    flagged(29, "2025Q2", seed=1)
    flagged(29, "2025Q3", seed=2)
    few = counted(world, settings, "2025Q2")
    assert stored(few).state is ReleaseState.TOO_FEW
    assert cells(few) == {}
    both = counted(world, settings, "2025Q3")
    release = stored(both)
    assert (release.first_quarter, release.last_quarter) == ("2025Q2", "2025Q3")
    assert release.state is ReleaseState.DRAFT
    assert abs(cells(both)["persons", "", ""] - 58) <= 8


def test_quarters_of_few_cases_go_on_being_put_to_the_next(world, settings):
    for place, quarter in enumerate(("2025Q1", "2025Q2", "2025Q3")):
        flagged(12, quarter, seed=place)
    found = [
        stored(counted(world, settings, quarter)) for quarter in ("2025Q1", "2025Q2", "2025Q3")
    ]
    assert [release.state for release in found] == [
        ReleaseState.TOO_FEW,
        ReleaseState.TOO_FEW,
        ReleaseState.DRAFT,
    ]
    assert found[2].first_quarter == "2025Q1"


@pytest.mark.parametrize(
    ("period", "edition", "field"),
    [
        ("2099Q1", "provisional", "period"),
        ("2099", "final", "period"),
        ("2025Q5", "provisional", "period"),
        ("soon", "provisional", "period"),
        ("", "provisional", "period"),
        (QUARTER, "rough", "edition"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_its_field(world, period, edition, field):
    with pytest.raises(InvalidInputError) as refused:
        ask(world, period, edition)
    assert refused.value.field == field
    assert db.session.scalars(select(Release)).all() == []


def test_a_period_is_released_once_in_each_edition(world, settings):
    flagged(40)
    counted(world, settings)
    with pytest.raises(InvalidInputError, match="already"):
        ask(world)
    ask(world, edition="final")


def test_a_year_has_a_release_of_its_own_with_the_districts(world, settings):
    flagged(60)
    quarter, year = counted(world, settings), counted(world, settings, "2025")
    assert not any(by == "district" for _, by, _ in cells(quarter))
    assert any(by == "district" for _, by, _ in cells(year))


def test_whoever_signed_once_does_not_sign_again(world, settings):
    flagged(40)
    release_id = counted(world, settings)
    releases.sign(world.actor("analyst"), release_id)
    with pytest.raises(RefusedError, match="Two different people"):
        releases.sign(world.actor("analyst"), release_id)
    assert stored(release_id).state is ReleaseState.SIGNED_ONCE


def test_nobody_signs_what_is_not_counted_or_signed_by_two(world, settings):
    flagged(40)
    asked = ask(world)
    with pytest.raises(IllegalStepError):
        releases.sign(world.actor("analyst"), asked)
    with pytest.raises(NotFoundError):
        releases.sign(world.actor("analyst"), world.accounts["analyst"])
    with statistics_of(settings):
        statistics.go_on(world.pack)


def test_only_what_two_signed_is_frozen_and_only_once(world, settings):
    flagged(40)
    release_id = counted(world, settings)
    with statistics_of(settings), pytest.raises(RefusedError, match="two people have to sign"):
        statistics.freeze(release_id, world.pack)
    for who in ("analyst", "second_analyst"):
        releases.sign(world.actor(who), release_id)
    with statistics_of(settings):
        statistics.freeze(release_id, world.pack)
        with pytest.raises(RefusedError, match="frozen already"):
            statistics.freeze(release_id, world.pack)


def signed_by_two(world, settings):
    flagged(40)
    release_id = counted(world, settings)
    for who in ("analyst", "second_analyst"):
        releases.sign(world.actor(who), release_id)
    return release_id


def test_what_the_attack_proves_is_not_frozen(world, settings, monkeypatch):
    release_id = signed_by_two(world, settings)
    proved = Proved(1, 1, 0, frozenset({frozenset({("sex", "male")})}))
    monkeypatch.setattr(statistics, "attacked", lambda *_: proved)
    with statistics_of(settings):
        done = statistics.go_on(world.pack)
    assert done.frozen == 0
    assert done.refused == [f"the release of {QUARTER} is not frozen: its figures prove 1 cells"]
    assert stored(release_id).state is ReleaseState.SIGNED


def test_the_attack_knows_what_shown_days_tell_of_people(world, settings, monkeypatch):
    flagged(120)
    release, attacked, told = stored(counted(world, settings)), statistics.attacked, []

    def noting(figures, listed, known):
        told.append(known)
        return attacked(figures, listed, known)

    monkeypatch.setattr(statistics, "attacked", noting)
    assert not statistics.attack_on(release, world.pack)
    persons, referrals = told
    assert persons[frozenset({("reached", "sent")})] == FEWEST_OF_A_MEDIAN
    assert not referrals


def test_a_figure_that_somebody_slipped_in_is_not_frozen(world, settings):
    """Somebody with the database writes an exact figure while a release waits to be counted."""
    flagged(40)
    release_id = ask(world)
    row = {"release_id": release_id, "counts": "persons", "by": "", "codes": "", "figure": 7}
    with behind_the_guard() as connection:
        connection.execute(insert(ReleaseCell), [row])
        connection.execute(text("UPDATE release SET state = 'signed'"))
    with statistics_of(settings), pytest.raises(RefusedError, match="a figure is not protected"):
        statistics.freeze(release_id, world.pack)


def test_the_web_process_counts_nothing(world):
    flagged(40)
    release_id = ask(world)
    with pytest.raises(LockedError):
        statistics.count(release_id, world.pack, lambda *_: None)
    assert stored(release_id).state is ReleaseState.QUEUED


def test_nobody_but_the_ministry_asks_or_signs(world):
    for who in ("coordinator", "auditor", "administrator", "directory_manager", "provider"):
        with pytest.raises(RefusedError):
            ask(world, who=who)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE release_cell SET figure = 10",
        "DELETE FROM release_cell",
        "INSERT INTO release_cell SELECT release_id, counts, 'more', codes, 10 FROM release_cell",
        "UPDATE release SET edition = 'final'",
        "DELETE FROM release_signature",
        "UPDATE release_signature SET account_id = release_id",
    ],
)
def test_the_database_keeps_a_frozen_release_as_it_is(world, settings, statement):
    flagged(40)
    frozen(world, settings)
    with pytest.raises(DBAPIError, match="never changed"), behind_the_guard() as connection:
        connection.execute(text(statement))


def test_who_said_no_is_not_counted(world, settings):
    flagged(60)
    flagged(60, seed=2, statistics="denied")
    assert abs(cells(counted(world, settings))["persons", "", ""] - 60) <= 8


def test_a_case_whose_keys_are_destroyed_is_left_out_and_counted_as_closed(world, settings, ledger):
    gone = flagged(60)[:10]
    with behind_the_guard() as connection:
        for case_id in gone:
            connection.execute(
                text("DELETE FROM facts_key WHERE case_id = :id"),
                {"id": case_id.hex if connection.dialect.name == "sqlite" else case_id},
            )
    made = cells(counted(world, settings))
    assert abs(made["persons", "", ""] - 50) <= 8
    del ledger
    last = select(AuditEntry).where(AuditEntry.action == Action.STATISTICS_COUNT)
    entry = db.session.scalars(last.order_by(AuditEntry.seq.desc()).limit(1)).one()
    assert entry.outcome == Outcome.DONE


def test_the_attack_says_what_it_proves_and_is_in_the_log(world, settings, ledger):
    flagged(120)
    release = stored(frozen(world, settings))
    proved = statistics.attacked_by(world.actor("analyst"), release, world.pack)
    assert (proved.isolated, proved.small_exact, proved.group) == (0, 0, 0)
    assert ledger.entries()[-1].action == Action.STATISTICS_VIEW
