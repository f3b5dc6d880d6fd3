"""Screens of the directory: listings are read, submitted, approved by another person, suspended."""

from datetime import UTC, date, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.lifecycle import APPROVE_LISTING, SUBMIT_LISTING, SUSPEND_LISTING, allows
from nrm.domain.policy import holds, may
from nrm.domain.roles import Permission
from nrm.services import directory, visibility
from nrm.web.access import actor, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.directory import LONGEST_REASON, ApproveForm, SubmitForm, SuspendForm
from nrm.web.text import _

blueprint = Blueprint("directory", __name__)


@blueprint.get("/directory")
@needs(Permission.DIRECTORY_VIEW)
def entries() -> str:
    """List the providers by name."""
    shown, last = directory.entries(actor(), request.args.get("after", type=UUID))
    return render_template(
        "directory/entries.html",
        entries=shown,
        today=_today(),
        older=url_for(".entries", after=last) if last else "",
        may_submit=holds(actor(), Permission.LISTING_SUBMIT),
    )


@blueprint.get("/directory/<uuid:listing_id>")
@needs(Permission.DIRECTORY_VIEW)
def entry(listing_id: UUID) -> str:
    """Show one listing, and what the reader may do with it."""
    return _page(listing_id, ApproveForm(), SuspendForm())


@blueprint.route("/directory/submit", methods=["GET", "POST"])
@needs(Permission.LISTING_SUBMIT)
@once(lambda outcome, **_: url_for("directory.entry", listing_id=outcome))
def submit() -> Response | tuple[str, int]:
    """Submit a listing for somebody else's approval."""
    form = SubmitForm(directory.unlisted_providers(), directory.providers(), pack())
    done: list[UUID] = []
    if form.carries_out(
        lambda: done.append(directory.submit(actor(), form.listing, pack(), form_id=form.receipt))
    ):
        flash(_(SUBMIT_LISTING.done))
        return redirect(url_for(".entry", listing_id=done[0]), 303)
    return render_template("directory/submit.html", form=form), form.status


@blueprint.post("/directory/<uuid:listing_id>/approve")
@needs(Permission.LISTING_APPROVE)
@once(lambda outcome, **_: url_for("directory.entry", listing_id=outcome))
def approve(listing_id: UUID) -> Response | tuple[str, int]:
    """Approve a listing until a date."""
    form = ApproveForm()
    if form.carries_out(
        lambda: directory.approve(
            actor(),
            listing_id,
            form.until.data or date.min,
            version=form.version.data or 0,
            pack=pack(),
            form_id=form.receipt,
        )
    ):
        flash(_(APPROVE_LISTING.done))
        return redirect(url_for(".entry", listing_id=listing_id), 303)
    return _page(listing_id, form, SuspendForm(formdata=None), form), form.status


@blueprint.post("/directory/<uuid:listing_id>/suspend")
@needs(Permission.LISTING_SUSPEND)
@once(lambda outcome, **_: url_for("directory.entry", listing_id=outcome))
def suspend(listing_id: UUID) -> Response | tuple[str, int]:
    """Suspend a listing at once."""
    form = SuspendForm()
    if form.carries_out(
        lambda: directory.suspend(
            actor(),
            listing_id,
            form.reason.data or "",
            version=form.version.data or 0,
            form_id=form.receipt,
        )
    ):
        flash(_(SUSPEND_LISTING.done))
        return redirect(url_for(".entry", listing_id=listing_id), 303)
    return _page(listing_id, ApproveForm(formdata=None), form, form), form.status


def _page(
    listing_id: UUID,
    approving: ApproveForm,
    suspending: SuspendForm,
    refused: ApproveForm | SuspendForm | None = None,
) -> str:
    found = directory.entry(actor(), listing_id)
    standing = visibility.listing_standing(found.listing)
    for form in (approving, suspending):
        form.now_at(found.listing.version)
    return render_template(
        "directory/entry.html",
        entry=found,
        today=_today(),
        form=refused,
        approving=approving,
        suspending=suspending,
        longest_reason=LONGEST_REASON,
        manages=holds(actor(), Permission.LISTING_APPROVE),
        approval=may(actor(), APPROVE_LISTING.needs, standing),
        may_suspend=may(actor(), SUSPEND_LISTING.needs, standing).allowed
        and allows(found.listing.state, SUSPEND_LISTING),
    )


def _today() -> date:
    return datetime.now(UTC).astimezone(pack().zone).date()
