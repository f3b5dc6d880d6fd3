"""The erasure list: which cases were erased, as lines of a file that no restore turns back."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from nrm.domain.errors import MechanismError

FORMAT = 1
# How long a copy of the database is kept: until then an older copy, together with the key file,
# still opens a case that was erased since.
COPIES_LAST = timedelta(days=35)


class DamagedListError(MechanismError):
    """The erasure list cannot be relied on; the message says in one line where and why."""


@dataclass(frozen=True)
class Line:
    """One erased case: ids and a moment, and nothing that says whose case it was."""

    case_id: UUID
    erased_at: datetime
    # Under which keys, now destroyed, rows of the case are sealed.
    case_keys: Sequence[int]
    facts_keys: Sequence[int]


def gone_for_good(erased_at: datetime) -> datetime:
    """Say when no copy of the database is left that could still open an erased case."""
    return erased_at + COPIES_LAST


def written(line: Line) -> str:
    """Write a line as it stands in the list, with a checksum that finds any slip in it."""
    told = {
        "format": FORMAT,
        "case": str(line.case_id),
        "erased_at": line.erased_at.astimezone(UTC).isoformat(),
        "case_keys": list(line.case_keys),
        "facts_keys": list(line.facts_keys),
    }
    checksum = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return json.dumps({**told, "sha256": checksum}) + "\n"


def parsed(text: str, name: str) -> dict[UUID, Line]:
    """Read a whole list by case; raises DamagedListError with the first line that is not whole."""
    lines: dict[UUID, Line] = {}
    for number, told in enumerate(text.splitlines(keepends=True), start=1):
        try:
            line = _line(told)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise DamagedListError(f"line {number} of {name} is damaged") from None
        lines[line.case_id] = line
    return lines


def _line(text: str) -> Line:
    told = json.loads(text)
    line = Line(
        UUID(told["case"]),
        datetime.fromisoformat(told["erased_at"]),
        told["case_keys"],
        told["facts_keys"],
    )
    # A line that was cut off, changed or is of another format is not what we would write.
    if written(line) != text:
        raise ValueError(text)
    return line
