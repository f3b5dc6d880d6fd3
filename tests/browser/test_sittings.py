"""What a screen shows when nobody is there, when a sitting ends, and when Back is pressed."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete, update

from nrm.db import db, unit_of_work
from nrm.models import AuthSession
from tests import world as worlds
from tests.browser.conftest import ARGUMENTS, PATIENCE_MS
from tests.world import CANARIES, PASSWORD

COVER, WARN_AT, GONE_AT = 60, 12 * 60, 15 * 60 + 10
MINE = "Where I am signed in"


@pytest.fixture
def settings(settings):
    """Cover the pages as in real life."""
    return replace(settings, cover_seconds=COVER)


@pytest.fixture
def at_a_case(world, enter):
    """Put the coordinator before a case, with a clock of the browser's that can be moved on."""
    reference = worlds.flag(world, person={"given_name": CANARIES["given_name"]})
    coordinator = enter("coordinator")
    coordinator.tab.clock.install()
    coordinator.opens(f"/cases/{reference}")
    coordinator.arrives_at("Overview", picture=False)
    coordinator.reference = reference
    return coordinator


def passes(person, seconds):
    person.tab.clock.fast_forward(seconds * 1000)


def cover(person):
    return person.tab.locator("#nrm-cover")


def warning(person):
    return person.tab.locator("#nrm-warning")


def change_sittings(world, statement):
    with world.entered(), unit_of_work():
        db.session.execute(statement)


# The cover


def test_a_page_is_covered_when_nobody_is_there(at_a_case, album):
    title = at_a_case.tab.title()
    expect(cover(at_a_case)).to_be_hidden()
    passes(at_a_case, COVER - 5)
    expect(cover(at_a_case)).to_be_hidden()
    passes(at_a_case, 10)
    expect(cover(at_a_case)).to_be_visible()
    assert at_a_case.tab.title() == "National Referral Mechanism"
    album(at_a_case.tab, "Covered")
    # Nothing of the page can be reached or read beneath it.
    box = cover(at_a_case).bounding_box()
    size = at_a_case.tab.viewport_size
    assert (box["x"], box["y"]) == (0, 0)
    assert (box["width"], box["height"]) == (size["width"], size["height"])
    assert at_a_case.tab.evaluate(
        "document.elementFromPoint(20, 20).closest('#nrm-cover') !== null"
    )
    at_a_case.strikes("Tab")
    expect(cover(at_a_case)).to_be_hidden()
    assert at_a_case.tab.title() == title


def test_any_key_or_tap_uncovers_and_does_nothing_else(at_a_case):
    address = at_a_case.tab.url
    at_a_case.tab.get_by_role("link", name="Find a case").focus()
    passes(at_a_case, COVER + 5)
    expect(cover(at_a_case)).to_be_visible()
    at_a_case.strikes("Enter")
    expect(cover(at_a_case)).to_be_hidden()
    assert at_a_case.tab.url == address
    passes(at_a_case, COVER + 5)
    expect(cover(at_a_case)).to_be_visible()
    at_a_case.tab.mouse.click(40, 40)
    expect(cover(at_a_case)).to_be_hidden()
    assert at_a_case.tab.url == address


def test_a_button_and_a_double_escape_cover_at_once(at_a_case):
    at_a_case.button("Cover").click()
    expect(cover(at_a_case)).to_be_visible()
    at_a_case.strikes("a")
    expect(cover(at_a_case)).to_be_hidden()
    at_a_case.strikes("Escape")
    expect(cover(at_a_case)).to_be_hidden()
    at_a_case.strikes("Escape")
    expect(cover(at_a_case)).to_be_visible()


def test_on_paper_nothing_is_covered(at_a_case):
    passes(at_a_case, COVER + 5)
    expect(cover(at_a_case)).to_be_visible()
    at_a_case.tab.emulate_media(media="print")
    expect(cover(at_a_case)).to_be_hidden()
    expect(at_a_case.tab.get_by_role("heading", level=1, include_hidden=True)).to_be_visible()


def test_without_script_there_is_no_button_that_does_nothing(enter):
    worker = enter("provider", javascript=False)
    expect(worker.button("Cover")).to_be_hidden()
    expect(worker.button("Stay signed in")).to_be_hidden()
    expect(worker.button("Sign out")).to_be_visible()


# The warning


