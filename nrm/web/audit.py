"""Screens of audit."""

from flask import Blueprint

from nrm.web.access import public

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
@public
def search() -> str:
    """Answer."""
    return "stub"
