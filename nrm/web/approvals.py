"""Screens of approvals: what waits for a second person, and their answer."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.lifecycle import CANCEL, CONFIRM, REJECT, ApprovalState
from nrm.domain.policy import holds
from nrm.domain.roles import Permission
from nrm.domain.text import N_
from nrm.services import approvals
from nrm.web import paging
from nrm.web.access import actor, confirmed, needs
from nrm.web.errors import once
from nrm.web.forms.approvals import ConfirmForm, RejectForm
from nrm.web.text import _

blueprint = Blueprint("approvals", __name__)

# The tabs of the list, and what each says where it is empty.
_TABS = {
    ApprovalState.REQUESTED: (N_("Waiting"), N_("Nothing waits for a second person.")),
    ApprovalState.CONFIRMED: (N_("Approved"), N_("Nothing was approved yet.")),
    ApprovalState.REJECTED: (N_("Not approved"), N_("Nothing was refused.")),
    ApprovalState.CANCELLED: (N_("Taken back"), N_("No request was taken back.")),
    ApprovalState.LAPSED: (N_("Lapsed"), N_("Every request was answered in time.")),
}


@blueprint.get("/approvals")
@needs(Permission.APPROVAL_VIEW)
def requests() -> str:
    """List what waits for a second person: one's own requests, and those that one can answer."""
    asked = request.args.get("state", "")
    state = ApprovalState(asked) if asked in list(ApprovalState) else ApprovalState.REQUESTED
    after = _place(request.args.get("after", ""))
    found = approvals.requests(actor(), state, after)
    return render_template(
        "approvals/requests.html",
        found=found,
        waiting=state is ApprovalState.REQUESTED,
        tabs=_tabs(state),
        heading=_(_TABS[state][0]),
        nothing=_(_TABS[state][1]),
        me=actor().id,
        erasures=holds(actor(), Permission.ERASURE_VIEW),
        newer=url_for(".requests", state=state) if after else "",
        older=url_for(".requests", state=state, after=paging.encode(*found.more))
        if found.more
        else "",
    )


@blueprint.get("/approvals/<uuid:approval_id>")
@needs(Permission.APPROVAL_VIEW)
def read(approval_id: UUID) -> str:
    """Show one request, and what the reader may do with it."""
    return _page(approval_id, RejectForm(formdata=None))


@blueprint.post("/approvals/<uuid:approval_id>/confirm")
@needs(Permission.APPROVAL_ANSWER)
@once(lambda outcome, **_: url_for("approvals.read", approval_id=outcome))
@confirmed
def confirm(approval_id: UUID) -> Response:
    """Approve another's request; it is done at once."""
    form = ConfirmForm()
    if form.carries_out(lambda: approvals.confirm(actor(), approval_id, form_id=form.receipt)):
        flash(_(CONFIRM.done))
    return redirect(url_for(".read", approval_id=approval_id), 303)


@blueprint.post("/approvals/<uuid:approval_id>/reject")
@needs(Permission.APPROVAL_ANSWER)
@once(lambda outcome, **_: url_for("approvals.read", approval_id=outcome))
def reject(approval_id: UUID) -> Response | tuple[str, int]:
    """Say no to another's request, and why."""
    form = RejectForm()
    if form.carries_out(
        lambda: approvals.reject(actor(), approval_id, form.reason.data or "", form_id=form.receipt)
    ):
        flash(_(REJECT.done))
        return redirect(url_for(".read", approval_id=approval_id), 303)
    return _page(approval_id, form), form.status


@blueprint.post("/approvals/<uuid:approval_id>/cancel")
@needs(Permission.APPROVAL_ASK)
@once(lambda outcome, **_: url_for("approvals.read", approval_id=outcome))
def cancel(approval_id: UUID) -> Response:
    """Take one's own request back."""
    form = ConfirmForm()
    if form.carries_out(lambda: approvals.cancel(actor(), approval_id, form_id=form.receipt)):
        flash(_(CANCEL.done))
    return redirect(url_for(".read", approval_id=approval_id), 303)


def _page(approval_id: UUID, form: RejectForm) -> str:
    return render_template(
        "approvals/read.html",
        opened=approvals.read(actor(), approval_id),
        opens_files=holds(actor(), Permission.CASE_VIEW),
        confirming=ConfirmForm(formdata=None),
        cancelling=ConfirmForm(formdata=None),
        form=form,
    )


def _tabs(current: ApprovalState) -> list[dict[str, object]]:
    return [
        {"label": _(label), "url": url_for(".requests", state=state), "current": state is current}
        for state, (label, _nothing) in _TABS.items()
    ]


def _place(word: str) -> approvals.PageEnd | None:
    """Read where a page of the list begins; anything else asks for the first page."""
    try:
        moment, last = paging.decode(word, 2) or ("", "")
        place = datetime.fromisoformat(moment), UUID(last)
    except ValueError:
        return None
    return place if place[0].tzinfo else None
