"""The same attack on the tables that are published, made of cases with the skew of real ones."""

import os

import pytest

from nrm.statistics import catalogue, reading
from nrm.statistics.attack import allowed, attack, narrowed
from nrm.statistics.catalogue import Counts
from nrm.statistics.periods import read
from nrm.statistics.protection import Protection
from nrm.statistics.release import attacked, make, people_of
from nrm.statistics.tables import Counting, Dimension
from tests.statistics.cases import CATALOGUE, KEY, QUARTER, YEAR, cases
from tests.statistics.generated import NaivePublisher, RawPublisher

SIZES = (120, 300, 1_000, 5_000)
SEEDS = range(100 if os.environ.get("NRM_PROOF") else 10)
OF_PERSONS = [one for one in CATALOGUE if one.counts is Counts.PERSONS]
DIMENSIONS = list({each.name: each for one in OF_PERSONS for each in one.dimensions}.values())


def made(of, period, release="1"):
    return make(of, period, Protection(KEY, release), CATALOGUE)


def all_of(of, protection):
    """Count persons by all tables of a year, without leaving any out."""
    counting = Counting(catalogue.tables(CATALOGUE, Counts.PERSONS, annual=True), protection)
    for case_id, facts, events in of:
        if reading.counted(events, facts):
            counting.add(case_id, reading.person(facts, events))
    return counting.published()


@pytest.mark.parametrize("period", [YEAR, QUARTER], ids=["year", "quarter"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_proved_of_anybody_and_no_table_is_left_out(size, period, counted):
    release = made(cases(size, period), period)
    cells = release.shown + release.hidden
    counted(
        f"{size} cases, {period.name}, {cells} cells: "
        f"{len(release.left_out)} tables left out, {release.hidden / cells:.0%} hidden",
    )
    assert release.left_out == []
    for counts in (Counts.PERSONS, Counts.REFERRALS):
        listed = [one for one in CATALOGUE if one.counts is counts]
        told = people_of(release.figures[Counts.DAYS]) if counts is Counts.PERSONS else {}
        proved = attacked(release.figures[counts], listed, told)
        assert (proved.isolated, proved.small_exact, proved.group) == (0, 0, 0)


def test_no_luck_of_the_draw_leaves_a_table_out(counted):
    drawn = [
        made(cases(size, QUARTER, seed), QUARTER, f"{seed}")
        for size in (30, 60, 120, 300)
        for seed in SEEDS
    ]
    without = sum(bool(release.left_out) for release in drawn)
    counted(f"{len(drawn)} releases of 30 to 300 cases: {without} leave a table out")
    assert without == 0


def test_a_careless_publisher_is_taken_apart_by_the_same_tables(counted):
    """The control: our tables are wide enough for the attack, where they are badly protected."""
    figures = all_of(cases(300, YEAR), NaivePublisher())
    proved = attack(figures, DIMENSIONS, NaivePublisher.allowed)
    counted(
        f"300 cases, hides under five, exact totals: {proved.isolated} isolated, "
        f"{proved.small_exact} small numbers exact, {proved.group} groups",
    )
    assert proved.isolated > 10
    assert proved.small_exact > 100


@pytest.mark.parametrize("size", [120, 1_000])
def test_the_attack_knows_no_more_than_the_truth(size):
    """What it adds up is right, and every range that it ends with holds the true count."""
    truth, sums = narrowed(all_of(cases(size, YEAR), RawPublisher()), DIMENSIONS, exactly)
    for parent, children in sums:
        assert truth[parent][0] == sum(truth[child][0] for child in children)
    ranges, _ = narrowed(all_of(cases(size, YEAR), Protection(KEY, "true")), DIMENSIONS)
    for cell, (low, high) in ranges.items():
        true, same = truth[cell]
        assert low <= true == same <= high


def exactly(count):
    return count, count


@pytest.mark.parametrize("size", SIZES[:-1])
def test_a_year_and_its_quarters_together_prove_nothing(size, counted):
    """They have noise of their own each, but everybody knows that four quarters are a year."""
    of_the_year = list(cases(4 * size, YEAR))
    whole = made(of_the_year, YEAR).figures
    figures, told = dict(whole[Counts.PERSONS]), dict(people_of(whole[Counts.DAYS]))
    for name in YEAR.quarters():
        of_quarter = made(of_the_year, read(name), name).figures
        for known, more in (
            (figures, of_quarter[Counts.PERSONS]),
            (told, people_of(of_quarter[Counts.DAYS])),
        ):
            known |= {cell | {("quarter", name)}: figure for cell, figure in more.items()}
    quarters = Dimension("quarter", tuple(YEAR.quarters()))
    proved = attack(figures, [*DIMENSIONS, quarters], at_least=told)
    counted(
        f"a year of {4 * size} cases with its quarters, {len(figures)} cells: "
        f"{len(proved.cells)} proved",
    )
    assert not proved


@pytest.mark.parametrize("size", SIZES)
def test_two_editions_of_a_period_together_prove_nothing(size):
    """At worst nothing came in between them, and only the noise is another."""
    first, second = (
        made(cases(size, QUARTER), QUARTER, edition).figures[Counts.PERSONS]
        for edition in ("provisional", "final")
    )
    both = {cell: (figure, second[cell]) for cell, figure in first.items()}
    assert not attack(both, DIMENSIONS, _allowed_by_both)


def _allowed_by_both(figures):
    lows, highs = zip(*map(allowed, figures), strict=True)
    return max(lows), min(highs)
