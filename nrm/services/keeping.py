"""Who looks after a case, as a part of other acts: each of these is recorded by its caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select, update

from nrm.audit.actions import Action, Outcome
from nrm.db import db
from nrm.domain.errors import ConflictError, IllegalStepError, InvalidInputError, Subject
from nrm.domain.roles import Actor, Role
from nrm.domain.text import N_
from nrm.models import Account, AuditEntry, Bar, Case, Organisation


@dataclass(frozen=True)
class Candidate:
    """A coordinator who can be asked, with their organisation's name."""

    account: Account
    organisation: str

    @property
    def is_away(self) -> bool:
        """Say whether they said that they are away now."""
        until = self.account.away_until
        return until is not None and until > datetime.now(UTC)


def owner_subject(account_id: UUID | None, case: Case) -> Subject:
    """Name for the log who looks after a case from now on, or did until now."""
    return Subject("owner", account_id, case.id)


def fall_to(actor: Actor, case: Case) -> list[str]:
    """Let a case that nobody looks after fall to whoever does the first real work on it.

    Names the field that changed. Who reads the flag and presumes, or asks what is needed, is who
    the others would ask; a button beside it would be forgotten.
    """
    if case.owner_id is not None:
        return []
    case.owner_id, case.left_by_id = actor.id, None
    return ["owner"]


def give(case: Case, to: UUID, *, instead_of: UUID | None) -> None:
    """Give a case to another owner, if it is still looked after by whom the page named.

    One conditional update: of two who take a case at once one wins, and the other hears who.
    """
    won = db.session.execute(
        update(Case)
        .where(
            Case.id == case.id,
            Case.owner_id.is_not_distinct_from(instead_of),
            Case.closed_at.is_(None),
        )
        .values(owner_id=to, left_by_id=None)
        .execution_options(synchronize_session=False)
        .returning(Case.id)
    ).scalar_one_or_none()
    db.session.refresh(
        case, ["owner_id", "left_by_id", "closed_at", "owner", "left_by", "deputy_id"]
    )
    if won is not None:
        return
    if case.closed_at is not None:
        raise IllegalStepError("assign", "closed")
    if case.owner is None:
        raise ConflictError(N_("Nobody looks after this case any more."))
    raise ConflictError(
        N_("Somebody else looks after this case now"), case.owner.name, _since(case)
    )


def _since(case: Case) -> datetime | None:
    """Say when the case last changed hands by a decision; a first act on it is told by itself."""
    return db.session.scalar(
        select(AuditEntry.occurred_at)
        .where(
            AuditEntry.case_id == case.id,
            AuditEntry.action.in_([Action.CASE_ASSIGN, Action.HANDOVER_TAKE]),
            AuditEntry.outcome == Outcome.DONE,
        )
        .order_by(AuditEntry.occurred_at.desc())
        .limit(1)
    )


def has_left(account: Account) -> bool:
    """Say whether somebody coordinates no more: only then is it told whose a case was.

    Who is still there may be kept out of the case. Asked why they let it go, they would know.
    """
    return account.disabled_at is not None or account.role is not Role.COORDINATOR


def refuse_closed(case: Case) -> None:
    """Refuse to move a case that is closed: nobody works on it any more."""
    if case.closed_at is not None:
        raise IllegalStepError("assign", "closed")


def coordinators() -> Select[Account, str]:
    """Select the coordinators who can be asked to look after a case, by name."""
    return (
        select(Account, Organisation.name)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(Account.role == Role.COORDINATOR, Account.disabled_at.is_(None))
        .order_by(Account.name, Account.id)
    )


def candidates(case: Case, organisation_id: UUID | None, *, colleagues: bool) -> list[Candidate]:
    """List who can be asked: in this organisation, or in the others; never who is barred."""
    same = Account.organisation_id == organisation_id
    query = coordinators().where(same if colleagues else ~same, ~_barred(case))
    return [Candidate(account, name) for account, name in db.session.execute(query)]


def _barred(case: Case) -> ColumnElement[bool]:
    whom = (Bar.account_id == Account.id) | (Bar.organisation_id == Account.organisation_id)
    return exists().where(Bar.case_id == case.id, Bar.lifted_at.is_(None), whom)


def chosen(among: Sequence[Candidate], account_id: UUID | None) -> Account:
    """Take one of those who can be asked; whoever cannot is as good as not there."""
    for candidate in among:
        if candidate.account.id == account_id:
            return candidate.account
    raise InvalidInputError("to", N_("Choose a person from the list."))
