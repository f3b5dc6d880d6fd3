"""What a bulletin is made from: the kept figures of a release, and of those before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from nrm.statistics.catalogue import Counts, Listed
from nrm.statistics.periods import Period
from nrm.statistics.pictures import Ground
from nrm.statistics.release import Figures
from nrm.statistics.tables import Cell


@dataclass(frozen=True)
class Counted:
    """The figures of one period."""

    period: Period
    figures: Mapping[Counts, Figures]

    def of(self, one: Listed) -> Figures:
        """Return the figures that a table is made of, among others."""
        return self.figures.get(one.counts, {})

    def has(self, counts: Counts, **codes: str) -> bool:
        """Say whether a figure is part of the release, shown or hidden."""
        return Cell(codes.items()) in self.figures.get(counts, {})

    def figure(self, counts: Counts, **codes: str) -> int | None:
        """Return a figure; nothing where it is hidden."""
        return self.figures[counts][Cell(codes.items())]


@dataclass(frozen=True)
class Published(Counted):
    """A release with all of its tables, and what stands on its cover."""

    ground: Ground
    # As a message: provisional or final.
    edition: str
    # Nothing while it is a draft.
    frozen_on: date | None
    tables: Sequence[Listed]
    # Tables of the catalogue that this release has not.
    missing: Sequence[Listed]
    # The newest first.
    before: Sequence[Counted]
    # Whether everybody in it is invented.
    practice: bool
