"""`nrm audit`: the log, checked at the console and taken home."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from sqlalchemy import func, select

from config import Settings
from nrm.audit.verify import (
    Checkpoint,
    Root,
    UnreadableError,
    VerifierKey,
    check,
    read_checkpoint_file,
    read_key,
    read_root,
    refuse_another,
)
from nrm.cli import startup
from nrm.db import db
from nrm.domain.errors import RefusedError
from nrm.models import AuditEntry
from nrm.services import checkpoints, log_bundle, log_check, log_rows, witnesses
from nrm.services.log_check import Verdict

# What is over sooner needs no progress bar.
_PATIENCE_SECONDS = 1
_UNREADABLE = 2
_NOTHING_SIGNED = (
    "Nothing is signed yet, so an entry that was removed, or rewritten together with its hash, "
    "would not be found."
)
_COMPARE = (
    "Compare the root hash and the number of entries with where you have them from, digit by "
    "digit, before anything else: they are not signed, so that nobody but you can say whether "
    "they are right."
)
_NO_FOLDER = click.Path(dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """Check the audit log, and take it home."""


@audit.command()
@click.option(
    "--checkpoint",
    "file",
    type=_NO_FOLDER,
    help="A checkpoint that was kept elsewhere, to hold the log against.",
)
@click.option(
    "--root",
    metavar="SIZE",
    help="A number of entries, to hold the log against their root hash, which comes after it.",
)
@click.option("--since", is_flag=True, help="Read only what came after what was kept.")
@click.option("--key", help="The log's key as it was published, instead of the database's word.")
@click.option("--rows", is_flag=True, help="Hold the sealed rows against the log as well.")
@click.argument("digits", nargs=-1, metavar="[HASH]...", help="The root hash, with --root.")
def verify(
    file: Path | None,
    root: str | None,
    key: str | None,
    digits: tuple[str, ...],
    *,
    since: bool,
    rows: bool,
) -> None:
    """Check every entry, its place in the tree, and every signed checkpoint; needs no key file."""
    if since and file is None and root is None:
        raise click.UsageError("--since needs --checkpoint or --root")
    if digits and root is None:
        raise click.UsageError("a root hash needs --root, and the number of entries")
    # In groups or not, and quoted or not, as whoever has it in front of them types it.
    noted = None if root is None else " ".join((root, *digits))
    kept, published = _from_outside(file, noted, key)
    settings = Settings.from_environment()
    if file is None:
        # Where no other is named, the second place is held against the log, as far as it is here.
        second = checkpoints.newest_in(settings.checkpoints)
        kept = [*kept, *([second] if second else [])]
    with startup.closed(settings).app_context():
        _refuse_another_log(kept, published)
        verdict = log_check.verify(_Progress(), *kept, key=published, only_since=since)
        said = _verdict(verdict, kept, published)
        findings = list(verdict.findings)
        if rows:
            told, wrong = _rows()
            said, findings = [*said, told], [*findings, *wrong]
    for line in (*said, *(f"FOUND: {finding}." for finding in findings)):
        click.echo(line)
    if findings:
        sys.exit(1)


@audit.command()
@click.argument("entry", help="The number of the entry, or its id.")
@click.option("--output", type=_NO_FOLDER, help="Write into this new file, not to the terminal.")
def prove(entry: str, output: Path | None) -> None:
    """Prove that one entry is in the signed log: a file that anybody can check."""
    with startup.closed(Settings.from_environment()).app_context():
        proof = log_bundle.prove(entry)
    hand_out(proof, output)


@audit.command()
@click.argument("file", type=_NO_FOLDER, help="The new file.")
def export(file: Path) -> None:
    """Write the whole log up to its newest checkpoint into one file, to be checked elsewhere."""
    with startup.closed(Settings.from_environment()).app_context():
        checkpoint = log_bundle.export(file, _Progress())
    click.echo(
        f"{grouped(checkpoint.size)} entries of {checkpoint.origin} are in {file}, "
        f"signed on {moment(checkpoint)}."
    )


@audit.command()
@click.option(
    "--for-witness",
    "old_size",
    metavar="SIZE",
    type=click.IntRange(min=0),
    help="Print it as a request to a witness that last signed at this size; 0 for a new one.",
)
def checkpoint(old_size: int | None) -> None:
    """Print the newest signed checkpoint, with the lines of those who have cosigned it."""
    with startup.closed(Settings.from_environment()).app_context():
        if old_size is not None:
            text = witnesses.request(old_size)
        else:
            newest = checkpoints.newest()
            if newest is None:
                raise RefusedError(checkpoints.NOTHING_SIGNED)
            text = witnesses.with_cosignatures(newest)
    click.echo(text, nl=False)


@audit.command()
def key() -> None:
    """Print the log's key, for everybody who wants to check it."""
    with startup.closed(Settings.from_environment()).app_context():
        signing = checkpoints.signing_key()
    if signing is None:
        raise RefusedError(checkpoints.NOTHING_SIGNED)
    click.echo(signing)
    click.echo(
        "This key is public. Publish it where nobody can change it later, on paper too: in the\n"
        "gazette, at the court, with the auditor. Whoever checks the log compares with that.",
        err=True,
    )


