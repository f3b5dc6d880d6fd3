"""Screens of handing a case over to a coordinator of another organisation, who accepts or not."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from nrm.domain.lifecycle import NOT_TAKE_OVER, OFFER, RETRACT_OFFER, TAKE_OVER, HandOverState, Step
from nrm.domain.policy import may
from nrm.domain.roles import Permission
from nrm.services import hand_over, ownership
from nrm.web import keeping_words
from nrm.web.access import actor, needs
from nrm.web.errors import once
from nrm.web.forms.ownership import OfferForm, PressForm
from nrm.web.text import _

blueprint = Blueprint("hand_over", __name__)


@blueprint.route("/cases/<reference>/offer", methods=["GET", "POST"])
@needs(Permission.CASE_ASSIGN)
@once(lambda outcome, **_: url_for("ownership.page", reference=outcome))
def offer(reference: str) -> Response | tuple[str, int]:
    """Offer a case to another organisation."""
    form = OfferForm()
    if form.carries_out(
        lambda: hand_over.offer(
            actor(), reference, form.person, form.words.data or "", form_id=form.receipt
        )
    ):
        flash(_(OFFER.done))
        return redirect(url_for("ownership.page", reference=reference), 303)
    keeping = ownership.page(actor(), reference)
    form.offer(keeping.others)
    return (
        render_template(
            "ownership/offer.html",
            file=keeping.file,
            tab="overview",
            keeping=keeping,
            who=keeping_words.keeper(keeping.file.case, actor().id),
            form=form,
        ),
        form.status,
    )


@blueprint.get("/hand-overs/<uuid:hand_over_id>")
@needs(Permission.CASE_ASSIGN)
def read(hand_over_id: UUID) -> str:
    """Show an offer, with its words, to whoever made it and to whom it was made."""
    opened = hand_over.read(actor(), hand_over_id)
    found = opened.offer
    waits = found.hand_over.state is HandOverState.OFFERED
    standing = hand_over.standing_of(found)
    return render_template(
        "ownership/hand_over.html",
        offer=found,
        words_=opened.words,
        may_answer=waits and may(actor(), TAKE_OVER.needs, standing).allowed,
        may_retract=waits and may(actor(), RETRACT_OFFER.needs, standing).allowed,
        taking=PressForm(formdata=None),
        declining=PressForm(formdata=None),
        retracting=PressForm(formdata=None),
    )


@blueprint.post("/hand-overs/<uuid:hand_over_id>/take")
@needs(Permission.HANDOVER_ANSWER)
@once(lambda _outcome, hand_over_id, **_: url_for("hand_over.read", hand_over_id=hand_over_id))
def take(hand_over_id: UUID) -> Response:
    """Accept an offer."""
    return _answered(hand_over_id, hand_over.take_over, TAKE_OVER)


@blueprint.post("/hand-overs/<uuid:hand_over_id>/decline")
@needs(Permission.HANDOVER_ANSWER)
@once(lambda _outcome, hand_over_id, **_: url_for("hand_over.read", hand_over_id=hand_over_id))
def decline(hand_over_id: UUID) -> Response:
    """Decline an offer."""
    return _answered(hand_over_id, hand_over.not_take_over, NOT_TAKE_OVER)


@blueprint.post("/hand-overs/<uuid:hand_over_id>/retract")
@needs(Permission.HANDOVER_RETRACT)
@once(lambda _outcome, hand_over_id, **_: url_for("hand_over.read", hand_over_id=hand_over_id))
def retract(hand_over_id: UUID) -> Response:
    """Take an offer back."""
    return _answered(hand_over_id, hand_over.retract, RETRACT_OFFER)


def _answered(
    hand_over_id: UUID, act: Callable[..., object], step: Step[HandOverState]
) -> Response:
    form, who = PressForm(), actor()
    if form.carries_out(lambda: act(who, hand_over_id, form_id=form.receipt)):
        flash(_(step.done))
    return redirect(url_for(".read", hand_over_id=hand_over_id), 303)
