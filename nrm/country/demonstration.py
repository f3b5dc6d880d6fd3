"""The demonstration world of a country pack: invented organisations, people, listings, a past."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nrm.country.files import read_toml


@dataclass(frozen=True, slots=True)
class DemoOrganisation:
    """An invented organisation."""

    code: str
    name: str
    type: str
    district: str
    is_provider: bool


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An invented person with one role in one organisation."""

    key: str
    name: str
    organisation: str
    role: str
    email: str
    password: str
    # The seed of the codes that the account signs in with, as public as the password.
    totp_secret: str


@dataclass(frozen=True, slots=True)
class DemoColleague:
    """An invented person who cannot sign in: invited and not come yet, gone, or long not seen."""

    name: str
    organisation: str
    role: str
    email: str
    state: str


@dataclass(frozen=True, slots=True)
class DemoListing:
    """What an invented provider offers, to whom, and how its listing stands.

    Days of approval count from the day of loading, so that the approved stay approved in every
    practice run and the lapsed one has always lapsed.
    """

    organisation: str
    services: tuple[str, ...]
    sexes: tuple[str, ...]
    age_bands: tuple[str, ...]
    languages: tuple[str, ...]
    places: int
    state: str
    submitted_by: str
    approved_by: str | None = None
    approved_days: int | None = None


@dataclass(frozen=True, slots=True)
class DemoHistory:
    """Where people were found in the past, by district: how often beside the other districts."""

    districts: Mapping[str, int]
    # The same for those whom the border service found.
    borders: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Everyone and everything in the practice world."""

    organisations: tuple[DemoOrganisation, ...]
    accounts: tuple[DemoAccount, ...]
    colleagues: tuple[DemoColleague, ...]
    listings: tuple[DemoListing, ...]
    history: DemoHistory


def load_demonstration(code: str) -> Demonstration:
    """Read the practice world of a country pack."""
    table = read_toml(code, "demo.toml")
    return Demonstration(
        tuple(DemoOrganisation(**_frozen(row)) for row in table["organisation"]),
        tuple(DemoAccount(**_frozen(row)) for row in table["account"]),
        tuple(DemoColleague(**_frozen(row)) for row in table["colleague"]),
        tuple(DemoListing(**_frozen(row)) for row in table["listing"]),
        DemoHistory(**table["history"]),
    )


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in row.items()}
