"""Screens of the decision maker."""

from flask import Blueprint, render_template

from nrm.domain.roles import Permission
from nrm.web.access import needs

blueprint = Blueprint("decision", __name__)


@blueprint.get("/decisions")
@needs(Permission.DECISION_VIEW)
def index() -> str:
    """Say how decisions are recorded, and what this role can do."""
    return render_template("decision/index.html")
