"""Screens of drafts left behind: a coordinator gives them to somebody, a colleague takes them."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.services import left_drafts
from nrm.web.access import actor, needs
from nrm.web.errors import once
from nrm.web.forms.ownership import GiveDraftForm, TakeDraftForm
from nrm.web.text import _

blueprint = Blueprint("left_drafts", __name__)


@blueprint.get("/left-drafts")
@needs(Permission.DRAFT_ASSIGN)
def everywhere() -> str:
    """List every draft whose writer has gone; none of them opens."""
    return render_template("left_drafts/list.html", drafts=left_drafts.everywhere(actor()))


@blueprint.route("/left-drafts/<uuid:draft_id>/give", methods=["GET", "POST"])
@needs(Permission.DRAFT_ASSIGN)
@once(lambda _outcome, **_: url_for("left_drafts.everywhere"))
def give(draft_id: UUID) -> Response | tuple[str, int]:
    """Give a draft to a first responder, without reading it."""
    form = GiveDraftForm()
    if form.carries_out(
        lambda: left_drafts.give(actor(), draft_id, form.person, form_id=form.receipt)
    ):
        flash(_("The draft has a writer again, who was told."))
        return redirect(url_for(".everywhere"), 303)
    left, responders = left_drafts.to_give(actor(), draft_id)
    form.offer(responders)
    return render_template("left_drafts/give.html", left=left, form=form), form.status


@blueprint.route("/left-drafts/<uuid:draft_id>/take", methods=["GET", "POST"])
@needs(Permission.DRAFT_TAKE)
@once(lambda outcome, **_: url_for("identification.tasks", draft_id=outcome))
def take(draft_id: UUID) -> Response | tuple[str, int]:
    """Take over the draft of a colleague who has gone."""
    form = TakeDraftForm()
    if form.carries_out(
        lambda: left_drafts.take(actor(), draft_id, form.reason.data or "", form_id=form.receipt)
    ):
        flash(_("The draft is yours now. Go on where it was left."))
        return redirect(url_for("identification.tasks", draft_id=draft_id), 303)
    left = left_drafts.to_take(actor(), draft_id)
    return render_template("left_drafts/take.html", left=left, form=form), form.status
