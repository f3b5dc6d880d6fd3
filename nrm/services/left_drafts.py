"""Drafts left behind: whoever wrote them has gone, and the person is still to be flagged."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy.orm import aliased

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, Subject
from nrm.domain.policy import holds, require
from nrm.domain.roles import Actor, Permission, Role
from nrm.domain.text import N_
from nrm.domain.vocabulary import DRAFT_TAKE_REASON
from nrm.models import Account, FlagDraft, Organisation
from nrm.services import keeping, notices
from nrm.services.audit import record

# More than these at once are found when the first of them are taken over.
MOST_DRAFTS = 50


@dataclass(frozen=True)
class LeftDraft:
    """A draft whose writer has gone: who wrote it, when and where; nothing of it is opened."""

    draft: FlagDraft
    left_by: str
    organisation: str
    # Whether a first responder of that organisation is left who sees it under "my work".
    has_colleagues: bool


def of_colleagues(whom: Actor) -> Sequence[LeftDraft]:
    """List what colleagues who have gone left unsent, as part of a recorded reading."""
    if not holds(whom, Permission.DRAFT_TAKE):
        return []
    return _listed(_left().where(Account.organisation_id == whom.organisation_id))


def how_many(whom: Actor) -> int:
    """Count, up to a page, the drafts that a coordinator could give to somebody."""
    if not holds(whom, Permission.DRAFT_ASSIGN):
        return 0
    few = select(FlagDraft.id).join(Account, Account.id == FlagDraft.account_id).where(_gone())
    counted = select(func.count()).select_from(few.limit(MOST_DRAFTS).subquery())
    return db.session.scalars(counted).one()


def everywhere(actor: Actor) -> Sequence[LeftDraft]:
    """List every draft that was left behind, by organisation and date; none of them opens."""
    require(actor, Permission.DRAFT_ASSIGN)
    with unit_of_work() as unit:
        found = _listed(_left())
        record(unit, actor, Action.DRAFT_LIST, counts={"drafts": len(found)})
        return found


def to_give(actor: Actor, draft_id: UUID) -> tuple[LeftDraft, Sequence[keeping.Candidate]]:
    """Show a draft that was left behind and whom it can be given to; nothing of it opens."""
    require(actor, Permission.DRAFT_ASSIGN)
    with unit_of_work() as unit:
        found = _find(_left(), draft_id)
        record(unit, actor, Action.DRAFT_LIST, Subject("draft", draft_id))
        return found, _responders(found)


def to_take(actor: Actor, draft_id: UUID) -> LeftDraft:
    """Show a colleague's draft before it is taken over; nothing of it opens."""
    require(actor, Permission.DRAFT_TAKE)
    with unit_of_work() as unit:
        found = _find(_left().where(Account.organisation_id == actor.organisation_id), draft_id)
        record(unit, actor, Action.DRAFT_LIST, Subject("draft", draft_id))
        return found


def take(actor: Actor, draft_id: UUID, reason: str, *, form_id: UUID | None = None) -> None:
    """Take over the draft of a colleague who has gone: it is the actor's own from now on."""
    require(actor, Permission.DRAFT_TAKE)
    if reason not in DRAFT_TAKE_REASON:
        raise InvalidInputError("reason", N_("Choose why you take it over."))
    with unit_of_work(actor, form_id) as unit:
        found = _find(_left().where(Account.organisation_id == actor.organisation_id), draft_id)
        _move(found.draft, actor.id)
        record(unit, actor, Action.DRAFT_TAKE, Subject("draft", draft_id), purpose=reason)
        unit.outcome = str(draft_id)


def give(actor: Actor, draft_id: UUID, to: UUID | None, *, form_id: UUID | None = None) -> None:
    """Give a draft that was left behind to a first responder, without reading it."""
    require(actor, Permission.DRAFT_ASSIGN)
    with unit_of_work(actor, form_id) as unit:
        found = _find(_left(), draft_id)
        given_to = keeping.chosen(_responders(found), to)
        _move(found.draft, given_to.id)
        notices.tell(unit, [given_to.id], "draft_given", draft_id, None)
        record(unit, actor, Action.DRAFT_ASSIGN, Subject("draft", draft_id))
        unit.outcome = str(draft_id)


def _move(draft: FlagDraft, to: UUID | None) -> None:
    """Give the draft to another writer by one conditional update: of two at once, one has it."""
    won = db.session.execute(
        update(FlagDraft)
        .where(FlagDraft.id == draft.id, FlagDraft.account_id == draft.account_id)
        .values(account_id=to)
        .execution_options(synchronize_session=False)
        .returning(FlagDraft.id)
    ).scalar_one_or_none()
    if won is None:
        raise ConflictError(N_("Somebody else took this draft over."))


def _responders(found: LeftDraft) -> Sequence[keeping.Candidate]:
    """List who can go on with a draft: those of its organisation, or everybody if none is left."""
    query = (
        select(Account, Organisation.name)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(Account.role == Role.FIRST_RESPONDER, Account.disabled_at.is_(None))
        .order_by(Account.name, Account.id)
    )
    if found.has_colleagues:
        query = query.where(Organisation.name == found.organisation)
    return [keeping.Candidate(account, name) for account, name in db.session.execute(query)]


def _left() -> Select[FlagDraft, str, str, bool]:
    colleague = aliased(Account)
    has_colleagues = exists().where(
        colleague.organisation_id == Account.organisation_id,
        colleague.role == Role.FIRST_RESPONDER,
        colleague.disabled_at.is_(None),
    )
    return (
        select(FlagDraft, Account.name, Organisation.name, has_colleagues)
        .join(Account, Account.id == FlagDraft.account_id)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(_gone())
        .order_by(FlagDraft.saved_at, FlagDraft.id)
    )


def _gone() -> ColumnElement[bool]:
    """Say that a writer has gone: the account is disabled, or in a role that flags nobody."""
    return Account.disabled_at.is_not(None) | (Account.role != Role.FIRST_RESPONDER)


def _listed(query: Select[FlagDraft, str, str, bool]) -> Sequence[LeftDraft]:
    return [LeftDraft(*row) for row in db.session.execute(query.limit(MOST_DRAFTS))]


def _find(query: Select[FlagDraft, str, str, bool], draft_id: UUID) -> LeftDraft:
    row = db.session.execute(query.where(FlagDraft.id == draft_id)).one_or_none()
    if row is None:
        raise NotFoundError(Subject("draft"))
    return LeftDraft(*row)
