"""The templates of questionnaires: read from their files, and held against the catalogue.

Who asks changes the wording with every edition, so a template is data. A row that no cell of the
catalogue can answer is refused when the file is read, never when it is to be answered.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import count
from typing import Any, TypeAlias

from nrm.country import Residents
from nrm.domain.facts import FACTS
from nrm.domain.vocabulary import ORGANISATION_TYPE
from nrm.statistics.catalogue import MEANS, Counts, Listed
from nrm.statistics.tables import ANSWERED, CatalogueError, Cell, Dimension

_FOLDER = files("nrm.statistics.questionnaires")
_SUFFIX = ".toml"
_Table: TypeAlias = Mapping[str, Any]
# The standard by whose names rows can be called: the code lists have them.
_STANDARD = "ctdc"
_ROW = ("label", "counts", "codes", "per_100_000", "share_of", "each", "named_by")
_EVERYBODY = Cell()
_HEAD = ("title", "asked_by", "period", "edition", "source", "note")


class QuestionnaireError(CatalogueError):
    """A template that cannot be answered; the message names its file and the row."""


@dataclass(frozen=True)
class Row:
    """One question, and the cell that answers it; or which office does, where it is not ours."""

    label: str
    counts: Counts = Counts.PERSONS
    cell: Cell = _EVERYBODY
    # A rate of this group of residents.
    per_100_000: Cell | None = None
    # A share of this cell.
    share_of: Cell | None = None
    # A kind of organisation, by its code.
    answered_by: str = ""
    # How a standard calls it.
    named: str = ""


@dataclass(frozen=True)
class Section:
    """Rows that belong together, under a heading."""

    title: str
    note: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Questionnaire:
    """What somebody asks for."""

    name: str
    title: str
    asked_by: str
    # For which period it asks, in words.
    period: str
    edition: str
    source: str
    note: str
    # Whether the wording was compared with what they send.
    verified: bool
    sections: Sequence[Section]


def names() -> list[str]:
    """Name the templates that there are."""
    found = (one.name for one in _FOLDER.iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX))


def load(name: str, listed: Sequence[Listed], population: Sequence[Residents]) -> Questionnaire:
    """Load the template of this name; raises QuestionnaireError."""
    text = (_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    return read(name, text, listed, population)


def read(
    name: str, text: str, listed: Sequence[Listed], population: Sequence[Residents]
) -> Questionnaire:
    """Read a template and hold every row against the catalogue; raises QuestionnaireError."""
    file = f"{name}{_SUFFIX}"
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise QuestionnaireError(f"{file}: {error}") from None
    _only(table, (*_HEAD, "verified", "section"), file)
    head = {key: _text(table, key, file) for key in _HEAD}
    if not isinstance(verified := table.get("verified"), bool):
        raise QuestionnaireError(f"{file}: verified has to be true or false")
    reader, numbers = _Reader(listed, population), count(1)
    sections = []
    for section in _tables(table, "section", file):
        _only(section, ("title", "note", "row"), file)
        rows: list[Row] = []
        for row in _tables(section, "row", file):
            rows += reader.rows(row, f"{file}, row {next(numbers)} ({row.get('label', '')})")
        sections.append(Section(_text(section, "title", file), str(section.get("note", "")), rows))
    return Questionnaire(name, **head, verified=verified, sections=sections)


def _only(table: _Table, known: Collection[str], place: str) -> None:
    if strange := sorted(set(table) - set(known)):
        raise QuestionnaireError(f"{place}: {', '.join(strange)} means nothing here")


def _text(table: _Table, key: str, place: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise QuestionnaireError(f"{place}: {key} is missing")
    return value


def _tables(table: _Table, key: str, place: str) -> list[_Table]:
    value = table.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise QuestionnaireError(f"{place}: {key} is missing")
    return value


class _Reader:
    """Reads rows against what there is: the cells of a catalogue, the groups of a population."""

    def __init__(self, listed: Sequence[Listed], population: Sequence[Residents]) -> None:
        self._listed = listed
        self._counts = {group.of: group.count for group in population}

    def rows(self, table: _Table, place: str) -> Iterator[Row]:
        """Read one row, or one for each code of what it is repeated by."""
        label = _text(table, "label", place)
        if "answered_by" in table:
            _only(table, ("label", "answered_by"), place)
            yield Row(label, answered_by=self._office(table, place))
            return
        _only(table, _ROW, place)
        counts = self._what(table, place)
        cell = self._cell(table, "codes", counts, place)
        if cell is None:
            raise QuestionnaireError(f"{place}: codes is missing")
        if "per_100_000" in table and "share_of" in table:
            raise QuestionnaireError(f"{place}: a row asks for a rate or for a share")
        if "named_by" in table and "each" not in table:
            raise QuestionnaireError(f"{place}: named_by says nothing without each")
        share_of = self._cell(table, "share_of", counts, place)
        row = Row(label, counts, cell, self._residents(table, place), share_of)
        yield from self._each(table, row, place) if "each" in table else [row]

    def _office(self, table: _Table, place: str) -> str:
        office = _text(table, "answered_by", place)
        if office not in ORGANISATION_TYPE:
            raise QuestionnaireError(f"{place}: {office} is no kind of organisation")
        return office

    def _what(self, table: _Table, place: str) -> Counts:
        counted = _text(table, "counts", place)
        if counted not in {Counts.PERSONS, Counts.REFERRALS}:
            raise QuestionnaireError(f"{place}: counts has to be persons or referrals")
        return Counts(counted)

    def _cell(self, table: _Table, key: str, counts: Counts, place: str) -> Cell | None:
        """Read which cell a row names; nothing where it names none."""
        if key not in table:
            return None
        cell = self._codes(table[key], counts, place)
        self._together(cell, counts, place)
        return cell

    def _together(self, cell: Cell, counts: Counts, place: str) -> None:
        """Refuse a cell that is in none of the tables."""
        by = {name for name, _ in cell}
        if not any(by <= one.names for one in self._listed if one.counts is counts):
            wanted = " and ".join(sorted(by))
            raise QuestionnaireError(f"{place}: no table counts {counts} by {wanted} together")

    def _codes(self, codes: object, counts: Counts, place: str) -> Cell:
        if not isinstance(codes, dict):
            raise QuestionnaireError(f"{place}: codes are written as {{ sex = 'female' }}")
        for name, code in codes.items():
            if code not in self._dimension(name, counts, place).codes:
                raise QuestionnaireError(f"{place}: {name} has no code {code}")
        return Cell(codes.items())

    def _dimension(self, name: str, counts: Counts, place: str) -> Dimension:
        for one in self._listed:
            for dimension in one.dimensions:
                if one.counts is counts and dimension.name == name:
                    return dimension
        raise QuestionnaireError(f"{place}: no table counts {counts} by {name}")

    def _residents(self, table: _Table, place: str) -> Cell | None:
        """Read of which residents a rate is; that a group is not known is said in the answer."""
        if "per_100_000" not in table:
            return None
        group = self._codes(table["per_100_000"], Counts.PERSONS, place)
        number = self._counts.get(group)
        if number is not None and number <= 0:
            raise QuestionnaireError(
                f"{place}: there are {number} such residents, and nothing can be divided by them"
            )
        return group

    def _each(self, table: _Table, row: Row, place: str) -> Iterator[Row]:
        """Repeat a row for each code of a thing, or for each that the standard has a name for."""
        name, named = _text(table, "each", place), "named_by" in table
        if named and table["named_by"] != _STANDARD:
            raise QuestionnaireError(f"{place}: rows are named by {_STANDARD} or by their words")
        if name in dict(row.cell):
            raise QuestionnaireError(f"{place}: {name} has a code already")
        dimension = self._dimension(name, row.counts, place)
        self._together(row.cell | {(name, dimension.codes[0])}, row.counts, place)
        codes = [code for code in dimension.codes if code != ANSWERED]
        if named:
            codes = [code for code in codes if _named(name, code)]
        if not codes:
            raise QuestionnaireError(f"{place}: {_STANDARD} has no name for a code of {name}")
        for code in codes:
            words, own = dimension.words[code], _named(name, code) if named else ""
            called = f"{own} ({words})" if own else words
            label, cell = f"{row.label}: {called}", row.cell | {(name, code)}
            yield replace(row, label=label, cell=cell, named=own)


def _named(name: str, code: str) -> str:
    """Say how CTDC calls a code; its names for the means of control are our codes of them."""
    if name == MEANS.name:
        return code if code in MEANS.words else ""
    entry = FACTS[name].codes.get(code) if name in FACTS else None
    return (entry.ctdc or "") if entry else ""
