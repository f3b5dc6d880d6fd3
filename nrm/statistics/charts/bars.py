"""Bars: how much of each, side by side from zero; of two things at once, in groups."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nrm.statistics.charts.svg import (
    LAKE_DEEP,
    LAKE_MID,
    SIZE_PHONE,
    TONES,
    Attribute,
    Words,
    breadth,
    element,
    hidden,
    paragraph,
    picture,
    wrapped,
)

MOST_SERIES = len(TONES)
_WIDTH = 480
# All bars begin here, a little inside, so that their edge is not cut.
_ZERO = 1
_LONGEST = 400
_THICK = 20
# How long a hidden figure is drawn, whatever it is and whatever stands beside it.
_STUB = 50
_LINE, _GAP = 26, 16
# What is said at the end of a bar keeps a distance from it, and is wrapped at this breadth.
_BESIDE = 9
_MOST_SAID = 320


@dataclass(frozen=True)
class Bar:
    """One bar: what it counts, and its figure."""

    label: str
    figure: int | None


@dataclass(frozen=True)
class Group:
    """Bars that belong together: one figure for each series, in the order of the series."""

    label: str
    figures: Sequence[int | None]


@dataclass(frozen=True)
class _Row:
    figure: int | None
    # What is said at its end, in lines, and how that looks.
    said: Sequence[str]
    looks: tuple[str, ...]
    # How the bar itself looks.
    bar: dict[str, Attribute]


def bars(title: str, bars: Sequence[Bar], words: Words, chart_id: str) -> Markup:
    """Draw one bar below the other, each with its label above and its figure at the end."""
    blocks = [
        (
            bar.label,
            [
                _Row(
                    bar.figure,
                    [words.said(bar.figure)],
                    ("soft",) if bar.figure is None else ("strong",),
                    {"class_": "nrm-svg-bar", "fill": LAKE_MID},
                )
            ],
        )
        for bar in bars
    ]
    return _picture(title, blocks, words, chart_id)


def grouped_bars(
    title: str, groups: Sequence[Group], series: Sequence[str], words: Words, chart_id: str
) -> Markup:
    """Draw groups of bars; each bar names its series, so that the tones are no code to learn."""
    if len(series) > MOST_SERIES:
        raise ValueError(f"{len(series)} series cannot be told apart; {MOST_SERIES} can")
    blocks = [
        (
            group.label,
            [
                _grouped(f"{name} {words.said(figure)}", figure, place)
                for place, (name, figure) in enumerate(zip(series, group.figures, strict=True))
            ],
        )
        for group in groups
    ]
    return _picture(title, blocks, words, chart_id, "strong")


def _grouped(said: str, figure: int | None, place: int) -> _Row:
    tone = TONES[-1 - place]
    # The light tones stand out from the paper by their edge.
    look: dict[str, Attribute] = {"fill": tone.fill, "stroke": LAKE_DEEP, "stroke_width": 1}
    return _Row(
        figure,
        wrapped(said, _MOST_SAID, SIZE_PHONE),
        ("soft",) if figure is None else (),
        {"class_": f"nrm-svg-bar {tone.name}", **look},
    )


def _picture(
    title: str,
    blocks: Sequence[tuple[str, Sequence[_Row]]],
    words: Words,
    chart_id: str,
    *label_looks: str,
) -> Markup:
    unit = _unit([row for _, rows in blocks for row in rows])
    parts: list[Markup] = []
    y = 0.0
    for label, rows in blocks:
        lines = wrapped(label, _WIDTH, SIZE_PHONE)
        y += len(lines) * _LINE
        parts.append(paragraph(lines, 0, y - _LINE / 2, *label_looks, up=True))
        for row in rows:
            parts += _row(row, y, unit, chart_id)
            y += len(row.said) * _LINE
        y += _GAP
    return picture(title, words, chart_id, (_WIDTH, max(y - _GAP, _LINE)), parts)


def _unit(rows: Sequence[_Row]) -> float:
    """Return how long one person is drawn: so that the longest bar, with its words, just fits."""
    units = [min(_LONGEST, _room(row.said)) / row.figure for row in rows if row.figure]
    return min(units, default=0)


def _room(said: Sequence[str]) -> float:
    """Return how much of the width is left for a bar beside these words."""
    broadest = max(breadth(line, SIZE_PHONE) for line in said)
    return max(_WIDTH - _ZERO - _BESIDE - broadest, _STUB)


def _row(row: _Row, y: float, unit: float, chart_id: str) -> list[Markup]:
    place = {"x": _ZERO, "y": y + (_LINE - _THICK) / 2, "height": _THICK, "rx": 2}
    if row.figure is None:
        length: float = _STUB
        bar = hidden("rect", chart_id, width=length, **place)
    else:
        length = row.figure * unit
        bar = element("rect", width=length, **place, **row.bar)
    return [bar, paragraph(row.said, _ZERO + length + _BESIDE, y + _LINE / 2, *row.looks)]
