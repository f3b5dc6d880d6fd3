"""A country as the rest of the system sees it: places, numbers to call, institutions, clocks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import holidays

from nrm.country.files import read_csv, read_toml
from nrm.domain.deadlines import Clock, Clocks, WorkingCalendar
from nrm.domain.vocabulary import Urgency

_Groups: TypeAlias = Mapping[str, tuple[str, ...]]

# The files in which each item says whether somebody verified it.
_VERIFIED = (
    "country.toml",
    "hotlines.toml",
    "institutions.toml",
    "population.toml",
    "clocks.toml",
)


@dataclass(frozen=True, slots=True)
class Hotline:
    """A number to call, and whether someone has called it to make sure."""

    number: str
    service: str
    shown: bool
    verified: bool
    source: str


@dataclass(frozen=True, slots=True)
class Institution:
    """An authority or a kind of organisation with a part in the mechanism."""

    key: str
    name: str
    type: str
    may_flag: bool
    verified: bool
    source: str


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Where a district stands on the map of equal squares, and its name in three letters."""

    district: str
    column: int
    row: int
    short: str


@dataclass(frozen=True, slots=True)
class Residents:
    """How many people of one group live in the country; none is said where no source is known."""

    key: str
    # The group, in the codes of the statistics; everybody where it names nothing.
    of: frozenset[tuple[str, str]]
    year: int
    verified: bool
    source: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Unverified:
    """One item that somebody has to verify before go-live."""

    file: str
    item: str
    source: str


@dataclass(frozen=True, slots=True)
class CountryPack:
    """One country. A sector is always named with its district, because sector names repeat."""

    code: str
    name: str
    zone: ZoneInfo
    languages: tuple[str, ...]
    # Province by name, each with the codes of its districts.
    provinces: Mapping[str, tuple[str, ...]]
    # District code to name.
    districts: Mapping[str, str]
    # The districts as squares of one size, roughly as they lie, row by row.
    tiles: tuple[TilePlace, ...]
    hotlines: tuple[Hotline, ...]
    institutions: tuple[Institution, ...]
    population: tuple[Residents, ...]
    clocks: Clocks
    calendar: WorkingCalendar
    _sectors: Mapping[str, tuple[str, ...]]
    _unverified: tuple[Unverified, ...]

    def sectors(self, district_code: str) -> tuple[str, ...]:
        """Return the sectors of a district."""
        return self._sectors[district_code]

    def has_sector(self, district_code: str, sector: str) -> bool:
        """Say whether a sector lies in a district."""
        return sector in self._sectors.get(district_code, ())

    def province(self, district_code: str) -> str:
        """Return the province in which a district lies."""
        return next(name for name, codes in self.provinces.items() if district_code in codes)

    def shown_hotlines(self) -> tuple[Hotline, ...]:
        """Return the numbers that stand at the foot of every page."""
        return tuple(hotline for hotline in self.hotlines if hotline.shown)

    def unverified(self) -> tuple[Unverified, ...]:
        """List what the administrator is asked to verify before go-live."""
        return self._unverified


@cache
def load(code: str) -> CountryPack:
    """Load a country pack by its two-letter code, once per process."""
    country = read_toml(code, "country.toml")
    zone = ZoneInfo(country["zone"])
    provinces, districts, sectors = _places(read_csv(code, "places.csv"))
    return CountryPack(
        code=code,
        name=country["name"],
        zone=zone,
        languages=tuple(country["languages"]["official"]),
        provinces=provinces,
        districts=districts,
        tiles=tuple(_tile(row) for row in read_csv(code, "tiles.csv")),
        hotlines=tuple(Hotline(**row) for row in read_toml(code, "hotlines.toml")["hotline"]),
        institutions=tuple(
            Institution(**row) for row in read_toml(code, "institutions.toml")["institution"]
        ),
        population=tuple(
            Residents(**{**row, "of": frozenset(row["of"].items())})
            for row in read_toml(code, "population.toml")["residents"]
        ),
        clocks=_clocks(read_toml(code, "clocks.toml")),
        calendar=_calendar(country["calendar"]["holidays"], zone),
        _sectors=sectors,
        _unverified=tuple(_find_unverified(code)),
    )


def _places(rows: list[dict[str, str]]) -> tuple[_Groups, Mapping[str, str], _Groups]:
    provinces: dict[str, tuple[str, ...]] = {}
    districts: dict[str, str] = {}
    sectors: dict[str, tuple[str, ...]] = {}
    for row in rows:
        code, province = row["district_code"], row["province"]
        if code not in districts:
            provinces[province] = (*provinces.get(province, ()), code)
            districts[code] = row["district"]
        sectors[code] = (*sectors.get(code, ()), row["sector"])
    return MappingProxyType(provinces), MappingProxyType(districts), MappingProxyType(sectors)


def _tile(row: dict[str, str]) -> TilePlace:
    return TilePlace(row["district_code"], int(row["column"]), int(row["row"]), row["short"])


def _clocks(table: dict[str, Any]) -> Clocks:
    return Clocks(
        flag_review=_by_urgency(table["flag_review"]),
        answer=_by_urgency(table["answer"]),
        reflection=_clock(table["reflection"]),
        follow_up=_clock(table["follow_up"]),
    )


def _by_urgency(table: dict[str, Any]) -> Mapping[Urgency, Clock]:
    return MappingProxyType({rank: _clock(table[rank.name.lower()]) for rank in Urgency})


def _clock(entry: dict[str, Any]) -> Clock:
    length = timedelta(days=entry.get("days", 0), hours=entry.get("hours", 0))
    if not length:
        raise ValueError("a clock needs hours or days")
    return Clock(length, entry["verified"], entry["source"])


def _calendar(holiday_code: str, zone: ZoneInfo) -> WorkingCalendar:
    days = holidays.country_holidays(holiday_code)
    return WorkingCalendar(zone, lambda day: day in days)


def _find_unverified(code: str) -> Iterator[Unverified]:
    for file in _VERIFIED:
        yield from _walk(file, "", read_toml(code, file))


def _walk(file: str, path: str, value: object) -> Iterator[Unverified]:
    """Find every table marked `verified = false`, whatever it is about."""
    if isinstance(value, list):
        for row in value:
            yield from _walk(file, path, row)
    elif isinstance(value, dict):
        if value.get("verified") is False:
            own = value.get("number") or value.get("key") or ""
            yield Unverified(file, f"{path} {own}".strip(), value["source"])
        for key, inner in value.items():
            yield from _walk(file, f"{path} {key}".strip(), inner)
