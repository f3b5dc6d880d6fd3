import json

import pytest

from nrm.db import db
from nrm.models import Base
from tests import world as worlds
from tests.page import PageClient
from tests.page_checks import words
from tests.web.people_pages import CHOSEN, EMAIL, account, entries, errors, invited


@pytest.fixture
def link(world, signed_in):
    return invited(world, signed_in("administrator"))


@pytest.fixture
def guest(world):
    """Give a browser in which nobody is signed in."""
    return PageClient(world.app.test_client())


def choose(guest, link, password=CHOSEN, again=CHOSEN, **options):
    return guest.post(link, {"password": password, "again": again}, **options)


def test_the_invited_person_chooses_a_password_and_signs_in(world, link, guest):
    html = guest.get(link)
    assert EMAIL in words(html.main)
    assert [field["autocomplete"] for field in html.select("input[type=password]")] == [
        "new-password",
        "new-password",
    ]
    choose(guest, link)
    assert guest.response.headers["Location"] == "/sign-in"
    assert "Your password is set." in words(guest.follow().main)
    worlds.sign_in_first(guest, EMAIL, CHOSEN)
    guest.get("/flags")
    guest.get("/people", status=403)
    [entry] = entries(world, "account:activate")
    made = account(world, EMAIL)
    assert (entry.actor_id, entry.subject_id) == (made.id, made.id)


def test_what_scans_e_mail_uses_nothing_up(world, link, guest):
    for method in ("get", "head", "options"):
        for _ in range(3):
            getattr(PageClient(world.app.test_client()).client, method)(link)
    choose(guest, link)
    assert guest.response.headers["Location"] == "/sign-in"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        (("", ""), {"password", "again"}),
        (("short", "short"), {"password"}),
        (("x" * 257, "x" * 257), {"password"}),
        ((CHOSEN, "something else"), {"again"}),
    ],
)
def test_a_password_that_cannot_be_is_refused_and_never_shown(world, link, guest, typed, wrong):
    html = choose(guest, link, *typed, status=422)
    assert set(errors(html)) == wrong
    assert all(not field.get("value") for field in html.select("input[type=password]"))
    assert account(world, EMAIL).password_hash == ""


def test_a_link_that_is_over_is_a_plain_page_and_all_look_the_same(world, link, guest):
    choose(guest, link)
    guest.follow()
    pages = set()
    for path in (link, "/welcome/" + "x" * 43, "/welcome/nonsense"):
        html = guest.get(path, status=410)
        pages.add(words(html.main))
        assert EMAIL not in str(html)
    assert len(pages) == 1
    assert "ask whoever looks after accounts in your organisation" in pages.pop()
    # Of one that never was there is nobody to write about.
    [entry] = entries(world, "invitation:fail")
    assert (entry.outcome, entry.purpose) == ("failed", "ended")
    assert entry.subject_id == account(world, EMAIL).id


def test_a_form_that_stayed_open_while_a_newer_link_was_made(world, link, guest, signed_in):
    guest.get(link)
    administrator = signed_in("administrator")
    path = f"/people/{account(world, EMAIL).id}/invite"
    administrator.get(path)
    administrator.post(path, {"why": "lost"})
    choose(guest, link, status=410)
    assert account(world, EMAIL).password_hash == ""


def test_a_double_click_leads_on_all_the_same(link, guest):
    html = guest.get(link)
    hidden = {f["name"]: f["value"] for f in html.main.find_all("input", type="hidden")}
    sent = {**hidden, "password": CHOSEN, "again": CHOSEN}
    for _ in range(2):
        guest.post_raw(link, sent, status=303)
        assert guest.response.headers["Location"] == "/sign-in"


def test_whoever_is_signed_in_is_asked_to_sign_out_first(world, link, signed_in):
    page = signed_in("analyst")
    html = page.get(link)
    assert words(html.h1) == "You are signed in already"
    assert EMAIL not in str(html)
    token = html.find("input", attrs={"name": "csrf_token"})["value"]
    typed = {"csrf_token": token, "password": CHOSEN, "again": CHOSEN}
    page.post_raw(link, typed, status=200)
    assert account(world, EMAIL).password_hash == ""


def test_the_token_is_in_no_log_and_in_no_referrer(link, guest, caplog):
    token = link.rpartition("/")[2]
    caplog.set_level("DEBUG")
    guest.get(link)
    assert guest.response.headers["Referrer-Policy"] == "no-referrer"
    assert guest.response.headers["Cache-Control"] == "no-store"
    choose(guest, link)
    guest.get(link, status=410)
    said = json.dumps([[record.getMessage(), repr(vars(record))] for record in caplog.records])
    assert token not in said


def test_the_token_is_in_no_row_once_its_page_was_shown(world, link):
    token = link.rpartition("/")[2]
    with world.entered():
        for table in Base.metadata.sorted_tables:
            for row in db.session.execute(table.select()).all():
                assert token not in repr(tuple(row)), table.name
