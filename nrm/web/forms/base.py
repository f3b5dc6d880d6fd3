"""What every form has: a number of its own, so that sending it twice has one result."""

from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar
from uuid import UUID, uuid4

from flask_wtf import FlaskForm
from wtforms import DateField, Field, HiddenField, IntegerField
from wtforms.widgets import HiddenInput

from nrm.domain.errors import ConflictError, InvalidInputError
from nrm.web import logs
from nrm.web.errors import conflict_words
from nrm.web.text import _

LONGEST_LINE = 200
LONGEST_TEXT = 20_000


class Form(FlaskForm):
    """A form of the mechanism. Reads its token and `form_id` as hidden fields."""

    form_id = HiddenField(default=lambda: str(uuid4()))

    form_errors: list[str]

    # Names that its buttons send, which are read past its fields.
    buttons: ClassVar[frozenset[str]] = frozenset()

    # What the service found out only when it tried, if somebody else was faster.
    conflict: ConflictError | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        """Take what was sent, unless `formdata=None` says that the form is only shown."""
        super().__init__(*args, **options)
        if options.get("formdata", ...) is not None:
            # Whatever stands before the names of its fields, its token is everybody's.
            logs.asks(lambda: {field.name for field in self} | {"csrf_token"} | self.buttons)

    def validate(self, extra_validators: dict[str, list[object]] | None = None) -> bool:
        """Check every field; a character that nobody can see is named instead of kept."""
        valid = bool(super().validate(extra_validators))
        for field in self:
            if isinstance(field.data, str) and "\x00" in field.data:
                _add_error(
                    field, str(_("This holds a character that cannot be seen. Type it again."))
                )
                valid = False
        return valid

    @property
    def receipt(self) -> UUID | None:
        """The form's own number, under which its result is remembered."""
        try:
            return UUID(self.form_id.data or "")
        except ValueError:
            return None

    @property
    def status(self) -> int:
        """The answer's status: as asked, refused for its input, or overtaken."""
        if self.conflict is not None:
            return 409
        return 422 if self.errors else 200

    def carries_out(self, act: Callable[[], object]) -> bool:
        """Do the act if the form is complete; what the service refuses is tied to its field.

        Returns whether it was done. What was typed stays in the form either way.
        """
        if not self.validate_on_submit():
            return False
        try:
            act()
        except InvalidInputError as error:
            self.refuse(error.field, str(_(error.message)))
            return False
        return True

    def refuse(self, name: str, message: str) -> None:
        """Tie a message to a field, or to the whole form where there is no such field."""
        if name in self:
            _add_error(self[name], message)
        else:
            self.form_errors = [*self.form_errors, message]


class VersionedForm(Form):
    """A form about a record that others may change while it is being filled in."""

    version = IntegerField(widget=HiddenInput())

    def carries_out(self, act: Callable[[], object]) -> bool:
        """Do the act; if another was faster, show what stands now beside what was typed."""
        try:
            return super().carries_out(act)
        except ConflictError as error:
            self.conflict = error
            said = conflict_words(error)
            again = _("Look at what it says now, and send again if it is still right.")
            self.form_errors = [*self.form_errors, f"{said} {again}"]
            return False

    def now_at(self, version: int) -> None:
        """Carry the version of the record that the page shows, not the one it was opened with."""
        self.version.data = version
        self.version.raw_data = None


class PartDateField(DateField):
    """A day typed as three numbers; what was typed comes back even where it is no day."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read day, month and year; all empty is no answer, anything else must be a real day."""
        parts = [part.strip() for part in valuelist]
        self.data = None
        if not any(parts):
            return
        try:
            day, month, year = (int(part) for part in parts)
            self.data = date(year, month, day)
        except (ValueError, OverflowError):
            raise ValueError(_("Enter a real date, like 27 3 2001")) from None


def choices(entries: dict[str, str], first: str = "") -> dict[str, str]:
    """Translate a code list for a field; `first` is the empty answer of a select."""
    translated = {code: str(_(label)) for code, label in entries.items()}
    return {"": first, **translated} if first else translated


def _add_error(field: Field, message: str) -> None:
    field.errors = [*field.errors, message]
