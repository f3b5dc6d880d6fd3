"""What one person has to be told on their next page: by codes and references, nothing of a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, func, insert, or_, select

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission, Role
from nrm.domain.vocabulary import NOTICE_KIND
from nrm.models import Account, Bar, Case, Notice
from nrm.services.audit import record

# Nobody reads more at once; the next ones come when these are seen.
MOST = 50
_BETWEEN = " "


@dataclass(frozen=True)
class Told:
    """One notice, with the reference of the case that it is about; none, where it is about none."""

    notice: Notice
    case_reference: str


def tell(
    unit: Unit, account_ids: Iterable[UUID], kind: str, subject_id: UUID, case_id: UUID | None
) -> None:
    """Tell people something, within the caller's act; who is barred from the case is not told."""
    if kind not in NOTICE_KIND:
        raise ValueError(f"no such kind of notice: {kind}")
    wanted = select(Account.id).where(
        Account.id.in_(sorted(set(account_ids))),
        ~_kept_from(case_id),
        Account.disabled_at.is_(None),
    )
    db.session.add_all(
        Notice(
            account_id=account_id,
            kind=kind,
            subject_id=subject_id,
            case_id=case_id,
            made_at=unit.now,
        )
        for account_id in db.session.scalars(wanted).all()
    )


def tell_of_sign_in(unit: Unit, actor: Actor, account_id: UUID | None, kind: str) -> None:
    """Tell a person that how they sign in was changed, also where they did it themselves.

    Somebody else may have sat there: so the sitting in which it was done is not told, which said
    so at the time and could mark it as seen, but all others and the next one. Whoever never came
    in has nothing to compare. A disabled account is told as well, for when it is enabled again.
    """
    if kind not in NOTICE_KIND:
        raise ValueError(f"no such kind of notice: {kind}")
    came_in = select(Account.id).where(Account.id == account_id, Account.seen_at.is_not(None))
    if db.session.scalar(came_in) is None:
        return
    # The columns are named, because the analysts' own process may write no others.
    db.session.execute(
        insert(Notice).values(
            account_id=account_id,
            kind=kind,
            subject_id=account_id,
            made_at=unit.now,
            made_in=actor.session_ref if actor.id == account_id else "",
        )
    )


def everyone_in(*roles: Role) -> Sequence[UUID]:
    """Name the accounts of a role that can sign in, for whoever is told as one of them."""
    return db.session.scalars(
        select(Account.id).where(Account.role.in_(roles), Account.disabled_at.is_(None))
    ).all()


def unseen() -> ScalarSelect[str]:
    """Select in which sittings was made what the account of a row has not seen, as one text.

    The sitting asks with itself, and knows afterwards by which name; see `is_for`.
    """
    waits = select(func.aggregate_strings(Notice.made_in, _BETWEEN)).where(
        Notice.account_id == Account.id,
        Notice.seen_at.is_(None),
        or_(Notice.case_id.is_(None), ~_kept_from(Notice.case_id)),
    )
    return waits.correlate_except(Notice).scalar_subquery()


def is_for(made_in: str | None, session_ref: str) -> bool:
    """Say whether any of what is `unseen` is for a sitting: whatever it did not do itself."""
    return made_in is not None and any(one != session_ref for one in made_in.split(_BETWEEN))


def waiting(actor: Actor) -> Sequence[Told]:
    """List what the actor was told and has not marked as seen, the newest first."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work() as unit:
        found = db.session.scalars(
            select(Notice)
            .join(Account, Account.id == Notice.account_id)
            .where(*_own(actor), Notice.seen_at.is_(None))
            .order_by(Notice.made_at.desc(), Notice.id)
            .limit(MOST)
        ).all()
        references = _references({one.case_id for one in found if one.case_id is not None})
        record(unit, actor, Action.NOTICE_LIST, counts={"notices": len(found)})
    return [Told(one, references.get(one.case_id, "")) for one in found]


def _references(case_ids: set[UUID]) -> dict[UUID | None, str]:
    """Name cases; whoever is told of none does not ask, and may have no right to."""
    if not case_ids:
        return {}
    rows = db.session.execute(select(Case.id, Case.reference).where(Case.id.in_(case_ids)))
    return {row.id: row.reference for row in rows}


def see(actor: Actor, notice_id: UUID, *, form_id: UUID | None = None) -> None:
    """Mark one's own notice as seen; it is not shown again."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work(actor, form_id) as unit:
        notice = db.session.scalars(
            select(Notice)
            .join(Account, Account.id == Notice.account_id)
            .where(*_own(actor), Notice.id == notice_id)
        ).one_or_none()
        if notice is None:
            raise NotFoundError(Subject("notice"))
        notice.seen_at = notice.seen_at or unit.now
        record(unit, actor, Action.NOTICE_SEE, Subject("notice", notice.id, notice.case_id))
        unit.outcome = str(notice.id)


def _own(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Say which notices are the actor's, unless a bar came between them and the case since.

    What this very sitting did is for the others.
    """
    return (
        Notice.account_id == (actor.id or UUID(int=0)),
        or_(Notice.made_in == "", Notice.made_in != actor.session_ref),
        or_(Notice.case_id.is_(None), ~_kept_from(Notice.case_id)),
    )


def _kept_from(case_id: object) -> ColumnElement[bool]:
    """Say whether a bar keeps the account of a row, or its organisation, from a case."""
    whom = or_(Bar.account_id == Account.id, Bar.organisation_id == Account.organisation_id)
    # The account is the row's own, however deep the question stands in another one. The columns
    # are named, because the analysts' own process may read no others.
    barred = select(Bar.case_id).where(Bar.case_id == case_id, Bar.lifted_at.is_(None), whom)
    return barred.correlate_except(Bar).exists()
