"""The attack by comparing two releases: of who is in the second and not in the first.

Somebody knows that a person's case was added between two releases, and guesses what it says from
how the figures moved. Against release keys that are new each time, and with thirty cases added at
once, that should be worth no more than always guessing what is commonest.
"""

from collections.abc import Iterable, Mapping
from math import log

from nrm.statistics.tables import Cell, Dimension

# What a change in a table of two dimensions is worth beside one of a single dimension.
_TWO_WAY = 0.3
# How much the attacker believes what moved; they are as good as the best of these.
TRUSTS = (0.0, 0.02, 0.05, 0.1)
# Where two releases have the same keys, only cells with the new person move at all.
CERTAIN = 1_000.0

Figures = Mapping[Cell, int | None]


def guesses(
    before: Figures, after: Figures, dimensions: Iterable[Dimension], trust: float
) -> dict[str, str]:
    """Guess one code of each dimension for a case that only the second release counts.

    With CERTAIN as trust it is enough that a cell moved, in whichever direction.
    """
    moved: dict[tuple[str, str], float] = {}
    for cell, figure in after.items():
        change = (figure or 0) - (before.get(cell) or 0)
        if change and cell:
            weight = 1.0 if len(cell) == 1 else _TWO_WAY
            evidence = abs(change) if trust == CERTAIN else weight * change
            for what in cell:
                moved[what] = moved.get(what, 0.0) + evidence
    guessed = {}
    for dimension in dimensions:
        known = {code: _known(before, dimension.name, code) for code in dimension.codes}
        everybody = sum(known.values()) or 1.0
        guessed[dimension.name] = max(
            dimension.codes,
            key=lambda code: (
                log(known[code] / everybody) + trust * moved.get((dimension.name, code), 0.0)
            ),
        )
    return guessed


def _known(figures: Figures, name: str, code: str) -> float:
    """Say how common a code is, as far as the first release tells."""
    return (figures.get(frozenset({(name, code)})) or 0) + 0.5
