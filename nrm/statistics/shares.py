"""Shares and rates, of published figures alone: no count that is not published is ever divided."""

# So many residents does a rate speak of.
PER = 100_000


def share(figure: int | None, of: int | None) -> int | None:
    """Return how many of a hundred, in whole percent; nothing where either figure is hidden.

    `of` counts those of whom anything is known (the rule of the CTDC codebook), so that the shares
    of a thing of which people have several add up to more than a hundred. The noise can lift a
    part over its whole: it is said to be all of it.
    """
    if figure is None or not of:
        return None
    return min(100, round(100 * figure / of))


def rate(figure: int | None, population: int) -> float | None:
    """Return how many of 100,000 residents, to a hundredth (SDG indicator 16.2.2).

    Raises ValueError where the population is none.
    """
    if population <= 0:
        raise ValueError("a rate needs a population of more than nobody")
    return None if figure is None else round(PER * figure / population, 2)
