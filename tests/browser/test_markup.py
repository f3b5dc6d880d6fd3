"""Whatever is typed stays text: markup in every field, and every page that shows it in Chromium.

Each form of the program gets it in every field that takes words; then everybody reads every page
of the record, and each answer that holds any of it is shown to the browser as it was sent, with its
headers. Nothing may be carried out, and the policy of the page must have nothing to report, because
it is the second wall and not the first. NRM_PROOF=1 types the whole corpus instead of a tenth.
"""

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from nrm.audit.actions import Action
from nrm.db import db, unit_of_work
from nrm.domain.policy import holds
from nrm.domain.roles import HOUSEKEEPING, Permission
from nrm.models import Account, Case, Referral
from nrm.services.audit import record
from nrm.web.casefile import GROUPS
from tests import world as worlds
from tests.browser.vectors import AT_ONCE, TRAP, VECTORS, parts
from tests.guards.forms import FORMS
from tests.guards.routes import all_routes, token
from tests.guards.standings import KINDS
from tests.journeys.people import answers_about
from tests.page import PageClient
from tests.world import CANARIES, ONE_PER_ROLE

PROOF = bool(os.environ.get("NRM_PROOF"))
PARTS = parts() if PROOF else parts()[:1]
# Nothing is sent anywhere: the browser asks this host, and the test answers.
HOST = "https://nrm.example"
TAKES_WORDS = "textarea, input[type=text], input[type=search], input:not([type])"
LISTEN = """
addEventListener("securitypolicyviolation", event => nrmReport(event.violatedDirective));
"""
DRAWN_TWICE = """
() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))
"""
# What an address is about; the rest of it is a part.
RECORDS = {"reference", *KINDS}
# These know only codes, days and numbers of a form that is theirs alone.
SHAPED = {"birth_date", "found_on", "expires_at", "given_on", "since", "until", "phone", "places"}


@dataclass
class Answer:
    """One page as it was sent."""

    where: str
    status: int
    headers: dict
    body: bytes


@dataclass
class Library:
    """Pages that hold any of what was typed, by the address under which the browser asks."""

    kept: dict = field(default_factory=dict)
    read: int = 0

    def add(self, where, response):
        self.read += 1
        body = response.get_data()
        if response.mimetype == "text/html" and TRAP.encode() in body:
            headers = dict(response.headers)
            headers.pop("Content-Length", None)
            answer = Answer(where, response.status_code, headers, body)
            self.kept[f"{HOST}/{len(self.kept)}"] = answer


class Everybody:
    """A browser without script for each person of the world."""

    def __init__(self, world):
        self.world, self.known = world, {}

    def __call__(self, name):
        if not name:
            return PageClient(self.world.app.test_client())
        if name not in self.known:
            page = PageClient(self.world.app.test_client())
            self.known[name] = worlds.sign_in(page, self.world.email(name))
        return self.known[name]


@pytest.mark.parametrize("typed", PARTS, ids=lambda typed: str(VECTORS.index(typed[0])))
def test_what_is_typed_is_never_carried_out(world, chromium, typed, counted):
    everybody, library = Everybody(world), Library()
    fields = [fill_in(world, everybody, form, " ".join(typed), library) for form in FORMS]
    tell_a_whole_story(world, everybody, " ".join(typed), library)
    let_everybody_in(world)
    for name in ONE_PER_ROLE.values():
        read_lists(world, everybody(name), name, library)
    seen = show(chromium, library, world.app)
    assert seen.carried_out == []
    assert seen.reports == []
    assert len(library.kept) > len(FORMS) / 2, sorted(one.where for one in library.kept.values())
    counted(
        f"{len(typed)} of {len(VECTORS)} vectors in {sum(fields)} fields of {len(FORMS)} forms; "
        f"{library.read} answers read, {len(library.kept)} of them hold it: 0 executions, 0 reports"
    )


def fill_in(world, everybody, form, words, library):
    """Type it wherever words are taken, twice if the first was refused; then read the record."""
    page = everybody(form.by)
    path, found, fields = form.opened(world, page)
    right = {**fields, **form.right}
    names = {one["name"] for one in found.select(TAKES_WORDS)} - SHAPED
    if not names and not any(map(is_file, right.values())):
        return 0
    typed = right | dict.fromkeys(names, words)
    typed |= {name: (value[0], f"{words}.pdf") for name, value in right.items() if is_file(value)}
    answer = page.client.post(path, data=typed)
    library.add(f"POST {path}", answer)
    if answer.status_code == 422:
        refused = BeautifulSoup(answer.get_data(), "html.parser").select(
            ".govuk-form-group--error [name]"
        )
        typed |= {one["name"]: right.get(one["name"], "") for one in refused}
        answer = page.client.post(path, data=typed)
        library.add(f"POST {path}, once more", answer)
    if answer.status_code == 303:
        library.add(f"after {path}", page.client.get(answer.headers["Location"]))
        library.add(f"{path}, opened again", page.client.get(path))
        for values in records_of(world, path):
            read_record(world, everybody, values, library)
    return len(names)


