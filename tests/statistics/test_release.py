"""Making a release: whom it counts, and that nothing of it hangs on chance or on order."""

from random import Random

import pytest

from nrm.statistics import reading
from nrm.statistics.catalogue import SOURCE, Counts, tables
from nrm.statistics.periods import Period, read
from nrm.statistics.protection import CERTAIN, Protection
from nrm.statistics.reading import STEP_LABEL
from nrm.statistics.release import FEWEST_CASES, TooFewError, make, people_of
from nrm.statistics.tables import Counting
from tests.statistics.cases import CATALOGUE, KEY, QUARTER, YEAR, cases
from tests.statistics.generated import RawPublisher

PROTECTION = Protection(KEY, "a release")
MADE_UP = list(cases(150, QUARTER))


def made(of, period=QUARTER, protection=PROTECTION):
    return make(of, period, protection, CATALOGUE)


def cell(**codes):
    return frozenset(codes.items())


def alike(number, events=(), **facts):
    """Make cases that say the same."""
    return [
        (f"{facts}-{place}", {"quarter": "2026Q3", "source": "police", **facts}, list(events))
        for place in range(number)
    ]


def test_the_same_release_is_the_same_a_hundred_times_in_whatever_order():
    first, shuffled = made(MADE_UP), list(MADE_UP)
    for turn in range(99):
        Random(turn).shuffle(shuffled)
        again = made(shuffled)
        assert again == first
        assert [list(figures) for figures in again.figures.values()] == [
            list(figures) for figures in first.figures.values()
        ]


def test_another_release_of_the_same_cases_has_other_noise():
    first, second = made(MADE_UP), made(MADE_UP, protection=Protection(KEY, "another release"))
    for counts in (Counts.PERSONS, Counts.REFERRALS):
        shown = {place for place, figure in first.figures[counts].items() if figure is not None}
        same = sum(first.figures[counts][one] == second.figures[counts][one] for one in shown)
        # By chance, about two of five figures are rounded to the same multiple of five.
        assert same < 0.6 * len(shown)
    # Days are the same in both, where both show them; which ones are shown hangs on the noise.
    one, other = (release.figures[Counts.DAYS] for release in (first, second))
    assert {cell for cell in one if one[cell] is None} != {
        cell for cell in other if other[cell] is None
    }
    assert all(one[cell] == other[cell] for cell in one if None not in {one[cell], other[cell]})


@pytest.mark.parametrize("size", [120, 300, 1_000, 5_000])
@pytest.mark.parametrize("period", [QUARTER, YEAR], ids=["quarter", "year"])
def test_no_count_is_between_one_and_nine_or_no_multiple_of_five(size, period):
    release = made(cases(size, period), period)
    for counts in (Counts.PERSONS, Counts.REFERRALS):
        for figure in release.figures[counts].values():
            assert figure is None or (figure >= 10 and figure % 5 == 0)
    counts = [
        *release.figures[Counts.PERSONS].values(),
        *release.figures[Counts.REFERRALS].values(),
    ]
    assert release.hidden == counts.count(None)
    assert release.shown == len(counts) - release.hidden


def test_a_release_of_fewer_than_thirty_new_cases_is_not_made():
    with pytest.raises(TooFewError, match="2026Q3"):
        made(alike(FEWEST_CASES - 1))
    assert made(alike(FEWEST_CASES)).shown


def test_who_is_not_counted_does_not_help_to_reach_thirty():
    closed = {"event": "closed", "quarter": "2026Q3", "days": 0, "reason": "duplicate"}
    others = [
        *alike(50, statistics="denied"),
        *alike(50, [closed], sex="male"),
        *alike(50, quarter="2026Q2"),
    ]
    with pytest.raises(TooFewError):
        made([*alike(FEWEST_CASES - 1), *others])


