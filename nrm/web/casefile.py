"""Screens of casefile."""

from flask import Blueprint

from nrm.web.access import public

blueprint = Blueprint("casefile", __name__)


@blueprint.get("/cases")
@public
def worklist() -> str:
    """Answer."""
    return "stub"


@blueprint.get("/cases/find")
@public
def find() -> str:
    """Answer."""
    return "stub"
