"""The attack by comparing two releases: of who is in the second and not in the first.

Somebody knows that a person's case was added between two releases, and guesses what it says from
how the figures moved. Against release keys that are new each time, and with thirty cases added at
once, that should be worth no more than always guessing what is commonest.
"""

from collections.abc import Iterable, Mapping
from math import log

from nrm.statistics.tables import Cell, Dimension

# How much the attacker believes what moved; they are as good as the best of these. The change
# between two figures has a variance of thirteen, so a thirteenth is about what one person is worth.
TRUSTS = (0.0, 0.01, 0.02, 0.05, 0.08, 0.1)
# Where two releases have the same keys, only cells with the new person move at all.
CERTAIN = 1_000.0
# A hidden figure stands for about so many: for some it is none, for others up to thirteen.
_HIDDEN = 6

Figures = Mapping[Cell, int | None]
# A code of a dimension, by the names of both.
What = tuple[str, str]


def guesses(
    before: Figures,
    after: Figures,
    dimensions: Iterable[Dimension],
    trust: float,
    added: int = 1,
) -> dict[str, str]:
    """Guess what a case says that only the second release counts: of each dimension one code.

    It is one of so many that were added. Where a case can have several codes, each is guessed
    for itself: form=labour is yes or no. With CERTAIN as trust it is enough that a cell moved, in
    whichever direction.
    """
    shares = _shares(before)
    moved = _moved(before, after, shares, added, signed=trust != CERTAIN)
    guessed = {}
    for dimension in dimensions:
        name = dimension.name
        known = {code: shares.get((name, code), 0.5) for code in dimension.codes}
        evidence = {code: trust * moved.get((name, code), 0.0) for code in dimension.codes}
        if not dimension.several:
            guessed[name] = max(known, key=lambda code: log(known[code]) + evidence[code])
            continue
        for code, share in known.items():
            yes = evidence[code] > log((1 - share) / share)
            guessed[f"{name}={code}"] = "yes" if yes else "no"
    return guessed


def _shares(figures: Figures) -> Mapping[What, float]:
    """Say how common each code is, as far as a release tells."""
    everybody = _count(figures, frozenset()) + 1
    return {
        what: min(_count(figures, cell) / everybody, 0.99)
        for cell in figures
        if len(cell) == 1
        for what in cell
    }


def _moved(
    before: Figures, after: Figures, shares: Mapping[What, float], added: int, *, signed: bool
) -> Mapping[What, float]:
    """Add up by how much the cells of a code grew beyond what the others who were added explain.

    A cell of two codes counts as much as the person is likely to have the other one too.
    """
    everybody = _count(before, frozenset()) + 1
    moved: dict[What, float] = {}
    for cell in after:
        known = _count(before, cell)
        grown = _count(after, cell) - known
        evidence = grown - (added - 1) * known / everybody if signed else abs(grown)
        for what in cell:
            likely = 1.0
            for other in cell - {what}:
                likely *= shares.get(other, 1.0)
            moved[what] = moved.get(what, 0.0) + likely * evidence
    return moved


def _count(figures: Figures, cell: Cell) -> int:
    figure = figures.get(cell)
    return _HIDDEN if figure is None else figure
