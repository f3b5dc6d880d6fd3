"""Settings from the environment, read once at start; production refuses to start on a guess."""

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

# As long as the database keeps it.
_LONGEST_ISSUER = 255


class Environment(StrEnum):
    """What this copy of the program is for."""

    PRODUCTION = "production"
    DEMONSTRATION = "demonstration"
    TEST = "test"


class SettingsError(Exception):
    """The program cannot start; the message says why in one line."""


@dataclass(frozen=True)
class OpenIdProvider:
    """An institution's own sign-in, by OpenID Connect, where people may give their password."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    # What the button calls it.
    name: str
    # Values of `acr` or `amr` that stand for a second factor; with none, ours is always asked for.
    strong: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settings:
    """Everything that a deployment decides."""

    environment: Environment
    # Where the embedded database and the key files lie, unless said otherwise.
    instance: Path
    database_url: str
    # This process's key file. The web process needs no other.
    key_file: Path
    # The content of that file, where the environment brings it and no file is wanted.
    key: str = field(default="", repr=False)
    key_passphrase: str = field(default="", repr=False)
    country: str = "rw"
    port: int = 5000
    # How long a sitting lasts without a click, and at most.
    idle_minutes: int = 30
    absolute_hours: int = 10
    # After how many days without a sign-in an account is disabled.
    dormant_days: int = 90
    # After how many seconds without a sign of anybody a page is covered; 0 leaves it to the role.
    cover_seconds: int = 0
    # The second place of the log's checkpoints, and whom the newest is sent to once a day.
    checkpoint_folder: Path | None = None
    checkpoint_email: str = ""
    # At which address people reach the screens: what passkeys are bound to. None where it is empty.
    origin: str = ""
    # How many proxies of ours stand before the program: from so many, and no more, it believes
    # from where a request came.
    proxies: int = 0
    # Where e-mail is handed over; nothing is sent where it is empty.
    mail: str = field(default="", repr=False)
    # Another way to give one's password; none where no issuer is set.
    openid: OpenIdProvider | None = None

    @classmethod
    def from_environment(cls, **chosen: Environment) -> Self:
        """Read the `NRM_…` variables; raises SettingsError with one plain line."""
        environment = chosen.get("environment") or _environment()
        instance = Path(os.environ.get("NRM_INSTANCE", "instance")).absolute()
        database_url = os.environ.get("NRM_DATABASE_URL", "")
        key_file, key = os.environ.get("NRM_KEY_FILE", ""), os.environ.get("NRM_KEY", "")
        if environment is Environment.PRODUCTION and not (database_url and (key_file or key)):
            raise SettingsError(
                "production needs NRM_DATABASE_URL and NRM_KEY_FILE (for a trial: make demo)"
            )
        if key_file and key:
            raise SettingsError("NRM_KEY_FILE and NRM_KEY are both set: say one of them")
        origin = _origin(os.environ.get("NRM_ORIGIN", ""))
        return cls(
            environment=environment,
            instance=instance,
            database_url=_with_driver(database_url or f"sqlite:///{instance / 'nrm.sqlite3'}"),
            key_file=Path(key_file or instance / "keys" / "web.key").absolute(),
            key=key,
            key_passphrase=os.environ.get("NRM_KEY_PASSPHRASE", ""),
            country=os.environ.get("NRM_COUNTRY", "rw"),
            port=_whole_number("PORT", 5000),
            idle_minutes=_whole_number("NRM_IDLE_MINUTES", 30),
            absolute_hours=_whole_number("NRM_ABSOLUTE_HOURS", 10),
            dormant_days=_whole_number("NRM_DORMANT_DAYS", 90),
            cover_seconds=_whole_number("NRM_COVER_SECONDS", 0, least=0),
            checkpoint_folder=_folder("NRM_CHECKPOINTS"),
            checkpoint_email=os.environ.get("NRM_CHECKPOINT_EMAIL", ""),
            origin=origin,
            proxies=_whole_number("NRM_PROXIES", 0, least=0),
            mail=os.environ.get("NRM_MAIL", ""),
            openid=_openid(os.environ.get("NRM_OIDC_ISSUER", ""), origin),
        )

    @property
    def documents(self) -> Path:
        """Where attached documents lie, each sealed under a key of its own."""
        return self.instance / "documents"

    @property
    def erasures(self) -> Path:
        """Where the list of erased cases lies: outside the database, which may be restored."""
        return self.instance / "erasures.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Where signed checkpoints are written a second time, outside the database."""
        return self.checkpoint_folder or self.instance / "checkpoints"

    @property
    def practice(self) -> bool:
        """Whether everyone in this copy is invented, and every page says so."""
        return self.environment is not Environment.PRODUCTION


def _environment() -> Environment:
    word = os.environ.get("NRM_ENV", Environment.PRODUCTION.value)
    try:
        return Environment(word)
    except ValueError:
        raise SettingsError(f"NRM_ENV is {word!r}: say production or demonstration") from None


def _whole_number(name: str, otherwise: int, least: int = 1) -> int:
    word = os.environ.get(name, str(otherwise))
    if not word.isdigit() or int(word) < least:
        floor = "from zero" if least == 0 else "above zero"
        raise SettingsError(f"{name} is {word!r}: a whole number {floor} is needed")
    return int(word)


def _origin(word: str) -> str:
    """Read an address without a path: browsers compare it letter by letter."""
    if not word:
        return ""
    parts = urlsplit(word)
    if not _is_safe(word) or parts.path.strip("/"):
        raise SettingsError(
            f"NRM_ORIGIN is {word!r}: an address such as https://nrm.example.org is needed"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _is_safe(address: str) -> bool:
    """Say whether nobody on the way can read or change what goes to an address."""
    parts = urlsplit(address)
    loopback = parts.scheme == "http" and parts.hostname == "localhost"
    return bool(parts.hostname) and (parts.scheme == "https" or loopback)


def _openid(issuer: str, origin: str) -> OpenIdProvider | None:
    """Read what is needed to ask an OpenID provider; half of it would be a guess."""
    needed = ("NRM_OIDC_CLIENT_ID", "NRM_OIDC_CLIENT_SECRET", "NRM_OIDC_NAME")
    told = [os.environ.get(one, "") for one in needed]
    if not issuer:
        for variable, value in zip(needed, told, strict=True):
            if value:
                raise SettingsError(f"{variable} is set, and NRM_OIDC_ISSUER is not")
        return None
    if not _is_safe(issuer) or set("?#@ ") & set(issuer) or len(issuer) > _LONGEST_ISSUER:
        raise SettingsError(
            f"NRM_OIDC_ISSUER is {issuer!r}: an address such as https://id.example.org is needed"
        )
    if not origin:
        raise SettingsError("NRM_OIDC_ISSUER needs NRM_ORIGIN: where people are sent back to")
    for variable, value in zip(needed, told, strict=True):
        if not value:
            raise SettingsError(f"NRM_OIDC_ISSUER is set, and {variable} is not")
    strong = frozenset(os.environ.get("NRM_OIDC_STRONG", "").split())
    client_id, client_secret, name = told
    return OpenIdProvider(issuer, client_id, client_secret, name, strong)


def _folder(name: str) -> Path | None:
    word = os.environ.get(name, "")
    return Path(word).absolute() if word else None


def _with_driver(url: str) -> str:
    """Name our PostgreSQL driver where the address names none."""
    for plain in ("postgres://", "postgresql://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url
