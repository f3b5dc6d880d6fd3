from datetime import datetime, timedelta

import pytest

from nrm.domain.errors import InvalidInputError, NotFoundError, RefusedError
from nrm.domain.lifecycle import ListingState
from nrm.services import directory, organisations
from tests.ledger import nothing_changes
from tests.world import SERVICE


@pytest.fixture
def submitted(world):
    """A listing that the one directory manager submitted and the other may approve."""
    provider = organisations.create(
        world.actor("administrator"), "Practice Shelter of Trees", "shelter", "11", is_provider=True
    )
    return directory.submit(world.actor("directory_manager"), listing(provider), world.pack)


def listing(provider, **changed):
    usual = {
        "organisation_id": provider,
        "services": (SERVICE,),
        "serves": ("female",),
        "languages": ("kin",),
        "district": "11",
    }
    return directory.NewListing(**usual | changed)


def approve(world, name, listing_id, version=1, days=30):
    directory.approve(
        world.actor(name),
        listing_id,
        world.today + timedelta(days=days),
        version=version,
        pack=world.pack,
    )


def offered(world):
    return {entry.listing.id for entry in directory.approved_for(SERVICE, world.today)}


def test_nobody_approves_what_they_submitted(world, submitted):
    with nothing_changes(), pytest.raises(RefusedError):
        approve(world, "directory_manager", submitted)
    assert submitted not in offered(world)
    approve(world, "second_manager", submitted)
    assert submitted in offered(world)


@pytest.mark.parametrize("days", [0, -1])
def test_an_approval_reaches_into_the_future(world, submitted, days):
    with nothing_changes(), pytest.raises(InvalidInputError) as refused:
        approve(world, "second_manager", submitted, days=days)
    assert refused.value.field == "until"


def test_a_suspended_provider_receives_nothing_until_it_is_approved_again(world, submitted):
    approve(world, "second_manager", submitted)
    directory.suspend(world.actor("directory_manager"), submitted, "Practice.", version=2)
    assert submitted not in offered(world)
    found = directory.entry(world.actor("coordinator"), submitted)
    assert found.listing.state is ListingState.SUSPENDED
    assert found.listing.suspended_reason == "Practice."
    approve(world, "second_manager", submitted, version=3)
    assert submitted in offered(world)
    assert directory.entry(world.actor("coordinator"), submitted).listing.suspended_reason is None


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("services", {"services": ()}),
        ("services", {"services": ("no_such_service",)}),
        ("district", {"district": "99"}),
    ],
)
def test_a_listing_that_cannot_be_is_refused_at_its_field(world, field, changed):
    with nothing_changes(), pytest.raises(InvalidInputError) as refused:
        directory.submit(
            world.actor("directory_manager"),
            listing(world.organisations["police"], **changed),
            world.pack,
        )
    assert refused.value.field == field


def test_only_a_provider_is_listed_and_only_once(world):
    with nothing_changes(), pytest.raises(NotFoundError):
        directory.submit(
            world.actor("directory_manager"), listing(world.organisations["police"]), world.pack
        )
    with nothing_changes(), pytest.raises(InvalidInputError, match="a listing already"):
        directory.submit(
            world.actor("directory_manager"), listing(world.organisations["lakes"]), world.pack
        )


def test_the_directory_is_listed_in_pages_and_every_entry_once(world, monkeypatch):
    monkeypatch.setattr(directory, "PAGE", 2)
    seen, after = [], None
    while True:
        page, after = directory.entries(world.actor("coordinator"), after)
        seen += [entry.listing.id for entry in page]
        if after is None:
            break
    assert sorted(seen) == sorted(world.listings.values())


@pytest.mark.parametrize("service", ["", "gold", "\x00", "emergency_shelter\x00"])
def test_a_service_that_is_on_no_list_is_offered_by_nobody(world, service):
    today = datetime.now(world.pack.zone).date()
    assert directory.approved_for(service, today) == []
    assert directory.approved_for("emergency_shelter", today)
