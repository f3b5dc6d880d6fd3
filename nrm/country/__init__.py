"""Country packs: a country is a folder of data, and this is how the folder becomes values."""

from nrm.country.pack import (
    CountryPack,
    Hotline,
    Institution,
    Residents,
    TilePlace,
    Unverified,
    load,
)

__all__ = [
    "CountryPack",
    "Hotline",
    "Institution",
    "Residents",
    "TilePlace",
    "Unverified",
    "load",
]
