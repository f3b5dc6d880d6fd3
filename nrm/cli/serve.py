"""`nrm serve`: the screens."""

import click

from config import Settings
from nrm.cli import server


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address on which to listen."
)
def serve(host: str) -> None:
    """Serve the screens on PORT, behind a web server that speaks https."""
    server.run(Settings.from_environment(), host)
