"""Screens of being away: until which day, who stands in, and being back."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.services import absence
from nrm.web import keeping_words
from nrm.web.access import actor, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.ownership import AwayForm, PressForm
from nrm.web.text import _

blueprint = Blueprint("absence", __name__)


@blueprint.route("/away", methods=["GET", "POST"])
@needs(Permission.ABSENCE_SET)
@once(lambda _outcome, **_: url_for("absence.page"))
def page() -> Response | tuple[str, int]:
    """Ask until when somebody is away and who stands in; say how it stands."""
    form = AwayForm()
    if form.carries_out(
        lambda: absence.set_away(actor(), form.last_day, form.person, pack(), form_id=form.receipt)
    ):
        flash(_("It is noted. It ends by itself."))
        return redirect(url_for(".page"), 303)
    now = absence.standing(actor(), pack())
    form.offer(now.candidates)
    return (
        render_template(
            "ownership/away.html",
            absence=now,
            form=form,
            back_again=PressForm(formdata=None),
            last_day=keeping_words.last_day,
        ),
        form.status,
    )


@blueprint.post("/away/back")
@needs(Permission.ABSENCE_SET)
@once(lambda _outcome, **_: url_for("absence.page"))
def back() -> Response:
    """Be back before the day that was named."""
    form = PressForm()
    if form.carries_out(lambda: absence.end(actor(), form_id=form.receipt)):
        flash(_("Welcome back. Your cases are yours alone again."))
    return redirect(url_for(".page"), 303)
