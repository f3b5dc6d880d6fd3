"""Forms of the organisations."""

from typing import Any

from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from nrm.country import CountryPack
from nrm.domain.vocabulary import ORGANISATION_TYPE
from nrm.web.forms.base import LONGEST_LINE, Form, choices
from nrm.web.forms.directory import UNLISTED, districts
from nrm.web.text import _, _l


class PlaceForm(Form):
    """What an organisation is called, what it is, and where."""

    name = StringField(
        _l("Name"),
        validators=[
            DataRequired(_l("Enter the name of the organisation")),
            Length(max=LONGEST_LINE, message=_l("The name must be 200 characters or fewer")),
        ],
    )
    kind = SelectField(
        _l("What kind of organisation is it?"),
        description=_l("It decides which roles its people can have."),
        validators=[InputRequired(_l("Choose what kind of organisation it is"))],
        **UNLISTED,
    )
    district = SelectField(
        _l("District"),
        validators=[InputRequired(_l("Choose a district"))],
        **UNLISTED,
    )

    def __init__(self, pack: CountryPack, **kwargs: Any) -> None:
        """Offer the kinds of organisation and the districts."""
        super().__init__(**kwargs)
        self.kind.choices = choices(dict(ORGANISATION_TYPE.choices()), first=_("Choose"))
        self.district.choices = districts(pack)

    @property
    def entered(self) -> tuple[str, str, str]:
        """Name, kind and district, as they were entered."""
        return (self.name.data or "").strip(), self.kind.data, self.district.data


class OrganisationForm(PlaceForm):
    """A new organisation."""

    is_provider = BooleanField(
        _l("It gives services to people in the mechanism"),
        description=_l("It can then be listed in the directory, and receive referrals."),
    )
