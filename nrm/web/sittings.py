"""Screens of sittings: where and when somebody signed in, ending it, and another password."""

from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Permission
from nrm.services import accounts, federation, own_password, sign_in_history, sittings
from nrm.services.log_search import Point
from nrm.services.sessions import Click
from nrm.services.sign_in_history import History
from nrm.services.sittings import Place
from nrm.web import factor_pages, log_lines
from nrm.web.access import actor, needs, session_object
from nrm.web.errors import once
from nrm.web.forms.sittings import EndForm, PasswordForm
from nrm.web.sessions import limits
from nrm.web.text import _

blueprint = Blueprint("sittings", __name__)

Row = tuple[Place, EndForm]


@blueprint.get("/account/sittings")
@needs(Permission.WORK_VIEW)
def mine() -> str:
    """List where one is signed in."""
    rows = _rows(sittings.own(actor(), limits()))
    return render_template("sittings/mine.html", rows=rows, others=EndForm(), tab="mine")


@blueprint.post("/account/sittings/<uuid:sitting_id>/end")
@needs(Permission.WORK_VIEW)
@once(lambda _outcome, **_: url_for("sittings.mine"))
def end(sitting_id: UUID) -> Response:
    """End one of one's own sittings."""
    form = EndForm()
    if form.carries_out(lambda: sittings.end_own(actor(), sitting_id, form_id=form.receipt)):
        flash(_("It is signed out there."))
    return redirect(url_for(".mine"), 303)


@blueprint.post("/account/sittings/end-others")
@needs(Permission.WORK_VIEW)
@once(lambda _outcome, **_: url_for("sittings.mine"))
def end_others() -> Response:
    """End all of one's own sittings but this one."""
    form, here = EndForm(), session_object().sitting
    if here is not None and form.carries_out(
        lambda: sittings.end_own_others(actor(), here.id, form_id=form.receipt)
    ):
        flash(_("You are signed out everywhere else."))
    return redirect(url_for(".mine"), 303)


@blueprint.get("/account/sign-ins")
@needs(Permission.WORK_VIEW)
def sign_ins() -> str:
    """List when one signed in, and who tried to."""
    if not sign_in_history.readable():
        return render_template("sittings/sign_ins.html", tab="sign_ins", closed=True)
    found = sign_in_history.own(actor(), _before())
    older = _older("sittings.sign_ins", found)
    return render_template(
        "sittings/sign_ins.html", events=found.events, older=older, tab="sign_ins"
    )


@blueprint.route("/account/password", methods=["GET", "POST"])
@needs(Permission.WORK_VIEW)
@once(lambda _outcome, **_: url_for("sittings.mine"))
def password() -> Response | tuple[str, int]:
    """Choose another password."""
    if request.method == "GET" and not accounts.keeps_passwords():
        return render_template("sittings/password.html", tab="password", closed=True), 200
    form, session = PasswordForm(), session_object()
    tokens: list[str] = []
    here = session.sitting
    if here is not None and form.carries_out(
        lambda: tokens.append(
            own_password.change(
                actor(),
                here.id,
                form.old.data or "",
                form.password.data or "",
                factor_pages.address(),
                form_id=form.receipt,
            )
        )
    ):
        session.new_token = tokens[0]
        flash(_("Your password is changed. You are signed out everywhere else."))
        return redirect(url_for(".mine"), 303)
    connected = federation.of(actor().id) is not None
    page = render_template("sittings/password.html", form=form, tab="password", connected=connected)
    return page, form.status


@blueprint.post("/extend")
@needs(Permission.WORK_VIEW)
@once(lambda _outcome, **_: url_for("home.index"))
def extend() -> Response:
    """Stay signed in: somebody is there and has pressed the button that says so."""
    session_object().click = Click.PRESSED
    return current_app.response_class(status=204)


@blueprint.get("/people/<uuid:account_id>/sittings")
@needs(Permission.ACCOUNT_MANAGE)
def of_person(account_id: UUID) -> str:
    """List where somebody is signed in."""
    account, places = sittings.of_person(actor(), account_id, limits())
    return render_template(
        "sittings/of_person.html", account=account, rows=_rows(list(places)), everything=EndForm()
    )


@blueprint.post("/people/<uuid:account_id>/sittings/<uuid:sitting_id>/end")
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("sittings.of_person", account_id=outcome))
def end_of_person(account_id: UUID, sitting_id: UUID) -> Response:
    """End one sitting of somebody."""
    form, who = EndForm(), actor()
    if form.carries_out(
        lambda: sittings.end_of_person(who, account_id, sitting_id, form_id=form.receipt)
    ):
        flash(_("The person is signed out there."))
    return redirect(url_for(".of_person", account_id=account_id), 303)


@blueprint.post("/people/<uuid:account_id>/sittings/end-all")
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("sittings.of_person", account_id=outcome))
def end_all_of_person(account_id: UUID) -> Response:
    """Sign somebody out everywhere."""
    form, who = EndForm(), actor()
    if form.carries_out(lambda: sittings.end_all_of_person(who, account_id, form_id=form.receipt)):
        flash(_("The person is signed out everywhere."))
    return redirect(url_for(".of_person", account_id=account_id), 303)


@blueprint.get("/people/<uuid:account_id>/sign-ins")
@needs(Permission.ACCOUNT_MANAGE)
def sign_ins_of_person(account_id: UUID) -> str:
    """List when somebody signed in."""
    found = sign_in_history.of_person(actor(), account_id, _before())
    older = _older("sittings.sign_ins_of_person", found, account_id=account_id)
    return render_template(
        "sittings/sign_ins_of_person.html",
        account=found.account,
        events=found.events,
        older=older,
    )


def _rows(places: list[Place]) -> list[Row]:
    """Give each sitting its own button: a number that was used ends nothing twice."""
    return [(place, EndForm(formdata=None)) for place in places]


def _before() -> Point | None:
    return request.args.get("before", type=log_lines.read_point)


def _older(endpoint: str, found: History, account_id: UUID | None = None) -> str:
    if found.older is None:
        return ""
    return url_for(endpoint, before=log_lines.point_word(found.older), account_id=account_id)
