"""Referral: needs are recorded, a provider is chosen, what is disclosed is seen, and it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm.attributes import flag_modified

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain import envelope, matching
from nrm.domain.consent import SHARE_WITH_PROVIDER, disclosed_to, in_force
from nrm.domain.deadlines import answer_due, flag_review_due
from nrm.domain.errors import (
    ConflictError,
    IllegalStepError,
    InvalidInputError,
    NoConsentError,
    RefusedError,
)
from nrm.domain.lifecycle import (
    LIVE_REFERRALS,
    RECORD_NEEDS,
    REFER,
    SEEK_AGAIN,
    SEND,
    WAIT_FOR_OTHERS,
    WITHDRAW,
    Assistance,
    ReferralState,
    advance,
    allows,
)
from nrm.domain.policy import CaseStanding, require
from nrm.domain.reference import new_referral_reference
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import NEED, Urgency
from nrm.models import Case, Organisation, Referral
from nrm.services import directory, keeping, vault, visibility
from nrm.services.audit import record
from nrm.services.consent import consents
from nrm.services.facts import counted, counted_referral
from nrm.services.identification import expect_version


@dataclass(frozen=True)
class Words:
    """What the coordinator writes for this one provider, on the outside of the envelope."""

    safety: str = ""
    arrangements: str = ""


@dataclass(frozen=True)
class Candidate:
    """An approved provider, with what speaks for and against it."""

    entry: directory.Entry
    reasons: tuple[matching.Reason, ...]
    # What became of the last referral of this case to it, where there was one.
    last: ReferralState | None

    @property
    def fits(self) -> bool:
        """Say whether nothing speaks against it."""
        return matching.fits(self.reasons)

    @property
    def asked(self) -> bool:
        """Say whether a referral of this case to it is waiting or accepted."""
        return self.last in LIVE_REFERRALS


@dataclass(frozen=True)
class Choice:
    """The approved providers for one service of one case, in the order worth reading."""

    case: Case
    service: str
    needs: tuple[str, ...]
    candidates: Sequence[Candidate]


@dataclass(frozen=True)
class Preparation:
    """Exactly what a provider would see: before it answers, and once it accepts."""

    case: Case
    entry: directory.Entry
    envelope: dict[str, Any]
    discloses: frozenset[str]
    consented: bool


def record_needs(
    actor: Actor,
    reference: str,
    needs: Sequence[str],
    *,
    version: int,
    pack: CountryPack,
    form_id: UUID | None = None,
) -> None:
    """Record what the person needs, with them, in coded services."""
    if not needs or not set(needs) <= set(NEED):
        raise InvalidInputError("needs", N_("Choose at least one need."))
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        standing = visibility.case_standing(case)
        require(actor, RECORD_NEEDS.needs, standing)
        expect_version(case, version)
        changed = keeping.fall_to(actor, case)
        was_waiting = case.assistance is Assistance.WAITING
        case.assistance = advance(case.assistance, RECORD_NEEDS)
        # Other needs in the same state are another version too: two who edit must see each other.
        flag_modified(case, "assistance")
        if was_waiting:
            case.due_at = flag_review_due(unit.now, Urgency(case.urgency), pack.clocks)
        facts = vault.open_facts(unit, actor, {case.id: standing})[case.id]
        vault.seal_facts(unit, case.id, {**facts, "needs": sorted(needs)})
        subject = visibility.case_subject(case)
        record(unit, actor, Action.NEEDS_RECORD, subject, fields=["needs", *changed])
        unit.outcome = case.reference


def choose(
    actor: Actor, reference: str, service: str, pack: CountryPack, district: str = ""
) -> Choice:
    """Show the approved providers that offer a service the person needs."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        standing = visibility.case_standing(case)
        require(actor, SEND.needs, standing)
        facts = vault.open_facts(unit, actor, {case.id: standing})[case.id]
        needs = tuple(need for need in NEED if need in facts.get("needs", ()))
        service = service if service in NEED else next(iter(needs), "")
        today = _today(unit, pack)
        entries = _not_kept_out(standing, directory.approved_for(service, today, district))
        candidates = _candidates(service, facts, entries, _last_states(case))
        record(unit, actor, Action.REFERRAL_PREPARE, visibility.case_subject(case))
        return Choice(case, service, needs, candidates)


