"""How a bulletin speaks: in the reader's language, and numbers and periods the same everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from nrm.domain.text import N_
from nrm.statistics.charts import Words
from nrm.statistics.layout import Say
from nrm.statistics.periods import Period

# By the number of the quarter, its first month and its last.
_MONTHS = {
    "1": (N_("January"), N_("March")),
    "2": (N_("April"), N_("June")),
    "3": (N_("July"), N_("September")),
    "4": (N_("October"), N_("December")),
}
UNDER_TEN, UNDER_TEN_SHORT = N_("under 10"), N_("< 10")
FEWER_THAN_TEN = N_("fewer than ten")
FEWER_PEOPLE = N_("fewer than ten people")
TOO_FEW = N_("too few")
_SAME_IN_TABLE = N_("The table after this picture has the same figures.")


@dataclass(frozen=True)
class Voice:
    """What the edge lends: a text in the reader's language, and a day in words."""

    say: Say
    day: Callable[[date], str]

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

    def period(self, period: Period) -> str:
        """Say of which months a period is."""
        begin, end = _MONTHS[period.first[-1]][0], _MONTHS[period.last[-1]][1]
        if period.first[:4] == period.last[:4]:
            message = N_("%(begin)s to %(end)s %(year)s")
        else:
            message = N_("%(begin)s %(first_year)s to %(end)s %(year)s")
        return self.fill(
            message,
            begin=self.say(begin),
            first_year=period.first[:4],
            end=self.say(end),
            year=period.last[:4],
        )

    def drawn(self) -> Words:
        """Give a drawing of counts its words."""
        return Words(self.say(UNDER_TEN), self.say(UNDER_TEN_SHORT), self.say(_SAME_IN_TABLE))

    def drawn_days(self) -> Words:
        """Give a drawing of days its words: under ten is then said of people, not of days."""
        return Words(self.say(FEWER_PEOPLE), self.say(TOO_FEW), self.say(_SAME_IN_TABLE))
