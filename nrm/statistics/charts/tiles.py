"""A map of equal squares, one for each district, so that small ones are read as well as large."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from nrm.statistics.charts.svg import (
    CLAY,
    SIZE_SMALL,
    TONES,
    Attribute,
    Tone,
    Words,
    breadth,
    caption,
    element,
    hidden,
    hidden_swatch,
    largest,
    number,
    picture,
    quarter,
    swatch,
)
from nrm.statistics.protection import THRESHOLD

_PITCH, _MARGIN, _GAP = 86, 2, 1
_SQUARE = _PITCH - 2 * _GAP
# A quarter under this would leave the first class without a figure in it.
_SMALLEST_QUARTER = 15


@dataclass(frozen=True)
class Tile:
    """One district: its names, where its square stands, its province, and its figure."""

    name: str
    short: str
    province: str
    column: int
    row: int
    figure: int | None


def class_edges(highest: int) -> tuple[int, int, int, int]:
    """Return where each of the four classes of figures begins, for figures up to this one."""
    step = max(quarter(highest), _SMALLEST_QUARTER)
    return THRESHOLD, step, 2 * step, 3 * step


def tiles(title: str, tiles: Sequence[Tile], words: Words, chart_id: str) -> Markup:
    """Draw the squares with their names and figures, and lines between provinces."""
    edges = class_edges(largest(tile.figure for tile in tiles))
    columns = 1 + max((tile.column for tile in tiles), default=0)
    rows = 1 + max((tile.row for tile in tiles), default=0)
    parts = [part for tile in tiles for part in _tile(tile, edges, words, chart_id)]
    borders = "".join(_borders(tiles))
    if borders:
        look: dict[str, Attribute] = {"stroke": CLAY, "stroke_width": 3, "stroke_linecap": "square"}
        parts.append(element("path", class_="nrm-svg-province", d=borders, fill="none", **look))
    size = columns * _PITCH + 2 * _MARGIN, rows * _PITCH + 2 * _MARGIN
    return picture(title, words, chart_id, size, parts, wide=True)


def legend(tiles: Sequence[Tile], words: Words) -> Markup:
    """Return the key to the tones of the squares, for below the map."""
    edges = class_edges(largest(tile.figure for tile in tiles))
    ranges = [f"{low}–{following - 1}" for low, following in pairwise(edges)]
    samples = [
        (hidden_swatch(), words.under_ten),
        *(
            (swatch(element("rect", x=1, y=1, width=24, height=14, rx=2, **_look(tone))), said)
            for tone, said in zip(TONES, [*ranges, f"{edges[-1]}+"], strict=True)
        ),
    ]
    return element(
        "ul", *(element("li", sample, said) for sample, said in samples), class_="nrm-legend"
    )


def _look(tone: Tone) -> dict[str, Attribute]:
    return {"class_": tone.name, "fill": tone.fill}


def _corner(column: int, row: int) -> tuple[float, float]:
    return _MARGIN + column * _PITCH, _MARGIN + row * _PITCH


def _tile(tile: Tile, edges: Sequence[int], words: Words, chart_id: str) -> Iterator[Markup]:
    x, y = _corner(tile.column, tile.row)
    place: dict[str, Attribute] = {
        "x": x + _GAP,
        "y": y + _GAP,
        "width": _SQUARE,
        "height": _SQUARE,
        "rx": 3,
    }
    letters: tuple[str, ...]
    if tile.figure is None:
        yield hidden("rect", chart_id, **place)
        said, letters = words.under_ten_short, ("halo",)
    else:
        tone = TONES[sum(tile.figure >= edge for edge in edges[1:])]
        yield element("rect", **place, **_look(tone))
        said, letters = str(tile.figure), tone.letters
    looks = ("middle", *letters)
    middle = x + _PITCH / 2
    fits = breadth(tile.name, SIZE_SMALL) <= _SQUARE
    yield caption(tile.name if fits else tile.short, middle, y + 28, "small", "desk", *looks)
    yield caption(tile.short, middle, y + 28, "phone", *looks)
    yield caption(said, middle, y + 58, "strong", *looks)


def _borders(tiles: Sequence[Tile]) -> Iterator[str]:
    """Give the lines between neighbours of different provinces."""
    provinces = {(tile.column, tile.row): tile.province for tile in tiles}
    for (column, row), province in provinces.items():
        x, y = _corner(column, row)
        if provinces.get((column + 1, row), province) != province:
            yield f"M{number(x + _PITCH)} {number(y)}v{_PITCH}"
        if provinces.get((column, row + 1), province) != province:
            yield f"M{number(x)} {number(y + _PITCH)}h{_PITCH}"
