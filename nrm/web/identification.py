"""Screens of identification: a first responder writes a flag and sees where it stands."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain import flag
from nrm.domain.flag import PAGES
from nrm.domain.roles import Permission
from nrm.services import identification
from nrm.services.identification import Draft
from nrm.web import paging
from nrm.web.access import actor, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.flag_page import PageForm
from nrm.web.forms.identification import FORMS, DeleteForm, SendForm, StartForm
from nrm.web.text import _

blueprint = Blueprint("identification", __name__)

Page = tuple[str, int]


@blueprint.get("/flags")
@needs(Permission.CASE_FLAG)
def my_work() -> str:
    """List one's drafts and the flags one has sent."""
    after = _place(request.args.get("after", ""))
    flags = identification.my_flags(actor(), after)
    older = url_for(".my_work", after=paging.encode(*flags.older)) if flags.older else None
    return render_template(
        "identification/my_work.html", flags=flags, start=StartForm(), first=not after, older=older
    )


@blueprint.post("/flags/start")
@needs(Permission.CASE_FLAG)
@once(lambda outcome, **_: url_for("identification.tasks", draft_id=outcome))
def start() -> Response:
    """Begin a flag."""
    form = StartForm()
    if not form.validate_on_submit():
        return redirect(url_for(".my_work"), 303)
    beside = form.same_place_as.data or None
    draft_id = identification.start_draft(actor(), same_place_as=beside, form_id=form.receipt)
    if beside:
        flash(_("This flag is linked to %(reference)s: found at the same place.", reference=beside))
    return redirect(url_for(".tasks", draft_id=draft_id), 303)


@blueprint.get("/flags/drafts/<uuid:draft_id>")
@needs(Permission.CASE_FLAG)
def tasks(draft_id: UUID) -> str:
    """List the pages of a draft, done and not."""
    draft = identification.read_draft(actor(), draft_id)
    return render_template(
        "identification/tasks.html", draft=draft, steps=_steps(draft), go_on=_go_on(draft)
    )


@blueprint.route(
    f"/flags/drafts/<uuid:draft_id>/<any({','.join(PAGES)}):page>", methods=["GET", "POST"]
)
@needs(Permission.CASE_FLAG)
# Saving twice saves the same, and a page that one came back to must be saved again: no receipt.
@once(lambda _outcome, draft_id, **_: url_for("identification.tasks", draft_id=draft_id))
def question(draft_id: UUID, page: str) -> Response | Page:
    """Ask one page of questions; every way forward saves it."""
    draft = identification.read_draft(actor(), draft_id)
    form = FORMS[page](draft, pack())
    if "keep" in request.form:
        return _keep(draft_id, page, form)
    if form.carries_out(lambda: identification.save_page(actor(), draft_id, page, form.answers())):
        _warn_of_sector(draft, page, form.answers())
        return redirect(_after_saving(draft, page), 303)
    if _leaving() and form.only_lacks():
        # Who must leave now leaves: what is missing can wait, only what is wrong is said at once.
        identification.save_page(actor(), draft_id, page, form.typed(), finished=False)
        return redirect(_left(), 303)
    template = f"identification/{page}.html"
    here = {"page": page, "label": PAGES[page], "number": list(PAGES).index(page) + 1}
    return render_template(
        template,
        form=form,
        draft=draft,
        here=here,
        back_to=_before(draft, page),
        steps=_steps(draft, page),
        total=len(PAGES),
    ), form.status


@blueprint.route("/flags/drafts/<uuid:draft_id>/check", methods=["GET", "POST"])
@needs(Permission.CASE_FLAG)
@once(lambda outcome, **_: url_for("identification.sent", reference=outcome))
def check(draft_id: UUID) -> Response | Page:
    """Show all answers once more; send the flag."""
    form = SendForm()
    references: list[str] = []

    def send() -> None:
        # One draft is one case, from however many windows it is sent: its own id is the receipt.
        new = identification.send_flag(actor(), draft_id, pack(), form_id=draft_id)
        references.append(new)

    if form.carries_out(send):
        return redirect(url_for(".sent", reference=references[0]), 303)
    draft = identification.read_draft(actor(), draft_id)
    return render_template(
        "identification/check.html",
        form=form,
        draft=draft,
        sections=_sections(draft),
        steps=_steps(draft, "check"),
        said_no=_said_no(draft),
    ), form.status


