"""Making a count publishable: keyed noise, unbiased rounding to five, nothing under ten.

The noise hangs on exactly which records are counted, and on a key that is new for each release:
the same set of records has the same figure wherever it appears in a release, and another one in
the next. Totals are made like every other figure, so that they do not add up and give nothing away.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

BASE = 5
THRESHOLD = 10
# The noise never changes a count by more than this.
LARGEST_NOISE = 4
# How far a figure may be from the count: the noise, and then the rounding.
FARTHEST = LARGEST_NOISE + BASE - 1
# The smallest figure behind which there are ten or more for certain, and how many at least.
CERTAIN = -(-(THRESHOLD + FARTHEST) // BASE) * BASE
FEWEST_OF_A_MEDIAN = CERTAIN - FARTHEST
_MODULUS = 1 << 32
_KEY_BYTES = 4
# Up to here a median is said in whole days.
_FINE_DAYS = 30

# For a true count of 1, 2, … 6 and of 7 or more: how likely each change is. Among all rules that
# change a count by at most 4, on average not at all, with a variance of 2.5, and never lead to 1 or
# 2, these are the ones of maximum entropy.
NOISE: Sequence[dict[int, float]] = (
    {-1: 0.704932, 2: 0.200684, 3: 0.073973, 4: 0.020411},
    {-2: 0.373422, 1: 0.515475, 2: 0.102242, 3: 0.008559, 4: 0.000302},
    {-3: 0.177101, 0: 0.444712, 1: 0.255669, 2: 0.095595, 3: 0.023246, 4: 0.003676},
    {
        -4: 0.065662,
        -1: 0.302934,
        0: 0.281924,
        1: 0.196171,
        2: 0.102061,
        3: 0.039701,
        4: 0.011547,
    },
    {
        -2: 0.202653,
        -1: 0.230820,
        0: 0.216182,
        1: 0.166492,
        2: 0.105437,
        3: 0.054906,
        4: 0.023511,
    },
    {
        -3: 0.054430,
        -2: 0.126139,
        -1: 0.206859,
        0: 0.240056,
        1: 0.197136,
        2: 0.114560,
        3: 0.047110,
        4: 0.013709,
    },
    {
        -4: 0.011591,
        -3: 0.044274,
        -2: 0.115318,
        -1: 0.204806,
        0: 0.248022,
        1: 0.204806,
        2: 0.115318,
        3: 0.044274,
        4: 0.011591,
    },
)
_CUMULATIVE = [list(zip(accumulate(row.values()), row, strict=True)) for row in NOISE]


@dataclass(frozen=True)
class Protection:
    """What protects one release: its key is known to the statistics process alone."""

    key: bytes = field(repr=False)
    # Part of every record key, so that two releases share none of their noise.
    release: str

    def record_key(self, record: str) -> int:
        """Return the number that stands for a record in this release."""
        mac = hmac.digest(self.key, f"{self.release}/{record}".encode(), "sha256")
        return int.from_bytes(mac[:_KEY_BYTES], "big")

    def published(self, count: int, record_keys: int) -> int | None:
        """Return what is published for a count; nothing where that is under ten, or zero.

        `record_keys` is the sum of the record keys of what was counted.
        """
        rounded = self.rounded(count, record_keys)
        return rounded if rounded >= THRESHOLD else None

    def rounded(self, count: int, record_keys: int) -> int:
        """Return a count with its noise, rounded up or down so that the mean stays what it is."""
        cell_key = record_keys % _MODULUS
        changed = count + _noise(count, cell_key / _MODULUS)
        below, over = divmod(changed, BASE)
        up = self._chance(cell_key) < over / BASE
        return (below + up) * BASE

    def median(self, days: Sequence[int], record_keys: int) -> int | None:
        """Return the median of durations; nothing unless their figure makes ten or more certain.

        It hangs on the protected figure alone. So whether it is shown tells nothing that the
        figure of the same people does not tell: a line drawn through their true count would.
        """
        if self.rounded(len(days), record_keys) < CERTAIN:
            return None
        return median_days(days)

    def _chance(self, cell_key: int) -> float:
        mac = hmac.digest(self.key, cell_key.to_bytes(_KEY_BYTES, "big"), "sha256")
        return int.from_bytes(mac[:_KEY_BYTES], "big") / _MODULUS


def is_protected(figure: int | None) -> bool:
    """Say whether a figure can have been published: hidden, or a multiple of five from ten on."""
    return figure is None or (figure >= THRESHOLD and figure % BASE == 0)


def _noise(count: int, chance: float) -> int:
    """Return the change that this chance brings; a count of nothing stays nothing."""
    if count == 0:
        return 0
    row = _CUMULATIVE[min(count, len(NOISE)) - 1]
    for upto, change in row:
        if chance < upto:
            return change
    return row[-1][1]


def median_days(days: Iterable[int]) -> int | None:
    """Return the median of durations, coarse where they are long; nothing for under ten.

    Whole days up to thirty, above that the nearest multiple of five.
    """
    ordered = sorted(days)
    if len(ordered) < THRESHOLD:
        return None
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return round(middle) if middle <= _FINE_DAYS else round(middle / BASE) * BASE
