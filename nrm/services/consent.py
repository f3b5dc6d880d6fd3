"""Recording what a person agrees to, and asking what it covers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain.consent import (
    BASIS_CONSENT,
    DENIED,
    SHARE_WITH_PROVIDER,
    SHAREABLE,
    STATISTICS,
    Answer,
    Consent,
    GivenBy,
    check_giver,
    may_receive,
    said_no,
)
from nrm.domain.errors import InvalidInputError, NotFoundError
from nrm.domain.policy import CaseStanding, require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import CONSENT_EXCEPTION, CONSENT_PURPOSE, is_under_16
from nrm.models import Account, Case, ConsentAnswer, Organisation
from nrm.services import directory, vault, visibility
from nrm.services.audit import record as record_entry
from nrm.services.facts import counted


@dataclass(frozen=True)
class NewAnswer:
    """One answer that a coordinator records."""

    purpose: str
    answer: Answer
    recipient_id: UUID | None = None
    compartments: frozenset[str] = frozenset()
    expires_at: datetime | None = None


@dataclass(frozen=True)
class How:
    """How the answers were given; sealed, because it tells of the person."""

    method: str
    language: str
    given_by: GivenBy
    guardian_conflict: bool = False
    interpreter: str = ""
    explained: tuple[str, ...] = ()
    # Only where an exception of the law stands in for consent: which, and why.
    basis: str = BASIS_CONSENT
    reason: str = ""


@dataclass(frozen=True)
class Recorded:
    """An answer as the case file shows it."""

    answer: ConsentAnswer
    recipient: str
    recorded_by: str
    # How it was given, where the page opens that.
    how: Mapping[str, Any] = field(default_factory=dict)


def answers(case_id: UUID) -> Sequence[Recorded]:
    """Return every answer of a case, oldest first, with the recipient's name."""
    rows = db.session.execute(
        select(ConsentAnswer, Organisation.name, Account.name)
        .outerjoin(Organisation, Organisation.id == ConsentAnswer.recipient_id)
        .join(Account, Account.id == ConsentAnswer.recorded_by_id)
        .where(ConsentAnswer.case_id == case_id)
        .order_by(ConsentAnswer.recorded_at, ConsentAnswer.id)
    ).all()
    return [Recorded(answer, name or "", by) for answer, name, by in rows]


def explained_answers(
    unit: Unit, actor: Actor, case_id: UUID, standing: CaseStanding
) -> Sequence[Recorded]:
    """Return every answer of a case with how it was given: the proof of consent."""
    notes = vault.open_notes(unit, actor, case_id, ["consent"], standing)
    how = {note.row_id: document for note, document in notes}
    return [replace(given, how=how[given.answer.note_id]) for given in answers(case_id)]


def newest(given: Iterable[Recorded]) -> list[Recorded]:
    """Keep the newest answer for each purpose and recipient, in the order of the purposes."""
    latest = {(row.answer.purpose, row.answer.recipient_id): row for row in given}
    order = CONSENT_PURPOSE.codes
    return sorted(latest.values(), key=lambda row: (order.index(row.answer.purpose), row.recipient))


def consents(case_id: UUID) -> list[Consent]:
    """Return the answers of a case as the rules of consent read them."""
    rows = db.session.scalars(
        select(ConsentAnswer)
        .where(ConsentAnswer.case_id == case_id)
        .order_by(ConsentAnswer.recorded_at, ConsentAnswer.id)
    )
    return [as_consent(row) for row in rows]


def as_consent(row: ConsentAnswer) -> Consent:
    """Read one stored answer as the rules of consent do."""
    return Consent(
        purpose=row.purpose,
        recipient_id=row.recipient_id,
        answer=row.answer,
        compartments=frozenset(row.compartments.split()),
        recorded_at=row.recorded_at,
        expires_at=row.expires_at,
        basis=row.basis,
    )


