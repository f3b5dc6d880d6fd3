"""Screens of the auditor: the log, newest first, and one entry whole."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, stream_with_context, url_for
from werkzeug.wrappers import Response

from nrm.domain.policy import holds
from nrm.domain.roles import Permission
from nrm.services import log_export, log_search, organisations
from nrm.services.log_search import Found
from nrm.web import log_lines
from nrm.web.access import actor, confirmed, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.audit import SearchForm
from nrm.web.forms.base import Form
from nrm.web.log_words import SUBJECT_LABEL
from nrm.web.text import _

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
@needs(Permission.AUDIT_SEARCH)
def search() -> tuple[str, int]:
    """Show the entries that the address asks for, newest first."""
    form = _as_the_address_says()
    if form.errors:
        return _page(form)
    person = request.args.get("person", type=UUID)
    before = request.args.get("before", type=log_lines.read_point)
    found = log_search.search(actor(), form.search(person, before))
    form.email.data = found.email
    return _page(form, found, person)


@blueprint.post("/audit")
@needs(Permission.AUDIT_SEARCH)
@once(lambda _outcome, **_: url_for("audit.search"))
def ask() -> Response | tuple[str, int]:
    """Turn what was typed into an address that names no person."""
    form = SearchForm(organisations.every(), pack())
    person: list[UUID | None] = []
    if form.carries_out(lambda: person.append(log_search.account_id(actor(), form.person))):
        return redirect(url_for(".search", **form.address, person=person[0]), 303)
    return _page(form)


@blueprint.post("/audit/export")
@needs(Permission.AUDIT_EXPORT)
@once(lambda _outcome, **_: _same_search())
@confirmed
def export() -> Response | tuple[str, int]:
    """Hand out every entry that the address asks for, under a name that says nothing."""
    form = _as_the_address_says()
    if form.errors:
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
        row=log_lines.row(opened.line),
        ids=log_lines.ids(opened.line),
        subject=SUBJECT_LABEL.get(kept.subject_type, kept.subject_type),
    )


def _as_the_address_says() -> SearchForm:
    """Read the question that stands in an address; what cannot be asked is tied to its field."""
    form = SearchForm(organisations.every(), pack(), request.args, meta={"csrf": False})
    form.validate()
    person = request.args.get("person", "")
    if person and not log_search.is_account(actor(), request.args.get("person", type=UUID)):
        form.refuse("email", _("There is no such account. Type the e-mail address."))
    return form


def _page(
    form: SearchForm, found: Found | None = None, person: UUID | None = None
) -> tuple[str, int]:
    page = render_template(
        "audit/search.html",
        form=form,
        rows=[log_lines.row(line) for line in found.lines] if found else None,
        asked=bool(request.args),
        **_onwards(form, found, person) if found else {},
    )
    return page, form.status


def _onwards(form: SearchForm, found: Found, person: UUID | None) -> dict[str, Any]:
    """Say where the same search goes on: to older entries, and to a table of them all."""
    address = {**form.address, "person": person}
    onwards: dict[str, Any] = {"older": "", "export": None}
    if found.older:
        onwards["older"] = url_for(".search", **address, before=log_lines.point_word(found.older))
    if holds(actor(), Permission.AUDIT_EXPORT):
        onwards["export"] = Form(formdata=None)
        onwards["export_address"] = url_for(".export", **address)
    return onwards


def _same_search() -> str:
    """Lead a table that was asked for twice back to its search."""
    return f"{url_for('.search')}?{urlencode([*request.args.items(multi=True)])}"
