"""Bars: who may not know of a case, whatever their role. A bar beats every grant, untold."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import Select, select, update
from sqlalchemy.orm import aliased

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, Subject
from nrm.domain.lifecycle import (
    END,
    LIVE_REFERRALS,
    WITHDRAW,
    HandOverState,
    ReferralState,
    advance,
)
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import BAR_REASON, LIFT_REASON
from nrm.models import Account, Bar, Case, HandOver, Organisation, Referral
from nrm.services import casefile, vault, visibility
from nrm.services.audit import record
from nrm.services.casefile import CaseFile
from nrm.services.referral import settle_after_loss

_NOTES = ("bar", "bar_lifted")


@dataclass(frozen=True)
class Whom:
    """One account or one organisation that can be kept out; exactly one of the two is named."""

    account_id: UUID | None = None
    organisation_id: UUID | None = None


@dataclass(frozen=True)
class KeptOut:
    """A bar as the coordinator reads it: whom, why, by whom, and what was written."""

    bar: Bar
    whom: str
    placed_by: str
    lifted_by: str
    words: str
    lift_words: str
    lift_reason: str


@dataclass(frozen=True)
class Page:
    """Who is kept out of a case, and who could be."""

    file: CaseFile
    kept_out: Sequence[KeptOut]
    organisations: Sequence[tuple[UUID, str]]
    # Each with the organisation: two people may have the same name.
    people: Sequence[tuple[UUID, str, str]]


def page(actor: Actor, reference: str) -> Page:
    """Open the page of who is kept out, those whose bar was lifted too."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        require(actor, Permission.BAR_PLACE, visibility.case_standing(case))
        file = casefile.opened(unit, actor, case)
        kept_out = _kept_out(unit, actor, case)
        organisations = db.session.execute(
            select(Organisation.id, Organisation.name).order_by(Organisation.name, Organisation.id)
        ).all()
        people = db.session.execute(
            select(Account.id, Account.name, Organisation.name)
            .join(Organisation, Organisation.id == Account.organisation_id)
            .where(Account.disabled_at.is_(None), Account.id != actor.id)
            .order_by(Account.name, Account.id)
        ).all()
        record(unit, actor, Action.BAR_LIST, visibility.case_subject(case))
    return Page(file, kept_out, [(*row,) for row in organisations], [(*row,) for row in people])


def place(
    actor: Actor,
    reference: str,
    whom: Whom,
    reason: str,
    words: str,
    *,
    pack: CountryPack,
    form_id: UUID | None = None,
) -> UUID:
    """Keep somebody out of a case: from now on it does not exist for them.

    An organisation that has a referral of the case loses it with this act, and the need it was to
    meet is the coordinator's again. Whoever looked after the case looks after it no longer.
    """
    _check(actor, whom, reason, BAR_REASON.codes)
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        require(actor, Permission.BAR_PLACE, visibility.case_standing(case))
        bar = _new_bar(unit, actor, case, whom, reason)
        _seal_words(unit, actor, bar, "bar", words, reason)
        _take_referrals_back(unit, case, whom, pack)
        _take_care_away(unit, case, whom)
        subject = Subject("bar", bar.id, case.id)
        record(unit, actor, Action.BAR_PLACE, subject, purpose=reason, fields=["words"])
        unit.outcome = case.reference
        return bar.id


def lift(
    actor: Actor,
    reference: str,
    bar_id: UUID,
    reason: str,
    words: str,
    *,
    form_id: UUID | None = None,
) -> None:
    """Let somebody know of a case again, as far as their role does; what they lost stays lost."""
    if reason not in LIFT_REASON:
        raise InvalidInputError("reason", N_("Choose the reason."))
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        require(actor, Permission.BAR_PLACE, visibility.case_standing(case))
        bar = _bar_of(case, bar_id)
        if bar.lifted_at is not None:
            raise ConflictError(N_("This was lifted already."))
        bar.lifted_at, bar.lifted_by_id = unit.now, actor.id
        _seal_words(unit, actor, bar, "bar_lifted", words, reason)
        subject = Subject("bar", bar.id, case.id)
        record(unit, actor, Action.BAR_LIFT, subject, purpose=reason, fields=["words"])
        unit.outcome = case.reference


def lifting(actor: Actor, reference: str, bar_id: UUID) -> tuple[CaseFile, KeptOut]:
    """Open the one bar that is about to be lifted."""
    opened = page(actor, reference)
    for one in opened.kept_out:
        if one.bar.id == bar_id:
            return opened.file, one
    raise NotFoundError(Subject("bar"))


def _check(actor: Actor, whom: Whom, reason: str, reasons: Sequence[str]) -> None:
    if (whom.account_id is None) == (whom.organisation_id is None):
        raise InvalidInputError("whom", N_("Choose who is kept out."))
    if reason not in reasons:
        raise InvalidInputError("reason", N_("Choose the reason."))
    # So whoever places a bar always stays in, and no case is ever left with nobody to lift it.
    if whom.account_id == actor.id or (
        whom.organisation_id is not None and whom.organisation_id == actor.organisation_id
    ):
        raise InvalidInputError(
            "whom", N_("You cannot keep yourself or your own organisation out of a case.")
        )


