"""Tables for spreadsheets, in which no text is ever carried out as a formula."""

import csv
import io
from collections.abc import Iterable

# A spreadsheet would carry out a cell that begins so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(value: object) -> str:
    """Write a value so that a spreadsheet shows it as it is, and computes nothing."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def table(rows: Iterable[Iterable[object]]) -> str:
    """Write rows as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows([guarded(value) for value in row] for row in rows)
    return text.getvalue()
