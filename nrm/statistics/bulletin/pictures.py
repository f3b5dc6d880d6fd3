"""Which table of the catalogue is drawn, and how; the table beside a drawing says the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from markupsafe import Markup

from nrm.domain.text import N_
from nrm.statistics import charts
from nrm.statistics.bulletin.published import Published
from nrm.statistics.bulletin.voice import Voice
from nrm.statistics.catalogue import Counts, Listed
from nrm.statistics.layout import Grid
from nrm.statistics.tables import ANSWERED

# So many bars fit on a sheet of paper.
MOST_BARS = 14


@dataclass(frozen=True)
class Picture:
    """A drawing, what it shows in a sentence, and whether it is one of the wide ones."""

    title: str
    drawing: Markup
    wide: bool = False
    # Said where not everything is drawn.
    note: str = ""


@dataclass(frozen=True)
class _Subject:
    """What a picture is drawn from."""

    one: Listed
    grid: Grid
    published: Published
    voice: Voice

    @property
    def title(self) -> str:
        return self.voice.say(self.one.title)

    @property
    def chart_id(self) -> str:
        return f"picture-{self.one.number.lower()}"

    @property
    def words(self) -> charts.Words:
        return self.voice.drawn_days() if self.one.counts is Counts.DAYS else self.voice.drawn()


_Drawing: TypeAlias = Callable[[_Subject], Picture | None]


def draw(one: Listed, grid: Grid, published: Published, voice: Voice) -> Picture | None:
    """Draw a table; nothing where it is not drawn, or where everything in it is hidden."""
    drawing = PICTURES.get(one.number)
    return drawing(_Subject(one, grid, published, voice)) if drawing else None


def _over_time(subject: _Subject) -> Picture | None:
    """Draw the figure of each release; a single one is no line."""
    published, voice, counts = subject.published, subject.voice, subject.one.counts
    releases = [one for one in (*reversed(published.before), published) if one.has(counts)]
    if not releases[1:]:
        return None
    figures = [one.figure(counts) for one in releases]
    title = voice.fill(
        N_("%(title)s: %(first)s in %(begin)s, %(last)s in %(end)s"),
        title=subject.title,
        first=subject.words.said(figures[0]),
        begin=voice.period(releases[0].period),
        last=subject.words.said(figures[-1]),
        end=voice.period(releases[-1].period),
    )
    names = [one.period.name for one in releases]
    line = charts.Line(voice.say(N_("Identified")), figures)
    return Picture(title, charts.lines(title, names, [line], subject.words, subject.chart_id))


def _bars(subject: _Subject) -> Picture | None:
    """Draw a bar for each row."""
    lines = [line for line in subject.grid.lines if line.code != ANSWERED]
    return _of_bars(subject, [charts.Bar(line.label, line.figures[0]) for line in lines])


def _bars_of_columns(subject: _Subject) -> Picture | None:
    """Draw a bar for each column, of all rows together."""
    named = zip(subject.grid.heads[1:], subject.grid.total.figures[1:], strict=True)
    return _of_bars(subject, [charts.Bar(label, figure) for label, figure in named])


def _of_bars(subject: _Subject, bars: Sequence[charts.Bar]) -> Picture | None:
    largest = sorted(bars, key=lambda bar: bar.figure or 0, reverse=True)[:MOST_BARS]
    if not largest or largest[0].figure is None:
        return None
    title = _led_by(subject, largest[0].label, largest[0].figure)
    # Whatever is drawn stands in the order of the table.
    drawn = [bar for bar in bars if bar in largest]
    drawing = charts.bars(title, drawn, subject.words, subject.chart_id)
    note = N_("The picture shows the %(number)s largest.")
    if len(drawn) == len(bars):
        return Picture(title, drawing)
    return Picture(title, drawing, note=subject.voice.fill(note, number=str(MOST_BARS)))


def _led_by(subject: _Subject, label: str, figure: int) -> str:
    """Say in a sentence what a picture shows first of all."""
    return subject.voice.fill(
        N_("%(title)s: the largest is “%(label)s”, %(figure)s"),
        title=subject.title,
        label=label,
        figure=subject.voice.number(figure),
    )


def _groups(subject: _Subject) -> Picture | None:
    """Draw for each row a bar of each column."""
    groups = [charts.Group(line.label, line.figures[1:]) for line in subject.grid.lines]
    if not groups:
        return None
    title, series = subject.title, subject.grid.heads[1:]
    drawing = charts.grouped_bars(title, groups, series, subject.words, subject.chart_id)
    return Picture(title, drawing)


def _flow(subject: _Subject) -> Picture | None:
    """Draw the routes through the country."""
    shown = {line.code: line for line in subject.grid.lines if line.figures[0] is not None}
    if not shown:
        return None
    say = subject.voice.say
    [routes, *_] = subject.one.dimensions
    flows = [
        charts.Flow(
            code, say(routes.words[code]), subject.published.figure(subject.one.counts, flow=code)
        )
        for code in routes.codes
    ]
    leading = max(shown.values(), key=lambda line: line.figures[0] or 0)
    title = _led_by(subject, leading.label, leading.figures[0] or 0)
    places = charts.Places(
        subject.published.country,
        say(N_("Recruited here")),
        say(N_("Recruited abroad")),
        say(N_("Not known where recruited")),
        say(N_("Exploited here")),
        say(N_("Exploited abroad")),
    )
    drawing = charts.flow(title, flows, subject.words, places, subject.chart_id)
    return Picture(title, drawing, wide=True)


def _squares(subject: _Subject) -> Picture | None:
    """Draw a square for each district, in one size whatever its figure."""
    published = subject.published
    tiles = [
        replace(square, figure=published.figure(subject.one.counts, district=code))
        for code, square in published.squares.items()
    ]
    if all(tile.figure is None for tile in tiles):
        return None
    leading = max(tiles, key=lambda tile: tile.figure or 0)
    title = _led_by(subject, leading.name, leading.figure or 0)
    drawing = charts.tiles(title, tiles, subject.words, subject.chart_id)
    return Picture(title, drawing, wide=True)


PICTURES: Mapping[str, _Drawing] = {
    "R1": _over_time,
    "R2": _bars,
    "R3": _groups,
    "R4": _bars,
    "R6": _bars,
    "R6a": _bars,
    "R7": _flow,
    "R8": _bars,
    "R8a": _squares,
    "R9": _groups,
    "R10": _bars,
    "R11": _bars_of_columns,
    "R12": _bars,
    "R12a": _bars,
    "R13": _bars,
    "R17": _bars_of_columns,
}
