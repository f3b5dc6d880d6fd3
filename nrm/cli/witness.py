"""`nrm witness`, at another institution; and `nrm audit witness`, what we know of witnesses."""

from datetime import UTC, datetime
from pathlib import Path

import click

from config import Settings
from nrm.audit import witness as folders
from nrm.audit.verify import UnreadableError, VerifierKey, read_key
from nrm.cli import startup
from nrm.cli.audit import grouped, hand_out
from nrm.services import witnesses

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def witness() -> None:
    """Be a witness for another institution's log; needs no database."""


@witness.command()
@click.argument("folder", type=_FOLDER, help="The new folder for the key and what was signed.")
@click.option("--name", required=True, help="Your institution, without spaces: court.example.org")
def create(folder: Path, name: str) -> None:
    """Make a witness's key, and print the half of it that everybody may know."""
    key = folders.create(folder, name)
    click.echo(key)
    click.echo(
        "Give this line to the people who run the log, and publish it. The folder stays here: "
        "back it up.",
        err=True,
    )


@witness.command()
@click.argument("request", type=_FILE, help="What the people who run the log have sent.")
@click.option("--folder", type=_FOLDER, required=True, help="The folder of your key.")
@click.option("--log", "log_key", help="The log's key, the first time; it is kept in the folder.")
@click.option("--output", type=_NEW_FILE, help="Write into this new file, not to the terminal.")
def cosign(request: Path, folder: Path, log_key: str | None, output: Path | None) -> None:
    """Cosign a checkpoint, if it only adds to the last one that you cosigned."""
    told = read_key(log_key) if log_key else None
    signed = folders.cosign_request(folder, _text(request), told, datetime.now(UTC))
    hand_out(f"{signed.line}\n", output)
    click.echo(f"Cosigned: {grouped(signed.checkpoint.size)} entries.", err=True)


@click.group(name="witness")
def ours() -> None:
    """Look after the witnesses of our log."""


@ours.command()
@click.argument("name", help="What the witness calls itself.")
@click.argument("key", help="Its key, which came on a way that you trust.")
def add(name: str, key: str) -> None:
    """Take up a witness by its key."""
    told: VerifierKey = read_key(key)
    with startup.closed(Settings.from_environment()).app_context():
        witnesses.add(name, told)
    click.echo(f"{name} is a witness now.")


@ours.command(name="list")
def list_() -> None:
    """Print the witnesses, and what each has cosigned last."""
    with startup.closed(Settings.from_environment()).app_context():
        known = witnesses.known()
        if not known:
            click.echo("There is no witness yet: nrm audit witness add")
        for one, last in known:
            said = "has cosigned nothing yet"
            if last is not None:
                said = f"{grouped(last.size)} entries on {last.cosigned_at:%Y-%m-%d at %H:%M} UTC"
            click.echo(f"{one.name}: {said}\n  {one.verifier_key}")


@ours.command()
@click.argument("file", type=_FILE, help="The line that the witness sent back.")
def keep(file: Path) -> None:
    """Keep a witness's cosignature, after checking it."""
    line = _text(file)
    with startup.closed(Settings.from_environment()).app_context():
        kept = witnesses.keep(line)
    click.echo(f"{kept.witness} has cosigned the checkpoint of {grouped(kept.size)} entries.")


def _text(file: Path) -> str:
    """Read what came by e-mail, without the empty lines and the mark that an editor adds."""
    try:
        return file.read_text(encoding="utf-8-sig").strip() + "\n"
    except UnicodeDecodeError:
        raise UnreadableError(f"{file.name} is no text") from None
