"""Parts of every drawing: its frame, its letters, the hatch of what is hidden.

A drawing has the classes of the style sheet and the same looks as attributes, so that it is right
without a style sheet too, in a PDF; what a style sheet says wins. Everything is escaped here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from markupsafe import Markup, escape

# The colours of the style sheet, by the same names.
INK, INK_SOFT, WHITE, SAND = "#1c2b2d", "#4a5759", "#ffffff", "#f5efe4"
LAKE, LAKE_DEEP, LAKE_MID = "#14474d", "#0b3136", "#2f7a80"
CLAY, PLUM, LINE, LINE_STRONG, HATCH = "#a5441c", "#58376b", "#d8cdbb", "#756d5f", "#8d8476"

# The sizes of letters, in units of the drawing. On a phone a drawing shrinks and its letters grow,
# those of a wide one more; a drawing is laid out so that these have room.
SIZE, SIZE_SOFT, SIZE_SMALL = 15, 14, 13
SIZE_PHONE, SIZE_PHONE_WIDE = 23, 28
# From the foot of a line to its middle, and from line to line, as parts of the size of letters.
_TO_MIDDLE, _LINE_HEIGHT = 0.35, 1.13
_FONTS = (
    "-apple-system, Segoe UI, Roboto, Noto Sans, Helvetica Neue, Liberation Sans, Arial, sans-serif"
)

# How broad letters are, as parts of their size, roughly and rather too broad.
_NARROW, _WIDE = frozenset("fijlrtI .,:;'’()|!-"), frozenset("mwMW%&")
_BREADTH, _BREADTH_NARROW, _BREADTH_WIDE, _BREADTH_CAPITAL = 0.59, 0.34, 0.9, 0.73

# Steps that are easy to count in, and so are ten times as much and a hundred times. From fifteen on
# none is more than a third over the one before: so the fourth quarter is never empty.
_ROUND = (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 125)

Attribute: TypeAlias = str | float
# What each look of a text is without a style sheet; a style sheet calls it nrm-svg-text--….
_LOOKS: Mapping[str, Mapping[str, Attribute]] = {
    "soft": {"fill": INK_SOFT, "font_size": SIZE_SOFT},
    "small": {"font_size": SIZE_SMALL},
    "strong": {"font_weight": 700},
    "middle": {"text_anchor": "middle"},
    "end": {"text_anchor": "end"},
    "on-dark": {"fill": WHITE},
    "halo": {
        "stroke": WHITE,
        "stroke_width": 4,
        "stroke_linejoin": "round",
        "paint_order": "stroke",
    },
    # One of these two is shown, by the width of the screen; on paper it is the first.
    "desk": {},
    "phone": {"display": "none"},
}


@dataclass(frozen=True)
class Words:
    """What every picture says besides its own title and labels, in the reader's language."""

    # "under 10", beside a hatch; and in short, on a small square: "< 10".
    under_ten: str
    under_ten_short: str
    # "The table after this picture has the same figures": for who hears the page.
    same_in_table: str

    def said(self, figure: int | None) -> str:
        """Say a figure, or that it is hidden."""
        return self.under_ten if figure is None else str(figure)


@dataclass(frozen=True)
class Tone:
    """One of four steps from light to dark, with the look of letters that can be read on it."""

    # The class by which a style sheet knows it.
    name: str
    fill: str
    letters: tuple[str, ...] = ()


TONES = (
    Tone("nrm-svg-c1", "#d5e7e5"),
    Tone("nrm-svg-c2", "#8fc0c0"),
    Tone("nrm-svg-c3", LAKE_MID, ("on-dark",)),
    Tone("nrm-svg-c4", LAKE_DEEP, ("on-dark",)),
)


def element(tag: str, *content: str, **attributes: Attribute) -> Markup:
    """Return an element; `font_size` stands for `font-size`, and `class_` for `class`."""
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_said(value))}"'
        for name, value in attributes.items()
    )
    inside = "".join(escape(part) for part in content)
    whole = f"<{tag}{said}>{inside}</{tag}>" if inside else f"<{tag}{said}/>"
    return Markup(whole)  # noqa: S704 – all that came from outside was escaped above.


def _said(value: Attribute) -> str:
    return value if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """Write a length: a tenth of a unit is fine enough to draw with, and the same everywhere."""
    return f"{value:.1f}".removesuffix(".0")


