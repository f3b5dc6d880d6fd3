"""The command line: everything that whoever runs the system does at its console."""

import os
import sys
from contextlib import suppress
from typing import IO, Any, NoReturn

import click
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from config import SettingsError
from nrm.audit.verify import NotAsSignedError, UnreadableError
from nrm.cli import (
    audit,
    database,
    demo,
    doctor,
    erasure,
    init,
    key,
    recovery,
    serve,
    statistics,
    tick,
    user,
    witness,
)
from nrm.country.files import UnknownCountryError
from nrm.domain.errors import LockedError, MechanismError
from nrm.security.keyfile import KeyFileError
from nrm.security.recovery import SheetsError
from nrm.services.mail import MailError

# What says by itself, in one line and without any data, what cannot be done.
_SAID = (
    *(SettingsError, KeyFileError, SheetsError, LockedError, MechanismError),
    *(NotAsSignedError, UnreadableError, MailError),
)


# What a shell says of a program that was ended by SIGPIPE.
_NO_READER = 128 + 13


class _Refusal(click.ClickException):
    """What cannot be done, in one plain line."""

    def show(self, file: IO[str] | None = None) -> None:
        click.echo(f"nrm: {self.message}", file=file, err=file is None)


class _Commands(click.Group):
    """Says in one line what cannot be done: a traceback could show what a case file holds."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click calls it
        try:
            return super().invoke(ctx)
        except _SAID as error:
            raise _Refusal(str(error)) from None
        except UnknownCountryError as error:
            raise _Refusal(f"there is no country pack {error}: look at NRM_COUNTRY") from None
        except ArgumentError:
            raise _Refusal("NRM_DATABASE_URL is not the address of a database") from None
        except SQLAlchemyError as error:
            raise _Refusal(_why_refused(error)) from None
        except BrokenPipeError:
            _end_quietly()
        except OSError as error:
            raise _Refusal(f"{error.strerror or type(error).__name__}: {error.filename}") from None


def _end_quietly() -> NoReturn:
    """End as programs do whose reader has gone away (`nrm … | head -1`), without a word."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # What is still to be written when Python ends goes nowhere either.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            os.dup2(nowhere, stream.fileno())
    sys.exit(_NO_READER)


def _why_refused(error: SQLAlchemyError) -> str:
    """Say what the database says no to: its own words could repeat what a statement carried."""
    if isinstance(getattr(error, "orig", None), InsufficientPrivilege):
        return (
            "the role in NRM_DATABASE_URL may not do this: docs/security/database.md says which may"
        )
    return f"the database refused ({type(error).__name__})"


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the case system of a national referral mechanism."""


main.add_command(audit.audit)
main.add_command(database.database)
main.add_command(demo.demo)
main.add_command(doctor.doctor)
main.add_command(erasure.erasure)
main.add_command(init.init)
main.add_command(key.key)
main.add_command(serve.serve)
main.add_command(statistics.statistics)
main.add_command(tick.tick)
main.add_command(user.user)
main.add_command(witness.witness)
audit.audit.add_command(witness.ours)
for command in (recovery.drill, recovery.protect, recovery.recover, recovery.shares):
    key.key.add_command(command)
