"""OpenID Connect: what another institution's sign-in is asked, and whether its answer is right.

An answer counts for one question, which one browser was sent away with, and says who somebody is
there by issuer and subject. Nothing else of it is read or kept: no name, no e-mail address, no key
to anything. (OpenID Connect Core 1.0, section 3.1; RFC 7636 for the verifier; RFC 9207 for `iss`.)
"""

import hmac
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import quote_plus, urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from config import OpenIdProvider
from nrm.security import outbound

# From being sent away to coming back: long enough to find the telephone there.
_ANSWERED_WITHIN_SECONDS = 600
# How far the clocks of two institutions may be apart.
_CLOCKS_SECONDS = 60
# Only signatures that need a private key: nobody who knows ours can sign in the other's name.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
_SHORTEST_RSA_BYTES = 256
_LONGEST_SUBJECT = 255
_TOKEN_BYTES = 32
_WHATEVER_A_BROKEN_ANSWER_RAISES = (
    AuthlibBaseError,
    JoseError,
    ArithmeticError,
    AttributeError,
    LookupError,
    # What the network raises too.
    OSError,
    RecursionError,
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

    def is_answered_by(self, answer: Mapping[str, str]) -> bool:
        """Say whether an answer is one to this question, right or wrong."""
        return hmac.compare_digest(answer.get("state", "").encode(), self.state.encode())

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
    try:
        return _ask(provider, back)
    except _WHATEVER_A_BROKEN_ANSWER_RAISES:
        raise OpenIdError("provider") from None


def _ask(provider: OpenIdProvider, back: str) -> tuple[str, Asked]:
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
            # RFC 6749, section 2.3.1: a name and a secret are written as in a form.
            auth=(quote_plus(provider.client_id), quote_plus(provider.client_secret)),
        )
        claims = _claims(provider, asked, token)
        claims.validate(leeway=_CLOCKS_SECONDS)
        return _identity(provider, asked, claims)
    except _WHATEVER_A_BROKEN_ANSWER_RAISES:
        raise OpenIdError("token") from None


def _check_answer(provider: OpenIdProvider, asked: Asked, answer: Mapping[str, str]) -> None:
    if not asked.is_answered_by(answer):
        raise OpenIdError("state")
    if time.time() > asked.at + _ANSWERED_WITHIN_SECONDS:
        raise OpenIdError("late")
    # A provider that says who it is in its answers is taken at its word.
    says = bool(_metadata(provider).get("authorization_response_iss_parameter_supported"))
    if answer.get("iss", None if says else provider.issuer) != provider.issuer:
        raise OpenIdError("issuer")
    if "error" in answer or "code" not in answer:
        raise OpenIdError("refused")


def _claims(provider: OpenIdProvider, asked: Asked, token: Mapping[str, Any]) -> CodeIDToken:
    """Open the token of whoever came back, if it is signed by one of the provider's keys of now."""
    keys = KeySet(list(_keys(outbound.read(_endpoint(provider, "jwks_uri")))))
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


def _keys(shown: Any) -> Iterator[Key]:  # noqa: ANN401 - what another program wrote as JSON
    """Read the keys that are of use here; of those that are not, others may sign other things."""
    for one in shown["keys"]:
        try:
            if not _is_short(one):
                yield JWKRegistry.import_key(one)
        except _WHATEVER_A_BROKEN_ANSWER_RAISES:
            continue


def _is_short(key: Mapping[str, str]) -> bool:
    return key["kty"] == "RSA" and len(urlsafe_b64decode(key["n"].encode())) < _SHORTEST_RSA_BYTES


def _identity(provider: OpenIdProvider, asked: Asked, claims: Mapping[str, Any]) -> Identity:
    subject = claims["sub"]
    if not _is_name(subject):
        raise OpenIdError("subject")
    # That they were asked anew is more than a wish: a provider that did not is found out, as is
    # one that says it in another unit.
    since, until = asked.at - _CLOCKS_SECONDS, time.time() + _CLOCKS_SECONDS
    if not since <= claims["auth_time"] <= until:
        raise OpenIdError("not-anew")
    shown = {claims.get("acr"), *claims.get("amr", ())}
    return Identity(provider.issuer, subject, strong=bool(provider.strong & shown))


def _is_name(subject: object) -> bool:
    """Say whether this can be a subject: up to 255 characters of ASCII (OpenID Core, section 2)."""
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        return False
    return subject.isascii() and subject.isprintable()


def _client(provider: OpenIdProvider, back: str) -> OAuth2Session:
    client = OAuth2Session(
        provider.client_id,
        provider.client_secret,
        scope="openid",
        redirect_uri=back,
        code_challenge_method="S256",
    )
    # Our secret goes where the provider said that it goes, and is not sent on from there.
    outbound.limit(client)
    return client


def _endpoint(provider: OpenIdProvider, name: str) -> str:
    address = _metadata(provider).get(name)
    scheme = urlsplit(provider.issuer).scheme
    if not isinstance(address, str) or not address.startswith((f"{scheme}://", "https://")):
        raise OpenIdError("provider")
    # The library repairs what browsers would read in another way.
    if not address.isascii() or not address.isprintable() or " " in address:
        raise OpenIdError("provider")
    return address


def _metadata(provider: OpenIdProvider) -> Mapping[str, Any]:
    """Return what the provider says of itself; raises OpenIdError where it says nothing good."""
    told = _descriptions.of(provider.issuer)
    if told.get("issuer") != provider.issuer:
        raise OpenIdError("provider")
    return told


_descriptions = outbound.Kept("/.well-known/openid-configuration")
