"""How a bulletin speaks: in the reader's language, and figures the same everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from nrm.domain.text import N_
from nrm.statistics.layout import Say
from nrm.statistics.periods import Period

UNDER_TEN_SHORT = N_("< 10")
FEWER_THAN_TEN = N_("fewer than ten")
TOO_FEW_PEOPLE = N_("too few people")
TOO_FEW = N_("too few")


@dataclass(frozen=True)
class Voice:
    """What the edge lends: texts in the reader's language, and days and periods in words."""

    say: Say
    day: Callable[[date], str]
    period: Callable[[Period], str]

    def fill(self, message: str, **values: str) -> str:
        """Say a message with values in it."""
        return self.say(message) % values

    def number(self, figure: int) -> str:
        """Write a figure; drawings write theirs in the same way."""
        return str(figure)

    def cell(self, figure: int | None, hidden: str = UNDER_TEN_SHORT) -> str:
        """Write a figure as it stands in a table."""
        return self.say(hidden) if figure is None else self.number(figure)

    def share(self, percent: int | None) -> str:
        """Write a share."""
        if percent is None:
            return "–"
        return self.fill(N_("%(percent)s %%"), percent=self.number(percent))
