"""Screens of the administrator: people and organisations, and no way to any case."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from nrm.domain.roles import Actor, Permission
from nrm.services import accounts
from nrm.web.access import actor, needs
from nrm.web.context import pack
from nrm.web.errors import once
from nrm.web.forms.administration import AccountForm, OrganisationForm, SwitchForm
from nrm.web.text import _

blueprint = Blueprint("administration", __name__)


@blueprint.get("/people")
@needs(Permission.ACCOUNT_MANAGE)
def people() -> str:
    """List the accounts."""
    shown, last = accounts.people(actor(), request.args.get("after", type=UUID))
    older = url_for(".people", after=last) if last else ""
    return render_template("administration/people.html", people=shown, older=older)


@blueprint.get("/people/<uuid:account_id>")
@needs(Permission.ACCOUNT_MANAGE)
def person(account_id: UUID) -> str:
    """Show one account."""
    found = accounts.person(actor(), account_id)
    return render_template("administration/person.html", person=found, own=account_id == actor().id)


@blueprint.route("/people/new", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("administration.person", account_id=outcome))
def create_account() -> Response | tuple[str, int]:
    """Create an account in one role."""
    form = AccountForm(accounts.organisations())
    done: list[UUID] = []
    if form.carries_out(
        lambda: done.append(accounts.create_account(actor(), form.account, form_id=form.receipt))
    ):
        flash(_("The account is ready. The person can sign in now."))
        return redirect(url_for(".person", account_id=done[0]), 303)
    if form.errors and not form.password.errors:
        # What was typed stays in the form, except this.
        form.refuse("password", _("Type the first password again. It is never shown back to you."))
    return render_template("administration/create_account.html", form=form), form.status


@blueprint.route("/people/<uuid:account_id>/disable", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("administration.person", account_id=outcome))
def disable(account_id: UUID) -> Response | tuple[str, int]:
    """Ask for a confirmation, then shut an account."""
    done = _("The account is disabled. The person was signed out everywhere.")
    return _switch(account_id, accounts.disable, "administration/disable.html", done)


@blueprint.route("/people/<uuid:account_id>/enable", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("administration.person", account_id=outcome))
def enable(account_id: UUID) -> Response | tuple[str, int]:
    """Ask for a confirmation, then open an account again."""
    done = _("The account is enabled. The person can sign in again.")
    return _switch(account_id, accounts.enable, "administration/enable.html", done)


def _switch(
    account_id: UUID, act: Callable[..., None], template: str, done: str
) -> Response | tuple[str, int]:
    form, who = SwitchForm(), actor()
    if form.carries_out(lambda: act(who, account_id, form_id=form.receipt)):
        flash(done)
        return redirect(url_for(".person", account_id=account_id), 303)
    found = accounts.person(who, account_id)
    return render_template(template, form=form, person=found), form.status


@blueprint.get("/organisations")
@needs(Permission.ACCOUNT_MANAGE)
def organisations() -> str:
    """List the organisations."""
    return render_template(
        "administration/organisations.html", organisations=accounts.organisations()
    )


@blueprint.route("/organisations/new", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda _outcome, **_: url_for("administration.organisations"))
def create_organisation() -> Response | tuple[str, int]:
    """Create an organisation."""
    form = OrganisationForm(pack())
    if form.carries_out(lambda: _create_organisation(actor(), form)):
        flash(_("The organisation is there now. Accounts can belong to it."))
        return redirect(url_for(".organisations"), 303)
    return render_template("administration/create_organisation.html", form=form), form.status


def _create_organisation(who: Actor, form: OrganisationForm) -> None:
    accounts.create_organisation(
        who,
        (form.name.data or "").strip(),
        form.kind.data,
        form.district.data,
        is_provider=form.is_provider.data,
        form_id=form.receipt,
    )
