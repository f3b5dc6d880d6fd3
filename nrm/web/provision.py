"""Screens of provision."""

from flask import Blueprint

from nrm.web.access import public

blueprint = Blueprint("provision", __name__)


@blueprint.get("/inbox")
@public
def inbox() -> str:
    """Answer."""
    return "stub"
