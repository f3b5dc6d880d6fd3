"""Screens of who looks after a case: taking it, and assigning it to a colleague."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from nrm.domain.lifecycle import RETRACT_OFFER, TAKE_OVER
from nrm.domain.policy import may
from nrm.domain.roles import Permission
from nrm.services import ownership
from nrm.services.hand_over import Offer, standing_of
from nrm.web import keeping_words
from nrm.web.access import actor, needs
from nrm.web.errors import once
from nrm.web.forms.ownership import AssignForm, PressForm
from nrm.web.text import _

blueprint = Blueprint("ownership", __name__)


@blueprint.get("/cases/<reference>/owner")
@needs(Permission.CASE_ASSIGN)
def page(reference: str) -> str:
    """Say who looks after a case, and what this coordinator can do about it."""
    keeping = ownership.page(actor(), reference)
    return render_template(
        "ownership/page.html",
        file=keeping.file,
        tab="overview",
        keeping=keeping,
        who=keeping_words.keeper(keeping.file.case, actor().id),
        mine=actor().id in keeping_words.whose(keeping.file.case),
        offer_url=_offer_url(keeping.offer),
        press=PressForm(formdata=None),
    )


def _offer_url(offer: Offer | None) -> str:
    """Lead to an offer those whom it concerns; the words in it are for nobody else."""
    if offer is None:
        return ""
    standing = standing_of(offer)
    concerned = (TAKE_OVER.needs, RETRACT_OFFER.needs)
    if not any(may(actor(), permission, standing).allowed for permission in concerned):
        return ""
    return url_for("hand_over.read", hand_over_id=offer.hand_over.id)


@blueprint.post("/cases/<reference>/take")
@needs(Permission.CASE_ASSIGN)
@once(lambda outcome, **_: url_for("casefile.overview", reference=outcome))
def take(reference: str) -> Response:
    """Take a case that nobody looks after."""
    form = PressForm()
    if form.carries_out(lambda: ownership.take(actor(), reference, form_id=form.receipt)):
        flash(_("You look after this case now."))
    return redirect(url_for("casefile.overview", reference=reference), 303)


@blueprint.route("/cases/<reference>/assign", methods=["GET", "POST"])
@needs(Permission.CASE_ASSIGN)
@once(lambda outcome, **_: url_for("ownership.page", reference=outcome))
def assign(reference: str) -> Response | tuple[str, int]:
    """Assign a case to a colleague, or take it over from one."""
    form = AssignForm()
    owner = form.shown_owner
    form.about(owner)
    if form.carries_out(
        lambda: ownership.assign(
            actor(), reference, form.person, form.why, owner=owner, form_id=form.receipt
        )
    ):
        flash(_("The case has changed hands. Both were told."))
        return redirect(url_for(".page", reference=reference), 303)
    keeping = ownership.page(actor(), reference)
    if not form.is_submitted():
        form = AssignForm(formdata=None)
        form.about(keeping.file.case.owner_id)
    form.offer(keeping.colleagues, actor().id)
    return (
        render_template(
            "ownership/assign.html",
            file=keeping.file,
            tab="overview",
            keeping=keeping,
            who=keeping_words.keeper(keeping.file.case, actor().id),
            form=form,
        ),
        form.status,
    )
