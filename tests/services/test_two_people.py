"""Whatever cannot be undone takes two people: each such act, where that is required, and tried."""

import inspect
import re
from datetime import timedelta

import pytest

from nrm.domain.approval import ApprovalKind
from nrm.domain.errors import NotFoundError, RefusedError
from nrm.domain.roles import HUMAN_ROLES, Actor
from nrm.services import approvals, directory, erasure, organisations
from tests import ledger as ledgers
from tests import world as worlds
from tests.databases import ROOT
from tests.services import two_people

pytestmark = pytest.mark.databases("sqlite", "postgresql")


def erasing(world, first):
    """Ask as the first person; give what the second does."""
    reference, _ = worlds.closed(world)
    request = erasure.ask(first, reference, "court_order")
    kept = world.app.config["NRM"]
    return lambda actor: erasure.carry_out(actor, request, reference, kept)


def listing(world, first):
    administrator = world.actor("administrator")
    house = organisations.create(
        administrator, "Practice Shelter of Trees", "shelter", "11", is_provider=True
    )
    new = directory.NewListing(house, (worlds.SERVICE,), ("female",), ("kin",), "11")
    submitted = directory.submit(first, new, world.pack)
    until = world.today + timedelta(days=30)
    return lambda actor: directory.approve(actor, submitted, until, version=1, pack=world.pack)


def waiting(kind):
    def asking(world, first):
        del first
        request = two_people.asked(world, kind)
        return lambda actor: approvals.confirm(actor, request)

    return asking


# The act; who begins it and who can be its second person; how to try it; where the second person is
# required: the file and the line that says so.
ACTS = {
    "erasure of a file": (
        "coordinator",
        "auditor",
        erasing,
        ("nrm/services/erasure.py", "require(actor, ERASE.needs,"),
    ),
    "approval of a listing": (
        "directory_manager",
        "second_manager",
        listing,
        ("nrm/services/directory.py", "require(actor, APPROVE_LISTING.needs,"),
    ),
    "merging of two files": (
        "coordinator",
        "second_coordinator",
        waiting(ApprovalKind.CASE_MERGE),
        ("nrm/services/approvals.py", "require(actor, request.rule.approves, standing)"),
    ),
    "export of many files": (
        "coordinator",
        "auditor",
        waiting(ApprovalKind.BULK_EXPORT),
        ("nrm/services/approvals.py", "require(actor, request.rule.approves, standing)"),
    ),
    "elevation to another role": (
        "administrator",
        "auditor",
        waiting(ApprovalKind.ROLE_CHANGE),
        ("nrm/services/approvals.py", "require(actor, request.rule.approves, standing)"),
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_the_same_person_is_refused_in_every_role_and_another_is_not(world, act):
    begins, second, prepare, _where = ACTS[act]
    first = world.actor(begins)
    do = prepare(world, first)
    for role in HUMAN_ROLES:
        same = Actor(first.id, first.organisation_id, role, first.session_ref)
        with ledgers.nothing_changes(), pytest.raises((RefusedError, NotFoundError)):
            do(same)
    book = ledgers.Ledger()
    do(world.actor(second))
    assert book.only().actor_id == world.accounts[second]


@pytest.mark.parametrize("act", ACTS)
def test_the_place_that_requires_the_second_person_is_there(act):
    path, line = ACTS[act][3]
    assert line in (ROOT / path).read_text(encoding="utf-8")


def test_every_kind_of_approval_is_among_the_acts_that_take_two_people(counted):
    tried = {
        kind
        for kind in ApprovalKind
        for _begins, _second, prepare, _where in ACTS.values()
        if inspect.getclosurevars(prepare).nonlocals.get("kind") is kind
    }
    assert tried == set(ApprovalKind)
    counted(
        f"{len(ACTS)} acts that cannot be undone, each refused to one person alone "
        f"in {len(HUMAN_ROLES)} roles"
    )


def test_only_confirming_carries_out_what_was_approved():
    """The table of acts is read in one place; no other way leads to them."""
    reading = [
        path
        for path in (ROOT / "nrm").rglob("*.py")
        if re.search(r"\bAPPROVED\[[^\]]+\]\(", path.read_text(encoding="utf-8"))
    ]
    assert [path.name for path in reading] == ["approvals.py"]
    source = inspect.getsource(approvals)
    assert source.count("APPROVED[") == 1
    assert "APPROVED[" in inspect.getsource(approvals.confirm)
