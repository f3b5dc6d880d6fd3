"""`nrm database`: what the database itself allows to each process."""

import click

from config import Settings
from nrm.cli import startup
from nrm.services import database_roles


@click.group()
def database() -> None:
    """Look after the database itself."""


@database.command()
def roles() -> None:
    """Give each process a role with the least it needs; on PostgreSQL, after every update."""
    with startup.closed(Settings.from_environment()).app_context():
        outsiders = database_roles.apply()
    click.echo(f"Set: {', '.join(database_roles.ROLES)}.")
    if outsiders:
        click.echo(f"Others who have rights on the tables: {', '.join(outsiders)}.")
