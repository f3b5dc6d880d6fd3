"""Far more tables than are ever published: by ten things, one, two and three of them together.

Exploitation can be of several forms at once; everything else is one of a list.
"""

from itertools import combinations
from random import Random

from nrm.statistics.tables import Counting, Dimension, Table, cells_of

CODES = {
    "quarter": 20,
    "sex": 3,
    "age": 6,
    "nationality": 20,
    "district": 30,
    "exploitation": 9,
    "route": 5,
    "referrer": 6,
    "decision": 4,
    "refugee": 4,
}
DIMENSIONS = [
    Dimension(
        name, tuple(f"{name}_{place}" for place in range(number)), several=name == "exploitation"
    )
    for name, number in CODES.items()
]
EXPLOITATION = next(dimension for dimension in DIMENSIONS if dimension.several)
TABLES = [
    Table(" ".join(dimension.name for dimension in together), together)
    for number in (1, 2, 3)
    for together in combinations(DIMENSIONS, number)
]
# Of ten persons, so many were exploited in one form, in two, in three.
FORMS = (1, 1, 1, 1, 1, 1, 1, 2, 2, 3)


def records(number, seed=1):
    """Make records, each with its id: of every list, the first codes are much the most frequent."""
    chance = Random(seed)
    weights = {
        dimension.name: [1 / place for place in range(1, len(dimension.codes) + 1)]
        for dimension in DIMENSIONS
    }
    for place in range(number):
        record = {}
        for one in DIMENSIONS:
            how_many = chance.choice(FORMS) if one.several else 1
            chosen = chance.choices(one.codes, weights[one.name], k=how_many)
            record[one.name] = sorted(set(chosen)) if one.several else chosen[0]
        yield f"{seed}-{place}", record


def counted(number, protection, seed=1):
    counting = Counting(TABLES, protection)
    for record_id, record in records(number, seed):
        counting.add(record_id, record)
    return counting.published()


def alone(number, ranges, seed=1):
    """Count the persons, each once, who are in some cell that is proved to hold one person."""
    ones = {cell for cell, found in ranges.items() if found == (1, 1)}
    return sum(
        any(cell in ones for cell in _all_cells(record)) for _, record in records(number, seed)
    )


def _all_cells(record):
    """Give the cells of a record, as the attack knows them: each form is a yes or a no."""
    for table in TABLES:
        plain = tuple(one for one in table.dimensions if not one.several)
        for cell in cells_of(record, plain):
            if plain == table.dimensions:
                yield cell
                continue
            for form in EXPLOITATION.codes:
                answer = "yes" if form in record[EXPLOITATION.name] else "no"
                yield cell | {(f"{EXPLOITATION.name}={form}", answer)}
