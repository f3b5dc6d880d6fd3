"""Screens of directory."""

from flask import Blueprint

from nrm.web.access import public

blueprint = Blueprint("directory", __name__)


@blueprint.get("/directory")
@public
def entries() -> str:
    """Answer."""
    return "stub"
