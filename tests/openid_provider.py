"""An OpenID provider on this machine's loopback, honest unless a test bends it.

It is written after the standard (OpenID Connect Core 1.0, section 3.1) and shares no code with
what it is asked by, but the library that signs.
"""

import base64
import contextlib
import hashlib
import html
import json
import secrets
import threading
import time
import warnings
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from config import OpenIdProvider

CLIENT, SECRET = "practice-client", "practice secret & more"
NAME = "Practice Ministry sign-in"
STRONG = "practice:two-factors"


@dataclass
class Provider:
    """What the provider is, whom it asked, and how a test bends it."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    # Who sits at the browser, as the provider knows them.
    subject: str = "248289761001"
    # What is changed in the token's claims, in the description, and with what it is signed.
    claims: dict = field(default_factory=dict)
    described: dict = field(default_factory=dict)
    signs: object = None
    # What the token endpoint answers instead of a token.
    answers: object = None
    # What else it shows as keys, and whether it says who it is one byte after the other.
    other_keys: list = field(default_factory=list)
    drips: bool = False
    described_times: int = 0
    # The tokens' requests that came, and codes by what was asked with them.
    asked: list = field(default_factory=list)
    codes: dict = field(default_factory=dict)

    def settings(self, *strong):
        """Return how a deployment says that it trusts this provider."""
        return OpenIdProvider(self.issuer, CLIENT, SECRET, NAME, frozenset(strong))

    def approve(self, address):
        """Do what a person does at the address to which they were sent; returns what comes back."""
        asked = dict(parse_qsl(urlsplit(address).query, strict_parsing=True))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["scope"] == "openid"
        assert asked["prompt"] == "login"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.codes[code] = {**asked, "at": int(time.time())}
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def token(self, form, authorization):
        """Give a token for a code, to who asked for it and can prove that."""
        expected = f"{urlencode({'': CLIENT})[1:]}:{urlencode({'': SECRET})[1:]}"
        sent = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        asked = self.codes.pop(form.get("code"), None)
        if sent != expected or asked is None:
            return {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return {"error": "invalid_grant"}
        if form["redirect_uri"] != asked["redirect_uri"]:
            return {"error": "invalid_grant"}
        if self.answers is not None:
            return self.answers
        return {
            "access_token": "practice-access",
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": self.id_token(asked),
        }

    def id_token(self, asked):
        """Say who sits there, signed."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 60,
            "auth_time": asked["at"],
            "nonce": asked["nonce"],
            # What no program may find anybody by.
            "email": "somebody.else@practice.example",
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if callable(self.signs):
            return self.signs(claims)
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)


def unsigned(claims):
    """Write a token that nobody signed, as `alg: none` allows."""
    parts = [{"alg": "none", "kid": "one"}, claims]
    written = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
    ]
    return ".".join([*written, ""])


def signed_with_the_public_key(provider):
    """Sign with what everybody knows, as if it were a shared secret."""
    public = provider.key.as_pem(private=False)
    return lambda claims: jwt.encode(
        {"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(public), algorithms=["HS256"]
    )


def signed_by_a_stranger(claims):
    """Sign with a key of one's own, under the name of the right one."""
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, stranger)


def signed_with_a_short_key(provider):
    """Sign with a key that can be guessed, and show it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short = RSAKey.generate_key(1024, {"kid": "short"})

    def sign(claims):
        provider.other_keys.append(short.as_dict(private=False))
        return jwt.encode({"alg": "RS256", "kid": "short"}, claims, short)

    return sign


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        """Describe the provider, show its keys, ask a person."""
        provider, parts = self.server.provider, urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            provider.described_times += 1
            if provider.drips:
                self._drip()
                return
            self._json(
                {
                    "issuer": provider.issuer,
                    "authorization_endpoint": f"{provider.issuer}/authorize",
                    "token_endpoint": f"{provider.issuer}/token",
                    "jwks_uri": f"{provider.issuer}/keys",
                    "authorization_response_iss_parameter_supported": True,
                    **provider.described,
                }
            )
        elif parts.path == "/keys":
            self._json({"keys": [*provider.other_keys, provider.key.as_dict(private=False)]})
        elif parts.path == "/authorize":
            answer = provider.approve(self.path)
            back = parse_qs(parts.query)["redirect_uri"][0]
            to = html.escape(f"{back}?{urlencode(answer)}")
            page = f'<!DOCTYPE html><title>Practice</title><a href="{to}">It is me</a>'
            self._send(page.encode(), "text/html")
        else:
            self.send_error(404)

    def do_POST(self):
        """Give a token."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body))
        self.server.provider.asked.append(form)
        self._json(self.server.provider.token(form, self.headers.get("Authorization", "")))

    def _drip(self):
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(100):
                self.wfile.write(b" ")
                time.sleep(0.1)

    def _json(self, told):
        if isinstance(told, int):
            self.send_response(told)
            self.send_header("Location", "http://localhost:9/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self._send(body, "application/json")

    def _send(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def running():
    """Serve a provider until the test is over."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.provider = Provider(issuer=f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
