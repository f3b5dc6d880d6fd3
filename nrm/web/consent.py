"""Screens of consent: what the person agreed to, towards whom, and how it was asked."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.consent import (
    BASIS_CONSENT,
    EXPLAINED,
    SHARE_WITH_PROVIDER,
    SHAREABLE,
    WHY_CLOSED,
    Answer,
    GivenBy,
    may_receive,
)
from nrm.domain.errors import NotFoundError
from nrm.domain.lifecycle import Assistance
from nrm.domain.roles import Permission
from nrm.models import ConsentAnswer
from nrm.services import casefile, consent, directory
from nrm.services.casefile import CaseFile
from nrm.services.consent import NewAnswer, Recorded
from nrm.web.access import actor, needs
from nrm.web.context import pack, when, words
from nrm.web.errors import once
from nrm.web.forms.consent import HowForm, RecordForm, ShareForm, WithdrawForm
from nrm.web.text import _

blueprint = Blueprint("consent", __name__)


@blueprint.get("/cases/<reference>/consent")
@needs(Permission.CASE_VIEW)
def page(reference: str) -> str:
    """Show what the person agreed to, and every answer that led there."""
    file, given = casefile.consent_page(actor(), reference)
    return render_template(
        "consent/page.html",
        file=file,
        tab="consent",
        answers=answer_rows(consent.newest(given)),
        history=answer_rows(reversed(given)),
        closed=file.case.assistance is Assistance.CLOSED,
    )


@blueprint.route("/cases/<reference>/consent/record", methods=["GET", "POST"])
@needs(Permission.CONSENT_RECORD)
@once(lambda outcome, **_rest: url_for("consent.page", reference=outcome))
def record(reference: str) -> Response | tuple[str, int]:
    """Record what the person answered in one conversation."""
    form = RecordForm()
    if form.carries_out(
        lambda: consent.record(
            actor(), reference, form.answers(), form.how(), pack=pack(), form_id=form.receipt
        )
    ):
        flash(_("The answers are recorded."))
        return redirect(url_for(".page", reference=reference), 303)
    file = _file(reference, form)
    return render_template("consent/record.html", file=file, tab="consent", form=form), form.status


@blueprint.route("/cases/<reference>/consent/share", methods=["GET", "POST"])
@needs(Permission.CONSENT_RECORD)
@once(lambda outcome, **_rest: _after_sharing(outcome, request.form.get("recipient", "")))
def share(reference: str) -> Response | tuple[str, int]:
    """Record that a named provider may be told, with the person's consent or by the law."""
    provider = _provider()
    if provider is None:
        return _choose_provider(reference)
    identifier, name = provider
    receivable = may_receive(directory.services_of(identifier))
    form = ShareForm(identifier, receivable)
    if form.carries_out(
        lambda: consent.record(
            actor(),
            reference,
            form.answers(),
            form.how_shared(),
            pack=pack(),
            form_id=form.receipt,
        )
    ):
        flash(_("It is recorded what this provider may be told."))
        return redirect(_after_sharing(reference, str(identifier)), 303)
    file = _file(reference, form)
    page = render_template(
        "consent/share.html",
        file=file,
        tab="consent",
        form=form,
        provider=name,
        receives=_parts(receivable),
        never=_never(receivable),
    )
    return page, form.status


def _choose_provider(reference: str) -> tuple[str, int]:
    """Ask first with whom: what can be agreed to depends on what the provider does."""
    file = casefile.page(actor(), reference, Permission.CONSENT_RECORD)
    providers = _providers()
    offered = directory.offered_by(identifier for identifier, _name in providers)
    rows = [
        {
            "name": name,
            "url": url_for(".share", reference=reference, provider=identifier),
            "receives": _parts(may_receive(offered[identifier])),
        }
        for identifier, name in providers
    ]
    page = render_template("consent/choose.html", file=file, tab="consent", providers=rows)
    # A form that names nobody, or somebody who is not approved today, is asked again.
    return page, 422 if request.method == "POST" else 200


def _providers() -> list[tuple[UUID, str]]:
    today = datetime.now(UTC).astimezone(pack().zone).date()
    return directory.approved_providers(actor(), today)


def _provider() -> tuple[UUID, str] | None:
    """Name the approved provider that the form, or the link that led here, is about."""
    named = request.form.get("recipient") or request.args.get("to") or request.args.get("provider")
    return next((one for one in _providers() if str(one[0]) == named), None)


def _parts(compartments: Iterable[str]) -> list[str]:
    return [words(name, "COMPARTMENT") for name in SHAREABLE if name in compartments]


def _never(receivable: Iterable[str]) -> list[dict[str, str]]:
    """Say of each part that this provider cannot receive for whom it is."""
    return [
        {"part": words(name, "COMPARTMENT"), "why": _(why)}
        for name, why in WHY_CLOSED.items()
        if name not in receivable
    ]