def test_one_press_keeps_somebody_signed_in_and_what_was_typed(world, at_a_case, album):
    at_a_case.opens(f"/cases/{at_a_case.reference}/presume")
    words = at_a_case.tab.locator("main textarea")
    words.fill("Practice grounds, not sent yet.")
    passes(at_a_case, WARN_AT - 10)
    at_a_case.strikes("Shift")
    expect(warning(at_a_case)).to_be_hidden()
    passes(at_a_case, 15)
    expect(warning(at_a_case)).to_be_visible()
    expect(warning(at_a_case)).to_contain_text("You will be signed out soon")
    expect(warning(at_a_case)).to_contain_text("1:5")
    expect(warning(at_a_case)).to_contain_text("is not saved yet")
    album(at_a_case.tab, "Warned")
    old = update(AuthSession).values(seen_at=AuthSession.created_at)
    change_sittings(world, old)
    with at_a_case.tab.expect_response("**/extend") as answered:
        at_a_case.button("Stay signed in").click()
    assert answered.value.status == 204
    expect(warning(at_a_case)).to_be_hidden()
    expect(words).to_have_value("Practice grounds, not sent yet.")
    passes(at_a_case, WARN_AT - 30)
    at_a_case.strikes("Shift")
    expect(warning(at_a_case)).to_be_hidden()


def test_a_page_is_empty_once_the_sitting_has_ended(world, at_a_case):
    passes(at_a_case, WARN_AT + 5)
    expect(warning(at_a_case)).to_be_attached()
    change_sittings(world, delete(AuthSession))
    passes(at_a_case, GONE_AT - WARN_AT)
    at_a_case.arrives_at("Sign in")
    at_a_case.sees("You were signed out. Drafts are kept: sign in and go on.")
    at_a_case.has_nothing_of(at_a_case.reference)


def test_a_flag_saves_itself_before_the_end(world, enter):
    with world.entered():
        draft = worlds.draft(world)
    responder = enter("first_responder")
    responder.tab.clock.install()
    responder.opens(f"/flags/drafts/{draft}/person")
    responder.writes("Given name", "Half a na")
    with responder.tab.expect_response(re.compile("/person$")) as answered:
        passes(responder, 27 * 60 + 5)
    assert answered.value.status == 204
    expect(warning(responder)).to_contain_text("is kept in your draft")
    responder.strikes("Shift")
    responder.opens(f"/flags/drafts/{draft}/person")
    responder.finds_written("Given name", "Half a na")


