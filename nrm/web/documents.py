"""Screens of a case's documents: what is there, adding, downloading, removing."""

from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, redirect, render_template, url_for
from flask_babel import format_decimal
from werkzeug.wrappers import Response as BaseResponse

from nrm.domain.document import MEGABYTE
from nrm.domain.errors import UnconfirmedError
from nrm.domain.roles import Permission
from nrm.services import casefile, documents
from nrm.services.documents import Attached
from nrm.web.access import actor, closed_for_now, confirm_first, needs
from nrm.web.context import when, words
from nrm.web.errors import once
from nrm.web.forms.documents import PLACES, AddForm, RemoveForm
from nrm.web.text import _

blueprint = Blueprint("documents", __name__)

_KILOBYTE = 1024
# A document is for its reader's own program; nothing of it runs as a page of ours.
_POLICY = "sandbox; default-src 'none'"


@blueprint.get("/cases/<reference>/documents")
@needs(Permission.DOCUMENT_OPEN)
def page(reference: str) -> str:
    """Show the documents of a case, part by part."""
    found = documents.attachments(actor(), reference)
    return render_template(
        "documents/page.html",
        file=found.file,
        tab="documents",
        parts=[
            {"heading": words(part, "COMPARTMENT"), "documents": [_row(one) for one in listed]}
            for part, listed in found.by_compartment.items()
        ],
        closed=[words(part, "COMPARTMENT") for part in found.file.closed_to_actor],
    )


@blueprint.route("/cases/<reference>/documents/new", methods=["GET", "POST"])
@needs(Permission.DOCUMENT_ADD)
@once(lambda outcome, **_rest: url_for("documents.page", reference=outcome))
def add(reference: str) -> BaseResponse | tuple[str, int]:
    """Add a document to one part of the file."""
    form = AddForm()
    if form.carries_out(
        lambda: documents.add(actor(), reference, form.document(), form_id=form.receipt)
    ):
        flash(_("The document was added."))
        return redirect(url_for(".page", reference=reference), 303)
    file = casefile.page(actor(), reference, Permission.DOCUMENT_ADD)
    return (
        render_template("documents/add.html", file=file, tab="documents", form=form, places=PLACES),
        form.status,
    )


@blueprint.get("/cases/<reference>/documents/<uuid:document_id>/file")
@needs(Permission.DOCUMENT_OPEN)
def download(reference: str, document_id: UUID) -> BaseResponse:
    """Hand a document out, under a name that says nothing."""
    try:
        opened = documents.open_document(
            actor(), reference, document_id, _folder(), closed_for_now()
        )
    except UnconfirmedError:
        return confirm_first(url_for(".page", reference=reference))
    answer = Response(opened.chunks, mimetype=opened.media_type)
    answer.call_on_close(opened.close)
    answer.content_length = opened.length
    answer.headers["Content-Disposition"] = f'attachment; filename="{opened.name}"'
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer


@blueprint.route("/cases/<reference>/documents/<uuid:document_id>/remove", methods=["GET", "POST"])
@needs(Permission.DOCUMENT_REMOVE)
@once(lambda outcome, **_rest: url_for("documents.page", reference=outcome))
def remove(reference: str, document_id: UUID) -> BaseResponse | tuple[str, int]:
    """Remove a document that was added by mistake."""
    form = RemoveForm()
    if form.carries_out(
        lambda: documents.remove(actor(), reference, document_id, _folder(), form_id=form.receipt)
    ):
        flash(_("The document was removed."))
        return redirect(url_for(".page", reference=reference), 303)
    file, document = documents.attached(actor(), reference, document_id)
    return (
        render_template(
            "documents/remove.html",
            file=file,
            tab="documents",
            form=form,
            document=_row(document),
            part=words(document.compartment, "COMPARTMENT"),
        ),
        form.status,
    )


def _folder() -> Path:
    folder: Path = current_app.config["NRM"].documents
    return folder


def _row(document: Attached) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "kind": _(document.kind.label),
        "size": _size(document.length),
        "who": document.added_by,
        "at": when(document.added_at),
    }


def _size(length: int) -> str:
    """Say how large a file is."""
    if length < MEGABYTE:
        return _("%(size)s KB", size=format_decimal(-(-length // _KILOBYTE)))
    return _("%(size)s MB", size=format_decimal(round(length / MEGABYTE, 1)))
