"""The log of the process: one JSON object a line, and nothing that tells of a person."""

import json
import logging

import pytest

from nrm.db import db
from nrm.models import Base
from nrm.services import casefile
from nrm.web.logs import LOGGER, JsonLines
from tests import world as worlds
from tests.page import PageClient
from tests.world import CANARIES

pytestmark = pytest.mark.databases("sqlite")

ALWAYS = {"at", "level", "event"}
REQUEST = {"route", "method", "status", "ms"}
FAILURE = {"route", "error"}
UNASKED = {"route", "names", "number"}


def test_every_request_is_one_line_with_its_route_by_name(world, signed_in, lines):
    reference = worlds.flag(world)
    page = signed_in("coordinator")
    page.get(f"/cases/{reference}")
    page.get("/cases/NOT-A-CASE", status=404)
    page.get("/no/such/page", status=404)
    requests = [line for line in lines() if line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in requests[-3:]] == [
        ("casefile.overview", 200),
        ("casefile.overview", 404),
        ("none", 404),
    ]
    for line in requests:
        assert set(line) == ALWAYS | REQUEST
        assert reference not in json.dumps(line)
        assert isinstance(line["ms"], int)


def test_no_address_and_nothing_typed_is_logged(world, signed_in, lines):
    page = signed_in("coordinator")
    secret = CANARIES["given_name"]
    page.get(f"/cases/{secret}", status=404)
    page.get(f"/cases?after={secret}")
    page.get("/cases/find")
    page.post("/cases/find", {"reference": secret}, status=422)
    page.client.get("/cases", headers={"User-Agent": secret, "Referer": f"http://x/{secret}"})
    text = json.dumps(lines())
    for private in (secret, world.email("coordinator"), world.person_name("coordinator")):
        assert private.lower() not in text.lower()
    assert "/cases" not in text


def test_what_no_form_asked_for_is_named_without_what_it_held(world, signed_in, lines):
    page = signed_in("coordinator")
    secret, case = CANARIES["given_name"], worlds.flag(world)
    page.get("/cases/find")
    page.post("/cases/find", {"reference": case})
    columns = dict.fromkeys(("role", "organisation_id", "owner_id", "state"), secret)
    typed = {"reference": case, **columns, secret: "1", "x" * 50_000: "1", "\0": ""}
    page.get("/cases/find")
    page.post("/cases/find", typed)
    [unasked] = [line for line in lines() if line["event"] == "unasked"]
    assert set(unasked) == ALWAYS | UNASKED
    # A name that is none of ours could be anything that somebody typed.
    assert unasked["names"] == sorted(columns)
    assert (unasked["route"], unasked["number"]) == ("casefile.find", len(columns) + 3)
    assert secret not in json.dumps(lines())


def test_so_many_names_and_no_more_are_logged(world, signed_in, lines):
    page = signed_in("coordinator")
    page.get("/cases/find")
    typed = {column.name: "1" for table in Base.metadata.sorted_tables for column in table.columns}
    page.post("/cases/find", typed | {"reference": worlds.flag(world)})
    [unasked] = [line for line in lines() if line["event"] == "unasked"]
    assert len(unasked["names"]) == 10
    assert unasked["number"] > 100


def test_a_failure_is_logged_by_its_kind_alone(signed_in, lines, monkeypatch):
    page = signed_in("coordinator")
    secret = CANARIES["account"]

    def fail(*_args):
        raise RuntimeError(secret)

    monkeypatch.setattr(casefile, "worklist", fail)
    page.get("/cases", status=500)
    [failure] = [line for line in lines() if line["event"] == "unexpected"]
    assert set(failure) == ALWAYS | FAILURE
    assert failure["error"] == "RuntimeError"
    assert failure["level"] == "error"
    assert secret not in json.dumps(lines())


def test_a_failed_statement_does_not_log_what_it_carried(world, signed_in, lines):
    worlds.flag(world)
    page = signed_in("coordinator")
    with world.app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE case_file RENAME TO gone")
    page.get("/cases", status=503)
    [failure] = [line for line in lines() if line["event"] == "unavailable"]
    assert set(failure) == ALWAYS | FAILURE
    assert failure["error"] == "OperationalError"


def test_whoever_watches_over_the_process_fills_no_log(app, lines):
    page = PageClient(app.test_client())
    for path in ("/healthz", "/readyz"):
        assert page.get(path).json["database"] == "ok"
    assert lines() == []


def test_other_loggers_do_not_speak_for_us(app):
    """Flask would log a traceback with the address, and so with what stands in it."""
    assert app.logger.disabled
    assert not LOGGER.propagate


def test_an_exception_is_written_as_its_class():
    error = ValueError(CANARIES["account"])
    raised = (type(error), error, None)
    record = logging.LogRecord("nrm", logging.ERROR, "", 0, "event", (), raised)
    line = json.loads(JsonLines().format(record))
    assert line["error"] == "ValueError"
    assert CANARIES["account"] not in json.dumps(line)
