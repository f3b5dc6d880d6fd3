"""Ways to sign in: one's own app, passkeys and recovery codes."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from nrm.domain.errors import InvalidInputError, WrongFactorError
from nrm.domain.roles import Permission
from nrm.security import second_factor as codes
from nrm.services import accounts, second_factor
from nrm.services.second_factor import FactorKind
from nrm.web import factor_pages
from nrm.web.access import actor, confirmed, needs
from nrm.web.account import NEW_CODES
from nrm.web.errors import once
from nrm.web.forms.account import ButtonForm, CodeForm, PasskeyForm
from nrm.web.text import _

blueprint = Blueprint("ways", __name__, url_prefix="/account/ways")

Page = tuple[str, int] | Response
_SEED = "new_seed"


def _ways(_outcome: str, **_rest: object) -> str:
    return url_for("ways.page")


@blueprint.get("")
@needs(Permission.WORK_VIEW)
def page() -> str:
    """Show with what one can sign in."""
    found = second_factor.ways(actor())
    return render_template(
        "account/ways.html",
        ways=found,
        app=next((one for one in found.factors if one.kind == FactorKind.APP), None),
        passkeys=[one for one in found.factors if one.kind == FactorKind.PASSKEY],
        last_one=len(found.factors) == 1,
        federated=factor_pages.federated(),
        with_another=found.connected and not factor_pages.is_of_now(found.connected.issuer),
        can_add_passkey=factor_pages.site() is not None,
        tab="ways",
    )


@blueprint.route("/app", methods=["GET", "POST"])
@needs(Permission.WORK_VIEW)
@once(_ways)
@confirmed
def app() -> Page:
    """Set up an app, or another one in place of the old."""
    form, who = CodeForm(), actor()
    seed = session.setdefault(_SEED, codes.new_seed())
    if factor_pages.accepted(
        form,
        lambda: second_factor.set_up_app(who, seed, form.code.data or "", form_id=form.receipt),
    ):
        session.pop(_SEED)
        flash(_("Your app is set up. Its next code signs you in."))
        return redirect(url_for(".page"), 303)
    email = accounts.email_of(who)
    return (
        render_template(
            "account/set_up.html",
            form=form,
            square=factor_pages.square(seed, email),
            for_app=factor_pages.for_app(seed, email),
            seed=codes.in_groups(seed),
            first=False,
        ),
        form.status,
    )


@blueprint.route("/passkey", methods=["GET", "POST"])
@needs(Permission.WORK_VIEW)
@once(_ways)
@confirmed
def passkey() -> Page:
    """Add a passkey."""
    form, who, here = PasskeyForm(), actor(), factor_pages.site()
    if form.validate_on_submit() and here is not None:
        try:
            second_factor.add_passkey(
                who, here, factor_pages.challenge(), form.answer.data or "", form_id=form.receipt
            )
        except WrongFactorError:
            form.refuse("answer", _("The passkey was not accepted. Nothing was added; try again."))
        except InvalidInputError as error:
            form.refuse("answer", _(error.message))
        else:
            flash(_("The passkey is added. You can sign in with it from now on."))
            return redirect(url_for(".page"), 303)
    question = factor_pages.question_for_new(who.id, current_user.viewer.name) if who.id else ""
    problem = form.answer.errors[0] if form.answer.errors else ""
    return (
        render_template(
            "account/passkey.html",
            form=PasskeyForm(formdata=None),
            problem=problem,
            question=question,
        ),
        form.status,
    )


@blueprint.route("/<uuid:factor_id>/remove", methods=["GET", "POST"])
@needs(Permission.WORK_VIEW)
@once(_ways)
@confirmed
def remove(factor_id: UUID) -> Page:
    """Ask for a confirmation, then remove one of one's ways."""
    form, who = ButtonForm(), actor()
    if form.carries_out(lambda: second_factor.remove(who, factor_id, form_id=form.receipt)):
        flash(_("It is removed. It does not sign you in any more."))
        return redirect(url_for(".page"), 303)
    factor = second_factor.own(who, factor_id)
    return render_template("account/remove_way.html", form=form, factor=factor), form.status


@blueprint.route("/codes", methods=["GET", "POST"])
@needs(Permission.WORK_VIEW)
@once(lambda _outcome, **_rest: url_for("ways.shown"))
@confirmed
def new_codes() -> Page:
    """Make new recovery codes; the old ones are worth nothing any more."""
    form, who, made = ButtonForm(), actor(), list[str]()
    if form.carries_out(lambda: made.extend(second_factor.make_codes(who, form_id=form.receipt))):
        session[NEW_CODES] = made
        return redirect(url_for(".shown"), 303)
    return render_template("account/new_codes.html", form=form), form.status


@blueprint.get("/codes/shown")
@needs(Permission.WORK_VIEW)
def shown() -> str:
    """Show new recovery codes, once."""
    return render_template("account/codes.html", codes=session.pop(NEW_CODES, []))
