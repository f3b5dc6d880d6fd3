"""Whatever is wrong with who somebody says they are: a page, what to do next, an entry, no more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from nrm.db import acting_at
from nrm.domain.roles import Role
from nrm.domain.staff import INVITATION_LASTS
from nrm.security import second_factor as codes
from nrm.services import invitations, role_changes
from nrm.services.accounts import NewAccount
from tests import world as worlds
from tests.authenticator import Authenticator
from tests.ledger import Ledger, state
from tests.page import PageClient
from tests.page_checks import words
from tests.web.people_pages import CHOSEN, EMAIL
from tests.web.test_sign_in import TO_CODE, cookie, give_password, with_passkey
from tests.world import SEED, fresh_code

ELSEWHERE = "elsewhere.example"


@dataclass(frozen=True)
class Bad:
    """Something that is wrong: what comes before it, and what it is answered with."""

    # Does what comes before in a browser; gives what is then done in it, until a page is there.
    prepared: Callable
    # What the page says to do next.
    next: str
    # The entry that it leaves: the act, how it ended, and why. None where nobody is its subject.
    entry: tuple | None
    # The tables whose rows are others afterwards; the clock of a sitting is no such row.
    changes: frozenset = frozenset()


def link(world, at=None):
    """Invite somebody: the path of their link."""
    home = world.organisations["police"]
    new = NewAccount("Practice Newcomer", EMAIL, home, Role.FIRST_RESPONDER)
    with world.entered(), acting_at(at or datetime.now(UTC)):
        made = invitations.invite(world.actor("administrator"), new)
    return f"/welcome/{made.link.token}"


def expired_invitation(world, page):
    path = link(world, datetime.now(UTC) - INVITATION_LASTS - timedelta(seconds=1))
    return lambda: page.get(path, status=410)


def used_invitation(world, page):
    path = link(world)
    page.get(path)
    page.post(path, {"password": CHOSEN, "again": CHOSEN})
    return lambda: page.get(path, status=410)


def second_step(world, page):
    give_password(page, world.email("coordinator"))
    page.get(TO_CODE)


def replayed_code(world, page):
    thief = PageClient(world.app.test_client())
    second_step(world, thief)
    second_step(world, page)
    code = fresh_code(world.app, world.email("coordinator"))
    page.post(TO_CODE, {"code": code})
    return lambda: thief.post(TO_CODE, {"code": code}, status=422)


def clock_skew(world, page):
    second_step(world, page)
    code = codes.code_at(SEED, codes.step_of(datetime.now(UTC)) + 7)
    return lambda: page.post(TO_CODE, {"code": code}, status=422)


def passkey_of_another_site(world, page):
    worlds.sign_in(page, world.email("coordinator"))
    device = with_passkey(page)
    other = PageClient(world.app.test_client())
    second_step(world, other)
    form = other.html.find("form", attrs={"data-passkey": "show"})
    bad = Authenticator(f"https://{ELSEWHERE}")
    bad.id, bad.key = device.id, device.key
    answer = bad.show(form["data-question"])

    def refused():
        other.post("/sign-in/passkey", {"answer": answer})
        return other.follow()

    return refused


def cookie_of_an_ended_sitting(world, page):
    worlds.sign_in(page, world.email("coordinator"))
    old = cookie(page)
    page.get("/help")
    page.post("/sign-out")
    thief = PageClient(world.app.test_client())
    thief.client.set_cookie("nrm", old)
    return lambda: led_to_the_door(thief)


def next_to_another_host(world, page):
    del world

    def looked():
        html = page.get(f"/sign-in?next=https://{ELSEWHERE}/&next=//{ELSEWHERE}")
        assert ELSEWHERE not in str(html)
        return html

    return looked


def role_change_while_the_page_is_open(world, page):
    worlds.sign_in(page, world.email("second_coordinator"))
    page.get("/cases")

    def changed():
        with world.entered():
            account = world.accounts["second_coordinator"]
            role_changes.change(world.actor("administrator"), account, Role.ANALYST)
        return led_to_the_door(page)

    return changed


def led_to_the_door(page):
    page.get("/cases", status=303)
    assert page.response.headers["Location"] == "/sign-in"
    return page.follow()


ASK = "ask whoever looks after accounts in your organisation"
SIGN_IN = "You were signed out. Drafts are kept: sign in and go on."
BAD_INPUT = {
    "an expired invitation": Bad(expired_invitation, ASK, ("invitation:fail", "failed", "expired")),
    "a used invitation": Bad(used_invitation, ASK, ("invitation:fail", "failed", "ended")),
    "a replayed code": Bad(
        replayed_code, "or it was used already", ("session:fail", "failed", "code-used")
    ),
    "clock skew": Bad(
        clock_skew,
        "look whether your telephone sets its clock by itself",
        ("session:fail", "failed", "code-clock"),
    ),
    "a passkey of another site": Bad(
        passkey_of_another_site,
        "Try it again, or use another way.",
        ("session:fail", "failed", "passkey"),
    ),
    # Nobody is the subject of these two (decision 0025).
    "a cookie of an ended sitting": Bad(cookie_of_an_ended_sitting, SIGN_IN, None),
    "next= to another host": Bad(next_to_another_host, "Sign in", None),
    # The entry is that of the change; the click that came too late has a cookie like that above.
    "a role change while the page is open": Bad(
        role_change_while_the_page_is_open,
        SIGN_IN,
        ("account:role", "done", "analyst"),
        {"account"},
    ),
}


@pytest.mark.parametrize("what", BAD_INPUT)
def test_every_bad_input_has_its_page_its_entry_and_no_more(world, what, counted):
    """The eight of them: PageClient refuses a page that is not whole, plain and accessible."""
    bad = BAD_INPUT[what]
    happens = bad.prepared(world, PageClient(world.app.test_client()))
    with world.entered():
        book, before = Ledger(), state()
    html = happens()
    assert bad.next in words(html.main)
    with world.entered():
        entries = [(one.action, one.outcome, one.purpose) for one in book.entries()]
        after = state()
    assert entries == ([bad.entry] if bad.entry else [])
    changed = {table for table, rows in before.items() if rows != after[table]}
    assert changed == bad.changes
    counted(f"bad input: {what}: its page, {len(entries)} entries, nothing else changed")
