"""Sending the newest checkpoint to somebody outside once a day: what they keep, nobody alters.

The message holds a size, a root hash, a time and a signature, and nothing of what the log says.
"""

from datetime import datetime, timedelta

from sqlalchemy import select

from nrm.audit.actions import Action, Outcome
from nrm.audit.verify import Checkpoint, Root
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry
from nrm.services import departures, mail

_DAILY = timedelta(days=1)
# After a failure the next round of housekeeping is too soon to try again.
_AGAIN = timedelta(hours=1)


def send_daily(checkpoint: Checkpoint, server: str, to: str) -> bool:
    """Send a checkpoint if none was sent for a day; says whether it was.

    Raises MailError where the mail server did not take it: it is tried again in an hour.
    """
    if not server or not to:
        return False
    with unit_of_work() as unit:
        if not _due(unit.now - _DAILY, Outcome.DONE) or not _due(unit.now - _AGAIN, Outcome.FAILED):
            return False
        departure = departures.begin(unit, HOUSEKEEPING, Action.CHECKPOINT_SEND)
    try:
        subject = f"Checkpoint of {checkpoint.origin}: {checkpoint.size} entries"
        mail.send(server, to, subject, _text(checkpoint))
    except mail.MailError:
        departures.finish(departure, HOUSEKEEPING, Outcome.FAILED)
        raise
    departures.finish(departure, HOUSEKEEPING, Outcome.DONE)
    return True


def _due(since: datetime, outcome: Outcome) -> bool:
    sent = select(AuditEntry.seq).where(
        AuditEntry.action == Action.CHECKPOINT_SEND.value,
        AuditEntry.outcome == outcome.value,
        AuditEntry.occurred_at >= since,
    )
    return db.session.scalar(sent.limit(1)) is None


def _text(checkpoint: Checkpoint) -> str:
    root = Root(checkpoint.size, checkpoint.root)
    return (
        "Keep this message. It is a checkpoint of the log: with it you can prove later whether\n"
        "entries from before it were changed, removed, inserted or reordered. Where the log is\n"
        "kept, and on a bundle of it on any other computer, these say so:\n"
        "\n"
        f"nrm audit verify --root {root}\n"
        f"python verify.py log.bundle --root {root}\n"
        "\n"
        "Everything below the line is the checkpoint with its signature; save it as a file to\n"
        "hold the log against that as well, with --checkpoint.\n"
        "\n"
        "-----------------------------------------------------------------\n"
        f"{checkpoint}"
    )
