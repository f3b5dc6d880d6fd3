"""Where each refusal of the mechanism becomes a page: plain words, what to do next, no data."""

from collections.abc import Callable
from http import HTTPStatus
from math import ceil
from typing import Any, TypeVar

from flask import Flask, Response, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as BaseResponse

from nrm.audit.actions import Action, Outcome
from nrm.db import db
from nrm.domain.errors import (
    NOTHING,
    AlreadyDoneError,
    ConflictError,
    DamagedError,
    ErasedError,
    IllegalStepError,
    LinkOverError,
    LockedError,
    NotFoundError,
    RefusedError,
    StartAgainError,
    Subject,
    TooManyTriesError,
    UnloggedError,
)
from nrm.domain.policy import holds
from nrm.domain.roles import Permission
from nrm.services import erasure, named
from nrm.services.audit import record_alone
from nrm.web import logs
from nrm.web.access import actor
from nrm.web.due import moment_words
from nrm.web.text import _

Page = tuple[str, int]
View = TypeVar("View", bound=Callable[..., Any])
_AGAIN = "nrm_again"
# Up to this many seconds are said as seconds.
_A_WHILE = 90
# The keys, what they open, the log, the database: without one of them there is no page.
_NOT_AT_HAND = (LockedError, DamagedError, UnloggedError, OperationalError)
# Which page answers which refusal; a wrong method is an address that does not exist.
_PAGES = {400: 400, 403: 403, 404: 404, 405: 404, 413: 413}


def once(leads_to: Callable[..., str]) -> Callable[[View], View]:
    """Say where a form leads that was sent twice: `leads_to(outcome, **what the address says)`."""

    def mark(view: View) -> View:
        setattr(view, _AGAIN, leads_to)
        return view

    return mark


def register(app: Flask) -> None:
    """Answer each kind of refusal in one place."""
    app.register_error_handler(NotFoundError, _not_found)
    app.register_error_handler(ErasedError, _erased)
    app.register_error_handler(LinkOverError, _link_over)
    app.register_error_handler(RefusedError, _refused)
    app.register_error_handler(ConflictError, _conflict)
    app.register_error_handler(IllegalStepError, _illegal_step)
    app.register_error_handler(AlreadyDoneError, _again)
    app.register_error_handler(TooManyTriesError, _too_many_tries)
    app.register_error_handler(StartAgainError, _start_again)
    for kind in _NOT_AT_HAND:
        app.register_error_handler(kind, _unavailable)
    app.register_error_handler(CSRFError, _expired_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _unanswered)
    app.register_error_handler(Exception, _unexpected)


def _not_found(error: NotFoundError) -> Page:
    log_not_found(error)
    return render_template("errors/404.html"), 404


def log_not_found(error: NotFoundError) -> None:
    """Out of sight and not there look the same on a page; the log knows the difference."""
    subject = error.subject
    if subject.case_id is None:
        # What is asked for by its id belongs to a case, whose history tells of it too.
        found = named.by_id(request.view_args or {})
        subject = subject if found == NOTHING else found
    _log_refusal(subject, Outcome.NOT_FOUND, str(request.endpoint))


def _erased(error: ErasedError) -> BaseResponse | Page:
    """Lead whoever may know more to who erased it and why; say to all others that it is gone."""
    may_know = holds(actor(), Permission.ERASURE_VIEW)
    erasure_id = erasure.done_for(error.subject.case_id) if may_know else None
    if erasure_id and request.method == "GET":
        return redirect(url_for("erasure.read", erasure_id=erasure_id), 303)
    _log_refusal(error.subject, Outcome.NOT_FOUND, str(request.endpoint))
    page = render_template(
        "errors/erased.html",
        reference=error.reference,
        erased_at=error.erased_at,
        erasure_id=erasure_id,
    )
    return page, HTTPStatus.GONE


def _link_over(error: LinkOverError) -> Page:
    """Whoever holds a link that is over learns what to do next, and not why it is over."""
    del error
    return render_template("errors/link_over.html"), HTTPStatus.GONE


