"""The practice directory: approved, waiting for approval, suspended, and lapsed listings."""

from datetime import datetime, timedelta

from nrm.cli.demonstration import foundation
from nrm.cli.demonstration.acts import World
from nrm.cli.demonstration.timeline import Script
from nrm.country.demonstration import DemoListing
from nrm.domain.lifecycle import ListingState
from nrm.services import directory

_BEGAN = foundation.LONG_AGO - timedelta(days=5)
_SUSPENDED = timedelta(days=14)
_STILL_WAITING = timedelta(days=2)


def script(world: World, listing: DemoListing) -> tuple[datetime, Script]:
    """Return when a listing was submitted, and what became of it."""
    ago = _BEGAN if listing.approved_by else _STILL_WAITING
    return world.now - ago, _acts(world, listing)


def _acts(world: World, listing: DemoListing) -> Script:
    actors, pack = world.cast.actors, world.pack
    listing_id = directory.submit(
        actors[listing.submitted_by],
        directory.NewListing(
            world.cast.organisations[listing.organisation],
            listing.services,
            (*listing.sexes, *listing.age_bands),
            listing.languages,
            world.districts[listing.organisation],
            listing.places,
        ),
        pack,
    )
    if listing.approved_by is None or listing.approved_days is None:
        return
    yield timedelta(days=1)
    # Counted from today: a listing with a past date was approved in time and has lapsed since.
    until = world.today + timedelta(days=listing.approved_days)
    approver = actors[listing.approved_by]
    directory.approve(approver, listing_id, until, version=1, pack=pack)
    if listing.state == ListingState.SUSPENDED:
        yield _BEGAN - timedelta(days=1) - _SUSPENDED
        directory.suspend(
            approver, listing_id, "The house is closed for repairs (practice).", version=2
        )
