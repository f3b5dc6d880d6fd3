"""A shelter invites a colleague, who comes in, works and leaves: all of it by the pages."""

from sqlalchemy import select

from nrm.db import db
from nrm.models import AuditEntry
from tests import world as worlds
from tests.page import PageClient
from tests.page_checks import words
from tests.web.people_pages import CHOSEN, link_on

EMAIL = "night.worker@practice.example"


def browser(world):
    return PageClient(world.app.test_client())


def test_a_colleague_is_invited_works_and_leaves(world, signed_in):
    _, sent = worlds.referred(world)
    administrator = signed_in("organisation_administrator")
    administrator.get("/people")
    administrator.click("Invite somebody")
    who = {"name": "Practice Night Worker", "email": EMAIL, "role": "provider"}
    administrator.post("/people/new", who)
    link = link_on(administrator.follow())

    # The colleague, at their own telephone.
    colleague = browser(world)
    assert EMAIL in words(colleague.get(link).main)
    colleague.post(link, {"password": CHOSEN, "again": CHOSEN})
    colleague.follow()
    worlds.sign_in_first(colleague, EMAIL, CHOSEN)
    assert sent in str(colleague.get("/inbox"))
    colleague.get("/people", status=403)
    # Whoever finds the link later comes to a page that says what to do.
    assert words(browser(world).get(link, status=410).h1) == "This link no longer works"

    # They leave.
    administrator.get("/people")
    administrator.post("/people", {"text": "practice night"})
    administrator.follow()
    administrator.click("Practice Night Worker")
    administrator.click("Disable this account")
    here = administrator.path
    administrator.post(here, {"reason": "left"})
    administrator.follow()
    colleague.get("/inbox", status=303)
    colleague.follow()
    typed = {"email": EMAIL, "password": CHOSEN}
    colleague.post("/sign-in", typed, status=422)

    # The national administrator sees it, another shelter does not, and the log has it all.
    national = signed_in("administrator")
    account = here.removesuffix("/disable")
    assert "The person no longer works here" in words(national.get(account).main)
    signed_in("other_provider").get(account, status=403)
    with world.entered():
        about = str(account.removeprefix("/people/"))
        kept = select(AuditEntry.action).where(AuditEntry.subject_id == worlds.UUID(about))
        acts = db.session.scalars(kept.order_by(AuditEntry.seq)).all()
    assert [act for act in acts if act.startswith(("account", "invitation"))] == [
        "account:create",
        "account:activate",
        "invitation:fail",
        "account:disable",
    ]


def test_an_analyst_becomes_a_decision_maker_with_two_people(world, signed_in):
    """Nobody alone lets somebody see more; the page that was open leads to sign-in."""
    administrator, auditor = signed_in("administrator"), signed_in("auditor")
    analyst = signed_in("second_analyst")
    analyst.get("/statistics")
    here = f"/people/{world.accounts['second_analyst']}"
    administrator.get(f"{here}/role")
    administrator.post(f"{here}/role", {"role": "decision_maker"})
    html = administrator.follow()
    request = html.find("a", string="See the request")["href"]
    administrator.get(request)
    analyst.get("/statistics")
    auditor.get(request)
    auditor.post(f"{request}/confirm")
    analyst.get("/statistics", status=303)
    assert "You were signed out." in words(analyst.follow().main)
    worlds.sign_in(analyst, world.email("second_analyst"))
    analyst.get("/statistics", status=403)
    assert "Decision maker" in words(analyst.get("/role").main)
