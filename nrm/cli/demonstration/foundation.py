"""The practice organisations and the people who work for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from nrm.audit.actions import Action
from nrm.country.demonstration import DemoAccount, Demonstration, DemoOrganisation
from nrm.db import acting_at, unit_of_work
from nrm.domain.errors import Subject
from nrm.domain.roles import HOUSEKEEPING, Actor, Role
from nrm.services import accounts, organisations, second_factor
from nrm.services.accounts import NewAccount
from nrm.services.audit import record

# Before the first case of the past.
LONG_AGO = timedelta(days=1_250)


@dataclass(frozen=True)
class Cast:
    """Everyone who acts in the practice world, and the organisations for which they act."""

    actors: Mapping[str, Actor]
    organisations: Mapping[str, UUID]

    def of(self, role: Role) -> list[Actor]:
        """Return everyone of a role."""
        return [actor for actor in self.actors.values() if actor.role is role]

    @property
    def coordinators(self) -> list[Actor]:
        """Return the coordinators of the national unit, who began every case there is."""
        everyone = self.of(Role.COORDINATOR)
        return [who for who in everyone if who.organisation_id == everyone[0].organisation_id]

    def answering_for(self, organisation_id: UUID) -> Actor | None:
        """Return who answers for a provider; some have nobody, and let time run out."""
        providers = self.of(Role.PROVIDER)
        return next((who for who in providers if who.organisation_id == organisation_id), None)


def found(world: Demonstration, now: datetime) -> Cast:
    """Create the administrator at the console, as an installation does, then everyone by them."""
    with acting_at(now - LONG_AGO):
        first = next(who for who in world.accounts if who.role == Role.ADMINISTRATOR)
        home = next(place for place in world.organisations if place.code == first.organisation)
        organisation_id, administrator = _found_administration(home, first)
        homes = {home.code: organisation_id}
        for place in world.organisations:
            if place is not home:
                homes[place.code] = organisations.create(
                    administrator,
                    place.name,
                    place.type,
                    place.district,
                    is_provider=place.is_provider,
                )
        actors = {first.key: administrator}
        for who in world.accounts:
            if who is not first:
                new = _new_account(who, homes[who.organisation])
                account_id = create(administrator, new)
                actors[who.key] = Actor(account_id, new.organisation_id, new.role)
        for who in world.accounts:
            _set_up_app(actors[who.key], who)
    return Cast(actors, homes)


def create(administrator: Actor, new: NewAccount) -> UUID:
    """Create an account with the password that everybody may know; a real one has a link."""
    with unit_of_work() as unit:
        account = accounts.add_account(unit, new)
        record(unit, administrator, Action.ACCOUNT_CREATE, Subject("account", account.id))
        return account.id


def _found_administration(home: DemoOrganisation, first: DemoAccount) -> tuple[UUID, Actor]:
    with unit_of_work() as unit:
        organisation = organisations.add_organisation(
            unit, home.name, home.type, home.district, is_provider=home.is_provider
        )
        record(
            unit,
            HOUSEKEEPING,
            Action.ORGANISATION_CREATE,
            Subject("organisation", organisation.id),
        )
        account = accounts.add_account(unit, _new_account(first, organisation.id))
        record(unit, HOUSEKEEPING, Action.ACCOUNT_CREATE, Subject("account", account.id))
        return organisation.id, Actor(account.id, organisation.id, account.role)


def _set_up_app(actor: Actor, who: DemoAccount) -> None:
    """Give an invented person the app that `nrm demo code` stands in for."""
    with unit_of_work() as unit:
        added = second_factor.add_app(unit, actor.id or UUID(int=0), who.totp_secret)
        subject, by = Subject("factor", added.id), second_factor.FactorKind.APP
        record(unit, actor, Action.FACTOR_ADD, subject, purpose=by)


def _new_account(who: DemoAccount, organisation_id: UUID) -> NewAccount:
    return NewAccount(who.name, who.email, organisation_id, Role(who.role), who.password)