def picture(
    title: str,
    words: Words,
    chart_id: str,
    size: tuple[float, float],
    content: Iterable[str],
    *,
    wide: bool = False,
) -> Markup:
    """Frame a drawing; every id in it begins with its own."""
    width, height = size
    return element(
        "svg",
        element("title", title, id=f"{chart_id}-title"),
        element("desc", words.same_in_table, id=f"{chart_id}-desc"),
        element("defs", _hatch(chart_id)),
        *content,
        xmlns="http://www.w3.org/2000/svg",
        class_="nrm-svg nrm-svg--wide" if wide else "nrm-svg",
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_labelledby=f"{chart_id}-title {chart_id}-desc",
        fill=INK,
        font_family=_FONTS,
        font_size=SIZE,
    )


def _hatch(chart_id: str) -> Markup:
    return element(
        "pattern",
        element("rect", class_="nrm-svg-hatch-bg", width=7, height=7, fill=WHITE),
        element("path", class_="nrm-svg-hatch", d="M1 0v7", stroke=HATCH, stroke_width=1.2),
        id=f"{chart_id}-hatch",
        width=7,
        height=7,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )


def hidden(tag: str, chart_id: str, **attributes: Attribute) -> Markup:
    """Return a hatched shape, for a figure that is not shown."""
    return element(
        tag,
        class_="nrm-svg-hidden",
        **attributes,
        fill=f"url(#{chart_id}-hatch)",
        stroke=LINE_STRONG,
        stroke_width=1,
    )


def caption(words: str, x: float, y: float, *looks: str) -> Markup:
    """Write a line whose middle is at this height, whatever the size of its letters."""
    return paragraph([words], x, y, *looks)


def paragraph(lines: Sequence[str], x: float, y: float, *looks: str, up: bool = False) -> Markup:
    """Write lines: the first has its middle at this height, or with `up` the last one has."""
    attributes: dict[str, Attribute] = {}
    for look in looks:
        attributes |= _LOOKS[look]
    names = ["nrm-svg-text", *(f"nrm-svg-text--{look}" for look in looks)]
    first, *others = lines
    begin = _TO_MIDDLE - (len(others) * _LINE_HEIGHT if up else 0)
    following = (element("tspan", words, x=x, dy=f"{_LINE_HEIGHT}em") for words in others)
    place: dict[str, Attribute] = {"x": x, "y": y, "dy": f"{begin:.2f}em"}
    return element("text", first, *following, class_=" ".join(names), **place, **attributes)


def breadth(words: str, size: float) -> float:
    """Guess how broad a line of letters will be, in units of the drawing."""
    return size * sum(_breadth(letter) for letter in words)


def _breadth(letter: str) -> float:
    if letter in _NARROW:
        return _BREADTH_NARROW
    if letter in _WIDE:
        return _BREADTH_WIDE
    return _BREADTH_CAPITAL if letter.isupper() else _BREADTH


def wrapped(words: str, room: float, size: float) -> list[str]:
    """Break a text into lines that have room; a single word is never broken."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and breadth(longer, size) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def swatch(*shapes: str) -> Markup:
    """Return a small sample for a key or a table; the words beside it say what it is."""
    return element(
        "svg",
        *shapes,
        xmlns="http://www.w3.org/2000/svg",
        class_="nrm-swatch",
        viewBox="0 0 26 16",
        width=26,
        height=16,
        aria_hidden="true",
        focusable="false",
    )


def hidden_swatch() -> Markup:
    """Return a sample of the hatch, with lines of its own: a key may be repeated on a page."""
    lines = "M1 8L8 1M1 15L15 1M8 15L22 1M15 15L25 5M22 15L25 12"
    return swatch(
        element("rect", x=1, y=1, width=24, height=14, rx=2, fill=WHITE, stroke=LINE_STRONG),
        element("path", class_="nrm-svg-hatch", d=lines, stroke=HATCH, stroke_width=1.2),
    )


def quarter(highest: int) -> int:
    """Return the smallest round number of which four reach as far as this one; five at least."""
    power = 1
    while True:
        for one in _ROUND:
            if 4 * one * power >= highest:
                return one * power
        power *= 10


def largest(figures: Iterable[int | None]) -> int:
    """Return the largest figure that is shown; nothing where all are hidden."""
    return max((figure for figure in figures if figure is not None), default=0)
