"""Organisations: those whose people have accounts, as the national administrator keeps them."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import select

from nrm.audit.actions import Action
from nrm.db import Unit, db, unit_of_work
from nrm.domain.errors import InvalidInputError, NotFoundError, Subject
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import ORGANISATION_TYPE
from nrm.models import Organisation
from nrm.services.audit import record


def every() -> Sequence[Organisation]:
    """Return every organisation by name."""
    return db.session.scalars(select(Organisation).order_by(Organisation.name)).all()


def organisation(actor: Actor, organisation_id: UUID) -> Organisation:
    """Return one organisation."""
    require(actor, Permission.ORGANISATION_MANAGE)
    found = db.session.get(Organisation, organisation_id)
    if found is None:
        raise NotFoundError(Subject("organisation"))
    return found


def create(
    actor: Actor,
    name: str,
    kind: str,
    district: str,
    *,
    is_provider: bool,
    form_id: UUID | None = None,
) -> UUID:
    """Create an organisation to which accounts can belong."""
    require(actor, Permission.ORGANISATION_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        made = add_organisation(unit, name, kind, district, is_provider=is_provider)
        record(unit, actor, Action.ORGANISATION_CREATE, Subject("organisation", made.id))
        unit.outcome = str(made.id)
        return made.id


def change(
    actor: Actor,
    organisation_id: UUID,
    name: str,
    kind: str,
    district: str,
    *,
    form_id: UUID | None = None,
) -> None:
    """Correct what an organisation is called, what it is, and where."""
    require(actor, Permission.ORGANISATION_MANAGE)
    with unit_of_work(actor, form_id) as unit:
        found = db.session.get(Organisation, organisation_id, with_for_update=True)
        if found is None:
            raise NotFoundError(Subject("organisation"))
        _check(name, kind, but=organisation_id)
        new = {"name": name, "kind": kind, "district": district}
        changed = [part for part, value in new.items() if getattr(found, part) != value]
        for part in changed:
            setattr(found, part, new[part])
        about = Subject("organisation", organisation_id)
        record(unit, actor, Action.ORGANISATION_CHANGE, about, fields=changed)
        unit.outcome = str(organisation_id)


def add_organisation(
    unit: Unit, name: str, kind: str, district: str, *, is_provider: bool
) -> Organisation:
    """Add an organisation within an act that is recorded by its caller."""
    _check(name, kind)
    made = Organisation(
        id=uuid4(),
        name=name,
        kind=kind,
        district=district,
        is_provider=is_provider,
        created_at=unit.now,
    )
    db.session.add(made)
    # Accounts and listings point to the organisation.
    db.session.flush()
    return made


def _check(name: str, kind: str, but: UUID | None = None) -> None:
    if kind not in ORGANISATION_TYPE:
        raise InvalidInputError("kind", N_("Choose what kind of organisation it is."))
    same_name = select(Organisation.id).where(Organisation.name == name)
    if but is not None:
        same_name = same_name.where(Organisation.id != but)
    if db.session.scalars(same_name).first() is not None:
        raise InvalidInputError("name", N_("An organisation with this name exists already."))