def _not_kept_out(
    standing: CaseStanding, entries: Sequence[directory.Entry]
) -> list[directory.Entry]:
    """Leave out the providers that may not know of the case."""
    return [one for one in entries if one.listing.organisation_id not in standing.barred]


def _last_states(case: Case) -> dict[UUID, ReferralState]:
    """Say what became of the last referral of this case to each organisation."""
    rows = db.session.execute(
        select(Referral.organisation_id, Referral.state)
        .where(Referral.case_id == case.id)
        .order_by(Referral.sent_at)
    )
    return {row.organisation_id: row.state for row in rows}


def _candidates(
    service: str,
    facts: Mapping[str, Any],
    entries: Sequence[directory.Entry],
    last: Mapping[UUID, ReferralState],
) -> list[Candidate]:
    wanted = matching.Wanted(
        service,
        facts.get("sex", "unknown"),
        facts.get("age_band", "unknown"),
        tuple(facts.get("languages", ())),
    )
    by_name = {entry.name: entry for entry in entries}
    offers = [
        matching.Offer(
            entry.name,
            entry.services,
            frozenset(entry.listing.serves.split()),
            frozenset(entry.listing.languages.split()),
        )
        for entry in entries
    ]
    return [
        Candidate(by_name[offer.name], given, last.get(by_name[offer.name].listing.organisation_id))
        for offer, given in matching.ranked(wanted, offers)
    ]


def prepare(
    actor: Actor,
    reference: str,
    service: str,
    organisation_id: UUID,
    pack: CountryPack,
    words: Words | None = None,
) -> Preparation:
    """Show exactly what would be disclosed, before anything leaves."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW)
        require(actor, SEND.needs, visibility.case_standing(case))
        entry = directory.usable_listing(organisation_id, service, _today(unit, pack))
        prepared = _prepare(unit, actor, case, service, entry, words or Words())
        record(unit, actor, Action.REFERRAL_PREPARE, visibility.case_subject(case))
        return prepared


def send(
    actor: Actor,
    reference: str,
    service: str,
    organisation_id: UUID,
    words: Words,
    *,
    version: int,
    pack: CountryPack,
    form_id: UUID | None = None,
) -> str:
    """Send a referral to an approved provider to which the person's consent extends."""
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        require(actor, SEND.needs, visibility.case_standing(case))
        expect_version(case, version)
        if not allows(case.assistance, REFER):
            raise IllegalStepError(REFER.name, case.assistance.value)
        entry = directory.usable_listing(organisation_id, service, _today(unit, pack))
        prepared = _prepare(unit, actor, case, service, entry, words)
        if not prepared.consented:
            raise NoConsentError(
                N_("The person has not agreed to share with this provider."), SEND.needs.value
            )
        _refuse_second_live(case, organisation_id)
        referral = _new_referral(unit, actor, case, organisation_id, pack)
        vault.seal_envelope(unit, referral, prepared.envelope)
        case.assistance = advance(case.assistance, REFER)
        if case.assistance is Assistance.REFERRED:
            case.due_at = referral.answer_due_at
        today = _today(unit, pack)
        days = (unit.now - case.flagged_at).days
        counted(unit, case.id, "sent", today, days=days, service=service, referral=str(referral.id))
        record(unit, actor, Action.REFERRAL_SEND, visibility.referral_subject(referral))
        unit.outcome = referral.reference
        return referral.reference


