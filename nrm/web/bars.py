"""Who is kept out of a case: a page that whoever is kept out never sees."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.services import bars
from nrm.web.access import actor, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.bars import LiftForm, PlaceForm
from nrm.web.text import _

blueprint = Blueprint("bars", __name__)


@blueprint.route("/cases/<reference>/kept-out", methods=["GET", "POST"])
@needs(Permission.BAR_PLACE)
@once(lambda outcome, **_rest: url_for("bars.page", reference=outcome))
def page(reference: str) -> Response | tuple[str, int]:
    """Show who is kept out, and keep somebody else out."""
    form = PlaceForm(whom=request.args.get("whom", ""))
    if form.carries_out(
        lambda: bars.place(
            actor(),
            reference,
            form.chosen,
            form.reason.data or "",
            form.words.data or "",
            pack=pack(),
            form_id=form.receipt,
        )
    ):
        flash(_("They are kept out from now on. They were not told."))
        return redirect(url_for(".page", reference=reference), 303)
    opened = bars.page(actor(), reference)
    form.offer(opened)
    return (
        render_template(
            "bars/page.html", file=opened.file, tab="access", kept_out=opened.kept_out, form=form
        ),
        form.status,
    )


@blueprint.route("/cases/<reference>/kept-out/<uuid:bar_id>/lift", methods=["GET", "POST"])
@needs(Permission.BAR_PLACE)
@once(lambda outcome, **_rest: url_for("bars.page", reference=outcome))
def lift(reference: str, bar_id: UUID) -> Response | tuple[str, int]:
    """Let somebody know of the case again."""
    form = LiftForm()
    if form.carries_out(
        lambda: bars.lift(
            actor(),
            reference,
            bar_id,
            form.reason.data or "",
            form.words.data or "",
            form_id=form.receipt,
        )
    ):
        flash(_("They can know of the case again, as far as their role does."))
        return redirect(url_for(".page", reference=reference), 303)
    file, one = bars.lifting(actor(), reference, bar_id)
    return (
        render_template("bars/lift.html", file=file, tab="access", one=one, form=form),
        form.status,
    )
