"""Closed by default: a route names the permission that it needs, or nobody reaches it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, abort, current_app, flash, redirect, request, session, url_for
from flask_login import LoginManager, current_user
from werkzeug.wrappers import Response

from config import Environment, Settings
from nrm.domain.errors import RefusedError
from nrm.domain.policy import holds
from nrm.domain.roles import Actor, Permission
from nrm.domain.text import N_
from nrm.domain.vocabulary import SENSITIVE
from nrm.services import sessions
from nrm.services.sessions import Viewer
from nrm.web.sessions import BrowserSession, cookie_name
from nrm.web.text import _

View = TypeVar("View", bound=Callable[..., Any])

_PERMISSION = "nrm_permission"
_PUBLIC = "nrm_public"
_CONFIRMED = "nrm_confirmed"
# How the sitting remembers what somebody was about to do who had to confirm who they are.
AFTER_CONFIRMING = "after_confirming"
# What was typed is kept up to this length; whoever wrote more goes back to the page.
_MOST_KEPT = 40_000
# What a browser is told at the end of a sitting.
FORGET = '"cache", "storage"'
# Compiled style sheets and scripts: nothing in them is anyone's.
_OPEN_ENDPOINTS = frozenset({"static"})


class SignedIn:
    """The account of the sitting, as Flask-Login knows it."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, viewer: Viewer) -> None:
        """Hold who it is."""
        self.viewer = viewer

    def get_id(self) -> str:
        """Return the account's id."""
        return str(self.viewer.actor.id)


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare the permission without which a route does not begin."""

    def mark(view: View) -> View:
        setattr(view, _PERMISSION, permission)
        return view

    return mark


def public(view: View) -> View:
    """Declare that a route is for everybody."""
    setattr(view, _PUBLIC, True)
    return view


def confirmed(view: View) -> View:
    """Want a second factor that was shown a short while ago; lead to the page that asks for one."""
    return confirmed_where(lambda **_values: True)(view)


def confirmed_where(sensitive: Callable[..., bool]) -> Callable[[View], View]:
    """Want the same where the values of the address say that it is sensitive."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(**values: object) -> object:
            # Here and not before the request: by now the form is known to be one of ours.
            if sensitive(**values) and not is_confirmed():
                return _to_confirm()
            return view(**values)

        setattr(guarded, _CONFIRMED, True)
        return cast("View", guarded)

    return guard


def closed_for_now() -> frozenset[str]:
    """Name the parts of a file that ask for a second factor first; none, if it was shown lately."""
    return frozenset() if is_confirmed() else SENSITIVE


def is_confirmed() -> bool:
    """Say whether a second factor was shown in this sitting a short while ago."""
    sitting = session_object().sitting
    return sitting is not None and sessions.is_confirmed(sitting.id)


def confirm_first(back: str) -> Response:
    """Ask for a second factor, and lead to a page of ours afterwards."""
    session[AFTER_CONFIRMING] = {"back": back}
    return redirect(url_for("confirm.code"), 303)


def _to_confirm() -> Response:
    """Ask for a second factor, and remember in the sitting what to go on with."""
    kept: dict[str, Any] = {"back": request.full_path.rstrip("?")}
    if request.method == "POST":
        kept["back"] = request.path if _can_be_read(request.path) else "/"
        fields = [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"]
        if not request.files and sum(len(value) for _, value in fields) <= _MOST_KEPT:
            kept["send"] = {"to": request.full_path.rstrip("?"), "fields": fields}
    session[AFTER_CONFIRMING] = kept
    return redirect(url_for("confirm.code"), 303)


def _can_be_read(path: str) -> bool:
    return current_app.url_map.bind("").test(path, method="GET")


def declared(view: Callable[..., Any]) -> Permission | str | None:
    """Return what a route declares: its permission, "public", or nothing."""
    if getattr(view, _PUBLIC, False):
        return "public"
    permission: Permission | None = getattr(view, _PERMISSION, None)
    return permission


def asks_once_more(view: Callable[..., Any]) -> bool:
    """Say whether a route wants a second factor that was shown a short while ago."""
    return bool(getattr(view, _CONFIRMED, False))


def actor() -> Actor:
    """Return who acts in this request."""
    viewer: Viewer = current_user.viewer
    return viewer.actor


def register(app: Flask) -> None:
    """Put the guard before every request."""
    manager = LoginManager()
    manager.session_protection = None
    manager.request_loader(_from_sitting)
    manager.init_app(app)
    app.before_request(_guard)


def _from_sitting(_request: object) -> SignedIn | None:
    sitting = session_object().sitting
    return SignedIn(sitting.viewer) if sitting is not None and sitting.viewer is not None else None


def session_object() -> BrowserSession:
    """Return the session itself, not Flask's stand-in for it."""
    current: BrowserSession = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    return current


def _guard() -> Response | None:
    if request.endpoint is None or request.endpoint in _OPEN_ENDPOINTS:
        return None
    _refuse_invisible_addresses()
    _refuse_other_sites()
    wanted = declared(current_app.view_functions[request.endpoint])
    if wanted == "public":
        return None
    if not current_user.is_authenticated:
        return _to_the_door()
    if not isinstance(wanted, Permission) or not holds(actor(), wanted):
        raise RefusedError(
            N_("Your role has no part in this page."), str(wanted or request.endpoint)
        )
    return None


def _to_the_door() -> Response:
    """Ask to sign in; whoever was signed out by the clock is told so, and that drafts are kept."""
    known = request.cookies.get(cookie_name(current_app.config["NRM"]))
    door = redirect(url_for("account.sign_in"), 303)
    if known and session_object().sitting is None:
        flash(_("You were signed out. Drafts are kept: sign in and go on."), "notice")
        # Whatever ended the sitting, the browser forgets what it showed, as after signing out.
        door.headers["Clear-Site-Data"] = FORGET
    return door


def _refuse_invisible_addresses() -> None:
    """Find nothing at an address that holds NUL: no record does, and PostgreSQL cannot even ask."""
    if "\x00" in request.path or any("\x00" in value for value in request.args.values()):
        abort(404)


def _refuse_other_sites() -> None:
    """Refuse a form that another site sent, also where a browser would send our cookie along."""
    if request.method != "POST":
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "null")
    # Our pages give no referrer, so browsers say `null` with our own forms as well: what tells
    # those apart is then Sec-Fetch-Site, and where a browser knows neither, the form's token.
    if site in ("cross-site", "same-site") or (origin != "null" and origin not in _our_origins()):
        abort(403)


def _our_origins() -> set[str]:
    """Say from where our own forms are sent: in production by https alone."""
    settings: Settings = current_app.config["NRM"]
    schemes = ("https",) if settings.environment is Environment.PRODUCTION else ("https", "http")
    return {f"{scheme}://{request.host}" for scheme in schemes}
