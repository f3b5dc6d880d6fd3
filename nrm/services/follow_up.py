"""Follow-up: a case is closed with a coded reason, and with it everyone's access."""

from uuid import UUID

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import InvalidInputError
from nrm.domain.lifecycle import CLOSE, END, LIVE_REFERRALS, WITHDRAW, ReferralState, advance
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import CLOSURE_REASON
from nrm.models import Case, Referral
from nrm.services import hand_over, vault, visibility
from nrm.services.audit import record
from nrm.services.facts import counted, counted_referral
from nrm.services.identification import expect_version


def close(
    actor: Actor,
    reference: str,
    reason: str,
    words: str,
    *,
    version: int,
    pack: CountryPack,
    form_id: UUID | None = None,
) -> str:
    """Close a case: accepted referrals end, waiting ones are withdrawn."""
    if reason not in CLOSURE_REASON:
        raise InvalidInputError("reason", N_("Choose the reason."))
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        require(actor, CLOSE.needs, visibility.case_standing(case))
        expect_version(case, version)
        for taken_back in shut(unit, case):
            counted_referral(unit, taken_back, WITHDRAW.enters.value, pack)
        vault.seal_note(
            unit,
            actor,
            case.id,
            {"reason": reason, "words": words},
            kind="closure",
            compartment="narrative",
            subject_id=case.id,
        )
        today = unit.now.astimezone(pack.zone).date()
        days = (unit.now - case.flagged_at).days
        counted(unit, case.id, "closed", today, days=days, reason=reason)
        record(
            unit,
            actor,
            Action.CASE_CLOSE,
            visibility.case_subject(case),
            fields=["reason", "words"],
        )
        unit.outcome = case.reference
        return case.reference


def shut(unit: Unit, case: Case) -> list[Referral]:
    """End everyone's part in a case, within an act that is recorded by its caller.

    Returns the referrals that nobody had answered and that are taken back with it.
    """
    case.assistance = advance(case.assistance, CLOSE)
    case.closed_at = unit.now
    hand_over.retract_for(unit, case)
    live = select(Referral).where(Referral.case_id == case.id, Referral.state.in_(LIVE_REFERRALS))
    taken_back = []
    for referral in db.session.scalars(live).all():
        step = END if referral.state is ReferralState.ACCEPTED else WITHDRAW
        referral.state = advance(referral.state, step)
        referral.ended_at = unit.now
        if step is WITHDRAW:
            taken_back.append(referral)
    return taken_back
