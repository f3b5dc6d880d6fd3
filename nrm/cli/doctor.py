"""`nrm doctor`: whether all is well with the keys and the log."""

import sys

import click

from config import Settings
from nrm.application import root
from nrm.cli import roots, startup
from nrm.security.keyfile import Root
from nrm.services import doctor as service
from nrm.services.doctor import Health, Installation

_WIDEST = max(map(len, Health))


@click.command()
def doctor() -> None:
    """Look whether keys and log are as they should be, and say what to do where they are not."""
    settings = Settings.from_environment()
    found = []
    with startup.closed(settings).app_context():

        def open_root() -> Root:
            return root(roots.with_passphrase(settings))

        at = Installation(settings.key_file.parent, settings.practice, open_root)
        for finding in service.examine(at):
            click.echo(f"{finding.health:{_WIDEST}}  {finding.words}")
            found.append(finding.health)
    if Health.BROKEN in found:
        sys.exit(1)
