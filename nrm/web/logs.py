"""Structured logs without personal data: the route's name, never its address or what was typed."""

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from flask import Flask, Response, g, has_request_context, request

from nrm.models import Base

# Not "nrm" alone: that is the name of Flask's own logger, which is silenced below.
LOGGER = logging.getLogger("nrm.log")

# So many names tell what somebody tried.
_MOST_NAMES = 10


class JsonLines(logging.Formatter):
    """One JSON object a line; of an exception, its class alone."""

    def format(self, record: logging.LogRecord) -> str:
        """Write what the record says, and nothing that an exception carries."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line)


def register(app: Flask) -> None:
    """Log each request by its route, its answer and how long it took."""
    if not LOGGER.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False
    # Flask would write the address of a failed request, and a traceback with what was typed.
    app.logger.disabled = True
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.perf_counter()
    g.asked = []


def _end(response: Response) -> Response:
    began = getattr(g, "began", None)
    if request.endpoint not in ("static", "health.healthz", "health.readyz"):
        write(
            "request",
            route=request.endpoint or "none",
            method=request.method,
            status=response.status_code,
            ms=round((time.perf_counter() - began) * 1000) if began else None,
        )
    _tell_unasked()
    return response


def asks(names: Callable[[], set[str]]) -> None:
    """Remember how to find out, at the end, what a form of this request asks for."""
    if has_request_context():
        g.setdefault("asked", []).append(names)


def _tell_unasked() -> None:
    """Say which fields came that no form asked for: nothing keeps them, but somebody tried.

    The name of a column is told; any other could be a word that somebody typed, and only counts.
    """
    if not g.get("asked"):
        return
    unasked = set(request.form).difference(*(names() for names in g.asked))
    if unasked:
        names = sorted(unasked & _columns())[:_MOST_NAMES]
        write("unasked", route=request.endpoint, names=names, number=len(unasked))


@cache
def _columns() -> frozenset[str]:
    tables = Base.metadata.tables.values()
    return frozenset(column.name for table in tables for column in table.columns)


def write(event: str, **facts: Any) -> None:
    """Write one line; the facts are names, numbers and opaque ids."""
    LOGGER.info(event, extra={"facts": facts})


def failure(event: str, error: BaseException, **facts: Any) -> None:
    """Write that something failed, by the class of the error alone."""
    LOGGER.error(event, extra={"facts": {**facts, "error": type(error).__name__}})
