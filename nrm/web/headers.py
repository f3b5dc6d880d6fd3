"""What every answer tells the browser: nothing from elsewhere, nothing inline, keep nothing."""

from wsgiref.headers import Headers

from flask import Flask, Response, current_app, request

from config import Environment

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}


def register(app: Flask) -> None:
    """Add the headers to every answer."""
    app.after_request(_add)


def add_to_file(headers: Headers, path: str, url: str) -> None:
    """Say the same of a compiled file, which the application itself never serves."""
    del path, url
    for name, value in _HEADERS.items():
        headers[name] = value


def _add(response: Response) -> Response:
    for name, value in _HEADERS.items():
        # A document that is handed out brings a stricter policy of its own.
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    if current_app.config["NRM"].environment is Environment.PRODUCTION:
        response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return response
