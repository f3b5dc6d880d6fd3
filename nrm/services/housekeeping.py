"""Housekeeping: what must happen by itself, safe to run anywhere and any number of times."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete

from nrm.country import CountryPack
from nrm.db import db, unit_of_work
from nrm.domain.staff import DORMANT_AFTER
from nrm.models import FormReceipt
from nrm.services import (
    approvals,
    comparison,
    delays,
    departures,
    document_files,
    dormancy,
    glass,
    provision,
    search_index,
    sessions,
    shredding,
)
from nrm.services.shredding import Kept

# Longer than any sitting, and so longer than any page that could send its form again.
RECEIPTS_LAST = timedelta(days=7)


@dataclass(frozen=True)
class Round:
    """What one round did."""

    referrals_expired: int
    sessions_removed: int
    receipts_removed: int
    # Files whose act broke off in its midst.
    files_settled: int
    cases_compared: int
    cases_not_compared: int
    # Erasures that a restored database had forgotten.
    erasures_repeated: int
    # Cases whose search tokens were made for a new version.
    tokens_made: int
    # Accounts in which nobody signed in for too long.
    accounts_disabled: int
    # Files and messages of which nobody ever said that they had left.
    departures_closed: int
    # Requests for a second person's approval that nobody answered in time.
    approvals_lapsed: int
    # Emergency access whose review is overdue, told to whoever can see to it.
    reviews_overdue: int
    # Failed sign-ins that delay nobody any more.
    delays_forgotten: int


def tick(
    pack: CountryPack,
    limits: sessions.Limits,
    kept: Kept,
    dormant_after: timedelta = DORMANT_AFTER,
) -> Round:
    """Take back unanswered referrals, compare new cases, disable accounts, remove what ends."""
    expired = provision.expire(pack)
    # Before comparing, which looks by these tokens.
    tokens = search_index.go_on()
    compared = comparison.compare_new()
    dormant = dormancy.disable_dormant(dormant_after)
    given_up = departures.sweep()
    overdue = glass.escalate()
    return Round(
        expired,
        sessions.sweep(limits),
        _sweep_receipts(),
        document_files.sweep(kept.documents),
        compared.done,
        compared.failed,
        # A list that cannot be read ends the round, so it comes when all else is done.
        shredding.reconcile(kept),
        tokens,
        dormant,
        given_up,
        approvals.lapse(),
        overdue,
        delays.sweep(),
    )


def _sweep_receipts() -> int:
    """Forget the receipts of forms that no browser can still hold."""
    with unit_of_work() as unit:
        gone = db.session.execute(
            delete(FormReceipt)
            .where(FormReceipt.done_at < unit.now - RECEIPTS_LAST)
            .returning(FormReceipt.form_id)
        ).all()
    return len(gone)
