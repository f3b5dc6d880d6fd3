"""What sets one practice case apart from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from nrm.cli.demonstration.acts import CaseActs
    from nrm.cli.demonstration.timeline import Script


@dataclass(frozen=True)
class Story:
    """Who was flagged how long ago, what they need, and what happened then."""

    ago: timedelta
    plot: Callable[[CaseActs], Script]
    risk: str
    sex: str
    age: int
    needs: tuple[str, ...]
    # Found together with the person of the story before.
    same_place: bool = False
    # The same person as in the story of this number, flagged again and written by another ear.
    flagged_before: int | None = None
