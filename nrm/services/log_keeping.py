"""What the signer's process does by itself: the tree grows, is signed, and is kept elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from nrm.audit.verify import Checkpoint
from nrm.db import db
from nrm.models import AuditEntry
from nrm.services import checkpoint_mail, checkpoints, sequencing


@dataclass(frozen=True)
class LogRound:
    """What one round did for the log."""

    entries_placed: int
    checkpoint: Checkpoint | None
    sent: bool


def keep(second_place: Path, mail_server: str, to: str) -> LogRound:
    """Put what waits into the tree, sign it, write it to the second place, send it once a day.

    Raises NotAsSignedError where the log is not the one that was signed before, UnreadableError
    where the second place cannot be read, and MailError; whatever came before that is done.
    """
    placed = sequencing.sequence()
    signed = checkpoints.sign(second_place)
    newest = signed or checkpoints.newest()
    sent = newest is not None and checkpoint_mail.send_daily(newest, mail_server, to)
    return LogRound(placed, signed, sent)


@dataclass(frozen=True)
class Standing:
    """How far the log is signed."""

    signed: Checkpoint | None
    # The oldest entry that no checkpoint covers, and when it was written.
    waits_since: datetime | None


def standing() -> Standing:
    """Return how far the log is signed; costs the same however long it is."""
    signed = checkpoints.newest()
    covered = 0 if signed is None else signed.size
    waiting = (
        # Already in the tree, not yet signed; and not yet in the tree.
        (AuditEntry.leaf_index == covered, AuditEntry.leaf_index),
        (AuditEntry.leaf_index.is_(None), AuditEntry.seq),
    )
    with db.engine.connect() as connection:
        oldest = [
            connection.scalar(select(AuditEntry.occurred_at).where(which).order_by(by).limit(1))
            for which, by in waiting
        ]
    return Standing(signed, min(filter(None, oldest), default=None))
