"""Which picture shows which table, so that screens and the bulletin show the same one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from markupsafe import Markup

from nrm.domain.text import N_
from nrm.statistics import charts
from nrm.statistics.catalogue import Counts, Listed
from nrm.statistics.layout import Line, Say, grids, word
from nrm.statistics.tables import UNKNOWN, Cell, Dimension

# With so many codes, those of which nothing is shown are left to the table.
_MANY = 8
# So many series can be told apart without colour.
_MOST_SERIES = 4

# Where the columns are what a table is about, they are drawn, and not the rows.
_TOLD_BY_COLUMN = ("step", "reached")

# The routes in a word, which fits on a ribbon on a phone; the table has them in full.
ROUTE_SHORT: Mapping[str, str] = {
    "internal": N_("Inside"),
    "outbound": N_("From"),
    "inbound": N_("To"),
    "transit": N_("Through"),
    UNKNOWN: N_("Not known"),
}

_Figures: TypeAlias = Mapping[Cell, int | None]


@dataclass(frozen=True)
class Square:
    """Where a district stands on the map of squares."""

    code: str
    short: str
    province: str
    column: int
    row: int


@dataclass(frozen=True)
class Ground:
    """What pictures need to know of the country."""

    name: str
    squares: Sequence[Square]


def words(say: Say, counts: Counts = Counts.PERSONS) -> charts.Words:
    """Say what every picture says; of days it is the people who are few, not the days."""
    return charts.Words(
        say(N_("too few people") if counts is Counts.DAYS else N_("under 10")),
        say(N_("< 10")),
        say(N_("The table after this picture has the same figures.")),
    )


def picture(
    one: Listed,
    figures: _Figures,
    ground: Ground,
    say: Say,
    chart_id: str,
    *,
    most: int | None = None,
) -> Markup | None:
    """Draw a table; nothing for one that has only a total.

    With `most`, bars are drawn of the rows alone, and of so many of them: the largest.
    """
    if not one.dimensions:
        return None
    by = {dimension.name: dimension for dimension in one.dimensions}
    if "district" in by:
        return _map(one, by["district"], figures, ground, say, chart_id)
    if one.dimensions[0].name == "flow":
        return _flow(one, by["flow"], figures, ground, say, chart_id)
    for name in _TOLD_BY_COLUMN:
        if name in by:
            return _bars(one, by[name], figures, say, chart_id)
    series = _series(one)
    if series is None or most:
        return _bars(one, one.dimensions[0], figures, say, chart_id, most)
    return _grouped(one, series, figures, say, chart_id)


def squares(
    tiles: Sequence[Square], names: Mapping[str, str], figures: _Figures
) -> list[charts.Tile]:
    """Give each district its figure."""
    return [
        charts.Tile(
            names[tile.code],
            tile.short,
            tile.province,
            tile.column,
            tile.row,
            figures.get(Cell([("district", tile.code)])),
        )
        for tile in tiles
    ]


def _series(one: Listed) -> Dimension | None:
    """Return by what the bars of a group are told apart, if there are few enough of them."""
    few = [each for each in one.dimensions[1:2] if len(_codes(each)) <= _MOST_SERIES]
    return few[0] if few else None


def _codes(dimension: Dimension) -> list[str]:
    return dimension.single


def _title(one: Listed, lines: Sequence[tuple[str, int | None]], say: Say) -> str:
    """Say what a picture shows, and what is most of it."""
    shown = [(figure, label) for label, figure in lines if figure is not None]
    if not shown:
        return say(one.title)
    figure, label = max(shown)
    return f"{say(one.title)}. {label}: {figure}"


def _totals(dimension: Dimension, figures: _Figures, say: Say) -> list[tuple[str, str, int | None]]:
    return [
        (code, word(dimension, code, say), figures.get(Cell([(dimension.name, code)])))
        for code in _codes(dimension)
    ]


def _bars(
    one: Listed,
    dimension: Dimension,
    figures: _Figures,
    say: Say,
    chart_id: str,
    most: int | None = None,
) -> Markup:
    rows = [(label, figure) for _, label, figure in _totals(dimension, figures, say)]
    if len(rows) > _MANY:
        rows = [row for row in rows if row[1] is not None] or rows[:_MANY]
    largest = sorted(rows, key=lambda row: row[1] or 0, reverse=True)[:most]
    # Whatever is drawn stands in the order of the table.
    drawn = [charts.Bar(label, figure) for label, figure in rows if (label, figure) in largest]
    return charts.bars(_title(one, rows, say), drawn, words(say, one.counts), chart_id)


def _grouped(one: Listed, series: Dimension, figures: _Figures, say: Say, chart_id: str) -> Markup:
    first = Listed(one.number, one.title, one.counts, (one.dimensions[0], series))
    [grid] = grids(first, figures, say)
    codes = _codes(series)
    lines: Sequence[Line] = [line for line in grid.lines if line.code in one.dimensions[0].single]
    groups = [charts.Group(line.label, line.figures[1 : len(codes) + 1]) for line in lines]
    named = [word(series, code, say) for code in codes]
    title = _title(one, [(line.label, line.figures[0]) for line in lines], say)
    return charts.grouped_bars(title, groups, named, words(say), chart_id)


def _flow(
    one: Listed, dimension: Dimension, figures: _Figures, ground: Ground, say: Say, chart_id: str
) -> Markup:
    rows = _totals(dimension, figures, say)
    flows = [charts.Flow(code, say(ROUTE_SHORT[code]), figure) for code, _, figure in rows]
    places = charts.Places(
        ground.name,
        say(N_("Recruited here")),
        say(N_("Recruited abroad")),
        say(N_("Not known")),
        say(N_("Exploited here")),
        say(N_("Abroad")),
    )
    title = _title(one, [(label, figure) for _, label, figure in rows], say)
    return charts.flow(title, flows, words(say), places, chart_id)


def _map(
    one: Listed, dimension: Dimension, figures: _Figures, ground: Ground, say: Say, chart_id: str
) -> Markup:
    rows = [
        (label, figure)
        for code, label, figure in _totals(dimension, figures, say)
        if code != UNKNOWN
    ]
    drawn = squares(ground.squares, dimension.words, figures)
    return charts.tiles(_title(one, rows, say), drawn, words(say), chart_id)
