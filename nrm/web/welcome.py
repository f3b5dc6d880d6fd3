"""The page to which a link of an invitation leads: the person chooses a password, once."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from nrm.services import accounts, invitations
from nrm.web.access import public
from nrm.web.errors import once
from nrm.web.forms.welcome import ChooseForm
from nrm.web.text import _

blueprint = Blueprint("welcome", __name__)


@blueprint.route("/welcome/<token>", methods=["GET", "POST"])
@public
@once(lambda _outcome, **_: url_for("account.sign_in"))
def activate(token: str) -> Response | tuple[str, int]:
    """Ask for a new password twice; looking at the page uses nothing up."""
    if current_user.is_authenticated:
        # Else somebody else's password would be chosen in the midst of one's own sitting.
        return render_template("welcome/signed_in.html"), 200
    if not accounts.keeps_passwords():
        return render_template("welcome/elsewhere.html"), 404
    form = ChooseForm()
    if form.carries_out(
        lambda: invitations.activate(token, form.password.data or "", form_id=form.receipt)
    ):
        flash(_("Your password is set. Sign in with it now."))
        return redirect(url_for("account.sign_in"), 303)
    page = render_template("welcome/choose.html", form=form, guest=invitations.guest(token))
    return page, form.status
