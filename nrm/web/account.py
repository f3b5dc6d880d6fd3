"""Signing in and out."""

from flask import Blueprint, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.services import accounts
from nrm.web.access import actor, needs, public, session_object
from nrm.web.forms.account import SignInForm
from nrm.web.text import _

blueprint = Blueprint("account", __name__)


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> tuple[str, int] | Response:
    """Ask who it is; a new sitting begins with a new token."""
    if current_user.is_authenticated:
        return redirect(url_for("home.index"))
    form = SignInForm()
    if form.validate_on_submit():
        session = session_object()
        shown_in = session.sitting.id if session.sitting is not None else None
        opened = accounts.sign_in(form.email.data or "", form.password.data or "", shown_in)
        if opened is not None:
            session.opened = opened
            return redirect(url_for("home.index"), 303)
        # The same words whether the account exists or not.
        form.refuse("email", _("The e-mail address and the password do not belong together."))
    return render_template("account/sign_in.html", form=form), form.status


@blueprint.post("/sign-out")
@needs(Permission.WORK_VIEW)
def sign_out() -> Response:
    """End the sitting and have the browser forget what it showed."""
    session = session_object()
    if session.sitting is not None:
        accounts.sign_out(actor(), session.sitting.id)
    session.ended = True
    response = redirect(url_for("account.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
