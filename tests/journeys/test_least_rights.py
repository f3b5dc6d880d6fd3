"""The work itself on PostgreSQL, each process as its own role: nothing that it needs is missing."""

import contextlib
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from nrm.application import create_app
from nrm.audit.actions import Action, Outcome
from nrm.db import db, unit_of_work
from nrm.domain.roles import HOUSEKEEPING
from nrm.models import AuditEntry
from nrm.security.keyfile import Holder, read_key_file
from nrm.services import (
    departures,
    housekeeping,
    invitations,
    keys,
    log_check,
    log_keeping,
    log_rows,
    sessions,
)
from nrm.services.database_roles import APP, BACKUP, READER, SEQUENCER
from tests import databases, releases, roles
from tests import world as worlds
from tests.guards.routes import all_routes
from tests.journeys import test_main_job as main_job
from tests.journeys.people import Coordinator, Investigator, Worker
from tests.page import PageClient
from tests.page_checks import words
from tests.services.acts import ACTS
from tests.web.test_sign_in import with_passkey

pytestmark = pytest.mark.databases("postgresql")

LIMITS = sessions.Limits(timedelta(minutes=30), timedelta(hours=10))


@pytest.fixture
def settings(database_url, tmp_path):
    """Set the roles as the owner does; everything in these tests then runs as the web process."""
    console = databases.settings(database_url, tmp_path)
    roles.give(create_app(console, unlock=False))
    return roles.settings_of(console, APP)


@contextlib.contextmanager
def process(settings, role, holder=None):
    """Be another process, with its own key file or none."""
    app = create_app(roles.settings_of(settings, role), unlock=False)
    with app.app_context():
        if holder is not None:
            keys.unlock(read_key_file(settings.key_file.parent / f"{holder}.key"))
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def test_the_main_job_and_all_that_happens_by_itself(world, settings, tmp_path):
    people = (
        Investigator(world, "first_responder"),
        Coordinator(world, "coordinator"),
        Worker(world, "provider"),
    )
    main_job.test_from_a_flag_to_help_and_to_the_closing(world, *people)
    with world.entered():
        housekeeping.tick(world.pack, LIMITS, settings)

    with process(settings, SEQUENCER, Holder.SIGNER):
        kept = log_keeping.keep(tmp_path / "checkpoints", "", "")
        assert kept.checkpoint.size == kept.entries_placed > len(worlds.ACCOUNTS)
        # What it sends by e-mail once a day leaves the database in two steps.
        with unit_of_work() as unit:
            begun = departures.begin(unit, HOUSEKEEPING, Action.CHECKPOINT_SEND)
        departures.finish(begun, HOUSEKEEPING, Outcome.DONE)

    with process(settings, BACKUP):
        verdict = log_check.verify(lambda _: None)
        assert (verdict.findings, verdict.placed) == ([], kept.entries_placed)
        assert log_rows.check(lambda *_: None).findings == {}


def test_a_referral_that_nobody_answers_is_taken_back(world):
    main_job.test_a_referral_that_nobody_answers_is_taken_back(
        world,
        Investigator(world, "first_responder"),
        Coordinator(world, "coordinator"),
        Worker(world, "provider"),
    )


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_every_act_of_the_services(world, act):
    with world.entered():
        what = act.prepare(world)
        act.do(world, world.actor(act.by), what)


def test_an_analyst_signs_in_and_reads_through_the_process_for_readers(world, settings):
    with world.entered():
        releases.flagged(40)
        release_id = releases.frozen(world, settings)
    app = create_app(roles.settings_of(settings, READER))
    page = worlds.sign_in(PageClient(app.test_client()), world.email("analyst"))
    # Its first page would tell of attempts to sign in, which stand in the log that it cannot read.
    page.get("/", status=302)
    page.get("/account/sittings")
    assert "cannot read the log" in str(page.get("/account/sign-ins"))
    # It keeps nobody's password: the page says where one is changed, and a form that was kept is
    # refused before the database has to.
    html = page.get("/account/password")
    assert "Change yours where all pages are served" in words(html.main)
    assert html.main.form is None
    typed = {"old": worlds.PASSWORD, "password": "nineteen-quiet-herons"}
    token = html.find("input", attrs={"name": "csrf_token"})["value"]
    page.post_raw("/account/password", {**typed, "csrf_token": token}, status=403)
    page.get("/statistics")
    page.get("/statistics/questionnaires/us-tip")
    for file in ("files/csv", "bulletin.pdf"):
        answer = page.get(f"/statistics/releases/{release_id}/{file}")
        assert answer.get_data()
        answer.close()
    page.post("/sign-out")
    with app.app_context():
        db.engine.dispose()


