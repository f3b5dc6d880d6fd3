"""The screen on which somebody is given another role, and how whoever approves it is told."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from nrm.domain.approval import ApprovalKind
from nrm.domain.roles import Actor, Permission, Role
from nrm.models import Approval
from nrm.services import approvals, people, role_changes
from nrm.services.approvals import Wanted
from nrm.web.access import actor, confirmed, needs
from nrm.web.context import role_words
from nrm.web.errors import once
from nrm.web.forms.people import RoleForm
from nrm.web.text import _

blueprint = Blueprint("role_changes", __name__)


@blueprint.route("/people/<uuid:account_id>/role", methods=["GET", "POST"])
@needs(Permission.ACCOUNT_MANAGE)
@once(lambda outcome, **_: url_for("people.person", account_id=outcome))
@confirmed
def change(account_id: UUID) -> Response | tuple[str, int]:
    """Ask which role, then give it or let a second person decide."""
    who = actor()
    found, roles = role_changes.offered(who, account_id)
    form = RoleForm(found.account.role, roles)
    done: list[bool] = []

    def act() -> None:
        role = Role(form.role.data)
        done.append(role_changes.change(who, account_id, role, form_id=form.receipt))

    if form.carries_out(act):
        flash(
            _("The role is changed. The person was signed out and sees the new role from now on.")
            if done[0]
            else _("Nothing has changed yet: a second person has to approve it.")
        )
        return redirect(url_for("people.person", account_id=account_id), 303)
    others = set(roles) - {found.account.role}
    page = render_template("people/role.html", form=form, found=found, others=others)
    return page, form.status


def _told(who: Actor, approval: Approval, wanted: Wanted) -> Sequence[tuple[str, str]]:
    """Tell whoever approves it whose role it is: a name, and nothing else of the account."""
    del who
    named = people.named(approval.subject_id)
    return (
        (_("Person"), named.account.name),
        (_("Organisation"), named.organisation),
        (_("Role now"), _role_now(wanted)),
        (_("Role asked for"), role_words(wanted["to"])),
    )


def _role_now(wanted: Wanted) -> str:
    if wanted["from"] == wanted["to"]:
        return _("It is a new account: nobody has signed in with it")
    return role_words(wanted["from"])


approvals.TOLD[ApprovalKind.ROLE_CHANGE] = _told
