"""sqlmap against every form, on this machine alone: nothing that is typed becomes a statement.

NRM_PROOF=1 lets it look at every field of every form, some at a time and for six minutes at most;
without it, at the form that everybody can reach. A program that is made to be found shows that it
would find one.
"""

import os
import sqlite3
from contextlib import closing

import pytest
from flask import Flask, request

from tests import world as worlds
from tests.browser.conftest import serving
from tests.guards import injection
from tests.guards.forms import FORMS
from tests.guards.injection import Asked
from tests.page import PageClient

pytestmark = pytest.mark.databases("sqlite")

PROOF = bool(os.environ.get("NRM_PROOF"))
# It finds what reaches a condition or a list of columns. The higher ones look at headers as well,
# of which no statement of ours is made, and take hours for as many fields as there are.
LEVEL = 1
SECONDS = 360
# So many forms for one server and one search: as many processes as there are share the work.
AT_A_TIME = 5
PARTS = [FORMS[at : at + AT_A_TIME] for at in range(0, len(FORMS), AT_A_TIME)]
BY_EVERYBODY = [[form for form in FORMS if not form.by]]
# The number of a form makes its second sending an answer and no act: it is left out, so that every
# try is carried out as far as it can be.
LEFT_OUT = {"form_id"}


@pytest.mark.parametrize("forms", PARTS if PROOF else BY_EVERYBODY, ids=lambda some: str(some[0]))
def test_no_form_lets_a_statement_in(world, forms, tmp_path, counted):
    asked = [as_sent(world, form) for form in forms]
    with serving(world.app) as address:
        host = address.removeprefix("http://")
        found = injection.search(host, asked, tmp_path, level=LEVEL, seconds=SECONDS)
    assert found.injected == []
    fields = {name for one in asked for name, _ in one.fields} - {"csrf_token"}
    assert {name.partition(" ")[2] for name in found.tested} >= fields, found.said[-2000:]
    counted(f"{len(asked)} forms, {len(found.tested)} parameters: 0 injections")


def as_sent(world, form):
    """Fill a form in rightly, in a browser of its own: some forms sign out whoever sends them."""
    page = PageClient(world.app.test_client())
    if form.by:
        worlds.sign_in(page, world.email(form.by))
    path, _form, fields = form.opened(world, page)
    typed = [
        (name, value if isinstance(value, str) else str(value or ""))
        for name, given in {**fields, **form.right}.items()
        for value in (given if isinstance(given, list) else [given])
        if name not in LEFT_OUT and not isinstance(value, tuple)
    ]
    cookie = page.client.get_cookie("nrm")
    return Asked(path, f"nrm={cookie.value}" if cookie else "", tuple(typed))


def test_what_can_be_injected_is_found(tmp_path, counted):
    """A search that can find nothing proves nothing."""
    with (
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as database,
        serving(careless(database)) as address,
    ):
        asked = [Asked("/find", "", (("name", "a"), ("other", "b")))]
        host = address.removeprefix("http://")
        found = injection.search(host, asked, tmp_path, level=1, seconds=60)
    assert [parameter for _, _, parameter in found.injected] == ["name"]
    counted("1 of 1 injections found in a program that has one")


def careless(database):
    """Build a program that pastes what is typed into its statement."""
    database.execute("CREATE TABLE person (name TEXT)")
    database.execute("INSERT INTO person VALUES ('a')")
    app = Flask("careless")

    @app.post("/find")
    def find():
        try:
            rows = database.execute(f"SELECT 1 FROM person WHERE name = '{request.form['name']}'")
            return f"{len(rows.fetchall())} found"
        except sqlite3.Error:
            return "0 found"

    return app
