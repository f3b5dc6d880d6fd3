"""Screens of erasure: a coordinator asks, another person carries it out or refuses."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.erasure import gone_for_good
from nrm.domain.lifecycle import (
    ASK_ERASURE,
    ERASE,
    REFUSE_ERASURE,
    TAKE_BACK_ERASURE,
    Assistance,
    ErasureState,
)
from nrm.domain.policy import holds, may
from nrm.domain.roles import Permission
from nrm.domain.text import N_
from nrm.services import casefile, erasure, visibility
from nrm.web import case_words, paging
from nrm.web.access import actor, confirmed, needs
from nrm.web.errors import once
from nrm.web.forms.erasure import AnswerForm, AskForm, EraseForm
from nrm.web.text import _

blueprint = Blueprint("erasure", __name__)

# The tabs of the list, and what each says where it is empty.
_TABS = {
    ErasureState.ASKED: (N_("Waiting"), N_("No erasure waits for an answer.")),
    ErasureState.DONE: (N_("Carried out"), N_("No file was erased yet.")),
    ErasureState.REFUSED: (N_("Refused"), N_("No erasure was refused.")),
    ErasureState.TAKEN_BACK: (N_("Taken back"), N_("No request was taken back.")),
}


@blueprint.get("/erasures")
@needs(Permission.ERASURE_VIEW)
def requests() -> str:
    """List the requests to erase, by reference alone."""
    asked = request.args.get("state", "")
    state = ErasureState(asked) if asked in list(ErasureState) else ErasureState.ASKED
    after = _place(request.args.get("after", ""))
    found = erasure.requests(actor(), state, after)
    return render_template(
        "erasure/requests.html",
        found=found,
        tabs=_tabs(state),
        heading=_(_TABS[state][0]),
        nothing=_(_TABS[state][1]),
        newer=url_for(".requests", state=state) if after else "",
        older=url_for(".requests", state=state, after=paging.encode(*found.more))
        if found.more
        else "",
    )


@blueprint.get("/erasures/<uuid:erasure_id>")
@needs(Permission.ERASURE_VIEW)
def read(erasure_id: UUID) -> str:
    """Show one request, and what the reader may do with it; nothing of the file opens."""
    opened = erasure.read(actor(), erasure_id)
    asked, erased_at = opened.request.erasure, opened.request.case.erased_at
    waits = asked.state is ErasureState.ASKED
    standing = visibility.erasure_standing(asked)
    return render_template(
        "erasure/read.html",
        request_=opened.request,
        happened=[case_words.event(act) for act in opened.history],
        may_erase=waits and may(actor(), ERASE.needs, standing).allowed,
        may_take_back=waits and may(actor(), TAKE_BACK_ERASURE.needs, standing).allowed,
        opens_file=holds(actor(), Permission.CASE_VIEW) and erased_at is None,
        refusing=AnswerForm(formdata=None),
        taking_back=AnswerForm(formdata=None),
        copies_until=_copies_until(erased_at),
    )


@blueprint.route("/cases/<reference>/erase", methods=["GET", "POST"])
@needs(Permission.ERASURE_ASK)
@once(lambda outcome, **_: url_for("erasure.read", erasure_id=outcome))
def ask(reference: str) -> Response | tuple[str, int]:
    """Ask for the erasure of a closed case."""
    form = AskForm()
    done: list[UUID] = []
    if form.carries_out(
        lambda: done.append(
            erasure.ask(actor(), reference, form.reason.data or "", form_id=form.receipt)
        )
    ):
        flash(_(ASK_ERASURE.done))
        return redirect(url_for(".read", erasure_id=done[0]), 303)
    file = casefile.page(actor(), reference, Permission.ERASURE_ASK)
    open_still = file.case.assistance is not Assistance.CLOSED
    return (
        render_template(
            "erasure/ask.html", file=file, tab="overview", form=form, open_still=open_still
        ),
        form.status,
    )


@blueprint.route("/erasures/<uuid:erasure_id>/erase", methods=["GET", "POST"])
@needs(Permission.ERASURE_ANSWER)
@once(lambda outcome, **_: url_for("erasure.read", erasure_id=outcome))
@confirmed
def carry_out(erasure_id: UUID) -> Response | tuple[str, int]:
    """Erase a file for good, once its reference was typed."""
    form = EraseForm()
    kept = current_app.config["NRM"]
    if form.carries_out(
        lambda: erasure.carry_out(
            actor(), erasure_id, form.reference.data or "", kept, form_id=form.receipt
        )
    ):
        flash(_(ERASE.done))
        return redirect(url_for(".read", erasure_id=erasure_id), 303)
    asked = erasure.answering(actor(), erasure_id)
    return (
        render_template(
            "erasure/carry_out.html",
            request_=asked,
            waits=asked.erasure.state is ErasureState.ASKED,
            form=form,
        ),
        form.status,
    )


@blueprint.post("/erasures/<uuid:erasure_id>/refuse")
@needs(Permission.ERASURE_ANSWER)
@once(lambda outcome, **_: url_for("erasure.read", erasure_id=outcome))
def refuse(erasure_id: UUID) -> Response:
    """Refuse another's request."""
    form = AnswerForm()
    if form.carries_out(lambda: erasure.refuse(actor(), erasure_id, form_id=form.receipt)):
        flash(_(REFUSE_ERASURE.done))
    return redirect(url_for(".read", erasure_id=erasure_id), 303)


@blueprint.post("/erasures/<uuid:erasure_id>/take-back")
@needs(Permission.ERASURE_ASK)
@once(lambda outcome, **_: url_for("erasure.read", erasure_id=outcome))
def take_back(erasure_id: UUID) -> Response:
    """Take one's own request back."""
    form = AnswerForm()
    if form.carries_out(lambda: erasure.take_back(actor(), erasure_id, form_id=form.receipt)):
        flash(_(TAKE_BACK_ERASURE.done))
    return redirect(url_for(".read", erasure_id=erasure_id), 303)


def _copies_until(erased_at: datetime | None) -> datetime | None:
    """Say until when a copy of the database may still hold the keys; none, when that is over."""
    if erased_at is None or gone_for_good(erased_at) < datetime.now(UTC):
        return None
    return gone_for_good(erased_at)


def _tabs(current: ErasureState) -> list[dict[str, object]]:
    return [
        {"label": _(label), "url": url_for(".requests", state=state), "current": state is current}
        for state, (label, _nothing) in _TABS.items()
    ]


def _place(word: str) -> erasure.Place | None:
    """Read where a page of the list begins; anything else asks for the first page."""
    try:
        moment, last = paging.decode(word, 2) or ("", "")
        place = datetime.fromisoformat(moment), UUID(last)
    except ValueError:
        return None
    return place if place[0].tzinfo else None
