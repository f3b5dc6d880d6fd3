"""Screens of whoever looks after accounts: people, invitations, and no way to any case."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response

from nrm.domain.policy import holds
from nrm.domain.roles import Permission
from nrm.services import invitation_mail, invitations, people
from nrm.services.invitations import Link, Made
from nrm.web.access import actor, confirmed, needs
from nrm.web.due import moment_words
from nrm.web.errors import once
from nrm.web.forms.base import Form
from nrm.web.forms.people import DisableForm, InviteForm, PeopleForm, RenewForm
from nrm.web.text import _

blueprint = Blueprint("people", __name__)

# What this sitting looks for: a part of a name has no place in an address.
_ASKED = "people"
# A new link on its way from the form to the one page that shows it.
_LINK = "people-link"


@blueprint.get("/people")
@needs(Permission.ACCOUNT_MANAGE)
def index() -> str:
    """List the accounts that this sitting asked for, or all."""
    kept: Mapping[str, Any] = session.get(_ASKED, {})
    form = PeopleForm(invitations.homes(actor()), actor().role, kept)
    asked = form.asked(kept)
    shown, last = people.listed(actor(), asked, request.args.get("after", type=UUID))
    return render_template(
        "people/index.html",
        form=form,
        people=shown,
        narrowed=asked != people.Asked(),
        older=url_for(".index", after=last) if last else "",
        everywhere=holds(actor(), Permission.ORGANISATION_MANAGE),
    )


@blueprint.post("/people")
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda _outcome, **_: url_for("people.index"))
def ask() -> Response | tuple[str, int]:
    """Remember in this sitting whom to show."""
    form = PeopleForm(invitations.homes(actor()), actor().role)
    if form.everyone.data:
        session.pop(_ASKED, None)
        return redirect(url_for(".index"), 303)
    if form.validate_on_submit():
        session[_ASKED] = form.kept
        return redirect(url_for(".index"), 303)
    page = render_template("people/index.html", form=form, people=None, narrowed=True, older="")
    return page, form.status


@blueprint.get("/people/<uuid:account_id>")
@needs(Permission.ACCOUNT_MANAGE)
def person(account_id: UUID) -> str:
    """Show one account, and what can be done with it."""
    return render_template("people/person.html", found=people.person(actor(), account_id))


@blueprint.route("/people/new", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("people.link", account_id=outcome))
@confirmed
def invite() -> Response | tuple[str, int]:
    """Create an account in one role; its person chooses the password."""
    form = InviteForm(invitations.homes(actor()), actor().role)
    made: list[Made] = []
    if form.carries_out(
        lambda: made.append(invitations.invite(actor(), form.account, form_id=form.receipt))
    ):
        return _lead_on(made[0])
    return render_template("people/invite.html", form=form), form.status


@blueprint.route("/people/<uuid:account_id>/invite", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("people.link", account_id=outcome))
@confirmed
def renew(account_id: UUID) -> Response | tuple[str, int]:
    """Make a new link for somebody who lost it, or who forgot the password."""
    form, who = RenewForm(), actor()
    made: list[Made] = []

    def act() -> None:
        taken_over = form.why.data == people.TAKEN_OVER
        made.append(invitations.renew(who, account_id, taken_over=taken_over, form_id=form.receipt))

    if form.carries_out(act):
        return _lead_on(made[0])
    return _page("people/renew.html", form, account_id)


def _lead_on(made: Made) -> Response:
    """Lead to the one page that shows the link, or says who has to agree first."""
    if made.link is not None:
        _remember(made.link)
    return redirect(url_for(".link", account_id=made.account_id), 303)


def _remember(link: Link) -> None:
    """Keep a link for the page that shows it, and send it where e-mail is set up."""
    settings = current_app.config["NRM"]
    # A link that leaves by e-mail never bears an address that came with a request.
    site = settings.origin or request.host_url.rstrip("/")
    address = site + url_for("welcome.activate", token=link.token)
    server = settings.mail
    if server and (settings.origin or settings.practice):
        if invitation_mail.send(actor(), link, address, server, _message()):
            flash(_("The link was sent by e-mail as well."))
        else:
            flash(_("The e-mail could not be sent. Hand the link over yourself."), "warning")
    until = moment_words(link.expires_at)
    session[_LINK] = {"account": str(link.account_id), "address": address, "until": until}


def _message() -> tuple[str, str]:
    """Say what a link is for, without a name, a role, or a word of what this system is."""
    return (
        _("Choose your password"),
        _(
            "Somebody who looks after accounts made this address for you. Open it within three "
            "days and choose a password:\n\n{address}\n\nIt works once. If you did not expect "
            "this message, do nothing and tell whoever looks after your account."
        ),
    )


@blueprint.get("/people/<uuid:account_id>/link")
@needs(Permission.ACCOUNT_MANAGE)
def link(account_id: UUID) -> str:
    """Show a new link once; whoever opens the page again is told to make another."""
    found = people.person(actor(), account_id)
    kept = session.get(_LINK, {})
    fresh = kept if kept.get("account") == str(account_id) else {}
    session.pop(_LINK, None)
    return render_template("people/link.html", found=found, fresh=fresh)


@blueprint.route("/people/<uuid:account_id>/disable", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("people.person", account_id=outcome))
def disable(account_id: UUID) -> Response | tuple[str, int]:
    """Ask why, then shut an account."""
    form, who = DisableForm(), actor()
    if form.carries_out(
        lambda: people.disable(who, account_id, form.reason.data, form_id=form.receipt)
    ):
        flash(_("The account is disabled. The person was signed out everywhere."))
        return redirect(url_for(".person", account_id=account_id), 303)
    return _page("people/disable.html", form, account_id)


@blueprint.route("/people/<uuid:account_id>/enable", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("people.person", account_id=outcome))
def enable(account_id: UUID) -> Response | tuple[str, int]:
    """Ask for a confirmation, then open an account again."""
    done = _("The account is enabled. The person can sign in again.")
    return _confirmed(account_id, people.enable, "people/enable.html", done)


@blueprint.route("/people/<uuid:account_id>/reset", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("people.person", account_id=outcome))
@confirmed
def reset_factors(account_id: UUID) -> Response | tuple[str, int]:
    """Ask for a confirmation, then forget a person's second factors."""
    done = _("The second factor is reset. The person sets up a new one at the next sign-in.")
    return _confirmed(account_id, people.reset_factors, "people/reset.html", done)


def _confirmed(
    account_id: UUID, act: Callable[..., None], template: str, done: str
) -> Response | tuple[str, int]:
    form, who = Form(), actor()
    if form.carries_out(lambda: act(who, account_id, form_id=form.receipt)):
        flash(done)
        return redirect(url_for(".person", account_id=account_id), 303)
    return _page(template, form, account_id)


def _page(template: str, form: Form, account_id: UUID, **more: Any) -> tuple[str, int]:
    """Show a form about an account that is the viewer's to look after."""
    found = people.subject(actor(), account_id)
    return render_template(template, form=form, found=found, **more), form.status
