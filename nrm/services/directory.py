"""The directory: listings are submitted, approved by another person until a date, suspended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from nrm.audit.actions import Action
from nrm.country import CountryPack
from nrm.db import db, unit_of_work
from nrm.domain.errors import ConflictError, InvalidInputError, NotFoundError, Subject
from nrm.domain.lifecycle import (
    APPROVE_LISTING,
    SUBMIT_LISTING,
    SUSPEND_LISTING,
    ListingState,
    advance,
)
from nrm.domain.policy import require
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import AGE_BAND, LANGUAGE, NEED, SEX
from nrm.models import Account, Listing, ListingService, Organisation
from nrm.services import visibility
from nrm.services.audit import record

PAGE = 50


@dataclass(frozen=True)
class Entry:
    """A listing with its organisation's name and the services that it offers."""

    listing: Listing
    name: str
    services: tuple[str, ...]
    submitted_by: str = ""
    approved_by: str = ""

    @property
    def sexes(self) -> list[str]:
        """Whom it serves; none named means that nobody said."""
        return [code for code in self.listing.serves.split() if code in SEX]

    @property
    def ages(self) -> list[str]:
        """Which ages it serves, youngest first."""
        return [code for code in AGE_BAND if code in self.listing.serves.split()]

    def usable(self, today: date) -> bool:
        """Say whether it may receive something new: approved, and not past its date."""
        until = self.listing.approved_until
        return self.listing.state is ListingState.APPROVED and until is not None and until >= today

    def lapsed(self, today: date) -> bool:
        """Say whether its approval ran out: nobody took it away, the date has passed."""
        return self.listing.state is ListingState.APPROVED and not self.usable(today)


@dataclass(frozen=True)
class NewListing:
    """What a listing says when it is submitted."""

    organisation_id: UUID
    services: tuple[str, ...]
    serves: tuple[str, ...]
    languages: tuple[str, ...]
    district: str
    places: int | None = None


def approved_for(service: str, today: date, district: str = "") -> list[Entry]:
    """Return the approved listings that offer a service, in one district where one is named."""
    # A service of no code list is offered by nobody; it never reaches the database.
    if service not in NEED:
        return []
    query = (
        select(Listing, Organisation.name)
        .join(ListingService, ListingService.listing_id == Listing.id)
        .join(Organisation, Organisation.id == Listing.organisation_id)
        .where(ListingService.service == service)
        .where(Listing.state == ListingState.APPROVED, Listing.approved_until >= today)
        .order_by(Organisation.name)
    )
    if district:
        query = query.where(Listing.district == district)
    return _with_services([(row[0], row[1], "", "") for row in db.session.execute(query).all()])


def approved_providers(actor: Actor, today: date) -> list[tuple[UUID, str]]:
    """Return the organisations that may receive something new, by name."""
    require(actor, Permission.DIRECTORY_VIEW)
    rows = db.session.execute(
        select(Organisation.id, Organisation.name)
        .join(Listing, Listing.organisation_id == Organisation.id)
        .where(Listing.state == ListingState.APPROVED, Listing.approved_until >= today)
        .order_by(Organisation.name)
    ).all()
    return [(identifier, name) for identifier, name in rows]


def services_of(organisation_id: UUID) -> frozenset[str]:
    """Return the services that an organisation is listed for, however its listing stands."""
    return offered_by([organisation_id])[organisation_id]