def records_of(world, path):
    """Give what an address is about: as it names it, and the case of a referral as well."""
    path = urlsplit(path).path
    _endpoint, values = world.app.url_map.bind("nrm.example").match(path, method="POST")
    own = {name: value for name, value in values.items() if name in RECORDS}
    with world.entered():
        query = select(Case.reference).join(Referral, Referral.case_id == Case.id)
        of_a_case = db.session.scalar(query.where(Referral.reference == own.get("reference")))
        db.session.rollback()
    return [found for found in (own, of_a_case and {"reference": of_a_case}) if found]


def let_everybody_in(world):
    """Undo what some forms are for, so that every role can read what is left."""
    with world.entered(), unit_of_work() as unit:
        db.session.execute(update(Account).values(disabled_at=None))
        record(unit, HOUSEKEEPING, Action.ACCOUNT_ENABLE)


def is_file(value):
    return isinstance(value, tuple)


def tell_a_whole_story(world, everybody, words, library):
    """Let one case hold it in every word, share all of it, and read its pages as everybody."""
    words_of = {
        page: {name: words for name, value in given.items() if value in CANARIES.values()}
        for page, given in answers_about().items()
    }
    for given in words_of.values():
        for name in SHAPED & given.keys():
            del given[name]
    everything = ("identity", "contact", "narrative", "health")
    case, sent = worlds.served(world, compartments=everything, words=words, **words_of)
    page = everybody("coordinator")
    for group in GROUPS:
        data = {"csrf_token": token(page), f"{group}-reason": "safety"}
        page.client.post(f"/cases/{case}/open/{group}", data=data)
    read_record(world, everybody, {"reference": case}, library)
    read_record(world, everybody, {"reference": sent}, library)


def read_record(world, everybody, values, library):
    for route in all_routes(world.app):
        if "GET" in route.methods and set(route.parameters) == values.keys():
            for name in readers(world, route):
                address = route.at(**values)
                library.add(f"{name} {address}", everybody(name).client.get(address))


def readers(world, route):
    permission = isinstance(route.declares, Permission) and route.declares
    return [
        name
        for name in ONE_PER_ROLE.values()
        if permission and holds(world.actor(name), permission)
    ]


def read_lists(world, page, name, library):
    """Read whatever is about no one record: lists, and what is written on every page."""
    for route in all_routes(world.app):
        if "GET" in route.methods and not route.parameters and name in readers(world, route):
            library.add(f"{name} {route.address}", page.client.get(route.address))


# The browser


@dataclass
class Seen:
    """What happened while pages were shown."""

    carried_out: list = field(default_factory=list)
    reports: list = field(default_factory=list)


def show(chromium, library, app):
    """Show every answer as it was sent; a compiled file comes from the program itself."""
    seen, files = Seen(), app.test_client()
    context = chromium.new_context()
    now = {"at": ""}
    context.expose_binding(
        TRAP, lambda _source, *number: seen.carried_out.append((now["at"], number))
    )
    context.expose_binding(
        "nrmReport", lambda _source, what: seen.reports.append((now["at"], what))
    )
    context.add_init_script(LISTEN)

    def give(route):
        answer = library.kept.get(route.request.url)
        if answer:
            route.fulfill(status=answer.status, headers=answer.headers, body=answer.body)
        elif route.request.url.startswith(f"{HOST}/static/"):
            with files.get(route.request.url.removeprefix(HOST)) as file:
                route.fulfill(body=file.get_data(), headers=dict(file.headers))
        else:
            route.abort()

    context.route("**/*", give)
    tab = context.new_page()
    tab.on("dialog", lambda dialog: (seen.carried_out.append(now["at"]), dialog.dismiss()))
    for address, answer in library.kept.items():
        now["at"] = answer.where
        tab.goto(address, wait_until="load")
        # What a page does when it is first drawn belongs to it too: focus, animations.
        tab.evaluate(DRAWN_TWICE)
    tab.wait_for_timeout(200)
    context.close()
    return seen


# Without its walls


def unescaped(vectors, headers):
    library = Library()
    html = {"Content-Type": "text/html; charset=utf-8"}
    for vector in vectors:
        body = f"<!doctype html><title>x</title><p>{vector}".encode()
        answer = Answer(vector, 200, html | headers, body)
        library.kept[f"{HOST}/{len(library.kept)}"] = answer
    return library


def test_without_escaping_it_would_be_carried_out(chromium, app, counted):
    """The trap closes on what is shown unescaped, and the policy alone would stop it."""
    tried = AT_ONCE if PROOF else PARTS[0]
    open_to_all = show(chromium, unescaped(tried, {}), app)
    assert {where for where, _ in open_to_all.carried_out} == set(tried)
    policy = app.test_client().get("/help").headers["Content-Security-Policy"]
    guarded = show(chromium, unescaped(tried, {"Content-Security-Policy": policy}), app)
    assert guarded.carried_out == []
    assert {where for where, _ in guarded.reports} == set(tried)
    counted(f"{len(tried)} vectors carried out without either wall, 0 behind the policy alone")
