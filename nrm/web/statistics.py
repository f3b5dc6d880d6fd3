"""Screens of the statistics: what is published, and the releases that people ask for and sign."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from nrm.domain.errors import NotFoundError, Subject
from nrm.domain.lifecycle import ASK_RELEASE, SIGN_FIRST, SIGN_SECOND, ReleaseState
from nrm.domain.policy import may
from nrm.domain.roles import Permission
from nrm.services import figures, releases
from nrm.services.figures import Shown
from nrm.services.releases import Opened
from nrm.statistics.method import METHOD
from nrm.web import statistics_words
from nrm.web.access import actor, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.statistics import AskForm, SignForm
from nrm.web.statistics_pictures import gallery, page_of
from nrm.web.text import _

blueprint = Blueprint("statistics", __name__)

_SIGNABLE = (ReleaseState.DRAFT, ReleaseState.SIGNED_ONCE)


@blueprint.get("/statistics")
@needs(Permission.STATISTICS_VIEW)
def index() -> str:
    """Show the newest release at a glance, or say that nothing is published yet."""
    shown = figures.overview(actor(), None, pack().code)
    if shown is None:
        return render_template("statistics/nothing.html")
    return _overview(shown)


@blueprint.get("/statistics/releases")
@needs(Permission.STATISTICS_VIEW)
def every() -> str:
    """List the releases, and offer to ask for another."""
    return _list(AskForm(_offered()))[0]


@blueprint.post("/statistics/releases")
@needs(Permission.STATISTICS_ASK)
@once(lambda outcome, **_: url_for("statistics.release", release_id=outcome))
def ask() -> Response | tuple[str, int]:
    """Ask for the release of a period; the statistics' process counts it."""
    form = AskForm(_offered())
    done: list[UUID] = []
    if form.carries_out(
        lambda: done.append(
            releases.ask(
                actor(),
                form.period.data or "",
                form.edition.data or "",
                pack(),
                form_id=form.receipt,
            )
        )
    ):
        flash(_(ASK_RELEASE.done))
        return redirect(url_for(".release", release_id=done[0]), 303)
    return _list(form)


@blueprint.get("/statistics/releases/<uuid:release_id>")
@needs(Permission.STATISTICS_VIEW)
def release(release_id: UUID) -> str:
    """Show a release at a glance, or how far its counting is."""
    waiting = releases.waiting(actor(), release_id)
    if waiting is not None:
        row = statistics_words.release_rows([waiting])[0]
        return render_template("statistics/waiting.html", row=row)
    shown = figures.overview(actor(), release_id, pack().code)
    if shown is None:
        raise NotFoundError(Subject("release"))
    return _overview(shown)


@blueprint.post("/statistics/releases/<uuid:release_id>/sign")
@needs(Permission.STATISTICS_SIGN)
@once(lambda outcome, **_: url_for("statistics.release", release_id=outcome))
def sign(release_id: UUID) -> Response:
    """Sign a release; the second signature lets it be frozen."""
    form = SignForm()
    signed: list[ReleaseState] = []
    if form.carries_out(
        lambda: signed.append(releases.sign(actor(), release_id, form_id=form.receipt))
    ):
        step = SIGN_SECOND if signed[0] is ReleaseState.SIGNED else SIGN_FIRST
        flash(_(step.done))
    return redirect(url_for(".release", release_id=release_id), 303)


@blueprint.get("/statistics/tables")
@needs(Permission.STATISTICS_VIEW)
def newest_tables() -> str:
    """List the tables of the newest release."""
    shown = figures.overview(actor(), None, pack().code)
    if shown is None:
        return render_template("statistics/nothing.html")
    return _tables(shown)


@blueprint.get("/statistics/releases/<uuid:release_id>/tables")
@needs(Permission.STATISTICS_VIEW)
def tables(release_id: UUID) -> str:
    """List the tables of a release."""
    return _tables(_found(figures.overview(actor(), release_id, pack().code)))


@blueprint.get("/statistics/releases/<uuid:release_id>/tables/<number>")
@needs(Permission.STATISTICS_VIEW)
def table(release_id: UUID, number: str) -> str:
    """Show one table: its picture, its figures, and where to compare them."""
    shown = _found(
        figures.read(actor(), release_id, (number,), pack().code, history=figures.HISTORY)
    )
    if not shown.tables:
        raise NotFoundError(Subject("table"))
    one = shown.tables[0]
    return render_template(
        "statistics/table.html",
        **_shared(shown.opened),
        page=page_of(shown, one),
        others=[
            {
                "id": kept.release.id,
                "period": statistics_words.period_words(kept.period),
            }
            for kept in shown.before
            if kept.has(one)
        ],
    )


@blueprint.get("/statistics/releases/<uuid:release_id>/tables/<number>/beside/<uuid:other_id>")
@needs(Permission.STATISTICS_VIEW)
def compare(release_id: UUID, number: str, other_id: UUID) -> str:
    """Show one table of two releases beside each other."""
    pair = figures.compared(actor(), release_id, other_id, number, pack().code)
    return render_template(
        "statistics/compare.html",
        **_shared(pair[0].opened),
        sides=[
            {
                "strip": statistics_words.strip(shown.opened),
                "page": page_of(shown, shown.tables[0]),
            }
            for shown in pair
        ],
    )


@blueprint.get("/statistics/method")
@needs(Permission.STATISTICS_VIEW)
def method() -> str:
    """Say in plain words how the figures are made, and what they do not promise."""
    return render_template("statistics/method.html", chapters=METHOD)


def _offered() -> list[tuple[str, str]]:
    return statistics_words.offered(datetime.now(UTC).astimezone(pack().zone).date())


def _list(form: AskForm) -> tuple[str, int]:
    rows = statistics_words.release_rows(releases.every(actor()))
    return render_template("statistics/releases.html", rows=rows, form=form), form.status


def _found(shown: Shown | None) -> Shown:
    if shown is None:
        raise NotFoundError(Subject("release"))
    return shown


def _shared(opened: Opened) -> dict[str, object]:
    """Give what stands at the head of every page of figures."""
    return {"release": opened.release, "strip": statistics_words.strip(opened)}


def _overview(shown: Shown) -> str:
    opened = shown.opened
    decision = may(actor(), Permission.STATISTICS_SIGN, opened.standing)
    return render_template(
        "statistics/overview.html",
        **_shared(opened),
        headlines=statistics_words.headlines(shown),
        gallery=gallery(shown),
        signatures=opened.signatures,
        signable=opened.release.state in _SIGNABLE,
        decision=decision,
        sign_form=SignForm(),
    )


def _tables(shown: Shown) -> str:
    return render_template(
        "statistics/tables.html",
        **_shared(shown.opened),
        tables=shown.tables,
        left_out=shown.opened.release.left_out.split(),
    )
