"""The attack that every release has to withstand: what simple arithmetic proves of few persons.

Every published figure allows a range of true counts. What a table adds up to, its rows and columns
and its total, must fit together, and narrows the ranges, round by round. Whatever is left with one
possible count is proved. Codes that lie in wider ones, as a district in its province, must fit
together as well. It is bound propagation and no integer programming: a stronger attacker
may tighten some ranges further.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import TypeAlias

from nrm.statistics.protection import FARTHEST, LARGEST_NOISE, THRESHOLD
from nrm.statistics.tables import Cell, Dimension

# The largest count that can be hidden: noise takes four, and nine is rounded down.
_LARGEST_HIDDEN = THRESHOLD - 1 + LARGEST_NOISE
_ROUNDS = 40
_YES, _NO = "yes", "no"
_SMALL = THRESHOLD
# A larger group that shares something is no secret about anybody in it.
_GROUP = 50
_UNBOUNDED = 1 << 40

# The smallest and the largest count that a figure allows.
Range: TypeAlias = tuple[int, int]
# A cell, and those that add up to it.
Sum: TypeAlias = tuple[Cell, Sequence[Cell]]
Reading: TypeAlias = Callable[[int | None], Range]
# How many there are at least, as is known from elsewhere.
AtLeast: TypeAlias = Mapping[Cell, int]
NOTHING_MORE: AtLeast = MappingProxyType({})


def allowed(figure: int | None) -> Range:
    """Return which counts a published figure allows, to somebody who knows all our rules."""
    if figure is None:
        return 0, _LARGEST_HIDDEN
    return max(0, figure - FARTHEST), figure + FARTHEST


@dataclass(frozen=True)
class Proved:
    """What the attack could prove: persons, cells, groups."""

    # Cells that are proved to hold exactly one person.
    isolated: int
    # Cells proved to hold an exact number from one to nine.
    small_exact: int
    # Groups of fewer than fifty of which it is proved that all share something.
    group: int
    # The cells that were proved, of any kind; of a group, the cell in which all of it lies.
    cells: frozenset[Cell]

    def __add__(self, other: "Proved") -> "Proved":
        """Put together what was proved in two kinds of figures."""
        return Proved(
            self.isolated + other.isolated,
            self.small_exact + other.small_exact,
            self.group + other.group,
            self.cells | other.cells,
        )

    def __bool__(self) -> bool:
        """Say whether anything was proved."""
        return bool(self.isolated or self.small_exact or self.group)


def attack(
    figures: Mapping[Cell, int | None],
    dimensions: Iterable[Dimension],
    reading: Reading = allowed,
    at_least: AtLeast = NOTHING_MORE,
) -> Proved:
    """Attack figures with themselves, the rules by which they were made, and what is known."""
    return proved_by(*narrowed(figures, dimensions, reading, at_least))


def proved_by(ranges: Mapping[Cell, Range], sums: Iterable[Sum]) -> Proved:
    """Say what ranges prove that are as narrow as they become."""
    small = {cell: low for cell, (low, high) in ranges.items() if low == high and 1 <= low < _SMALL}
    groups = [only for parent, children in sums if (only := _only(ranges, parent, children))]
    return Proved(
        isolated=sum(1 for count in small.values() if count == 1),
        small_exact=len(small),
        group=len(groups),
        cells=frozenset(small) | frozenset(groups),
    )


def narrowed(
    figures: Mapping[Cell, int | None],
    dimensions: Iterable[Dimension],
    reading: Reading = allowed,
    at_least: AtLeast = NOTHING_MORE,
) -> tuple[dict[Cell, Range], list[Sum]]:
    """Narrow what each figure allows by all that it adds up with; returns the sums as well."""
    known = {dimension.name: dimension for dimension in dimensions}
    several = {name for name, dimension in known.items() if dimension.several}
    ranges = _ranges(figures, several, reading)
    for cell, least in at_least.items():
        if cell in figures and known.keys() >= {name for name, _ in cell}:
            told = frozenset(_answer(known[name], code) for name, code in cell)
            low, high = ranges[told]
            ranges[told] = max(low, least), high
    sums = [*_sums(ranges), *_nested(ranges, known)]
    for _ in range(_ROUNDS):
        if not _narrow(ranges, sums):
            break
    return ranges, sums


def _ranges(
    figures: Mapping[Cell, int | None], several: set[str], reading: Reading
) -> dict[Cell, Range]:
    """Say of every cell which counts its figure allows.

    Of a thing of which a record can have several, each code is a question of its own, answered
    yes or no: who did not answer yes is a cell too, although nothing was published of it.
    """
    ranges: dict[Cell, Range] = {}
    for cell, figure in figures.items():
        asked = sorted((f"{name}={code}", name, code) for name, code in cell if name in several)
        plain = [(name, code) for name, code in cell if name not in several]
        for answers in product((_YES, _NO), repeat=len(asked)):
            answered = zip((question for question, _, _ in asked), answers, strict=True)
            expanded = frozenset([*plain, *answered])
            if _NO in answers:
                ranges.setdefault(expanded, (0, _UNBOUNDED))
            else:
                ranges[expanded] = reading(figure)
    return ranges


def _sums(ranges: Mapping[Cell, Range]) -> list[Sum]:
    """Find which cells add up to which."""
    parts: dict[tuple[Cell, str], list[Cell]] = {}
    for cell in ranges:
        for name, code in cell:
            parts.setdefault((cell - {(name, code)}, name), []).append(cell)
    return [(parent, children) for (parent, _), children in parts.items() if parent in ranges]


def _nested(ranges: dict[Cell, Range], dimensions: Mapping[str, Dimension]) -> list[Sum]:
    """Find which cells lie in wider ones.

    Parts, like districts, add up to it. Of several codes at once, each leaves a rest of its own.
    """
    lies_in = {
        _answer(dimension, code): (dimension, code, _answer(dimensions[name], wider))
        for dimension in dimensions.values()
        for code, (name, wider) in dimension.wider().items()
        if name in dimensions
    }
    parts: dict[tuple[Cell, str], list[Cell]] = {}
    for cell in list(ranges):
        for answer in cell & lies_in.keys():
            dimension, code, wider = lies_in[answer]
            others = cell - {answer}
            parent = others | {wider}
            # A cell of a district and a province is none of the parts.
            if parent not in ranges or wider[0] in {name for name, _ in others}:
                continue
            if dimension.several:
                rest = parent | {(f"{dimension.name}={code}", _NO)}
                ranges.setdefault(rest, (0, _UNBOUNDED))
                parts[parent, f"{dimension.name}={code}"] = [cell, rest]
            else:
                parts.setdefault((parent, dimension.name), []).append(cell)
    return [(parent, children) for (parent, _), children in parts.items()]


def _answer(dimension: Dimension, code: str) -> tuple[str, str]:
    """Write a code of a cell as the ranges know it."""
    return (f"{dimension.name}={code}", _YES) if dimension.several else (dimension.name, code)


def _narrow(ranges: dict[Cell, Range], sums: Iterable[Sum]) -> bool:
    """Narrow every range by what it adds up with; says whether anything became narrower."""
    changed = False
    for parent, children in sums:
        lows = sum(ranges[one][0] for one in children)
        highs = sum(ranges[one][1] for one in children)
        low, high = ranges[parent]
        narrowed = max(low, lows), min(high, highs)
        changed |= _set(ranges, parent, narrowed)
        low, high = ranges[parent]
        # What is left over beyond all lows, and below all highs: a range no wider stays as it is.
        over, under = high - lows, highs - low
        for child in children:
            least, most = ranges[child]
            if most - least > min(over, under):
                changed |= _set(ranges, child, (max(least, most - under), min(most, least + over)))
    return changed


def _set(ranges: dict[Cell, Range], cell: Cell, narrowed: Range) -> bool:
    if narrowed == ranges[cell] or narrowed[0] > narrowed[1]:
        return False
    ranges[cell] = narrowed
    return True


def _only(ranges: Mapping[Cell, Range], parent: Cell, children: Sequence[Cell]) -> Cell | None:
    """Return the one cell in which it is proved that all of a small group lie."""
    low, high = ranges[parent]
    if low < 1 or high >= _GROUP or len(children) == 1:
        return None
    possible = [child for child in children if ranges[child][1] > 0]
    return possible[0] if len(possible) == 1 else None
