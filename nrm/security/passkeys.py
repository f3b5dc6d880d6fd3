"""Passkeys (WebAuthn): what is asked of a browser, and whether its answer is right.

Only the public half of a passkey is ever here. An answer counts for one question, for one site at
one address, and only where the person has shown themselves to their own device.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

_CHALLENGE_BYTES = 32
_WHATEVER_A_BROKEN_ANSWER_RAISES = (
    WebAuthnException,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class PasskeyError(Exception):
    """The answer is not one to this question, from this site, by a passkey that is known."""


@dataclass(frozen=True)
class Site:
    """Which site a passkey is good for, and from which address its answers come."""

    name: str
    host: str
    origin: str


@dataclass(frozen=True)
class NewPasskey:
    """What is kept of a passkey."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def new_challenge() -> str:
    """Make a question that is asked once."""
    return os.urandom(_CHALLENGE_BYTES).hex()


def to_register(
    site: Site, challenge: str, account_id: UUID, name: str, known: Sequence[bytes]
) -> str:
    """Write what a browser is asked for to make a passkey, as JSON."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=account_id.bytes,
        user_name=name,
        challenge=bytes.fromhex(challenge),
        exclude_credentials=_listed(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return options_to_json(options)


def registered(site: Site, challenge: str, answer: str) -> NewPasskey:
    """Check a new passkey; raises PasskeyError."""
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=bytes.fromhex(challenge),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _WHATEVER_A_BROKEN_ANSWER_RAISES as error:
        raise PasskeyError(type(error).__name__) from None
    return NewPasskey(made.credential_id, made.credential_public_key, made.sign_count)


def to_sign_in(site: Site, challenge: str, known: Sequence[bytes]) -> str:
    """Write what a browser is asked for to show a passkey, as JSON."""
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=bytes.fromhex(challenge),
        allow_credentials=_listed(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def credential_of(answer: str) -> bytes:
    """Read which passkey an answer says it is of; raises PasskeyError."""
    try:
        told: Any = json.loads(answer)
        return base64url_to_bytes(told["rawId"])
    except _WHATEVER_A_BROKEN_ANSWER_RAISES as error:
        raise PasskeyError(type(error).__name__) from None


def shown(site: Site, challenge: str, answer: str, public_key: bytes) -> int:
    """Check a passkey that is known, and say how often it says it was used; raises PasskeyError."""
    try:
        seen = verify_authentication_response(
            credential=answer,
            expected_challenge=bytes.fromhex(challenge),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            # Whether the count grew is judged by who knows what to do about it.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _WHATEVER_A_BROKEN_ANSWER_RAISES as error:
        raise PasskeyError(type(error).__name__) from None
    return seen.new_sign_count


def _listed(known: Sequence[bytes]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one) for one in known]