def test_who_is_not_counted_changes_no_figure():
    def is_counted(case):
        _, facts, events = case
        duplicate = any(event.get("reason") == "duplicate" for event in events)
        return not duplicate and facts.get("statistics") != "denied"

    counted = [case for case in MADE_UP if is_counted(case)]
    assert len(counted) == 150 < len(MADE_UP)
    assert made(counted) == made(MADE_UP)


def test_a_referral_is_counted_in_the_quarter_in_which_it_was_sent():
    sent = {"event": "sent", "quarter": "2026Q4", "days": 3, "service": "education"}
    of_before = [
        (case, facts, [{**sent, "referral": case}]) for case, facts, _ in alike(40, sex="male")
    ]
    later = alike(40, quarter="2026Q4", sex="female")
    release = made([*of_before, *later], read("2026Q4"))
    assert release.figures[Counts.REFERRALS][cell(service="education")] is not None
    assert release.figures[Counts.PERSONS][cell(sex="male")] is None
    assert release.figures[Counts.PERSONS][cell(sex="female")] is not None
    release = made([*of_before, *later])
    assert release.figures[Counts.REFERRALS][cell(service="education")] is None
    assert release.figures[Counts.PERSONS][cell(sex="male")] is not None


def test_districts_are_only_in_the_figures_of_a_whole_year():
    of_a_year = made(cases(120, YEAR), YEAR).figures[Counts.PERSONS]
    assert cell(district="11") in of_a_year
    several = Period("2026Q2", "2026Q3")
    for period in (QUARTER, several):
        figures = made(cases(120, period), period).figures[Counts.PERSONS]
        assert cell(district="11") not in figures
        assert set(figures) < set(of_a_year)


def test_a_median_is_of_ten_persons_for_certain_and_by_who_identified_them():
    def events(days):
        return [{"event": "presumed", "quarter": "2026Q3", "days": days}]

    release = made(
        [
            *alike(40, events(4), source="hotline"),
            *alike(11, events(6), source="police"),
            *alike(40, source="ngo"),
        ]
    )
    days = release.figures[Counts.DAYS]
    assert days[cell(step="presumed", source="hotline")] == 4
    assert days[cell(step="presumed", source="police")] is None
    assert days[cell(step="presumed", source="ngo")] is None
    assert days[cell(step="presumed")] == 4
    assert days[cell(step="closed")] is None


def test_a_median_is_shown_where_the_figure_of_the_same_people_says_that_they_are_enough():
    """Whoever was given a service is counted in two tables, with the same noise in both."""
    for turn in range(10):
        figures = made(MADE_UP, protection=Protection(KEY, str(turn))).figures
        for source in SOURCE.codes:
            figure = figures[Counts.PERSONS][cell(source=source, reached="served")]
            days = figures[Counts.DAYS][cell(source=source, step="served")]
            assert (days is not None) == (figure is not None and figure >= CERTAIN)


@pytest.mark.parametrize("size", [120, 300, 1_000])
def test_what_shown_days_tell_of_people_is_true(size):
    of = list(cases(size, YEAR))
    told = people_of(made(of, YEAR).figures[Counts.DAYS])
    assert cell(reached="sent") in told
    counting = Counting(tables(CATALOGUE, Counts.PERSONS, annual=True), RawPublisher())
    for case_id, facts, events in of:
        if reading.counted(events, facts):
            counting.add(case_id, reading.person(facts, events))
    truth = counting.published()
    assert all(truth[one] >= least for one, least in told.items())


def test_a_missing_median_does_not_tell_whether_there_was_anybody():
    """Of whom there is nobody has a cell like of whom there are few, in every table."""
    many, same = made(MADE_UP), made(alike(FEWEST_CASES))
    for counts in Counts:
        assert set(many.figures[counts]) == set(same.figures[counts])
    cells = set(many.figures[Counts.DAYS])
    assert {dict(one)["step"] for one in cells} == set(STEP_LABEL)
    assert cell(step="served", source="unknown") in cells
