"""Screens of the statistics."""

from flask import Blueprint, render_template

from nrm.domain.roles import Permission
from nrm.web.access import needs

blueprint = Blueprint("statistics", __name__)


@blueprint.get("/statistics")
@needs(Permission.STATISTICS_VIEW)
def index() -> str:
    """Say what will be published, and that nothing is yet."""
    return render_template("statistics/index.html")
