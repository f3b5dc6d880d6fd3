"""`nrm key recover`, `drill`, `shares` and `protect`: the keys when something happens to them."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from config import Settings
from nrm.application import root
from nrm.cli import roots, sheets, startup
from nrm.security.keyfile import KeyFileError, SoftwareRoot, protect_key_file
from nrm.security.passphrase import LONGEST, SHORTEST
from nrm.security.recovery import NEEDED, SheetsError, read_sheet, rebuild
from nrm.services import recovery

# More than two sheets hold, however they are spaced.
_LONGEST_INPUT = 10_000

_words_stdin = click.option(
    "--words-stdin", is_flag=True, help="Read the words from standard input, one sheet on a line."
)


@click.command()
@click.option(
    "--into",
    metavar="FOLDER",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the new key files are to be made.",
)
@_words_stdin
def recover(*, into: Path, words_stdin: bool) -> None:
    """Bring lost keys back with the sheets of two custodians."""
    with startup.closed(Settings.from_environment()).app_context():
        # Said before two people type 33 words each.
        recovery.refuse_taken(into.absolute())
        count = recovery.recover(_rebuilt(from_stdin=words_stdin), into.absolute())
    click.echo(
        f"{count} master keys are back. New key files for web, statistics and signer: {into}\n"
        "Older key files open this database no more. Give each process its own file, start the\n"
        "program again, and keep copies of the files apart from those of the database.\n"
        "If a key file was stolen, go on with nrm key rotate: docs/security/keys.md."
    )


@click.command()
@_words_stdin
def drill(*, words_stdin: bool) -> None:
    """Prove that the sheets of two custodians would bring the keys back; changes nothing."""
    with startup.closed(Settings.from_environment()).app_context():
        done = recovery.drill(_rebuilt(from_stdin=words_stdin))
    click.echo(
        f"The sheets open all {done.master_keys} master keys, and every key of a case that was "
        f"tried: {done.tried} of {done.data_keys}.\n"
        "Put the sheets into new envelopes, seal them, and clear this screen."
    )


@click.command()
@click.option(
    "--from-key-files",
    is_flag=True,
    help="Use the key files instead of two older sheets, where too many sheets are lost.",
)
@_words_stdin
def shares(*, from_key_files: bool, words_stdin: bool) -> None:
    """Make new sheets for the custodians; the older ones open the database no more."""
    settings = Settings.from_environment()
    with startup.closed(settings).app_context():
        if sheets.lying(settings):
            raise SheetsError(
                f"sheets lie in {sheets.folder(settings)}: hand them over or destroy them first"
            )
        openers = _openers(settings, words_stdin=words_stdin, from_key_files=from_key_files)
        with sheets.made(settings, openers):
            pass
        mark = recovery.state().mark
    click.echo(f"New sheets with the mark {mark} are in {sheets.folder(settings)}.")
    click.echo(sheets.PRINT_THEM)


@click.command()
@click.option(
    "--file",
    "path",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Another key file than that of NRM_KEY_FILE.",
)
@click.option("--remove", is_flag=True, help="Leave the file without a passphrase.")
@click.option(
    "--passphrase-stdin",
    is_flag=True,
    help="Read the new passphrase from standard input, for scripts.",
)
def protect(*, path: Path | None, remove: bool, passphrase_stdin: bool) -> None:
    """Give a key file a passphrase, another one, or none."""
    settings = Settings.from_environment()
    path = (path or settings.key_file).absolute()
    settings = roots.with_passphrase(replace(settings, key="", key_file=path))
    # What cannot be opened is said before anybody thinks of a new passphrase.
    root(settings)
    new = "" if remove else _new_passphrase(from_stdin=passphrase_stdin)
    protect_key_file(path, settings.key_passphrase, new)
    done = "has no passphrase now" if remove else "opens with its new passphrase only"
    click.echo(f"{path.name} {done}; copies made before are as they were.")


def _openers(
    settings: Settings, *, words_stdin: bool, from_key_files: bool
) -> Iterable[SoftwareRoot]:
    """Find what opens the master keys today: the older sheets, or the key files."""
    if from_key_files:
        return roots.every(roots.with_passphrase(settings))
    older = _rebuilt(from_stdin=words_stdin)
    recovery.refuse_other_sheets(older)
    return [older]


def _rebuilt(*, from_stdin: bool) -> SoftwareRoot:
    mark = recovery.wanted_mark()
    if not from_stdin:
        click.echo(f"The sheets of two custodians with the mark {mark} are needed.")
        return rebuild([_ask_words(at) for at in range(NEEDED)])
    typed = sys.stdin.read(_LONGEST_INPUT).splitlines()
    return rebuild([line for line in typed if line.strip()])


def _ask_words(at: int) -> str:
    """Ask for one sheet until its words fit, so that a slip does not cost the other sheet too."""
    which = ("first", "second")[at]
    while True:
        typed: str = click.prompt(f"All words of the {which} sheet, on one line")
        try:
            read_sheet(typed, at)
        except SheetsError as error:
            click.echo(f"nrm: {error}", err=True)
        else:
            return typed


def _new_passphrase(*, from_stdin: bool) -> str:
    if from_stdin:
        new = sys.stdin.readline().rstrip("\r\n")
    else:
        new = roots.ask(f"New passphrase ({SHORTEST} characters or more)", twice=True)
    if not SHORTEST <= len(new) <= LONGEST:
        raise KeyFileError(f"a passphrase has between {SHORTEST} and {LONGEST} characters")
    return new
