"""Requests that nobody would send, to every route, as everybody: none of them is a server error.

Addresses come from the map of the program, fields from the forms of the program; what stands in
them is a real record, a right answer or nonsense, as chance will have it. It acts in a world of
its own, because some of what it sends is right. NRM_PROOF=1 sends 10,000 and tries other luck each
time; without it are sent a tenth, always the same.
"""

import os
import pkgutil
import random
from collections import Counter
from importlib import import_module
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from wtforms.fields.core import UnboundField

from nrm.db import db
from nrm.domain.roles import GRANTS, HUMAN_ROLES
from nrm.web import forms
from nrm.web.forms.base import Form
from tests import databases
from tests import world as worlds
from tests.conftest import application
from tests.guards import seeded
from tests.guards.forms import FORMS
from tests.guards.routes import all_routes, records, token
from tests.guards.test_bad_input import NASTY
from tests.guards.test_relations import COMPLETE
from tests.page import PageClient
from tests.world import ONE_PER_ROLE

PROOF = bool(os.environ.get("NRM_PROOF"))
# The proof sends half of it on each of the two databases; without it one database gets it all.
TIMES = 5_000 if PROOF else 1_000
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE")
HEADERS = [
    {},
    {},
    {},
    {"Accept-Language": "\u00ff, *;q=nonsense"},
    {"Content-Type": "application/json"},
    {"Content-Type": "multipart/form-data; boundary="},
    {"Cookie": "nrm=nonsense"},
    {"Host": "elsewhere.example"},
    {"If-Modified-Since": "nonsense", "Range": "bytes=9-1"},
    {"X-Forwarded-For": "' OR 1=1 --", "X-Forwarded-Host": "elsewhere.example"},
]
RIGHT = {form.endpoint: form.right for form in FORMS}


def field_names():
    """Name every field of every form of the program."""
    for module in pkgutil.iter_modules(forms.__path__):
        import_module(f"{forms.__name__}.{module.name}")
    waiting, names = [Form], {"csrf_token"}
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        names |= {name for name, value in vars(form).items() if isinstance(value, UnboundField)}
    return sorted(names)


class Luck:
    """Makes requests at random."""

    def __init__(self, made, seed):
        self.made, self.draw, self.names = made, random.Random(seed), field_names()

    def role(self, route):
        """Choose who asks: mostly somebody who has a part in it."""
        everybody = [*HUMAN_ROLES, None]
        with_a_part = [
            role
            for role in everybody
            if route.declares == "public" or (role and route.declares in GRANTS[role])
        ]
        return self.draw.choice(with_a_part if self.draw.random() < 0.85 else everybody)

    def method(self, route):
        """Choose how it is asked: mostly as the route is asked by its pages."""
        return self.draw.choice(sorted(route.methods) if self.draw.random() < 0.9 else METHODS)

    def word(self):
        """Give something to type: nonsense, often, and sometimes what could be meant."""
        if self.draw.random() < 0.3:
            return self.draw.choice(["1", "yes", "female", "11", "kin", "2026-01-12", "safety"])
        if self.draw.random() < 0.3:
            letters = [chr(self.draw.choice([65, 0x0, 0x7F, 0x202E, 0x1F642, 0xFFFD]))]
            return "".join(letters * self.draw.randrange(1, 9))
        return self.draw.choice(NASTY)

    def address(self, route):
        """Write an address: of a record, mostly, and else of nothing that could be one."""
        values = dict(self.draw.choice(records(self.made, route)))
        for name in values:
            if self.draw.random() < 0.2:
                values[name] = self.word()[:200] or "x"
        question = [f"{quote(self.draw.choice(self.names))}={quote(self.word()[:200])}"]
        return route.at(**values) + ("?" + "&".join(question) if self.draw.random() < 0.3 else "")

    def fields(self, route, protection):
        typed = {} if self.draw.random() < 0.5 else dict(RIGHT.get(route.endpoint, {}))
        typed |= COMPLETE.get(route.endpoint, {}) if self.draw.random() < 0.3 else {}
        typed = {name: value for name, value in typed.items() if name != "file"}
        for name in self.draw.sample(self.names, self.draw.randrange(6)):
            typed[name] = self.draw.choice([self.word(), [self.word(), self.word()]])
        return typed | ({"csrf_token": protection} if self.draw.random() < 0.9 else {})


@pytest.fixture
def made(database_url, tmp_path):
    """Give a mechanism in which anything may happen."""
    app = application(databases.settings(database_url, tmp_path))
    yield seeded.build(worlds.build(app))
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


class Browsers:
    """One browser for each role; whoever was signed out meanwhile signs in again, or stays out."""

    def __init__(self, world):
        self.world, self.known = world, {}

    def of(self, role):
        if role not in self.known:
            page = PageClient(self.world.app.test_client())
            if role is not None:
                try:
                    worlds.sign_in(page, self.world.email(ONE_PER_ROLE[role]))
                except AssertionError:
                    # Somebody disabled the account, which is their right.
                    page = PageClient(self.world.app.test_client())
            self.known[role] = page.client, token(page)
        return self.known[role]

    def forget(self, role):
        self.known.pop(role, None)


def test_no_request_is_a_server_error(made, counted):
    seed = random.SystemRandom().randrange(2**32) if PROOF else 1
    luck, browsers = Luck(made, seed), Browsers(made.world)
    routes = all_routes(made.app)
    answers, asked, faults = Counter(), Counter(), []
    for time in range(TIMES):
        route = routes[time % len(routes)]
        role, method = luck.role(route), luck.method(route)
        client, protection = browsers.of(role)
        sent = {"method": method, "headers": luck.draw.choice(HEADERS)}
        if method not in {"GET", "HEAD"}:
            sent["data"] = luck.fields(route, protection)
        status = ask(client, luck.address(route), sent)
        if status >= 500:
            faults.append((seed, time, role, route.endpoint, sent))
        if route.endpoint == "account.sign_out":
            browsers.forget(role)
        answers[status] += 1
        asked[route.endpoint] += 1
        asked[role] += 1
    assert faults == []
    assert {route.endpoint for route in routes} | {*HUMAN_ROLES, None} == set(asked)
    told = ", ".join(f"{number} times {status}" for status, number in sorted(answers.items()))
    counted(f"{TIMES} requests, 0 server errors; {told}")


def ask(client: FlaskClient, address, sent):
    with client.open(address, **sent) as answer:
        return answer.status_code
