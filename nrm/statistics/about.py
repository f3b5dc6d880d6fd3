"""What stands beside figures that leave the house: how much of them is hidden or missing."""

from collections.abc import Iterable, Mapping

from nrm.domain.text import N_
from nrm.statistics.catalogue import Counts, Listed
from nrm.statistics.release import Figures
from nrm.statistics.shares import share
from nrm.statistics.tables import ANSWERED, UNKNOWN, Cell, Dimension

# A hidden figure in words. Of days it is the people who are few, not the days.
HIDDEN: Mapping[Counts, str] = {
    Counts.PERSONS: N_("under 10"),
    Counts.REFERRALS: N_("under 10"),
    Counts.DAYS: N_("too few people"),
}


def hidden_percent(figures: Mapping[Counts, Figures]) -> int | None:
    """Say how many of a hundred counts of a release are hidden."""
    counts = [
        figure
        for counted in (Counts.PERSONS, Counts.REFERRALS)
        for figure in figures.get(counted, {}).values()
    ]
    return share(counts.count(None), len(counts))


def missing_percent(listed: Iterable[Listed], persons: Figures) -> dict[str, int | None]:
    """Say of each thing that is asked about a person how many of a hundred have no answer.

    Published figures alone are divided; nothing where one of them is hidden.
    """
    everybody = persons.get(Cell())
    asked = {
        dimension.name: dimension
        for one in listed
        if one.counts is Counts.PERSONS
        for dimension in one.dimensions
        if Cell({_which(dimension)}) in persons
    }
    return {one.label: _missing(one, persons, everybody) for one in asked.values()}


def _which(dimension: Dimension) -> tuple[str, str]:
    """Name the cell that tells: who answered anything, or who is not known."""
    return dimension.name, ANSWERED if ANSWERED in dimension.codes else UNKNOWN


def _missing(dimension: Dimension, persons: Figures, everybody: int | None) -> int | None:
    code = _which(dimension)
    found = share(persons[Cell({code})], everybody)
    return 100 - found if found is not None and code[1] == ANSWERED else found
