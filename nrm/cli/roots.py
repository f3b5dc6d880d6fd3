"""Where this process's root comes from, and its passphrase from whoever starts it."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import click

from config import Settings
from nrm.application import root
from nrm.security.keyfile import PROCESSES, PassphraseNeededError, SoftwareRoot, read_key_file


def with_passphrase(settings: Settings) -> Settings:
    """Ask for the passphrase of the key, where it has one and somebody is there to say it."""
    if settings.key_passphrase or not sys.stdin.isatty():
        return settings
    try:
        root(settings)
    except PassphraseNeededError:
        return replace(settings, key_passphrase=ask("Passphrase of the key"))
    return settings


def ask(what: str, *, twice: bool = False) -> str:
    """Ask for a passphrase at the terminal without showing it."""
    told: str = click.prompt(what, hide_input=True, confirmation_prompt=twice)
    return told


def every(settings: Settings) -> Iterator[SoftwareRoot]:
    """Read this process's root, and then those whose files lie beside it, as they are wanted."""
    own = root(settings)
    yield own
    for holder in PROCESSES:
        beside = settings.key_file.with_name(f"{holder}.key")
        if holder is not own.holder and beside.exists():
            yield read_key_file(beside, settings.key_passphrase)
