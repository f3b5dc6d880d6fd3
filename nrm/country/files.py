"""Reading the files of a country pack, wherever the package is installed."""

import csv
import re
import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

# A code becomes the name of a folder, so nothing but two letters is let through.
_COUNTRY_CODE = re.compile(r"[a-z]{2}")


class UnknownCountryError(LookupError):
    """There is no country pack of this code."""


def folder(code: str) -> Traversable:
    """Find the folder of a country pack."""
    found = files("nrm.country") / code
    if not _COUNTRY_CODE.fullmatch(code) or not found.is_dir():
        raise UnknownCountryError(code)
    return found


def read_toml(code: str, name: str) -> dict[str, Any]:
    """Read one TOML file of a country pack."""
    return tomllib.loads((folder(code) / name).read_text(encoding="utf-8"))


def read_csv(code: str, name: str) -> list[dict[str, str]]:
    """Read one table of a country pack."""
    return list(csv.DictReader((folder(code) / name).read_text(encoding="utf-8").splitlines()))
