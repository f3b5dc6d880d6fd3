"""Masked fields on the pages: what is told of them in words, and one of them shown once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from nrm.domain.masking import FIELD_LABEL, Masked, Way
from nrm.web.context import iso_day
from nrm.web.forms.reveal import ShowForm
from nrm.web.text import _


@dataclass(frozen=True)
class Shown:
    """A field that was asked for just now: it stands on this page, and on no other."""

    compartment: str
    field: str
    value: str


def register(app: Flask) -> None:
    """Make masked and shown fields known to the templates, which print them by one macro."""
    app.add_template_test(lambda value: isinstance(value, Masked), "masked_field")
    app.add_template_test(lambda value: isinstance(value, Shown), "shown_field")
    app.add_template_filter(masked_words, "masked_words")
    app.add_template_filter(field_label, "field_label")
    # Each button is a form of its own, with a number of its own.
    app.jinja_env.globals["show_form"] = lambda: ShowForm(formdata=None)


def masked_words(value: Masked) -> str:
    """Say what may be told of a masked field."""
    if not value.told:
        return _("hidden")
    if value.way is Way.YEAR:
        return _("%(year)s, day hidden", year=value.told)
    return _("ends in %(end)s", end=value.told)


def field_label(value: Masked | Shown) -> str:
    """Name a masked field, for whoever hears its button instead of seeing the row."""
    return str(_(FIELD_LABEL[value.compartment, value.field]))


def with_shown(
    opened: Mapping[str, Mapping[str, Any]], asked: Shown | None
) -> Mapping[str, Mapping[str, Any]]:
    """Put the field that was asked for in the place of its mask, where its part is still open."""
    if asked is None or asked.compartment not in opened:
        return opened
    part = {**opened[asked.compartment], asked.field: asked if asked.value else ""}
    return {**opened, asked.compartment: part}


def shown(compartment: str, field: str, value: str) -> Shown:
    """Put a field that was opened by itself into the words of a page."""
    return Shown(compartment, field, _said(field, value))


def in_words(opened: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Put parts that are shown whole, as in an emergency, into the words of a page."""
    return {
        part: {field: _said(field, value) for field, value in held.items()}
        for part, held in opened.items()
    }


def _said(field: str, value: Any) -> Any:  # noqa: ANN401 - whatever a field of a part holds
    return iso_day(value) if field == "birth_date" else value
