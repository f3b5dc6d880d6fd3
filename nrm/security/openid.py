"""OpenID Connect: what another institution's sign-in is asked, and whether its answer is right.

An answer counts for one question, which one browser was sent away with, and says who somebody is
there by issuer and subject. Nothing else of it is read or kept: no name, no e-mail address, no key
to anything. (OpenID Connect Core 1.0, section 3.1; RFC 7636 for the verifier; RFC 9207 for `iss`.)
"""

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from config import OpenIdProvider

_PATIENCE_SECONDS = 5
# How far the clocks of two institutions may be apart.
_CLOCKS_SECONDS = 60
# Addresses and keys are asked for at most once in this time, however many knock.
_FRESH_SECONDS = 60
# Only signatures that need a private key: nobody who knows ours can sign in the other's name.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
_LONGEST_SUBJECT = 255
_TOKEN_BYTES = 32
_WHATEVER_A_BROKEN_ANSWER_RAISES = (
    AuthlibBaseError,
    JoseError,
    requests.RequestException,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class OpenIdError(Exception):
    """The answer says nothing that can be trusted; carries why as a code, for the log alone."""

    def __init__(self, why: str) -> None:
        """Carry why: to whoever tries, every failure looks the same."""
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Asked:
    """What a browser was sent away with, against which its answer is held once."""

    state: str
    nonce: str
    verifier: str
    # In seconds since 1970, as tokens say it.
    at: int

    def kept(self) -> dict[str, Any]:
        """Return what the sitting keeps of it."""
        return asdict(self)

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> Self:
        """Read what the sitting kept."""
        return cls(**kept)


@dataclass(frozen=True)
class Identity:
    """Who somebody is at the provider, and whether they showed a second factor there."""

    issuer: str
    subject: str
    strong: bool


def ask(provider: OpenIdProvider, back: str) -> tuple[str, Asked]:
    """Say where to send a browser, and what to hold its answer against; `back` is where it returns.

    Raises OpenIdError where the provider does not say where that is.
    """
    asked = Asked(
        state=secrets.token_urlsafe(_TOKEN_BYTES),
        nonce=secrets.token_urlsafe(_TOKEN_BYTES),
        verifier=secrets.token_urlsafe(_TOKEN_BYTES),
        at=int(time.time()),
    )
    address, _ = _client(provider, back).create_authorization_url(
        _endpoint(provider, "authorization_endpoint"),
        state=asked.state,
        code_verifier=asked.verifier,
        nonce=asked.nonce,
        # Whoever sits at a shared computer says anew who they are, also where the provider would
        # still know whoever sat there before.
        prompt="login",
        max_age=0,
    )
    return str(address), asked


def identity(
    provider: OpenIdProvider, back: str, asked: Asked, answer: Mapping[str, str]
) -> Identity:
    """Say who came back; raises OpenIdError where that is not beyond doubt."""
    _check_answer(provider, asked, answer)
    try:
        token = _client(provider, back).fetch_token(
            _endpoint(provider, "token_endpoint"),
            grant_type="authorization_code",
            code=answer["code"],
            code_verifier=asked.verifier,
        )
        claims = _claims(provider, asked, token)
        claims.validate(leeway=_CLOCKS_SECONDS)
        return _identity(provider, asked, claims)
    except _WHATEVER_A_BROKEN_ANSWER_RAISES:
        raise OpenIdError("token") from None


def _check_answer(provider: OpenIdProvider, asked: Asked, answer: Mapping[str, str]) -> None:
    if not hmac.compare_digest(answer.get("state", "").encode(), asked.state.encode()):
        raise OpenIdError("state")
    # A provider that says who it is in its answers is taken at its word.
    says = bool(_metadata(provider).get("authorization_response_iss_parameter_supported"))
    if answer.get("iss", None if says else provider.issuer) != provider.issuer:
        raise OpenIdError("issuer")
    if "error" in answer or "code" not in answer:
        raise OpenIdError("refused")


def _claims(provider: OpenIdProvider, asked: Asked, token: Mapping[str, Any]) -> CodeIDToken:
    """Open the token of whoever came back, if it is signed by one of the provider's keys of now."""
    keys = KeySet.import_key_set(_read(_endpoint(provider, "jwks_uri")))
    opened = jwt.decode(token["id_token"], keys, registry=JWSRegistry(algorithms=_ALGORITHMS))
    return CodeIDToken(
        opened.claims,
        opened.header,
        {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
        },
        {
            "nonce": asked.nonce,
            "client_id": provider.client_id,
            "access_token": token.get("access_token"),
        },
    )


def _identity(provider: OpenIdProvider, asked: Asked, claims: Mapping[str, Any]) -> Identity:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise OpenIdError("subject")
    # That they were asked anew is more than a wish: a provider that did not is found out.
    if claims["auth_time"] < asked.at - _CLOCKS_SECONDS:
        raise OpenIdError("not-anew")
    shown = {claims.get("acr"), *claims.get("amr", ())}
    return Identity(provider.issuer, subject, strong=bool(provider.strong & shown))


def _client(provider: OpenIdProvider, back: str) -> OAuth2Session:
    client = OAuth2Session(
        provider.client_id,
        provider.client_secret,
        scope="openid",
        redirect_uri=back,
        code_challenge_method="S256",
        default_timeout=_PATIENCE_SECONDS,
    )
    # Our secret goes where the provider said that it goes, and is not sent on from there.
    client.max_redirects = 0
    return client


def _endpoint(provider: OpenIdProvider, name: str) -> str:
    address = _metadata(provider).get(name)
    scheme = urlsplit(provider.issuer).scheme
    if not isinstance(address, str) or not address.startswith((f"{scheme}://", "https://")):
        raise OpenIdError("provider")
    return address


def _metadata(provider: OpenIdProvider) -> Mapping[str, Any]:
    """Return what the provider says of itself; raises OpenIdError where it says nothing good."""
    told = _fetched(provider.issuer, int(time.monotonic() // _FRESH_SECONDS))
    if told.get("issuer") != provider.issuer:
        raise OpenIdError("provider")
    return told


@lru_cache(maxsize=2)
def _fetched(issuer: str, _while: int) -> Mapping[str, Any]:
    """Fetch the provider's own description; a silent provider is not asked again for a while."""
    try:
        told = _read(issuer.rstrip("/") + "/.well-known/openid-configuration")
    except (requests.RequestException, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _read(address: str) -> Any:  # noqa: ANN401 - what another program wrote as JSON
    answer = requests.get(address, timeout=_PATIENCE_SECONDS, allow_redirects=False)
    answer.raise_for_status()
    return answer.json()
