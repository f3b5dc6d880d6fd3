"""Another institution's sign-in (OpenID Connect): who is connected with which account.

Nobody is found by an e-mail address: whoever is signed in here connects the two themselves.
"""

from collections.abc import Mapping
from uuid import UUID, uuid4

from sqlalchemy import delete, or_, select

from config import OpenIdProvider
from nrm.audit.actions import Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.errors import ConflictError, FederationError, NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import HOUSEKEEPING, Actor, Permission
from nrm.domain.text import N_
from nrm.models import FederatedIdentity
from nrm.security import openid
from nrm.security.openid import Asked, Identity, OpenIdError
from nrm.services import delays, notices
from nrm.services.audit import record, record_alone
from nrm.services.delays import Step

_TAKEN = N_(
    "This account there, or your account here, is connected already. Remove the older connection "
    "first."
)


def ask(provider: OpenIdProvider, back: str) -> tuple[str, Asked]:
    """Say where to send a browser; raises FederationError where the provider does not answer."""
    try:
        return openid.ask(provider, back)
    except OpenIdError as error:
        raise FederationError(error.why) from None


def answered(
    provider: OpenIdProvider, back: str, asked: Asked, answer: Mapping[str, str], address: str
) -> Identity:
    """Say who came back; an answer that proves nothing leaves its entry and a FederationError.

    Raises TooManyTriesError where too many of those came from a network: each makes us ask theirs.
    """
    delays.begin(Step.FEDERATED, "", address)
    try:
        found = openid.identity(provider, back, asked, answer)
    except OpenIdError as error:
        raise failed(error.why) from None
    with unit_of_work() as unit:
        delays.right(unit, Step.FEDERATED, "", address)
    return found


def failed(why: str, account_id: UUID | None = None) -> FederationError:
    """Write down that somebody could not come in this way; returns what to raise."""
    about = Subject("account", account_id)
    purpose = f"federated-{why}"
    record_alone(HOUSEKEEPING, Action.SESSION_FAIL, about, Outcome.FAILED, purpose=purpose)
    return FederationError(why)


def known(found: Identity) -> FederatedIdentity | None:
    """Find the connection of somebody at the provider."""
    return db.session.scalars(
        select(FederatedIdentity).where(
            FederatedIdentity.issuer == found.issuer, FederatedIdentity.subject == found.subject
        )
    ).one_or_none()


def of(account_id: UUID | None) -> FederatedIdentity | None:
    """Return the connection of an account."""
    found = select(FederatedIdentity).where(FederatedIdentity.account_id == account_id)
    return db.session.scalars(found).one_or_none()


def connect(actor: Actor, found: Identity) -> None:
    """Let somebody come in by the provider's sign-in from now on; raises ConflictError if taken."""
    require(actor, Permission.WORK_VIEW)
    with unit_of_work(actor) as unit:
        theirs = (
            FederatedIdentity.issuer == found.issuer,
            FederatedIdentity.subject == found.subject,
        )
        taken = select(FederatedIdentity.id).where(
            or_(FederatedIdentity.account_id == actor.id, theirs[0] & theirs[1])
        )
        if db.session.scalars(taken).first() is not None:
            raise ConflictError(_TAKEN)
        db.session.add(
            FederatedIdentity(
                id=uuid4(),
                account_id=actor.id,
                issuer=found.issuer,
                subject=found.subject,
                connected_at=unit.now,
            )
        )
        record(unit, actor, Action.FEDERATION_CONNECT, Subject("account", actor.id))
        notices.tell_of_sign_in(unit, actor, actor.id, "connection_added")


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
