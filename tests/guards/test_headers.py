"""What every answer tells the browser."""

import json
from contextlib import contextmanager
from dataclasses import replace
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from config import Environment
from nrm.application import create_app
from nrm.db import db
from nrm.services import casefile
from tests.guards.routes import token
from tests.world import PASSWORD, fresh_code

pytestmark = pytest.mark.databases("sqlite")

ROOT = Path(__file__).resolve().parent.parent.parent
HEADERS = {
    # Nothing from elsewhere, nothing inline, no frame around it, no form to another place.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Addresses hold references.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
    # A shared computer keeps no page.
    "Cache-Control": "no-store",
}


# What is asked for: the answer's status, how, where, and what is sent along.
ASKED = {
    "a page": (200, "GET", "/cases"),
    "a page for everybody": (200, "GET", "/help"),
    "a redirect": (302, "GET", "/"),
    "a form without its token": (400, "POST", "/cases/find"),
    "a refusal": (403, "GET", "/people"),
    "no such record": (404, "GET", "/cases/7K4M-29QX-C"),
    "no such address": (404, "GET", "/nothing-here"),
    "no such method": (405, "DELETE", "/cases"),
    "the watch": (200, "GET", "/healthz"),
}


def refused_form(made, page):
    path = f"/cases/{made.cases['flagged']}/presume"
    return page.client.post(path, data={"csrf_token": token(page)})


def too_much(made, page):
    return page.client.post(f"/cases/{made.cases['flagged']}/presume", data={"words": "x" * 2**21})


def broken_view(made, page):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(casefile, "overview", None)
        return page.client.get(f"/cases/{made.cases['flagged']}")


MADE = {
    "a mistake": (422, refused_form),
    "too much": (413, too_much),
    "a fault": (500, broken_view),
}


@pytest.mark.parametrize("what", ASKED)
def test_every_answer_carries_the_headers(browser, what):
    status, method, path = ASKED[what]
    answer = browser("coordinator").client.open(path, method=method)
    assert answer.status_code == status
    assert_guarded(answer)


@pytest.mark.parametrize("what", MADE)
def test_every_answer_to_what_went_wrong_carries_the_headers(mechanism, browser, what):
    status, sent = MADE[what]
    answer = sent(mechanism, browser("coordinator"))
    assert answer.status_code == status
    assert_guarded(answer)


def assert_guarded(answer):
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    # No other site may read an answer.
    assert "Access-Control-Allow-Origin" not in answer.headers
    # Only an https address may promise https.
    assert "Strict-Transport-Security" not in answer.headers


def test_only_files_whose_names_change_with_their_content_are_kept(mechanism):
    manifest = (ROOT / "static" / "build" / "manifest.json").read_text(encoding="utf-8")
    base = json.loads(manifest)["base"]
    for name in ("nrm.css", "nrm.js", "early.js"):
        kept = headers_of_file(mechanism, f"/static/{base}/{name}")
        assert "immutable" in kept["Cache-Control"]
        assert "public" in kept["Cache-Control"]
    assert "immutable" not in headers_of_file(mechanism, "/static/favicon.svg")["Cache-Control"]


def headers_of_file(made, path):
    with made.app.test_client().get(path) as answer:
        assert answer.status_code == 200
        same = HEADERS.keys() - {"Cache-Control"}
        assert {name: answer.headers.get(name) for name in same} == {
            name: HEADERS[name] for name in same
        }
        # A file is nobody's: it needs no sitting, and no other site has a use for it.
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
        return answer.headers


# The cookie


def cookie_of(answer):
    (line,) = answer.headers.getlist("Set-Cookie")
    ((name, cookie),) = SimpleCookie(line).items()
    return name, cookie


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(browser):
    name, cookie = cookie_of(browser().client.get("/sign-in"))
    assert name == "nrm"
    assert (cookie["path"], cookie["samesite"]) == ("/", "Strict")
    assert cookie["httponly"]
    assert not cookie["domain"]
    # It lasts as long as the sitting, which the server knows; a browser that closes forgets it.
    assert not cookie["expires"]
    assert not cookie["max-age"]


