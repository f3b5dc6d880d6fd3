"""Tables of counts: what is counted by what, and all their margins, each a cell of its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any, TypeAlias

from nrm.statistics.protection import Protection

UNKNOWN = "unknown"
# Stands among the codes of a thing of which a record can have several: any of them, but unknown.
ANSWERED = "answered"
MOST_DIMENSIONS = 2
# The widest tables there may be are named one by one.
MOST_WIDE_TABLES, WIDE = 5, 3

# What a cell is of: a code for each dimension that it names; a total names none.
Cell: TypeAlias = frozenset[tuple[str, str]]
# What is known of one case, or of one counted act: a code for each dimension, or several.
Record: TypeAlias = Mapping[str, Any]


class CatalogueError(Exception):
    """The catalogue declares what must not be published; the message says what."""


@dataclass(frozen=True)
class Dimension:
    """One thing to count by, with its closed list of codes."""

    name: str
    codes: Sequence[str]
    # Whether a record can have several of the codes: then they are no parts of a whole.
    several: bool = False
    # What it is called, and each of its codes, in words.
    label: str = ""
    words: Mapping[str, str] = field(default_factory=dict, compare=False)
    # Of a code, what whoever has it has as well: a name and a code, of the same thing or of a
    # coarser one, which these codes are all the parts of.
    within: Mapping[str, tuple[str, str]] = field(default_factory=dict, compare=False)
    # Codes that stand for any of some others: rows of a table, and not beside those in a picture.
    sums: frozenset[str] = frozenset()
    # How it is read; where nothing is said, a record has it under its name.
    read: Callable[[Record], Any] | None = field(default=None, compare=False)

    @property
    def single(self) -> list[str]:
        """The codes that stand for themselves alone."""
        return [code for code in self.codes if code != ANSWERED and code not in self.sums]

    def of(self, record: Record) -> Sequence[str]:
        """Return which codes a record has; raises ValueError where no code is left for it.

        A record in no row of a table would still be in its total, and could be subtracted.
        """
        value: Any = self.read(record) if self.read else record.get(self.name)
        if not self.several:
            code = value if value in self.codes else UNKNOWN
            if code not in self.codes:
                raise ValueError(f"a record has no code for {self.name}, which has no {UNKNOWN!r}")
            return (code,)
        given = [code for code in self.codes if value and code in value]
        # Shares are of those of whom something is known (the rule of CTDC), so these are counted.
        known = ANSWERED in self.codes and any(code != UNKNOWN for code in given)
        return [*given, ANSWERED] if known else given

    def wider(self) -> Mapping[str, tuple[str, str]]:
        """Say in what each code lies, as everybody knows who reads the tables."""
        if ANSWERED not in self.codes:
            return self.within
        known = [code for code in self.codes if code not in {ANSWERED, UNKNOWN}]
        return {**dict.fromkeys(known, (self.name, ANSWERED)), **self.within}


@dataclass(frozen=True)
class Table:
    """A table of the catalogue: what it counts, by at most two dimensions, or three if named."""

    name: str
    dimensions: tuple[Dimension, ...]

    def margins(self) -> Iterator[tuple[Dimension, ...]]:
        """Give the table itself and whatever it can be summed to, down to the total."""
        for number in range(len(self.dimensions), -1, -1):
            yield from combinations(self.dimensions, number)


def check(tables: Sequence[Table]) -> None:
    """Refuse a catalogue that is too wide; raises CatalogueError."""
    wide = [table.name for table in tables if len(table.dimensions) > MOST_DIMENSIONS]
    if len(wide) > MOST_WIDE_TABLES:
        raise CatalogueError(
            f"at most {MOST_WIDE_TABLES} tables may have three dimensions, and these have: "
            f"{', '.join(wide)}"
        )
    for table in tables:
        if len(table.dimensions) > WIDE:
            raise CatalogueError(f"{table.name} has more than three dimensions")
    spaced = {
        code
        for table in tables
        for dimension in table.dimensions
        for code in (dimension.name, *dimension.codes)
        if set(code) & set(" =")
    }
    if spaced:
        raise CatalogueError(f"a code is one word: {', '.join(sorted(spaced))}")
    known: dict[str, Dimension] = {}
    for dimension in (dimension for table in tables for dimension in table.dimensions):
        if known.setdefault(dimension.name, dimension) != dimension:
            raise CatalogueError(f"two things to count by are called {dimension.name}")
    if twice := {one.name for one in tables if [two.name for two in tables].count(one.name) > 1}:
        raise CatalogueError(f"two tables have one name: {', '.join(sorted(twice))}")


def cells(margin: Sequence[Dimension]) -> Iterator[Cell]:
    """Give every cell of a margin, whether there is anything in it or not."""
    for codes in product(*(dimension.codes for dimension in margin)):
        yield _cell(margin, codes)


def cells_of(record: Record, margin: Sequence[Dimension]) -> Iterator[Cell]:
    """Give the cells of a margin in which a record is counted."""
    for codes in product(*(dimension.of(record) for dimension in margin)):
        yield _cell(margin, codes)


def _cell(margin: Iterable[Dimension], codes: Iterable[str]) -> Cell:
    return frozenset(zip((dimension.name for dimension in margin), codes, strict=True))


class Counting:
    """Counts records into the cells of tables; holds the cells, and none of the records."""

    def __init__(self, tables: Iterable[Table], protection: Protection) -> None:
        self._protection = protection
        # A margin that several tables share is one: its cells are counted once.
        margins = {
            frozenset(dimension.name for dimension in margin): margin
            for table in tables
            for margin in table.margins()
        }
        # By the codes of a cell: how many records it has, and the sum of their keys.
        self._margins: list[tuple[tuple[Dimension, ...], dict[tuple[str, ...], list[int]]]] = [
            (margin, {}) for margin in margins.values()
        ]
        self._dimensions = {one.name: one for margin in margins.values() for one in margin}

    def add(self, record_id: str, record: Record) -> None:
        """Count one record; its id is used for its key alone and is not kept."""
        key = self._protection.record_key(record_id)
        known = {name: one.of(record) for name, one in self._dimensions.items()}
        for margin, counts in self._margins:
            for codes in product(*[known[dimension.name] for dimension in margin]):
                counted = counts.get(codes)
                if counted is None:
                    counts[codes] = [1, key]
                else:
                    counted[0] += 1
                    counted[1] += key

    def published(self) -> dict[Cell, int | None]:
        """Return every cell of every table, empty ones too, as it is published."""
        figures = {}
        for margin, counts in self._margins:
            for codes in product(*(dimension.codes for dimension in margin)):
                count, keys = counts.get(codes, (0, 0))
                figures[_cell(margin, codes)] = self._protection.published(count, keys)
        return figures