@blueprint.route("/flags/drafts/<uuid:draft_id>/delete", methods=["GET", "POST"])
@needs(Permission.CASE_FLAG)
@once(lambda _outcome, **_: url_for("identification.my_work"))
def delete(draft_id: UUID) -> Response | Page:
    """Ask once more, then throw a draft away."""
    form = DeleteForm()
    if form.carries_out(
        lambda: identification.delete_draft(actor(), draft_id, form_id=form.receipt)
    ):
        flash(_("The draft is deleted. Nobody can read it again."))
        return redirect(url_for(".my_work"), 303)
    draft = identification.read_draft(actor(), draft_id)
    return render_template("identification/delete.html", form=form, draft=draft), form.status


@blueprint.get("/flags/<reference>/sent")
@needs(Permission.FLAG_VIEW)
def sent(reference: str) -> str:
    """Confirm that the flag was sent, and say what happens next."""
    case = identification.my_flag(actor(), reference)
    return render_template("identification/sent.html", case=case, start=_again_at(case.reference))


@blueprint.get("/flags/<reference>")
@needs(Permission.FLAG_VIEW)
def my_flag(reference: str) -> str:
    """Say how far one's own flag has come, and nothing of the file."""
    case = identification.my_flag(actor(), reference)
    return render_template(
        "identification/flag.html",
        case=case,
        words=flag.WHERE_IT_STANDS,
        start=_again_at(case.reference),
    )


def _again_at(reference: str) -> StartForm:
    return StartForm(same_place_as=reference)


def _place(word: str) -> tuple[datetime, UUID] | None:
    """Read where a page of the list begins; whatever cannot be read asks for the first page."""
    try:
        moment, last = paging.decode(word, 2) or ("", "")
        place = datetime.fromisoformat(moment), UUID(last)
    except ValueError:
        return None
    return place if place[0].tzinfo else None


def _steps(draft: Draft, here: str = "") -> list[dict[str, Any]]:
    """List the pages and the check with where each of them stands."""
    steps = [_step(draft, page, label, here) for page, label in PAGES.items()]
    ready = _("Cannot start yet") if draft.open_pages else _("Not started")
    check = {
        "label": _("Check and send"),
        "url": "" if draft.open_pages else url_for(".check", draft_id=draft.id),
        "state": "here" if here == "check" else "todo",
        "words": _("You are here") if here == "check" else ready,
    }
    return [*steps, check]


def _step(draft: Draft, page: str, label: str, here: str) -> dict[str, Any]:
    done = page in draft.pages
    state = "done" if done else "todo"
    opened = _("Started") if page in draft.begun else _("Not started")
    words = _("Done") if done else opened
    return {
        "label": _(label),
        "url": url_for(".question", draft_id=draft.id, page=page),
        "state": "here" if page == here else state,
        "words": _("You are here") if page == here else words,
    }


def _go_on(draft: Draft) -> str:
    """Lead to the first page that is open, or to the check."""
    if draft.open_pages:
        return url_for(".question", draft_id=draft.id, page=draft.open_pages[0])
    return url_for(".check", draft_id=draft.id)


def _after_saving(draft: Draft, page: str) -> str:
    """Lead on to the next page that is open after this one; past those that are done already."""
    if _leaving():
        return _left()
    order = list(PAGES)
    later = [name for name in draft.open_pages if order.index(name) > order.index(page)]
    if later:
        return url_for(".question", draft_id=draft.id, page=later[0])
    return url_for(".check", draft_id=draft.id)


def _keep(draft_id: UUID, page: str, form: PageForm) -> Page:
    """Save what stands on a page whose writer may be gone, before their sitting ends."""
    if form.validate() or form.only_lacks():
        identification.save_page(actor(), draft_id, page, form.typed(), finished=False)
        return "", 204
    return "", 422


def _leaving() -> bool:
    return "leave" in request.form


def _left() -> str:
    flash(_("Your draft is saved. You can go on with it here."))
    return url_for(".my_work")


def _warn_of_sector(draft: Draft, page: str, answers: dict[str, Any]) -> None:
    if page == "report" and flag.loses_sector(draft.pages, answers):
        flash(_("You chose another district. If you know the sector, choose it again."), "warning")


def _before(draft: Draft, page: str) -> str:
    order = list(PAGES)
    at = order.index(page)
    if at == 0:
        return url_for(".tasks", draft_id=draft.id)
    return url_for(".question", draft_id=draft.id, page=order[at - 1])


def _sections(draft: Draft) -> list[dict[str, Any]]:
    """Put every page that was answered into words, for the writer's own eyes."""
    return [
        {
            "page": page,
            "label": _(label),
            "url": url_for(".question", draft_id=draft.id, page=page),
            "rows": FORMS[page](draft, pack(), formdata=None).said() if page in draft.pages else [],
        }
        for page, label in PAGES.items()
    ]


def _said_no(draft: Draft) -> bool:
    """Say whether the person was asked and said no."""
    return draft.pages.get("consent", {}).get("agrees") == "no"
