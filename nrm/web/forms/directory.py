"""Forms of the directory."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    Optional,
    Regexp,
    ValidationError,
)

from nrm.country import CountryPack
from nrm.domain.vocabulary import AGE_BAND, LANGUAGE, NEED, SEX
from nrm.models import Organisation
from nrm.services.directory import NewListing
from nrm.web.forms.base import Form, PartDateField, VersionedForm, choices
from nrm.web.text import _, _l

# The column takes as many characters.
LONGEST_REASON = 500
_NOT_KNOWN = "unknown"
# What a select says to an answer that it did not offer.
UNLISTED: dict[str, Any] = {"invalid_choice_message": _l("Choose an answer from the list")}


class SubmitForm(Form):
    """What a provider offers, to whom and where."""

    organisation = SelectField(
        _l("Which organisation?"),
        description=_l("Service providers that have no listing yet."),
        validators=[InputRequired(_l("Choose the organisation"))],
        validate_choice=False,
    )
    services = SelectMultipleField(
        _l("What does it offer?"),
        description=_l("Choose all that it can give today."),
        validators=[InputRequired(_l("Choose at least one service"))],
        **UNLISTED,
    )
    sexes = SelectMultipleField(
        _l("Whom does it serve?"),
        validators=[InputRequired(_l("Choose whom it serves"))],
        **UNLISTED,
    )
    ages = SelectMultipleField(
        _l("Of what age?"),
        validators=[InputRequired(_l("Choose at least one age group"))],
        **UNLISTED,
    )
    languages = SelectMultipleField(
        _l("In which languages?"),
        validators=[InputRequired(_l("Choose at least one language"))],
        **UNLISTED,
    )
    district = SelectField(
        _l("In which district?"),
        description=_l("The district alone. The address of a shelter is never written here."),
        validators=[InputRequired(_l("Choose a district"))],
        **UNLISTED,
    )
    places = StringField(
        _l("How many places does it have?"),
        description=_l("Only for a house where people stay. Leave it empty otherwise."),
        validators=[
            Optional(),
            Regexp(r"^\s*[0-9]{1,4}\s*$", message=_l("Enter a whole number, like 12")),
        ],
    )

    def __init__(
        self,
        unlisted: Sequence[Organisation],
        providers: Sequence[Organisation],
        pack: CountryPack,
        **kwargs: Any,
    ) -> None:
        """Offer the providers without a listing, and the places of the country."""
        super().__init__(**kwargs)
        self.organisation.choices = {
            "": _("Choose"),
            **{str(provider.id): provider.name for provider in unlisted},
        }
        self._providers = {str(provider.id) for provider in providers}
        self.services.choices = choices(dict(NEED.choices()))
        self.sexes.choices = _known(SEX.choices())
        self.ages.choices = _known(AGE_BAND.choices())
        self.languages.choices = _known(LANGUAGE.choices())
        self.district.choices = districts(pack)

    def validate_organisation(self, field: SelectField) -> None:
        """Take any provider: the service knows a listed one, and a form that was sent twice."""
        if field.data not in self._providers:
            raise ValidationError(UNLISTED["invalid_choice_message"])

    @property
    def listing(self) -> NewListing:
        """What is submitted."""
        return NewListing(
            UUID(self.organisation.data),
            tuple(self.services.data or ()),
            (*(self.sexes.data or ()), *(self.ages.data or ())),
            tuple(self.languages.data or ()),
            self.district.data,
            int(self.places.data) if self.places.data else None,
        )


class ApproveForm(VersionedForm):
    """Until when a listing is approved."""

    until = PartDateField(
        _l("Approved until"),
        description=_l("The last day on which it may receive a referral, like 31 12 2027."),
        validators=[InputRequired(_l("Enter the day on which the approval ends"))],
    )


class SuspendForm(VersionedForm):
    """Why a listing is suspended."""

    reason = TextAreaField(
        _l("Why is it suspended?"),
        description=_l("Coordinators read this. Name nobody whom the provider helps."),
        validators=[
            DataRequired(_l("Write why it is suspended")),
            Length(max=LONGEST_REASON, message=_l("The reason must be 500 characters or fewer")),
        ],
    )


def districts(pack: CountryPack) -> dict[str, str | dict[str, str]]:
    """Offer the districts under their provinces."""
    grouped: dict[str, str | dict[str, str]] = {"": _("Choose")}
    for province, codes in pack.provinces.items():
        grouped[province] = {code: pack.districts[code] for code in codes}
    return grouped


def _known(entries: list[tuple[str, str]]) -> dict[str, str]:
    """Leave out "not known": a provider knows whom it serves, and in which languages."""
    return choices({code: label for code, label in entries if code != _NOT_KNOWN})
