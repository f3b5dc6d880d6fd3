"""How far figures are from the counts: two or so, and on average not at all."""

from statistics import fmean

import pytest

from nrm.statistics.protection import THRESHOLD, Protection
from nrm.statistics.tables import Counting
from tests.statistics import wide
from tests.statistics.generated import RawPublisher

KEYS = 10


class BeforeTheThreshold(Protection):
    """Publishes what would be hidden as well, to tell what hiding alone does to the mean."""

    def published(self, count, record_keys):
        return self.rounded(count, record_keys)


def cells_of(protection):
    counting = Counting([one for one in wide.TABLES if len(one.dimensions) < 3], protection)
    for record_id, record in wide.records(5_000):
        counting.add(record_id, record)
    return counting.published()


@pytest.fixture(scope="module")
def differences():
    """Give the number of dimensions, the true count, and the figure of every cell of somebody."""
    truth = cells_of(RawPublisher())
    return [
        (len(cell), truth[cell], figure)
        for turn in range(KEYS)
        for cell, figure in cells_of(BeforeTheThreshold(bytes([turn] * 32), "a release")).items()
        if truth[cell]
    ]


@pytest.mark.parametrize("ways", [1, 2])
def test_a_figure_is_off_by_two_or_so_and_on_average_by_nothing(ways, differences, counted):
    of_these = [(true, figure) for number, true, figure in differences if number == ways]
    shown = [(true, figure) for true, figure in of_these if figure >= THRESHOLD]
    error = fmean(abs(figure - true) for true, figure in shown)
    error_of_all = fmean(abs(figure - true) for true, figure in of_these)
    bias = fmean(figure - true for true, figure in of_these)
    counted(
        f"{ways}-way, {len(of_these) // KEYS} cells, {KEYS} keys: mean error {error:.2f} where "
        f"shown, {error_of_all:.2f} of all, bias {bias:+.3f} before the threshold",
    )
    assert error <= 2.5
    assert error_of_all <= 2.5
    assert abs(bias) < 0.2
