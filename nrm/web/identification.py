"""Screens of identification."""

from flask import Blueprint

from nrm.web.access import public

blueprint = Blueprint("identification", __name__)


@blueprint.get("/flags")
@public
def my_work() -> str:
    """Answer."""
    return "stub"
