"""Forms of who saw what: one about a file, one about an account and a time."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from wtforms import StringField
from wtforms.validators import ValidationError

from nrm.country import CountryPack
from nrm.domain.reference import ReferenceTypo, parse_case_reference
from nrm.services.accounts import normalised
from nrm.web.forms.base import Form, PartDateField
from nrm.web.text import _, _l

_OLDEST_DAY = date(2000, 1, 1)


class FileForm(Form):
    """Which file is asked about."""

    reference = StringField(_l("Case"), description=_l("Its reference, like 7K4M-29QX-C."))

    def validate_reference(self, field: StringField) -> None:
        """Explain a slip in the reference."""
        try:
            self.asked = parse_case_reference(field.data or "")
        except ReferenceTypo as typo:
            raise ValidationError(_(typo.message, **typo.parameters)) from None

    asked = ""


class AccountForm(Form):
    """Whose account, and between which moments, in the country's own time."""

    email = StringField(_l("Person"), description=_l("The work e-mail address."))
    since = PartDateField(_l("From day"))
    since_time = StringField(_l("From time"), description=_l("Like 07:30. Empty is midnight."))
    until = PartDateField(_l("To day"))
    until_time = StringField(
        _l("To time"), description=_l("Like 19:00. Empty is the end of the day.")
    )

    def __init__(self, pack: CountryPack, *args: Any, **kwargs: Any) -> None:
        """Know the country's own time."""
        super().__init__(*args, **kwargs)
        self.pack = pack

    def validate_email(self, field: StringField) -> None:
        """Refuse to ask about nobody."""
        if not (field.data or "").strip():
            raise ValidationError(_("Enter the work e-mail address of the person"))

    def validate_since(self, field: PartDateField) -> None:
        """Refuse a day that no entry can have."""
        self._check_day(field.data, _("Enter the first day, not in the future, like 22 11 2026"))

    def validate_until(self, field: PartDateField) -> None:
        """Refuse a day that no entry can have, and a span that ends before it begins."""
        self._check_day(field.data, _("Enter the last day, not in the future, like 22 11 2026"))
        if self.since.data and field.data and field.data < self.since.data:
            raise ValidationError(_("The last day must not be before the first day"))

    def validate_since_time(self, field: StringField) -> None:
        """Refuse what is no time of a day."""
        _clock(field.data)

    def validate_until_time(self, field: StringField) -> None:
        """Refuse what is no time of a day, and a span on one day that ends before it begins."""
        end = _clock(field.data)
        if end and self.since.data and self.since.data == self.until.data:
            begin = self._begin_clock()
            if begin and end <= begin:
                raise ValidationError(_("The last moment must come after the first"))

    def _begin_clock(self) -> time | None:
        """Read the first time; a spoilt one has been told of at its own field."""
        try:
            return _clock(self.since_time.data)
        except ValidationError:
            return None

    def _check_day(self, day: date | None, words: str) -> None:
        today = datetime.now(UTC).astimezone(self.pack.zone).date()
        if day is None or not _OLDEST_DAY <= day <= today:
            raise ValidationError(words)

    @property
    def person(self) -> str:
        """Whose acts are asked for, as addresses are kept."""
        return normalised(self.email.data or "")

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Between which moments, the second one not included."""
        end = _clock(self.until_time.data)
        begin = self._moment(self.since.data, _clock(self.since_time.data) or time())
        if end is None:
            return begin, self._moment(self.until.data, time()) + timedelta(days=1)
        return begin, self._moment(self.until.data, end)

    def _moment(self, day: date | None, clock: time) -> datetime:
        return datetime.combine(day or _OLDEST_DAY, clock, self.pack.zone)


def _clock(typed: str | None) -> time | None:
    """Read a time of a day; nothing where nothing was typed."""
    text = (typed or "").strip()
    if not text:
        return None
    try:
        return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC).time()
    except ValueError:
        raise ValidationError(_("Enter a time of the day, like 07:30")) from None
