"""The pictures of a bulletin: those of the screens, as long as they fit on a sheet of paper."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nrm.domain.text import N_
from nrm.statistics import charts, pictures
from nrm.statistics.bulletin.published import Counted, Published
from nrm.statistics.bulletin.voice import Voice
from nrm.statistics.catalogue import Counts, Listed
from nrm.statistics.tables import Cell

# Tables of which the picture would show what that of another one shows already.
SHOWN_BY: Mapping[str, str] = {"R5a": "R4", "R7a": "R4", "R10a": "R10"}
# In units of a drawing: a longer one would leave the sheet, on which two units are one point.
LONGEST = 1_100
# So many bars, each with its label, are no longer than that.
MOST_BARS = 16
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


@dataclass(frozen=True)
class Series:
    """A figure of each release: its name, and by which codes it is found."""

    name: str
    codes: Mapping[str, str]


# What is told release by release; two lines, which can be told apart.
OVER_TIME = (
    Series(N_("Identified"), {}),
    Series(N_("Presumed victims"), {"decision": "presumed"}),
)


@dataclass(frozen=True)
class Picture:
    """A drawing, how broad it is in its own units, and what it leaves out."""

    title: str
    drawing: Markup
    width: float
    note: str = ""


def draw(one: Listed, published: Published, voice: Voice) -> Picture | None:
    """Draw a table; nothing where another picture shows it, or where all of it is hidden."""
    if one.number in SHOWN_BY or not _anything(one, published):
        return None
    if not one.dimensions:
        return _over_time(one, published, voice)
    drawing, width, height = _drawn(one, published, voice)
    note = ""
    if height > LONGEST:
        drawing, width, _height = _drawn(one, published, voice, MOST_BARS)
        if len(_shown(one, published)) > MOST_BARS:
            message = N_("The picture shows the %(number)s largest.")
            note = voice.fill(message, number=voice.number(MOST_BARS))
    return Picture(_title_of(drawing), drawing, width, note)


def told(published: Published) -> Sequence[tuple[Series, Sequence[int | None]]]:
    """Give what is told release by release, from the oldest on, as far as each of them has it."""
    every: Sequence[Counted] = [*reversed(published.before), published]
    return [
        (series, [each.figure(Counts.PERSONS, **series.codes) for each in every])
        for series in OVER_TIME
        if all(each.has(Counts.PERSONS, **series.codes) for each in every)
    ]


def _anything(one: Listed, published: Published) -> bool:
    """Say whether any figure of a table is shown."""
    return any(
        figure is not None and {name for name, _ in cell} <= one.names
        for cell, figure in published.of(one).items()
    )


def _shown(one: Listed, published: Published) -> list[str]:
    """List the codes of the rows whose figure is shown."""
    rows = one.dimensions[0]
    cells = {code: Cell({(rows.name, code)}) for code in rows.single}
    return [code for code, cell in cells.items() if published.of(one)[cell] is not None]


def _drawn(
    one: Listed, published: Published, voice: Voice, most: int | None = None
) -> tuple[Markup, float, float]:
    """Draw a table, and say how broad and how high the drawing is."""
    chart_id = f"picture-{one.number.lower()}"
    figures = published.of(one)
    drawing = pictures.picture(one, figures, published.ground, voice.say, chart_id, most=most)
    return drawing or Markup(), *_size(drawing or "")


def _size(drawing: str) -> tuple[float, float]:
    found = _SIZE.search(drawing)
    return (float(found[1]), float(found[2])) if found else (0, 0)


def _title_of(drawing: Markup) -> str:
    """Take the sentence that a drawing says of itself."""
    return drawing.partition("</title>")[0].rpartition(">")[2].unescape()


def _over_time(one: Listed, published: Published, voice: Voice) -> Picture | None:
    """Draw lines over the releases; a single one is no line."""
    lines = [charts.Line(voice.say(series.name), figures) for series, figures in told(published)]
    if not published.before or not lines:
        return None
    names = [each.period.name for each in (*reversed(published.before), published)]
    title = voice.fill(
        N_("%(title)s: %(first)s in %(begin)s, %(last)s in %(end)s"),
        title=voice.say(one.title),
        first=voice.cell(lines[0].figures[0]),
        begin=voice.period(published.before[-1].period),
        last=voice.cell(lines[0].figures[-1]),
        end=voice.period(published.period),
    )
    drawing = charts.lines(title, names, lines, pictures.words(voice.say), "picture-over-time")
    return Picture(title, drawing, _size(drawing)[0])
