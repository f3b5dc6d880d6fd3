"""Words in the reader's language: gettext, with the types that it lacks."""

from typing import Any, cast

from flask_babel import gettext, lazy_gettext


def _(message: str, **values: Any) -> str:
    """Say a text in the language of this request."""
    return str(gettext(message, **values))


def _l(message: str, **values: Any) -> str:
    """Say a text in the language of the request in which it will be shown."""
    return cast("str", lazy_gettext(message, **values))
