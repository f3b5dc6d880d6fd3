"""What one has to know: a short list of what happened, each marked as seen by whoever it is for."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from nrm.domain.policy import holds
from nrm.domain.roles import Permission
from nrm.services import notices
from nrm.services.notices import Told
from nrm.web.access import actor, needs
from nrm.web.errors import once
from nrm.web.forms.notices import SeenForm
from nrm.web.text import _

blueprint = Blueprint("notices", __name__)

# What tells that how one signs in was changed, and where one sees more of it.
_HOW_ONE_SIGNS_IN = {
    "app_added": "ways.page",
    "app_removed": "ways.page",
    "codes_made": "ways.page",
    "connection_added": "ways.page",
    "connection_removed": "ways.page",
    "factors_reset": "ways.page",
    "link_made": "sittings.sign_ins",
    "passkey_added": "ways.page",
    "passkey_removed": "ways.page",
    "password_changed": "sittings.sign_ins",
}
# Where to look next, where it is not the case itself: the page, and what it calls the record.
_ELSEWHERE = {
    **{kind: (endpoint, "") for kind, endpoint in _HOW_ONE_SIGNS_IN.items()},
    "draft_given": ("identification.my_work", ""),
    "hand_over_offered": ("hand_over.read", "hand_over_id"),
    "hand_over_retracted": ("hand_over.read", "hand_over_id"),
    "hand_over_not_taken": ("hand_over.read", "hand_over_id"),
    "stand_in_changed": ("absence.page", ""),
    "stand_in_gone": ("absence.page", ""),
    "stands_in": ("absence.page", ""),
}


@blueprint.get("/notices")
@needs(Permission.WORK_VIEW)
def page() -> str:
    """List what is new to whoever looks."""
    told = notices.waiting(actor())
    return render_template(
        "notices/page.html",
        told=[(one, _advice(one), _leads_to(one), SeenForm(formdata=None)) for one in told],
    )


@blueprint.post("/notices/<uuid:notice_id>/seen")
@needs(Permission.WORK_VIEW)
@once(lambda _outcome, **_rest: url_for("notices.page"))
def seen(notice_id: UUID) -> Response:
    """Mark one as seen."""
    form = SeenForm()
    if form.carries_out(lambda: notices.see(actor(), notice_id, form_id=form.receipt)):
        flash(_("Marked as seen."))
    return redirect(url_for(".page"), 303)


def _advice(told: Told) -> str:
    """Say what to do where somebody else may have been at work."""
    if told.notice.kind not in _HOW_ONE_SIGNS_IN:
        return ""
    return _(
        "If it was not you, and you did not ask for it, tell whoever looks after your account now."
    )


def _leads_to(told: Told) -> str:
    """Say where to look next: as far as whoever was told reaches it."""
    who, reference = actor(), told.case_reference
    if told.notice.kind.startswith("glass_") and holds(who, Permission.GLASS_REVIEW):
        return url_for("glass_review.review", glass_id=told.notice.subject_id)
    if told.notice.kind in _ELSEWHERE:
        endpoint, name = _ELSEWHERE[told.notice.kind]
        about: dict[str, Any] = {name: told.notice.subject_id} if name else {}
        return url_for(endpoint, **about)
    if reference and holds(who, Permission.CASE_VIEW):
        return url_for("casefile.overview", reference=reference)
    return ""
