"""Screens of decision."""

from flask import Blueprint

from nrm.web.access import public

blueprint = Blueprint("decision", __name__)


@blueprint.get("/decisions")
@public
def index() -> str:
    """Answer."""
    return "stub"
