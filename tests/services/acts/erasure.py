"""The acts of erasing a case, and whatever else takes two people."""

# ruff: noqa: ARG005

from uuid import uuid4

from nrm.audit.actions import Action
from nrm.db import unit_of_work
from nrm.domain.approval import ApprovalKind
from nrm.domain.lifecycle import ApprovalState, ErasureState
from nrm.domain.roles import Role
from nrm.services import approvals, erasure
from tests.services.act import NOWHERE, Act
from tests.services.acts.shared import closed, erasure_asked, nothing
from tests.services.two_people import asked as _approval_asked
from tests.services.two_people import registered


def _ask_for_approval(world, actor, form_id=None):
    """Ask as an act of another stage does, in its own unit of work."""
    wanted = {"from": "provider", "to": "coordinator"}
    registered()
    with unit_of_work(actor, form_id) as unit:
        kind, about = ApprovalKind.ROLE_CHANGE, world.accounts["clinician"]
        unit.outcome = str(approvals.ask(unit, actor, kind, about, wanted))


def _carry_out(world, actor, what, **given):
    reference, request = what
    return erasure.carry_out(actor, request, reference, world.app.config["NRM"], **given)


ACTS = [
    Act(
        "ask for an erasure",
        "coordinator",
        closed,
        lambda world, actor, what, **given: erasure.ask(actor, what, "court_order", **given),
        Action.ERASURE_ASK,
        "erasure",
        purpose="court_order",
        form=True,
        missing=lambda world, actor: erasure.ask(actor, NOWHERE, "court_order"),
    ),
    Act(
        "list the erasures",
        "auditor",
        erasure_asked,
        lambda world, actor, what, **_: erasure.requests(actor, ErasureState.ASKED),
        Action.ERASURE_LIST,
        purpose="asked",
        also=(Role.COORDINATOR,),
    ),
    Act(
        "read a request to erase",
        "auditor",
        erasure_asked,
        lambda world, actor, what, **_: erasure.read(actor, what[1]),
        Action.ERASURE_LIST,
        "erasure",
        also=(Role.COORDINATOR,),
        missing=lambda world, actor: erasure.read(actor, uuid4()),
    ),
    Act(
        "take a request to erase back",
        "coordinator",
        lambda world: erasure_asked(world, "coordinator"),
        lambda world, actor, what, **given: erasure.take_back(actor, what[1], **given),
        Action.ERASURE_TAKE_BACK,
        "erasure",
        form=True,
        missing=lambda world, actor: erasure.take_back(actor, uuid4()),
    ),
    Act(
        "refuse an erasure",
        "auditor",
        lambda world: erasure_asked(world, "coordinator"),
        lambda world, actor, what, **given: erasure.refuse(actor, what[1], **given),
        Action.ERASURE_REFUSE,
        "erasure",
        form=True,
        missing=lambda world, actor: erasure.refuse(actor, uuid4()),
    ),
    Act(
        "erase a case",
        "auditor",
        lambda world: erasure_asked(world, "coordinator"),
        _carry_out,
        Action.CASE_ERASE,
        "case",
        purpose="asked_by_person",
        form=True,
        missing=lambda world, actor: _carry_out(world, actor, (NOWHERE, uuid4())),
    ),
    Act(
        "ask for a second person's approval",
        "administrator",
        nothing,
        lambda world, actor, what, **given: _ask_for_approval(world, actor, **given),
        Action.APPROVAL_ASK,
        "approval",
        purpose="role_change",
        fields=("from", "to"),
        form=True,
        also=(Role.ORGANISATION_ADMINISTRATOR,),
    ),
    Act(
        "list the requests for approval",
        "auditor",
        _approval_asked,
        lambda world, actor, what, **_: approvals.requests(actor, ApprovalState.REQUESTED),
        Action.APPROVAL_LIST,
        purpose="requested",
        also=(Role.ADMINISTRATOR, Role.COORDINATOR, Role.ORGANISATION_ADMINISTRATOR),
    ),
    Act(
        "read a request for approval",
        "auditor",
        _approval_asked,
        lambda world, actor, what, **_: approvals.read(actor, what),
        Action.APPROVAL_LIST,
        "approval",
        purpose="role_change",
        also=(Role.ADMINISTRATOR,),
        missing=lambda world, actor: approvals.read(actor, uuid4()),
    ),
    Act(
        "approve as the second person",
        "auditor",
        _approval_asked,
        lambda world, actor, what, **given: approvals.confirm(actor, what, **given),
        Action.APPROVAL_CONFIRM,
        "account",
        purpose="role_change",
        form=True,
        missing=lambda world, actor: approvals.confirm(actor, uuid4()),
    ),
    Act(
        "do not approve",
        "auditor",
        _approval_asked,
        lambda world, actor, what, **given: approvals.reject(actor, what, "too_wide", **given),
        Action.APPROVAL_REJECT,
        "approval",
        purpose="too_wide",
        form=True,
        missing=lambda world, actor: approvals.reject(actor, uuid4(), "too_wide"),
    ),
    Act(
        "take a request for approval back",
        "administrator",
        _approval_asked,
        lambda world, actor, what, **given: approvals.cancel(actor, what, **given),
        Action.APPROVAL_CANCEL,
        "approval",
        purpose="role_change",
        form=True,
        missing=lambda world, actor: approvals.cancel(actor, uuid4()),
    ),
]
