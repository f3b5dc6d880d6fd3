"""Many stories at once, told in the order in which things happened."""

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from nrm.db import acting_at

# A story acts, says how long it rests, and acts again.
Script: TypeAlias = Iterator[timedelta]


class Play:
    """Runs scripts side by side, so that the log reads in the order of its moments."""

    def __init__(self, now: datetime) -> None:
        """End at a moment: what a script would do later has not happened yet."""
        self.now = now
        self._waiting: list[tuple[datetime, int]] = []
        self._scripts: list[tuple[Script, Callable[[], object]]] = []

    def add(
        self, begins: datetime, script: Script, finished: Callable[[], object] = lambda: None
    ) -> None:
        """Let a script begin at a moment; `finished` is told when it has no more to do."""
        heapq.heappush(self._waiting, (begins, len(self._scripts)))
        self._scripts.append((script, finished))

    def run(self) -> None:
        """Play everything up to now."""
        while self._waiting:
            moment, number = heapq.heappop(self._waiting)
            script, finished = self._scripts[number]
            with acting_at(moment):
                rest = next(script, None)
            if rest is None or moment + rest > self.now:
                finished()
            else:
                heapq.heappush(self._waiting, (moment + rest, number))
