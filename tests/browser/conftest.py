"""A real server and a real browser: the pages as people meet them, photographed and measured."""

import os
import re
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from weakref import WeakSet

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright
from werkzeug.serving import make_server

from tests.browser.people import Person

ARTEFACTS = Path(__file__).resolve().parent.parent / "artefacts"
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A phone of the field and a desk.
SIZES = {360: 740, 1280: 900}
# Two processors may be shared by many; what is on its way is waited for, never slept for.
PATIENCE_MS = 60_000
# This machine by its number, and by the name to which passkeys can be bound.
OURSELVES = {"127.0.0.1", "localhost"}
ACCESSIBLE = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
# The browser notes every answer of 4xx as an error; whether it was right is for the test to say.
EXPECTED_NOTE = "Failed to load resource: the server responded with a status of 4"
# The ground of a watermark is meant to be faint: it says once more what the note above it says, and
# of what only decorates no contrast is asked.
LOOKED_AT = {"exclude": [[".nrm-watermark__ground"]]}
# axe is a script itself: in a browser without script it would wait for ever.
without_script = WeakSet()


@pytest.fixture(scope="session")
def chromium_path():
    named = os.environ.get("NRM_TEST_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium is installed, and the browser tests must run here")
    if found is None:
        pytest.skip("no Chromium on the PATH and none named in NRM_TEST_CHROMIUM")
    return found


@pytest.fixture(scope="session")
def chromium(chromium_path):
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, headless=True, args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture
def settings(settings):
    """Leave pages open: on a slow machine, somebody may well wait for a colleague for a minute."""
    return replace(settings, cover_seconds=3600)


@pytest.fixture
def live_server(app):
    """Serve the application on a free port of this machine and give its address."""
    with serving(app) as address:
        yield address


@contextmanager
def serving(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def complaints():
    """Collect what the browser complained of; a test that provokes a complaint clears the list."""
    return []


@pytest.fixture
def traces():
    """Collect what a browser keeps or shows to others: addresses, titles, lines of the console."""
    return []


@pytest.fixture
def open_tab(request, chromium, complaints, traces):
    """Open a browser of its own for one person; `javascript=False` is a phone without script.

    A script error, anything that the content security policy had to stop, and any request to
    another host fail the test.
    """
    contexts = []

    def note(message):
        traces.append(message.text)
        if message.type == "error" and not message.text.startswith(EXPECTED_NOTE):
            complaints.append(message.text)

    def trace(asked):
        traces.append(asked.url)
        if urlsplit(asked.url).hostname not in OURSELVES:
            complaints.append(f"asked another host: {asked.url}")

    def open_tab(*, javascript=True):
        # Only a test that asks for the server has an address to start from.
        base = (
            request.getfixturevalue("live_server")
            if "live_server" in request.fixturenames
            else None
        )
        context = chromium.new_context(base_url=base, java_script_enabled=javascript)
        contexts.append(context)
        if not javascript:
            without_script.add(context)
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", trace)
        tab = context.new_page()
        tab.on("console", note)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        return tab

    yield open_tab
    for context in contexts:
        context.close()
    assert not complaints, "the browser complained:\n  " + "\n  ".join(complaints)


@pytest.fixture
def tab(open_tab):
    return open_tab()


@pytest.fixture
def album(request, shots):
    """Photograph the pages of one test in the order in which they are met."""
    words = request.node.name.removeprefix("test_").replace("sqlite-", "")
    name = re.sub(r"\W+", "-", words.replace("_", "-")).strip("-")
    for old in ARTEFACTS.glob(f"{name}-*.png"):
        old.unlink()
    taken = []

    def take(tab, heading):
        taken.append(heading)
        words = re.sub(r"\W+", "-", heading.lower()).strip("-")
        # Without script it is an old phone: one width says enough.
        widths = [min(SIZES)] if tab.context in without_script else SIZES
        shots(tab, f"{name}-{len(taken):02}-{words}", widths)

    return take


@pytest.fixture
def sit_down(app, live_server, open_tab, album, traces):
    """Put someone before a browser of their own, not yet signed in."""
    del live_server

    def sit_down(**options):
        return Person(open_tab(**options), album, traces, app)

    return sit_down


@pytest.fixture
def enter(world, sit_down):
    """Sign someone in by their name in the world, in a browser of their own."""

    def enter(name, **options):
        person = sit_down(**options)
        person.signs_in(world.email(name))
        return person

    return enter


@pytest.fixture
def shots():
    """Photograph a page at both widths; refuse sideways scrolling and what axe finds."""

    def take(tab, name, widths=SIZES):
        ARTEFACTS.mkdir(exist_ok=True)
        for width in widths:
            tab.set_viewport_size({"width": width, "height": SIZES[width]})
            tab.screenshot(path=ARTEFACTS / f"{name}-{width}.png", full_page=True)
            overflow = tab.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, f"{name} scrolls sideways by {overflow} px at {width} px"
            if tab.context not in without_script:
                check_accessible(tab, f"{name} at {width} px")

    return take


def check_accessible(tab, where):
    options = {"runOnly": {"type": "tag", "values": ACCESSIBLE}, "resultTypes": ["violations"]}
    results = Axe().run(tab, context=LOOKED_AT, options=options)
    assert results.violations_count == 0, f"{where}:\n{results.generate_report()}"
