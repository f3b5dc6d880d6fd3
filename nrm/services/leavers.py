"""Leavers: what somebody was at when their account was disabled goes to a queue, never lost."""

from uuid import UUID

from sqlalchemy import exists, select, update

from nrm.audit.actions import Action
from nrm.db import Unit, db
from nrm.domain.lifecycle import LIVE_REFERRALS, NOT_TAKE_OVER
from nrm.domain.roles import HOUSEKEEPING, Role
from nrm.models import Account, Case, HandOver, Referral
from nrm.services import keeping, notices, visibility
from nrm.services.audit import record


def departed(unit: Unit, account: Account, role: Role) -> None:
    """Let go of what an account was at in a role, within the act that took it away.

    Drafts stay where they are: whoever wrote them is gone, which is what lists them to colleagues.
    """
    # What is asked below sees the account as it is from now on.
    db.session.flush()
    _leave_cases(unit, account)
    _refuse_offers(unit, account)
    _end_standing_in(unit, account)
    if role is Role.PROVIDER:
        _tell_of_silent_provider(unit, account.organisation_id)


def leave(unit: Unit, case: Case) -> None:
    """Let a case be nobody's, because its owner may not or cannot look after it any more.

    The case has its own entry, by housekeeping: who disabled an account knows of no case.
    """
    subject = keeping.owner_subject(case.owner_id, case)
    case.owner_id, case.left_by_id = None, case.owner_id
    record(unit, HOUSEKEEPING, Action.CASE_LEAVE, subject)


def _leave_cases(unit: Unit, account: Account) -> None:
    owned = select(Case).where(Case.owner_id == account.id, Case.closed_at.is_(None))
    for case in db.session.scalars(owned.order_by(Case.id).with_for_update()):
        leave(unit, case)


def _refuse_offers(unit: Unit, account: Account) -> None:
    """Let nobody wait for the answer of somebody who has gone: who offered is told."""
    refused = db.session.execute(
        update(HandOver)
        .where(HandOver.to_account_id == account.id, HandOver.state.in_(NOT_TAKE_OVER.leaves))
        .values(state=NOT_TAKE_OVER.enters, answered_at=unit.now)
        .execution_options(synchronize_session=False)
        .returning(HandOver.id, HandOver.case_id, HandOver.offered_by_id)
    ).all()
    for hand_over_id, case_id, offered_by in refused:
        notices.tell(unit, [offered_by], "hand_over_not_taken", hand_over_id, case_id)


def _end_standing_in(unit: Unit, account: Account) -> None:
    """End its own absence, and tell those for whom it stood in that nobody does any more."""
    account.away_until = account.stand_in_id = None
    absent = db.session.execute(
        update(Account)
        .where(Account.stand_in_id == account.id)
        .values(stand_in_id=None)
        .execution_options(synchronize_session=False)
        .returning(Account.id, Account.away_until)
    ).all()
    away = [one for one, until in absent if until is not None and until > unit.now]
    notices.tell(unit, away, "stand_in_gone", account.id, None)


def _tell_of_silent_provider(unit: Unit, organisation_id: UUID) -> None:
    """Tell who looks after a referred person when nobody is left at the provider to answer.

    The referral itself belongs to the organisation and stays: a new account of it goes on.
    """
    left = select(Account.id).where(
        Account.organisation_id == organisation_id,
        Account.role == Role.PROVIDER,
        Account.disabled_at.is_(None),
    )
    if db.session.scalars(left.limit(1)).first() is not None:
        return
    live = select(Case).where(
        exists().where(
            Referral.case_id == Case.id,
            Referral.organisation_id == organisation_id,
            Referral.state.in_(LIVE_REFERRALS),
        )
    )
    everybody = [one.id for one, _name in db.session.execute(keeping.coordinators())]
    for case in db.session.scalars(live.order_by(Case.id)):
        # Whoever looks after the person, or stands in; where nobody does, all who could.
        whom = visibility.case_standing(case).owners or everybody
        notices.tell(unit, whom, "provider_gone", organisation_id, case.id)
