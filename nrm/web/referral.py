"""The coordinator's side of help: what is needed, who is asked, and what was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from nrm.domain.lifecycle import LIVE_REFERRALS, RECORD_NEEDS, WITHDRAW, Assistance, ReferralState
from nrm.domain.roles import Permission
from nrm.domain.vocabulary import NEED
from nrm.services import casefile, referral
from nrm.services.casefile import CaseFile, SentReferral
from nrm.web.access import actor, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.referral import ChooseForm, NeedsForm, SendForm, WithdrawForm
from nrm.web.text import _

blueprint = Blueprint("referral", __name__)

# What is looked for is remembered in the sitting, sealed, and never stands in an address.
_LOOKED_FOR = "looked_for"


@dataclass(frozen=True)
class NeedRow:
    """One need, and the live referral that answers it, if there is one."""

    code: str
    sent: SentReferral | None

    @property
    def accepted(self) -> bool:
        """Say whether a provider is helping with it."""
        return self.sent is not None and self.sent.referral.state is ReferralState.ACCEPTED


@blueprint.get("/cases/<reference>/help")
@needs(Permission.CASE_VIEW)
def page(reference: str) -> str:
    """Show what the person needs, who was asked, and what became of it."""
    file, sent = casefile.referrals_page(actor(), reference)
    rows = _need_rows(file, sent)
    return render_template(
        "referral/page.html",
        file=file,
        tab="help",
        sent=sent,
        rows=rows,
        step=_next_step(file, rows),
        open_need=next((row.code for row in rows if row.sent is None), ""),
        live=LIVE_REFERRALS,
    )


def _need_rows(file: CaseFile, sent: Sequence[SentReferral]) -> list[NeedRow]:
    """Put to each need the referral that serves it best: an accepted one before a waiting one."""
    live = [one for one in sent if one.referral.state in LIVE_REFERRALS]
    live.sort(key=lambda one: one.referral.state is not ReferralState.ACCEPTED)
    needed = file.facts.get("needs", ())
    return [
        NeedRow(code, next((one for one in live if one.envelope.get("service") == code), None))
        for code in NEED
        if code in needed
    ]


def _next_step(file: CaseFile, rows: Sequence[NeedRow]) -> str:
    """Name the one thing to do now: record needs, find a provider, or wait."""
    if file.case.assistance is Assistance.CLOSED:
        return "closed"
    if file.case.assistance is Assistance.WAITING or not rows:
        return "needs"
    return "find" if any(row.sent is None for row in rows) else "wait"


@blueprint.route("/cases/<reference>/needs", endpoint="needs", methods=["GET", "POST"])
@needs(Permission.NEEDS_RECORD)
@once(lambda outcome, **_: url_for("referral.page", reference=outcome))
def record_needs(reference: str) -> Response | tuple[str, int]:
    """Record what the person needs, with the person."""
    sent = NeedsForm()
    if sent.carries_out(
        lambda: referral.record_needs(
            actor(),
            reference,
            sent.needs,
            version=sent.version.data or 0,
            pack=pack(),
            form_id=sent.receipt,
        )
    ):
        flash(_(RECORD_NEEDS.done))
        return redirect(url_for(".page", reference=reference), 303)
    file = casefile.page(actor(), reference, Permission.NEEDS_RECORD)
    form = sent if sent.is_submitted() else NeedsForm(file.facts.get("needs", ()))
    form.now_at(file.case.version)
    return render_template("referral/needs.html", file=file, tab="help", form=form), form.status


@blueprint.route("/cases/<reference>/providers", methods=["GET", "POST"])
@needs(Permission.REFERRAL_SEND)
@once(lambda _outcome, reference: url_for("referral.choose", reference=reference))
def choose(reference: str) -> Response | tuple[str, int]:
    """Show the approved providers for one service, and remember what is looked for."""
    service, district = _looked_for(reference)
    form = ChooseForm(pack(), service=service, district=district)
    if form.validate_on_submit():
        _look_for(reference, form.service.data, form.where)
        if form.provider is not None:
            return redirect(url_for(".prepare", reference=reference, to=form.provider), 303)
        return redirect(url_for(".choose", reference=reference), 303)
    choice = referral.choose(actor(), reference, service, pack(), district)
    form.offer(choice.needs, choice.service)
    file = casefile.page(actor(), reference, Permission.REFERRAL_SEND)
    return render_template(
        "referral/choose.html", file=file, tab="help", form=form, choice=choice, district=district
    ), form.status


def _looked_for(reference: str) -> tuple[str, str]:
    """Return the service and the district that this sitting last looked for in this case."""
    kept: Mapping[str, Any] = session.get(_LOOKED_FOR, {})
    service, district = kept.get(reference, ("", ""))
    return service, district


def _look_for(reference: str, service: str, district: str) -> None:
    session[_LOOKED_FOR] = {**session.get(_LOOKED_FOR, {}), reference: (service, district)}


@blueprint.get("/cases/<reference>/providers/<uuid:to>")
@needs(Permission.REFERRAL_SEND)
def prepare(reference: str, to: UUID) -> Response | str:
    """Show exactly what a provider would be told, before anything leaves."""
    service, _district = _looked_for(reference)
    if not service:
        return redirect(url_for(".choose", reference=reference))
    return _prepared(reference, to, SendForm(service=service))


@blueprint.post("/cases/<reference>/providers/<uuid:to>")
@needs(Permission.REFERRAL_SEND)
@once(lambda _outcome, reference, **_: url_for("referral.page", reference=reference))
def send(reference: str, to: UUID) -> Response | tuple[str, int]:
    """Send the referral, or show the envelope with the words that are to stand on it."""
    form = SendForm()
    if form.only_shows:
        form.validate()
        return _prepared(reference, to, form), form.status
    sent: list[str] = []
    if form.carries_out(lambda: sent.append(_send(reference, to, form))):
        flash(_("The referral was sent. Its reference is %(reference)s.", reference=sent[0]))
        return redirect(url_for(".page", reference=reference), 303)
    return _prepared(reference, to, form), form.status


def _send(reference: str, to: UUID, form: SendForm) -> str:
    return referral.send(
        actor(),
        reference,
        form.service.data or "",
        to,
        form.words,
        version=form.version.data or 0,
        pack=pack(),
        form_id=form.receipt,
    )


def _prepared(reference: str, to: UUID, form: SendForm) -> str:
    prepared = referral.prepare(actor(), reference, form.service.data or "", to, pack(), form.words)
    file = casefile.page(actor(), reference, Permission.REFERRAL_SEND)
    form.now_at(file.case.version)
    return render_template(
        "referral/prepare.html", file=file, tab="help", form=form, prepared=prepared
    )


@blueprint.route("/cases/<reference>/referrals/<sent>/withdraw", methods=["GET", "POST"])
@needs(Permission.REFERRAL_WITHDRAW)
@once(lambda outcome, **_: url_for("referral.page", reference=outcome))
def withdraw(reference: str, sent: str) -> Response | tuple[str, int]:
    """Take a referral back."""
    form = WithdrawForm()
    if form.carries_out(
        lambda: referral.withdraw(actor(), reference, sent, pack=pack(), form_id=form.receipt)
    ):
        flash(_(WITHDRAW.done))
        return redirect(url_for(".page", reference=reference), 303)
    found, provider = referral.live_referral(actor(), reference, sent)
    file = casefile.page(actor(), reference, Permission.REFERRAL_WITHDRAW)
    return render_template(
        "referral/withdraw.html",
        file=file,
        tab="help",
        form=form,
        referral=found,
        provider=provider,
    ), form.status
