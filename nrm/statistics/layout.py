"""A table as people read it: rows and columns in words, every margin beside what it is of.

Screens, files and the bulletin lay tables out by this, so that a figure stands in the same place
everywhere.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias

from nrm.domain.text import N_
from nrm.statistics.catalogue import Counts, Listed
from nrm.statistics.shares import share
from nrm.statistics.tables import ANSWERED, Cell, Dimension

TOTAL = N_("All")
ANY_OF_THESE = N_("Any of these known")

Say: TypeAlias = Callable[[str], str]
_Figures: TypeAlias = Mapping[Cell, int | None]


@dataclass(frozen=True)
class Line:
    """A row: its code and its words, its figures, and the share that its total is."""

    code: str
    label: str
    figures: Sequence[int | None]
    share: int | None = None


@dataclass(frozen=True)
class Grid:
    """Rows and columns; a table by three things has one for each code of the third."""

    # What the grid is of, where a table has several.
    of: str
    # What stands over the rows, and over each column.
    corner: str
    heads: Sequence[str]
    lines: Sequence[Line]
    # Codes of which every figure is under ten: named together under the table.
    hidden: Sequence[str]
    # Nothing where there is no whole to speak of.
    total: Line | None


def grids(one: Listed, figures: _Figures, say: Say) -> list[Grid]:
    """Lay a table out; `say` puts its words into the reader's language."""
    told = [_as_counted(dimension, figures) for dimension in one.dimensions]
    rows, columns, blocks = (*told, None, None, None)[:3]
    if blocks is None:
        grid = _grid(rows, columns, figures, say)
        return [_of_days(grid) if one.counts is Counts.DAYS else grid]
    return [
        _grid(rows, columns, figures, say, (blocks.name, code))
        for code in ("", *blocks.codes)
        if code != ANSWERED
    ]


def _as_counted(dimension: Dimension, figures: _Figures) -> Dimension:
    """Leave out a sum that a release from before does not have: that is not "under ten"."""
    missing = {code for code in dimension.sums if Cell([(dimension.name, code)]) not in figures}
    return replace(dimension, codes=[code for code in dimension.codes if code not in missing])


def _of_days(grid: Grid) -> Grid:
    """Leave out what there is no median of: the days of different steps together."""
    if len(grid.heads) == 1:
        return replace(grid, total=None)
    lines = [replace(line, figures=line.figures[1:], share=None) for line in grid.lines]
    total = grid.total and replace(grid.total, figures=grid.total.figures[1:])
    return replace(grid, heads=grid.heads[1:], lines=lines, total=total)


def word(dimension: Dimension, code: str, say: Say) -> str:
    """Say a code in words; a word that is no message of ours (a district) stays as it is."""
    if code == ANSWERED:
        return say(ANY_OF_THESE)
    return say(dimension.words[code])


def _grid(
    rows: Dimension | None,
    columns: Dimension | None,
    figures: _Figures,
    say: Say,
    block: tuple[str, str] | None = None,
) -> Grid:
    fixed = {block} if block and block[1] else set()
    total = _line("", say(TOTAL), columns, figures, fixed)
    lines = list(_lines(rows, columns, figures, fixed, say)) if rows else []
    shown = [line for line in lines if any(figure is not None for figure in line.figures)]
    return Grid(
        block[1] if block else "",
        say(rows.label) if rows else "",
        [say(TOTAL), *_heads(columns, say)],
        shown,
        [line.label for line in lines if line not in shown],
        total,
    )


def _heads(columns: Dimension | None, say: Say) -> list[str]:
    return [word(columns, code, say) for code in columns.codes] if columns else []


def _lines(
    rows: Dimension,
    columns: Dimension | None,
    figures: _Figures,
    fixed: set[tuple[str, str]],
    say: Say,
) -> Iterator[Line]:
    whole = {(rows.name, ANSWERED)} if ANSWERED in rows.codes else set()
    base = figures.get(Cell(fixed | whole))
    for code in rows.codes:
        line = _line(code, word(rows, code, say), columns, figures, fixed | {(rows.name, code)})
        of = None if code == ANSWERED else share(line.figures[0], base)
        yield Line(line.code, line.label, line.figures, of)


def _line(
    code: str,
    label: str,
    columns: Dimension | None,
    figures: _Figures,
    fixed: set[tuple[str, str]],
) -> Line:
    cells = [fixed]
    if columns:
        cells += [fixed | {(columns.name, of)} for of in columns.codes]
    return Line(code, label, [figures.get(Cell(cell)) for cell in cells])


def records(one: Listed, figures: _Figures) -> Iterator[dict[str, str | int | None]]:
    """Give every cell as one record: a code for each dimension, or nothing where it is all."""
    choices = [("", *dimension.codes) for dimension in one.dimensions]
    for codes in product(*choices):
        named = {
            dimension.name: code for dimension, code in zip(one.dimensions, codes, strict=True)
        }
        cell = Cell((name, code) for name, code in named.items() if code)
        if cell in figures:
            yield {**named, "figure": figures[cell]}