def test_a_press_in_one_window_counts_in_the_other(at_a_case):
    passes(at_a_case, WARN_AT + 5)
    expect(warning(at_a_case)).to_be_attached()
    at_a_case.strikes("Shift")
    expect(warning(at_a_case)).to_be_visible()
    other = at_a_case.tab.context.new_page()
    other.goto("/cases")
    expect(warning(at_a_case)).to_be_hidden()
    other.get_by_role("button", name="Sign out", exact=True).click()
    at_a_case.tab.clock.run_for(3000)
    expect(at_a_case.tab.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_page_that_was_only_looked_at_is_not_saved_again(world, enter):
    """A page of a flag that was answered stays answered."""
    with world.entered():
        draft = worlds.draft(world)
    responder = enter("first_responder")
    responder.tab.clock.install()
    responder.opens(f"/flags/drafts/{draft}/person")
    sent = []
    responder.tab.on("request", lambda asked: sent.append(asked.method))
    passes(responder, 27 * 60 + 5)
    expect(warning(responder)).to_be_attached()
    responder.strikes("Shift")
    expect(warning(responder)).to_be_visible()
    expect(warning(responder)).not_to_contain_text(re.compile("typed"), use_inner_text=True)
    assert "POST" not in sent


def test_where_the_line_is_down_nothing_typed_is_lost(at_a_case, complaints):
    at_a_case.opens(f"/cases/{at_a_case.reference}/presume")
    words = at_a_case.tab.locator("main textarea")
    words.fill("Practice grounds, not sent yet.")
    passes(at_a_case, WARN_AT + 5)
    at_a_case.strikes("Shift")
    at_a_case.tab.context.set_offline(True)
    at_a_case.button("Stay signed in").click()
    expect(warning(at_a_case)).to_contain_text("The line is down.")
    expect(words).to_have_value("Practice grounds, not sent yet.")
    at_a_case.tab.context.set_offline(False)
    at_a_case.button("Stay signed in").click()
    expect(warning(at_a_case)).to_be_hidden()
    # The browser notes in its console that it could not send.
    assert all("ERR_INTERNET_DISCONNECTED" in note for note in complaints)
    complaints.clear()


def test_the_longest_time_is_told_and_cannot_be_pressed_away(world, at_a_case):
    began = datetime.now(UTC) - timedelta(hours=9, minutes=55)
    change_sittings(world, update(AuthSession).values(created_at=began))
    at_a_case.opens(f"/cases/{at_a_case.reference}/presume")
    passes(at_a_case, 3 * 60 + 5)
    at_a_case.strikes("Shift")
    expect(warning(at_a_case)).to_contain_text("cannot be made longer", use_inner_text=True)
    expect(at_a_case.button("Stay signed in")).to_be_hidden()


# Back


def test_nothing_of_a_case_after_back(world, chromium, chromium_path, live_server, counted):
    """With the browser's own store for Back switched on, which the other tests do without."""
    browser = chromium.browser_type.launch(
        executable_path=chromium_path,
        headless=True,
        args=ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    reference = worlds.flag(world)
    tried = shown = 0
    try:
        for end in (signs_out, is_ended_elsewhere, waits_too_long):
            tab = browser.new_context(base_url=live_server).new_page()
            tab.set_default_timeout(PATIENCE_MS)
            signs_in(tab, world)
            for path in ("/cases", f"/cases/{reference}", f"/cases/{reference}/consent"):
                tab.goto(path)
                expect(tab.locator("body")).to_contain_text(reference[:4])
            end(tab, world)
            for _ in range(3):
                tab.go_back()
                expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")
                tried += 1
                shown += reference in tab.content()
    finally:
        browser.close()
    counted(f"row 41: Back pressed {tried} times, something of a case on {shown} pages")
    assert (tried, shown) == (9, 0)


def signs_in(tab, world):
    tab.goto("/sign-in")
    tab.get_by_label("Work e-mail").fill(world.email("coordinator"))
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    code = worlds.fresh_code(world.app, world.email("coordinator"))
    tab.get_by_label("Code from your app").fill(code)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url("**/cases")


def signs_out(tab, world):
    del world
    tab.get_by_role("button", name="Sign out", exact=True).click()
    tab.wait_for_url("**/sign-in")


def is_ended_elsewhere(tab, world):
    tab.goto("/help")
    change_sittings(world, delete(AuthSession))


def waits_too_long(tab, world):
    tab.goto("/help")
    long_ago = datetime.now(UTC) - timedelta(minutes=16)
    change_sittings(world, update(AuthSession).values(seen_at=long_ago))


def test_a_page_that_the_browser_kept_is_asked_for_anew(world, at_a_case):
    """Played to the page as a browser tells it, for those that keep even what is not to be kept."""
    at_a_case.tab.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    expect(at_a_case.tab.locator("main")).to_be_hidden()
    change_sittings(world, delete(AuthSession))
    with at_a_case.tab.expect_navigation():
        at_a_case.tab.evaluate(
            "const kept = new PageTransitionEvent('pageshow', {persisted: true});"
            "setTimeout(() => dispatchEvent(kept))"
        )
    at_a_case.arrives_at("Sign in", picture=False)
    at_a_case.has_nothing_of(at_a_case.reference)


# The pages


def test_the_pages_of_ones_account(world, enter):
    worker = enter("provider")
    enter("provider").tab.goto("/inbox")
    worker.follows("Practice Provider")
    worker.arrives_at(MINE)
    worker.sees("This one", "Chrome on Linux")
    worker.presses("Sign out everywhere else")
    worker.sees("You are signed out everywhere else.")
    worker.follows("When I signed in")
    worker.arrives_at("When I signed in")
    worker.sees("Signed in", "Signed out elsewhere")
    worker.follows("Password")
    worker.arrives_at("Change your password", picture=False)
    worker.tab.get_by_label("Your password now", exact=True).fill(PASSWORD)
    worker.tab.get_by_label("New password", exact=True).fill("Password2026!")
    worker.presses("Change password")
    worker.is_asked_again_at("Change your password", re.compile("one that many people use"))
    worker.tab.get_by_label("Your password now", exact=True).fill(PASSWORD)
    worker.tab.get_by_label("New password", exact=True).fill("nineteen-quiet-herons")
    worker.presses("Change password")
    worker.sees("Your password is changed. You are signed out everywhere else.")
    keeper = enter("administrator")
    keeper.opens(f"/people/{world.accounts['provider']}/sittings")
    keeper.arrives_at("Where this person is signed in")
    keeper.presses("Sign out everywhere")
    keeper.sees("The person is signed out everywhere.")
    worker.opens("/inbox")
    worker.arrives_at("Sign in", picture=False)
