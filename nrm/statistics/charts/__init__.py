"""Pictures of figures, drawn by the server as SVG: for a page, for print and for a PDF alike."""

from nrm.statistics.charts.bars import Bar, Group, bars, grouped_bars
from nrm.statistics.charts.flow import Flow, Places, flow, route_swatch
from nrm.statistics.charts.lines import Line, lines
from nrm.statistics.charts.svg import Words
from nrm.statistics.charts.tiles import Tile, class_edges, legend, tiles

__all__ = [
    "Bar",
    "Flow",
    "Group",
    "Line",
    "Places",
    "Tile",
    "Words",
    "bars",
    "class_edges",
    "flow",
    "grouped_bars",
    "legend",
    "lines",
    "route_swatch",
    "tiles",
]