def test_an_analyst_changes_how_they_sign_in_through_the_process_for_readers(world, settings):
    """They are told of it at the next sign-in there, and mark it as seen."""
    with world.entered():
        # Whoever has come in before has something to compare.
        assert worlds.sitting(world, "analyst")
    app = create_app(roles.settings_of(settings, READER))
    page = worlds.sign_in(PageClient(app.test_client()), world.email("analyst"))
    page.get("/account/ways/codes")
    page.post("/account/ways/codes")
    with_passkey(page)
    page.follow()
    page.click("Remove Passkey 1")
    page.post(page.path)
    assert not page.follow().select("header a[href='/notices']")
    page.post("/sign-out")
    page = worlds.sign_in(PageClient(app.test_client()), world.email("analyst"))
    assert page.get("/statistics").select("header a[href='/notices']")
    told = page.get("/notices").select(".nrm-notices__one")
    assert len(told) == 3
    for one in told:
        assert "tell whoever looks after your account" in words(one)
        page.get("/notices")
        page.post(one.form["action"])
    assert not page.get("/statistics").select("header a[href='/notices']")
    with app.app_context():
        db.engine.dispose()


def test_a_page_that_is_no_analysts_is_refused_by_the_process_for_readers_too(world, settings):
    """That process may not even ask which case it is: the refusal is in the log without it."""
    reference = worlds.flag(world)
    app = create_app(roles.settings_of(settings, READER))
    page = worlds.sign_in(PageClient(app.test_client()), world.email("analyst"))
    for path in (f"/cases/{reference}", f"/erasures/{uuid4()}", "/people"):
        html = page.get(path, status=403)
        assert "Your role has no part in this page." in words(html.main)
    with app.app_context():
        db.engine.dispose()
    with world.entered():
        refused = select(AuditEntry.case_id).where(AuditEntry.action == "access:refused")
        assert db.session.scalars(refused).all() == [None] * 3


def test_no_page_fails_for_want_of_a_right_in_the_process_for_readers(world, settings, counted):
    """Every address that there is, as an analyst and as nobody: refused perhaps, never broken."""
    app = create_app(roles.settings_of(settings, READER))
    analyst = worlds.sign_in(PageClient(app.test_client()), world.email("analyst"))
    with world.entered():
        reference, me = worlds.flag(world), world.accounts["analyst"]
    parts = {"reference": reference, "name": "us-tip", "kind": "csv", "number": "R3", "role": "x"}
    asked, broken = 0, []
    for page in (analyst, PageClient(app.test_client())):
        for route in all_routes(app):
            if "GET" in route.methods:
                values = {part: parts.get(part, me) for part in route.parameters}
                answer = page.client.get(route.at(**values))
                asked += 1
                broken += [route.endpoint] if answer.status_code >= 500 else []
                answer.close()
    with app.app_context():
        db.engine.dispose()
    assert broken == []
    counted(f"{asked} addresses of the process for readers: none fails")


def test_a_link_of_an_invitation_says_that_it_works_elsewhere(world, settings):
    with world.entered():
        who = world.actor("administrator")
        link = invitations.renew(who, world.accounts["analyst"]).link
    app = create_app(roles.settings_of(settings, READER))
    page = PageClient(app.test_client())
    html = page.get(f"/welcome/{link.token}", status=404)
    assert "Nothing was used up: open the link where all pages are served." in words(html.main)
    with app.app_context():
        db.engine.dispose()
    with world.entered():
        assert invitations.guest(link.token).email == world.email("analyst")
