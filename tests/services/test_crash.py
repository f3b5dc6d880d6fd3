"""A process is killed while it saves, again and again: what it had acknowledged is there, whole.

NRM_PROOF=1 kills two hundred times instead of twenty, on both databases together.
"""

import sqlite3
from contextlib import closing
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from nrm.audit.actions import Action
from nrm.db import db
from nrm.models import AuditEntry, Case, FlagDraft
from nrm.services import casefile, identification, log_check, log_rows
from tests import crash

DEATHS = 100 if crash.PROOF else 10

FLAGS = """
from pathlib import Path
from uuid import UUID
from config import Environment, Settings
from nrm import country
from nrm.application import create_app
from nrm.domain.roles import Actor, Role
from nrm.services import identification
from tests.world import pages

def acts(argv, say):
    url, key_file, instance, account, organisation = argv
    app = create_app(Settings(Environment.TEST, Path(instance), url, Path(key_file)))
    actor = Actor(UUID(account), UUID(organisation), Role.FIRST_RESPONDER)
    pack = country.load("rw")
    with app.app_context():
        say("ready")
        while True:
            draft = identification.start_draft(actor)
            for page, answers in pages().items():
                identification.save_page(actor, draft, page, answers)
                say("saved", draft, page)
            say("sent", draft, identification.send_flag(actor, draft, pack))
"""


def test_whatever_was_acknowledged_survives_the_process(world, settings, database_kind, counted):
    actor = world.actor("first_responder")
    db.session.remove()
    arguments = [
        settings.database_url,
        settings.key_file,
        settings.instance,
        actor.id,
        actor.organisation_id,
    ]
    said = []
    for life in crash.lives(FLAGS, arguments, DEATHS, longest=1):
        said += life
        every_act_has_its_entry_and_every_entry_its_act()
    sent = {UUID(draft): reference for kind, draft, *reference in acts(said, "sent")}
    saved = {}
    for _, draft, page in acts(said, "saved"):
        saved.setdefault(UUID(draft), set()).add(page)

    if database_kind == "sqlite":
        with closing(sqlite3.connect(make_url(settings.database_url).database)) as other:
            assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for (reference,) in sent.values():
        assert casefile.overview(world.actor("coordinator"), reference, {}).file.facts
    unsent = set(db.session.scalars(select(FlagDraft.id)))
    for draft in unsent & saved.keys():
        assert saved[draft] <= identification.read_draft(actor, draft).pages.keys()
    # A life may send a flag and die before it has said so; nothing else takes a draft away.
    cases = db.session.scalar(select(func.count()).select_from(Case))
    unsaid = saved.keys() - sent.keys() - unsent
    assert len(unsaid) == cases - len(sent) <= DEATHS
    rows = every_act_has_its_entry_and_every_entry_its_act()
    counted(
        f"row 38: killed {DEATHS} times on {database_kind}: {len(saved)} drafts and {len(sent)} "
        f"flags acknowledged, 0 lost; after each death 0 acts without entry and 0 entries without "
        f"act, at last in {rows} sealed rows"
    )


def acts(said, kind):
    return [word for word in said if word[0] == kind]


def every_act_has_its_entry_and_every_entry_its_act():
    """Hold the log against what is stored, both ways; returns how many sealed rows there are."""
    db.session.remove()
    assert log_check.verify(lambda _: None).findings == []
    rows = log_rows.check(lambda _: None)
    assert rows.findings == {}, rows.first
    # Each act is one entry: a case was flagged once, and its draft was begun by somebody.
    flagged = select(func.count()).where(AuditEntry.action == Action.CASE_FLAG)
    begun = select(func.count(AuditEntry.subject_id.distinct()))
    begun = begun.where(AuditEntry.action == Action.DRAFT_SAVE)
    stored = (select(func.count(table.id)) for table in (Case, FlagDraft))
    # In one statement: a database may still carry out what a process asked for before it died.
    counts = select(*(one.scalar_subquery() for one in (flagged, begun, *stored)))
    flags, all_drafts, cases, drafts = db.session.execute(counts).one()
    assert (flags, all_drafts) == (cases, drafts + cases)
    db.session.remove()
    return rows.rows_checked
