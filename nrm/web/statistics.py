"""Screens of statistics."""

from flask import Blueprint

from nrm.web.access import public

blueprint = Blueprint("statistics", __name__)


@blueprint.get("/statistics")
@public
def index() -> str:
    """Answer."""
    return "stub"
