"""Screens of the auditor: the log, newest first, and one entry whole."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, stream_with_context, url_for
from werkzeug.wrappers import Response

from nrm.audit.actions import Action, Outcome
from nrm.domain.policy import holds
from nrm.domain.roles import Permission, Role
from nrm.services import accounts, log_export, log_search
from nrm.services.log_search import Found, Line, Point
from nrm.web import paging
from nrm.web.access import actor, needs
from nrm.web.context import action_words, pack, role_words
from nrm.web.errors import once
from nrm.web.forms.audit import SearchForm
from nrm.web.forms.base import Form
from nrm.web.log_words import OUTCOME_LABEL, SUBJECT_LABEL, part_words, why_words

blueprint = Blueprint("audit", __name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Row:
    """An entry in words."""

    line: Line
    who: str
    act: str
    outcome: str
    about: str
    parts: str
    why: str


@blueprint.get("/audit")
@needs(Permission.AUDIT_SEARCH)
def search() -> tuple[str, int]:
    """Show the entries that the address asks for, newest first."""
    form = SearchForm(accounts.organisations(), pack(), request.args, meta={"csrf": False})
    person = request.args.get("person", type=UUID)
    if not form.validate():
        return _page(form)
    before = request.args.get("before", type=_point)
    found = log_search.search(actor(), form.search(person, before))
    form.email.data = found.email
    return _page(form, found, person)


@blueprint.post("/audit")
@needs(Permission.AUDIT_SEARCH)
@once(lambda _outcome, **_: url_for("audit.search"))
def ask() -> Response | tuple[str, int]:
    """Turn what was typed into an address that names no person."""
    form = SearchForm(accounts.organisations(), pack())
    person: list[UUID | None] = []
    if form.carries_out(lambda: person.append(log_search.account_id(actor(), form.person))):
        return redirect(url_for(".search", **form.address, person=person[0]), 303)
    return _page(form)


@blueprint.post("/audit/export")
@needs(Permission.AUDIT_EXPORT)
@once(lambda _outcome, **_: _same_search())
def export() -> Response | tuple[str, int]:
    """Hand out every entry that the address asks for, under a name that says nothing."""
    form = SearchForm(accounts.organisations(), pack(), request.args, meta={"csrf": False})
    if not form.validate():
        return _page(form)
    asked = form.search(request.args.get("person", type=UUID), None)
    table = log_export.take_out(actor(), asked, form_id=Form().receipt)
    answer = Response(stream_with_context(table), mimetype="text/csv")
    name = f"log-{datetime.now(pack().zone):%Y-%m-%d}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.get("/audit/<uuid:entry_id>")
@needs(Permission.AUDIT_SEARCH)
def entry(entry_id: UUID) -> str:
    """Show one entry whole, and whether it is as it was written."""
    opened = log_search.entry(actor(), entry_id)
    kept = opened.line.entry
    return render_template(
        "audit/entry.html",
        opened=opened,
        kept=kept,
        row=_row(opened.line),
        subject=SUBJECT_LABEL.get(kept.subject_type, kept.subject_type),
    )


def _page(
    form: SearchForm, found: Found | None = None, person: UUID | None = None
) -> tuple[str, int]:
    page = render_template(
        "audit/search.html",
        form=form,
        rows=[_row(line) for line in found.lines] if found else None,
        asked=bool(request.args),
        **_onwards(form, found, person) if found else {},
    )
    return page, form.status


def _onwards(form: SearchForm, found: Found, person: UUID | None) -> dict[str, Any]:
    """Say where the same search goes on: to older entries, and to a table of them all."""
    address = {**form.address, "person": person}
    onwards: dict[str, Any] = {"older": "", "export": None}
    if found.older:
        onwards["older"] = url_for(".search", **address, before=_word(found.older))
    if holds(actor(), Permission.AUDIT_EXPORT):
        onwards["export"] = Form(formdata=None)
        onwards["export_address"] = url_for(".export", **address)
    return onwards


def _same_search() -> str:
    """Lead a table that was asked for twice back to its search."""
    return f"{url_for('.search')}?{urlencode([*request.args.items(multi=True)])}"


def _row(line: Line) -> Row:
    kept = line.entry
    outcome = Outcome(kept.outcome)
    return Row(
        line,
        who=line.who or role_words(Role.SYSTEM),
        act=action_words(Action(kept.action)),
        outcome="" if outcome is Outcome.DONE else str(OUTCOME_LABEL[outcome]),
        # Of one's own account, who it is about has been said already.
        about="" if kept.subject_id == kept.actor_id else line.about,
        parts=", ".join(part_words(part) for part in kept.compartments.split()),
        why=", ".join(why_words(code) for code in kept.purpose.split()),
    )


def _word(point: Point) -> str:
    """Write where a page begins, as two numbers."""
    moment, number = point
    return paging.encode((moment - _EPOCH) // _MICROSECOND, number)


def _point(word: str) -> Point:
    """Read where a page begins; what the log can never reach begins at the first."""
    parts = paging.decode(word, 2)
    if parts is None:
        raise ValueError(word)
    microseconds, number = (int(part) for part in parts)
    if not 0 < number <= _LARGEST_NUMBER:
        raise ValueError(word)
    try:
        return _EPOCH + microseconds * _MICROSECOND, number
    except OverflowError:
        raise ValueError(word) from None
