"""Screens of the answers to those who ask, and the files of frozen figures."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for

from nrm.domain.policy import holds
from nrm.domain.roles import Permission
from nrm.services import questionnaires, statistics_export
from nrm.services.questionnaires import Filled
from nrm.services.statistics_files import Kind
from nrm.statistics.questionnaires import NOTE, Answer, Answered
from nrm.web.access import actor, needs
from nrm.web.context import pack, words
from nrm.web.files import handed_out
from nrm.web.statistics_words import figure_words, period_words, strip
from nrm.web.text import _, _l

blueprint = Blueprint("questionnaires", __name__)

KIND_LABEL = {
    Kind.XLSX: _l("Workbook (XLSX)"),
    Kind.CSV: _l("Table (CSV)"),
    Kind.JSON: _l("For other programs (JSON)"),
}


@blueprint.get("/statistics/questionnaires")
@needs(Permission.STATISTICS_VIEW)
def index() -> str:
    """List who asks for what."""
    found = questionnaires.every(actor(), pack().code)
    return render_template("questionnaires/index.html", questionnaires=found)


@blueprint.get("/statistics/questionnaires/<name>")
@needs(Permission.STATISTICS_VIEW)
def answered(name: str) -> str:
    """Show a questionnaire with its answers, from the newest frozen release or another one."""
    filled = questionnaires.fill(actor(), name, _release(), pack().code)
    return render_template(
        "questionnaires/answered.html",
        questionnaire=filled.questionnaire,
        sections=[_section(one) for one in filled.sections],
        **_frozen(filled),
    )


@blueprint.get("/statistics/questionnaires/<name>/files/<kind>")
@needs(Permission.STATISTICS_EXPORT)
def file(name: str, kind: str) -> Response:
    """Hand out a questionnaire with its answers."""
    return handed_out(statistics_export.take_questionnaire(actor(), name, _release(), kind, pack()))


@blueprint.get("/statistics/releases/<uuid:release_id>/files/<kind>")
@needs(Permission.STATISTICS_EXPORT)
def release_file(release_id: UUID, kind: str) -> Response:
    """Hand out a frozen release, or one table of it."""
    number = request.args.get("table", "")
    return handed_out(
        statistics_export.take_release(actor(), release_id, kind, pack(), number=number)
    )


def _release() -> UUID | None:
    return request.args.get("release", type=UUID)


def _frozen(filled: Filled) -> dict[str, Any]:
    """Say from which release the answers are, which others there are, and as what they leave."""
    found = filled.frozen
    if found is None:
        return {"release": None}
    release, name = found.opened.release, filled.questionnaire.name
    files = []
    if holds(actor(), Permission.STATISTICS_EXPORT):
        for kind, label in KIND_LABEL.items():
            address = url_for(".file", name=name, kind=kind.value, release=release.id)
            files.append({"label": label, "url": address})
    return {
        "release": release,
        "strip": strip(found.opened),
        "files": files,
        "others": [
            {
                "period": period_words(one.period),
                "edition": words(one.release.edition, "RELEASE_EDITION"),
                "url": url_for(".answered", name=name, release=one.release.id),
            }
            for one in found.every
            if one.release.id != release.id
        ],
    }


def _section(answered_section: Answered) -> dict[str, Any]:
    rows = [_row(one) for one in answered_section.answers]
    return {
        "title": answered_section.section.title,
        "note": answered_section.section.note,
        "rows": rows,
        "parts": any(row["part"] for row in rows),
    }


def _row(answer: Answer) -> dict[str, str]:
    office = answer.row.answered_by
    hidden = answer.figure is None
    note = NOTE[answer.state]
    return {
        "question": answer.row.label,
        "figure": "" if hidden else figure_words(answer.figure),
        "part": _part(answer),
        "note": _(note, office=words(office, "ORGANISATION_TYPE")) if note else "",
    }


def _part(answer: Answer) -> str:
    """Say a share, or a rate and of how many residents it is."""
    if answer.rate is not None and answer.residents is not None:
        return _(
            "%(rate)s per 100,000 (of %(residents)s, %(year)s)",
            rate=f"{answer.rate:.2f}",
            residents=f"{answer.residents.count:,}",
            year=answer.residents.year,
        )
    return "" if answer.share is None else f"{answer.share} %"