def offered_by(organisation_ids: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """Return the services that each of these organisations is listed for, in one statement."""
    found: dict[UUID, set[str]] = {identifier: set() for identifier in organisation_ids}
    rows = db.session.execute(
        select(Listing.organisation_id, ListingService.service)
        .join(ListingService, ListingService.listing_id == Listing.id)
        .where(Listing.organisation_id.in_(tuple(found)))
    )
    for identifier, service in rows:
        found[identifier].add(service)
    return {identifier: frozenset(services) for identifier, services in found.items()}


def usable_listing(organisation_id: UUID, service: str, today: date) -> Entry:
    """Return the listing under which a referral may be sent; raises ConflictError otherwise."""
    entries = [
        entry
        for entry in approved_for(service, today)
        if entry.listing.organisation_id == organisation_id
    ]
    if not entries:
        raise ConflictError(
            N_("This provider is not approved for the service now. Choose another one.")
        )
    return entries[0]


def entries(actor: Actor, after: UUID | None = None) -> tuple[list[Entry], UUID | None]:
    """List the directory by name; returns (entries, after which listing the next page begins)."""
    require(actor, Permission.DIRECTORY_VIEW)
    query = _entries().order_by(Organisation.name).limit(PAGE + 1)
    if after is not None:
        last = (
            select(Organisation.name)
            .join(Listing, Listing.organisation_id == Organisation.id)
            .where(Listing.id == after)
        )
        query = query.where(Organisation.name > last.scalar_subquery())
    rows = [(row[0], row[1], row[2], row[3] or "") for row in db.session.execute(query).all()]
    return _with_services(rows[:PAGE]), rows[PAGE - 1][0].id if len(rows) > PAGE else None


def entry(actor: Actor, listing_id: UUID) -> Entry:
    """Return one listing."""
    require(actor, Permission.DIRECTORY_VIEW)
    row = db.session.execute(_entries().where(Listing.id == listing_id)).one_or_none()
    if row is None:
        raise NotFoundError(Subject("listing"))
    return _with_services([(row[0], row[1], row[2], row[3] or "")])[0]


def _entries() -> Select[Listing, str, str, str | None]:
    """Select listings with the names of their organisation, submitter and approver."""
    approver = aliased(Account)
    return (
        select(Listing, Organisation.name, Account.name, approver.name)
        .join(Organisation, Organisation.id == Listing.organisation_id)
        .join(Account, Account.id == Listing.submitted_by_id)
        .outerjoin(approver, approver.id == Listing.approved_by_id)
    )


def providers() -> Sequence[Organisation]:
    """Return the organisations that give services."""
    return db.session.scalars(select(Organisation).where(Organisation.is_provider)).all()


def unlisted_providers() -> Sequence[Organisation]:
    """Return the provider organisations that have no listing yet."""
    return db.session.scalars(
        select(Organisation)
        .outerjoin(Listing, Listing.organisation_id == Organisation.id)
        .where(Organisation.is_provider, Listing.id.is_(None))
        .order_by(Organisation.name)
    ).all()


def submit(
    actor: Actor, new: NewListing, pack: CountryPack, *, form_id: UUID | None = None
) -> UUID:
    """Submit a listing; it receives nothing until somebody else has approved it."""
    require(actor, SUBMIT_LISTING.needs)
    _check(new, pack)
    with unit_of_work(actor, form_id) as unit:
        provider = db.session.get(Organisation, new.organisation_id)
        if provider is None or not provider.is_provider or actor.id is None:
            raise NotFoundError(Subject("organisation"))
        known = select(Listing.id).where(Listing.organisation_id == provider.id)
        if db.session.scalars(known).first() is not None:
            raise InvalidInputError("organisation", N_("This organisation has a listing already."))
        listing = Listing(
            id=uuid4(),
            organisation_id=provider.id,
            state=SUBMIT_LISTING.enters,
            district=new.district,
            serves=" ".join(sorted(new.serves)),
            languages=" ".join(sorted(new.languages)),
            places=new.places,
            submitted_by_id=actor.id,
            submitted_at=unit.now,
            version=1,
        )
        db.session.add(listing)
        # The services point to the listing.
        db.session.flush()
        db.session.add_all(
            ListingService(listing_id=listing.id, service=service) for service in new.services
        )
        record(unit, actor, Action.LISTING_SUBMIT, Subject("listing", listing.id))
        unit.outcome = str(listing.id)
        return listing.id


def _check(new: NewListing, pack: CountryPack) -> None:
    if not new.services or not set(new.services) <= set(NEED):
        raise InvalidInputError("services", N_("Choose at least one service."))
    if not new.serves or not set(new.serves) <= {*SEX, *AGE_BAND}:
        raise InvalidInputError("sexes", N_("Choose whom the provider serves."))
    if not new.languages or not set(new.languages) <= set(LANGUAGE):
        raise InvalidInputError("languages", N_("Choose at least one language."))
    if new.district not in pack.districts:
        raise InvalidInputError("district", N_("Choose a district."))


def approve(
    actor: Actor,
    listing_id: UUID,
    until: date,
    *,
    version: int,
    pack: CountryPack,
    form_id: UUID | None = None,
) -> None:
    """Approve a listing until a date; never by the person who submitted it."""
    with unit_of_work(actor, form_id) as unit:
        listing = _listing(listing_id)
        require(actor, APPROVE_LISTING.needs, visibility.listing_standing(listing))
        _expect_version(listing, version)
        if until <= unit.now.astimezone(pack.zone).date():
            raise InvalidInputError("until", N_("The date must be in the future."))
        listing.state = advance(listing.state, APPROVE_LISTING)
        listing.approved_by_id, listing.approved_at = actor.id, unit.now
        listing.approved_until, listing.suspended_reason = until, None
        record(
            unit, actor, Action.LISTING_APPROVE, Subject("listing", listing.id), fields=["until"]
        )
        unit.outcome = str(listing.id)


def suspend(
    actor: Actor, listing_id: UUID, reason: str, *, version: int, form_id: UUID | None = None
) -> None:
    """Suspend a listing: it receives nothing new from this moment."""
    with unit_of_work(actor, form_id) as unit:
        listing = _listing(listing_id)
        require(actor, SUSPEND_LISTING.needs, visibility.listing_standing(listing))
        _expect_version(listing, version)
        listing.state = advance(listing.state, SUSPEND_LISTING)
        listing.suspended_reason = reason
        record(
            unit, actor, Action.LISTING_SUSPEND, Subject("listing", listing.id), fields=["reason"]
        )
        unit.outcome = str(listing.id)


def _listing(listing_id: UUID) -> Listing:
    listing = db.session.scalars(
        select(Listing).where(Listing.id == listing_id).with_for_update()
    ).one_or_none()
    if listing is None:
        raise NotFoundError(Subject("listing"))
    return listing


def _expect_version(listing: Listing, version: int) -> None:
    if listing.version != version:
        raise ConflictError(N_("Someone else changed this listing while you were working on it."))


def _with_services(rows: Sequence[tuple[Listing, str, str, str]]) -> list[Entry]:
    """Fetch the services of all listings of a page at once."""
    offered: dict[UUID, list[str]] = {row[0].id: [] for row in rows}
    if offered:
        query = select(ListingService).where(ListingService.listing_id.in_(tuple(offered)))
        for service in db.session.scalars(query.order_by(ListingService.service)):
            offered[service.listing_id].append(service.service)
    return [
        Entry(listing, name, tuple(offered[listing.id]), submitter, approver)
        for listing, name, submitter, approver in rows
    ]
