"""Another institution's sign-in: the way there, the way back, and connecting an account with it."""

from collections.abc import Callable
from functools import partial
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
from flask_login import current_user
from werkzeug.wrappers import Response

from config import OpenIdProvider
from nrm.domain.errors import ConflictError, FederationError, NotFoundError, StartAgainError
from nrm.domain.roles import Permission
from nrm.security.openid import Asked, Identity
from nrm.services import federation
from nrm.services import sign_in as signing_in
from nrm.services.sign_in import SignedIn
from nrm.web import factor_pages, logs
from nrm.web.access import actor, confirmed, needs, public, session_object
from nrm.web.errors import conflict_words, once
from nrm.web.forms.account import ButtonForm
from nrm.web.text import _

blueprint = Blueprint("federation", __name__)

Page = tuple[str, int] | Response
# How the sitting remembers what the browser was sent away with, and what for.
_ASKED, _FOR = "federated", "federated_for"
_SIGN_IN, _CONNECT = "sign-in", "connect"
# What a provider may say, each once; whatever else stands in the address is not passed on.
_SAID = ("code", "state", "iss", "error")
# That the browser has come back with our cookie, or has none.
_AGAIN = "again"


def _ways(_outcome: str, **_rest: object) -> str:
    return url_for("ways.page")


@blueprint.get("/sign-in/federated")
@public
def begin() -> Page:
    """Send somebody to the other institution's sign-in."""
    if current_user.is_authenticated:
        return redirect(url_for("home.index"))
    return _away(_SIGN_IN, url_for("account.sign_in"))


@blueprint.get("/account/ways/federated")
@needs(Permission.WORK_VIEW)
@confirmed
def connect() -> Page:
    """Send somebody who is signed in there, to connect the two."""
    return _away(_CONNECT, url_for("ways.page"))


@blueprint.get("/sign-in/federated/back")
@public
def back() -> Page:
    """Take what the provider answered, once."""
    here = session_object()
    if here.sitting is None and _AGAIN not in request.args:
        # Our cookie is not sent along from elsewhere: one page of ours, and the browser has it.
        said: dict[str, Any] = {**_said(), _AGAIN: "1"}
        to = url_for(".back", **said)
        return render_template("account/federated_way.html", to=to, words=""), 200
    asked = _asked()
    if current_user.is_authenticated:
        return _connected(asked) if asked else redirect(url_for("home.index"), 303)
    return _signed_in(asked)


def _asked() -> Asked | None:
    """Take what this browser was sent away with, once; an answer to another question leaves it."""
    what_for = _CONNECT if current_user.is_authenticated else _SIGN_IN
    kept = session.get(_ASKED)
    if kept is None or session.get(_FOR) != what_for:
        return None
    asked = Asked.from_kept(kept)
    if asked.is_answered_by(request.args):
        del session[_ASKED], session[_FOR]
    return asked


@blueprint.route("/account/ways/federated/remove", methods=["GET", "POST"])
@needs(Permission.WORK_VIEW)
@once(_ways)
@confirmed
def remove() -> Page:
    """Ask for a confirmation, then take the connection back."""
    form, who = ButtonForm(), actor()
    if form.carries_out(lambda: federation.disconnect(who, form_id=form.receipt)):
        flash(_("It is removed. Sign in with your password from now on."))
        return redirect(url_for("ways.page"), 303)
    return render_template("account/remove_federated.html", form=form), form.status


def _provider() -> OpenIdProvider:
    provider: OpenIdProvider | None = current_app.config["NRM"].openid
    if provider is None:
        raise NotFoundError if current_user.is_authenticated else StartAgainError("no provider")
    return provider


def _return_address() -> str:
    return current_app.config["NRM"].origin + url_for(".back")


def _away(what_for: str, otherwise: str) -> Page:
    provider = _provider()
    try:
        address, asked = federation.ask(provider, _return_address())
    except FederationError as error:
        # Whoever runs the system learns of it; to whoever knocks, a provider is silent or not.
        logs.write("openid", why=error.why)
        words = _("%(name)s does not answer. Sign in with your password.", name=provider.name)
        flash(words, "error")
        return redirect(otherwise, 303)
    session[_ASKED], session[_FOR] = asked.kept(), what_for
    # A page and no redirection: a browser counts that as a part of the form before it, such as the
    # one that confirms who it is, and forms of ours go nowhere else.
    words = _("You go on to %(name)s.", name=provider.name)
    return render_template("account/federated_way.html", to=address, words=words), 200


def _answered(asked: Asked, tell: Callable[[FederationError], None]) -> Identity:
    provider, here, address = _provider(), _return_address(), factor_pages.address()
    try:
        return federation.answered(provider, here, asked, _said(), address)
    except FederationError as error:
        tell(error)
        raise


def _said() -> dict[str, str]:
    return {name: request.args[name] for name in _SAID if name in request.args}


def _signed_in(asked: Asked | None) -> Page:
    if asked is None:
        raise StartAgainError("nobody asked")
    here = session_object()
    try:
        done = signing_in.federated(
            _answered(asked, federation.tell), factor_pages.address(), _sitting()
        )
    except FederationError:
        flash(
            _(
                "You are not signed in. Either it was not finished at %(name)s, or your account "
                "there is not connected with one here. Sign in with your password, and connect "
                "the two under “Ways to sign in”.",
                name=_provider().name,
            ),
            "error",
        )
        return redirect(url_for("account.sign_in"), 303)
    if isinstance(done, SignedIn):
        here.opened = done.opened
        return redirect(url_for("home.index"), 303)
    here.opened = done
    return redirect(url_for("account.code"), 303)


def _sitting() -> UUID | None:
    sitting = session_object().sitting
    return sitting.id if sitting is not None else None


def _connected(asked: Asked) -> Page:
    name, who = _provider().name, actor()
    try:
        found = _answered(asked, partial(federation.not_connected, who))
        federation.connect(who, _sitting(), found)
    except FederationError:
        flash(_("Nothing is connected: it was not finished at %(name)s.", name=name), "error")
    except ConflictError as error:
        flash(conflict_words(error), "error")
    else:
        flash(_("You can sign in with %(name)s from now on.", name=name))
    return redirect(url_for("ways.page"), 303)
