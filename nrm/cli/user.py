"""`nrm user`: the first administrator, and whoever has no administrator to ask."""

import sys
from dataclasses import dataclass
from uuid import UUID

import click
from sqlalchemy import select

from config import Settings
from nrm import country
from nrm.audit.actions import Action
from nrm.cli import startup
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import NotFoundError, RefusedError, Subject
from nrm.domain.roles import HOUSEKEEPING, HUMAN_ROLES, Role
from nrm.domain.vocabulary import ORGANISATION_TYPE
from nrm.models import Organisation
from nrm.services import accounts, invitations, organisations, second_factor
from nrm.services.accounts import NewAccount
from nrm.services.audit import record

_LONGEST_NAME, _LONGEST_EMAIL = 120, 254


def _name(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    del ctx, option
    if value is None:
        return None
    if not 0 < len(value.strip()) <= _LONGEST_NAME:
        raise click.BadParameter(f"between 1 and {_LONGEST_NAME} characters")
    return value.strip()


def _email(ctx: click.Context, option: click.Parameter, value: str) -> str:
    del ctx, option
    before, at, after = value.strip().rpartition("@")
    if not (before and at and "." in after) or " " in value.strip() or len(value) > _LONGEST_EMAIL:
        raise click.BadParameter("an address such as name@organisation.example")
    return value.strip()


@click.group()
def user() -> None:
    """Create accounts from the console, and links to choose a password."""


@user.command()
@click.option("--name", prompt="Name", callback=_name, help="The person's name.")
@click.option("--email", prompt="E-mail", callback=_email, help="What the person signs in with.")
@click.option("--organisation", prompt="Organisation", callback=_name, help="Created if it is new.")
@click.option(
    "--role",
    prompt="Role",
    type=click.Choice([role.value for role in HUMAN_ROLES]),
    help="The one part that the account plays.",
)
@click.option(
    "--kind",
    type=click.Choice(ORGANISATION_TYPE.codes),
    metavar="KIND",
    help="What kind of organisation a new one is, as a code: ministry, police, shelter, ngo …",
)
@click.option("--district", help="The district of a new organisation, by its name or code.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, for scripts."
)
def create(
    *,
    name: str,
    email: str,
    organisation: str,
    role: str,
    kind: str | None,
    district: str | None,
    password_stdin: bool,
) -> None:
    """Create an account; asks for what the options leave open."""
    settings = Settings.from_environment()
    pack = country.load(settings.country)
    with startup.closed(settings).app_context():
        known = _known_organisation(organisation)
        if known is None:
            kind = kind or _ask_kind()
            district = _district(district, pack)
        password = _password(from_stdin=password_stdin)
        with unit_of_work() as unit:
            home = known or _create_organisation(
                unit, organisation, kind or "", district or "", Role(role)
            )
            new = NewAccount(name, email, home, Role(role), password)
            account = accounts.add_account(unit, new)
            record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE, Subject("account", account.id))
    click.echo(f"{name} can sign in as {accounts.normalised(email)}.")
    click.echo("The first time, after the password, a telephone is set up for the codes.")


@user.command("reset-factor")
@click.argument("email", help="Whose second factors, by the address they sign in with.")
def reset_factor(email: str) -> None:
    """Remove the second factors of a person who lost them all; the next sign-in sets one up."""
    with startup.unlocked(Settings.from_environment()).app_context():
        try:
            name = second_factor.reset_by_email(accounts.normalised(email))
        except NotFoundError:
            raise RefusedError(f"there is no account {email}") from None
    click.echo(f"{name} sets up a telephone at the next sign-in, after the password.")


@user.command()
@click.option("--email", prompt="E-mail", callback=_email, help="What the person signs in with.")
@click.option("--name", callback=_name, help="The person's name, if the account is new.")
@click.option("--organisation", callback=_name, help="Where a new account belongs.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in HUMAN_ROLES]),
    help="The one part that a new account plays.",
)
@click.option(
    "--kind",
    type=click.Choice(ORGANISATION_TYPE.codes),
    metavar="KIND",
    help="What kind of organisation a new one is, as a code: ministry, police, shelter, ngo …",
)
@click.option("--district", help="The district of a new organisation, by its name or code.")
@click.option(
    "--address",
    metavar="URL",
    help="Where people reach the screens, such as https://nrm.example.",
)
def invite(
    *,
    email: str,
    name: str | None,
    organisation: str | None,
    role: str | None,
    kind: str | None,
    district: str | None,
    address: str | None,
) -> None:
    """Print a link with which a person chooses a password: of a new account, or of one there is.

    It works once, for three days, and ends an older link of the same account.
    """
    settings = Settings.from_environment()
    pack = country.load(settings.country)
    site = (address or f"http://localhost:{settings.port}").rstrip("/")
    with startup.closed(settings).app_context():
        try:
            link = invitations.link_for(email)
        except NotFoundError as error:
            if error.subject.id is not None:
                raise click.ClickException("this account is disabled: enable it first") from None
            told = _Told(name, organisation, role, kind, district)
            link = _invite_new(email, told, pack)
    click.echo(f"Hand this link to {link.email} alone. It works once, for three days:")
    click.echo(f"{site}/welcome/{link.token}")


@dataclass(frozen=True)
class _Told:
    """What the options say of a new account."""

    name: str | None
    organisation: str | None
    role: str | None
    kind: str | None
    district: str | None


def _invite_new(email: str, told: _Told, pack: CountryPack) -> invitations.Link:
    """Create an account without a password, and its link; asks for what is left open."""
    name = told.name or click.prompt("Name")
    organisation = told.organisation or click.prompt("Organisation")
    roles = click.Choice([role.value for role in HUMAN_ROLES])
    role = Role(told.role or click.prompt("Role", type=roles))
    known, kind, district = _known_organisation(organisation), "", ""
    if known is None:
        kind, district = told.kind or _ask_kind(), _district(told.district, pack)
    with unit_of_work() as unit:
        home = known or _create_organisation(unit, organisation, kind, district, role)
        account = accounts.add_account(unit, NewAccount(name, email, home, role))
        db.session.flush()
        link = invitations.add_link(unit, account, HOUSEKEEPING)
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE, Subject("account", account.id))
        return link


def _known_organisation(name: str) -> UUID | None:
    return db.session.scalars(
        select(Organisation.id).where(Organisation.name == name)
    ).one_or_none()


def _create_organisation(unit: Unit, name: str, kind: str, district: str, role: Role) -> UUID:
    """An organisation that comes with a provider's account is one that receives referrals."""
    organisation = organisations.add_organisation(
        unit, name, kind, district, is_provider=role is Role.PROVIDER
    )
    record(unit, HOUSEKEEPING, Action.ORGANISATION_CREATE, Subject("organisation", organisation.id))
    return organisation.id


def _ask_kind() -> str:
    kind: str = click.prompt(
        "The organisation is new. Its kind", type=click.Choice(ORGANISATION_TYPE.codes)
    )
    return kind


def _district(told: str | None, pack: CountryPack) -> str:
    """Find a district by its code or its name."""
    by_name = {name.casefold(): code for code, name in pack.districts.items()}
    asked = (told or click.prompt("Its district")).strip()
    code = asked if asked in pack.districts else by_name.get(asked.casefold())
    if code is None:
        raise click.BadParameter(f"there is no district {asked}", param_hint="--district")
    return code


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = click.prompt(
        "Password (12 characters or more)", hide_input=True, confirmation_prompt=True
    )
    return asked
