"""Screens of the case file: the worklist, the file itself, the presumption, the closing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from nrm.domain.errors import NotFoundError
from nrm.domain.lifecycle import CLOSE, PRESUME, Assistance, Identification
from nrm.domain.reference import ReferenceTypo
from nrm.domain.roles import Permission
from nrm.domain.vocabulary import SENSITIVE, Urgency
from nrm.services import casefile, follow_up, identification, reveal
from nrm.services.casefile import Place, Queue
from nrm.web import case_words, keeping_words, paging
from nrm.web.access import actor, confirmed_where, needs
from nrm.web.consent import answer_rows
from nrm.web.context import pack
from nrm.web.errors import log_not_found, once
from nrm.web.forms.casefile import CloseForm, FindForm, PresumeForm, RevealForm
from nrm.web.forms.reveal import ShowForm
from nrm.web.masked import Shown, shown
from nrm.web.text import _

blueprint = Blueprint("casefile", __name__)
blueprint.add_app_template_filter(case_words.case_flags)
blueprint.add_app_template_filter(case_words.contact_rule)
blueprint.add_app_template_filter(lambda case: keeping_words.head(case, actor().id), "keeper")

OPEN_FOR = timedelta(minutes=15)
# What a reason opens, group by group; the police part has no form, because it stays closed.
GROUPS = ("identity", "contact", "narrative", "health")
# What is opened only by somebody who has just shown a second factor.


@blueprint.get("/cases")
@needs(Permission.CASE_VIEW)
def worklist() -> str:
    """List what is to be done, most pressing first."""
    asked = request.args.get("queue", "")
    queue = Queue(asked) if asked in list(Queue) else Queue.ALL
    after = _place(request.args.get("after", ""))
    listed = casefile.worklist(actor(), queue, after)
    more = listed.more
    return render_template(
        "casefile/worklist.html",
        queue=queue,
        tabs=case_words.tabs(queue),
        rows=[case_words.work_row(row, actor().id) for row in listed.rows],
        offers=keeping_words.offers(listed.offers) if after is None else [],
        drafts_left=listed.drafts_left if after is None else 0,
        first=url_for(".worklist", queue=queue) if after else "",
        more=url_for(".worklist", queue=queue, after=_word(more)) if more else "",
        find=FindForm(formdata=None),
    )


def _word(place: Place) -> str:
    return paging.encode(place.urgency, place.due_at.isoformat(), place.id)


def _place(word: str) -> Place | None:
    """Read where a page begins; whatever is no such place asks for the first page."""
    key = paging.decode(word, 3)
    try:
        place = Place(int(key[0]), datetime.fromisoformat(key[1]), UUID(key[2])) if key else None
    except ValueError:
        return None
    if place is None or place.urgency not in list(Urgency) or place.due_at.tzinfo is None:
        return None
    return place


@blueprint.route("/cases/find", methods=["GET", "POST"])
@needs(Permission.CASE_VIEW)
@once(lambda _outcome, **_rest: url_for("casefile.worklist"))
def find() -> Response | tuple[str, int]:
    """Lead from a reference that was read out to its case; no address holds what was typed."""
    form = FindForm()
    status = None
    if form.validate_on_submit():
        try:
            reference = casefile.find(actor(), form.reference.data or "")
            return redirect(url_for(".overview", reference=reference), 303)
        except ReferenceTypo as typo:
            form.refuse("reference", _(typo.message, **typo.parameters))
        except NotFoundError as error:
            log_not_found(error)
            form.refuse("reference", _("No case with this reference that you may see"))
            status = 404
    return render_template("casefile/find.html", form=form), status or form.status


@blueprint.get("/cases/<reference>")
@needs(Permission.CASE_VIEW)
def overview(reference: str) -> str:
    """Show a case: what comes next, what is known, what is closed."""
    return _overview(reference, None, "")


def _overview(
    reference: str, refused: RevealForm | None, group: str, shown: Shown | None = None
) -> str:
    given = opened_now(reference)
    page = casefile.overview(
        actor(), reference, {name: reason for name, (_until, reason) in given.items()}
    )
    closed = page.file.closed_to_actor
    opened = {name: given[name] for name in page.opened}
    forms = {
        name: RevealForm(formdata=None, prefix=name)
        for name in GROUPS
        if name not in opened and name not in closed
    }
    if refused is not None:
        forms[group] = refused
    return render_template(
        "casefile/overview.html",
        file=page.file,
        tab="overview",
        page=page,
        next=case_words.next_step(page.file.case),
        kept_by=keeping_words.kept_by(page.file.case, actor().id),
        lacks_exploitation=case_words.lacks_exploitation(page.file),
        help_rail=case_words.help_rail(page),
        identification_rail=case_words.identification_rail(page.file.case),
        known=case_words.known(page, shown),
        consents=answer_rows(page.consents),
        happened=[case_words.event(act) for act in page.timeline],
        opened={name: _note(*given) for name, given in opened.items()},
        forms=forms,
        form=refused,
    )


@blueprint.post("/cases/<reference>/open/<group>")
@needs(Permission.CASE_VIEW)
@once(lambda outcome, **_rest: url_for("casefile.overview", reference=outcome))
@confirmed_where(lambda group, **_rest: group in SENSITIVE)
def open_fields(reference: str, group: str) -> Response | tuple[str, int]:
    """Open closed fields for a while: the reason goes into the log first."""
    form = RevealForm(prefix=group)
    if form.carries_out(
        lambda: casefile.reveal(
            actor(), reference, group, form.reason.data or "", form_id=form.receipt
        )
    ):
        _keep_open(reference, group, form.reason.data or "")
        return redirect(url_for(".overview", reference=reference, _anchor=group), 303)
    return _overview(reference, form, group), form.status


@blueprint.post("/cases/<reference>/show/<compartment>/<field>")
@needs(Permission.CASE_VIEW)
@once(lambda outcome, **_rest: url_for("casefile.overview", reference=outcome))
def show_field(reference: str, compartment: str, field: str) -> str | tuple[str, int]:
    """Show one masked field, on this page alone; its group was opened with a reason before."""
    form = ShowForm()
    _until, reason = opened_now(reference).get(compartment, (None, ""))
    values: list[str] = []
    if form.carries_out(
        lambda: values.append(
            reveal.of_case(actor(), reference, compartment, field, reason, form_id=form.receipt)
        )
    ):
        return _overview(reference, None, "", shown(compartment, field, values[0]))
    # The group has closed again meanwhile: it is asked for anew.
    refused = RevealForm(formdata=None, prefix=compartment)
    refused.refuse("reason", _("Choose a reason first"))
    return _overview(reference, refused, compartment), refused.status


def opened_now(reference: str) -> dict[str, tuple[datetime, str]]:
    """Return what stands open to this sitting in this case: until when, and for what."""
    now = datetime.now(UTC)
    kept: dict[str, tuple[str, str]] = session.get("opened", {}).get(reference, {})
    read = {name: (datetime.fromisoformat(until), why) for name, (until, why) in kept.items()}
    return {name: given for name, given in read.items() if given[0] > now}


def _keep_open(reference: str, group: str, reason: str) -> None:
    """Remember in the sitting what is open; what has closed again is forgotten."""
    held = {
        case: {name: [until.isoformat(), why] for name, (until, why) in still.items()}
        for case in session.get("opened", {})
        if (still := opened_now(case))
    }
    until = (datetime.now(UTC) + OPEN_FOR).isoformat()
    session["opened"] = {**held, reference: {**held.get(reference, {}), group: [until, reason]}}


def _note(until: datetime, reason: str) -> str:
    return _(
        "Opened by you for “%(reason)s”. Closes at %(time)s.",
        reason=case_words.reveal_reason(reason),
        time=until.astimezone(pack().zone).strftime("%H:%M"),
    )


@blueprint.route("/cases/<reference>/presume", methods=["GET", "POST"])
@needs(Permission.CASE_PRESUME)
@once(lambda outcome, **_rest: url_for("casefile.overview", reference=outcome))
def presume(reference: str) -> Response | tuple[str, int]:
    """Record that there are grounds to presume a victim."""
    form = PresumeForm()
    if form.carries_out(
        lambda: identification.presume(
            actor(),
            reference,
            basis=form.basis.data or [],
            words=form.words.data or "",
            version=form.version.data or 0,
            pack=pack(),
            form_id=form.receipt,
        )
    ):
        flash(_(PRESUME.done))
        return redirect(url_for(".overview", reference=reference), 303)
    file = casefile.page(actor(), reference, Permission.CASE_PRESUME)
    form.now_at(file.case.version)
    done = file.case.identification is not Identification.FLAGGED
    return (
        render_template("casefile/presume.html", file=file, tab="overview", form=form, done=done),
        form.status,
    )


@blueprint.route("/cases/<reference>/close", methods=["GET", "POST"])
@needs(Permission.CASE_CLOSE)
@once(lambda outcome, **_rest: url_for("casefile.overview", reference=outcome))
def close(reference: str) -> Response | tuple[str, int]:
    """Close a case, and with it every provider's access."""
    form = CloseForm()
    if form.carries_out(
        lambda: follow_up.close(
            actor(),
            reference,
            form.reason.data or "",
            form.words.data or "",
            version=form.version.data or 0,
            pack=pack(),
            form_id=form.receipt,
        )
    ):
        flash(_(CLOSE.done))
        return redirect(url_for(".overview", reference=reference), 303)
    file = casefile.page(actor(), reference, Permission.CASE_CLOSE)
    form.now_at(file.case.version)
    done = file.case.assistance is Assistance.CLOSED
    return (
        render_template("casefile/close.html", file=file, tab="overview", form=form, done=done),
        form.status,
    )
