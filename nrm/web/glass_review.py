"""Reviewing emergency access: who opened what, why, and whether it was right."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.models.spoilt import readable
from nrm.services import glass_review
from nrm.web.access import actor, needs
from nrm.web.errors import once
from nrm.web.forms.glass import ReviewForm
from nrm.web.log_words import part_words
from nrm.web.text import _

blueprint = Blueprint("glass_review", __name__)


@blueprint.get("/emergency")
@needs(Permission.GLASS_REVIEW)
def queue() -> str:
    """List what waits for a review, and what was reviewed."""
    reviewed = request.args.get("state") == "reviewed"
    return render_template(
        "glass/queue.html",
        openings=glass_review.queue(actor(), reviewed=reviewed),
        reviewed=reviewed,
        tabs=[
            {"label": _("To review"), "url": url_for(".queue"), "current": not reviewed},
            {
                "label": _("Reviewed"),
                "url": url_for(".queue", state="reviewed"),
                "current": reviewed,
            },
        ],
    )


@blueprint.route("/emergency/<uuid:glass_id>", methods=["GET", "POST"])
@needs(Permission.GLASS_REVIEW)
@once(lambda outcome, **_rest: url_for("glass_review.review", glass_id=outcome))
def review(glass_id: UUID) -> Response | tuple[str, int]:
    """Show one emergency access, and judge it."""
    form = ReviewForm()
    if form.carries_out(
        lambda: glass_review.review(
            actor(),
            glass_id,
            form.verdict.data or "",
            form.words.data or "",
            form_id=form.receipt,
        )
    ):
        flash(_("The review is recorded. Whoever opened the case is told that it was reviewed."))
        return redirect(url_for(".review", glass_id=glass_id), 303)
    found = glass_review.read(actor(), glass_id)
    openings = [
        (moment, ", ".join(part_words(part) for part in parts.split()))
        for moment, parts in found.openings
    ]
    return (
        render_template(
            "glass/review.html",
            review=found,
            openings=openings,
            # A review does not wait for the hour to be over.
            still_open=_is_open(found.opening.glass.expires_at),
            form=form,
        ),
        form.status,
    )


def _is_open(until: datetime) -> bool:
    return readable(until) and datetime.now(UTC) < until
