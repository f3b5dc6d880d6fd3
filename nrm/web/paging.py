"""Where the next page of a list begins, as an opaque word in the address."""

import base64
import json
from typing import Any


def encode(*key: Any) -> str:
    """Write the key of the last row shown."""
    text = json.dumps([str(part) for part in key])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(word: str, parts: int) -> list[str] | None:
    """Read it back; whatever is not such a word asks for the first page."""
    try:
        key = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    except ValueError:
        return None
    if not isinstance(key, list) or len(key) != parts:
        return None
    return [str(part) for part in key]
