"""Whoever comes, fails to come or goes is in the log; what a stranger typed is not."""

import pytest
from sqlalchemy import select

from nrm.db import db
from nrm.models import AuditEntry
from tests import ledger as ledgers
from tests import world as worlds
from tests.page import PageClient
from tests.world import PASSWORD, in_world

pytestmark = pytest.mark.databases("sqlite", "postgresql")

STRANGER = "kanariya.stranger@nowhere.example"
TYPED = "a password that nobody has"


@in_world
def entries(world):
    """Give what the log says of signing in and out, and every word that it holds."""
    with db.engine.connect() as connection:
        kept = connection.execute(
            select(AuditEntry.__table__)
            .where(AuditEntry.action.like("session:%"))
            .order_by(AuditEntry.seq)
        ).all()
    names = {account: name for name, account in world.accounts.items()}
    said = [(one.action, names.get(one.subject_id), names.get(one.actor_id)) for one in kept]
    return said, repr(kept) + "".join(repr(ledgers.detail(one)) for one in kept)


def test_each_has_an_entry_of_its_own(world, client):
    page = PageClient(client)
    for email, password, status in (
        (world.email("provider"), TYPED, 422),
        (STRANGER, TYPED, 422),
        (f"{world.email('provider')}\n{STRANGER}", TYPED, 422),
        (world.email("provider"), PASSWORD, 303),
    ):
        page.get("/sign-in")
        page.post("/sign-in", {"email": email, "password": password}, status=status)
    code = worlds.fresh_code(world.app, world.email("provider"))
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    page.post("/sign-in/code", {"code": wrong}, status=422)
    page.post("/sign-in/code", {"code": code})
    page.get("/inbox")
    page.post("/sign-out")
    said, words = entries(world)
    assert said == [
        ("session:fail", "provider", None),
        ("session:fail", None, None),
        ("session:fail", None, None),
        ("session:begin", "provider", None),
        ("session:fail", "provider", None),
        ("session:sign-in", "provider", "provider"),
        ("session:sign-out", "provider", "provider"),
    ]
    for typed in ("kanariya", "nowhere", TYPED, PASSWORD, world.email("provider"), code, wrong):
        assert typed not in words


def test_a_failure_is_kept_though_nothing_else_of_the_request_is(world, client):
    state = in_world(lambda _world: ledgers.state())
    page = PageClient(client)
    page.get("/sign-in")
    before = state(world)
    page.post("/sign-in", {"email": STRANGER, "password": TYPED}, status=422)
    assert state(world) == before
    assert entries(world)[0] == [("session:fail", None, None)]
