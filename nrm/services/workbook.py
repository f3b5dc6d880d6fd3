"""Workbooks (XLSX): the same sheets of the same moment are the same bytes each time."""

import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from nrm.services.spreadsheet import guarded

Value: TypeAlias = str | int | float | None
# The earliest day that a zip archive knows, instead of the moment of writing.
_NO_DAY = (1980, 1, 1, 0, 0, 0)
_WIDEST, _NARROWEST = 60, 10
_HEADING, _TEXT = Font(bold=True), Font()
_TOP = Alignment(wrap_text=True, vertical="top")


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook: its name, its rows, and which of them are headings."""

    name: str
    rows: Sequence[Sequence[Value]]
    headings: Collection[int] = ()


def workbook(sheets: Iterable[Sheet], title: str, made_at: datetime) -> bytes:
    """Write sheets as a file that says when its figures were made, never when it was written."""
    book = Workbook()
    for sheet in list(book):
        book.remove(sheet)
    for one in sheets:
        _fill(book.create_sheet(one.name), one)
    moment = made_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    book.properties.created = book.properties.modified = moment
    book.properties.creator = book.properties.lastModifiedBy = None
    book.properties.title = title
    written = io.BytesIO()
    # What the library offers for saving would put the present moment into the file.
    ExcelWriter(book, ZipFile(written, "w")).save()
    return _without_days(written)


def _fill(page: Worksheet, sheet: Sheet) -> None:
    widths: dict[int, int] = {}
    for number, row in enumerate(sheet.rows, start=1):
        for place, value in enumerate(row, start=1):
            cell = page.cell(number, place, guarded(value) if isinstance(value, str) else value)
            cell.font = _HEADING if number - 1 in sheet.headings else _TEXT
            if len(row) > 1:
                # What stands alone in its row may run over the columns beside it.
                cell.alignment = _TOP
                widths[place] = max(widths.get(place, _NARROWEST), len(str(value or "")) + 2)
    for place, width in widths.items():
        page.column_dimensions[get_column_letter(place)].width = min(width, _WIDEST)


def _without_days(written: io.BytesIO) -> bytes:
    """Pack an archive again without the days on which its parts were written."""
    packed = io.BytesIO()
    with ZipFile(written) as before, ZipFile(packed, "w") as after:
        for name in sorted(before.namelist()):
            after.writestr(ZipInfo(name, _NO_DAY), before.read(name), ZIP_DEFLATED)
    return packed.getvalue()
