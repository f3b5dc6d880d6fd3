"""Emergency access: what is closed opens at once, for a reason that somebody else reads."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Actor, Permission
from nrm.services import glass
from nrm.services.glass import Door
from nrm.web.access import actor, confirmed, needs
from nrm.web.errors import once
from nrm.web.forms.glass import BreakForm
from nrm.web.masked import in_words
from nrm.web.text import _

blueprint = Blueprint("glass", __name__)

_Break = Callable[[Actor, str, str, str, UUID | None], None]


@blueprint.route("/cases/<reference>/emergency", methods=["GET", "POST"])
@needs(Permission.CASE_VIEW)
@once(lambda outcome, **_rest: url_for("glass.case", reference=outcome))
@confirmed
def case(reference: str) -> Response | tuple[str, int]:
    """Open what is closed to a coordinator: a colleague's health notes, the police part."""
    back = url_for("casefile.overview", reference=reference)
    return _page(reference, back, glass.at_case, _break_case)


@blueprint.route("/flags/<reference>/emergency", methods=["GET", "POST"])
@needs(Permission.FLAG_VIEW)
@once(lambda outcome, **_rest: url_for("glass.flag", reference=outcome))
@confirmed
def flag(reference: str) -> Response | tuple[str, int]:
    """Open who the person is whom one flagged."""
    back = url_for("identification.my_flag", reference=reference)
    return _page(reference, back, glass.at_case, _break_case)


@blueprint.route("/referrals/<reference>/emergency", methods=["GET", "POST"])
@needs(Permission.REFERRAL_VIEW)
@once(lambda outcome, **_rest: url_for("glass.referral", reference=outcome))
@confirmed
def referral(reference: str) -> Response | tuple[str, int]:
    """Open who the person is whom one's organisation was once asked to help."""
    back = url_for("provision.read", reference=reference)
    return _page(reference, back, glass.at_referral, _break_referral)


def _break_case(who: Actor, reference: str, reason: str, words: str, form_id: UUID | None) -> None:
    glass.break_case(who, reference, reason, words, form_id=form_id)


def _break_referral(
    who: Actor, reference: str, reason: str, words: str, form_id: UUID | None
) -> None:
    glass.break_referral(who, reference, reason, words, form_id=form_id)


def _page(
    reference: str, back: str, look: Callable[[Actor, str], Door], open_it: _Break
) -> Response | tuple[str, int]:
    form = BreakForm()
    if form.carries_out(
        lambda: open_it(
            actor(), reference, form.reason.data or "", form.words.data or "", form.receipt
        )
    ):
        flash(_("It is open to you for an hour. Those who look after the case were told."))
        return redirect(request.path, 303)
    door = look(actor(), reference)
    if door.opened is not None:
        door = replace(door, opened=in_words(door.opened))
    return (
        render_template(
            "glass/opened.html" if door.opened is not None else "glass/break.html",
            door=door,
            form=form,
            back_to=back,
        ),
        form.status,
    )