def withdraw(
    actor: Actor,
    case_reference: str,
    reference: str,
    *,
    pack: CountryPack,
    form_id: UUID | None = None,
) -> None:
    """Take a referral back; the provider's access ends with this act."""
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, case_reference, Permission.CASE_VIEW, lock=True)
        require(actor, WITHDRAW.needs, visibility.case_standing(case))
        referral = visibility.referral_of(case, reference)
        referral.state = advance(referral.state, WITHDRAW)
        referral.ended_at = unit.now
        settle_after_loss(unit, case, pack)
        counted_referral(unit, referral, WITHDRAW.enters.value, pack)
        record(unit, actor, Action.REFERRAL_WITHDRAW, visibility.referral_subject(referral))
        unit.outcome = case.reference


def live_referral(actor: Actor, case_reference: str, reference: str) -> tuple[Referral, str]:
    """Fetch a referral that may be withdrawn, with its provider's name; opens nothing of it."""
    with unit_of_work():
        case = visibility.case(actor, case_reference, Permission.CASE_VIEW)
        require(actor, WITHDRAW.needs, visibility.case_standing(case))
        referral = visibility.referral_of(case, reference)
        advance(referral.state, WITHDRAW)
        provider = db.session.get_one(Organisation, referral.organisation_id)
        return referral, provider.name


def settle_after_loss(unit: Unit, case: Case, pack: CountryPack) -> None:
    """Bring the case back to the coordinator's attention when a referral came to nothing.

    A decline, an expiry or an end must never leave a person with nobody: the clock starts again.
    """
    db.session.flush()
    live = db.session.scalars(
        select(Referral.state).where(
            Referral.case_id == case.id, Referral.state.in_(LIVE_REFERRALS)
        )
    ).all()
    look_again = flag_review_due(unit.now, Urgency(case.urgency), pack.clocks)
    if not live:
        case.assistance = advance(case.assistance, SEEK_AGAIN)
        case.due_at = look_again
        return
    if ReferralState.ACCEPTED not in live:
        case.assistance = advance(case.assistance, WAIT_FOR_OTHERS)
    case.due_at = min(case.due_at, look_again)


def _today(unit: Unit, pack: CountryPack) -> date:
    return unit.now.astimezone(pack.zone).date()


def _prepare(
    unit: Unit, actor: Actor, case: Case, service: str, entry: directory.Entry, words: Words
) -> Preparation:
    provider_id = entry.listing.organisation_id
    standing = visibility.case_standing(case)
    if provider_id in standing.barred:
        raise RefusedError(
            N_("This organisation is kept out of the case. Choose another provider."),
            SEND.needs.value,
            standing.subject,
        )
    facts = vault.open_facts(unit, actor, {case.id: standing})[case.id]
    given = consents(case.id)
    return Preparation(
        case,
        entry,
        envelope.fill(
            facts,
            service=service,
            urgency=case.urgency,
            safety=words.safety,
            arrangements=words.arrangements,
        ),
        disclosed_to(given, provider_id, [service], unit.now),
        in_force(given, SHARE_WITH_PROVIDER, provider_id, unit.now) is not None,
    )


def _refuse_second_live(case: Case, organisation_id: UUID) -> None:
    waiting = db.session.scalars(
        select(Referral.id)
        .where(Referral.case_id == case.id, Referral.organisation_id == organisation_id)
        .where(Referral.state.in_(LIVE_REFERRALS))
    ).first()
    if waiting is not None:
        raise ConflictError(N_("This provider has a referral of this case already."))


def _new_referral(
    unit: Unit, actor: Actor, case: Case, organisation_id: UUID, pack: CountryPack
) -> Referral:
    referral = Referral(
        id=uuid4(),
        reference=new_referral_reference(),
        case_id=case.id,
        organisation_id=organisation_id,
        state=SEND.enters,
        urgency=case.urgency,
        sent_by_id=actor.id,
        sent_at=unit.now,
        answer_due_at=answer_due(unit.now, Urgency(case.urgency), pack.clocks),
        version=1,
    )
    db.session.add(referral)
    # The envelope points to the referral.
    db.session.flush()
    return referral
