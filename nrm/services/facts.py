"""Counted acts: each leaves a sealed event under the facts key, no finer in time than a quarter."""

from datetime import date
from typing import Any
from uuid import UUID

from nrm.country import CountryPack
from nrm.db import Unit
from nrm.domain.flag import quarter
from nrm.models import Referral
from nrm.services import vault


def counted(
    unit: Unit, case_id: UUID, event: str, today: date, *, days: int = 0, **coded: Any
) -> None:
    """Append what the statistics will count: the event, its quarter, elapsed days and codes."""
    vault.append_facts_event(
        unit, case_id, {"event": event, "quarter": quarter(today), "days": days, **coded}
    )


def counted_referral(
    unit: Unit, referral: Referral, event: str, pack: CountryPack, **coded: str
) -> None:
    """Append what became of a referral, so many days after it was sent."""
    today = unit.now.astimezone(pack.zone).date()
    days = (unit.now - referral.sent_at).days
    counted(unit, referral.case_id, event, today, days=days, referral=str(referral.id), **coded)
