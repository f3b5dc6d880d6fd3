"""The web server: gunicorn, with the program loaded before its workers are made."""

import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from config import Settings, SettingsError
from nrm.cli import startup

WORKERS, THREADS = 2, 4
_HIGHEST_PORT = 65535
# How long a request may go on after the server was told to stop.
_PATIENCE_SECONDS = 10


def run(
    settings: Settings,
    host: str,
    *,
    quiet: bool = False,
    ready: Callable[[], None] = lambda: None,
    stopped: Callable[[], None] = lambda: None,
) -> None:
    """Serve until told to stop; whatever forbids it is said before the first worker is made."""
    with _listen(host, settings.port) as listener:
        app = startup.serving(settings)
        if quiet:
            logging.getLogger("nrm.log").setLevel(logging.WARNING)
        _Server(app, listener, ready, stopped).run()


def refuse_taken(host: str, port: int) -> None:
    """Refuse a port on which somebody else answers."""
    _listen(host, port).close()


def _listen(host: str, port: int) -> socket.socket:
    """Take the port ourselves: gunicorn would try for five seconds and tell ten lines of it."""
    if port > _HIGHEST_PORT:
        raise SettingsError(f"PORT is {port}: the highest is {_HIGHEST_PORT}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(f"port {port} is in use: say another, such as PORT=5050") from None
        raise SettingsError(f"{host} port {port} cannot be opened: {error.strerror}") from None


class _Server(BaseApplication):
    """Gunicorn with settings of ours, and none from its own command line or files."""

    def __init__(
        self,
        app: Flask,
        listener: socket.socket,
        ready: Callable[[], None],
        stopped: Callable[[], None],
    ) -> None:
        self.app = app
        self.chosen: dict[str, Any] = {
            # From here on the port is gunicorn's to close.
            "bind": f"fd://{listener.detach()}",
            "workers": WORKERS,
            "threads": THREADS,
            "worker_class": "gthread",
            "preload_app": True,
            # Addresses of requests name cases; the program logs routes by itself.
            "accesslog": None,
            "loglevel": "warning",
            "graceful_timeout": _PATIENCE_SECONDS,
            "control_socket_disable": True,
            "proc_name": "nrm",
            "when_ready": lambda _: ready(),
            "on_exit": lambda _: stopped(),
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override] # Flask is stricter than gunicorn asks
        return self.app
