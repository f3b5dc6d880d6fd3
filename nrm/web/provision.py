"""An organisation's inbox, its answer to a referral, and the services that it gives."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.lifecycle import ACCEPT, DECLINE, END, ReferralState
from nrm.domain.roles import Permission
from nrm.domain.text import N_
from nrm.services import provision, reveal, visibility
from nrm.web.access import actor, closed_for_now, confirmed, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.provision import AcceptForm, DeclineForm, EndForm, ServiceForm
from nrm.web.forms.reveal import ShowForm
from nrm.web.masked import Shown, shown, with_shown
from nrm.web.paging import decode, encode
from nrm.web.text import _

blueprint = Blueprint("provision", __name__)

# The tabs of the inbox: what each is called, and what it says where it is empty.
_TABS = {
    "sent": (N_("Waiting"), N_("No referral waits for your answer.")),
    "accepted": (N_("Accepted"), N_("Your organisation is helping nobody at the moment.")),
    "closed": (N_("Closed"), N_("No referral is closed.")),
}
# A referral that can still be answered is sealed, an accepted one opened; all others are closed.
_PAGES = {
    ReferralState.SENT: "provision/sealed.html",
    ReferralState.ACCEPTED: "provision/opened.html",
}


@blueprint.get("/inbox")
@needs(Permission.REFERRAL_VIEW)
def inbox() -> str:
    """List what waits, what is accepted, or what is over."""
    asked = request.args.get("state", "")
    tab = asked if asked in _TABS else "sent"
    after = _place(request.args.get("after", ""))
    if tab == "closed":
        found = provision.closed(actor(), after)
    else:
        found = provision.inbox(actor(), ReferralState(tab), after)
    heading, nothing = _TABS[tab]
    return render_template(
        "provision/inbox.html",
        inbox=found,
        tab=tab,
        tabs=_tabs(tab),
        heading=_(heading),
        nothing=_(nothing),
        newer=url_for(".inbox", state=tab) if after else None,
        older=url_for(".inbox", state=tab, after=encode(*found.more)) if found.more else None,
    )


@blueprint.get("/referrals/<reference>")
@needs(Permission.REFERRAL_VIEW)
def read(reference: str) -> str:
    """Show a referral as the organisation may see it now."""
    return _page(reference, DeclineForm())


@blueprint.get("/referrals/<reference>/health")
@needs(Permission.REFERRAL_VIEW)
@confirmed
def health(reference: str) -> Response:
    """Ask once more who it is; then the notes on health are open for a short while."""
    visibility.referral(actor(), reference)
    return redirect(url_for(".read", reference=reference, _anchor="health"), 303)


@blueprint.post("/referrals/<reference>/accept")
@needs(Permission.REFERRAL_ANSWER)
@once(lambda outcome, **_: url_for("provision.read", reference=outcome))
def accept(reference: str) -> Response | tuple[str, int]:
    """Accept for one's organisation; what consent covers opens."""
    form = AcceptForm()
    if form.carries_out(lambda: provision.accept(actor(), reference, pack(), form_id=form.receipt)):
        flash(_(ACCEPT.done))
        return redirect(url_for(".read", reference=reference), 303)
    return _page(reference, DeclineForm(formdata=None)), form.status


@blueprint.post("/referrals/<reference>/decline")
@needs(Permission.REFERRAL_ANSWER)
@once(lambda outcome, **_: url_for("provision.read", reference=outcome))
def decline(reference: str) -> Response | tuple[str, int]:
    """Decline for one's organisation, with the reason."""
    form = DeclineForm()
    if form.carries_out(
        lambda: provision.decline(
            actor(),
            reference,
            form.reason.data,
            form.words.data or "",
            pack(),
            form_id=form.receipt,
        )
    ):
        flash(_(DECLINE.done))
        return redirect(url_for(".read", reference=reference), 303)
    return _page(reference, form), form.status


@blueprint.route("/referrals/<reference>/service", methods=["GET", "POST"])
@needs(Permission.SERVICE_RECORD)
@once(lambda outcome, **_: url_for("provision.read", reference=outcome))
def record_service(reference: str) -> Response | tuple[str, int]:
    """Record one service that was given, or could not be."""
    today = datetime.now(UTC).astimezone(pack().zone).date()
    form = ServiceForm(given_on=today)
    if form.carries_out(
        lambda: provision.record_service(
            actor(),
            reference,
            provision.NewService(
                form.service.data,
                form.outcome.data,
                form.given_on.data or today,
                form.words.data or "",
            ),
            pack(),
            form_id=form.receipt,
        )
    ):
        flash(_("The service is recorded."))
        return redirect(url_for(".read", reference=reference), 303)
    referral, envelope = provision.working_on(actor(), reference)
    if not form.is_submitted():
        form.service.data = envelope["service"]
    return render_template(
        "provision/record_service.html", form=form, referral=referral
    ), form.status


@blueprint.route("/referrals/<reference>/end", methods=["GET", "POST"])
@needs(Permission.REFERRAL_END)
@once(lambda outcome, **_: url_for("provision.read", reference=outcome))
def end(reference: str) -> Response | tuple[str, int]:
    """End one's organisation's part."""
    form = EndForm()
    if form.carries_out(lambda: provision.end(actor(), reference, pack(), form_id=form.receipt)):
        flash(_(END.done))
        return redirect(url_for(".read", reference=reference), 303)
    referral = provision.ending(actor(), reference)
    return render_template("provision/end.html", form=form, referral=referral), form.status


@blueprint.post("/referrals/<reference>/show/<compartment>/<field>")
@needs(Permission.REFERRAL_VIEW)
@once(lambda outcome, **_: url_for("provision.read", reference=outcome))
def show_field(reference: str, compartment: str, field: str) -> str | tuple[str, int]:
    """Show one masked field of what consent opened, on this page alone."""
    form = ShowForm()
    values: list[str] = []
    if form.carries_out(
        lambda: values.append(
            reveal.of_referral(actor(), reference, compartment, field, form_id=form.receipt)
        )
    ):
        return _page(reference, DeclineForm(formdata=None), shown(compartment, field, values[0]))
    return _page(reference, DeclineForm(formdata=None)), form.status


def _page(reference: str, form: DeclineForm, asked: Shown | None = None) -> str:
    received = provision.read(actor(), reference, closed_for_now())
    return render_template(
        _PAGES.get(received.referral.state, "provision/closed.html"),
        received=received,
        opened=with_shown(received.opened, asked),
        accept_form=AcceptForm(formdata=None),
        form=form,
    )


def _tabs(current: str) -> list[dict[str, object]]:
    return [
        {"label": _(label), "url": url_for(".inbox", state=state), "current": state == current}
        for state, (label, _nothing) in _TABS.items()
    ]


def _place(word: str) -> provision.Place | None:
    """Read where a page of the inbox begins; anything else asks for the first page."""
    try:
        due, last = decode(word, 2) or ("", "")
        moment = datetime.fromisoformat(due)
        return (moment, UUID(last)) if moment.tzinfo is not None else None
    except ValueError:
        return None
