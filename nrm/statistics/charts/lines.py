"""Lines: how figures went from release to release, each line named at its end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nrm.statistics.charts.svg import (
    CLAY,
    LAKE,
    LINE,
    LINE_STRONG,
    PLUM,
    SIZE_PHONE,
    WHITE,
    Attribute,
    Words,
    breadth,
    caption,
    element,
    hidden,
    largest,
    number,
    paragraph,
    picture,
    quarter,
    wrapped,
)

_WIDTH, _HEIGHT = 480, 424
_TOP, _BOTTOM = 14, 376
# How far letters stay from what they belong to.
_BESIDE = 12
# How high a line of letters is on a phone, and how much broader bold ones are.
_LETTERS, _BOLD = 25, 1.06
# How broad a name may be before it is wrapped.
_MOST_NAME = 150
# How large the mark of a hidden figure is, and how long the sample beside a name.
_MARK, _SAMPLE = 12, 30


@dataclass(frozen=True)
class _Look:
    """What tells a line from another: its dashes as well as its colour."""

    kind: str
    stroke: str
    dashes: str

    def line(self, path: str) -> Markup:
        """Draw along a path."""
        return element(
            "path",
            class_=f"nrm-svg-line nrm-svg-line--{self.kind}",
            d=path,
            fill="none",
            stroke=self.stroke,
            stroke_width=3,
            stroke_dasharray=self.dashes,
        )

    def dot(self, x: float, y: float) -> Markup:
        """Mark a figure."""
        return element(
            "circle",
            class_=f"nrm-svg-dot nrm-svg-dot--{self.kind}",
            cx=x,
            cy=y,
            r=4.5,
            fill=WHITE,
            stroke=self.stroke,
            stroke_width=3,
        )


_LOOKS = (_Look("one", LAKE, "none"), _Look("two", CLAY, "7 5"), _Look("three", PLUM, "2 4"))
MOST_LINES = len(_LOOKS)


@dataclass(frozen=True)
class Line:
    """One line: its name, and a figure for each release, from the oldest to the newest."""

    name: str
    figures: Sequence[int | None]


@dataclass(frozen=True)
class _Plane:
    """Where in the drawing a release and a figure are."""

    left: float
    right: float
    points: int
    step: int

    def x(self, place: int) -> float:
        """Return where a release stands; a single one stands in the middle."""
        if self.points == 1:
            return (self.left + self.right) / 2
        return self.left + (self.right - self.left) * place / (self.points - 1)

    def y(self, figure: int) -> float:
        """Return how high a figure stands, counted from the top; zero is at the bottom."""
        return _BOTTOM - (_BOTTOM - _TOP) * figure / (4 * self.step)


@dataclass(frozen=True)
class _End:
    """What stands at the end of a line: its name, its last figure, and a sample of it."""

    name: Sequence[str]
    said: str
    look: _Look

    @property
    def breadth(self) -> float:
        """Return how broad it is on a phone, with bold letters."""
        said = _SAMPLE + _BESIDE / 2 + breadth(self.said, SIZE_PHONE)
        return max(said, *(_BOLD * breadth(line, SIZE_PHONE) for line in self.name))

    @property
    def height(self) -> float:
        """Return how high it is."""
        return (len(self.name) + 1) * _LETTERS


def lines(
    title: str, points: Sequence[str], series: Sequence[Line], words: Words, chart_id: str
) -> Markup:
    """Draw at most three lines over releases; a hidden figure is a gap, with a hatch below it."""
    if len(series) > MOST_LINES:
        raise ValueError(f"{len(series)} lines cannot be told apart; {MOST_LINES} can")
    figures = [figure for line in series for figure in line.figures]
    ends = [
        _End(wrapped(line.name, _MOST_NAME, SIZE_PHONE), words.said(line.figures[-1]), look)
        for line, look in zip(series, _LOOKS, strict=False)
    ]
    plane = _plane(points, ends, quarter(largest(figures)))
    parts = [*_grid(plane), *_releases(plane, points), *_hidden(plane, points, series, chart_id)]
    for line, end in zip(series, ends, strict=True):
        parts += _line(plane, line, end.look)
    heights = [plane.y(line.figures[-1] or 0) for line in series]
    x = plane.x(len(points) - 1) + _BESIDE
    for end, top in zip(ends, _apart(ends, heights), strict=True):
        parts += _name(end, x, top)
    return picture(title, words, chart_id, (_WIDTH, _HEIGHT), parts)


def _plane(points: Sequence[str], ends: Sequence[_End], step: int) -> _Plane:
    """Leave room for the scale at the left, the names at the right, and the outer releases."""
    names = max((end.breadth for end in ends), default=0) + _BESIDE
    scale = breadth(str(4 * step), SIZE_PHONE) + 2 * _BESIDE
    first, last = (breadth(points[place], SIZE_PHONE) / 2 for place in (0, -1))
    return _Plane(max(scale, first), _WIDTH - max(names, last), len(points), step)


def _grid(plane: _Plane) -> Iterator[Markup]:
    begin, end = number(plane.left - _BESIDE), number(plane.right + _BESIDE / 2)
    for place in range(5):
        figure = place * plane.step
        y = plane.y(figure)
        look: dict[str, Attribute] = (
            {"class_": "nrm-svg-grid", "stroke": LINE, "stroke_width": 1}
            if place
            else {"class_": "nrm-svg-axis", "stroke": LINE_STRONG, "stroke_width": 1.5}
        )
        yield element("path", d=f"M{begin} {number(y)}H{end}", fill="none", **look)
        yield caption(str(figure), plane.left - 1.5 * _BESIDE, y, "soft", "end")


def _releases(plane: _Plane, points: Sequence[str]) -> Iterator[Markup]:
    """Name as many releases as have room: the first, the last, and some evenly between."""
    broadest = max((breadth(point, SIZE_PHONE) for point in points), default=0) + _BESIDE
    last = len(points) - 1
    room = max(1, int((plane.right - plane.left) / broadest)) if broadest else 1
    every = next((one for one in range(1, last) if last % one == 0 and last / one <= room), last)
    for place in range(0, len(points), max(every, 1)):
        yield caption(points[place], plane.x(place), _HEIGHT - 16, "soft", "middle")


def _hidden(
    plane: _Plane, points: Sequence[str], series: Sequence[Line], chart_id: str
) -> Iterator[Markup]:
    """Mark on the ground line where something is hidden, always in the same size."""
    releases = zip(points, *(line.figures for line in series), strict=True)
    for place, (_, *figures) in enumerate(releases):
        if None in figures:
            x = plane.x(place) - _MARK / 2
            y = _BOTTOM - _MARK
            yield hidden("rect", chart_id, x=x, y=y, width=_MARK, height=_MARK, rx=2)


def _line(plane: _Plane, line: Line, look: _Look) -> Iterator[Markup]:
    shown = {
        place: (plane.x(place), plane.y(figure))
        for place, figure in enumerate(line.figures)
        if figure is not None
    }
    path = "".join(
        f"{'L' if place - 1 in shown else 'M'}{number(x)} {number(y)}"
        for place, (x, y) in shown.items()
    )
    if path:
        yield look.line(path)
    for x, y in shown.values():
        yield look.dot(x, y)


def _name(end: _End, x: float, top: float) -> Iterator[Markup]:
    """Name a line, and show beside its last figure what the line looks like."""
    y = top + (len(end.name) + 0.5) * _LETTERS
    yield paragraph(end.name, x, y - _LETTERS, "strong", "halo", up=True)
    yield end.look.line(f"M{number(x)} {number(y)}h{_SAMPLE}")
    yield end.look.dot(x + _SAMPLE / 2, y)
    yield caption(end.said, x + _SAMPLE + _BESIDE / 2, y, "halo")


def _apart(ends: Sequence[_End], heights: Sequence[float]) -> list[float]:
    """Place names beside the ends of their lines, in the same order and none upon another."""
    order = sorted(range(len(ends)), key=heights.__getitem__)
    tops = [0.0] * len(ends)
    free = 0.0
    for one in order:
        tops[one] = max(free, heights[one] - ends[one].height / 2)
        free = tops[one] + ends[one].height
    free = _BOTTOM
    for one in reversed(order):
        tops[one] = min(tops[one], free - ends[one].height)
        free = tops[one]
    return tops
