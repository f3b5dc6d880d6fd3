"""Identification: a flag is written and sent; a coordinator records a presumption."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import Unit, db, unit_of_work
from nrm.domain import flag
from nrm.domain.consent import BASIS_CONSENT, Answer
from nrm.domain.deadlines import flag_review_due
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, Subject
from nrm.domain.lifecycle import FLAG, OPEN_FILE, PRESUME, Assistance, advance
from nrm.domain.policy import require
from nrm.domain.reference import new_case_reference
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import Urgency, is_under_16
from nrm.models import Case, ConsentAnswer, FlagDraft
from nrm.services import keeping, left_drafts, search_index, vault, visibility
from nrm.services.audit import record
from nrm.services.facts import counted

PAGE = 25


@dataclass(frozen=True)
class Draft:
    """A flag that is being written, as its writer sees it."""

    id: UUID
    started_at: datetime
    saved_at: datetime
    pages: dict[str, dict[str, Any]]
    # Pages that were left before they could be finished, as far as they were typed.
    begun: dict[str, dict[str, Any]]

    @property
    def open_pages(self) -> list[str]:
        """The pages that are not answered yet."""
        return flag.open_pages(self.pages)


@dataclass(frozen=True)
class Flags:
    """What a first responder finds under "my work": drafts, and flags that were sent."""

    drafts: Sequence[FlagDraft]
    flags: Sequence[Case]
    older: tuple[datetime, UUID] | None
    # Drafts of colleagues who have gone: people whom nobody has flagged yet.
    left: Sequence[left_drafts.LeftDraft] = ()


def start_draft(
    actor: Actor, *, same_place_as: str | None = None, form_id: UUID | None = None
) -> UUID:
    """Begin a flag; `same_place_as` is the reference of one's own flag from the same incident."""
    require(actor, Permission.CASE_FLAG)
    with unit_of_work(actor, form_id) as unit:
        incident_id = uuid4()
        if same_place_as is not None:
            incident_id = visibility.case(actor, same_place_as, Permission.FLAG_VIEW).incident_id
        draft = FlagDraft(
            id=uuid4(),
            account_id=_person(actor),
            incident_id=incident_id,
            started_at=unit.now,
            saved_at=unit.now,
            current_revision=0,
        )
        db.session.add(draft)
        # The row must be there before its first sealed revision points to it.
        db.session.flush()
        vault.seal_draft(unit, draft, {"pages": {}})
        record(unit, actor, Action.DRAFT_SAVE, Subject("draft", draft.id))
        unit.outcome = str(draft.id)
        return draft.id


def save_page(
    actor: Actor, draft_id: UUID, page: str, answers: dict[str, Any], *, finished: bool = True
) -> None:
    """Save one page of a draft, sealed; what the other pages hold stays as it is.

    A page that is not `finished` is kept for its writer and stays open.
    """
    require(actor, Permission.CASE_FLAG)
    if page not in flag.PAGES:
        raise NotFoundError(Subject("draft", draft_id))
    with unit_of_work() as unit:
        draft = _own_draft(actor, draft_id)
        document = vault.open_draft(unit, draft)
        changed = flag.with_page(document, page, answers, finished=finished)
        vault.seal_draft(unit, draft, changed)
        record(unit, actor, Action.DRAFT_SAVE, Subject("draft", draft.id), fields=answers)


def read_draft(actor: Actor, draft_id: UUID) -> Draft:
    """Read one's own draft."""
    require(actor, Permission.CASE_FLAG)
    with unit_of_work() as unit:
        draft = _own_draft(actor, draft_id)
        document = vault.open_draft(unit, draft)
        record(unit, actor, Action.DRAFT_OPEN, Subject("draft", draft.id))
        return Draft(
            draft.id,
            draft.started_at,
            draft.saved_at,
            document["pages"],
            document.get("begun", {}),
        )


def delete_draft(actor: Actor, draft_id: UUID, *, form_id: UUID | None = None) -> None:
    """Throw a draft away with its key."""
    require(actor, Permission.CASE_FLAG)
    with unit_of_work(actor, form_id) as unit:
        draft = _own_draft(actor, draft_id)
        vault.destroy_draft(draft)
        record(unit, actor, Action.DRAFT_DELETE, Subject("draft", draft_id))


def send_flag(
    actor: Actor, draft_id: UUID, pack: CountryPack, *, form_id: UUID | None = None
) -> str:
    """Send the flag: the draft becomes a case in the coordinator's queue; returns its reference."""
    require(actor, FLAG.needs)
    with unit_of_work(actor, form_id) as unit:
        draft = _own_draft(actor, draft_id)
        pages = vault.open_draft(unit, draft)["pages"]
        if flag.open_pages(pages):
            raise InvalidInputError("pages", N_("Answer the open pages before you send the flag."))
        today = unit.now.astimezone(pack.zone).date()
        case = _new_case(unit, actor, draft, pages, pack, today)
        db.session.add(case)
        # The sealed rows and the answer below point to the case.
        db.session.flush()
        documents = flag.documents(pages, today)
        vault.seal_new_case(unit, case, documents)
        search_index.write(case.id, documents)
        band = flag.person_age_band(pages["person"], today)
        _record_first_consent(unit, actor, case, pages["consent"], under_16=is_under_16(band))
        counted(unit, case.id, "flagged", today)
        vault.destroy_draft(draft)
        record(unit, actor, Action.CASE_FLAG, visibility.case_subject(case))
        unit.outcome = case.reference
        return case.reference