def _new_bar(unit: Unit, actor: Actor, case: Case, whom: Whom, reason: str) -> Bar:
    """Write the bar; the row of the case is held, so two who place the same follow each other."""
    model, identifier = (
        (Account, whom.account_id) if whom.account_id else (Organisation, whom.organisation_id)
    )
    if db.session.get(model, identifier) is None:
        raise InvalidInputError("whom", N_("Choose who is kept out."))
    there = select(Bar.id).where(
        Bar.case_id == case.id,
        Bar.lifted_at.is_(None),
        Bar.account_id == whom.account_id
        if whom.account_id
        else Bar.organisation_id == whom.organisation_id,
    )
    if db.session.scalars(there).first() is not None:
        raise ConflictError(N_("They are kept out of this case already."))
    if actor.id is None:
        raise NotFoundError
    bar = Bar(
        id=uuid4(),
        case_id=case.id,
        account_id=whom.account_id,
        organisation_id=whom.organisation_id,
        reason=reason,
        placed_by_id=actor.id,
        placed_at=unit.now,
    )
    db.session.add(bar)
    db.session.flush()
    return bar


def _seal_words(unit: Unit, actor: Actor, bar: Bar, kind: str, words: str, reason: str) -> None:
    vault.seal_note(
        unit,
        actor,
        bar.case_id,
        {"reason": reason, "words": words},
        kind=kind,
        compartment="access",
        subject_id=bar.id,
    )


def _take_referrals_back(unit: Unit, case: Case, whom: Whom, pack: CountryPack) -> None:
    """End what an organisation has of the case, as closing it would for everybody."""
    if whom.organisation_id is None:
        return
    live = db.session.scalars(
        select(Referral).where(
            Referral.case_id == case.id,
            Referral.organisation_id == whom.organisation_id,
            Referral.state.in_(LIVE_REFERRALS),
        )
    ).all()
    for referral in live:
        step = END if referral.state is ReferralState.ACCEPTED else WITHDRAW
        referral.state = advance(referral.state, step)
        referral.ended_at = unit.now
    if live:
        settle_after_loss(unit, case, pack)


def _take_care_away(unit: Unit, case: Case, whom: Whom) -> None:
    """Leave the case to nobody where its owner is kept out, and take back an offer to them."""
    barred = select(Account.id).where(
        Account.id == whom.account_id
        if whom.account_id
        else Account.organisation_id == whom.organisation_id
    )
    if case.owner_id is not None and _is_among(barred, case.owner_id):
        # The mark says that somebody had it; the pages name nobody who is still there.
        case.owner_id, case.left_by_id = None, case.owner_id
    db.session.execute(
        update(HandOver)
        .where(
            HandOver.case_id == case.id,
            HandOver.state == HandOverState.OFFERED,
            HandOver.to_account_id.in_(barred),
        )
        .values(state=HandOverState.RETRACTED, answered_at=unit.now)
    )


def _is_among(accounts: Select[UUID], account_id: UUID) -> bool:
    return db.session.scalars(accounts.where(Account.id == account_id)).first() is not None


def _bar_of(case: Case, bar_id: UUID) -> Bar:
    bar = db.session.scalars(
        select(Bar).where(Bar.case_id == case.id, Bar.id == bar_id)
    ).one_or_none()
    if bar is None:
        raise NotFoundError(Subject("bar"))
    return bar


def _kept_out(unit: Unit, actor: Actor, case: Case) -> list[KeptOut]:
    """Read every bar of a case with its words, those in force first, then the latest."""
    whom, placed, lifted = aliased(Account), aliased(Account), aliased(Account)
    rows = db.session.execute(
        select(Bar, whom.name, Organisation.name, placed.name, lifted.name)
        .outerjoin(whom, whom.id == Bar.account_id)
        .outerjoin(Organisation, Organisation.id == Bar.organisation_id)
        .join(placed, placed.id == Bar.placed_by_id)
        .outerjoin(lifted, lifted.id == Bar.lifted_by_id)
        .where(Bar.case_id == case.id)
        .order_by(Bar.lifted_at.is_not(None), Bar.placed_at.desc(), Bar.id)
    ).all()
    standing = visibility.case_standing(case)
    written = {
        (note.subject_id, note.kind): document
        for note, document in vault.open_notes(unit, actor, case.id, _NOTES, standing)
    }
    return [
        KeptOut(
            bar,
            person or organisation or "",
            placed_by,
            lifted_by or "",
            str(written.get((bar.id, "bar"), {}).get("words", "")),
            str(written.get((bar.id, "bar_lifted"), {}).get("words", "")),
            str(written.get((bar.id, "bar_lifted"), {}).get("reason", "")),
        )
        for bar, person, organisation, placed_by, lifted_by in rows
    ]
