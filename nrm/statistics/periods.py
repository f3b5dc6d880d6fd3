"""The periods of releases: quarters that are over, several where one is too small, and years."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from nrm.domain.flag import quarter

_QUARTERS = 4
_QUARTER = re.compile(r"[12][0-9]{3}Q[1-4]")
_YEAR = re.compile(r"[12][0-9]{3}")


class PeriodError(ValueError):
    """What was written is no period; the message says how one is written."""


@dataclass(frozen=True)
class Period:
    """One quarter or several, or a whole year, whose tables are made anew and not summed up."""

    first: str
    last: str
    annual: bool = False

    @property
    def name(self) -> str:
        """Write the period: 2026Q3, 2026Q2-2026Q3, or 2026."""
        if self.annual:
            return self.first[:4]
        return self.first if self.first == self.last else f"{self.first}-{self.last}"

    def holds(self, name: str) -> bool:
        """Say whether a quarter is part of it."""
        return self.first <= name <= self.last

    def is_over(self, today: date) -> bool:
        """Say whether nothing more can happen in it."""
        return self.last < quarter(today)

    def quarters(self) -> Iterator[str]:
        """Give the names of its quarters."""
        name = self.first
        while name <= self.last:
            yield name
            name = after(name)


def after(name: str) -> str:
    """Name the quarter after this one."""
    year, number = int(name[:4]), int(name[-1])
    return f"{year}Q{number + 1}" if number < _QUARTERS else f"{year + 1}Q1"


def before(name: str) -> str:
    """Name the quarter before this one."""
    year, number = int(name[:4]), int(name[-1])
    return f"{year}Q{number - 1}" if number > 1 else f"{year - 1}Q{_QUARTERS}"


def read(text: str) -> Period:
    """Read 2026Q3 or 2026; raises PeriodError."""
    text = text.strip().upper()
    if _QUARTER.fullmatch(text):
        return Period(text, text)
    if _YEAR.fullmatch(text):
        return Period(f"{text}Q1", f"{text}Q4", annual=True)
    raise PeriodError("write a quarter like 2026Q3, or a year like 2026")
