"""What the question pages of a flag share: what was saved comes back, what is typed is kept."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from wtforms import (
    Field,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Length, StopValidation

from nrm.country import CountryPack
from nrm.domain.vocabulary import CodeList
from nrm.services.identification import Draft
from nrm.web.context import day
from nrm.web.forms.base import LONGEST_LINE, LONGEST_TEXT, Form, PartDateField, choices
from nrm.web.text import _, _l

FIRST_YEAR = 1900

# The stubs of the library do not know this setting yet.
_UNLISTED: dict[str, Any] = {"invalid_choice_message": _l("Choose an answer from the list")}


class SavedDateField(PartDateField):
    """A day that the draft keeps as 2026-11-23."""

    def process_data(self, value: object) -> None:
        """Read the day as it was saved."""
        super().process_data(date.fromisoformat(value) if isinstance(value, str) else value)


class PageForm(Form):
    """One page of a flag."""

    # The page's name in `nrm.domain.flag.PAGES`, which is also the name of its template.
    page: str

    # To leave with what was typed, and what a page sends by itself before its sitting ends.
    buttons = frozenset({"leave", "keep"})

    def __init__(self, draft: Draft, country: CountryPack, **options: Any) -> None:
        """Show what the draft holds; `formdata=None` shows only that, whatever was just sent."""
        self.draft = draft
        self.country = country
        super().__init__(data=self.saved(), **options)

    def saved(self) -> dict[str, Any]:
        """Give what the draft holds for this page, as its fields show it."""
        held = self.draft.begun.get(self.page) or self.draft.pages.get(self.page, {})
        return dict(held)

    def answers(self) -> dict[str, Any]:
        """Give the answers of a page that is right, as the case will read them."""
        return self.typed()

    def typed(self) -> dict[str, Any]:
        """Give what was typed so far, in plain values that the draft can keep."""
        given = {field.short_name: field.data for field in self.questions()}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in given.items()
            if value not in (None, "", [])
        }

    def questions(self) -> Iterator[Field]:
        """Walk the fields that ask something."""
        return (field for field in self if not isinstance(field, HiddenField))

    def said(self) -> list[tuple[str, str]]:
        """Give each question with its answer in words, for the writer to check."""
        return [(str(field.label.text), _in_words(field)) for field in self.questions()]

    def validate(self, extra_validators: Mapping[str, list[object]] | None = None) -> bool:
        """Check every field, then the answers against each other, and name all that is wrong."""
        super().validate(dict(extra_validators) if extra_validators else None)
        self.check_together()
        return not self.errors

    def check_together(self) -> None:
        """Refuse answers that do not fit each other."""

    def only_lacks(self) -> bool:
        """Say whether nothing is wrong but what is missing, so that the page can be left."""
        wrong = (field for field in self if field.errors)
        return not self.form_errors and not any(_holds(field) for field in wrong)

    def today(self) -> date:
        """Give the day in the country."""
        return datetime.now(UTC).astimezone(self.country.zone).date()

    def refuse_day(self, field: Field, ahead: str) -> None:
        """Refuse a day that has not come yet, or that nobody alive can have seen."""
        if field.data and field.data > self.today():
            self.refuse(field.short_name, ahead)
        elif field.data and field.data.year < FIRST_YEAR:
            early = _("Enter a year from %(year)s on, in four digits", year=FIRST_YEAR)
            self.refuse(field.short_name, early)


def line(label: str, description: str = "") -> StringField:
    """Ask for a few words on one line."""
    length = Length(
        max=LONGEST_LINE,
        message=_l("Write %(most)s characters or fewer here", most=f"{LONGEST_LINE:,}"),
    )
    return StringField(
        label, description=description, validators=[length], filters=[_without_edges]
    )


def lines(label: str, too_long: str, description: str = "") -> TextAreaField:
    """Ask for plain words, kept as they were typed; `too_long` names them in its message."""
    length = Length(max=LONGEST_TEXT, message=too_long)
    return TextAreaField(
        label, description=description, validators=[length], filters=[_lines_as_typed]
    )


def select(label: str, listed: Callable[[], dict[str, Any]], **options: Any) -> SelectField:
    """Ask for one answer of a long list; `message` makes it one that must be given."""
    return SelectField(label, choices=listed, **_checked(options))


class MayBeEmpty:
    """Takes no answer for an answer. Blanks alone are none either, and none of them is kept."""

    field_flags: ClassVar = {"optional": True}

    def __call__(self, form: BaseForm, field: Field) -> None:
        """End the checks of a field that holds nothing."""
        del form
        if _holds(field):
            return
        field.errors = []
        if isinstance(field, SelectMultipleField):
            field.data = []
        elif isinstance(field, SelectField):
            field.data = None if isinstance(field, RadioField) else ""
        raise StopValidation


def radios(label: str, listed: Callable[[], dict[str, Any]], **options: Any) -> RadioField:
    """Ask for one answer of a few; `message` makes it one that must be given."""
    return RadioField(label, choices=listed, **_checked(options))


def ticks(label: str, listed: Callable[[], dict[str, Any]], **options: Any) -> SelectMultipleField:
    """Ask for any number of answers."""
    return SelectMultipleField(label, choices=listed, **_checked(options))


def codes(entries: CodeList, first: str = "") -> Callable[[], dict[str, str]]:
    """Offer a code list in the reader's language; `first` is the empty answer of a select."""
    return lambda: choices(dict(entries.choices()), first=str(first))


def yes_or_no() -> dict[str, str]:
    """Offer yes and no."""
    return {"yes": _("Yes"), "no": _("No")}


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    message = options.pop("message", None)
    wanted = InputRequired(message) if message is not None else MayBeEmpty()
    return {"validators": [wanted], **_UNLISTED, **options}


def _holds(field: Field) -> bool:
    return any(str(part).strip() for part in field.raw_data or [])


def _without_edges(text: str | None) -> str | None:
    return text.strip() if text else text


def _lines_as_typed(text: str | None) -> str | None:
    """Undo the line ends of the form's transport; blanks alone are no answer."""
    if not text or not text.strip():
        return text and ""
    return text.replace("\r\n", "\n")


def _in_words(field: Field) -> str:
    if isinstance(field, PartDateField):
        return day(field.data)
    if isinstance(field, SelectField):
        # The empty answer of a select is no answer.
        return "\n".join(choice[1] for choice in field.iter_choices() if choice[2] and choice[0])
    return str(field.data or "")
