"""Screens made for paper: masked, with who printed them and when on every sheet."""

from flask import Blueprint, render_template

from nrm.domain.roles import Permission
from nrm.services import printing
from nrm.web import case_words
from nrm.web.access import actor, confirmed, needs
from nrm.web.casefile import opened_now
from nrm.web.consent import answer_rows

blueprint = Blueprint("printing", __name__)


@blueprint.get("/cases/<reference>/print")
@needs(Permission.CASE_PRINT)
@confirmed
def case(reference: str) -> str:
    """Show a case as it goes onto paper: what stands open to this sitting, and nothing more."""
    opened = {name: reason for name, (_until, reason) in opened_now(reference).items()}
    page = printing.of_case(actor(), reference, opened)
    return render_template(
        "printing/case.html",
        file=page.file,
        page=page,
        known=case_words.known(page),
        opened=opened,
        consents=answer_rows(page.consents),
    )


@blueprint.get("/referrals/<reference>/print")
@needs(Permission.REFERRAL_PRINT)
@confirmed
def referral(reference: str) -> str:
    """Show an accepted referral as it goes onto paper."""
    received = printing.of_referral(actor(), reference)
    return render_template("printing/referral.html", received=received)