def my_flags(actor: Actor, after: tuple[datetime, UUID] | None = None) -> Flags:
    """List one's own drafts and flags, newest first; nothing of them is opened."""
    require(actor, Permission.CASE_FLAG)
    query = (
        visibility.visible_cases(actor, Permission.FLAG_VIEW)
        .order_by(Case.flagged_at.desc(), Case.id.desc())
        .limit(PAGE + 1)
    )
    if after is not None:
        moment, last = after
        query = query.where(
            (Case.flagged_at < moment) | ((Case.flagged_at == moment) & (Case.id < last))
        )
    with unit_of_work() as unit:
        drafts = db.session.scalars(
            select(FlagDraft)
            .where(FlagDraft.account_id == actor.id)
            .order_by(FlagDraft.saved_at.desc())
            .limit(PAGE)
        ).all()
        cases = db.session.scalars(query).all()
        shown = cases[:PAGE]
        left = left_drafts.of_colleagues(actor)
        counts = {"flags": len(shown), "drafts": len(drafts), "drafts_left": len(left)}
        record(unit, actor, Action.FLAG_LIST, counts=counts)
    older = (shown[-1].flagged_at, shown[-1].id) if len(cases) > PAGE else None
    return Flags(drafts, shown, older, left)


def my_flag(actor: Actor, reference: str) -> Case:
    """Read where one's own flag stands: its state, and nothing that was added since."""
    with unit_of_work() as unit:
        case = visibility.case(actor, reference, Permission.FLAG_VIEW)
        record(unit, actor, Action.FLAG_VIEW, visibility.case_subject(case))
        return case


def presume(
    actor: Actor,
    reference: str,
    *,
    basis: Sequence[str],
    words: str,
    version: int,
    pack: CountryPack,
    form_id: UUID | None = None,
) -> str:
    """Record that there are grounds to presume a victim, with the reason.

    A presumption opens the way to assistance; it decides nothing about the offence.
    """
    with unit_of_work(actor, form_id) as unit:
        case = visibility.case(actor, reference, Permission.CASE_VIEW, lock=True)
        require(actor, PRESUME.needs, visibility.case_standing(case))
        expect_version(case, version)
        case.identification = advance(case.identification, PRESUME)
        case.presumed_at = unit.now
        changed = keeping.fall_to(actor, case)
        if case.assistance is Assistance.WAITING:
            case.due_at = flag_review_due(unit.now, Urgency(case.urgency), pack.clocks)
        vault.seal_note(
            unit,
            actor,
            case.id,
            {"basis": list(basis), "words": words},
            kind="presumption",
            compartment="narrative",
            subject_id=case.id,
        )
        today = unit.now.astimezone(pack.zone).date()
        counted(unit, case.id, "presumed", today, days=(unit.now - case.flagged_at).days)
        record(
            unit,
            actor,
            Action.CASE_PRESUME,
            visibility.case_subject(case),
            fields=["basis", "words", *changed],
        )
        unit.outcome = case.reference
        return case.reference


def expect_version(case: Case, version: int) -> None:
    """Refuse a form that was filled in on an older version of the file."""
    if case.version != version:
        raise ConflictError(N_("Someone else changed this case while you were working on it."))


def _person(actor: Actor) -> UUID:
    if actor.id is None:
        raise NotFoundError
    return actor.id


def _own_draft(actor: Actor, draft_id: UUID) -> FlagDraft:
    draft = db.session.scalars(
        select(FlagDraft)
        .where(FlagDraft.id == draft_id, FlagDraft.account_id == actor.id)
        .with_for_update()
    ).one_or_none()
    if draft is None:
        raise NotFoundError(Subject("draft"))
    return draft


def _new_case(
    unit: Unit,
    actor: Actor,
    draft: FlagDraft,
    pages: dict[str, dict[str, Any]],
    pack: CountryPack,
    today: date,
) -> Case:
    urgency = flag.flag_urgency(pages, today)
    return Case(
        id=uuid4(),
        reference=new_case_reference(),
        incident_id=draft.incident_id,
        identification=FLAG.enters,
        assistance=OPEN_FILE.enters,
        urgency=int(urgency),
        due_at=flag_review_due(unit.now, urgency, pack.clocks),
        flagged_by_id=_person(actor),
        flagged_by_organisation_id=actor.organisation_id,
        flagged_at=unit.now,
        version=1,
    )


def _record_first_consent(
    unit: Unit, actor: Actor, case: Case, consent: dict[str, Any], *, under_16: bool
) -> None:
    """Keep what the person answered at the flag as the first answer for the referral to us.

    A child under 16 cannot agree alone (law 058/2021 art. 9): a child's yes stays in the facts as
    asked, and the coordinator asks the guardian.
    """
    granted = consent.get("agrees") == "yes"
    if consent.get("consent_asked") != "yes" or (granted and under_16):
        return
    note_id = vault.seal_note(
        unit,
        actor,
        case.id,
        {"method": "oral", "given_by": "person", "at": "flag"},
        kind="consent",
        compartment="consent",
        subject_id=case.id,
    )
    db.session.add(
        ConsentAnswer(
            case_id=case.id,
            purpose="refer_nrm",
            answer=Answer.GRANTED if granted else Answer.REFUSED,
            basis=BASIS_CONSENT,
            compartments="",
            recorded_by_id=_person(actor),
            recorded_at=unit.now,
            note_id=note_id,
        )
    )
