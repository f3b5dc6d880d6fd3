"""How alike two people are, in words: why a file was found, and how sure that is."""

from collections.abc import Mapping
from typing import Any

from flask import url_for

from nrm.domain.masking import NAMES_IN_LISTS, Way, told
from nrm.models import Case
from nrm.services.casefile import CaseFile, WorkRow
from nrm.services.comparison import STRONG, Alike
from nrm.services.search import Match, Reason
from nrm.web.case_words import codes_of, stage
from nrm.web.context import when
from nrm.web.text import _, _l

REASON_LABEL: dict[Reason, str] = {
    Reason.SAME_IDENTIFIER: _l("Same number of a paper or telephone"),
    Reason.SAME_SPELLING: _l("Same names"),
    Reason.OTHER_ORDER: _l("Same names in another order"),
    Reason.ONE_LETTER: _l("One letter differs"),
    Reason.SOUNDS_ALIKE: _l("Sounds alike"),
    Reason.ALIKE: _l("A few letters differ"),
}


def person_row(match: Match, row: WorkRow) -> dict[str, Any]:
    """Draw one person whom a search found."""
    born = told(Way.YEAR, match.birth_date)
    return {
        **_row(row.case, row.facts),
        "names": told(NAMES_IN_LISTS, match.names),
        "born": _("Born %(year)s", year=born) if born else "",
        **_why(match.reason, match.likeness),
    }


def case_row(alike: Alike, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Draw one case that may be the same person's, from codes alone."""
    return {**_row(alike.case, facts), **_why(alike.reason, alike.likeness)}


def this_row(file: CaseFile) -> dict[str, Any]:
    """Draw the case itself, to be compared with the others."""
    return _row(file.case, file.facts)


def _row(case: Case, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "reference": case.reference,
        "url": url_for("casefile.overview", reference=case.reference),
        "about": codes_of(facts),
        "flagged": when(case.flagged_at),
        "state": stage(case),
    }


def _why(reason: Reason, likeness: float) -> dict[str, str]:
    strong = reason is Reason.SAME_IDENTIFIER or likeness >= STRONG
    return {
        "why": str(REASON_LABEL[reason]),
        "degree": _("Very alike") if strong else _("Alike"),
        "kind": "act" if strong else "",
    }
