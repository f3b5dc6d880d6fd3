"""`nrm key`: the keys, seen and changed from the console."""

import sys
from collections.abc import Iterator, Sequence

import click

from config import Settings
from nrm.cli import startup
from nrm.domain.errors import NotFoundError, RefusedError
from nrm.domain.reference import ReferenceTypo, parse_case_reference
from nrm.security.keyring import Purpose
from nrm.services import key_use, resealing, rotation
from nrm.services.key_use import Standing

_HEADINGS = ("Key", "Purpose", "State", "Made on", "Held by", "Needed by")
# What a rotation leaves to do anew, as it is said of many.
_ANEW = {
    Purpose.CASE: "case keys",
    Purpose.FACTOR: "second factors",
    Purpose.FACTS: "facts keys",
    Purpose.INDEX: "search tokens",
}
# What else is to be known after rotating a key; the work of the others is seen while it is done.
_AFTERWARDS = {
    Purpose.LOG: "New entries are sealed under it; older ones keep the old key.",
    Purpose.SESSION: "Whoever is signed in stays signed in.",
    Purpose.SIGNING: "Both keys sign the log until the old one is retired: publish the new one.",
    Purpose.FORM: "It takes effect at the next start of nrm serve.",
}


@click.group()
def key() -> None:
    """Look after the keys."""


@key.command()
def status() -> None:
    """Show every master key: how it stands, who holds it, and what still needs it."""
    with startup.closed(Settings.from_environment()).app_context():
        for line in _aligned([_HEADINGS, *map(_row, key_use.standings())]):
            click.echo(line)
        for index in key_use.index_versions():
            click.echo(
                f"Search index {index.version}: {index.state}, under key {index.ring_id}, "
                f"{index.bits} bits of each name, made on {index.created_at:%Y-%m-%d}."
            )
        for of, anew in _ANEW.items():
            if left := rotation.left(of):
                click.echo(f"{left} {anew} are still old: nrm key rotate {of} --resume")


@key.command()
@click.argument(
    "purpose",
    type=click.Choice([of.value for of in Purpose]),
    help="What the key is for, as `nrm key status` says it.",
)
@click.option("--resume", is_flag=True, help="Go on after an interruption; makes no new key.")
def rotate(purpose: str, *, resume: bool) -> None:
    """Make a new master key, and do anew under it what was done under the old one."""
    of = Purpose(purpose)
    with startup.unlocked(Settings.from_environment()).app_context():
        if resume:
            rotation.resume(of)
        else:
            click.echo(f"Key {rotation.rotate(of)} is the {of} key now.")
        if of in _AFTERWARDS:
            click.echo(_AFTERWARDS[of])
        damaged = _go_on(of) if of in _ANEW else 0
    if damaged:
        raise RefusedError(f"{damaged} {_ANEW[of]} are damaged and stay as they are")


def _go_on(of: Purpose) -> int:
    """Do what is left with a bar to watch; returns how many keys do not open."""
    done = damaged = 0
    unwatched = not sys.stderr.isatty()
    with click.progressbar(length=rotation.left(of), file=sys.stderr, hidden=unwatched) as bar:
        for batch in rotation.go_on(of):
            done, damaged = done + batch.done, damaged + batch.damaged
            bar.update(batch.done + batch.damaged)
    click.echo(f"{done} {_ANEW[of]} made anew.")
    return damaged


@key.command()
@click.argument(
    "number",
    type=click.IntRange(min=1),
    help="The number of the key, as `nrm key status` says it.",
)
def retire(number: int) -> None:
    """Destroy a master key that nothing needs any more; refuses while something does."""
    with startup.unlocked(Settings.from_environment()).app_context():
        rotation.retire(number)
    click.echo(f"Key {number} is destroyed; older copies of the database still hold it.")


@key.command()
@click.argument("reference", help="The reference of the case.")
def rekey(reference: str) -> None:
    """Seal one case anew under new keys: a colleague left, or there was a break-in."""
    try:
        case = parse_case_reference(reference)
    except ReferenceTypo as typo:
        raise click.BadParameter(str(typo), param_hint="REFERENCE") from None
    settings = Settings.from_environment()
    with startup.unlocked(settings).app_context():
        try:
            rows = resealing.rekey(case, settings.documents)
        except NotFoundError:
            raise RefusedError(f"there is no case {case}") from None
    click.echo(f"Case {case} is sealed anew: {rows} rows, new keys, the old ones destroyed.")


def _row(one: Standing) -> Sequence[str]:
    needed = key_use.words(one.purpose, one.users) if one.users else "–"
    made = f"{one.created_at:%Y-%m-%d}"
    return (str(one.ring_id), one.purpose, one.state, made, " ".join(one.holders) or "–", needed)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Set the columns as wide as their widest word."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(map(str.ljust, row, widths)).rstrip()
