"""Screens of the auditor: the log, newest first, and one entry whole."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.audit.actions import Action, Outcome
from nrm.domain import vocabulary
from nrm.domain.roles import Permission, Role
from nrm.services import accounts, log_search
from nrm.services.log_search import Found, Line
from nrm.web.access import actor, needs
from nrm.web.context import action_words, pack, role_words
from nrm.web.errors import once
from nrm.web.forms.audit import OUTCOME_LABEL, SearchForm
from nrm.web.text import _, _l

blueprint = Blueprint("audit", __name__)

_LARGEST_NUMBER = 2**63 - 1

# What an entry may be about, beside a case and a referral, which have references.
SUBJECT_LABEL = {
    "account": _l("Account"),
    "case": _l("Case"),
    "draft": _l("Draft"),
    "entry": _l("Log entry"),
    "erasure": _l("Erasure"),
    "listing": _l("Listing"),
    "none": _l("Nothing of its own"),
    "organisation": _l("Organisation"),
    "referral": _l("Referral"),
}
# Sealed rows that are not parts of a file.
_OTHER_PARTS = {
    "draft": _l("Draft"),
    "envelope": _l("Envelope of a referral"),
    "facts_event": _l("Coded fact for the statistics"),
    "consent": _l("How consent was given"),
    "service": _l("Answers and services of a provider"),
    "comparison": _l("Whether the person is known already"),
}
# The reasons that an act can carry, and the pages and lists that were read.
_REASONS = (
    vocabulary.REVEAL_REASON,
    vocabulary.CONSENT_EXCEPTION,
    vocabulary.CONSENT_PURPOSE,
)
_PLACES = {
    "all": _l("All open cases"),
    "assisted": _l("Assisted"),
    "comparison": _l("Whether the person is known already"),
    "consent": _l("Consent"),
    "find": _l("Found by its reference"),
    "incoming": _l("New flags"),
    "needs": _l("Cases that need a provider"),
    "referrals": _l("Help and referrals"),
    "referred": _l("Referred cases"),
    "search": _l("Found by name or number"),
}


@dataclass(frozen=True)
class Row:
    """An entry in words."""

    line: Line
    who: str
    act: str
    outcome: str
    about: str
    parts: str
    why: str


@blueprint.get("/audit")
@needs(Permission.AUDIT_SEARCH)
def search() -> tuple[str, int]:
    """Show the entries that the address asks for, newest first."""
    form = SearchForm(accounts.organisations(), pack(), request.args, meta={"csrf": False})
    person = request.args.get("person", type=UUID)
    if not form.validate():
        return _page(form)
    found = log_search.search(
        actor(), form.search(person, request.args.get("before", type=_number))
    )
    form.email.data = found.email
    return _page(form, found, person)


@blueprint.post("/audit")
@needs(Permission.AUDIT_SEARCH)
@once(lambda _outcome, **_: url_for("audit.search"))
def ask() -> Response | tuple[str, int]:
    """Turn what was typed into an address that names no person."""
    form = SearchForm(accounts.organisations(), pack())
    person: list[UUID | None] = []
    if form.carries_out(lambda: person.append(log_search.account_id(actor(), form.person))):
        return redirect(url_for(".search", **form.address, person=person[0]), 303)
    return _page(form)


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
        row=_row(opened.line),
        subject=SUBJECT_LABEL.get(kept.subject_type, kept.subject_type),
    )


def _page(
    form: SearchForm, found: Found | None = None, person: UUID | None = None
) -> tuple[str, int]:
    older = found.older if found else None
    page = render_template(
        "audit/search.html",
        form=form,
        rows=[_row(line) for line in found.lines] if found else None,
        older=url_for(".search", **form.address, person=person, before=older) if older else "",
        asked=bool(request.args),
    )
    return page, form.status


def _row(line: Line) -> Row:
    kept = line.entry
    outcome = Outcome(kept.outcome)
    return Row(
        line,
        who=line.who or role_words(Role.SYSTEM),
        act=action_words(Action(kept.action)),
        outcome="" if outcome is Outcome.DONE else str(OUTCOME_LABEL[outcome]),
        # Of one's own account, who it is about has been said already.
        about="" if kept.subject_id == kept.actor_id else line.about,
        parts=", ".join(_part(part) for part in kept.compartments.split()),
        why=", ".join(_why(code) for code in kept.purpose.split()),
    )


def _part(code: str) -> str:
    if code in vocabulary.COMPARTMENT:
        return _(vocabulary.COMPARTMENT.label(code))
    return str(_OTHER_PARTS.get(code, code))


def _why(code: str) -> str:
    """Say a reason in words; a permission that was lacking stands by its name."""
    for reasons in _REASONS:
        if code in reasons:
            return _(reasons.label(code))
    return str(_PLACES.get(code, code))


def _number(text: str) -> int:
    """Read where a page begins; what the log can never count to begins at the first."""
    number = int(text)
    if not 0 < number <= _LARGEST_NUMBER:
        raise ValueError(text)
    return number
