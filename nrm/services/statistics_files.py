"""Frozen figures as files: the same release is the same bytes each time, whatever the language.

Files are kept and compared by other programs and other offices, so their words are English.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

from nrm.country import CountryPack
from nrm.domain.text import N_
from nrm.domain.vocabulary import ORGANISATION_TYPE, RELEASE_EDITION
from nrm.services import spreadsheet
from nrm.services.frozen import Frozen
from nrm.services.questionnaires import Filled
from nrm.services.workbook import Sheet, Value, workbook
from nrm.statistics import layout
from nrm.statistics.about import HIDDEN, hidden_percent, missing_percent
from nrm.statistics.catalogue import COUNTS_LABEL, Counts, Listed
from nrm.statistics.method import CHANGED, COVERAGE, DAYS, NOT_ADDITIVE, UNDER_TEN
from nrm.statistics.questionnaires import NOTE, Answer
from nrm.statistics.release import Figures
from nrm.statistics.tables import WIDE, Dimension

_About: TypeAlias = dict[str, Any]
_Rows: TypeAlias = list[list[Value]]
_TITLE = N_("Statistics of the national referral mechanism")
_NOT_SHOWN = "not shown"
_CELLS = ("table", "title", "counts")
_BY = ("by", "code", "word")
_ANSWERS = (
    *("section", "question", "named", "figure", "share_percent", "per_100_000"),
    *("residents", "residents_in", "residents_source", "note"),
)


class Kind(StrEnum):
    """As what a file can be taken out."""

    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


def of_release(found: Frozen, tables: Sequence[Listed], pack: CountryPack, kind: Kind) -> bytes:
    """Write tables of a release."""
    about = _about(found, pack)
    if kind is Kind.CSV:
        return _csv(about, _cells(tables, found))
    if kind is Kind.JSON:
        return _json({"about": about, "tables": [_table(one, found) for one in tables]})
    return _xlsx(about, [_sheet(one, _figures(one, found)) for one in tables], found)


def of_questionnaire(filled: Filled, found: Frozen, pack: CountryPack, kind: Kind) -> bytes:
    """Write a questionnaire with its answers."""
    about = _about(found, pack) | {"questionnaire": _asked(filled)}
    rows = [
        [section.section.title, *_answer(answer)]
        for section in filled.sections
        for answer in section.answers
    ]
    if kind is Kind.CSV:
        return _csv(about, [list(_ANSWERS), *rows])
    if kind is Kind.JSON:
        answers = [
            {"section": section.section.title, **_told(answer)}
            for section in filled.sections
            for answer in section.answers
        ]
        return _json({"about": about, "answers": answers})
    heads = [_said(key) for key in _ANSWERS]
    return _xlsx(about, [Sheet("Answers", [heads, *rows], {0})], found)


# What stands at the head of every file.


def _about(found: Frozen, pack: CountryPack) -> _About:
    release, period = found.opened.release, found.opened.period
    frozen_at = release.frozen_at
    listed = found.tables(pack.code)
    return {
        "title": _TITLE,
        "country": pack.name,
        "period": period.name,
        "first_quarter": period.first,
        "last_quarter": period.last,
        "edition": RELEASE_EDITION.label(release.edition),
        "frozen_on": frozen_at.astimezone(pack.zone).date().isoformat() if frozen_at else "",
        "coverage": COVERAGE,
        "method": f"{CHANGED} {UNDER_TEN} {DAYS}",
        "remark": NOT_ADDITIVE,
        "hidden_percent": hidden_percent(found.kept.figures),
        "missing_percent": missing_percent(listed, found.kept.figures[Counts.PERSONS]),
        "tables_left_out": release.left_out.split(),
        "sha256": found.digest,
    }


def _asked(filled: Filled) -> _About:
    asked = filled.questionnaire
    return {
        "title": asked.title,
        "asked_by": asked.asked_by,
        "period": asked.period,
        "edition": asked.edition,
        "source": asked.source,
        "wording_verified": asked.verified,
        "note": asked.note,
        "section_notes": {one.section.title: one.section.note for one in filled.sections},
    }


def _flat(about: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Value]]:
    """Give what a file says of itself as pairs."""
    for key, value in about.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{key}: ")
        else:
            yield f"{path}{key}", _plain(value)


def _said(key: str) -> str:
    """Say a key as people read it."""
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def _plain(value: object) -> Value:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value)
    if value is None:
        return _NOT_SHOWN
    return value if isinstance(value, int) else str(value)


# The tables of a release.


def _figures(one: Listed, found: Frozen) -> Figures:
    return found.kept.figures.get(one.counts, {})


def _cells(tables: Iterable[Listed], found: Frozen) -> _Rows:
    """Give every cell as a row: what it is of, in codes and in words, and its figure."""
    by = [f"{what}_{place}" for place in range(1, WIDE + 1) for what in _BY]
    rows: _Rows = [[*_CELLS, *by, "figure", "note"]]
    for one in tables:
        for record in layout.records(one, _figures(one, found)):
            row: list[Value] = [one.number, one.title, one.counts.value]
            for dimension in one.dimensions:
                row += [dimension.name, record[dimension.name], _word(dimension, record)]
            row += [""] * (len(_BY) * (WIDE - len(one.dimensions)))
            figure = record["figure"]
            rows.append([*row, figure, HIDDEN[one.counts] if figure is None else ""])
    return rows


def _word(dimension: Dimension, record: Mapping[str, str | int | None]) -> str:
    code = str(record[dimension.name])
    return layout.word(dimension, code, str) if code else layout.TOTAL


def _table(one: Listed, found: Frozen) -> dict[str, Any]:
    return {
        "number": one.number,
        "title": one.title,
        "counts": one.counts.value,
        "by": [
            {
                "name": dimension.name,
                "label": dimension.label,
                "codes": {code: layout.word(dimension, code, str) for code in dimension.codes},
            }
            for dimension in one.dimensions
        ],
        "cells": [
            {
                "codes": {name: code for name, code in record.items() if code and name != "figure"},
                "figure": record["figure"],
            }
            for record in layout.records(one, _figures(one, found))
        ],
    }


def _sheet(one: Listed, figures: Figures) -> Sheet:
    """Lay a table out as people read it."""
    rows: _Rows = [[f"{one.number} {one.title}"], [COUNTS_LABEL[one.counts]], []]
    headings = {0, len(rows)}
    if one.counts is Counts.DAYS:
        return Sheet(one.number, [*rows, *_days(one, figures)], headings)
    for grid in layout.grids(one, figures, str):
        if len(one.dimensions) == WIDE:
            headings.add(len(rows))
            block = one.dimensions[-1]
            rows.append([layout.word(block, grid.of, str) if grid.of else layout.TOTAL])
        headings.add(len(rows))
        rows += _grid(one, grid)
    return Sheet(one.number, rows, headings)


def _days(one: Listed, figures: Figures) -> Iterator[list[Value]]:
    """List medians cell by cell: a table of them has no totals."""
    yield [*(dimension.label for dimension in one.dimensions), COUNTS_LABEL[one.counts]]
    for record in layout.records(one, figures):
        figure = record["figure"]
        words = [_word(dimension, record) for dimension in one.dimensions]
        yield [*words, HIDDEN[one.counts] if figure is None else figure]


def _grid(one: Listed, grid: layout.Grid) -> Iterator[list[Value]]:
    shares = any(line.share is not None for line in grid.lines)
    yield [grid.corner, *grid.heads, *(["Share, %"] if shares else [])]
    for line in (*grid.lines, *([grid.total] if grid.total else [])):
        figures = [_shown(one, figure) for figure in line.figures]
        yield [line.label, *figures, *([line.share] if shares else [])]
    if grid.hidden:
        yield [f"{HIDDEN[one.counts].capitalize()}: {', '.join(grid.hidden)}"]
    yield []


def _shown(one: Listed, figure: int | None) -> Value:
    return HIDDEN[one.counts] if figure is None else figure


# The answers of a questionnaire.


def _answer(answer: Answer) -> list[Value]:
    group = answer.residents
    return [
        answer.row.label,
        answer.row.named,
        answer.figure,
        answer.share,
        answer.rate,
        group.count if group else None,
        group.year if group else None,
        group.source if group else "",
        _note(answer),
    ]


def _note(answer: Answer) -> str:
    office = answer.row.answered_by
    words = ORGANISATION_TYPE.label(office) if office else ""
    return NOTE[answer.state] % {"office": words}


def _told(answer: Answer) -> dict[str, Any]:
    row, group = answer.row, answer.residents
    return {
        "question": row.label,
        "named": row.named,
        "counts": "" if row.answered_by else row.counts.value,
        "codes": dict(sorted(row.cell)),
        "state": answer.state.value,
        "figure": answer.figure,
        "share_percent": answer.share,
        "per_100_000": answer.rate,
        "residents": None
        if group is None
        else {
            "count": group.count,
            "year": group.year,
            "source": group.source,
            "verified": group.verified,
        },
        "note": _note(answer),
    }


# The three kinds.


def _csv(about: _About, rows: _Rows) -> bytes:
    """Write a table below what it says of itself; other programs skip lines that begin with #."""
    head = [[f"# {key}", value] for key, value in _flat(about)]
    return spreadsheet.table([*head, *rows]).encode()


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _xlsx(about: _About, sheets: Iterable[Sheet], found: Frozen) -> bytes:
    first = Sheet("About", [[_said(key), value] for key, value in _flat(about)])
    release = found.opened.release
    return workbook([first, *sheets], _TITLE, release.frozen_at or release.asked_at)
