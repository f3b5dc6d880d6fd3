"""Screens on which the national administrator keeps the organisations."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.services import organisations
from nrm.web.access import actor, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.organisations import OrganisationForm, PlaceForm
from nrm.web.text import _

blueprint = Blueprint("organisations", __name__)


@blueprint.get("/organisations")
@needs(Permission.ORGANISATION_MANAGE)
def index() -> str:
    """List the organisations."""
    return render_template("organisations/index.html", organisations=organisations.every())


@blueprint.route("/organisations/new", methods=["GET", "POST"])
@needs(Permission.ORGANISATION_MANAGE)
@once(lambda _outcome, **_: url_for("organisations.index"))
def create() -> Response | tuple[str, int]:
    """Create an organisation."""
    form, who = OrganisationForm(pack()), actor()
    if form.carries_out(
        lambda: organisations.create(
            who, *form.entered, is_provider=form.is_provider.data, form_id=form.receipt
        )
    ):
        flash(_("The organisation is there now. Accounts can belong to it."))
        return redirect(url_for(".index"), 303)
    return render_template("organisations/create.html", form=form), form.status


@blueprint.route("/organisations/<uuid:organisation_id>", methods=["GET", "POST"])
@needs(Permission.ORGANISATION_MANAGE)
@once(lambda _outcome, **_: url_for("organisations.index"))
def change(organisation_id: UUID) -> Response | tuple[str, int]:
    """Correct what an organisation is called, what it is, and where."""
    who = actor()
    found = organisations.organisation(who, organisation_id)
    form = PlaceForm(pack(), data=vars(found))
    if form.carries_out(
        lambda: organisations.change(who, organisation_id, *form.entered, form_id=form.receipt)
    ):
        flash(_("The organisation is changed."))
        return redirect(url_for(".index"), 303)
    page = render_template("organisations/change.html", form=form, organisation=found)
    return page, form.status