def record(
    actor: Actor,
    reference: str,
    new: Sequence[NewAnswer],
    how: How,
    *,
    pack: CountryPack,
    form_id: UUID | None = None,
) -> None:
    """Record answers given in one conversation; a withdrawal closes what it covered at once."""
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        standing = visibility.case_standing(case)
        require(actor, Permission.CONSENT_RECORD, standing)
        _check(new, how)
        _check_recipients(new)
        facts = vault.open_facts(unit, actor, {case.id: standing})[case.id]
        check_giver(
            how.given_by,
            under_16=is_under_16(facts.get("age_band", "unknown")),
            guardian_conflict=how.guardian_conflict,
            basis=how.basis,
            grants=any(answer.answer is Answer.GRANTED for answer in new),
        )
        write(unit, actor, case, _as_withdrawals(unit, case, new), how)
        _leave_out_of_figures(unit, case, facts, new)
        if any(one.purpose == SHARE_WITH_PROVIDER and one.answer is Answer.GRANTED for one in new):
            days = (unit.now - case.flagged_at).days
            counted(unit, case.id, "consented", unit.now.astimezone(pack.zone).date(), days=days)
        exception = how.basis != BASIS_CONSENT
        record_entry(
            unit,
            actor,
            Action.CONSENT_EXCEPTION if exception else Action.CONSENT_RECORD,
            visibility.case_subject(case),
            purpose=how.basis,
            fields=[answer.purpose for answer in new],
        )
        unit.outcome = case.reference


def _as_withdrawals(unit: Unit, case: Case, new: Sequence[NewAnswer]) -> list[NewAnswer]:
    """Write a "no" after a yes that still holds as what it is: taking that yes back."""
    given = consents(case.id)
    return [
        answer
        if answer.answer is not Answer.REFUSED
        else replace(answer, answer=said_no(given, answer.purpose, answer.recipient_id, unit.now))
        for answer in new
    ]


def _leave_out_of_figures(
    unit: Unit, case: Case, facts: Mapping[str, Any], new: Sequence[NewAnswer]
) -> None:
    """Leave the case out of the figures after a no; the counting reads facts, never answers."""
    said = [answer.answer for answer in new if answer.purpose == STATISTICS]
    if not said:
        return
    told = {name: value for name, value in facts.items() if name != STATISTICS}
    if said[-1] is not Answer.GRANTED:
        told[STATISTICS] = DENIED
    if told != facts:
        vault.seal_facts(unit, case.id, told)


def _check(new: Sequence[NewAnswer], how: How) -> None:
    if not new:
        raise InvalidInputError("purposes", N_("Record at least one answer."))
    for answer in new:
        _check_purpose(answer)
    if how.basis != BASIS_CONSENT:
        if how.basis not in CONSENT_EXCEPTION:
            raise InvalidInputError("basis", N_("Choose the legal exception."))
        if not how.reason.strip():
            raise InvalidInputError("reason", N_("Write why the law allows this without consent."))


def _check_purpose(answer: NewAnswer) -> None:
    code = CONSENT_PURPOSE.get(answer.purpose)
    if code is None or code.always_off:
        raise InvalidInputError("purposes", N_("Nobody can be asked to agree to this."))
    if (answer.purpose == SHARE_WITH_PROVIDER) != (answer.recipient_id is not None):
        raise InvalidInputError("recipient", N_("Name the provider that the person agreed to."))
    if not answer.compartments <= frozenset(SHAREABLE):
        raise InvalidInputError("compartments", N_("This part of the file is never shared."))


def _check_recipients(new: Sequence[NewAnswer]) -> None:
    """Refuse an answer towards an organisation that is no service provider.

    Nobody is asked to agree to more than what the provider's services need.
    """
    for answer in new:
        if answer.recipient_id is not None:
            recipient = db.session.get(Organisation, answer.recipient_id)
            if recipient is None or not recipient.is_provider:
                raise InvalidInputError("recipient", N_("Choose a service provider."))
            if not answer.compartments <= may_receive(directory.services_of(recipient.id)):
                message = N_("This provider’s services do not need this part of the file.")
                raise InvalidInputError("compartments", message)


def write(unit: Unit, actor: Actor, case: Case, new: Sequence[NewAnswer], how: How) -> None:
    """Keep answers with how they were given, within an act that is recorded by its caller."""
    if actor.id is None:
        raise NotFoundError
    note_id = vault.seal_note(
        unit,
        actor,
        case.id,
        _how_document(how),
        kind="consent",
        compartment="consent",
        subject_id=case.id,
    )
    db.session.add_all(
        ConsentAnswer(
            case_id=case.id,
            purpose=answer.purpose,
            recipient_id=answer.recipient_id,
            answer=answer.answer,
            basis=how.basis,
            compartments=" ".join(sorted(answer.compartments)),
            recorded_by_id=actor.id,
            recorded_at=unit.now,
            expires_at=answer.expires_at,
            note_id=note_id,
        )
        for answer in new
    )


def _how_document(how: How) -> dict[str, Any]:
    return {**vars(how), "given_by": how.given_by.value, "explained": list(how.explained)}
