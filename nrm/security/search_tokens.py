"""Search tokens: keyed hashes of folded names, cut to a few bits, and of exact identifiers.

Name token:        first L bits of HMAC-SHA256(key, frame(first key, second key))
Identifier token:  first 16 bytes of HMAC-SHA256(key, frame(kind, identifier))
Keys:              derived from the INDEX master key, one for each table and version
"""

import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from nrm.security.framing import frame
from nrm.security.keyring import Keyring, Purpose

IDENTIFIER_BYTES = 16
_WORD = 64


@dataclass(frozen=True)
class SearchTokens:
    """What makes the tokens of one version."""

    bits: int
    name_key: bytes = field(repr=False)
    identifier_key: bytes = field(repr=False)

    def name(self, pair: tuple[str, str]) -> int:
        """Return the token of a pair of folded names; thousands of pairs share it by intent."""
        first, second = pair
        mac = hmac.digest(self.name_key, frame(first.encode(), second.encode()), "sha256")
        return int.from_bytes(mac[: _WORD // 8], "big") >> (_WORD - self.bits)

    def any_name(self) -> int:
        """Return a token of nobody, for who has no known name: the table says of all the same."""
        return secrets.randbits(self.bits)

    def identifier(self, kind: str, value: str) -> bytes:
        """Return the token of an exact identifier; the kind is hashed with it."""
        mac = hmac.digest(self.identifier_key, frame(kind.encode(), value.encode()), "sha256")
        return mac[:IDENTIFIER_BYTES]

    def any_identifier(self) -> bytes:
        """Return a token that no identifier has."""
        return os.urandom(IDENTIFIER_BYTES)


def search_tokens(version: int, bits: int, derive: Callable[[str], bytes]) -> SearchTokens:
    """Make one version's tokens; `derive` gives the key for a named use of its master key."""
    return SearchTokens(
        bits, derive(f"name_token v{version}"), derive(f"identifier_token v{version}")
    )


def query_fingerprint(ring: Keyring, query: str) -> str:
    """Return what the log knows a search by: equal searches look equal, and no text is in it."""
    return ring.fingerprint(Purpose.INDEX, "search query", query.encode()).hex()
