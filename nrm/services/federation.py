"""Another institution's sign-in (OpenID Connect): who is connected with which account.

Nobody is found by an e-mail address: whoever is signed in here connects the two themselves.
"""

from collections.abc import Mapping
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.exc import IntegrityError

from config import OpenIdProvider
from nrm.audit.actions import Action, Outcome
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import ConflictError, FederationError, NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission
from nrm.domain.text import N_
from nrm.models import Account, FederatedIdentity
from nrm.security import openid
from nrm.security.openid import Asked, Identity, OpenIdError
from nrm.services import accounts, delays, notices, sessions
from nrm.services.audit import record, record_alone
from nrm.services.delays import Step

_TAKEN = N_(
    "This account there, or your account here, is connected already. Remove the older connection "
    "first."
)


def ask(provider: OpenIdProvider, back: str) -> tuple[str, Asked]:
    """Say where to send a browser; raises FederationError where the provider does not say it."""
    _let_go()
    try:
        return openid.ask(provider, back)
    except OpenIdError as error:
        raise FederationError(error.why) from None


def answered(
    provider: OpenIdProvider, back: str, asked: Asked, answer: Mapping[str, str], address: str
) -> Identity:
    """Say who came back; raises FederationError where that is not beyond doubt.

    Raises TooManyTriesError where too many of those came from a network: each makes us ask theirs.
    """
    delays.begin(Step.FEDERATED, "", address)
    _let_go()
    try:
        found = openid.identity(provider, back, asked, answer)
    except OpenIdError as error:
        raise FederationError(error.why) from None
    with unit_of_work() as unit:
        delays.right(unit, Step.FEDERATED, "", address)
    return found


def _let_go() -> None:
    """Hold nothing of the database while another institution is asked, which may take seconds."""
    db.session.rollback()


def tell(error: FederationError) -> None:
    """Write down that somebody could not come in this way, and why."""
    about, purpose = error.subject, f"federated-{error.why}"
    record_alone(HOUSEKEEPING, Action.SESSION_FAIL, about, Outcome.FAILED, purpose=purpose)


def used(unit: Unit, found: Identity) -> FederatedIdentity:
    """Use the connection of somebody at the provider; raises FederationError where there is none.

    The account is held first, as by whatever resets or disables it: of the two, one comes first.
    """
    theirs = select(FederatedIdentity.account_id).where(*_is(found))
    account = accounts.held(db.session.scalar(theirs))
    connection = db.session.scalars(select(FederatedIdentity).where(*_is(found))).one_or_none()
    if account is None or connection is None or connection.account_id != account.id:
        raise FederationError("unknown")
    if account.disabled_at is not None or not account.password_hash:
        raise FederationError("disabled", Subject("account", account.id))
    connection.used_at = unit.now
    return connection


def _is(found: Identity) -> tuple[ColumnElement[bool], ...]:
    issuer, subject = FederatedIdentity.issuer, FederatedIdentity.subject
    return issuer == found.issuer, subject == found.subject


def of(account_id: UUID | None) -> FederatedIdentity | None:
    """Return the connection of an account."""
    found = select(FederatedIdentity).where(FederatedIdentity.account_id == account_id)
    return db.session.scalars(found).one_or_none()


def connect(actor: Actor, sitting: UUID | None, found: Identity) -> None:
    """Let somebody come in by the provider's sign-in from now on; raises ConflictError if taken.

    Raises FederationError where the sitting ended meanwhile, or its second factor was shown too
    long ago: whoever sits there now need not be who was sent away.
    """
    require(actor, Permission.WORK_VIEW)
    try:
        with unit_of_work(actor) as unit:
            account = _who_sits_there(unit, actor, sitting)
            _add(unit, account.id, found)
            about = Subject("account", account.id)
            record(unit, actor, Action.FEDERATION_CONNECT, about)
            notices.tell_of_sign_in(unit, actor, account.id, "connection_added")
    except FederationError as error:
        not_connected(actor, error)
        raise
    except IntegrityError:
        # Somebody else connected the same at this moment.
        raise ConflictError(_TAKEN) from None


def _who_sits_there(unit: Unit, actor: Actor, sitting: UUID | None) -> Account:
    account = accounts.held(actor.id)
    if account is None or sitting is None or not sessions.confirmed(unit, sitting):
        raise FederationError("late")
    return account


def _add(unit: Unit, account_id: UUID, found: Identity) -> None:
    here, issuer, subject = FederatedIdentity.account_id == account_id, *_is(found)
    taken = select(FederatedIdentity.id).where(or_(here, issuer & subject))
    if db.session.scalars(taken).first() is not None:
        raise ConflictError(_TAKEN)
    db.session.add(
        FederatedIdentity(
            id=uuid4(),
            account_id=account_id,
            issuer=found.issuer,
            subject=found.subject,
            connected_at=unit.now,
        )
    )
    db.session.flush()


def not_connected(actor: Actor, error: FederationError) -> None:
    """Write down that somebody connected nothing, and why."""
    require(actor, Permission.WORK_VIEW)
    about, purpose = Subject("account", actor.id), f"federated-{error.why}"
    record_alone(actor, Action.FEDERATION_CONNECT, about, Outcome.FAILED, purpose=purpose)


def disconnect(actor: Actor, *, form_id: UUID | None = None) -> None:
    """Take one's connection back."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work(actor, form_id) as unit:
        if not forget(actor.id):
            raise NotFoundError(Subject("account", actor.id))
        record(unit, actor, Action.FEDERATION_DISCONNECT, Subject("account", actor.id))
        notices.tell_of_sign_in(unit, actor, actor.id, "connection_removed")
        unit.outcome = str(actor.id)


def forget(account_id: UUID | None) -> int:
    """Remove the connection of an account within the act of its caller; returns how many."""
    gone = db.session.execute(
        delete(FederatedIdentity)
        .where(FederatedIdentity.account_id == account_id)
        .returning(FederatedIdentity.id)
    )
    return len(gone.all())
