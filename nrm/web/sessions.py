"""Flask's session, kept on the server: the browser holds a random token and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Request, Response, current_app, request
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from config import Environment, Settings
from nrm.domain.roles import Role
from nrm.domain.sitting import LASTS
from nrm.services import sessions
from nrm.web import device

# What a page sends along when it asks by itself, with nobody at the keys.
BY_ITSELF = "Nrm-By-Itself"


class BrowserSession(CallbackDict[str, Any], SessionMixin):
    """What the pages remember between two clicks, and whose sitting it is."""

    def __init__(self, sitting: sessions.Sitting | None) -> None:
        """Start from a sitting that is still good, or from nothing."""
        super().__init__(sitting.data if sitting is not None else None, _mark_modified)
        self.sitting = sitting
        self.modified = False
        # A sitting that was opened during this request, whose token the browser has yet to learn.
        self.opened: sessions.Opened | None = None
        # What the pages of that one remember from its beginning.
        self.carried: dict[str, Any] = {}
        # A new token for the sitting that goes on, since a second factor was shown in it.
        self.new_token = ""
        self.ended = False
        # Whether somebody is there: a page that asks by itself says so, and moves no clock.
        self.click = sessions.Click.USUAL


def _mark_modified(session: "BrowserSession") -> None:
    session.modified = True


class ServerSideSessions(SessionInterface):
    """Finds, keeps and ends sittings by the token in the cookie."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """Resume the sitting of the token that came, if it is still good."""
        settings: Settings = app.config["NRM"]
        token = request.cookies.get(cookie_name(settings), "")
        session = BrowserSession(sessions.resume(token, limits(settings)) if token else None)
        if request.headers.get(BY_ITSELF):
            session.click = sessions.Click.NONE
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep what changed, and tell the browser a new token or to forget the old one."""
        settings: Settings = app.config["NRM"]
        response.vary.add("Cookie")
        if not isinstance(session, BrowserSession):
            return
        if session.ended:
            response.delete_cookie(cookie_name(settings), **_attributes(settings))
            return
        if session.opened is None and session.sitting is None and session.modified:
            session.opened = sessions.open_anonymous(dict(session), limits(settings))
        token = session.opened.token if session.opened is not None else session.new_token
        if token:
            response.set_cookie(cookie_name(settings), token, **_attributes(settings))
        if session.opened is not None:
            _keep_carried(session.opened, session.carried)
        elif session.sitting is not None:
            data = dict(session) if session.modified else None
            sessions.save(session.sitting, data, session.click, _device())


def _keep_carried(opened: sessions.Opened, carried: dict[str, Any]) -> None:
    if carried:
        sessions.save(sessions.Sitting(opened.id, {}, None, datetime.now(UTC)), carried)


def cookie_name(settings: Settings) -> str:
    """Name the cookie; only the demonstration on loopback, without https, uses a plain name."""
    return "__Host-nrm" if settings.environment is Environment.PRODUCTION else "nrm"


def limits(settings: Settings | None = None) -> sessions.Limits:
    """Return how long a sitting lasts."""
    chosen: Settings = settings or current_app.config["NRM"]
    return sessions.Limits(
        timedelta(minutes=chosen.idle_minutes), timedelta(hours=chosen.absolute_hours)
    )


def cover(settings: Settings, role: Role) -> timedelta:
    """Return after how long without a sign of anybody the screen is covered."""
    if settings.cover_seconds:
        return timedelta(seconds=settings.cover_seconds)
    return LASTS[role].cover


def _device() -> str:
    return device.told(request.headers.get("User-Agent", ""))


def _attributes(settings: Settings) -> dict[str, Any]:
    return {
        "path": "/",
        "httponly": True,
        "samesite": "Strict",
        "secure": settings.environment is Environment.PRODUCTION,
    }
