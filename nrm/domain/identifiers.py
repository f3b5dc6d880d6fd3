"""Exact identifiers in the one form in which they are compared."""

from enum import StrEnum


class IdentifierKind(StrEnum):
    """What a person can be found by exactly."""

    ID_NUMBER = "id_number"
    PHONE = "phone"


def plain_id_number(typed: str) -> str:
    """Write the number of an identity paper without what people put between its signs."""
    return "".join(sign for sign in typed.upper() if sign.isalnum())