def hand_out(text: str, output: Path | None) -> None:
    """Write a result to the terminal, or into a new file."""
    if output is None:
        click.echo(text, nl=False)
        return
    with output.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def moment(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.time:%Y-%m-%d at %H:%M} UTC"


def _from_outside(
    file: Path | None, noted: str | None, key: str | None
) -> tuple[list[Checkpoint | Root], VerifierKey | None]:
    """Read what the person who checks has brought; what cannot be read ends with its own code."""
    kept: list[Checkpoint | Root] = []
    try:
        if file is not None:
            kept.append(read_checkpoint_file(file))
        if noted is not None:
            kept.append(read_root(noted))
        return kept, read_key(key) if key else None
    except UnreadableError as error:
        click.echo(f"nrm: {error}", err=True)
        sys.exit(_UNREADABLE)


def _refuse_another_log(kept: Sequence[Checkpoint | Root], published: VerifierKey | None) -> None:
    """Tell what is of another log from a log that was altered, before reading a million."""
    for one in kept:
        try:
            ours = published or checkpoints.signing_key()
            # The key may have been renewed since.
            then = checkpoints.signing_key(one.size)
        except UnreadableError:
            # The check itself names the checkpoint that is damaged.
            continue
        if ours is not None:
            refuse_another(one, ours.name)
        if then is not None and isinstance(one, Checkpoint):
            check(one, then)


def _verdict(
    verdict: Verdict, kept: Sequence[Checkpoint | Root], published: VerifierKey | None
) -> list[str]:
    read = f"{grouped(verdict.placed - verdict.since + verdict.waiting)} entries checked"
    if verdict.since:
        read += f", those after the first {grouped(verdict.since)}"
    as_written = "." if verdict.findings else ": every one is as it was written."
    if verdict.signed is None:
        return [f"{read}{as_written}", *_unsigned(verdict)]
    signed = verdict.signed
    waiting = verdict.placed - signed.size + verdict.waiting
    said = [
        f"{read}{as_written}",
        f"The first {grouped(signed.size)} are those that were signed on {moment(signed)}.",
        f"{grouped(waiting)} were written since then and wait for the next checkpoint.",
    ]
    if verdict.doubted or (verdict.findings and verdict.fitting not in {None, signed}):
        said += _last_that_fits(verdict)
    if not verdict.findings:
        said += map(_fits, kept)
    if published is None:
        said.append(
            "The key that signed is named by the database alone; compare it with the one that was "
            f"published, or say that with --key: {verdict.key}"
        )
    return said


def _fits(kept: Checkpoint | Root) -> str:
    if isinstance(kept, Root):
        return f"The first {grouped(kept.size)} have the root hash that you kept."
    return f"The first {grouped(kept.size)} are those of the checkpoint that you kept."


def _unsigned(verdict: Verdict) -> list[str]:
    if not verdict.findings:
        return [_NOTHING_SIGNED]
    return _last_that_fits(verdict)


def _last_that_fits(verdict: Verdict) -> list[str]:
    """Say how far an altered log is what was signed: its hashes, where an entry is not."""
    if verdict.doubted:
        return [_COMPARE]
    fits = verdict.fitting
    if fits is not None:
        said = (
            f"The last checkpoint that fits is that of {moment(fits)}: the hashes of the first "
            f"{grouped(fits.size)} entries are those that were signed. Among these, an entry that "
            "is named below was changed itself, and every other one is as it was signed."
        )
        return [said]
    if verdict.any_checkpoint:
        return ["No signed checkpoint fits, not even the first one."]
    return ["There is no signed checkpoint to hold the log against."]


def _rows() -> tuple[str, list[str]]:
    """Hold the sealed rows against the log; returns the words for it, and what was found."""
    found = log_rows.check(_Progress(watched=False))
    as_sealed = "." if found.findings else ": every one is as the log says that it was sealed."
    wrong = [
        f"{grouped(number)} {'row is' if number == 1 else 'rows are'} {kind}; the first: "
        f"{found.first[kind]}"
        for kind, number in found.findings.items()
    ]
    return f"{grouped(found.rows_checked)} sealed rows checked{as_sealed}", wrong


class _Progress:
    """Shows how far long work is, where somebody is watching."""

    def __init__(self, *, watched: bool = True) -> None:
        self.began = time.monotonic()
        self.total = db.session.execute(select(func.max(AuditEntry.seq))).scalar_one() or 1
        self.watched = watched and sys.stderr.isatty()

    def __call__(self, done: int, total: int = 0) -> None:
        total = total or self.total
        if self.watched and time.monotonic() - self.began > _PATIENCE_SECONDS:
            click.echo(f"\r{grouped(done)} of {grouped(total)} ", err=True, nl=False)
            if done >= total:
                click.echo("\r" + " " * 40 + "\r", err=True, nl=False)
