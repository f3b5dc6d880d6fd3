"""Who has seen what: the auditor's two questions, and the access history of a case."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.errors import InvalidInputError, NotFoundError, Subject
from nrm.domain.roles import Permission, Role
from nrm.services import log_search, sightings
from nrm.services.sightings import Seen, Sight
from nrm.web import log_lines
from nrm.web.access import actor, needs
from nrm.web.context import pack, role_words
from nrm.web.errors import once
from nrm.web.forms.sightings import AccountForm, FileForm
from nrm.web.log_words import part_words
from nrm.web.text import _

blueprint = Blueprint("sightings", __name__)


@blueprint.get("/audit/seen")
@needs(Permission.AUDIT_SEARCH)
def ask() -> str:
    """Ask one of the two questions."""
    return _page(FileForm(), AccountForm(pack()))[0]


@blueprint.post("/audit/seen/file")
@needs(Permission.AUDIT_SEARCH)
@once(lambda _outcome, **_rest: url_for("sightings.ask"))
def ask_file() -> Response | tuple[str, int]:
    """Lead from a typed reference to who saw that file."""
    form = FileForm()
    if form.validate_on_submit():
        return redirect(url_for(".file", reference=form.asked), 303)
    return _page(form, AccountForm(pack(), formdata=None))


@blueprint.post("/audit/seen/account")
@needs(Permission.AUDIT_SEARCH)
@once(lambda _outcome, **_rest: url_for("sightings.ask"))
def ask_account() -> Response | tuple[str, int]:
    """Turn an e-mail address into an address of a page that names no person."""
    form = AccountForm(pack())
    found: list[UUID | None] = []
    if form.carries_out(lambda: found.append(log_search.account_id(actor(), form.person))):
        since, until = (_stamp(moment) for moment in form.span)
        return redirect(url_for(".account", account_id=found[0], since=since, until=until), 303)
    return _page(FileForm(formdata=None), form)


@blueprint.get("/audit/seen/file/<reference>")
@needs(Permission.AUDIT_SEARCH)
def file(reference: str) -> tuple[str, int]:
    """Show who saw a file."""
    try:
        people = sightings.of_file(actor(), reference)
    except InvalidInputError as error:
        form = FileForm(formdata=None)
        form.reference.data = reference
        form.reference.errors = [_(error.message)]
        return _page(form, AccountForm(pack(), formdata=None))[0], 404
    page = render_template("sightings/file.html", reference=reference, rows=_seen(people))
    return page, 200


@blueprint.get("/audit/seen/account/<uuid:account_id>")
@needs(Permission.AUDIT_SEARCH)
def account(account_id: UUID) -> str:
    """Show every file that an account saw between two moments."""
    since = request.args.get("since", type=_moment)
    until = request.args.get("until", type=_moment)
    if since is None or until is None:
        raise NotFoundError(Subject("account", account_id))
    saw = sightings.of_account(actor(), account_id, since, until)
    return render_template(
        "sightings/account.html",
        saw=saw,
        since=since,
        until=until,
        rows=[{"reference": one.reference, **_sight(one.sight)} for one in saw.files],
        person=account_id,
    )


@blueprint.get("/cases/<reference>/access")
@needs(Permission.CASE_HISTORY)
def history(reference: str) -> str:
    """Show the access history of a case."""
    before = request.args.get("before", type=log_lines.read_point)
    found = sightings.history(actor(), reference, before)
    older = ""
    if found.older:
        word = log_lines.point_word(found.older)
        older = url_for(".history", reference=reference, before=word)
    return render_template(
        "sightings/history.html",
        file=found.file,
        tab="access",
        rows=_seen(found.people),
        lines=[log_lines.row(line) for line in found.lines],
        older=older,
    )


def _page(file_form: FileForm, account_form: AccountForm) -> tuple[str, int]:
    """Show both questions; one of them may have been refused."""
    page = render_template(
        "sightings/ask.html",
        file_form=file_form,
        account_form=account_form,
        form=file_form if file_form.errors else account_form,
    )
    return page, max(file_form.status, account_form.status)


def _seen(people: Sequence[Seen]) -> list[dict[str, Any]]:
    return [
        {
            "account_id": one.account_id,
            "who": one.who or role_words(Role.SYSTEM),
            "organisation": one.organisation,
            **_sight(one.sight),
        }
        for one in people
    ]


def _sight(sight: Sight) -> dict[str, Any]:
    return {
        "times": sight.times,
        "in_lists": sight.in_lists,
        "refused": sight.refused,
        "first": sight.first,
        "last": sight.last,
        "parts": ", ".join(part_words(part) for part in sorted(sight.parts)),
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%MZ")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
