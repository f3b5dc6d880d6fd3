"""The front door: each role begins at its own work."""

from flask import Blueprint, flash, redirect, session, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.services import sign_in_history
from nrm.web.access import actor, needs
from nrm.web.context import NAVIGATION
from nrm.web.due import moment_words
from nrm.web.text import _

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@needs(Permission.WORK_VIEW)
def index() -> Response:
    """Lead everyone to the first place of their role."""
    _tell_of_attempts()
    endpoint, _label = NAVIGATION[actor().role][0]
    return redirect(url_for(endpoint))


def _tell_of_attempts() -> None:
    """Say once in a sitting, on its first page, how often somebody else tried to sign in."""
    if "attempts_told" in session:
        return
    session["attempts_told"] = True
    failed = sign_in_history.failed_since_last(actor())
    if not failed.times:
        return
    if failed.since is None:
        words = _(
            "Failed attempts to sign in to your account so far: %(times)s.", times=failed.times
        )
    else:
        words = _(
            "Failed attempts to sign in to your account since %(when)s: %(times)s.",
            when=moment_words(failed.since),
            times=failed.times,
        )
    advice = _("If it was not you, choose another password and tell the administrator.")
    flash(f"{words} {advice}", "warning")
