import pytest

from nrm.domain.roles import GRANTS, HUMAN_ROLES, ROLE_LABEL, Permission, Relation, Role
from nrm.web.log_words import PERMISSION_LABEL
from nrm.web.role_words import PURPOSE, RELATION_WORDS
from tests.page_checks import words
from tests.world import ONE_PER_ROLE


def test_every_role_permission_and_relation_has_its_words():
    assert set(PURPOSE) == set(Role)
    assert set(PERMISSION_LABEL) == set(Permission)
    assert set(RELATION_WORDS) == set(Relation)


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_everybody_reads_what_their_own_role_can_do(signed_in, role):
    page = signed_in(ONE_PER_ROLE[role])
    page.get("/help")
    html = page.click("What my role can see")
    told = words(html.main)
    assert ROLE_LABEL[role] in words(html.h1)
    for permission in set(GRANTS[role]) - {Permission.WORK_VIEW}:
        assert str(PERMISSION_LABEL[permission]) in told
    said = {str(PERMISSION_LABEL[one]) for one in set(Permission) - set(GRANTS[role])}
    lines = {words(line) for line in html.select("main li") if words(line).startswith("Can ")}
    assert not {line for line in lines if line.removeprefix("Can ").partition(":")[0] in said}


def test_a_role_that_reaches_nobody_says_so(signed_in):
    for name in ("administrator", "analyst", "directory_manager", "organisation_administrator"):
        assert "reaches no person and no case" in words(signed_in(name).get("/role").main)
    for name in ("coordinator", "provider", "first_responder"):
        assert "reaches no person" not in words(signed_in(name).get("/role").main)


@pytest.mark.parametrize("name", ["administrator", "auditor"])
def test_whoever_watches_over_accounts_reads_all_roles(signed_in, name):
    page = signed_in(name)
    page.get("/role")
    html = page.click("What the other roles can see")
    for role in HUMAN_ROLES:
        assert ROLE_LABEL[role] in words(html.main)
        assert ROLE_LABEL[role] in words(page.get(f"/roles/{role}").h1)
    page.get("/roles/system", status=404)


def test_nobody_else_reads_the_roles_of_others(signed_in):
    page = signed_in("coordinator")
    page.get("/roles", status=403)
    page.get("/roles/auditor", status=403)
