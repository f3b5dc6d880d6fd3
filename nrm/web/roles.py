"""Pages that say in words what a role can see and do, drawn from the grant table."""

from flask import Blueprint, render_template

from nrm.domain.policy import holds
from nrm.domain.roles import HUMAN_ROLES, Permission, Role
from nrm.web import role_words
from nrm.web.access import actor, needs

blueprint = Blueprint("roles", __name__)


@blueprint.get("/role")
@needs(Permission.WORK_VIEW)
def own() -> str:
    """Say to everybody what their own role can see and do."""
    who = actor()
    told = role_words.told(who.role)
    # The auditor has no place for the roles in the navigation, and finds them from here.
    others = holds(who, Permission.ROLE_VIEW)
    return render_template("roles/role.html", told=told, own=True, others=others)


@blueprint.get("/roles")
@needs(Permission.ROLE_VIEW)
def index() -> str:
    """List the roles, each with what it is for."""
    told = [role_words.told(role) for role in HUMAN_ROLES]
    return render_template("roles/index.html", roles=told)


@blueprint.get(f"/roles/<any({','.join(HUMAN_ROLES)}):role>")
@needs(Permission.ROLE_VIEW)
def one(role: str) -> str:
    """Say what one role can see and do."""
    return render_template("roles/role.html", told=role_words.told(Role(role)), own=False)