def _after_sharing(reference: str, recipient: str) -> str:
    """Lead back to the referral that waited for this answer, else to the answers."""
    came_for = request.args.get("to", type=UUID)
    if recipient == str(came_for):
        return url_for("referral.prepare", reference=reference, to=came_for)
    return url_for("consent.page", reference=reference)


@blueprint.route("/cases/<reference>/consent/withdraw", methods=["GET", "POST"])
@needs(Permission.CONSENT_RECORD)
@once(lambda outcome, **_rest: url_for("consent.page", reference=outcome))
def withdraw(reference: str) -> Response | tuple[str, int]:
    """Record that the person takes back the yes towards a provider."""
    recipient = request.values.get("recipient", type=UUID)
    form = WithdrawForm()
    no = NewAnswer(SHARE_WITH_PROVIDER, Answer.REFUSED, recipient)
    if form.carries_out(
        lambda: consent.record(
            actor(), reference, [no], form.how(), pack=pack(), form_id=form.receipt
        )
    ):
        flash(_("It is recorded. This provider can open nothing more."))
        return redirect(url_for(".page", reference=reference), 303)
    file, given = casefile.consent_page(actor(), reference)
    _suggest_language(file, form)
    found = next(
        (row for row in consent.newest(given) if row.answer.recipient_id == recipient), None
    )
    if recipient is None or found is None:
        raise NotFoundError
    return (
        render_template(
            "consent/withdraw.html", file=file, tab="consent", form=form, provider=found.recipient
        ),
        form.status,
    )


def _file(reference: str, form: HowForm) -> CaseFile:
    file = casefile.page(actor(), reference, Permission.CONSENT_RECORD)
    _suggest_language(file, form)
    return file


def _suggest_language(file: CaseFile, form: HowForm) -> None:
    """Choose the person's first language beforehand, where the form was not sent yet."""
    if not form.is_submitted():
        form.language.data = next(iter(file.facts.get("languages", ())), "")


def answer_rows(given: Iterable[Recorded]) -> list[dict[str, Any]]:
    """Draw answers: a word for the answer, towards whom it holds, and how it was given."""
    now = datetime.now(UTC)
    return [
        {
            "purpose": _purpose(row),
            **_said(row.answer, now),
            "covers": _covers(row.answer),
            "exception": _exception(row),
            "how": _how(row),
            "when": when(row.answer.recorded_at),
            "by": row.recorded_by,
            "recipient": row.answer.recipient_id,
        }
        for row in given
    ]


def _purpose(row: Recorded) -> str:
    if row.recipient:
        return _("Share with %(provider)s", provider=row.recipient)
    return words(row.answer.purpose, "CONSENT_PURPOSE")


def _said(answer: ConsentAnswer, now: datetime) -> dict[str, Any]:
    if answer.answer is Answer.REFUSED:
        return {"said": _("No"), "kind": "stop", "holds": False}
    if answer.answer is Answer.WITHDRAWN:
        return {"said": _("Taken back"), "kind": "stop", "holds": False}
    if answer.expires_at is not None and answer.expires_at <= now:
        return {"said": _("Yes, but over"), "kind": "wait", "holds": False}
    if answer.basis != BASIS_CONSENT:
        return {"said": _("Allowed by law"), "kind": "act", "holds": True}
    return {"said": _("Yes"), "kind": "done", "holds": True}


def _covers(answer: ConsentAnswer) -> str:
    """Name what a yes towards a provider opens, and until when."""
    if answer.recipient_id is None or answer.answer is not Answer.GRANTED:
        return ""
    opens = [
        words(name, "COMPARTMENT") for name in SHAREABLE if name in answer.compartments.split()
    ]
    said = ", ".join(opens) if opens else _("Only the envelope")
    if answer.expires_at is None:
        return said
    return _("%(parts)s. Until %(moment)s", parts=said, moment=when(answer.expires_at))


def _exception(row: Recorded) -> str:
    """Name the exception of the law under which it was recorded, with the reason where open."""
    if row.answer.basis == BASIS_CONSENT:
        return ""
    law = words(row.answer.basis, "CONSENT_EXCEPTION")
    reason = row.how.get("reason", "")
    return _("%(law)s: %(reason)s", law=law, reason=reason) if reason else law


def _how(row: Recorded) -> str:
    """Say in one line how the answer was given."""
    how = row.how
    if not how or row.answer.basis != BASIS_CONSENT:
        return ""
    guardian = how.get("given_by") == GivenBy.GUARDIAN
    explained = how.get("explained", ())
    parts = (
        words(how["method"], "CONSENT_METHOD") if how.get("method") else "",
        words(how["language"], "LANGUAGE") if how.get("language") else "",
        _("interpreter: %(name)s", name=how["interpreter"]) if how.get("interpreter") else "",
        _("parent or guardian, and the child agrees") if guardian else "",
        _(
            "%(said)s of %(points)s points explained",
            said=len(explained),
            points=len(EXPLAINED),
        )
        if explained
        else "",
        _("when the person was flagged") if how.get("at") == "flag" else "",
    )
    return " · ".join(part for part in parts if part)
