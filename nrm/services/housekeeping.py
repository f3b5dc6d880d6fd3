"""Housekeeping: what must happen by itself, safe to run anywhere and any number of times."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete

from nrm.country import CountryPack
from nrm.db import db, unit_of_work
from nrm.models import FormReceipt
from nrm.services import provision, sessions

# Longer than any sitting, and so longer than any page that could send its form again.
RECEIPTS_LAST = timedelta(days=7)


@dataclass(frozen=True)
class Round:
    """What one round did."""

    referrals_expired: int
    sessions_removed: int
    receipts_removed: int


def tick(pack: CountryPack, limits: sessions.Limits) -> Round:
    """Take back unanswered referrals and remove sittings and receipts that are over."""
    return Round(provision.expire(pack), sessions.sweep(limits), _sweep_receipts())


def _sweep_receipts() -> int:
    """Forget the receipts of forms that no browser can still hold."""
    with unit_of_work() as unit:
        gone = db.session.execute(
            delete(FormReceipt)
            .where(FormReceipt.done_at < unit.now - RECEIPTS_LAST)
            .returning(FormReceipt.form_id)
        ).all()
    return len(gone)
