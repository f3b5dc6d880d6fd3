"""Asking another institution's server: bounded in time and size, and never twice at once.

Whoever answers slowly, without end or not at all must not keep a process from everybody else.
"""

import io
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter

# For one reading of the network, and for all of an answer.
_PATIENCE_SECONDS = 5
_LARGEST_ANSWER = 256 * 1024
_CHUNK = 8 * 1024
# What a server says of itself is asked for at most once in this time by each process.
_FRESH_SECONDS = 60
# Whoever comes while it is being asked waits for it so long.
_QUEUE_SECONDS = 1


def limit(session: requests.Session) -> None:
    """Let a session ask where it is told to, read so much, and follow no other address."""
    session.max_redirects = 0
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Bounded())


def read(address: str) -> Any:  # noqa: ANN401 - what another program wrote as JSON
    """Read JSON; raises OSError or ValueError where there is none."""
    with requests.Session() as session:
        limit(session)
        answer = session.get(address)
    answer.raise_for_status()
    return json.loads(answer.content)


class _Bounded(HTTPAdapter):
    """Takes an answer whole, within what is allowed to it."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        answer = super().send(request, **{**options, "stream": True, "timeout": _PATIENCE_SECONDS})
        with answer.raw as raw:
            answer.raw = io.BytesIO(_whole(raw))
        return answer


def _whole(raw: Any) -> bytes:  # noqa: ANN401 - the library's own answer
    """Read to the end whatever comes: one byte a second is too slow, however few they are."""
    until = time.monotonic() + _PATIENCE_SECONDS
    whole = bytearray()
    while part := raw.read1(_CHUNK):
        whole += part
        if len(whole) > _LARGEST_ANSWER or time.monotonic() > until:
            raise requests.ConnectionError("too long an answer")
    return bytes(whole)


class Kept:
    """What servers say of themselves at one path, kept for a while; a silent one says nothing."""

    def __init__(self, path: str) -> None:
        """Keep what stands at a path."""
        self._path = path
        self._asking = threading.Lock()
        self._told: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def of(self, server: str) -> Mapping[str, Any]:
        """Return what a server says of itself, now or lately; nothing if it is silent."""
        if not self._is_fresh(server) and self._asking.acquire(timeout=_QUEUE_SECONDS):
            try:
                # Somebody else may have asked meanwhile.
                if not self._is_fresh(server):
                    self._told[server] = (time.monotonic(), self._ask(server))
            finally:
                self._asking.release()
        return self._told.get(server, (0.0, {}))[1]

    def forget(self) -> None:
        """Ask anew the next time."""
        self._told.clear()

    def _is_fresh(self, server: str) -> bool:
        return server in self._told and time.monotonic() < self._told[server][0] + _FRESH_SECONDS

    def _ask(self, server: str) -> Mapping[str, Any]:
        try:
            told = read(server.rstrip("/") + self._path)
        except (OSError, ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}
