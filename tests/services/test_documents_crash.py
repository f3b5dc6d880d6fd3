"""A process is killed while it takes documents: what it acknowledged opens, the rest is settled.

NRM_PROOF=1 kills two hundred times instead of twenty, on both databases together.
"""

from sqlalchemy import func, select

from nrm.audit.actions import Action
from nrm.db import db
from nrm.models import AuditEntry, SealedDocument
from nrm.services import document_files, documents
from tests import crash
from tests import world as worlds

DEATHS = 100 if crash.PROOF else 10
LENGTH = 9 + 20 * 16_384 + 5

UPLOADS = """
from pathlib import Path
from uuid import UUID
from config import Environment, Settings
from nrm.application import create_app
from nrm.domain.roles import Actor, Role
from nrm.services import documents
from nrm.services.document_files import Incoming

def acts(argv, say):
    url, key_file, instance, case, account, organisation = argv
    settings = Settings(Environment.TEST, Path(instance), url, Path(key_file))
    actor = Actor(UUID(account), UUID(organisation), Role.COORDINATOR)
    documents.MOST_DOCUMENTS = 100_000
    with create_app(settings).app_context():
        say("ready")
        for number in range(10_000):
            file = Incoming(settings.documents)
            file.write(b"%PDF-1.4\\n")
            for _ in range(20):
                file.write(os.urandom(16_384))
            file.write(b"%%EOF")
            title = f"{os.getpid()}-{number}"
            documents.add(actor, case, documents.NewDocument("health", title, "", file))
            say("added", title)
"""


def test_killed_in_mid_upload_nothing_acknowledged_is_lost(
    world, settings, database_kind, monkeypatch, counted
):
    case = worlds.flag(world)
    actor, folder = world.actor("coordinator"), settings.documents
    db.session.remove()
    arguments = [settings.database_url, settings.key_file, settings.instance]
    arguments += [case, actor.id, actor.organisation_id]
    lives = crash.lives(UPLOADS, arguments, DEATHS, longest=0.2)
    acknowledged = {word[1] for life in lives for word in life if word[0] == "added"}

    left = len(list((folder / "incoming").iterdir()))
    monkeypatch.setattr(document_files, "LEFT_BEHIND_SECONDS", 0)
    document_files.sweep(folder)
    kept = [
        document
        for listed in documents.attachments(actor, case).by_compartment.values()
        for document in listed
    ]
    for document in kept:
        opened = documents.open_document(actor, case, document.id, folder)
        assert len(b"".join(opened.chunks)) == LENGTH
        opened.close()
    assert acknowledged <= {document.title for document in kept}
    named = {document_files.path_of(folder, file) for file in db.session.scalars(files())}
    assert {path for path in folder.rglob("*") if path.is_file()} == named
    added = select(func.count()).where(AuditEntry.action == Action.DOCUMENT_ADD)
    assert db.session.scalar(added) == len(kept)
    counted(
        f"killed in mid-upload {DEATHS} times on {database_kind}: {len(acknowledged)} "
        f"acknowledged, {len(kept)} kept, {left} left half-way and settled, 0 lost"
    )


def files():
    return select(SealedDocument.file_id)
