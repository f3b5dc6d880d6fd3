"""Acts that take two people, for the tests: those that come later stand in for themselves."""

from uuid import uuid4

from nrm.db import db, unit_of_work
from nrm.domain.approval import ApprovalKind
from nrm.models import Case
from nrm.services import approvals, role_changes
from tests import world as worlds


def merge(unit, actor, approval, wanted):
    """Close the case that is a duplicate, as far as a test needs to see."""
    del actor, approval
    _, second = wanted["cases"]
    case = db.session.get_one(Case, worlds.UUID(second))
    if case.closed_at is not None:
        raise approvals.changed_meanwhile()
    case.closed_at = unit.now


def export(unit, actor, approval, wanted):
    """Leave nothing behind: a file that was allowed to be made is made elsewhere."""
    del unit, actor, approval, wanted


ACTS = {
    ApprovalKind.CASE_MERGE: merge,
    ApprovalKind.BULK_EXPORT: export,
}
# Who asks for what in the tests, and who can be the second person.
ASKED_BY = {
    ApprovalKind.ROLE_CHANGE: "administrator",
    ApprovalKind.CASE_MERGE: "coordinator",
    ApprovalKind.BULK_EXPORT: "coordinator",
}
APPROVED_BY = {
    ApprovalKind.ROLE_CHANGE: "auditor",
    ApprovalKind.CASE_MERGE: "second_coordinator",
    ApprovalKind.BULK_EXPORT: "auditor",
}


def registered():
    """Write the acts of these tests into the table, until the acts themselves do."""
    # That one writes itself when it is read.
    assert role_changes
    missing = {kind: act for kind, act in ACTS.items() if kind not in approvals.APPROVED}
    approvals.APPROVED.update(missing)


def asked(world, kind=ApprovalKind.ROLE_CHANGE, by=None, form_id=None):
    """Ask for an act of a kind: the request's id."""
    registered()
    actor = world.actor(by or ASKED_BY[kind])
    with world.entered():
        subject_id, wanted, case_id = ABOUT[kind](world)
        with unit_of_work(actor, form_id) as unit:
            return approvals.ask(unit, actor, kind, subject_id, wanted, case_id)


def _an_account(world):
    return world.accounts["analyst"], {"from": "analyst", "to": "coordinator"}, None


def _two_cases(world):
    first, second = (case_id(worlds.flag(world)) for _ in range(2))
    return first, {"cases": [str(first), str(second)]}, first


def _a_file(world):
    del world
    return uuid4(), {"format": "csv"}, None


def case_id(reference):
    """Give the id of a case; looking leaves no entry."""
    found = db.session.scalar(worlds.select(Case.id).where(Case.reference == reference))
    db.session.rollback()
    return found


ABOUT = {
    ApprovalKind.ROLE_CHANGE: _an_account,
    ApprovalKind.CASE_MERGE: _two_cases,
    ApprovalKind.BULK_EXPORT: _a_file,
}
