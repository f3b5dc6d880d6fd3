"""Where and when one is signed in, another password, and what a page may do by itself."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from nrm.db import db, unit_of_work
from nrm.models import AuditEntry, AuthSession
from nrm.services import sessions
from nrm.web import device
from tests import world as worlds
from tests.page import PageClient
from tests.page_checks import words
from tests.world import PASSWORD

NEW = "nineteen-quiet-herons"
PHONE = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"

AGENTS = {
    PHONE: "Firefox on Android",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36": "Chrome on Windows",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 "
    "Chrome/125.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    "curl/8.9": "",
    "": "",
    "x" * 10_000: "",
    "<script>alert(1)</script>": "",
}


def token_of(page):
    return page.client.get_cookie("nrm").value


def alive(world, token):
    with world.entered():
        settings = world.app.config["NRM"]
        limits = sessions.Limits(
            timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.absolute_hours)
        )
        return sessions.resume(token, limits)


def moved(world, page, **values):
    with world.entered():
        sitting = alive(world, token_of(page))
        with unit_of_work():
            db.session.execute(
                update(AuthSession).where(AuthSession.id == sitting.id).values(**values)
            )


def rows(html):
    return [[words(cell) for cell in row.find_all(["th", "td"])] for row in html.select("tbody tr")]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent[:40] or "none")
def test_a_browser_is_told_as_a_person_would(app, agent):
    kept = device.told(agent)
    assert kept == AGENTS[agent]
    with app.test_request_context():
        assert device.words(kept) == (AGENTS[agent] or "Another browser")


def test_one_sees_where_one_is_signed_in_and_ends_it_there(signed_in):
    here, there = signed_in("provider"), signed_in("provider")
    there.get("/inbox", headers={"User-Agent": PHONE})
    html = here.get("/account/sittings")
    assert sorted(row[0] for row in rows(html)) == ["Another browser", "Firefox on Android"]
    [this] = [row for row in rows(html) if row[3] == "This one"]
    assert this[0] == "Another browser"
    form = html.select_one("main tbody form")
    here.post(form["action"])
    html = here.follow()
    assert "It is signed out there." in words(html.main)
    assert len(rows(html)) == 1
    assert there.get("/inbox", status=303).headers["Location"] == "/sign-in"
    here.get("/inbox")


def test_all_others_are_ended_with_one_press(world, signed_in):
    here, *others = (signed_in("provider") for _ in range(4))
    here.get("/account/sittings")
    here.post("/account/sittings/end-others")
    here.follow()
    for other in others:
        assert alive(world, token_of(other)) is None
    assert "Sign out everywhere else" not in words(here.get("/account/sittings").main)


def test_the_administrator_signs_a_person_out(world, signed_in):
    person, keeper = signed_in("provider"), signed_in("administrator")
    address = f"/people/{world.accounts['provider']}/sittings"
    assert len(rows(keeper.get(address))) == 1
    keeper.post(f"{address}/end-all")
    assert "signed in nowhere" in words(keeper.follow().main)
    person.get("/inbox", status=303)
    html = keeper.get(f"/people/{world.accounts['provider']}/sign-ins")
    assert [row[1] for row in rows(html)] == [
        "Signed out elsewhere by an administrator",
        "Signed in",
        "Password accepted, second factor asked for",
    ]


def test_what_failed_says_so_in_words(world, signed_in):
    page = signed_in("provider")
    page.get("/confirm")
    page.post("/confirm", {"code": "letters"}, status=422)
    worlds.knock(world, "provider", "wrong")
    said = [row[1:] for row in rows(page.get("/account/sign-ins"))]
    # Where somebody is who was not let in is not written down.
    assert said[:2] == [["Sign-in failed", "Not kept"], ["Confirmed who it is: failed", said[1][1]]]


def test_a_changed_password_gives_another_token_and_ends_the_others(world, signed_in):
    here, there = signed_in("provider"), signed_in("provider")
    before = token_of(here)
    here.get("/account/password")
    here.post("/account/password", {"old": PASSWORD, "password": NEW})
    assert "Your password is changed." in words(here.follow().main)
    assert token_of(here) != before
    assert alive(world, before) is None
    there.get("/inbox", status=303)
    worlds.sign_in(PageClient(world.app.test_client()), world.email("provider"), NEW)


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"old": "wrong", "password": NEW}, "old", "This is not your password."),
        ({"old": PASSWORD, "password": "password1234"}, "password", "that many people use"),
        ({"old": PASSWORD, "password": "practice-provider"}, "password", "that others know"),
        ({"old": PASSWORD, "password": "short"}, "password", "between 12 and 256"),
        ({"old": "", "password": ""}, "old", "Enter your password of today"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_comes_back(signed_in, typed, field, message):
    page = signed_in("provider")
    html = page.post("/account/password", typed, status=422)
    said = html.select_one(f".govuk-error-summary a[href='#{field}']")
    assert message in words(said)
    assert not [value for value in typed.values() if value and value in str(html)]


def test_whoever_guesses_at_an_open_page_waits(signed_in):
    page = signed_in("provider")
    for _ in range(5):
        page.post("/account/password", {"old": "wrong", "password": NEW}, status=422)
    html = page.post("/account/password", {"old": PASSWORD, "password": NEW}, status=429)
    assert "then try again. Nobody is locked out" in words(html.main)
    assert 1 <= int(page.response.headers["Retry-After"]) <= 5


def test_failed_attempts_are_told_once_on_the_first_page(world, signed_in):
    with world.entered():
        assert worlds.sitting(world, "provider")
        for _ in range(2):
            assert worlds.knock(world, "provider", "wrong") is None
    page = signed_in("provider")
    page.get("/", status=302)
    first = words(page.follow().main)
    assert "Failed attempts to sign in to your account since" in first
    assert ": 2. If it was not you" in first
    page.get("/", status=302)
    assert "Failed attempts" not in words(page.follow().main)


def test_a_first_page_without_attempts_says_nothing(signed_in):
    page = signed_in("analyst")
    page.get("/", status=302)
    assert "Failed attempts" not in words(page.follow().main)


# The clock


def test_pressing_extends_and_what_a_page_asks_by_itself_does_not(world, signed_in):
    page = signed_in("coordinator")
    csrf = page.get("/cases").find("input", attrs={"name": "csrf_token"})["value"]
    for headers, moves in (({"Nrm-By-Itself": "1"}, False), ({}, True)):
        before = datetime.now(UTC) - timedelta(minutes=14)
        moved(world, page, seen_at=before)
        page.client.get("/cases", headers=headers)
        seen = alive(world, token_of(page)).seen_at
        assert (seen > before + timedelta(minutes=1)) == moves
    moved(world, page, seen_at=datetime.now(UTC) - timedelta(minutes=14))
    answer = page.client.post("/extend", data={"csrf_token": csrf})
    assert (answer.status_code, answer.data) == (204, b"")
    assert alive(world, token_of(page)).seen_at > datetime.now(UTC) - timedelta(minutes=1)


def test_whoever_was_signed_out_cannot_extend(world, signed_in):
    page = signed_in("coordinator")
    csrf = page.get("/cases").find("input", attrs={"name": "csrf_token"})["value"]
    moved(world, page, seen_at=datetime.now(UTC) - timedelta(minutes=16))
    answer = page.client.post("/extend", data={"csrf_token": csrf})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in"


def test_the_browser_is_told_to_forget_however_a_sitting_ended(world, signed_in):
    page = signed_in("coordinator")
    page.get("/cases")
    moved(world, page, seen_at=datetime.now(UTC) - timedelta(minutes=16))
    answer = page.get("/cases", status=303)
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    # Whoever never was signed in has nothing to forget.
    stranger = PageClient(world.app.test_client())
    assert "Clear-Site-Data" not in stranger.get("/cases", status=303).headers


def test_a_page_says_how_long_it_may_stand(world, signed_in):
    page = signed_in("coordinator")
    told = page.get("/cases").find(id="nrm-sitting")
    assert (told["data-idle"], told["data-warn"], told["data-cover"]) == ("900", "120", "60")
    assert not told.has_attr("data-end")
    moved(world, page, created_at=datetime.now(UTC) - timedelta(hours=9, minutes=50))
    left = int(page.get("/cases").find(id="nrm-sitting")["data-end"])
    assert 590 <= left <= 600
    assert PageClient(world.app.test_client()).get("/help").find(id="nrm-sitting") is None


# Drafts


def test_a_page_of_a_flag_is_kept_as_it_stands_and_stays_open(world, signed_in):
    page = signed_in("first_responder")
    with world.entered():
        draft = worlds.draft(world)
    address = f"/flags/drafts/{draft}/person"
    html = page.get(address)
    fields = {"csrf_token": html.find("input", attrs={"name": "csrf_token"})["value"]}
    typed = {**fields, "given_name": "Half a na", "keep": "1"}
    before = datetime.now(UTC) - timedelta(minutes=28)
    moved(world, page, seen_at=before)
    answer = page.client.post(address, data=typed, headers={"Nrm-By-Itself": "1"})
    assert answer.status_code == 204
    # The page saved itself, and its writer is no less idle for it.
    assert alive(world, token_of(page)).seen_at < before + timedelta(minutes=1)
    assert page.get(address).find(id="given_name")["value"] == "Half a na"
    assert "Started" in words(page.get(f"/flags/drafts/{draft}").main)
    # Sending it with its own button afterwards is no second sending.
    page.get(address)
    page.post(address, {"given_name": "Whole"})


def test_what_is_wrong_on_a_page_is_not_kept_by_itself(world, signed_in):
    page = signed_in("first_responder")
    with world.entered():
        draft = worlds.draft(world)
    address = f"/flags/drafts/{draft}/person"
    csrf = page.get(address).find("input", attrs={"name": "csrf_token"})["value"]
    typed = {"csrf_token": csrf, "birth_date": ["31", "2", "2001"], "keep": "1"}
    assert page.client.post(address, data=typed).status_code == 422


def test_reading_the_lists_is_in_the_log(world, signed_in):
    page = signed_in("provider")
    page.get("/account/sittings")
    page.get("/account/sign-ins")
    with world.entered():
        query = select(AuditEntry.action).order_by(AuditEntry.seq)
        assert db.session.scalars(query).all()[-2:] == ["session:list", "session:history"]
