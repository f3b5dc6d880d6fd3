"""Pages for everybody: help, privacy, accessibility."""

from flask import Blueprint, render_template

from nrm.web.access import public

blueprint = Blueprint("pages", __name__)


@blueprint.get("/help")
@public
def help() -> str:  # noqa: A001 - the page’s own name
    """Explain how to get help with the system, and for a person."""
    return render_template("pages/help.html")


@blueprint.get("/privacy")
@public
def privacy() -> str:
    """Explain what is kept, for how long, and who sees it."""
    return render_template("pages/privacy.html")


@blueprint.get("/accessibility")
@public
def accessibility() -> str:
    """Explain how the system can be used, and what is not tried yet."""
    return render_template("pages/accessibility.html")
