"""Screens of administration."""

from flask import Blueprint

from nrm.web.access import public

blueprint = Blueprint("administration", __name__)


@blueprint.get("/people")
@public
def people() -> str:
    """Answer."""
    return "stub"


@blueprint.get("/organisations")
@public
def organisations() -> str:
    """Answer."""
    return "stub"
