"""The camera refuses what it claims to refuse, with script and without."""

import pytest
from flask import Flask
from playwright.sync_api import Error

PAGE = """<!doctype html><html lang="en"><head><title>Sign in</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Sign in</h1>{}</main></body></html>"""


@pytest.fixture
def app():
    """Stand in for the application with pages of our own making."""
    app = Flask(__name__)
    app.add_url_rule("/", "sound", lambda: PAGE.format("<p>Welcome.</p>"))
    app.add_url_rule("/script", "script", lambda: PAGE.format("<script src='/code.js'></script>"))
    app.add_url_rule("/inline", "inline", lambda: PAGE.format("<script>inline()</script>"))
    app.add_url_rule(
        "/code.js", "code", lambda: ("fail.here()", {"Content-Type": "text/javascript"})
    )

    @app.after_request
    def close_to_inline_code(response):
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response

    return app


@pytest.mark.parametrize("javascript", [True, False])
def test_a_sound_page_is_photographed(live_server, open_tab, shots, javascript):
    tab = open_tab(javascript=javascript)
    tab.goto(live_server)
    shots(tab, f"tools-sound-{javascript}".lower())


@pytest.mark.parametrize("javascript", [True, False])
def test_a_page_wider_than_the_screen_is_refused(open_tab, shots, javascript):
    tab = open_tab(javascript=javascript)
    tab.set_content(PAGE.format('<p style="width: 500px">Too wide for a phone.</p>'))
    with pytest.raises(AssertionError, match="sideways by 1"):
        shots(tab, "tools-wide")


def test_a_page_that_axe_refuses_is_refused(tab, shots):
    tab.set_content(PAGE.format('<p style="color: #bbb">Too pale to read.</p>'))
    with pytest.raises(AssertionError, match="color-contrast"):
        shots(tab, "tools-pale")


def test_a_tab_reaches_the_server_by_path(live_server, tab):
    assert tab.goto("/").url == f"{live_server}/"


def test_without_a_server_there_is_nowhere_to_go(tab):
    with pytest.raises(Error, match="invalid URL"):
        tab.goto("/")


@pytest.mark.parametrize(
    ("path", "complaint"),
    [("/script", "fail is not defined"), ("/inline", "Content Security Policy")],
)
def test_a_script_that_fails_or_is_forbidden_is_noted(
    live_server, tab, complaints, path, complaint
):
    tab.goto(live_server + path)
    tab.wait_for_load_state()
    assert complaint in " ".join(complaints)
    complaints.clear()


def test_a_request_to_another_host_is_noted(live_server, tab, complaints):
    tab.goto(live_server)
    tab.set_content(PAGE.format('<img src="http://127.0.0.2:9/spy.png" alt="">'))
    assert "asked another host: http://127.0.0.2:9/spy.png" in complaints
    complaints.clear()


def test_an_answer_of_4xx_is_no_complaint(live_server, tab, complaints):
    assert tab.goto(f"{live_server}/nowhere").status == 404
    assert complaints == []
