"""The front door: each role begins at its own work."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.web.access import actor, needs
from nrm.web.context import NAVIGATION

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@needs(Permission.WORK_VIEW)
def index() -> Response:
    """Lead everyone to the first place of their role."""
    endpoint, _label = NAVIGATION[actor().role][0]
    return redirect(url_for(endpoint))