@contextmanager
def in_production(made):
    """Serve the same database as production does."""
    settings = replace(made.app.config["NRM"], environment=Environment.PRODUCTION)
    app = create_app(settings)
    try:
        yield app.test_client()
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def test_in_production_the_cookie_is_sent_to_this_host_by_https_alone(mechanism):
    https = {"base_url": "https://localhost"}
    with in_production(mechanism) as client:
        answer = client.get("/sign-in", **https)
        name, cookie = cookie_of(answer)
        # What the prefix demands of a browser is what must be there for it to keep the cookie.
        assert name == "__Host-nrm"
        assert cookie["secure"]
        assert cookie["httponly"]
        assert (cookie["path"], cookie["samesite"], cookie["domain"]) == ("/", "Strict", "")
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")
        assert "Practice copy" not in answer.get_data(as_text=True)
        # Over plain http the browser would send nothing back, so nobody could sign in.
        form = answer.get_data(as_text=True).partition('name="csrf_token" value="')[2]
        fields = {
            "csrf_token": form.partition('"')[0],
            "email": mechanism.world.email("analyst"),
            "password": PASSWORD,
        }
        signed_in = client.post("/sign-in", data=fields, **https)
        assert signed_in.headers["Location"] == "/sign-in/code"
        assert cookie_of(signed_in)[1].value != cookie.value
        form = client.get("/sign-in/code", **https).get_data(as_text=True)
        fields = {
            "csrf_token": form.partition('name="csrf_token" value="')[2].partition('"')[0],
            "code": fresh_code(mechanism.app, mechanism.world.email("analyst")),
        }
        signed_in = client.post("/sign-in/code", data=fields, **https)
        assert signed_in.headers["Location"] == "/"
        assert client.get("/statistics", **https).status_code == 200


# What is not there

# What a careless installation would hand out, and what a proxy may be told to say.
HIDDEN = (
    "/.git/HEAD",
    "/.env",
    "/config.py",
    "/console",
    "/instance/keys/web.key",
    "/metrics",
    "/openapi.json",
    "/static/",
    "/static/../config.py",
    "/static/%2e%2e/config.py",
    "/static/build/../../pyproject.toml",
    "/server-status",
)


@pytest.mark.parametrize("path", HIDDEN)
def test_nothing_is_served_but_what_was_compiled_to_be(browser, path):
    assert browser("administrator").client.get(path).status_code == 404


def test_nothing_helps_whoever_looks_for_faults(mechanism):
    assert not mechanism.app.debug
    assert not mechanism.app.testing
    assert not mechanism.app.config.get("PROPAGATE_EXCEPTIONS")


@pytest.mark.parametrize("asked", ["//elsewhere.example", "https://elsewhere.example/", "/people"])
def test_nobody_is_led_to_another_host(mechanism, browser, asked):
    """Neither a question in the address nor what a proxy may say decides where somebody is led."""
    said = {"X-Forwarded-Host": "elsewhere.example", "Host": "elsewhere.example"}
    page = browser()
    form = {"email": mechanism.world.email("analyst"), "password": PASSWORD}
    for name in ("next", "return", "url"):
        form["csrf_token"] = token(page)
        answer = page.client.post(f"/sign-in?{name}={asked}", data=form | {name: asked})
        assert leads_to_a_path_of_ours(answer)
        page = browser()
    for path in ("/", "/cases", "/sign-in"):
        assert leads_to_a_path_of_ours(browser("analyst").client.get(path, headers=said))


def leads_to_a_path_of_ours(answer):
    where = answer.headers.get("Location", "/")
    return where.startswith("/") and not where.startswith("//") and "elsewhere" not in where
