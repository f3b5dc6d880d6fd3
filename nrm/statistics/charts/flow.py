"""The routes: where people were recruited, and where they were exploited or being taken.

Ends of ribbons are not added up: every figure is noised and rounded on its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from markupsafe import Markup

from nrm.statistics.charts.svg import (
    CLAY,
    LAKE,
    LAKE_DEEP,
    LAKE_MID,
    LINE_STRONG,
    PLUM,
    SAND,
    SIZE_PHONE_WIDE,
    WHITE,
    Attribute,
    Words,
    caption,
    element,
    hidden,
    hidden_swatch,
    number,
    paragraph,
    picture,
    swatch,
    wrapped,
)

_WIDTH, _NODE = 600, 12
_MIDDLE, _HOME = _WIDTH / 2, 140
# How much all shown ribbons are broad together, and how broad one is whose figure is hidden.
_BREADTH = 340
_HIDDEN = 16
# A ribbon that is narrower than its label keeps the room of the label.
_SLOT, _LINE = 36, 32
_BETWEEN, _GAP = 4, 18
_MOST_HEADING = 290


class _End(Enum):
    HERE = auto()
    ABROAD = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class _Route:
    start: _End
    goal: _End
    fill: str


# By their codes in the vocabulary. Of an unknown route it is known only that it came here.
_ROUTES: Mapping[str, _Route] = {
    "internal": _Route(_End.HERE, _End.HERE, LAKE),
    "outbound": _Route(_End.HERE, _End.ABROAD, CLAY),
    "inbound": _Route(_End.ABROAD, _End.HERE, LAKE_MID),
    "transit": _Route(_End.ABROAD, _End.ABROAD, PLUM),
    "unknown": _Route(_End.UNKNOWN, _End.UNKNOWN, LINE_STRONG),
}
ROUTES = tuple(_ROUTES)


@dataclass(frozen=True)
class Flow:
    """One route by its code, with its name and its figure."""

    route: str
    label: str
    figure: int | None


@dataclass(frozen=True)
class Places:
    """What the country and the ends of the ribbons are called."""

    country: str
    recruited_here: str
    recruited_abroad: str
    unknown: str
    exploited_here: str
    exploited_abroad: str


@dataclass(frozen=True)
class _Side:
    """Where on one side everything stands, counted from the top."""

    # The middle of each ribbon, by its route.
    middles: Mapping[str, float]
    # From where to where what belongs together is held together.
    nodes: Sequence[tuple[float, float]]
    # The headings, in lines, each by the height of its last line.
    headings: Sequence[tuple[float, Sequence[str]]]
    bottom: float


def flow(title: str, flows: Sequence[Flow], words: Words, places: Places, chart_id: str) -> Markup:
    """Draw each route as a ribbon as broad as its figure, with the country in the middle."""
    drawn = sorted(flows, key=lambda one: ROUTES.index(one.route))
    total = sum(one.figure or 0 for one in drawn)
    breadths = {
        one.route: _HIDDEN if one.figure is None else _BREADTH * one.figure / (total or 1)
        for one in drawn
    }
    left, right = _left(breadths, places), _right(breadths, places)
    bottom = max(left.bottom, right.bottom)
    parts = [
        _home(bottom),
        caption(places.country, _MIDDLE, _LINE / 2, "strong", "middle"),
        *(_ribbon(one, breadths[one.route], left, right, chart_id) for one in drawn),
        *_edge(left, 0, 0),
        *_edge(right, _WIDTH - _NODE, _WIDTH, "end"),
    ]
    parts += [
        caption(
            f"{one.label} {words.said(one.figure)}",
            _NODE + 10,
            left.middles[one.route],
            "strong",
            "halo",
        )
        for one in drawn
    ]
    return picture(title, words, chart_id, (_WIDTH, bottom + _GAP), parts, wide=True)


def route_swatch(flow: Flow) -> Markup:
    """Return a sample of a ribbon, for the row of the table that says the same."""
    if flow.figure is None:
        return hidden_swatch()
    return swatch(element("rect", x=1, y=1, width=24, height=14, rx=2, **_look(flow.route)))


def _look(route: str) -> dict[str, Attribute]:
    kind = f"nrm-svg-flow nrm-svg-flow--{route}"
    return {"class_": kind, "fill": _ROUTES[route].fill, "fill_opacity": 0.8}


def _left(breadths: Mapping[str, float], places: Places) -> _Side:
    """Stack the ribbons by where they begin; none has less room than its label needs."""
    headings = {
        _End.HERE: places.recruited_here,
        _End.ABROAD: places.recruited_abroad,
        _End.UNKNOWN: places.unknown,
    }
    rooms = {route: max(breadth, _SLOT) for route, breadth in breadths.items()}
    return _side(headings, {route: _ROUTES[route].start for route in rooms}, rooms)


def _right(breadths: Mapping[str, float], places: Places) -> _Side:
    """Stack the ribbons by where they end."""
    headings = {_End.HERE: places.exploited_here, _End.ABROAD: places.exploited_abroad}
    return _side(headings, {route: _ROUTES[route].goal for route in breadths}, breadths)


def _side(
    headings: Mapping[_End, str], ends: Mapping[str, _End], rooms: Mapping[str, float]
) -> _Side:
    middles: dict[str, float] = {}
    nodes, headed = [], []
    y: float = _LINE + _GAP / 2
    for end, heading in headings.items():
        routes = [route for route in ends if ends[route] is end]
        if not routes:
            continue
        lines = wrapped(heading, _MOST_HEADING, SIZE_PHONE_WIDE)
        y += len(lines) * _LINE
        headed.append((y - _LINE / 2, lines))
        y += _BETWEEN
        top = y
        for route in routes:
            middles[route] = y + rooms[route] / 2
            y += rooms[route] + _BETWEEN
        nodes.append((top, y - _BETWEEN))
        y += _GAP
    return _Side(middles, nodes, headed, y - _GAP)


def _home(bottom: float) -> Markup:
    return element(
        "rect",
        class_="nrm-svg-home",
        x=_MIDDLE - _HOME / 2,
        y=_LINE,
        width=_HOME,
        height=bottom - _LINE + _GAP - 1,
        rx=10,
        fill=SAND,
        stroke=LINE_STRONG,
        stroke_width=1,
        stroke_dasharray="4 4",
    )


def _ribbon(flow: Flow, breadth: float, left: _Side, right: _Side, chart_id: str) -> Markup:
    begin, middle, end = _NODE, _MIDDLE, float(_WIDTH - _NODE)
    start = left.middles[flow.route]
    goal = right.middles.get(flow.route)
    if goal is None:
        # Nothing is said of where it went on, so it ends in the country.
        goal, middle, end = start, (begin + _MIDDLE) / 2, _MIDDLE
    upper, lower = number(start - breadth / 2), number(start + breadth / 2)
    far_upper, far_lower = number(goal - breadth / 2), number(goal + breadth / 2)
    m = number(middle)
    path = (
        f"M{begin} {upper}C{m} {upper} {m} {far_upper} {number(end)} {far_upper}"
        f"V{far_lower}C{m} {far_lower} {m} {lower} {begin} {lower}Z"
    )
    if flow.figure is None:
        return hidden("path", chart_id, d=path)
    # Where ribbons cross, a white edge keeps them apart.
    return element("path", d=path, **_look(flow.route), stroke=WHITE, stroke_width=1.5)


def _edge(side: _Side, x: float, heading_x: float, *looks: str) -> Iterator[Markup]:
    for top, bottom in side.nodes:
        yield element(
            "rect",
            class_="nrm-svg-node",
            x=x,
            y=top,
            width=_NODE,
            height=bottom - top,
            rx=2,
            fill=LAKE_DEEP,
        )
    for y, lines in side.headings:
        yield paragraph(lines, heading_x, y, "strong", "halo", *looks, up=True)
