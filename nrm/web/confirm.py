"""Confirming who one is before something sensitive, and going on where one was."""

from flask import Blueprint, flash, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from nrm.domain.errors import StartAgainError, WrongFactorError
from nrm.domain.roles import Permission
from nrm.services import second_factor, sign_in
from nrm.services.second_factor import Shown
from nrm.web import factor_pages
from nrm.web.access import AFTER_CONFIRMING, actor, needs, session_object
from nrm.web.errors import once
from nrm.web.forms.account import CodeForm, PaperCodeForm, PasskeyForm
from nrm.web.text import _

blueprint = Blueprint("confirm", __name__)

Page = tuple[str, int] | Response
_TO_SEND = "confirmed_form"


def _home(_outcome: str, **_rest: object) -> str:
    return url_for("home.index")


@blueprint.route("/confirm", methods=["GET", "POST"])
@needs(Permission.WORK_VIEW)
@once(_home)
def code() -> Page:
    """Ask for the code of an app, or for a passkey, once more."""
    form = CodeForm()
    if factor_pages.accepted(form, lambda: _confirm(factor_pages.shown_code(form))):
        return _go_on()
    page = render_template(
        "account/code.html",
        form=form,
        confirming=True,
        has_app=second_factor.has_app(actor().id),
        question=factor_pages.question(actor().id),
        passkey_form=PasskeyForm(formdata=None),
        to_passkey=url_for(".passkey"),
        to_recovery=url_for(".recovery"),
    )
    return page, form.status


@blueprint.post("/confirm/passkey")
@needs(Permission.WORK_VIEW)
@once(_home)
def passkey() -> Page:
    """Take what the browser answered for a passkey."""
    form = PasskeyForm()
    try:
        _confirm(factor_pages.shown_passkey(form))
    except WrongFactorError:
        flash(_("The passkey was not accepted. Try it again, or use another way."), "error")
        return redirect(url_for(".code"), 303)
    return _go_on()


@blueprint.route("/confirm/recovery", methods=["GET", "POST"])
@needs(Permission.WORK_VIEW)
@once(_home)
def recovery() -> Page:
    """Ask for one of the codes that are kept on paper."""
    form = PaperCodeForm()
    if factor_pages.accepted(form, lambda: _confirm(factor_pages.shown_paper_code(form))):
        return _go_on()
    page = render_template("account/recovery.html", form=form, back_to=url_for(".code"))
    return page, form.status


@blueprint.get("/confirm/go-on")
@needs(Permission.WORK_VIEW)
def go_on() -> Page:
    """Give back a form that was interrupted, to be sent with one press."""
    kept = session.pop(_TO_SEND, None)
    if kept is None:
        return redirect(url_for("home.index"), 303)
    return render_template("account/go_on.html", to=kept["to"], fields=kept["fields"]), 200


def _confirm(shown: Shown) -> None:
    here = session_object()
    if here.sitting is None:
        raise StartAgainError("nobody is signed in")
    token, proven = sign_in.confirm(actor(), here.sitting.id, shown, factor_pages.address())
    here.new_token = token
    factor_pages.tell(proven)


def _go_on() -> Response:
    """Lead back to where one was: to a page of ours that the sitting remembers, never elsewhere."""
    kept = session.pop(AFTER_CONFIRMING, {})
    if "send" in kept:
        session[_TO_SEND] = kept["send"]
        return redirect(url_for(".go_on"), 303)
    return redirect(kept.get("back") or url_for("home.index"), 303)
