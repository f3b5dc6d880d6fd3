"""Signing in, in two steps, and signing out."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from nrm.domain.errors import StartAgainError, WrongFactorError
from nrm.domain.roles import Permission
from nrm.security.second_factor import in_groups
from nrm.services import second_factor
from nrm.services import sign_in as signing_in
from nrm.services.second_factor import Shown
from nrm.services.sign_in import SignedIn, Waiting
from nrm.web import factor_pages
from nrm.web.access import actor, needs, public, session_object
from nrm.web.forms.account import CodeForm, PaperCodeForm, PasskeyForm, SignInForm
from nrm.web.text import _

blueprint = Blueprint("account", __name__)

Page = tuple[str, int] | Response
# How the sitting remembers recovery codes that are to be shown once.
NEW_CODES = "new_codes"


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Page:
    """Ask who it is; whoever knows the password is asked for the second factor next."""
    if current_user.is_authenticated:
        return redirect(url_for("home.index"))
    form = SignInForm()
    if form.validate_on_submit():
        here = session_object()
        old = here.sitting.id if here.sitting is not None else None
        opened = signing_in.password(
            form.email.data or "", form.password.data or "", factor_pages.address(), old
        )
        if opened is not None:
            here.opened = opened
            return redirect(url_for(".code"), 303)
        # The same words whether the account exists or not.
        form.refuse("email", _("The e-mail address and the password do not belong together."))
    page = render_template("account/sign_in.html", form=form, federated=factor_pages.federated())
    return page, form.status


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@public
def code() -> Page:
    """Ask for the code of an app, or for a passkey."""
    who = _waiting()
    if who.seed is not None:
        return redirect(url_for(".set_up"), 303)
    form = CodeForm()
    if factor_pages.accepted(form, lambda: _second(factor_pages.shown_code(form))):
        return redirect(url_for("home.index"), 303)
    return _ask(form, who)


@blueprint.post("/sign-in/passkey")
@public
def passkey() -> Page:
    """Take what the browser answered for a passkey."""
    form = PasskeyForm()
    try:
        _waiting()
        _second(factor_pages.shown_passkey(form))
    except WrongFactorError:
        flash(_("The passkey was not accepted. Try it again, or use another way."), "error")
        return redirect(url_for(".code"), 303)
    return redirect(url_for("home.index"), 303)


@blueprint.route("/sign-in/recovery", methods=["GET", "POST"])
@public
def recovery() -> Page:
    """Ask for one of the codes that are kept on paper."""
    who = _waiting()
    if who.seed is not None:
        return redirect(url_for(".set_up"), 303)
    form = PaperCodeForm()
    if factor_pages.accepted(form, lambda: _second(factor_pages.shown_paper_code(form))):
        return redirect(url_for("home.index"), 303)
    page = render_template("account/recovery.html", form=form, back_to=url_for(".code"))
    return page, form.status


@blueprint.route("/sign-in/set-up", methods=["GET", "POST"])
@public
def set_up() -> Page:
    """Have a person without a second factor set one up before anything else."""
    who = _waiting()
    if who.seed is None:
        return redirect(url_for(".code"), 303)
    form = CodeForm()
    if factor_pages.accepted(form, lambda: _open(lambda: _set_up(form))):
        return redirect(url_for("ways.shown"), 303)
    page = render_template(
        "account/set_up.html",
        form=form,
        square=factor_pages.square(who.seed, who.email),
        for_app=factor_pages.for_app(who.seed, who.email),
        seed=in_groups(who.seed),
        first=True,
    )
    return page, form.status


def _ask(form: CodeForm, who: Waiting) -> Page:
    page = render_template(
        "account/code.html",
        form=form,
        has_app=second_factor.has_app(who.account_id),
        question=factor_pages.question(who.account_id),
        passkey_form=PasskeyForm(formdata=None),
        to_passkey=url_for(".passkey"),
        to_recovery=url_for(".recovery"),
    )
    return page, form.status


def _waiting() -> Waiting:
    """Say who has given their password in this browser; whoever has not begins at the door."""
    if current_user.is_authenticated or session_object().sitting is None:
        raise StartAgainError("nobody is waiting")
    return signing_in.waiting(dict(session))


def _second(shown: Shown) -> None:
    _open(
        lambda: signing_in.second(
            dict(session), shown, factor_pages.address(), _sitting_of_the_form()
        )
    )


def _set_up(form: CodeForm) -> SignedIn:
    return signing_in.set_up(
        dict(session), form.code.data or "", factor_pages.address(), _sitting_of_the_form()
    )


def _open(act: Callable[[], SignedIn]) -> None:
    """Give the browser the new sitting, and what its first page has to say."""
    done = act()
    here = session_object()
    here.opened = done.opened
    if words := factor_pages.told(done.proven):
        here.carried["_flashes"] = [("message", words)]
    if done.recovery_codes:
        here.carried[NEW_CODES] = done.recovery_codes


def _sitting_of_the_form() -> UUID:
    sitting = session_object().sitting
    if sitting is None:
        raise StartAgainError("nobody is waiting")
    return sitting.id


@blueprint.post("/sign-out")
@needs(Permission.WORK_VIEW)
def sign_out() -> Response:
    """End the sitting and have the browser forget what it showed."""
    here = session_object()
    if here.sitting is not None:
        signing_in.sign_out(actor(), here.sitting.id)
    here.ended = True
    response = redirect(url_for("account.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