def _refused(error: RefusedError) -> Page:
    subject = error.subject
    if subject == NOTHING:
        # A role is refused before anything is looked for; the case's history tells of it too.
        subject = named.at(request.view_args or {})
    _log_refusal(subject, Outcome.REFUSED, error.permission)
    return render_template("errors/403.html", words=_(error.reason)), 403


def _log_refusal(subject: Subject, outcome: Outcome, purpose: str) -> None:
    """Write the refusal in a transaction of its own, after the act's was rolled back."""
    if current_user and current_user.is_authenticated:
        record_alone(actor(), Action.ACCESS_REFUSED, subject, outcome, purpose=purpose[:60])


def _conflict(error: ConflictError) -> Page:
    return render_template("errors/409.html", words=conflict_words(error)), 409


def conflict_words(error: ConflictError) -> str:
    """Say what happened, by whom and when, in one sentence."""
    said = _(error.words).rstrip(".")
    if error.who and error.when:
        return str(
            _(
                "%(said)s, by %(who)s, %(when)s.",
                said=said,
                who=error.who,
                when=moment_words(error.when),
            )
        )
    return f"{said}."


def _illegal_step(error: IllegalStepError) -> Page:
    del error
    return render_template("errors/409.html"), 409


def _again(error: AlreadyDoneError) -> BaseResponse | Page:
    """Lead a form that was sent twice to what the first sending made."""
    view = current_app.view_functions[str(request.endpoint)]
    leads_to: Callable[..., str] | None = getattr(view, _AGAIN, None)
    if leads_to is None:
        return render_template("errors/409.html"), 409
    return redirect(leads_to(error.outcome, **(request.view_args or {})), 303)


def _expired_form(error: CSRFError) -> Page:
    del error
    return render_template("errors/400.html"), 400


def _http(error: HTTPException) -> BaseResponse | Page | HTTPException:
    code = error.code or 500
    if code < HTTPStatus.BAD_REQUEST:
        return error
    page = _PAGES.get(code, 400)
    return render_template(f"errors/{page}.html"), code


def _too_many_tries(error: TooManyTriesError) -> BaseResponse:
    """Say how long to wait, in the same words whoever it is and whatever was typed."""
    seconds = max(1, ceil(error.wait.total_seconds()))
    # Back at the page that asked, so that no step before it is taken anew.
    page = render_template("errors/429.html", wait=_wait_words(seconds), again=request.path)
    return Response(page, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(seconds)})


def _wait_words(seconds: int) -> str:
    if seconds == 1:
        return _("one second")
    if seconds <= _A_WHILE:
        return _("%(number)s seconds", number=seconds)
    return _("%(number)s minutes", number=ceil(seconds / 60))


def _start_again(error: StartAgainError) -> BaseResponse:
    """Lead back to the door, where the first step is taken anew."""
    del error
    if current_user.is_authenticated:
        # Whoever went back to a step that is done, or did it in another window, is in.
        return redirect(url_for("home.index"), 303)
    flash(
        _("That took too long, or it was finished in another window. Start again here."), "notice"
    )
    return redirect(url_for("account.sign_in"), 303)


def _unavailable(error: Exception) -> Page:
    """Nothing was shown and nothing was kept: something is not at hand."""
    logs.failure("unavailable", error, route=request.endpoint)
    db.session.rollback()
    return _bare("errors/503.html"), 503


def _unexpected(error: Exception) -> Page:
    logs.failure("unexpected", error, route=request.endpoint)
    db.session.rollback()
    return _bare("errors/500.html"), 500


def _unanswered(error: InternalServerError) -> Page:
    """Treat what fails while a refusal is being answered like whatever else fails."""
    cause = error.original_exception
    if isinstance(cause, _NOT_AT_HAND):
        return _unavailable(cause)
    return _unexpected(cause if isinstance(cause, Exception) else error)


def _bare(template: str) -> str:
    """Render without asking who looks on: the database that would know may be what failed."""
    return current_app.jinja_env.get_template(template).render()
