"""The screen on which a coordinator finds a person: what is typed is in no address and no title."""

from typing import Any

from flask import Blueprint, render_template, url_for

from nrm.domain.roles import Permission
from nrm.services import casefile, search
from nrm.web import keeping_words, likeness
from nrm.web.access import actor, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.search import PersonForm

blueprint = Blueprint("search", __name__)


@blueprint.route("/search", methods=["GET", "POST"])
@needs(Permission.PERSON_SEARCH)
@once(lambda _outcome, **_rest: url_for("search.people"))
def people() -> tuple[str, int]:
    """Find people by name or number; the answer is the page itself, and no address leads to it."""
    form = PersonForm()
    answers: list[search.Found] = []
    form.carries_out(
        lambda: answers.append(
            search.find(actor(), form.names.data or "", form.identifier.data or "", pack())
        )
    )
    found = answers[0] if answers else None
    page = render_template(
        "search/people.html", form=form, found=found, rows=_rows(found) if found else []
    )
    return page, form.status


def _rows(found: search.Found) -> list[dict[str, Any]]:
    matches = {match.case_id: match for match in found.matches}
    if not matches:
        return []
    me = actor()
    listed = casefile.listed(me, list(matches))
    # Whoever finds a person wants to know next whom to ask.
    return [
        likeness.person_row(matches[row.case.id], row)
        | {"keeper": keeping_words.row_note(row.case, me.id) if not row.case.closed_at else ""}
        for row in listed.rows
    ]
