"""The page of a case that says whether the person is known already."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.services import casefile, comparison
from nrm.web import likeness
from nrm.web.access import actor, needs
from nrm.web.errors import once
from nrm.web.forms.search import LookAgainForm
from nrm.web.text import _

blueprint = Blueprint("comparison", __name__)


@blueprint.get("/cases/<reference>/known")
@needs(Permission.CASE_VIEW)
def page(reference: str) -> str:
    """Show which other files may be the same person's, and why."""
    return _page(reference, LookAgainForm())


@blueprint.post("/cases/<reference>/known")
@needs(Permission.CASE_COMPARE)
@once(lambda outcome, **_rest: url_for("comparison.page", reference=outcome))
def look_again(reference: str) -> Response | tuple[str, int]:
    """Compare the case with all others once more."""
    form = LookAgainForm()
    if form.carries_out(lambda: comparison.run(actor(), reference, form_id=form.receipt)):
        flash(_("All files were looked through again."))
        return redirect(url_for(".page", reference=reference), 303)
    return _page(reference, form), form.status


def _page(reference: str, form: LookAgainForm) -> str:
    file, result, facts = casefile.comparison_page(actor(), reference)
    alike = result.alike if result is not None else []
    return render_template(
        "casefile/known_already.html",
        file=file,
        tab="overview",
        result=result,
        this=likeness.this_row(file),
        rows=[likeness.case_row(other, facts[other.case.id]) for other in alike],
        form=form,
    )
